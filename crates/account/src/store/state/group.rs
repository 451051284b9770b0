//! Local groups and grants.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::store::{Change, ChangeGrants, Changed, Grantee, GroupQuery, StoredGroup};
use crate::{Account, LocalGroup, UserId};

/// A local group: the directory's name, and what it is there.
pub(super) type Key = (String, LocalGroup);

impl State {
    /// See [`Store::change_grants`](crate::store::Store::change_grants).
    pub fn change_grants(&mut self, change: ChangeGrants) -> Changed {
        match change.grantee.clone() {
            Grantee::Account(user) => self.change_of_account(user, change),
            Grantee::Group { directory, group } => self.change_of_group((directory, group), change),
        }
    }

    /// See [`Store::local_groups`](crate::store::Store::local_groups).
    #[must_use]
    pub fn local_groups(&self, query: GroupQuery) -> Vec<StoredGroup> {
        let is_asked_for = |group: &LocalGroup| match &query {
            GroupQuery::All => true,
            GroupQuery::Named(name) => group.name == *name,
        };
        let asked = self.groups.iter().filter(|((_, group), _)| is_asked_for(group));
        let stored = asked.map(|(key, permissions)| StoredGroup {
            name: key.1.name.clone(),
            directory: key.0.clone(),
            dn: key.1.dn.clone(),
            members: self
                .members(key)
                .map(|account| account.local_name.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            permissions: permissions.iter().cloned().collect(),
        });
        let mut found: Vec<_> = stored.collect();
        found.sort();
        found
    }

    /// Keeps an account with what it may do in all, and every local group that it is in.
    pub(super) fn keep(&mut self, account: Account) -> Account {
        for group in &account.local_groups {
            self.groups.entry((account.directory.clone(), group.clone())).or_default();
        }
        let by_groups = granted_to_groups(&self.groups, &account);
        let account = account.permitted(by_groups);
        self.accounts.insert(account.id, account.clone());
        account
    }

    fn change_of_account(&mut self, user: UserId, change: ChangeGrants) -> Changed {
        let Some(account) = self.accounts.get(&user).cloned() else { return Changed::Unknown };
        let mut granted: BTreeSet<String> = account.granted.iter().cloned().collect();
        let changed = apply(&mut granted, &change);
        if changed.is_empty() {
            return Changed::Yes(changed);
        }
        self.keep(Account { granted: granted.into_iter().collect(), ..account });
        self.note_change(user, change.at);
        self.write_audit_of(user, change.audit);
        Changed::Yes(changed)
    }

    fn change_of_group(&mut self, key: Key, change: ChangeGrants) -> Changed {
        if change.change == Change::Revoke && !self.groups.contains_key(&key) {
            return Changed::Unknown;
        }
        let changed = apply(self.groups.entry(key.clone()).or_default(), &change);
        if changed.is_empty() {
            return Changed::Yes(changed);
        }
        let members: Vec<Account> = self.members(&key).cloned().collect();
        for member in members {
            let user = member.id;
            self.keep(member);
            self.note_change(user, change.at);
        }
        self.write_audit(change.audit);
        Changed::Yes(changed)
    }

    fn members<'s>(&'s self, (directory, group): &'s Key) -> impl Iterator<Item = &'s Account> {
        let accounts = self.accounts.values().filter(move |account| account.directory == *directory);
        accounts.filter(move |account| account.local_groups.contains(group))
    }
}

/// What an account may do by its local groups, each by the very group of its own directory.
fn granted_to_groups(groups: &BTreeMap<Key, BTreeSet<String>>, account: &Account) -> BTreeSet<String> {
    let own = account.local_groups.iter().filter(|group| !group.dn.is_empty());
    let granted = own.filter_map(|group| groups.get(&(account.directory.clone(), group.clone())));
    granted.flatten().cloned().collect()
}

/// Changes what is granted; answers what was not so before, sorted.
fn apply(granted: &mut BTreeSet<String>, change: &ChangeGrants) -> Vec<String> {
    let mut differs = |permission: &&String| match change.change {
        Change::Grant => granted.insert((*permission).clone()),
        Change::Revoke => granted.remove(*permission),
    };
    change.permissions.iter().filter(|permission| differs(permission)).cloned().collect()
}
