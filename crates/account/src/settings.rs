//! What an operator chooses about sign-in, sessions, tokens and permissions. Plain values: the facade fills them
//! from the configuration, and their defaults are the contract's.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::permission::PermissionKey;
use crate::store::{Mirror, SecretBytes};

/// Everything this room is told.
#[derive(Debug)]
pub struct Settings {
    /// How a login goes.
    pub login: LoginSettings,
    /// How long [`Accounts::check_password`](crate::Accounts::check_password) takes a password for proved, counted from when
    /// the directory was asked; zero, the default, is not at all.
    pub remember_credentials: Duration,
    /// One entry a directory, by its name; a directory without one has the defaults.
    pub directories: BTreeMap<String, DirectorySettings>,
    /// What groups may do.
    pub permissions: BTreeMap<PermissionKey, Vec<String>>,
    /// How long sessions last.
    pub session: SessionSettings,
    /// How the store keeps in line with the directories.
    pub sync: SyncSettings,
    /// What this process is called where several share one store; for people.
    pub replica: String,
    /// Tokens that applications check.
    pub token: TokenSettings,
    /// How long audit records are kept.
    pub audit_keep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login: LoginSettings::default(),
            remember_credentials: Duration::ZERO,
            directories: BTreeMap::new(),
            permissions: BTreeMap::new(),
            session: SessionSettings::default(),
            sync: SyncSettings::default(),
            replica: "a replica".to_owned(),
            token: TokenSettings::default(),
            audit_keep: Duration::from_secs(365 * 24 * 3600),
        }
    }
}

/// `[login]`.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// How long the whole decision may take.
    pub deadline: Duration,
    /// How many wrong passwords are borne.
    pub throttle: Throttle,
    /// Tells who proved the password that it expired or must change, or that the account is disabled or expired.
    pub show_account_state: bool,
    /// What becomes of capitals in user names.
    pub fold: auth::Fold,
}

impl Default for LoginSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(20),
            throttle: Throttle::default(),
            show_account_state: true,
            fold: auth::Fold::Lower,
        }
    }
}

/// `login.throttle`: so many wrong passwords, then none is tried until the window has passed since the last.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// For one person; 0 is off.
    pub person: u32,
    /// For one address, IPv6 by /64; 0 is off.
    pub address: u32,
    /// How long a count lasts after the last wrong password.
    pub window: Duration,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { person: 4, address: 60, window: Duration::from_secs(30 * 60) }
    }
}

/// What is particular to one directory: `[directory.profile]` and `[directory.permissions]`.
#[derive(Clone, Debug)]
pub struct DirectorySettings {
    /// Fields and lists follow at each login; else they are filled when the person is first seen.
    pub update_on_login: bool,
    /// People who are not in the store may enter.
    pub create_users: bool,
    /// The name in the store.
    pub local_name: LocalName,
    /// A group gives the permissions of `[permissions]`.
    pub from_groups: bool,
    /// Local groups that follow the directory's.
    pub mirror: Mirror,
    /// People whom something else has authenticated have permissions too: see [`Accounts::external`](crate::Accounts::external).
    pub for_external_users: bool,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            update_on_login: true,
            create_users: true,
            local_name: LocalName::default(),
            from_groups: false,
            mirror: Mirror::Off,
            for_external_users: false,
        }
    }
}

/// `profile.local_name`: text around the one placeholder `{username}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalName {
    before: String,
    after: String,
}

/// The template of local names is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a local name holds {{username}} exactly once and no other placeholder: {0:?}")]
pub struct LocalNameError(String);

impl LocalName {
    /// Reads a template such as `{username}@partner`.
    ///
    /// # Errors
    ///
    /// When `{username}` is missing or there twice, or another brace is.
    pub fn parse(text: &str) -> Result<Self, LocalNameError> {
        let (before, after) = text.split_once("{username}").ok_or_else(|| LocalNameError(text.to_owned()))?;
        if before.contains(['{', '}']) || after.contains(['{', '}']) {
            return Err(LocalNameError(text.to_owned()));
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The local name of a person.
    #[must_use]
    pub fn of(&self, username: &str) -> String {
        format!("{}{username}{}", self.before, self.after)
    }
}

/// `[session]`.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// Ends a session that was not used for so long.
    pub idle: Duration,
    /// Ends a session so long after the login, whatever happens.
    pub absolute: Duration,
    /// Lets a visitor who asks for it stay signed in so long instead; `None`: not offered.
    pub remember_me: Option<Duration>,
    /// Asks the directory again so often about who is signed in.
    pub refresh: Duration,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 3600),
            remember_me: None,
            refresh: Duration::from_secs(5 * 60),
        }
    }
}

/// `[sync]`.
#[derive(Clone, Copy, Debug)]
pub struct SyncSettings {
    /// Brings the store in line with the directories so often; `None`: only when it is asked for.
    pub every: Option<Duration>,
    /// What becomes of accounts whose people are gone.
    pub remove_missing: RemoveMissing,
    /// So many per cent of the people may lose access at once, one always may.
    pub max_change: u8,
    /// Hears of changes as they happen.
    pub watch: bool,
}

/// `sync.remove_missing`: what a sync does to accounts whose people are gone from the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemoveMissing {
    /// They stay and may not act.
    Disable,
    /// They are dropped, with everything that was granted to them here.
    Remove,
    /// Nothing: a refresh ends their sessions.
    Keep,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { every: None, remove_missing: RemoveMissing::Disable, max_change: 10, watch: false }
    }
}

/// `[token]`.
#[derive(Debug)]
pub struct TokenSettings {
    /// How long a token lasts when its asker does not say.
    pub lifetime: Duration,
    /// No token lasts longer, whatever its asker says.
    pub max_lifetime: Duration,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// Issues flask-ldap-auth's HS512 tokens, and reads both kinds.
    pub legacy: bool,
    /// The Ed25519 signing key in PKCS#8, PEM or DER; `None`: one is made and kept in the store.
    pub key: Option<SecretBytes>,
    /// The bytes of flask-ldap-auth's `SECRET_KEY`; required with `legacy`.
    pub secret: Option<SecretBytes>,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(3600),
            max_lifetime: Duration::from_secs(24 * 3600),
            issuer: String::new(),
            audience: String::new(),
            legacy: false,
            key: None,
            secret: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_name_replaces_its_placeholder_once() {
        let name = LocalName::parse("{username}@partner").unwrap();
        assert_eq!(name.of("{username}"), "{username}@partner");
        assert_eq!(LocalName::default().of("alice"), "alice");
    }

    #[test]
    fn a_local_name_without_the_name_or_with_something_else_is_refused() {
        for text in ["", "partner", "{username}{username}", "{username}{domain}", "{username"] {
            assert!(LocalName::parse(text).is_err(), "{text}");
        }
    }
}
