//! Commands about people.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AttemptId, Audit, Digest, StartSession};
use crate::{Account, Attributes, Group, LocalGroup, Time, UserId};

/// Whose account is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Find {
    /// By local id.
    Id(UserId),
    /// By local name, which is unique.
    LocalName(String),
    /// By the directory's name and its stable key.
    External {
        /// The directory's name.
        directory: String,
        /// The directory's key.
        external_id: String,
    },
    /// By the directory's name and its canonical user name. The person seen last, where two bear it.
    Username {
        /// The directory's name.
        directory: String,
        /// The canonical name, folded.
        username: String,
    },
    /// Of the directory's people the one it last told of, but not this one.
    Another {
        /// The directory's name.
        directory: String,
        /// The directory's key of who does not count.
        than: String,
    },
}

/// Which accounts to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountQuery {
    /// Only those whose local name sorts after this one, by bytes.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Who stands at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The directory's name.
    pub directory: String,
    /// The directory's key.
    pub external_id: String,
    /// The local name they would bear.
    pub local_name: String,
}

/// What the store knows of who stands at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linked {
    /// Their account.
    Known(Box<Account>),
    /// Nobody by that id, and the name is free.
    New,
    /// The local name belongs to an account that has another directory or id.
    Taken {
        /// That account.
        by: Box<Account>,
        /// Their own, under another name.
        known: Option<Box<Account>>,
    },
}

/// Takes an account's name away, because the directory says that its person is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retire {
    /// The account.
    pub user: UserId,
    /// The directory that was asked for its person: an account that was linked anew since then is not retired.
    pub directory: String,
    /// The directory's key that was missed.
    pub external_id: String,
    /// Put behind both of its names, which makes them names that nobody else bears.
    pub mark: String,
    /// Written with `user` set to the account's id.
    pub audit: Audit,
}

impl Retire {
    fn means(&self, account: &Account) -> bool {
        account.id == self.user
            && account.directory == self.directory
            && account.external_id == self.external_id
    }

    /// The account's new user name and local name.
    #[must_use]
    pub fn names(&self, account: &Account) -> (String, String) {
        let marked = |name: &str| format!("{name}{}", self.mark);
        (marked(&account.username), marked(&account.local_name))
    }
}

/// What the directory said of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The directory's name.
    pub directory: String,
    /// The directory's key.
    pub external_id: String,
    /// The canonical name, folded.
    pub username: String,
    /// The name in this store.
    pub local_name: String,
    /// Where the entry lies.
    pub dn: String,
    /// The entry's attributes, which always follow.
    pub attributes: Attributes,
    /// Profile fields. Of a known account those that are missing here are cleared, unless the profile is kept.
    pub fields: BTreeMap<String, String>,
    /// Profile lists, likewise.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Flags, which always follow.
    pub flags: BTreeMap<String, bool>,
    /// Groups, which always follow; sorted by name, then DN.
    pub groups: Vec<Group>,
    /// What the directory's groups and the application give, which always follows; sorted, each once.
    pub permissions: Vec<String>,
}

/// Which of the directory's groups have local groups of the same name whose members follow at each login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mirror {
    /// None.
    #[default]
    Off,
    /// Every one.
    All,
    /// Only these names.
    Only(BTreeSet<String>),
    /// All but these names.
    Except(BTreeSet<String>),
}

