//! Changing passwords: by OpenLDAP's own `ldappasswd`, and as Active Directory has it.

use std::time::Duration;

use directory::{Dialect, PasswordRules};
use proto::{
    Bytes, Change, ModifyRequest, Password, PasswordModify, PasswordPolicy, PasswordPolicyError, Request,
};

use crate::support::{ALICE, ALICE_PASSWORD, Answer, BASE, MAX, Peer, Server, demo};

fn rules() -> PasswordRules {
    PasswordRules { shortest: 8, remembered: 3, youngest: Duration::ZERO }
}

fn ask(user: Option<&str>, old: Option<&str>, new: &str) -> Request {
    let password = |text: &str| Password::new(text).unwrap();
    let user = user.map(str::to_owned);
    Request::Extended(PasswordModify { user, old: old.map(password), new: Some(password(new)) }.request())
}

async fn tell(peer: &mut Peer, request: &Request) -> (u32, Option<PasswordPolicyError>) {
    let answer = peer.ask_with(request, vec![PasswordPolicy::request()]).await;
    (answer.code(), said(&answer))
}

fn said(answer: &Answer) -> Option<PasswordPolicyError> {
    PasswordPolicy::parse(&answer.controls.get(PasswordPolicy::OID)?).unwrap().error
}

#[tokio::test(flavor = "multi_thread")]
async fn ldappasswd_changes_a_password_and_the_old_one_is_gone() {
    let server = Server::demo().await;
    let change = ["-a", ALICE_PASSWORD, "-s", "Rosy-Apple-12"];
    let done = server.as_alice("ldappasswd", &change, "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert_eq!(server.as_alice("ldapwhoami", &[], "").status, 49);
    assert_eq!(server.tool("ldapwhoami", &["-D", ALICE, "-w", "Rosy-Apple-12"], "").status, 0);
    let shown = server.search(&["(uid=alice)", "pwdChangedTime", "modifiersName"]).stdout;
    assert!(shown.contains("pwdChangedTime: 20260301000000Z") && shown.contains(ALICE), "{shown}");
    assert!(server.search(&["(uid=alice)", "*", "+"]).stdout.find("Apple").is_none());
}

#[tokio::test]
async fn a_wrong_old_password_changes_nothing() {
    let (_directory, mut peer) = Peer::demo();
    peer.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(tell(&mut peer, &ask(None, Some("wrong"), "Rosy-Apple-12")).await, (53, None));
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 0);
}

#[tokio::test]
async fn who_must_change_may_do_it_and_is_free_afterwards() {
    let (_directory, mut peer) = Peer::demo();
    peer.bind(MAX, "Must-Mango-15").await;
    assert_eq!(tell(&mut peer, &ask(Some(ALICE), None, "Rosy-Apple-12")).await.0, 50);
    let own = ask(Some(&format!("dn:{MAX}")), Some("Must-Mango-15"), "New-Nectarine-16");
    assert_eq!(tell(&mut peer, &own).await, (0, None));
    let bound = peer.bind(MAX, "New-Nectarine-16").await;
    assert_eq!((bound.code(), said(&bound)), (0, None));
}

#[tokio::test]
async fn the_rules_are_told_in_each_servers_words() {
    use PasswordPolicyError::*;
    let policy = |dialect| match dialect {
        Dialect::Ds389 => [InsufficientQuality, InHistory].map(Some),
        _ => [TooShort, InHistory].map(Some),
    };
    for dialect in [Dialect::OpenLdap, Dialect::Ds389] {
        let directory = demo().dialect(dialect).password_rules(rules()).build();
        let mut peer = Peer::of(&directory);
        peer.bind(ALICE, ALICE_PASSWORD).await;
        let [short, used] = policy(dialect);
        assert_eq!(tell(&mut peer, &ask(None, None, "Ünï-123")).await, (19, short));
        let again = ask(None, Some(ALICE_PASSWORD), ALICE_PASSWORD);
        assert_eq!(tell(&mut peer, &again).await, (19, used));
        let next = ask(None, Some(ALICE_PASSWORD), "Rosy-Apple-12");
        assert_eq!(tell(&mut peer, &next).await, (0, None));
        let back = ask(None, Some("Rosy-Apple-12"), ALICE_PASSWORD);
        assert_eq!(tell(&mut peer, &back).await, (19, used));
    }
}

#[tokio::test]
async fn a_password_that_was_just_changed_is_too_young_to_be_changed_again() {
    let youngest = Duration::from_secs(60);
    let directory = demo().password_rules(PasswordRules { youngest, ..rules() }).build();
    let mut peer = Peer::of(&directory);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(tell(&mut peer, &ask(None, None, "Rosy-Apple-12")).await, (0, None));
    let young = Some(PasswordPolicyError::TooYoung);
    assert_eq!(tell(&mut peer, &ask(None, None, "Rosy-Apple-13")).await, (19, young));
}

