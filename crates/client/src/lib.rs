//! An asynchronous LDAP client: verified TLS, a deadline for everything, and a pool that a login can rely on.
//!
//! It refuses to send a password in clear text over a network, an empty one at all, and anything after a StartTLS that
//! failed; to lend a connection that carried a person's bind for look-ups; to send a person's bind a second time; and
//! to follow a referral unasked, or with credentials.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//!
//! use ldapgate_client::{Filter, Options, Pool, ReadEntry, Search};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Person<'e> {
//!     uid: &'e str,
//!     mail: Option<String>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Any LDAP server will do; this one lives in memory.
//! # const PEOPLE: &str = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
//! #     dn: uid=ada,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: L\nmail: ada@example.com\n";
//! let server = directory::Directory::builder(Arc::new(SystemTime::now)).ldif(PEOPLE)?.build();
//! let running = server.serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?).await;
//!
//! let pool = Pool::open(Options::new([running.url()])?).await?;
//! let search = Search::below("dc=example,dc=com").matching(Filter::present("uid")).reading::<Person<'_>>();
//! let mut found = pool.stream(&search);
//! while let Some(entry) = found.next().await? {
//!     let person: Person<'_> = entry.read()?;
//!     assert_eq!((person.uid, person.mail.as_deref()), ("ada", Some("ada@example.com")));
//! }
//! let end = found.finish().await?;
//! assert!(end.truncated.is_none(), "everybody was found");
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go on
//!
//! | for | begin at | the book's page, in `docs/` |
//! |---|---|---|
//! | what can be chosen | [`Options`] | `client.md` |
//! | every operation, and what fails | [`Connection`], [`Search`], [`SearchStream`], [`Error`] | `client-reference.md` |
//! | SASL: passwords never shown, certificates, tokens | [`Sasl`], [`Connection::sasl_bind`] | `client-sasl.md`, `client-kerberos.md` |
//! | entries as structs, changes from two of them, LDIF | [`ReadEntry`], [`to_attributes`], [`changes_between`], [`Recorder`], [`Connection::apply`] | `client-entries.md` |
//! | the schema, entries by class | [`Connection::schema`], [`Reader`], [`Writer`] | `client-schema.md` |
//! | controls and extended operations | [`control`], [`Connection::with_controls`] | `client-controls.md` |
//! | changes as they happen | [`ContentSync`], [`DirSyncSearch`], [`ChangeStream`] | `client-sync.md` |
//! | several servers, fail-over, logins | [`Pool`], [`Server`], [`Proving`], [`Metrics`] | `client-pool.md` |
//! | a server that is away for a while | [`Restartable`], [`Retry`] | `client-pool.md` |
//! | the same without `async` | [`blocking`] | `client-pool.md` |
//! | speed, and how it is measured | [`Search::page_size`] | `client-speed.md` |
//! | what ldap3, python-ldap and others call it | | `client-coming-from.md` |
//!
//! Reading order of the source: `options`; `connection`, with one file per family of operations beside it; `driver` is the
//! task behind it, which owns the socket; `stream` pages; `pool` keeps connections, with one file for each of the things it
//! decides: a server's health, the service account's rest, what is on the shelf; `retry` stands on both.

mod apply;
mod bind;
pub mod blocking;
mod cancel;
mod compare;
mod connect;
mod connection;
pub mod control;
mod cursor;
mod dir_sync;
mod driver;
mod error;
mod extended;
mod fast_bind;
#[cfg(feature = "gssapi")]
mod gssapi;
mod identity;
mod membership;
mod metrics;
mod modify;
mod notification;
mod options;
mod password;
mod persistent_search;
mod pool;
mod probe;
pub mod read;
mod recorder;
mod referral;
mod reply;
mod retry;
mod root_dse;
mod sasl;
mod schema;
mod search;
mod srv;
mod start_tls;
mod status;
mod stream;
mod sync;
mod unlock;
mod write;

pub use proto;
pub use proto::{
    Change, Control, Dn, Entry, Filter, LdapResult, Password, PasswordModify, Rdn, ResultCode, Scope,
};
pub use tls;

pub use apply::{Applied, ApplyError, FailedChange, OnFailure};
pub use bind::BindReply;
pub use cancel::Cancelled;
pub use connection::Connection;
pub use cursor::{Reader, TypedEntry, TypedFound, TypedStream, Writer};
pub use dir_sync::{DirSyncSearch, DirSyncStream};
pub use error::{BoxError, Closed, Error, Failures};
pub use extended::ExtendedReply;
pub use identity::{Identity, Simple};
pub use membership::Group;
pub use metrics::{FailureKind, Metrics, RoundTrips, ServerMetrics};
pub use modify::Rename;
pub use notification::{Notification, Notifications};
pub use options::{Balance, Options};
pub use password::{PasswordMethod, PasswordReply};
pub use persistent_search::{ChangeStream, Changed};
pub use pool::{Pool, Proving, Server};
pub use probe::{Probe, Reached, Resolved};
pub use proto::sasl::Protection;
pub use read::{ReadEntry, ReadError};
pub use recorder::{RecordError, Recorder, Secrets};
pub use referral::Referrals;
pub use reply::Reply;
pub use retry::{Restartable, RestartableStream, Retry};
pub use root_dse::{FunctionalLevel, RootDse, Vendor};
pub use sasl::{Binding, Sasl, SaslPeer};
pub use schema::SchemaCache;
pub use search::{Found, Search};
pub use status::Status;
pub use stream::{End, SearchAnswer, SearchStream};
pub use sync::{ContentSync, SyncEvent, SyncStream};
pub use unlock::Lockout;
pub use write::{Attributes, WriteError, changes_between, changes_between_entries, to_attributes};

/// The book's pages, whose examples run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-controls.md")]
struct ControlsPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-entries.md")]
struct EntriesPage;
#[cfg(all(doctest, feature = "gssapi", feature = "ntlm"))]
#[doc = include_str!("../../../docs/client-kerberos.md")]
struct KerberosPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-pool.md")]
struct PoolPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-reference.md")]
struct ReferencePage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-sasl.md")]
struct SaslPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-schema.md")]
struct SchemaPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-speed.md")]
struct SpeedPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client-sync.md")]
struct SyncPage;
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client.md")]
struct ClientPage;
