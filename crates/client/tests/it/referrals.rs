//! Referrals and continuation references: told by default, followed when asked to, never further than that.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use directory::{Directory, Fault, Kind, Running};
use ldapgate_client::control::{Assertion, SessionTracking, Subentries};
use ldapgate_client::{Connection, Error, Options, PasswordMethod, Pool, Referrals, Rename, Search, Simple};
use proto::message::{Request, Response};
use proto::session::ServerSession;
use proto::{Change, Control, Controls, Filter, LdapResult, Limits, Password, Rdn, ResultCode, Scope};
use testkit::certificate::{Authority, Flaw};
use tls::{ClientTls, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

/// A server with one person below `dc=NAME`, and reference entries there.
struct Site {
    directory: Directory,
    running: Running,
}

/// A server that listens already, so that others can name it before it holds anything.
struct Place {
    listener: TcpListener,
    tls: Option<ServerTls>,
}

impl Place {
    async fn new() -> Place {
        let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        Place { listener, tls: None }
    }

    fn url(&self, rest: &str) -> String {
        format!("ldap://localhost:{}/{rest}", self.listener.local_addr().unwrap().port())
    }

    /// The person is `cn=NAME,dc=NAME`; references are `ou=0,dc=NAME`, `ou=1,dc=NAME`, ...
    async fn opens(self, name: &str, references: &[&[&str]]) -> Site {
        let mut ldif = format!(
            "dn: dc={name}\nobjectClass: domain\ndc: {name}\n\n\
             dn: cn={name},dc={name}\nobjectClass: person\ncn: {name}\nsn: x\nuserPassword: secret\n\n"
        );
        for (at, urls) in references.iter().enumerate() {
            ldif += &format!(
                "dn: ou={at},dc={name}\nobjectClass: referral\nobjectClass: extensibleObject\nou: {at}\n"
            );
            for url in *urls {
                ldif += &format!("ref: {url}\n");
            }
            ldif += "\n";
        }
        let mut builder = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(ldif).unwrap();
        if let Some(tls) = self.tls {
            builder = builder.tls(tls);
        }
        let directory = builder.build();
        let running = directory.serve(self.listener).await;
        Site { directory, running }
    }
}

impl Site {
    fn url(&self) -> String {
        format!("ldap://localhost:{}", self.running.address().port())
    }

    fn options(&self) -> Options {
        Options::new([self.url()]).unwrap().referrals(Referrals::follow(["localhost"]))
    }

    fn count(&self, kind: Kind) -> usize {
        self.directory.operations().iter().filter(|operation| operation.kind == kind).count()
    }
}

/// `a` refers to `b`'s whole tree.
async fn two() -> (Site, Site) {
    let (a, b) = (Place::new().await, Place::new().await);
    let to_b = b.url("dc=b??sub");
    (a.opens("a", &[&[&to_b]]).await, b.opens("b", &[]).await)
}

fn people(base: &str) -> Search {
    Search::below(base).matching(Filter::equal("objectClass", "person"))
}

/// A connection that may write to `a`.
async fn writer(options: &Options) -> Connection {
    let connection = Connection::open(options).await.unwrap();
    let reply = connection.bind("cn=a,dc=a", &Password::new("secret").unwrap()).await.unwrap();
    assert!(reply.is_success());
    connection
}

/// A server that says yes to every write and finds nothing, for one connection, and tells what they were about.
async fn says_yes(place: Place) -> Vec<(&'static str, String, Controls)> {
    let accepted = timeout(Duration::from_secs(5), place.listener.accept()).await;
    let (mut stream, _) = accepted.expect("nobody came").unwrap();
    let mut session = ServerSession::new(Limits::server());
    let (mut inbox, mut asked) = (BytesMut::new(), Vec::new());
    while stream.read_buf(&mut inbox).await.unwrap() > 0 {
        let Some(message) = session.receive(&mut inbox).unwrap() else { continue };
        let kind = message.operation.kind();
        let success = LdapResult::success();
        let (dn, answer) = match message.operation {
            Request::Add(add) => (add.dn, Response::Add(success)),
            Request::Modify(modify) => (modify.dn, Response::Modify(success)),
            Request::ModifyDn(rename) => (rename.dn, Response::ModifyDn(success)),
            Request::Delete(dn) => (dn, Response::Delete(success)),
            Request::Search(search) => (search.base, Response::SearchDone(success)),
            Request::Unbind => return asked,
            other => panic!("nobody asks for {other:?}"),
        };
        asked.push((kind, dn, message.controls));
        stream.write_all(&session.reply(message.id, &answer, &Controls::default())).await.unwrap();
    }
    asked
}

async fn found(options: &Options, search: Search) -> Result<(Vec<String>, Vec<Vec<String>>), Error> {
    let found = Connection::open(options).await?.search(search).await?;
    assert!(found.truncated.is_none());
    Ok((found.entries.iter().map(|entry| entry.dn().to_owned()).collect(), found.references))
}

#[tokio::test]
async fn a_reference_is_told_and_not_followed_unless_that_is_asked_for() {
    let (a, b) = two().await;
    let url = vec![format!("{}/dc=b??sub", b.url())];
    for options in [
        Options::new([a.url()]).unwrap(),
        a.options().referrals(Referrals::follow(["other.example.com", "localhost:1"])),
    ] {
        assert_eq!(
            found(&options, people("dc=a")).await.unwrap(),
            (vec!["cn=a,dc=a".into()], vec![url.clone()])
        );
    }
    let kept = found(&a.options(), people("dc=a").keep_referrals()).await.unwrap();
    assert_eq!(kept.1, [url]);
    assert_eq!(b.directory.counters().connections, 0);
}

#[tokio::test]
async fn a_reference_is_followed_with_its_own_base_and_scope_and_as_nobody() {
    let (a, b) = two().await;
    let service = Simple::new("cn=a,dc=a", Password::new("secret").unwrap());
    let pool = Pool::open(a.options().bind(service)).await.unwrap();
    let found = pool.search(people("dc=a").page_size(Some(1))).await.unwrap();
    let names: Vec<&str> = found.entries.iter().map(|entry| entry.dn()).collect();
    assert_eq!(names, ["cn=a,dc=a", "cn=b,dc=b"]);
    assert!(found.references.is_empty());
    assert_eq!((a.count(Kind::Bind), b.count(Kind::Bind)), (1, 0));
    let asked =
        b.directory.operations().into_iter().find(|operation| operation.kind == Kind::Search).unwrap();
    assert_eq!((asked.dn.as_str(), asked.filter.as_deref()), ("dc=b", Some("(objectClass=person)")));
}

#[tokio::test]
async fn a_search_that_is_answered_with_a_referral_goes_there() {
    let (a, b) = two().await;
    let search = people("cn=b,ou=0,dc=a");
    assert_eq!(found(&a.options(), search.clone()).await.unwrap().0, ["cn=b,dc=b"]);
    let told = found(&Options::new([a.url()]).unwrap(), search).await.unwrap_err();
    assert_eq!(told.result().unwrap().referrals, [format!("{}/dc=b??sub", b.url())]);
    let elsewhere = a.options().referrals(Referrals::follow(["other.example.com"]));
    let told = found(&elsewhere, people("cn=b,ou=0,dc=a")).await.unwrap_err().to_string();
    let part = format!("for \"cn=b,ou=0,dc=a\": referral (10) to {}/dc=b??sub, not followed", b.url());
    assert!(told.contains(&part), "{told}");
    let connection = Connection::open(&a.options()).await.unwrap();
    let entry = connection.read("ou=0,dc=a", &["dc"]).await.unwrap().unwrap();
    assert_eq!(entry.dn(), "dc=b");
}

#[tokio::test]
async fn references_in_a_circle_come_to_an_end_with_everybody_found_once() {
    let (a, b) = (Place::new().await, Place::new().await);
    let (to_a, to_b) = (a.url("dc=a??sub"), b.url("dc=b??sub"));
    let a = a.opens("a", &[&[&to_b], &[&to_b], &[&to_a]]).await;
    let b = b.opens("b", &[&[&to_a], &[&to_b]]).await;
    let (names, references) = found(&a.options(), people("dc=a")).await.unwrap();
    assert_eq!((names, references.len()), (vec!["cn=a,dc=a".into(), "cn=b,dc=b".into()], 0));
    assert_eq!((a.count(Kind::Search), b.count(Kind::Search)), (1, 1));
}

#[tokio::test]
async fn an_answer_that_leads_back_to_itself_is_an_error() {
    let (a, b) = (Place::new().await, Place::new().await);
    let (to_a, to_b) = (a.url("ou=0,dc=a??sub"), b.url("ou=0,dc=b??sub"));
    let a = a.opens("a", &[&[&to_b]]).await;
    let _b = b.opens("b", &[&[&to_a]]).await;
    let error = found(&a.options(), people("ou=0,dc=a")).await.unwrap_err();
    assert!(matches!(&error, Error::ReferralLoop { url } if *url == to_a), "{error:?}");
    let connection = Connection::open(&a.options()).await.unwrap();
    let error = connection.compare("ou=0,dc=a", "ou", "0").await.unwrap_err();
    assert!(matches!(&error, Error::ReferralLoop { url } if *url == to_a), "{error:?}");
}

#[tokio::test]
async fn only_so_many_hops_are_made() {
    let (a, b, c) = (Place::new().await, Place::new().await, Place::new().await);
    let (to_b, to_c) = (b.url("dc=b??sub"), c.url("dc=c??sub"));
    let a = a.opens("a", &[&[&to_b]]).await;
    let b = b.opens("b", &[&[&to_c]]).await;
    let c = c.opens("c", &[]).await;
    let hops = |hops| a.options().referrals(Referrals::follow(["LOCALHOST."]).hops(hops));
    assert_eq!(found(&hops(2), people("dc=a")).await.unwrap().0.len(), 3);
    let error = found(&hops(1), people("dc=a")).await.unwrap_err();
    assert!(matches!(&error, Error::TooManyReferrals { url, limit: 1 } if *url == to_c), "{error:?}");
    assert_eq!((b.count(Kind::Search), c.count(Kind::Search)), (2, 1));
}

#[tokio::test]
async fn the_first_alternative_that_works_is_taken() {
    let (a, b, gone) = (Place::new().await, Place::new().await, Place::new().await);
    let (to_b, to_gone) = (b.url("dc=b??sub"), gone.url("dc=b??sub"));
    drop(gone);
    let a = a.opens("a", &[&["ldap://other.example.com/dc=b", &to_gone, &to_b]]).await;
    let _b = b.opens("b", &[]).await;
    assert_eq!(found(&a.options(), people("dc=a")).await.unwrap().0, ["cn=a,dc=a", "cn=b,dc=b"]);
    let there = Connection::open(&a.options()).await.unwrap();
    assert!(there.compare("ou=0,dc=a", "dc", "b").await.unwrap());
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_an_error_that_names_it() {
    let (a, gone) = (Place::new().await, Place::new().await);
    let to_gone = gone.url("dc=b??sub");
    drop(gone);
    let a = a.opens("a", &[&[&to_gone]]).await;
    let error = found(&a.options(), people("dc=a")).await.unwrap_err();
    let Error::Referral { url, source } = &error else { panic!("{error:?}") };
    assert_eq!(*url, to_gone);
    assert!(matches!(**source, Error::Connect { .. }), "{source:?}");
    assert!(!error.is_unreachable(), "the server that was asked is well");
    let (b, place) = two().await;
    drop(place);
    assert!(found(&b.options(), people("dc=a")).await.is_err());
}

#[tokio::test]
async fn a_server_that_does_not_answer_holds_up_nobody_for_longer_than_the_limit() {
    let (a, silent) = (Place::new().await, Place::new().await);
    let to_silent = silent.url("dc=b??sub");
    let a = a.opens("a", &[&[&to_silent]]).await;
    let options = a.options().referrals(Referrals::follow(["localhost"]).limit(Duration::from_millis(200)));
    let began = Instant::now();
    let error = found(&options, people("dc=a")).await.unwrap_err();
    assert!(
        matches!(&error, Error::Referral { source, .. } if matches!(**source, Error::Timeout { .. })),
        "{error:?}"
    );
    let connection = writer(&options).await;
    let error = connection.delete("ou=0,dc=a").await.unwrap_err();
    assert!(
        matches!(&error, Error::Referral { source, .. } if matches!(**source, Error::Timeout { .. })),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_write_goes_where_it_is_sent_under_the_name_it_has_there() {
    for kind in ["add", "modify", "modify dn", "delete"] {
        let (a, b) = (Place::new().await, Place::new().await);
        let a = a.opens("a", &[&[&b.url("cn=b,dc=b")]]).await;
        let carried = Control { oid: "1.2.3".into(), critical: false, value: None };
        // Who it is for is told to the first server only.
        let person = Control { oid: SessionTracking::OID.into(), ..carried.clone() };
        let connection = writer(&a.options()).await.with_controls([person, carried.clone()]);
        let name = "ou=0,dc=a";
        let ((), asked) = tokio::join!(
            async {
                match kind {
                    "add" => connection
                        .add(
                            &format!("cn=x,cn=y,{name}"),
                            [("objectClass", vec!["person"]), ("cn", vec!["x"]), ("sn", vec!["x"])],
                        )
                        .await
                        .map(drop),
                    "modify" => connection.modify(name, vec![Change::replace("sn", ["y"])]).await.map(drop),
                    "delete" => connection.delete(name).await.map(drop),
                    _ => connection.rename(name, &Rename::to(Rdn::new("ou", "1").unwrap())).await.map(drop),
                }
                .unwrap();
            },
            says_yes(b)
        );
        assert_eq!(asked, [(kind, "cn=b,dc=b".to_owned(), Controls::from(carried))]);
    }
}

#[tokio::test]
async fn who_a_search_is_for_is_told_to_the_first_server_only() {
    let (a, b) = (Place::new().await, Place::new().await);
    let a = a.opens("a", &[&[&b.url("dc=b??sub")]]).await;
    let carried = Control::new("1.2.3", None);
    let person = Control::new(SessionTracking::OID, None);
    let connection = Connection::open(&a.options()).await.unwrap();
    let connection = connection.with_controls([person.clone(), carried.clone()]);
    let people = people("dc=a").page_size(None);
    let (found, asked) = tokio::join!(connection.search(&people), says_yes(b));
    assert_eq!(found.unwrap().entries.len(), 1);
    assert_eq!(asked, [("search", "dc=b".to_owned(), Controls::from(carried))]);
}

#[tokio::test]
async fn a_refusal_elsewhere_names_the_place() {
    let (a, b) = two().await;
    let connection = writer(&a.options()).await;
    assert!(connection.compare("ou=0,dc=a", "dc", "b").await.unwrap());
    assert!(!connection.compare("ou=0,dc=a", "dc", "x").await.unwrap());
    let error = connection.delete("ou=0,dc=a").await.unwrap_err();
    let Error::Referral { url, source } = &error else { panic!("{error:?}") };
    assert_eq!(*url, format!("{}/dc=b??sub", b.url()));
    assert!(error.to_string().contains("asked as nobody"), "{error}");
    assert!(source.to_string().contains("refused the delete request for \"dc=b\""), "{source}");
    assert_eq!(
        source.result().unwrap().code,
        ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
        "nobody may write there"
    );
    assert!(error.sent());
    assert_eq!(b.count(Kind::Bind), 0);
}

#[tokio::test]
async fn nothing_that_carries_a_password_is_sent_elsewhere() {
    let (a, b) = two().await;
    let connection = writer(&a.options()).await;
    let change = vec![Change::replace("userPassword", ["new"])];
    let error = connection.modify("ou=0,dc=a", change).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::REFERRAL, "{error:?}");
    assert!(connection.compare("ou=0,dc=a", "userPassword", "x").await.is_err());

    let referral = || Fault::referral(format!("{}/dc=b", b.url()));
    let (old, new) = (Password::new("old").unwrap(), Password::new("new").unwrap());
    for (kind, method) in
        [(Kind::Extended, PasswordMethod::PasswordModify), (Kind::Modify, PasswordMethod::UnicodePwd)]
    {
        a.directory.faults().next(kind, 1, referral());
        let reply = connection.change_password(method, "cn=a,dc=a", &old, &new).await;
        assert!(reply.is_err() || reply.is_ok_and(|reply| !reply.is_success()));
    }
    a.directory.faults().next(Kind::Bind, 1, referral());
    let reply = connection.bind("cn=a,dc=a", &old).await.unwrap();
    assert!(!reply.is_success(), "a referral proves nothing");
    assert_eq!(b.directory.counters().connections, 0);
}

fn pair() -> (ClientTls, ServerTls) {
    let authority = Authority::new("Example Test CA");
    let pair = authority.server(Flaw::None);
    let server = ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap();
    (ClientTls::from_pem(authority.pem().as_bytes()).unwrap(), server)
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_the_first_had_it() {
    let (client, server) = pair();
    let (mut a, b) = (Place::new().await, Place::new().await);
    a.tls = Some(server);
    let to_b = b.url("dc=b??sub");
    let a = a.opens("a", &[&[&to_b]]).await;
    let b = b.opens("b", &[]).await;
    let secure = a.directory.serve_ldaps(Directory::listen(([127, 0, 0, 1], 0).into()).await.unwrap()).await;
    let ldaps = format!("ldaps://localhost:{}", secure.address().port());
    for (url, start_tls) in [(ldaps, false), (a.url(), true)] {
        let follow = Referrals::follow(["localhost"]);
        let options = Options::new([url]).unwrap().start_tls(start_tls).tls(client.clone()).referrals(follow);
        let error = found(&options, people("dc=a")).await.unwrap_err();
        let Error::Referral { source, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(&**source, Error::Refused { operation: "StartTLS", .. }), "{source:?}");
        let error = writer(&options).await.delete("ou=0,dc=a").await.unwrap_err();
        assert!(matches!(&error, Error::Referral { .. }), "{error:?}");
    }
    assert_eq!((b.count(Kind::Search), b.count(Kind::Delete)), (0, 0));
}

#[tokio::test]
async fn start_tls_is_used_there_when_the_first_server_was_encrypted() {
    let (client, server) = pair();
    let (mut a, mut b) = (Place::new().await, Place::new().await);
    (a.tls, b.tls) = (Some(server.clone()), Some(server));
    let to_b = b.url("dc=b??sub");
    let a = a.opens("a", &[&[&to_b]]).await;
    let b = b.opens("b", &[]).await;
    let options = a.options().start_tls(true).tls(client);
    assert_eq!(found(&options, people("dc=a")).await.unwrap().0.len(), 2);
    let kinds: Vec<Kind> = b.directory.operations().iter().map(|operation| operation.kind).collect();
    assert_eq!(kinds[..2], [Kind::StartTls, Kind::Search]);
}

#[tokio::test]
async fn a_limit_on_entries_counts_those_of_all_servers() {
    let (a, _b) = two().await;
    let connection = Connection::open(&a.options()).await.unwrap();
    for page_size in [None, Some(1)] {
        let one = connection.search(people("dc=a").limit(1).page_size(page_size)).await.unwrap();
        assert_eq!(one.entries.len(), 1);
        assert_eq!(one.truncated.unwrap().code, ResultCode::SIZE_LIMIT_EXCEEDED);
        let both = connection.search(people("dc=a").limit(2).page_size(page_size)).await.unwrap();
        assert_eq!((both.entries.len(), both.truncated), (2, None));
    }
}

#[tokio::test]
async fn one_level_asks_for_what_the_reference_names_only() {
    let (a, b) = (Place::new().await, Place::new().await);
    let to_b = b.url("dc=b??base");
    let a = a.opens("a", &[&[&to_b]]).await;
    let _b = b.opens("b", &[]).await;
    let search = Search::one("dc=a").scope(Scope::One);
    assert_eq!(found(&a.options(), search).await.unwrap().0, ["cn=a,dc=a", "dc=b"]);
}

#[tokio::test]
async fn what_a_handle_carries_goes_wherever_the_operation_goes() {
    let (a, _b) = two().await;
    let connection = Connection::open(&a.options()).await.unwrap();
    assert!(connection.compare("ou=0,dc=a", "dc", "b").await.unwrap(), "it is followed");
    let careful = connection.with_controls([Assertion::that(Filter::equal("dc", "elsewhere")).into()]);
    let error = careful.compare("ou=0,dc=a", "dc", "b").await.unwrap_err();
    let Error::Referral { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.result().map(|result| result.code), Some(ResultCode::ASSERTION_FAILED));

    assert_eq!(connection.search(people("dc=a")).await.unwrap().entries.len(), 2);
    let subentries = connection.with_controls([Subentries::Only.into()]);
    assert!(subentries.search(people("dc=a")).await.unwrap().entries.is_empty());
}
