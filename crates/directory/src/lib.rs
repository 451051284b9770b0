//! An LDAP server that holds its entries in memory, for tests, demonstrations and `ldapgate directory FILE.ldif`.
//!
//! It speaks enough of RFC 4511 for `ldapsearch`, `ldapmodify`, python-ldap and every LDAP client library: bind, search,
//! compare, add, modify, delete, modify DN, who-am-I, password modify, StartTLS and ldaps; of the controls paged results, password
//! policy, assertion, pre- and post-read, sort, subentries, tree delete, permissive modify, ManageDsaIT and don't use copy.
//!
//! What it refuses to do:
//! - listen beyond loopback unless that is asked for by name ([`Directory::danger_listen_anywhere`]);
//! - hand out, compare or filter by passwords; there is no built-in administrator, only the people of the data;
//! - accept a name without a password (RFC 4513 section 5.1.2), or a write from somebody who did not bind;
//! - keep anything: what is written is gone when the process ends.
//!
//! ```
//! use std::{sync::Arc, time::SystemTime};
//! use ldapgate_directory::{DEMO, Directory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: ldapgate_directory::Clock = Arc::new(|| SystemTime::UNIX_EPOCH);
//! let directory = Directory::builder(clock).ldif(DEMO)?.build();
//! let running = directory.serve(Directory::listen("127.0.0.1:0".parse()?).await?).await;
//! assert!(running.url().starts_with("ldap://127.0.0.1:"));
//! running.stop().await;
//! # Ok(()) }
//! ```
//!
//! Who may do what: anonymous reads; whoever binds as an entry of the data reads and writes, unless the directory is
//! [read-only](Builder::read_only). Nobody sees `userPassword` and its kin. The account state an LDIF file gives a person
//! (`pwdAccountLockedTime`, `pwdReset`, `nsAccountLock`, `shadowExpire`, `userAccountControl`, `accountExpires`,
//! `pwdLastSet`, `lockoutTime`) is told after a right password only.
//!
//! There is no schema to violate: any attribute may stand in any entry. Known are the usual names, aliases and OIDs, which
//! attributes are operational, single-valued or read-only, and the superclasses of the usual object classes.
//!
//! Reading order: [`Builder`] and [`Directory`], [`Faults`], [`Counters`]; inside, `tree/` (entries and indices),
//! `operation/` (one file an operation, no waiting), `serve/` (sockets).

mod account_state;
mod builder;
mod demo;
mod directory;
mod error;
mod fault;
mod journal;
mod operation;
mod password;
mod schema;
mod serve;
mod time;
mod tree;

pub use builder::{Builder, Clock, Dialect, Limits, PasswordRules};
pub use demo::{DEMO, DemoPerson, demo_people};
pub use directory::Directory;
pub use error::{ListenError, LoadError};
pub use fault::{Fault, Faults};
pub use journal::{Counters, Kind, Operation};
pub use serve::Running;
