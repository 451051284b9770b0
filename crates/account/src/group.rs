//! Local groups, and what people and groups are granted here.
//!
//! A local group follows one group of one directory, and what it is granted counts for the members of that very group. A
//! name that an operator types is looked up in every directory: one that several groups have means none of them, and a
//! directory that does not answer leaves it open what the name means.

use std::collections::BTreeSet;

use proto::Dn;

use crate::accounts::{Accounts, Current};
use crate::audit::shortened;
use crate::permission::is_permission;
use crate::store::{Audit, Change, ChangeGrants, Changed, Grantee, GroupQuery, StoredGroup};
use crate::{Account, Error, Group, LocalGroup, Origin, PermissionKey, PermissionKeyError};

/// What granting or taking back came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granting {
    /// What was really granted or taken back; sorted.
    pub changed: Vec<String>,
    /// What had been granted before, or was not there to be taken back; sorted.
    pub unchanged: Vec<String>,
}

/// What granting to a local group, or taking back from it, came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupGranting {
    /// The name of the directory whose group it is.
    pub directory: String,
    /// The group.
    pub group: LocalGroup,
    /// Its local group follows the directory: else it gets no members.
    pub is_mirrored: bool,
    /// What came of it.
    pub granting: Granting,
}

/// Why nothing is granted or taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantRefused {
    /// The text is none.
    #[error("{0:?} is no permission: it is a word of at most 128 bytes, such as \"reports.view\"")]
    Permission(String),
    /// What should name a group does not.
    #[error(transparent)]
    Key(#[from] PermissionKeyError),
    /// No group is called so, or lies there, where groups are searched for.
    #[error("no group {0:?} is found where groups are searched for")]
    NoGroup(String),
    /// Several are called so.
    #[error("{name:?} is the name of several groups, so it means none of them: there is {}", .groups.join(" and "))]
    Several {
        /// The name.
        name: String,
        /// The groups, each as it can be named.
        groups: Vec<String>,
    },
    /// Its name is none for a local group.
    #[error("{0:?} is no name for a local group: it is too long, or holds control characters")]
    Unfit(String),
    /// There is nothing to be taken back.
    #[error("none of this is granted to {0:?} here")]
    Nothing(String),
    /// The account is not there any more.
    #[error("the store has no account {0:?}")]
    NoAccount(String),
}

/// A group of a directory, whether or not it is mirrored.
struct Target {
    directory: String,
    group: LocalGroup,
}

