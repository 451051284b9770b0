//! What the tests of every room share: throwaway certificates, one small world of people, the servers that hold it
//! (a real OpenLDAP, 389 Directory Server or Samba domain controller, or the in-memory directory), a PostgreSQL, an HTTP client that
//! keeps cookies, and a browser.
//!
//! It is private to this workspace and never a dependency of production code. A server that is missing from the machine
//! is a failing test that names the Debian package, never a skipped one.
//!
//! ```no_run
//! # async fn example() {
//! use ldapgate_testkit::world::{Peer, World};
//! let world = World::start(Peer::OpenLdap).await;
//! println!("{} holds {}", world.ldap_url(), world.base());
//! # }
//! ```
//!
//! Reading order: [`people`], [`world`], [`openldap`], [`equipped`], [`ds389`], [`samba`], [`kerberos`], [`postgres`], [`certificate`], [`http`], [`browser`], [`clock`].

pub mod book;
pub mod browser;
pub mod certificate;
pub mod clock;
pub mod ds389;
pub mod equipped;
pub mod example;
pub mod http;
pub mod kerberos;
mod memory;
pub mod openldap;
pub mod people;
pub mod postgres;
pub mod process;
mod rendering;
pub mod samba;
pub mod world;