#[tokio::test]
async fn nobody_and_nonsense_change_nothing() {
    let (_directory, mut peer) = Peer::demo();
    assert_eq!(tell(&mut peer, &ask(Some(ALICE), None, "Rosy-Apple-12")).await.0, 8);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let value = |bytes: &'static [u8]| {
        let oid = PasswordModify::OID.to_owned();
        Request::Extended(proto::ExtendedRequest { oid, value: Some(Bytes::from_static(bytes)) })
    };
    assert_eq!(peer.ask(&value(b"\x30\x02\x82\x00")).await.code(), 2);
    assert_eq!(peer.ask(&value(b"")).await.code(), 2);
    assert_eq!(peer.ask(&Request::Extended(PasswordModify::default().request())).await.code(), 53);
    assert_eq!(tell(&mut peer, &ask(Some("uid=nobody,dc=example,dc=com"), None, "x")).await.0, 32);
    assert_eq!(tell(&mut peer, &ask(Some("no name"), None, "x")).await.0, 34);
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 0);
}

#[tokio::test]
async fn nobody_changes_a_password_of_a_read_only_directory() {
    let directory = demo().read_only(true).build();
    let mut peer = Peer::of(&directory);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(tell(&mut peer, &ask(None, Some(ALICE_PASSWORD), "Rosy-Apple-12")).await.0, 53);
}

/// An account of Active Directory that must change its password, and somebody else.
const ACCOUNTS: &str = "dn: cn=ann,dc=example,dc=com\nobjectClass: user\ncn: ann\nuserPassword: Must-Mango-15\n\
    userAccountControl: 512\npwdLastSet: 0\n\ndn: cn=ben,dc=example,dc=com\nobjectClass: user\ncn: ben\n\
    userPassword: Bold-Banana-16\nuserAccountControl: 512\npwdLastSet: 133000000000000000\n";

fn unicode_pwd(text: &str) -> Bytes {
    Password::new(text).unwrap().to_unicode_pwd().unwrap()
}

fn modify(dn: &str, changes: Vec<Change>) -> Request {
    Request::Modify(ModifyRequest { dn: format!("{dn},{BASE}"), changes })
}

fn old_and_new(old: &str, new: &str) -> Vec<Change> {
    vec![Change::delete("unicodePwd", [unicode_pwd(old)]), Change::add("unicodePwd", [unicode_pwd(new)])]
}

async fn active_directory() -> Peer {
    let builder = directory::Directory::builder(crate::support::clock()).ldif(ACCOUNTS).unwrap();
    let directory = builder.dialect(Dialect::ActiveDirectory).password_rules(rules()).build();
    let mut peer = Peer::of(&directory);
    assert_eq!(peer.bind("cn=ben,dc=example,dc=com", "Bold-Banana-16").await.code(), 0);
    peer
}

#[tokio::test]
async fn active_directory_takes_old_and_new_from_anybody_and_the_new_one_is_good_at_once() {
    let mut peer = active_directory().await;
    let refused = peer.ask(&modify("cn=ann", old_and_new("wrong", "New-Nectarine-16"))).await;
    assert!(refused.code() == 19 && refused.result().message.starts_with("00000056: "));
    let refused = peer.ask(&modify("cn=ann", old_and_new("Must-Mango-15", "short"))).await;
    assert!(refused.code() == 19 && refused.result().message.starts_with("0000052D: "));
    assert_eq!(peer.ask(&modify("cn=ann", old_and_new("Must-Mango-15", "New-Nectarine-16"))).await.code(), 0);
    assert_eq!(peer.bind("cn=ann,dc=example,dc=com", "New-Nectarine-16").await.code(), 0);
}

#[tokio::test]
async fn active_directory_lets_nobody_reset_and_knows_no_password_modify() {
    let mut peer = active_directory().await;
    let new = [unicode_pwd("New-Nectarine-16")];
    assert_eq!(peer.ask(&modify("cn=ann", vec![Change::replace("unicodePwd", &new)])).await.code(), 50);
    assert_eq!(peer.ask(&modify("cn=ben", vec![Change::add("unicodePwd", &new)])).await.code(), 50);
    let clear = vec![Change::delete("unicodePwd", ["a"]), Change::add("unicodePwd", &new)];
    assert_eq!(peer.ask(&modify("cn=ben", clear)).await.code(), 53);
    assert_eq!(peer.ask(&ask(None, None, "New-Nectarine-16")).await.code(), 2);
}

#[tokio::test]
async fn a_lock_of_active_directory_bars_the_change_of_a_password_as_it_bars_a_login() {
    for (lockout, login, change) in
        [("134000000000000000", 49, 19), ("0", 0, 0), ("00", 0, 0), ("soon", 0, 0)]
    {
        let accounts = format!(
            "{ACCOUNTS}\ndn: cn=cal,{BASE}\nobjectClass: user\ncn: cal\nuserPassword: Calm-Cherry-17\n\
             userAccountControl: 512\npwdLastSet: 133000000000000000\nlockoutTime: {lockout}\n"
        );
        let builder = directory::Directory::builder(crate::support::clock()).ldif(accounts).unwrap();
        let directory = builder.dialect(Dialect::ActiveDirectory).build();
        let mut peer = Peer::of(&directory);
        assert_eq!(peer.bind(&format!("cn=cal,{BASE}"), "Calm-Cherry-17").await.code(), login, "{lockout}");
        assert_eq!(peer.bind(&format!("cn=ben,{BASE}"), "Bold-Banana-16").await.code(), 0);
        let changed = peer.ask(&modify("cn=cal", old_and_new("Calm-Cherry-17", "New-Nectarine-16"))).await;
        assert_eq!(changed.code(), change, "{lockout}");
        assert_eq!(changed.result().message.starts_with("00000775: "), change == 19, "{lockout}");
    }
}
