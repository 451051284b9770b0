//! People whom something else has authenticated.

use std::collections::BTreeMap;

use auth::Rule;
use ldapgate_account::store::Mirror;
use ldapgate_account::{Account, DirectorySettings, Lookup, Origin, PermissionKey, Settings};

use crate::world::{World, group};

fn settings(for_external_users: bool) -> Settings {
    let main = DirectorySettings {
        from_groups: true,
        mirror: Mirror::All,
        for_external_users,
        ..DirectorySettings::default()
    };
    Settings {
        directories: BTreeMap::from([("main".to_owned(), main)]),
        permissions: BTreeMap::from([(
            PermissionKey::Name("staff".to_owned()),
            vec!["reports.view".to_owned()],
        )]),
        ..Settings::default()
    }
}

async fn external(world: &World, name: &str) -> Result<Account, &'static str> {
    match world.accounts.external(name, &Origin::default()).await.unwrap() {
        Lookup::Found(account) => Ok(*account),
        Lookup::Denied(denial) => Err(denial.reason().as_str()),
    }
}

#[tokio::test]
async fn who_was_signed_in_elsewhere_has_permissions_and_no_session_and_no_local_groups() {
    let world = World::with(settings(true), |_| {}).await;
    let alice = external(&world, "Alice").await.expect("she is in the directory");
    assert_eq!(alice.permissions, ["reports.view"]);
    assert!(alice.local_groups.is_empty() && alice.last_login.is_none());
    assert!(world.server.binds().is_empty(), "nobody's password was tried");
    assert!(world.accounts.sessions(None).await.unwrap().is_empty());
    let signed_in = world.granted("alice", "alice-secret").await.account;
    assert_eq!((signed_in.id, signed_in.local_groups.len()), (alice.id, 2), "it is the same account");
    let again = external(&world, "alice").await.expect("she is in the directory");
    assert_eq!(again.local_groups, signed_in.local_groups, "and local groups stay as they were");
}

#[tokio::test]
async fn nobody_is_believed_to_be_signed_in_elsewhere_where_that_is_not_chosen() {
    let world = World::with(settings(false), |_| {}).await;
    assert_eq!(external(&world, "alice").await, Err("logon_not_allowed"));
    assert_eq!(world.accounts.users().await.unwrap(), []);
}

#[tokio::test]
async fn who_may_not_sign_in_here_may_not_come_from_elsewhere() {
    let world =
        World::with(settings(true), |settings| settings.deny = Some(Rule::Group(group("staff")))).await;
    assert_eq!(external(&world, "alice").await, Err("in_denied_group"));
    assert_eq!(external(&world, "nobody").await, Err("unknown_user"));
    let bob = external(&world, "bob").await.expect("nothing speaks against him");
    world.accounts.set_disabled(bob.id, true, &Origin::default()).await.unwrap();
    assert_eq!(external(&world, "bob").await, Err("account_disabled"));
}
