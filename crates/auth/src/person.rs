//! Who somebody is, as the directory says it: facts alone.

use std::collections::{BTreeMap, BTreeSet};

use proto::Dn;

use crate::groups::Membership;
use crate::record::{Attributes, Identity, Record};
use crate::{Denial, Rule, Settings};

/// A person of one directory: facts that prove nothing. Who proved a password is a [`Proven`](crate::Proven). Whether they
/// may enter is [`Directories::judge`](crate::Directories::judge)'s to say.
#[derive(Debug, Clone)]
pub struct Person {
    directory: String,
    identity: Identity,
    dn: Dn,
    fields: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    flags: BTreeMap<String, bool>,
    groups: Vec<Group>,
    memberships: BTreeSet<Dn>,
    groups_complete: bool,
    warnings: Vec<Warning>,
    hindrance: Option<Denial>,
    attributes: Attributes,
}

/// A group that is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The first value of `groups.name_attribute`.
    pub name: String,
    /// Its name in the directory, as the directory wrote it.
    pub dn: Dn,
}

/// What the person should be told although they may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The password expires soon.
    PasswordExpires {
        /// In this many seconds.
        seconds: u64,
    },
    /// The password has expired; the server lets it pass a few times more.
    GraceLogins {
        /// This many.
        remaining: u32,
    },
}

impl Person {
    pub(crate) fn new(settings: &Settings, facts: Facts) -> Person {
        let Facts { record, identity, membership, warnings, hindrance } = facts;
        let holds = |rule: &Rule| rule.holds(&|group| membership.all.contains(group));
        Person {
            directory: settings.name.clone(),
            identity,
            fields: record.fields(settings),
            lists: record.lists(settings),
            flags: settings.flags.iter().map(|(flag, rule)| (flag.clone(), holds(rule))).collect(),
            groups: membership.shown,
            memberships: membership.all,
            groups_complete: membership.complete,
            warnings,
            hindrance,
            dn: record.dn,
            attributes: record.attributes,
        }
    }

    /// The name of the directory.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The stable key within the directory.
    pub fn id(&self) -> &str {
        &self.identity.id
    }

    /// The directory's own value, folded.
    pub fn username(&self) -> &str {
        &self.identity.username
    }

    /// The entry's name, as the directory wrote it.
    pub fn dn(&self) -> &str {
        self.dn.as_str()
    }

    /// Whole: a configured field that is not here has no value in the directory and is to be cleared.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Whole, as [`Person::fields`]; a list without values is empty.
    pub fn lists(&self) -> &BTreeMap<String, Vec<String>> {
        &self.lists
    }

    /// Every configured flag.
    pub fn flags(&self) -> &BTreeMap<String, bool> {
        &self.flags
    }

    /// The groups that are shown, by name.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Every group that is known to have this member, shown or not; all lie under the directory's base.
    pub fn memberships(&self) -> impl Iterator<Item = &Dn> {
        self.memberships.iter()
    }

    /// Is the person in this group? Known for groups that are shown, named by a rule, or in
    /// [`Settings::named`](crate::Settings::named).
    pub fn is_in(&self, group: &Dn) -> bool {
        self.memberships.contains(group)
    }

    /// False when the server cut the list of groups short: nothing may be taken away on its word.
    pub fn groups_complete(&self) -> bool {
        self.groups_complete
    }

    /// What to tell the person.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Of somebody looked up without a password: what a login would fail for although the person is not out, a lock or the
    /// password's age. It is no refusal: who was signed in otherwise may go on.
    pub fn hindrance(&self) -> Option<&Denial> {
        self.hindrance.as_ref()
    }

    /// Everything that was read, by the names the server wrote. Secrets were dropped on the way in.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.attributes.iter()
    }
}

/// What is known when a person is put together.
pub(crate) struct Facts {
    pub(crate) record: Record,
    pub(crate) identity: Identity,
    pub(crate) membership: Membership,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) hindrance: Option<Denial>,
}