impl Mirror {
    /// Whether the local group of that name follows the directory.
    #[must_use]
    pub fn manages(&self, name: &str) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Only(names) => names.contains(name),
            Self::Except(names) => !names.contains(name),
        }
    }

    /// The local groups somebody is in afterwards: of those that are managed the directory's, of the others
    /// those they are in already. Sorted, each once. A group whose name is none for a local group is left out.
    #[must_use]
    pub fn local_groups(&self, before: &[LocalGroup], groups: &[Group]) -> Vec<LocalGroup> {
        let kept = before.iter().filter(|group| !self.manages(&group.name)).cloned();
        let mirrored = groups.iter().filter(|group| self.manages(&group.name)).filter_map(LocalGroup::of);
        kept.chain(mirrored).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Why a person's facts arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occasion {
    /// They were looked up without a password: no session, and a disabled account is refreshed all the same.
    LookUp,
    /// Something else authenticated them: no session, and who is disabled is refused.
    External,
    /// They were looked at again: as when they were looked up, and the directory admits them.
    Revalidation {
        /// When the look began. What was seen or taken back since then is newer, and stays.
        looked: Time,
    },
    /// They proved a password.
    Login {
        /// When it began, before any password was sent.
        began: Time,
        /// The session to start, if the door wants one.
        session: Option<StartSession>,
        /// The attempt to give back, if one was reserved.
        attempt: Option<AttemptId>,
    },
}

/// Takes in a person, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The present time.
    pub at: Time,
    /// The id of the account if one is created.
    pub new_id: UserId,
    /// What the directory said.
    pub facts: Facts,
    /// Leaves fields and lists of a known account as they are.
    pub keep_profile: bool,
    /// Makes an account for somebody who is not known.
    pub create: bool,
    /// Local groups that follow.
    pub mirror: Mirror,
    /// Why they arrive.
    pub occasion: Occasion,
    /// Who gives up the local name, if it is still theirs.
    pub retire: Option<Retire>,
    /// Written with `user` set to the account's id, if the person is taken in.
    pub audit: Audit,
}

impl Admit {
    /// What comes of it, from the account of this id and the account of this local name. Stores keep accounts and
    /// leave the decision to this method; what the account's local groups are granted they add themselves.
    ///
    /// # Errors
    ///
    /// The answer for somebody who is not taken in.
    pub fn decide(&self, known: Option<Account>, named: Option<Account>) -> Result<Admission, Admitted> {
        let login = matches!(self.occasion, Occasion::Login { .. });
        let enters = matches!(self.occasion, Occasion::External | Occasion::Login { .. });
        let admitted = !matches!(self.occasion, Occasion::LookUp);
        let other = named.filter(|named| Some(named.id) != known.as_ref().map(|known| known.id));
        let gives_way = |other: &Account| self.retire.as_ref().is_some_and(|retire| retire.means(other));
        match &known {
            _ if other.as_ref().is_some_and(|other| !gives_way(other)) => return Err(Admitted::Taken),
            Some(known) if known.disabled && enters => return Err(Admitted::Disabled),
            Some(known) if self.is_overtaken(known) => return Err(Admitted::Overtaken),
            None if !self.create => return Err(Admitted::Unknown),
            _ => {}
        }
        let created = known.is_none();
        let before = known.unwrap_or_else(|| stranger(self.new_id, self.at));
        // Tokens that say a name and no id must not follow it into other hands.
        let renamed = other.is_some() || !created && before.local_name != self.facts.local_name;
        let (generation, generation_at) = match renamed {
            true => (before.generation + 1, before.generation_at.max(Some(self.at))),
            false => (before.generation, before.generation_at),
        };
        let local_groups = self.mirror.local_groups(&before.local_groups, &self.facts.groups);
        let last_login = if login { Some(self.at) } else { before.last_login };
        let keep_profile = self.keep_profile && !created;
        let account = Account {
            local_groups,
            last_login,
            checked: self.checked(),
            generation,
            generation_at,
            out: before.out.clone().filter(|_| !admitted),
            ..merge(before, &self.facts, keep_profile)
        };
        Ok(Admission { account, created, retired: other.map(|other| other.id) })
    }

    /// When the directory told of the person: a look is as old as its beginning.
    fn checked(&self) -> Time {
        match self.occasion {
            Occasion::Revalidation { looked } => looked,
            _ => self.at,
        }
    }

