//! People whom something else has authenticated.

use std::pin::Pin;
use std::sync::Arc;

use auth::Rule;
use ldapgate_account::{Account, Event, Heard, Hook, Lookup, Origin, Profile, Refusal, Settings};

use crate::world::{PEOPLE, Server, World, directories, generous, group};

fn settings(for_external_users: bool) -> Settings {
    let mut settings = generous();
    settings.directories.get_mut("main").unwrap().for_external_users = for_external_users;
    settings
}

async fn external(world: &World, name: &str) -> Result<Account, &'static str> {
    match world.accounts.external(name, &Origin::default()).await.unwrap() {
        Lookup::Found { account, .. } => Ok(*account),
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
    world.accounts.disable(bob.id, &Origin::default()).await.unwrap();
    assert_eq!(external(&world, "bob").await, Err("account_disabled"));
}

/// Somebody whom the directory has locked, somebody who must change the password, and somebody whose account has ended.
const STATES: &str = "\ndn: uid=lee,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: lee\ncn: L\nsn: L\n\
    pwdAccountLockedTime: 000001010000Z\nuserPassword: lee-secret\n\n\
    dn: uid=max,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: max\ncn: M\nsn: M\n\
    pwdReset: TRUE\nuserPassword: max-secret\n\n\
    dn: uid=eva,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: eva\ncn: E\nsn: E\n\
    pwdEndTime: 20200101000000Z\nuserPassword: eva-secret\n";

#[tokio::test]
async fn a_lock_or_an_old_password_shuts_out_nobody_who_was_signed_in_elsewhere() {
    let server = Server::start(&format!("{PEOPLE}{STATES}")).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    let world = World::over(server, directories, settings(true)).await;
    for (name, hindrance) in [("lee", "account_locked"), ("max", "password_must_change")] {
        match world.accounts.external(name, &Origin::default()).await.unwrap() {
            Lookup::Found { account, hindrance: Some(denial) } => {
                assert_eq!((account.username.as_str(), denial.reason().as_str()), (name, hindrance));
            }
            other => panic!("not found, or nothing said of the state: {other:?}"),
        }
    }
    assert_eq!(external(&world, "eva").await, Err("account_expired"), "who has ended is out");
}

/// Shuts the account out while the application is asked about it.
struct ShutsOut(ldapgate_account::Accounts);

impl Hook for ShutsOut {
    fn admit<'a>(
        &'a self,
        _profile: &'a mut Profile,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>> {
        Box::pin(async move {
            let users = self.0.users().await?;
            assert!(self.0.disable(users[0].id, &Origin::default()).await?);
            Ok(())
        })
    }
}

#[tokio::test]
async fn who_is_shut_out_meanwhile_is_not_called_out_as_saved() {
    let world = World::with(settings(true), |_| {}).await;
    external(&world, "alice").await.expect("she is in the directory");
    world.accounts.add_hook(Arc::new(ShutsOut(world.accounts.clone())));
    let mut events = world.accounts.events();
    assert_eq!(external(&world, "alice").await, Err("account_disabled"));
    match events.next().await {
        Some(Heard::Event(event)) => assert!(matches!(&*event, Event::Denied { .. }), "{event:?}"),
        other => panic!("nothing was called out: {other:?}"),
    }
}