impl Accounts {
    /// Every local group, sorted by name: those that were mirrored once, and those that something is granted to.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn local_groups(&self) -> Result<Vec<StoredGroup>, Error> {
        Ok(self.0.store.local_groups(GroupQuery::All).await?)
    }

    /// Grants permissions to a local group: by its name, its DN, or a directory's name, a colon and the DN. Directories are
    /// asked which group that is, unless a group of that name, and only one, has been granted something before.
    ///
    /// # Errors
    ///
    /// When the store or a directory that must be asked does not answer: nothing changed.
    pub async fn grant_group(
        &self,
        group: &str,
        permissions: &[String],
        origin: &Origin,
    ) -> Result<Result<GroupGranting, GrantRefused>, Error> {
        let wanted = match wanted(permissions) {
            Ok(wanted) => wanted,
            Err(refused) => return Ok(Err(refused)),
        };
        match self.group_meant(group.trim()).await? {
            Ok(target) => self.change_group(Change::Grant, target, wanted, origin).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Takes permissions back from a local group, which is named as in [`Accounts::grant_group`]. No directory is asked.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn revoke_group(
        &self,
        group: &str,
        permissions: &[String],
        origin: &Origin,
    ) -> Result<Result<GroupGranting, GrantRefused>, Error> {
        let name = group.trim();
        let key = self.key(name);
        let is_named = |stored: &StoredGroup| {
            stored.name == name
                || written(&stored.directory, &stored.dn) == name
                || key.as_ref().is_ok_and(|key| is_at(stored, key))
        };
        let has_any = |stored: &StoredGroup| permissions.iter().any(|name| stored.permissions.contains(name));
        let all = self.0.store.local_groups(GroupQuery::All).await?;
        let found: Vec<_> = all.into_iter().filter(|stored| is_named(stored) && has_any(stored)).collect();
        match <[StoredGroup; 1]>::try_from(found) {
            Ok([stored]) => {
                let wanted = permissions.iter().cloned().collect();
                self.change_group(Change::Revoke, stored.into(), wanted, origin).await
            }
            Err(none) if none.is_empty() => Ok(Err(GrantRefused::Nothing(name.to_owned()))),
            Err(several) => Ok(Err(ambiguous(name, several.into_iter().map(Target::from)))),
        }
    }

    /// Grants permissions to one account, whatever its groups give.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn grant(
        &self,
        account: &Account,
        permissions: &[String],
        origin: &Origin,
    ) -> Result<Result<Granting, GrantRefused>, Error> {
        match wanted(permissions) {
            Ok(wanted) => self.change_account(Change::Grant, account, wanted, origin).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Takes back what was granted to one account. What its groups give stays.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn revoke_grant(
        &self,
        account: &Account,
        permissions: &[String],
        origin: &Origin,
    ) -> Result<Result<Granting, GrantRefused>, Error> {
        let wanted = permissions.iter().cloned().collect();
        self.change_account(Change::Revoke, account, wanted, origin).await
    }

    async fn change_account(
        &self,
        change: Change,
        account: &Account,
        permissions: BTreeSet<String>,
        origin: &Origin,
    ) -> Result<Result<Granting, GrantRefused>, Error> {
        let event = match change {
            Change::Grant => "permission_granted",
            Change::Revoke => "permission_revoked",
        };
        let audit = Audit {
            username: Some(shortened(&account.username)),
            directory: Some(account.directory.clone()),
            detail: Some(listed(&permissions)),
            ..self.audit(event, origin)
        };
        let changed = self.change(change, Grantee::Account(account.id), permissions.clone(), audit).await?;
        self.forget(Some(account.id));
        Ok(match changed {
            Changed::Unknown => Err(GrantRefused::NoAccount(account.local_name.clone())),
            Changed::Yes(changed) => granting(change, &account.local_name, &permissions, changed),
        })
    }

    async fn change_group(
        &self,
        change: Change,
        target: Target,
        permissions: BTreeSet<String>,
        origin: &Origin,
    ) -> Result<Result<GroupGranting, GrantRefused>, Error> {
        let event = match change {
            Change::Grant => "group_granted",
            Change::Revoke => "group_revoked",
        };
        let Target { directory, group } = target;
        let detail = format!("{}: {}", written(&directory, &group.dn), listed(&permissions));
        let audit =
            Audit { directory: Some(directory.clone()), detail: Some(detail), ..self.audit(event, origin) };
        let grantee = Grantee::Group { directory: directory.clone(), group: group.clone() };
        let changed = self.change(change, grantee, permissions.clone(), audit).await?;
        self.forget(None);
        let granting = match changed {
            Changed::Unknown => Err(GrantRefused::Nothing(group.name.clone())),
            Changed::Yes(changed) => granting(change, &group.name, &permissions, changed),
        };
        let is_mirrored = self.current().directory(&directory).mirror.manages(&group.name);
        Ok(granting.map(|granting| GroupGranting { directory, group, is_mirrored, granting }))
    }

    async fn change(
        &self,
        change: Change,
        grantee: Grantee,
        permissions: BTreeSet<String>,
        audit: Audit,
    ) -> Result<Changed, Error> {
        let change = ChangeGrants { grantee, change, permissions, at: self.0.ambient.now(), audit };
        Ok(self.0.store.change_grants(change).await?)
    }

    /// The one group that is meant, if there is one.
    async fn group_meant(&self, text: &str) -> Result<Result<Target, GrantRefused>, Error> {
        let current = self.current();
        let configured = current.directories.names();
        let is_known =
            |stored: &StoredGroup| !stored.permissions.is_empty() && configured.contains(&stored.directory);
        let named = self.0.store.local_groups(GroupQuery::Named(text.to_owned())).await?;
        let known: Vec<_> = named.into_iter().filter(is_known).collect();
        match <[StoredGroup; 1]>::try_from(known) {
            Ok([stored]) => return Ok(Ok(stored.into())),
            Err(none) if none.is_empty() => {}
            Err(several) => return Ok(Err(ambiguous(text, several.into_iter().map(Target::from)))),
        }
        let key = match self.key(text) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error.into())),
        };
        if let PermissionKey::Group { .. } = &key {
            let all = self.0.store.local_groups(GroupQuery::All).await?;
            if let Some(stored) = all.into_iter().find(|stored| is_known(stored) && is_at(stored, &key)) {
                return Ok(Ok(stored.into()));
            }
        }
        ask_directories(&current, text, key).await
    }

    fn key(&self, text: &str) -> Result<PermissionKey, PermissionKeyError> {
        let bases = self.current().directories.bases();
        let bases: Vec<(&str, &Dn)> = bases.iter().map(|(name, base)| (name.as_str(), base)).collect();
        PermissionKey::parse(text, &bases)
    }
}

