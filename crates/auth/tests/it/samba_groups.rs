//! Groups as a real domain controller tells them: every scope, any depth, a circle, the primary group.

use std::time::Duration;

use client::{Options, Pool, Simple};
use ldapgate_auth::{Directories, GroupKind, Reason, Rule, Settings, Trace, Vendor};
use proto::{Dn, Password};
use testkit::samba::{Samba, password_line};
use testkit::world::{BASE, READER, READER_PASSWORD};
use tokio::sync::OnceCell;

use crate::world::{admitted, clock, decide, dn, names, reason};

const UNIT: &str = "OU=deep,DC=example,DC=com";
const PASSWORD: &str = "Deep-Dive-1";
/// `groupType` of security groups by scope, and of distribution groups.
const GLOBAL: &str = "-2147483646";
const LOCAL: &str = "-2147483644";
const UNIVERSAL: &str = "-2147483640";
const LETTER: &str = "8";

/// The shared domain, with a corner of its own in it that no other test looks at.
async fn samba() -> &'static Samba {
    static FILLED: OnceCell<()> = OnceCell::const_new();
    let samba = Samba::shared().await;
    FILLED.get_or_init(|| async { samba.administer(&corner()) }).await;
    samba
}

/// Dive is in deep1, and through it in deep2 to deep5, of which 3 and 4 are in each other; in a distribution group, which is
/// in another; and in primary, the primary group, which is in above.
fn corner() -> String {
    let mut changes = format!("dn: {UNIT}\nchangetype: add\nobjectClass: organizationalUnit\n\n");
    let password = password_line(PASSWORD);
    for name in ["dive", "other"] {
        changes += &format!(
            "dn: CN={name},{UNIT}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n\
             userAccountControl: 66048\n{password}\n"
        );
    }
    for (name, kind, members) in [
        ("deep1", GLOBAL, &["dive"][..]),
        ("deep2", GLOBAL, &["deep1"]),
        ("deep3", UNIVERSAL, &["deep2"]),
        ("deep4", UNIVERSAL, &["deep3"]),
        ("deep5", LOCAL, &["deep4"]),
        ("letter", LETTER, &["dive"]),
        ("letters", LETTER, &["letter"]),
        ("primary", GLOBAL, &["dive"]),
        ("above", UNIVERSAL, &["primary"]),
        ("empty", GLOBAL, &[]),
    ] {
        let members: String = members.iter().map(|name| format!("member: CN={name},{UNIT}\n")).collect();
        changes += &format!(
            "dn: CN={name},{UNIT}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n\
             groupType: {kind}\n{members}\n"
        );
    }
    changes + &format!("dn: CN=deep3,{UNIT}\nchangetype: modify\nadd: member\nmember: CN=deep4,{UNIT}\n")
}

fn group(name: &str) -> Dn {
    dn(&format!("cn={name},{UNIT}"))
}

fn directories(samba: &Samba, change: impl FnOnce(&mut Settings)) -> Directories {
    let mut settings = Settings::preset("main", Vendor::ActiveDirectory, dn(BASE));
    settings.groups.searches[0].base = dn(UNIT);
    change(&mut settings);
    let service = Simple::new(READER, Password::new(READER_PASSWORD).expect("not empty"));
    let options = Options::new([samba.ldap_url()]).expect("a good URL").bind(service);
    Directories::new(vec![(settings, Pool::lazy(options.timeout(Duration::from_secs(10))))], clock())
        .expect("good settings")
}

#[tokio::test]
async fn samba_s_own_list_has_groups_of_every_scope_and_depth() {
    let samba = samba().await;
    let nested = directories(samba, |_| ());
    let all = ["deep1", "deep2", "deep3", "deep4", "deep5", "letter"];
    let person = admitted(&nested, "dive", PASSWORD).await;
    assert_eq!(names(&person), [&["above"], &all[..], &["primary"]].concat());
    let flat = directories(samba, |settings| settings.groups.nested = false);
    assert_eq!(names(&admitted(&flat, "dive", PASSWORD).await), ["deep1", "letter", "primary"]);
}

#[tokio::test]
async fn samba_is_walked_to_the_same_groups_where_kinds_are_joined() {
    let directories = directories(samba().await, |settings| {
        settings.groups.kinds = vec![GroupKind::ActiveDirectory, GroupKind::Posix];
    });
    let walked = ["above", "deep1", "deep2", "deep3", "deep4", "deep5", "letter", "letters", "primary"];
    assert_eq!(names(&admitted(&directories, "dive", PASSWORD).await), walked);
}

#[tokio::test]
async fn samba_s_groups_of_rules_are_judged_by_identifier_and_distribution_groups_by_chain() {
    let samba = samba().await;
    for name in ["deep5", "primary", "above", "letter", "letters"] {
        let denying = directories(samba, |settings| settings.deny = Some(Rule::Group(group(name))));
        assert_eq!(reason(&denying, "dive", PASSWORD).await, Reason::InDeniedGroup, "{name}");
        admitted(&denying, "other", PASSWORD).await;
    }
    for name in ["empty", "gone"] {
        let requiring = directories(samba, |settings| settings.require = Some(Rule::Group(group(name))));
        assert_eq!(reason(&requiring, "dive", PASSWORD).await, Reason::NotInRequiredGroup, "{name}");
    }
}

#[tokio::test]
async fn samba_is_asked_for_one_more_read_in_a_warm_login() {
    let directories = directories(samba().await, |settings| {
        settings.require = Some(Rule::Group(group("deep5")));
        settings.deny = Some(Rule::Group(group("empty")));
    });
    admitted(&directories, "dive", PASSWORD).await;
    let trace = Trace::new();
    decide(&directories, "dive", PASSWORD, &trace).await.expect("the directory answers");
    let asked: Vec<_> = trace.steps().into_iter().filter(|step| step.server.is_some()).collect();
    assert_eq!(asked.len(), 3, "search, bind and the list: {asked:#?}");
}
