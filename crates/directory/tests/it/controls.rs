//! Controls that change what an operation does: assertion, pre- and post-read, sort, tree delete, subentries, permissive
//! modify; and what becomes of an unknown one.

use directory::{Dialect, Directory};
use proto::control::{
    Assertion, DontUseCopy, PermissiveModify, PostRead, PreRead, ServerSideSort, SortKey, SortResult,
    Subentries, TreeDelete,
};
use proto::message::{Change, ExtendedRequest, ModifyDnRequest, ModifyRequest};
use proto::{AddRequest, Control, Filter, PagedResults, Request, Scope, SearchRequest};

use crate::support::{ALICE, ALICE_PASSWORD, Answer, BASE, Peer, Server, below, clock, names};

async fn alice() -> (Directory, Peer) {
    let (directory, mut peer) = Peer::demo();
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 0);
    (directory, peer)
}

fn modify(changes: Vec<Change>) -> Request {
    Request::Modify(ModifyRequest { dn: ALICE.to_owned(), changes })
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap()
}

fn shown(answer: &Answer, oid: &str, attribute: &str) -> Option<String> {
    let entry = PreRead::entry(&answer.controls.get(oid)?).unwrap();
    entry.text(attribute).map(str::to_owned)
}

#[tokio::test]
async fn an_assertion_that_is_not_so_stops_every_operation_on_the_entry() {
    let (_directory, mut peer) = alice().await;
    let rename = ModifyDnRequest {
        dn: ALICE.to_owned(),
        new_rdn: "uid=alicia".to_owned(),
        delete_old_rdn: true,
        new_superior: None,
    };
    let compare =
        proto::CompareRequest { dn: ALICE.to_owned(), attribute: "uid".to_owned(), value: "alice".into() };
    let search = SearchRequest::new(ALICE, Scope::Base, Filter::present("uid"));
    for request in [
        modify(vec![Change::replace("description", ["x"])]),
        Request::Delete(ALICE.to_owned()),
        Request::ModifyDn(rename),
        Request::Compare(compare),
        Request::Search(search),
    ] {
        let answer = peer.ask_with(&request, vec![Assertion::that(filter("(uid=bob)")).into()]).await;
        assert_eq!((answer.code(), answer.entries.len()), (122, 0), "{request:?}");
    }
    let so = Assertion::that(filter("(&(userID=ALICE)(!(description=*)))"));
    let change = modify(vec![Change::replace("description", ["x"])]);
    assert_eq!(peer.ask_with(&change, vec![so.to_control()]).await.code(), 0);
    assert_eq!(peer.ask_with(&change, vec![so.to_control()]).await.code(), 122, "it has one now");
}

#[tokio::test]
async fn no_control_tells_anything_of_a_password() {
    let (_directory, mut peer) = alice().await;
    let guess = |text: &str| vec![Assertion::that(filter(text)).into()];
    for text in [format!("(userPassword={ALICE_PASSWORD})"), "(userPassword=*)".to_owned()] {
        let answer = peer.ask_with(&modify(vec![Change::replace("title", ["x"])]), guess(&text)).await;
        assert_eq!(answer.code(), 122, "{text}");
    }
    let by_password = ServerSideSort::by(SortKey::ascending("userPassword"));
    let (sorted, _) = sort(&mut peer, by_password).await;
    assert_eq!(sorted.dns(), peer.find("(uid=*)").await.dns(), "everybody is equal");
}