impl From<StoredGroup> for Target {
    fn from(stored: StoredGroup) -> Self {
        let StoredGroup { name, directory, dn, .. } = stored;
        Self { directory, group: LocalGroup { name, dn } }
    }
}

/// Every directory says which groups of its own are called so: a namesake in the last one makes a name say nothing.
async fn ask_directories(
    current: &Current,
    text: &str,
    key: PermissionKey,
) -> Result<Result<Target, GrantRefused>, Error> {
    let directories = &current.directories;
    let found = match key {
        PermissionKey::Group { directory, dn } => vec![(directory, dn)],
        PermissionKey::Name(name) => {
            let mut found = Vec::new();
            for directory in directories.names() {
                let groups = directories.groups_named(&directory, &name).await?;
                found.extend(groups.into_iter().map(|dn| (directory.clone(), dn)));
            }
            found
        }
    };
    let nothing = || GrantRefused::NoGroup(text.to_owned());
    let (directory, dn) = match <[(String, Dn); 1]>::try_from(found) {
        Ok([found]) => found,
        Err(none) if none.is_empty() => return Ok(Err(nothing())),
        Err(several) => {
            let groups = several.iter().map(|(directory, dn)| written(directory, dn.as_str())).collect();
            return Ok(Err(GrantRefused::Several { name: text.to_owned(), groups }));
        }
    };
    let Some(group) = directories.group_at(&directory, &dn).await? else { return Ok(Err(nothing())) };
    let group = Group { name: group.name, dn: group.dn.as_str().to_owned() };
    let local = LocalGroup::of(&group).ok_or(GrantRefused::Unfit(group.name));
    Ok(local.map(|group| Target { directory, group }))
}

fn ambiguous(name: &str, targets: impl Iterator<Item = Target>) -> GrantRefused {
    let groups = targets.map(|target| written(&target.directory, &target.group.dn)).collect();
    GrantRefused::Several { name: name.to_owned(), groups }
}

/// A group as it can be named whatever else there is.
fn written(directory: &str, dn: &str) -> String {
    format!("{directory}:{dn}")
}

fn is_at(stored: &StoredGroup, key: &PermissionKey) -> bool {
    match key {
        PermissionKey::Group { directory, dn } => {
            stored.directory == *directory && stored.dn == dn.normalized()
        }
        PermissionKey::Name(_) => false,
    }
}

/// What is to be granted, each once.
fn wanted(permissions: &[String]) -> Result<BTreeSet<String>, GrantRefused> {
    match permissions.iter().find(|name| !is_permission(name)) {
        Some(name) => Err(GrantRefused::Permission(name.clone())),
        None => Ok(permissions.iter().cloned().collect()),
    }
}

/// Taking back what nobody has is a mistake; granting twice is not.
fn granting(
    change: Change,
    who: &str,
    asked: &BTreeSet<String>,
    changed: Vec<String>,
) -> Result<Granting, GrantRefused> {
    if change == Change::Revoke && changed.is_empty() {
        return Err(GrantRefused::Nothing(who.to_owned()));
    }
    let unchanged = asked.iter().filter(|name| !changed.contains(name)).cloned().collect();
    Ok(Granting { changed, unchanged })
}

fn listed(permissions: &BTreeSet<String>) -> String {
    permissions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