    /// Whether everything the account was given has been taken back since the login began: the password that it proved may
    /// be what that was done for. What lies ahead was written before the clock was set back, and is over; and whoever was
    /// given another's name with their first login had nothing yet to be taken back.
    fn is_overtaken(&self, known: &Account) -> bool {
        let began = match self.occasion {
            Occasion::Login { began, .. } => began,
            Occasion::Revalidation { looked } => {
                return known.checked > looked || known.generation_at > Some(looked);
            }
            Occasion::LookUp | Occasion::External => return false,
        };
        let taken_back = known.generation_at.filter(|moved| *moved != known.first_seen);
        taken_back.is_some_and(|moved| (began..=self.at).contains(&moved))
    }
}

/// An account of which nothing is known but when it was made.
fn stranger(id: UserId, at: Time) -> Account {
    Account {
        id,
        directory: String::new(),
        external_id: String::new(),
        username: String::new(),
        local_name: String::new(),
        dn: String::new(),
        attributes: Attributes::default(),
        fields: BTreeMap::new(),
        lists: BTreeMap::new(),
        flags: BTreeMap::new(),
        groups: Vec::new(),
        local_groups: Vec::new(),
        given: Vec::new(),
        granted: Vec::new(),
        permissions: Vec::new(),
        disabled: false,
        out: None,
        generation: 0,
        generation_at: None,
        first_seen: at,
        last_login: None,
        checked: at,
    }
}

/// The account with what the directory said of it.
fn merge(before: Account, facts: &Facts, keep_profile: bool) -> Account {
    let Facts {
        directory,
        external_id,
        username,
        local_name,
        dn,
        attributes,
        fields,
        lists,
        flags,
        groups,
        permissions,
    } = facts.clone();
    let (fields, lists) = if keep_profile { (before.fields, before.lists) } else { (fields, lists) };
    Account {
        directory,
        external_id,
        username,
        local_name,
        dn,
        attributes,
        fields,
        lists,
        flags,
        groups,
        given: permissions,
        ..before
    }
}

/// What came of [`Admit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admitted {
    /// The account as it is now.
    Yes(Box<Admission>),
    /// The account is disabled; nothing was written. Not for look-ups.
    Disabled,
    /// Everything the account was given was taken back while the login was under way; nothing was written. Not for
    /// look-ups.
    Overtaken,
    /// There is no account and none was to be made; nothing was written.
    Unknown,
    /// The local name belongs to somebody else; nothing was written.
    Taken,
}

/// A person taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The account as it is now.
    pub account: Account,
    /// It was made just now.
    pub created: bool,
    /// The account that gave up the name for it.
    pub retired: Option<UserId>,
}

/// Gives an account another of the directory's keys: its person's entry was made anew. That is a change of hands, so
/// everything that was given out ends: sessions, signed tokens, personal tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relink {
    /// Whose.
    pub user: UserId,
    /// The key it has now: one that is linked otherwise meanwhile stays.
    pub from: String,
    /// The key it gets.
    pub to: String,
    /// The present time.
    pub at: Time,
    /// Written if it was done.
    pub audit: Audit,
}

/// What came of [`Relink`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relinked {
    /// Done.
    Yes,
    /// There is no such account with that key; nothing was written.
    Unknown,
    /// The key belongs to this account already; nothing was written.
    Taken(Box<Account>),
}

/// Drops an account with everything that is its own; the audit record stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Whose.
    pub user: UserId,
    /// The present time.
    pub at: Time,
    /// Written if the account was there.
    pub audit: Audit,
}

/// Shuts an account out or lets it in again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDisabled {
    /// Whose.
    pub user: UserId,
    /// Shut out.
    pub disabled: bool,
    /// The present time.
    pub at: Time,
    /// Written if the account is there.
    pub audit: Audit,
}

/// Takes back what was given to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// Whose.
    pub user: UserId,
    /// The one session that stays.
    pub keep: Option<Digest>,
    /// Personal tokens too.
    pub personal_tokens: bool,
    /// The present time.
    pub at: Time,
    /// Written if the account is there.
    pub audit: Audit,
}
