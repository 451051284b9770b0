//! Another password on every real server: who must change it, who may not, and what the server counts.

use testkit::samba::{Samba, password_line};
use testkit::world::BASE;

use crate::against_every_server;
use crate::gateway::{Gateway, ldapgate, login};
use crate::live::Live;
use crate::password::{change, sign_in};

const OLD: &str = "Old-Orange-31";
const NEW: &str = "New-Nectarine-32";

against_every_server!(
    a_person_changes_it,
    who_must_change_changes_it_on_the_way_in,
    wrong_old_ones_are_counted_by_the_server_too,
    who_was_shut_out_changes_nothing,
);

/// What is the matter with a newcomer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    MustChange,
    ShutOut,
}

/// Somebody whom no other test knows, with the password [`OLD`].
fn newcomer(live: &Live, name: &str, state: State) {
    let person = |more: &str| {
        format!(
            "dn: uid={name},ou=people,{BASE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             userPassword: {OLD}\n{more}\n"
        )
    };
    let text = match (live.preset(), state) {
        ("openldap", State::Good) => person(&format!("pwdPolicySubentry: cn=fragile,ou=policies,{BASE}\n")),
        ("openldap", State::MustChange) => {
            person(&format!("pwdPolicySubentry: cn=change,ou=policies,{BASE}\npwdReset: TRUE\n"))
        }
        ("openldap", State::ShutOut) => person("pwdAccountLockedTime: 000001010000Z\n"),
        ("389ds", State::Good) => person(""),
        ("389ds", State::MustChange) => person(&format!("pwdpolicysubentry: cn=change,ou=policies,{BASE}\n")),
        ("389ds", State::ShutOut) => person("nsAccountLock: true\n"),
        (_, state) => {
            let control = if state == State::ShutOut { 514 } else { 512 };
            let must = if state == State::MustChange { "pwdLastSet: 0\n" } else { "" };
            format!(
                "dn: CN={name},OU=people,{BASE}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\nsn: {name}\n\
                 userAccountControl: {control}\n{}{must}\n",
                password_line(OLD)
            )
        }
    };
    live.administer(&text);
    if (live.preset(), state) == ("389ds", State::MustChange) {
        // What the administrator sets has to be changed.
        let dn = format!("uid={name},ou=people,{BASE}");
        live.administer(&format!(
            "dn: {dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: {OLD}\n"
        ));
    }
}

