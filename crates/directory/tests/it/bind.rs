//! Binding: schemes, account states, and what may not be a proof.

use directory::{Directory, demo_people};
use proto::{BindRequest, Controls, Filter, PasswordPolicy, PasswordPolicyError, Request};

use crate::support::{ALICE, ALICE_PASSWORD, MAX, Peer, Server, below, clock};

fn policy_error(controls: &Controls) -> Option<PasswordPolicyError> {
    PasswordPolicy::parse(&controls.get(PasswordPolicy::OID)?).unwrap().error
}

#[tokio::test]
async fn every_demo_person_signs_in_or_is_told_why_not() {
    let (_directory, mut peer) = Peer::demo();
    for person in demo_people() {
        let found = peer.find(&Filter::equal("uid", person.name).to_string()).await;
        assert_eq!(found.entries.len(), 1, "{}", person.name);
        let dn = found.entries[0].dn().to_owned();
        let bound = peer.bind(&dn, person.password).await;
        let told = (bound.code(), bound.result().message.as_str(), policy_error(&bound.controls));
        let expected = match person.name {
            "louis" => (49, "", Some(PasswordPolicyError::AccountLocked)),
            "diana" => (53, "account disabled", None),
            "erin" => (53, "account expired", None),
            "max" => (0, "", Some(PasswordPolicyError::ChangeAfterReset)),
            _ => (0, "", None),
        };
        assert_eq!(told, expected, "{}", person.name);
        let wrong = peer.bind(&dn, "Wrong-Word-99").await;
        let told = (wrong.code(), wrong.result().message.as_str(), policy_error(&wrong.controls));
        assert_eq!(told, (49, "", None), "{}: the state is told after a right password only", person.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapwhoami_tells_who_is_bound() {
    let server = Server::demo().await;
    let said = server.as_alice("ldapwhoami", &[], "");
    assert_eq!((said.status, said.stdout.as_str()), (0, "dn:uid=alice,ou=people,dc=example,dc=com\n"));
    assert_eq!(server.tool("ldapwhoami", &[], "").stdout, "anonymous\n");
    let jürgen = "uid=jürgen,ou=people,dc=example,dc=com";
    let said = server.tool("ldapwhoami", &["-D", jürgen, "-w", "Grüne-Gläser-44"], "");
    assert_eq!(said.status, 0, "{}", said.stderr);
    let reader = "CN=Reader, OU=services,dc=example,dc=com";
    assert_eq!(server.tool("ldapwhoami", &["-D", reader, "-w", "Reader-Reed-10"], "").status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let server = Server::demo().await;
    let wrong = server.tool("ldapwhoami", &["-D", ALICE, "-w", "wrong"], "");
    let unknown = server.tool("ldapwhoami", &["-D", "uid=nobody,dc=example,dc=com", "-w", "wrong"], "");
    assert_eq!(wrong.status, 49);
    assert_eq!((wrong.status, wrong.stdout, wrong.stderr), (unknown.status, unknown.stdout, unknown.stderr));
    assert_eq!(server.tool("ldapwhoami", &["-D", "alice", "-w", "wrong"], "").status, 34);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_a_password_is_refused() {
    let server = Server::demo().await;
    let said = server.tool("ldapwhoami", &["-D", ALICE, "-w", ""], "");
    assert_eq!(said.status, 53, "{}", said.stderr);
}

#[tokio::test]
async fn a_failed_bind_leaves_nobody_bound() {
    let (_directory, mut peer) = Peer::demo();
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 0);
    assert_eq!(peer.bind(ALICE, "wrong").await.code(), 49);
    assert_eq!(peer.ask(&Request::Delete(MAX.into())).await.code(), 50);
}

#[tokio::test]
async fn other_versions_and_unknown_mechanisms_are_refused() {
    let (_directory, mut peer) = Peer::demo();
    let old = BindRequest { version: 2, ..BindRequest::anonymous() };
    assert_eq!(peer.ask(&Request::Bind(old)).await.code(), 2);
    let authentication = proto::Authentication::Sasl { mechanism: "EXTERNAL".into(), credentials: None };
    let sasl = BindRequest { authentication, ..BindRequest::anonymous() };
    assert_eq!(peer.ask(&Request::Bind(sasl)).await.code(), 7);
    assert_eq!(peer.ask(&Request::Bind(BindRequest::anonymous())).await.code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_s_tools_bind_by_sasl() {
    let data = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\ndn: uid=zoe,dc=example,dc=com\n\
                objectClass: account\nuid: zoe\nuserPassword: P\u{e4}ssw\u{f6}rd\n\ndn: uid=hashed,dc=example,dc=com\n\
                objectClass: account\nuid: hashed\nuserPassword: {SSHA}WPlThJYzRgbCSlje4gBeLci7merAuXdx\n\n\
                dn: uid=locked,dc=example,dc=com\nobjectClass: account\nuid: locked\nuserPassword: secret\n\
                pwdAccountLockedTime: 000001010000Z\n";
    let server = Server::of(Directory::builder(clock()).ldif(data).unwrap()).await;
    let url = server.running.url();
    let whoami = |mechanism, user, password| {
        let arguments = ["-Q", "-N", "-O", "none", "-H", &url, "-Y", mechanism, "-U", user, "-w", password];
        testkit::process::run("ldapwhoami", "ldap-utils", &arguments, "")
    };
    for (mechanism, user, password, expected) in [
        ("PLAIN", "zoe", "P\u{e4}ssw\u{f6}rd", 0),
        ("SCRAM-SHA-256", "zoe", "P\u{e4}ssw\u{f6}rd", 0),
        ("PLAIN", "hashed", "Red-Apple-11", 0),
        ("PLAIN", "zoe", "wrong", 49),
        ("SCRAM-SHA-256", "zoe", "wrong", 49),
        ("SCRAM-SHA-256", "hashed", "Red-Apple-11", 49),
        ("SCRAM-SHA-256", "nobody", "secret", 49),
        ("SCRAM-SHA-256", "locked", "secret", 49),
        ("PLAIN", "locked", "secret", 49),
    ] {
        let said = whoami(mechanism, user, password);
        assert_eq!(said.status, expected, "{mechanism} {user}: {}", said.stderr);
        let name = if expected == 0 { format!("dn:uid={user},dc=example,dc=com\n") } else { String::new() };
        assert_eq!(said.stdout, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_change_the_password_may_do_only_that() {
    let server = Server::demo().await;
    let mut peer = Peer::of(&server.directory);
    let bound = peer.bind(MAX, "Must-Mango-15").await;
    assert_eq!(policy_error(&bound.controls), Some(PasswordPolicyError::ChangeAfterReset));
    let search = Request::Search(below("(uid=max)"));
    let refused = peer.ask_with(&search, vec![PasswordPolicy::request()]).await;
    assert_eq!(refused.code(), 50);
    assert_eq!(policy_error(&refused.controls), Some(PasswordPolicyError::ChangeAfterReset));
    let change = |attribute, value| {
        let line = format!("dn: {MAX}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n");
        server.tool("ldapmodify", &["-D", MAX, "-w", "Must-Mango-15"], &line)
    };
    assert_eq!(change("mail", "max@example.org").status, 50);
    let changed = change("userPassword", "New-Night-16");
    assert_eq!(changed.status, 0, "{}", changed.stderr);
    let bound = peer.bind(MAX, "New-Night-16").await;
    assert_eq!((bound.code(), policy_error(&bound.controls)), (0, None));
    assert_eq!(peer.ask(&search).await.entries.len(), 1);
    assert_eq!(peer.bind(MAX, "Must-Mango-15").await.code(), 49);
}

#[tokio::test]
async fn active_directory_names_may_bind() {
    let people = "dn: cn=Ann,dc=example,dc=com\ncn: Ann\nsAMAccountName: ann\nuserPrincipalName: ann@example.com\n\
        userPassword: Ann-Apple-1\n\ndn: cn=One,dc=example,dc=com\ncn: One\nsAMAccountName: twin\nuserPassword: Twin-1\n\n\
        dn: cn=Two,dc=example,dc=com\ncn: Two\nsAMAccountName: twin\nuserPassword: Twin-1\n";
    let directory = Directory::builder(clock()).ldif(people).unwrap().build();
    let mut peer = Peer::of(&directory);
    assert_eq!(peer.bind("Ann@EXAMPLE.com", "Ann-Apple-1").await.code(), 0);
    assert_eq!(peer.bind("EXAMPLE\\ann", "Ann-Apple-1").await.code(), 0);
    assert_eq!(peer.bind("bob@example.com", "Ann-Apple-1").await.code(), 49);
    assert_eq!(peer.bind("EXAMPLE\\twin", "Twin-1").await.code(), 49, "two people, none of whom is meant");
}

#[tokio::test]
async fn who_is_deleted_may_not_write_any_more() {
    let (directory, mut peer) = Peer::demo();
    let bob = "uid=bob,ou=people,dc=example,dc=com";
    let mut bobs = Peer::of(&directory);
    assert_eq!(bobs.bind(bob, "Blue-Boat-22").await.code(), 0);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(peer.ask(&Request::Delete(bob.into())).await.code(), 0);
    assert_eq!(bobs.ask(&Request::Delete(MAX.into())).await.code(), 50);
    bobs.unbind().await;
    assert!(bobs.event().await.is_none());
}