#[tokio::test]
async fn an_entry_is_shown_as_it_was_and_as_it_is() {
    let (_directory, mut peer) = alice().await;
    let both = || vec![PreRead::of(["title", "userPassword"]).into(), PostRead::of(["title", "+"]).into()];
    let answer = peer.ask_with(&modify(vec![Change::add("title", ["First"])]), both()).await;
    assert_eq!(answer.code(), 0);
    assert_eq!(shown(&answer, PreRead::OID, "title"), None);
    assert_eq!(shown(&answer, PostRead::OID, "title").as_deref(), Some("First"));
    assert_eq!(shown(&answer, PostRead::OID, "modifyTimestamp").as_deref(), Some("20260301000000Z"));
    let answer = peer.ask_with(&modify(vec![Change::replace("title", ["Second"])]), both()).await;
    assert_eq!(shown(&answer, PreRead::OID, "title").as_deref(), Some("First"));
    assert_eq!(shown(&answer, PreRead::OID, "userPassword"), None, "secrets are never shown");

    let attributes = ["objectClass: person", "uid: eve", "cn: Eve", "sn: Ember"].map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), vec![proto::Bytes::copy_from_slice(value.as_bytes())])
    });
    let eve = format!("uid=eve,ou=people,{BASE}");
    let add = Request::Add(AddRequest { dn: eve.clone(), attributes: attributes.to_vec() });
    let answer = peer.ask_with(&add, vec![PostRead::of(["entryUUID"]).into()]).await;
    assert!(shown(&answer, PostRead::OID, "entryUUID").is_some());
    let answer = peer.ask_with(&Request::Delete(eve), vec![PreRead::of(["cn"]).into()]).await;
    assert_eq!(shown(&answer, PreRead::OID, "cn").as_deref(), Some("Eve"));
    let refused = peer.ask_with(&modify(vec![Change::delete("title", ["None"])]), both()).await;
    assert_eq!((refused.code(), refused.controls.is_empty()), (16, true), "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapsearch_and_ldapmodify_read_what_is_sent() {
    let server = Server::demo().await;
    let sorted = server.search(&["-E", "!sss=-uid", "(&(uid=*)(!(uid=j*)))", "uid"]);
    assert_eq!(sorted.status, 0, "{}", sorted.stderr);
    let found = names(&sorted.stdout);
    let mut expected = found.clone();
    expected.sort_unstable_by(|one, other| other.cmp(one));
    assert!(found.len() > 3 && found == expected, "{found:?}");
    let lines = format!("dn: {ALICE}\nchangetype: modify\nreplace: title\ntitle: Boss\n\n");
    let changed = server.as_alice("ldapmodify", &["-e", "!postread=title"], &lines);
    assert!(changed.stdout.contains("title: Boss"), "{}{}", changed.stdout, changed.stderr);
}

async fn sort(peer: &mut Peer, keys: ServerSideSort) -> (Answer, SortResult) {
    let answer = peer.ask_with(&Request::Search(below("(uid=*)")), vec![keys.into()]).await;
    let result = SortResult::parse(&answer.controls.get(SortResult::OID).unwrap()).unwrap();
    (answer, result)
}

#[tokio::test]
async fn entries_without_the_attribute_come_last_and_the_second_key_decides_between_equals() {
    let (_directory, mut peer) = alice().await;
    peer.ask(&modify(vec![Change::replace("employeeNumber", ["7"])])).await;
    let keys = ServerSideSort::by(SortKey::ascending("employeeNumber")).then(SortKey::descending("uid"));
    let (answer, result) = sort(&mut peer, keys).await;
    assert_eq!(result.code.0, 0);
    let names: Vec<&str> = answer.entries.iter().filter_map(|entry| entry.text("uid")).collect();
    let mut rest = names[1..].to_vec();
    rest.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!((names[0], &names[1..]), ("alice", &rest[..]));
    let keys = ServerSideSort::by(SortKey::descending("employeeNumber").rule("integerOrderingMatch"));
    let (answer, _) = sort(&mut peer, keys).await;
    assert_eq!(answer.dns().last(), Some(&ALICE), "no value is larger than any other");
}

#[tokio::test]
async fn pages_of_a_sorted_search_go_on_where_the_one_before_ended() {
    let (_directory, mut peer) = alice().await;
    let request = Request::Search(below("(uid=*)"));
    let by_name = || ServerSideSort::by(SortKey::descending("uid")).into();
    let whole = peer.ask_with(&request, vec![by_name()]).await;
    let (mut cookie, mut paged) = (proto::Bytes::new(), Vec::new());
    loop {
        let answer = peer.ask_with(&request, vec![PagedResults::request(5, &cookie), by_name()]).await;
        let result = SortResult::parse(&answer.controls.get(SortResult::OID).unwrap()).unwrap();
        assert_eq!(result.code.0, 0);
        paged.extend(answer.entries);
        cookie = PagedResults::parse(&answer.controls.get(PagedResults::OID).unwrap()).unwrap().cookie;
        if cookie.is_empty() {
            break;
        }
    }
    let names =
        |entries: &[proto::Entry]| entries.iter().map(|entry| entry.dn().to_owned()).collect::<Vec<_>>();
    assert!(whole.entries.len() > 10);
    assert_eq!(names(&paged), names(&whole.entries));
}

#[tokio::test]
async fn what_cannot_be_sorted_comes_unsorted_or_not_at_all() {
    let (_directory, mut peer) = alice().await;
    let rule = ServerSideSort::by(SortKey::ascending("uid").rule("1.2.3"));
    let (answer, result) = sort(&mut peer, rule.clone()).await;
    assert_eq!((answer.code(), result.code.0, result.attribute.as_deref()), (0, 18, Some("uid")));
    let controls = vec![rule.to_control().critical()];
    let answer = peer.ask_with(&Request::Search(below("(uid=*)")), controls).await;
    assert_eq!((answer.code(), answer.entries.len()), (12, 0));
}

