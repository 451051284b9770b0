//! What `--explain` shows.

use ldapgate_auth::{Step, Trace};

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
    assert_eq!(search.result, "found uid=bob,ou=people,dc=example,dc=com");
    let bind = of(&steps, "prove");
    assert_eq!(bind.what, "bind \"uid=bob,ou=people,dc=example,dc=com\"");
    assert_eq!(bind.result, "success (0)");
    assert!(of(&steps, "groups").what.contains("filter=(member=uid=bob,ou=people,dc=example,dc=com)"));
    assert_eq!(of(&steps, "deny").result, "does not hold");
    assert_eq!(of(&steps, "require").result, "holds");
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
