//! What `--explain` shows.

use directory::{Fault, Kind};
use ldapgate_auth::{Answer, Fold, Step, Trace, UserTemplate, Username};
use proto::{LdapResult, ResultCode};

use crate::world::{World, decide, in_group};

async fn trace(name: &str, password: &str) -> Vec<Step> {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.require = Some(in_group("staff"));
        settings.deny = Some(in_group("admins"));
    });
    let trace = Trace::new();
    decide(&directories, name, password, &trace).await.expect("the directory answers");
    trace.steps()
}

fn of<'s>(steps: &'s [Step], step: &str) -> &'s Step {
    steps.iter().find(|known| known.step == step).unwrap_or_else(|| panic!("no step {step} in {steps:#?}"))
}

#[tokio::test]
async fn every_operation_is_shown_with_filter_base_and_result() {
    let steps = trace("bob", "Blue-Boat-22").await;
    let search = of(&steps, "locate");
    assert!(search.what.contains("base=\"dc=example,dc=com\" scope=subtree"), "{search:?}");
    assert!(search.what.contains("filter=(&(objectClass=inetOrgPerson)(uid=bob))"), "{search:?}");
    assert!(search.server.as_deref().is_some_and(|url| url.starts_with("ldap://127.0.0.1:")));
    assert_eq!(search.result, "success (0): found uid=bob,ou=people,dc=example,dc=com");
    let bind = of(&steps, "prove");
    assert_eq!(bind.what, "bind \"uid=bob,ou=people,dc=example,dc=com\"");
    assert_eq!(bind.result, "success (0)");
    assert!(of(&steps, "groups").what.contains("filter=(member=uid=bob,ou=people,dc=example,dc=com)"));
    let groups = of(&steps, "groups");
    assert_eq!(groups.result, "success (0): found cn=staff,ou=groups,dc=example,dc=com");
    assert_eq!(of(&steps, "deny").result, "does not hold");
    assert_eq!(of(&steps, "require").result, "holds");
}

#[tokio::test]
async fn a_name_that_nobody_has_was_searched_with_success() {
    let steps = trace("nobody", "Blue-Boat-22").await;
    assert_eq!(of(&steps, "locate").result, "success (0): nothing found");
}

#[tokio::test]
async fn a_read_is_shown_as_the_search_it_is() {
    let world = World::people().await;
    let template = UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap();
    let directories = world.directories(|settings| settings.user.template = Some(template));
    for (name, came) in
        [("bob", "success (0): found uid=bob,ou=people,dc=example,dc=com"), ("nobody", "noSuchObject (32)")]
    {
        let trace = Trace::new();
        let username = Username::parse(name, Fold::Lower).unwrap();
        let Ok(Answer::Yes(located)) = directories.locate(&username, &trace).await else {
            panic!("a template knows everybody")
        };
        located.describe(&trace).await.expect("the directory answers");
        let steps = trace.steps();
        let read = of(&steps, "read");
        let what = format!(
            "search base=\"uid={name},ou=people,dc=example,dc=com\" scope=base filter=(objectClass=*)"
        );
        assert_eq!(read.what, what);
        assert!(read.result.contains(came), "{read:?}");
    }
}

#[tokio::test]
async fn an_operation_that_fails_is_shown_with_its_code() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    world.directory.faults().next(
        Kind::Search,
        1,
        Fault::Answer(LdapResult::new(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "later")),
    );
    let trace = Trace::new();
    decide(&directories, "bob", "Blue-Boat-22", &trace).await.expect_err("nobody may search");
    let steps = trace.steps();
    let search = steps.iter().find(|step| step.server.is_some()).expect("a search was sent");
    assert!(
        search.what.contains("(uid=bob)") && search.result.contains("insufficientAccessRights (50): later"),
        "{search:?}"
    );
}

#[tokio::test]
async fn a_refusal_says_why() {
    let steps = trace("bob", "wrong-Secret-99").await;
    assert!(of(&steps, "prove").result.starts_with("invalidCredentials (49)"));
    assert!(of(&steps, "state").result.starts_with("wrong_password"));
    let steps = trace("alice", "Red-Apple-11").await;
    assert_eq!(of(&steps, "deny").result, "holds");
}

#[tokio::test]
async fn a_password_is_never_in_a_trace() {
    for (name, password) in
        [("bob", "Blue-Boat-22"), ("bob", "wrong-Secret-99"), ("nobody", "wrong-Secret-99")]
    {
        let steps = trace(name, password).await;
        assert!(!steps.is_empty() && !format!("{steps:?}").contains(password));
    }
}
