//! The login decision: is this the person they say they are, who is that, and may they enter?
//!
//! It keeps nothing of a login (where entries and groups are it may remember for a while, when told to): no store, no
//! sessions, no counters, no HTTP. A wrong password is an answer, an unreachable directory
//! is an error, and nothing turns the one into the other. An identity that was proved cannot be made without a bind.
//!
//! ```
//! use ldapgate_auth::{Credentials, Fold, Reason};
//!
//! let typed = Credentials::parse(" Alice ", "correct horse".to_owned(), Fold::Lower)?;
//! assert_eq!(typed.username.folded(), "alice");
//!
//! // Nothing that a server could take for "no password" gets past this line.
//! let refused = Credentials::parse("alice", String::new(), Fold::Lower).err().expect("an empty password is refused");
//! assert_eq!(refused.reason(), Reason::EmptyPassword);
//! # Ok::<(), ldapgate_auth::Denial>(())
//! ```
//!
//! The steps of a login are types, so that what stands between them (counting attempts) belongs to the caller:
//! [`Credentials`] -> [`Directories::locate`] -> [`Located::prove`] -> [`Proof::person`] -> [`Directories::judge`]. The person
//! that comes of it is a [`Proven`]. Without a password: [`Located::describe`], whose plain [`Person`] no session can be
//! made from. With a new password: [`Located::change_password`] -> [`Changed::prove`], and on as above.
//!
//! Reading order: [`Credentials`] (what was typed), [`Settings`] and the templates (what is asked), `directories` (which one
//! is asked), `locate`, `prove` (the only file that mints a [`Proof`] and a [`Proven`]), `state` (what servers say about accounts), `record` and `person`,
//! `groups`, `presence` (when somebody counts as gone), `refresh` (what becomes of people between logins), `remember` (what is not asked again), [`Rule`], [`Denial`] (the one table of
//! reasons), `change` and [`Objection`] (why a new password is not taken), [`Observer`] (what `--explain` prints), and
//! [`manual`]: the disasters of the field, and what rules each out here.

mod ask;
mod attribute;
mod change;
mod credentials;
mod denial;
mod describe;
mod directories;
mod error;
mod explain;
mod fingerprint;
mod groups;
mod locate;
pub mod manual;
mod objection;
mod person;
mod presence;
mod preset;
mod prove;
mod range;
mod record;
mod refresh;
mod remember;
mod rule;
mod settings;
mod state;
mod survey;
mod template;

pub use change::{Change, Changeable, Changed};
pub use credentials::{Credentials, Fold, MAX_PASSWORD, MAX_USERNAME, Username};
pub use denial::{Denial, Reason, UnknownReason};
pub use directories::{Answer, Clock, Directories, Verdict};
pub use error::{Error, Fault};
pub use explain::{Observer, Silent, Step, Trace};
pub use groups::{CustomKind, GroupLookup};
pub use locate::Located;
pub use objection::{NewPassword, Objection, Unfit};
pub use person::{Group, Person, Warning};
pub use presence::{Holder, Presence};
pub use proto::Password;
pub use prove::{Proof, Proven};
pub use refresh::{Cookies, DnSet, Everybody, Hint, Sight, Sighted, Watch, WatchState};
pub use rule::Rule;
pub use settings::{
    CacheSettings, GroupKind, GroupSearch, GroupSettings, PasswordChange, Settings, SettingsError,
    UserSearch, UserSettings, Vendor,
};
pub use template::{BindNameTemplate, DnTemplate, FilterTemplate, TemplateError, UserTemplate};