#[tokio::test]
async fn a_branch_goes_only_where_that_was_asked() {
    let (_directory, mut peer) = alice().await;
    let groups = Request::Delete(format!("ou=groups,{BASE}"));
    assert_eq!(peer.ask(&groups).await.code(), 66);
    assert_eq!(peer.ask_with(&groups, vec![TreeDelete.into()]).await.code(), 0);
    assert_eq!(peer.find("(objectClass=groupOfNames)").await.entries.len(), 0);
    assert_eq!(peer.find("(uid=alice)").await.entries.len(), 1);
}

#[tokio::test]
async fn subentries_are_seen_by_those_who_ask_for_them() {
    let ldif = "dn: dc=a\nobjectClass: domain\ndc: a\n\n\
        dn: cn=rules,dc=a\nobjectClass: subentry\ncn: rules\n\ndn: cn=plain,dc=a\nobjectClass: device\ncn: plain\n";
    let directory = Directory::builder(clock()).ldif(ldif).unwrap().build();
    let mut peer = Peer::of(&directory);
    let search = |base: &str, scope| Request::Search(SearchRequest::new(base, scope, Filter::present("cn")));
    for (controls, expected) in [
        (vec![], "cn=plain,dc=a"),
        (vec![Subentries::Without.into()], "cn=plain,dc=a"),
        (vec![Subentries::Only.into()], "cn=rules,dc=a"),
    ] {
        let answer = peer.ask_with(&search("dc=a", Scope::Subtree), controls).await;
        assert_eq!(answer.dns(), [expected]);
    }
    assert_eq!(peer.ask(&search("cn=rules,dc=a", Scope::Base)).await.entries.len(), 1);
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_error_for_whoever_does_not_mind() {
    let (_directory, mut peer) = alice().await;
    let changes =
        vec![Change::add("title", ["A", "B"]), Change::delete("mobile", ["1"]), Change::delete_all("pager")];
    for controls in [vec![PermissiveModify.into()], vec![PermissiveModify.into()]] {
        assert_eq!(peer.ask_with(&modify(changes.clone()), controls).await.code(), 0);
    }
    let answer = peer.find("(uid=alice)").await;
    assert_eq!(answer.entries[0].texts("title").collect::<Vec<_>>(), ["A", "B"]);
    let some = modify(vec![Change::delete("title", ["A", "C"])]);
    assert_eq!(peer.ask(&some).await.code(), 16);
    assert_eq!(peer.ask_with(&some, vec![PermissiveModify.into()]).await.code(), 0);
    assert_eq!(peer.find("(title=A)").await.entries.len(), 0);
}

#[tokio::test]
async fn an_unknown_control_is_refused_when_it_is_critical_and_a_broken_one_always() {
    let (_directory, mut peer) = alice().await;
    let search = Request::Search(below("(uid=alice)"));
    let unknown = Control::new("1.2.3.4", None);
    for (control, code) in [
        (unknown.clone(), 0),
        (unknown.critical(), 12),
        (DontUseCopy.into(), 0),
        (TreeDelete.into(), 12),
        (TreeDelete.to_control().non_critical(), 0),
        (Control::new(Assertion::OID, Some("\x04\x00".into())), 2),
        (Control::new(Subentries::OID, None), 2),
    ] {
        assert_eq!(peer.ask_with(&search, vec![control.clone()]).await.code(), code, "{control:?}");
    }
    let twice = vec![Assertion::that(filter("(uid=*)")).into(); 2];
    assert_eq!(peer.ask_with(&search, twice).await.code(), 2);
}

#[tokio::test]
async fn a_fast_bind_proves_a_password_and_binds_nobody() {
    let directory = crate::support::demo().dialect(Dialect::ActiveDirectory).build();
    let mut peer = Peer::of(&directory);
    let fast =
        || Request::Extended(ExtendedRequest { oid: "1.2.840.113556.1.4.1781".to_owned(), value: None });
    let change = modify(vec![Change::replace("title", ["x"])]);
    assert_eq!(peer.ask(&fast()).await.code(), 0);
    assert_eq!(peer.bind(ALICE, "wrong").await.code(), 49);
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 0);
    assert_eq!(peer.ask(&change).await.code(), 50, "the connection stays anonymous");

    let mut other = Peer::of(&directory);
    other.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(other.ask(&fast()).await.code(), 53, "somebody is bound");
    let (_openldap, mut peer) = Peer::demo();
    assert_eq!(peer.ask(&fast()).await.code(), 2, "Active Directory alone has it");
}
