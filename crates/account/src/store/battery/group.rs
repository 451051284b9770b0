//! Local groups and grants: who may do what, and whose group a name means.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::sentences::{NOW, admitted, event, login};
use crate::store::{
    Admit, Change, ChangeGrants, Changed, Facts, Find, Grantee, GroupQuery, Mirror, Occasion, Remove, Retire,
    Store,
};
use crate::{Account, Group, LocalGroup, UserId};

const STAFF: &str = "cn=staff,dc=example,dc=com";
const CREW: &str = "cn=staff,ou=crew,dc=example,dc=com";

/// Somebody new of a directory, in the groups of these names and places.
fn member(directory: &str, name: &str, groups: &[(&str, &str)]) -> Box<Admit> {
    let admit = *login(name, name, Occasion::LookUp);
    let group = |(name, dn): &(&str, &str)| Group { name: (*name).to_owned(), dn: (*dn).to_owned() };
    let mut groups: Vec<_> = groups.iter().map(group).collect();
    groups.sort();
    let facts = Facts { directory: directory.to_owned(), groups, ..admit.facts };
    Box::new(Admit { facts, mirror: Mirror::All, ..admit })
}

fn group(directory: &str, name: &str, dn: &str) -> Grantee {
    let group = LocalGroup { name: name.to_owned(), dn: dn.to_owned() };
    Grantee::Group { directory: directory.to_owned(), group }
}

async fn change(store: &dyn Store, change: Change, grantee: Grantee, permissions: &[&str]) -> Changed {
    let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    let change = ChangeGrants { grantee, change, permissions, at: NOW, audit: event("changed") };
    store.change_grants(change).await.expect("the store answers")
}

async fn permissions(store: &dyn Store, account: &Account) -> Vec<String> {
    let found = store.account(Find::Id(account.id)).await.expect("the store answers");
    found.expect("the account is there").permissions
}

fn yes(permissions: &[&str]) -> Changed {
    Changed::Yes(permissions.iter().map(|name| (*name).to_owned()).collect())
}

pub(super) async fn grants(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let mut admit = member("main", "alice", &[("staff", STAFF)]);
    admit.facts.permissions = vec!["b".to_owned(), "given".to_owned()];
    let alice = admitted(&*store, admit.clone()).await;
    let own = Grantee::Account(alice.id);
    assert_eq!(change(&*store, Change::Grant, own.clone(), &["b", "a"]).await, yes(&["a", "b"]));
    assert_eq!(change(&*store, Change::Grant, own.clone(), &["a"]).await, yes(&[]), "she has it already");
    assert_eq!(permissions(&*store, &alice).await, ["a", "b", "given"], "each once, wherever it comes from");
    let again = admitted(&*store, admit).await;
    assert_eq!(again.granted, ["a", "b"], "a look-up takes away nothing that was granted here");
    assert_eq!(again.permissions, ["a", "b", "given"]);
    assert_eq!(change(&*store, Change::Revoke, own.clone(), &["b", "c"]).await, yes(&["b"]));
    assert_eq!(
        permissions(&*store, &alice).await,
        ["a", "b", "given"],
        "the directory's groups give it still"
    );
    assert_eq!(
        change(&*store, Change::Revoke, own.clone(), &["given"]).await,
        yes(&[]),
        "that is not granted"
    );
    let nobody = Grantee::Account(UserId::from_random([9; 16]));
    assert_eq!(change(&*store, Change::Grant, nobody, &["a"]).await, Changed::Unknown);

    let retire = Retire {
        user: alice.id,
        directory: "main".to_owned(),
        external_id: "alice".to_owned(),
        mark: "#retired-1".to_owned(),
        audit: event("retired"),
    };
    let newcomer = Admit { retire: Some(retire), ..*login("other", "alice", Occasion::LookUp) };
    let newcomer = admitted(&*store, Box::new(newcomer)).await;
    assert!(newcomer.granted.is_empty() && newcomer.permissions.is_empty(), "a name inherits nothing");
    let remove = Remove { user: alice.id, at: NOW, audit: event("removed") };
    assert!(store.remove(remove).await.expect("the store answers"));
    let anew = admitted(&*store, member("main", "alicia", &[])).await;
    assert!(anew.granted.is_empty());
}

pub(super) async fn mirrored(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, member("main", "alice", &[("staff", STAFF)])).await;
    let bob =
        admitted(&*store, member("main", "bob", &[("staff", CREW), ("crew", "cn=crew,dc=example,dc=com")]))
            .await;
    let eve = admitted(&*store, member("partner", "eve", &[("staff", STAFF)])).await;
    let start = store.changes_since(None).await.expect("the store answers").number;
    assert_eq!(
        change(&*store, Change::Grant, group("main", "staff", STAFF), &["view"]).await,
        yes(&["view"])
    );
    assert_eq!(permissions(&*store, &alice).await, ["view"]);
    assert!(
        permissions(&*store, &bob).await.is_empty(),
        "a namesake elsewhere in the directory is another group"
    );
    assert!(permissions(&*store, &eve).await.is_empty(), "one directory cannot speak for another");
    let seen = store.changes_since(Some(start)).await.expect("the store answers");
    assert_eq!(seen.users, [alice.id], "its members changed, and nobody else");

    let later = admitted(&*store, member("main", "carol", &[("staff", STAFF)])).await;
    assert_eq!(later.permissions, ["view"], "who joins has it");
    let left = admitted(&*store, member("main", "alice", &[])).await;
    assert!(left.local_groups.is_empty() && left.permissions.is_empty(), "who leaves has it no more");
    let groups = store.local_groups(GroupQuery::Named("staff".to_owned())).await.expect("the store answers");
    let told: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group.directory.as_str(),
                group.dn.as_str(),
                group.members.join(" "),
                group.permissions.join(" "),
            )
        })
        .collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            ("main", STAFF, text("carol"), text("view")),
            ("main", CREW, text("bob"), text("")),
            ("partner", STAFF, text("eve"), text(""))
        ]
    );
    let all = store.local_groups(GroupQuery::All).await.expect("the store answers");
    assert_eq!(all.iter().map(|group| group.name.as_str()).collect::<BTreeSet<_>>().len(), 2);

    assert_eq!(
        change(&*store, Change::Revoke, group("main", "nobody", STAFF), &["view"]).await,
        Changed::Unknown
    );
    assert_eq!(
        change(&*store, Change::Revoke, group("main", "staff", STAFF), &["view", "x"]).await,
        yes(&["view"])
    );
    assert!(permissions(&*store, &later).await.is_empty());
    let early = group("main", "writers", "cn=writers,dc=example,dc=com");
    assert_eq!(
        change(&*store, Change::Grant, early, &["write"]).await,
        yes(&["write"]),
        "before anybody is in it"
    );
    let first =
        admitted(&*store, member("main", "alice", &[("writers", "CN=Writers, dc=example, dc=com")])).await;
    assert_eq!(first.permissions, ["write"], "a name is compared by what it means");
}
