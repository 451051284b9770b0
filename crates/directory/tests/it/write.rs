//! Adding, changing, renaming, deleting and comparing with OpenLDAP's tools.

use proto::{AddRequest, Bytes, Request, Scope, SearchRequest};

use crate::support::{ALICE, ALICE_PASSWORD, BASE, MAX, Peer, Server, below, demo, names};

const EVE: &str = "dn: uid=eve,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: eve\ncn: Eve Ember\nsn: Ember\n\
    telephoneNumber: +1 1\nemployeeNumber: 41\nuserPassword: Ever-Ebony-1\n";
const EVE_DN: &str = "uid=eve,ou=people,dc=example,dc=com";

fn modify(server: &Server, dn: &str, lines: &str) -> i32 {
    server.as_alice("ldapmodify", &[], &format!("dn: {dn}\nchangetype: modify\n{lines}\n")).status
}

fn text(server: &Server, filter: &str, attributes: &[&str]) -> String {
    server.search(&[&[filter], attributes].concat()).stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_entry_is_there_for_everybody() {
    let server = Server::demo().await;
    let added = server.as_alice("ldapadd", &[], EVE);
    assert_eq!(added.status, 0, "{}", added.stderr);
    let shown =
        text(&server, "(uid=eve)", &["cn", "createTimestamp", "creatorsName", "structuralObjectClass"]);
    for line in ["cn: Eve Ember", "createTimestamp: 20260301000000Z", &format!("creatorsName: {ALICE}")] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(shown.contains("structuralObjectClass: inetOrgPerson"), "{shown}");
    let who = server.tool("ldapwhoami", &["-D", EVE_DN, "-w", "Ever-Ebony-1"], "");
    assert_eq!(who.stdout, format!("dn:{EVE_DN}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_may_not_be_added_is_refused_with_the_right_code() {
    let server = Server::demo().await;
    let add = |ldif: &str| server.as_alice("ldapadd", &[], ldif).status;
    let person = "objectClass: inetOrgPerson\nuid: q\ncn: q\nsn: q\n";
    for (code, ldif) in [
        (68, format!("dn: {ALICE}\n{person}")),
        (32, format!("dn: uid=q,ou=nowhere,dc=example,dc=com\n{person}")),
        (32, format!("dn: uid=q,dc=elsewhere\n{person}")),
        (64, format!("dn: uid=other,dc=example,dc=com\n{person}")),
        (65, "dn: uid=q,dc=example,dc=com\nuid: q\n".to_owned()),
        (
            19,
            format!("dn: uid=q,dc=example,dc=com\n{person}entryUUID: 00000000-0000-0000-0000-000000000000\n"),
        ),
        (19, format!("dn: uid=q,dc=example,dc=com\n{person}employeeNumber: 1\nemployeeNumber: 2\n")),
        (20, format!("dn: uid=q,dc=example,dc=com\n{person}mail: A@b\nmail: a@B\n")),
        (
            19,
            format!("dn: uid=q,dc=example,dc=com\n{person}memberOf: cn=admins,ou=groups,dc=example,dc=com\n"),
        ),
    ] {
        assert_eq!(add(&ldif), code, "{ldif}");
    }
    assert_eq!(names(&text(&server, "(uid=q)", &[])).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapmodify_changes_what_it_says() {
    let server = Server::demo().await;
    server.as_alice("ldapadd", &[], EVE);
    let lines = "add: mail\nmail: eve@example.com\nmail: e@example.com\n-\nreplace: cn\ncn: Eve\n-\n\
        delete: telephoneNumber\ntelephoneNumber: +1-1\n-\nincrement: employeeNumber\nemployeeNumber: -5\n-\n\
        replace: description\n-\n";
    assert_eq!(modify(&server, EVE_DN, lines), 0);
    let shown = text(&server, "(uid=eve)", &["mail", "cn", "telephoneNumber", "employeeNumber"]);
    let rest: Vec<&str> = shown.lines().skip(1).filter(|line| !line.is_empty()).collect();
    assert_eq!(rest, ["cn: Eve", "employeeNumber: 36", "mail: eve@example.com", "mail: e@example.com"]);
    assert_eq!(names(&text(&server, "(mail=E@EXAMPLE.com)", &["1.1"])).len(), 1, "the index follows");
    assert_eq!(names(&text(&server, "(cn=Eve Ember)", &["1.1"])).len(), 0, "the index follows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_change_is_refused_and_changes_nothing() {
    let server = Server::demo().await;
    server.as_alice("ldapadd", &[], EVE);
    let before = text(&server, "(uid=eve)", &["*", "+"]);
    for (code, lines) in [
        (20, "add: cn\ncn: eve EMBER\n-\n"),
        (16, "delete: mail\n-\n"),
        (16, "delete: cn\ncn: nobody\n-\n"),
        (16, "increment: mail\nmail: 1\n-\n"),
        (21, "increment: cn\ncn: 1\n-\n"),
        (19, "replace: entryUUID\nentryUUID: x\n-\n"),
        (19, "add: employeeNumber\nemployeeNumber: 42\n-\n"),
        (19, "add: memberOf\nmemberOf: cn=admins,ou=groups,dc=example,dc=com\n-\n"),
        (67, "delete: uid\n-\n"),
        (67, "replace: uid\nuid: adam\n-\n"),
        (65, "delete: objectClass\n-\n"),
        (16, "replace: cn\ncn: changed\n-\ndelete: mail\n-\n"),
    ] {
        assert_eq!(modify(&server, EVE_DN, lines), code, "{lines}");
    }
    assert_eq!(modify(&server, "uid=nobody,dc=example,dc=com", "replace: cn\ncn: x\n-\n"), 32);
    assert_eq!(text(&server, "(uid=eve)", &["*", "+"]), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_is_deleted_and_a_branch_is_not() {
    let server = Server::demo().await;
    let delete = |dn| server.as_alice("ldapdelete", &[dn], "").status;
    assert_eq!(delete("ou=people,dc=example,dc=com"), 66);
    assert_eq!(delete(MAX), 0);
    assert_eq!(delete(MAX), 32);
    assert_eq!(names(&text(&server, "(uid=max)", &["1.1"])).len(), 0);
}

#[tokio::test]
async fn a_name_that_is_used_again_is_another_entry() {
    let (_directory, mut peer) = Peer::demo();
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let ask = Request::Search(SearchRequest { attributes: vec!["entryUUID".into()], ..below("(uid=max)") });
    let first = peer.ask(&ask).await.entries[0].text("entryUUID").unwrap().to_owned();
    peer.ask(&Request::Delete(MAX.into())).await;
    let values = |values: &[&'static str]| values.iter().map(|value| Bytes::from(*value)).collect::<Vec<_>>();
    let attributes = vec![("objectClass".into(), values(&["account"])), ("uid".into(), values(&["max"]))];
    let add = Request::Add(AddRequest { dn: MAX.into(), attributes });
    assert_eq!(peer.ask(&add).await.code(), 0);
    assert_ne!(peer.ask(&ask).await.entries[0].text("entryUUID").unwrap(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapmodrdn_renames_and_moves_whole_branches() {
    let server = Server::demo().await;
    let rename = |arguments: &[&str]| server.as_alice("ldapmodrdn", arguments, "").status;
    // Old value kept, then dropped.
    assert_eq!(rename(&["uid=bob,ou=people,dc=example,dc=com", "uid=robert"]), 0);
    assert!(text(&server, "(uid=robert)", &["uid"]).contains("uid: bob\nuid: robert"));
    assert_eq!(rename(&["-r", "uid=robert,ou=people,dc=example,dc=com", "uid=rob"]), 0);
    assert!(!text(&server, "(uid=rob)", &["uid"]).contains("robert"));
    // Only the case changes.
    assert_eq!(rename(&["-r", "uid=rob,ou=people,dc=example,dc=com", "uid=Rob"]), 0);
    assert!(text(&server, "(uid=rob)", &["uid"]).contains("dn: uid=Rob,ou=people"));
    // A branch goes below another one.
    assert_eq!(
        rename(&["-r", "-s", "ou=services,dc=example,dc=com", "ou=people,dc=example,dc=com", "ou=humans"]),
        0
    );
    let alice = "dn: uid=alice,ou=humans,ou=services,dc=example,dc=com";
    assert_eq!(names(&text(&server, "(uid=alice)", &["1.1"])), [alice]);
    assert_eq!(server.search(&["-b", ALICE, "-s", "base"]).status, 32);
    let below = server.search(&["-b", "ou=services,dc=example,dc=com", "1.1"]);
    assert_eq!(names(&below.stdout).len(), 16);
    let bound = &["-D", &alice[4..], "-w", ALICE_PASSWORD];
    assert_eq!(server.tool("ldapwhoami", bound, "").status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_rename_is_refused_with_the_right_code() {
    let server = Server::demo().await;
    let rename = |arguments: &[&str]| server.as_alice("ldapmodrdn", arguments, "").status;
    let people = "ou=people,dc=example,dc=com";
    assert_eq!(rename(&[MAX, "uid=alice"]), 68);
    assert_eq!(rename(&["uid=nobody,dc=example,dc=com", "uid=x"]), 32);
    assert_eq!(rename(&["-s", "ou=nowhere,dc=example,dc=com", MAX, "uid=max"]), 32);
    assert_eq!(rename(&["-s", MAX, people, "ou=people"]), 53);
    assert_eq!(rename(&["-s", people, people, "ou=people"]), 53);
    assert_eq!(rename(&[MAX, "uid=a,ou=b"]), 34);
    assert_eq!(rename(&[BASE, "dc=other"]), 53);
    assert_eq!(rename(&[MAX, "userPassword=x"]), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapcompare_answers_true_and_false_but_not_about_passwords() {
    let server = Server::demo().await;
    let compare = |assertion| server.tool("ldapcompare", &[ALICE, assertion], "").status;
    assert_eq!(compare("sn:ADAMS"), 6);
    assert_eq!(compare("sn:Brown"), 5);
    assert_eq!(compare("memberOf:CN=admins,ou=groups,dc=example,dc=com"), 6);
    assert_eq!(compare("description:x"), 16);
    assert_eq!(compare("userPassword:Red-Apple-11"), 50);
    let nobody = server.tool("ldapcompare", &["uid=nobody,dc=example,dc=com", "sn:x"], "");
    assert_eq!(nobody.status, 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_bind_may_not_write() {
    let server = Server::demo().await;
    assert_eq!(server.tool("ldapadd", &[], EVE).status, 50);
    assert_eq!(server.tool("ldapdelete", &[MAX], "").status, 50);
    assert_eq!(server.tool("ldapmodrdn", &[MAX, "uid=x"], "").status, 50);
    let change = format!("dn: {MAX}\nchangetype: modify\nreplace: sn\nsn: x\n");
    assert_eq!(server.tool("ldapmodify", &[], &change).status, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_into_a_read_only_directory() {
    let server = Server::of(demo().read_only(true)).await;
    assert_eq!(server.as_alice("ldapadd", &[], EVE).status, 53);
    assert_eq!(server.as_alice("ldapdelete", &[MAX], "").status, 53);
    assert_eq!(names(&text(&server, "(uid=max)", &["1.1"])).len(), 1);
}

#[tokio::test]
async fn pipelined_writes_happen_in_order() {
    let (_directory, mut peer) = Peer::demo();
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let gone = peer.send(&Request::Delete(MAX.into()), Vec::new()).await;
    let search = SearchRequest::new(MAX, Scope::Base, proto::Filter::present("objectClass"));
    let asked = peer.send(&Request::Search(search), Vec::new()).await;
    assert_eq!(peer.answer(gone).await.code(), 0);
    assert_eq!(peer.answer(asked).await.code(), 32);
}
