//! What is known of people between logins, and the one sign-in that every door uses.
//!
//! Page, API, Basic, token endpoint and command line call [`Accounts::sign_in`] and differ only in how they ask and
//! answer. A wrong password is [`Outcome::Denied`]; a directory or store that cannot be asked is
//! [`Outcome::Failed`]: nothing turns the one into the other. Nobody gets a session without a proof that `auth` minted.
//!
//! This room refuses to know HTTP and SQL. It reads neither the system's clock nor its random source: both come in as
//! [`Ambient`]. It stores no password, not even hashed, and of cookies and tokens only their digests; what Basic may
//! remember of a password for some minutes, when told to, is a keyed digest in memory.
//!
//! ```
//! # use std::sync::Arc;
//! # use ldapgate_account as account;
//! use account::{Accounts, MemoryStore, Origin, Outcome, Settings, SignIn};
//!
//! # async fn example(
//! #     directories: ldapgate_account::Directories, ambient: account::Ambient,
//! # ) -> Result<(), account::Error> {
//! let accounts =
//!     Accounts::open(Settings::default(), directories, Arc::new(MemoryStore::new()), ambient).await?;
//! let how = SignIn { session: true, ..SignIn::default() };
//! match accounts.sign_in("alice", "correct horse".to_owned(), &Origin::default(), how).await {
//!     Outcome::Granted(signed_in) => assert_eq!(signed_in.account.username, "alice"),
//!     Outcome::Denied(denied) => eprintln!("{}", denied.message),
//!     Outcome::Failed { message, causes, .. } => eprintln!("{message}: {causes:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: `sign_in` (the table of its steps), `login` (its deadline, its task, its attempt), `change_password`,
//! `look_up` and `external` (people without a password), `naming` and `link` (which account that is), `admission` (what the
//! store and the application say to a person), `attributes` (what is kept of the entry), `event` (what the application hears),
//! `throttle` (why parallel guesses do not slip by), `holdback`, `block` (letting somebody try again), `proofs` (passwords that
//! were proved lately, for Basic), [`store`] (everything that outlives a login, as commands), `relink` (an account whose entry
//! was made anew), `group` (local groups, and what is granted here), `session` and `cache` (why a valid session costs no query), `grant` and `token`, [`document`].

mod accounts;
mod admission;
mod ambient;
mod attributes;
mod audit;
mod block;
mod cache;
mod change_password;
mod count;
pub mod document;
mod error;
mod event;
mod external;
mod follow;
mod grant;
mod group;
mod holdback;
mod hook;
mod link;
mod login;
mod look_up;
mod naming;
mod outcome;
mod permission;
mod person;
mod proofs;
mod ready;
mod relink;
mod repeat;
mod revalidate;
mod rotate;
mod seal;
mod session;
mod settings;
mod sign_in;
pub mod store;
mod throttle;
mod time;
mod token;
mod turns;
mod typed;
mod under_way;

pub use accounts::Accounts;
pub use ambient::{Ambient, Clock, Entropy};
pub use attributes::{AttributeValue, Attributes};
pub use auth::{Denial, Directories, Objection, Observer, Reason, Trace, Unfit, Warning};
pub use block::Blocked;
pub use count::{Checks, Counts, Times};
pub use error::{Error, Fault};
pub use event::{Event, Events, Heard, Task};
pub use grant::{PersonalTokenInfo, SignedTokenInfo};
pub use group::{GrantRefused, Granting, GroupGranting};
pub use hook::{Hook, Profile, Refusal};
pub use naming::{Naming, NotOne};
pub use outcome::{Denied, Lookup, NewSession, Origin, Outcome, PasswordOutcome, SignIn, SignedIn};
pub use permission::{PermissionKey, PermissionKeyError, is_permission};
pub use person::{Account, Group, LocalGroup, UserId, UserIdError};
pub use ready::Ready;
pub use relink::{RelinkRefused, Relinking};
pub use revalidate::{
    Hold, Planned, PlannedChange, RevalidationState, SyncCounts, SyncEvent, SyncOptions, SyncProgress,
    SyncRefused, SyncReport, SyncStep, Watching, last_sync,
};
pub use rotate::{OldKeys, Rotated};
pub use session::{PersonalTokens, Session, SessionInfo};
pub use settings::{
    DirectorySettings, LocalName, LocalNameError, LoginSettings, RemoveMissing, SessionSettings, Settings,
    SyncSettings, Throttle, TokenSettings,
};
pub use store::{MemoryStore, Store, StoreError};
pub use time::Time;
pub use token::{NewPersonal, PERSONAL_PREFIX, Token};