async fn gateway(live: &Live, more: &str) -> (Gateway, std::path::PathBuf) {
    let config = live.configure(&format!("{more}\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    (Gateway::start(&config).await, config)
}

async fn a_person_changes_it(live: &Live) {
    newcomer(live, "ines", State::Good);
    let (gateway, config) = gateway(live, "").await;
    let mut person = gateway.browser();
    let changed = change(&mut person, "/password", "ines", OLD, NEW).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_eq!(person.get("/api/me").await.json()["username"], "ines");
    assert_eq!(login(&config, "ines", OLD).0["reason"], "wrong_password");
    assert_eq!(login(&config, "ines", NEW).0["outcome"], "granted");
}

async fn who_must_change_changes_it_on_the_way_in(live: &Live) {
    newcomer(live, "mona", State::MustChange);
    // Active Directory lets nobody in who must change the password.
    let who = if live.preset() == "active-directory" { "service" } else { "person" };
    let (gateway, config) = gateway(live, &format!("[directory.password]\nchange = \"{who}\"")).await;
    let mut person = gateway.browser();
    let led = sign_in(&mut person, "mona", OLD, "/").await;
    let there = "/password?username=mona&due=password_must_change";
    assert_eq!((led.status, led.header("location")), (303, Some(there)), "{}", led.body);
    assert_eq!(change(&mut person, there, "mona", "wrong", NEW).await.status, 401);
    let changed = change(&mut person, there, "mona", OLD, NEW).await;
    assert_eq!((changed.status, changed.header("location")), (303, Some("/")), "{}", changed.body);
    assert_eq!(person.get("/api/me").await.json()["username"], "mona");
    assert_eq!(login(&config, "mona", OLD).0["reason"], "wrong_password");
    assert_eq!(login(&config, "mona", NEW).0["outcome"], "granted");
}

async fn wrong_old_ones_are_counted_by_the_server_too(live: &Live) {
    newcomer(live, "lola", State::Good);
    let (gateway, config) = gateway(live, "[login]\nthrottle = { person = 0, address = 0 }").await;
    for _ in 0..5 {
        let refused = change(&mut gateway.browser(), "/password", "lola", "wrong", NEW).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
    let refused = change(&mut gateway.browser(), "/password", "lola", OLD, NEW).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert_eq!(login(&config, "lola", OLD).0["reason"], "account_locked");
}

async fn who_was_shut_out_changes_nothing(live: &Live) {
    newcomer(live, "otto", State::ShutOut);
    let (gateway, config) = gateway(live, "").await;
    let refused = change(&mut gateway.browser(), "/password", "otto", OLD, NEW).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let open = match live.preset() {
        "openldap" => ("uid", "pwdAccountLockedTime", ""),
        "389ds" => ("uid", "nsAccountLock", ""),
        _ => ("CN", "userAccountControl", "userAccountControl: 512\n"),
    };
    let (rdn, attribute, value) = open;
    live.administer(&format!(
        "dn: {rdn}=otto,OU=people,{BASE}\nchangetype: modify\nreplace: {attribute}\n{value}\n"
    ));
    assert_eq!(login(&config, "otto", OLD).0["outcome"], "granted", "let in again with the old password");
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_helps_nobody_whom_it_does_not_let_in_unless_the_service_account_does() {
    let live = Live::samba().await;
    newcomer(&live, "nils", State::MustChange);
    let (gateway, _) = gateway(&live, "").await;
    let led = sign_in(&mut gateway.browser(), "nils", OLD, "/").await;
    let there = led.header("location");
    assert_eq!((led.status, there), (303, Some("/password?username=nils&due=elsewhere")));
    let refused = change(&mut gateway.browser(), "/password", "nils", OLD, NEW).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_takes_a_new_one_for_one_that_has_expired_from_the_service_account() {
    let live = Live::samba().await;
    newcomer(&live, "emil", State::Good);
    Samba::shared().await.expire(&format!("CN=emil,OU=people,{BASE}"));
    let (gateway, config) = gateway(&live, "[directory.password]\nchange = \"service\"").await;
    assert_eq!(login(&config, "emil", OLD).0["reason"], "password_expired");
    let mut person = gateway.browser();
    let there = "/password?username=emil&due=password_expired";
    let led = sign_in(&mut person, "emil", OLD, "/").await;
    assert_eq!((led.status, led.header("location")), (303, Some(there)), "{}", led.body);
    let changed = change(&mut person, there, "emil", OLD, NEW).await;
    assert_eq!((changed.status, changed.header("location")), (303, Some("/")), "{}", changed.body);
    assert_eq!(person.get("/api/me").await.json()["username"], "emil");
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_s_objection_is_read_at_the_field() {
    let live = Live::samba().await;
    newcomer(&live, "olaf", State::MustChange);
    let (gateway, _) = gateway(&live, "[directory.password]\nchange = \"service\"").await;
    for (new, text) in [("a1B", "too short"), ("simplesimple", "too easy to guess")] {
        let refused = change(&mut gateway.browser(), "/password", "olaf", OLD, new).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains(text), "{new}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_lets_passwd_change_a_person_s_own_and_the_reader_reset_nobody_s() {
    let live = Live::samba().await;
    newcomer(&live, "pia", State::Good);
    let config = live.configure("");
    let dn = format!("CN=pia,OU=people,{BASE}");
    let changed = ldapgate(&config, &["passwd", "-D", &dn, "-w", OLD, "-a", OLD, "-s", NEW], "");
    assert_eq!(changed.status, 0, "{}", changed.stderr);
    assert_eq!(login(&config, "pia", NEW).0["outcome"], "granted");
    let wrong = ldapgate(&config, &["passwd", "-D", &dn, "-w", NEW, "-a", OLD, "-s", "Next-Nutmeg-33"], "");
    assert!(wrong.status == 1 && wrong.stderr.contains("00000056"), "{} {}", wrong.status, wrong.stderr);
    let reset = ldapgate(&config, &["passwd", "-s", "Next-Nutmeg-33", &dn], "");
    assert_eq!(reset.status, 1, "the reader resets nobody: {}", reset.stderr);
}
