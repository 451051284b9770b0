//! LDAP sign-in for web applications: the one crate an application adds.
//!
//! It reads the configuration, connects the directories, the store and the login pages, and hands out routes, a guard and
//! an extractor. It decides nothing itself: no LDAP, no SQL and no policy live here, and nobody else reads files, the environment,
//! the clock or randomness.
//!
//! ```no_run
//! use ldapgate::axum::{Router, routing::get};
//! use ldapgate::{Config, CurrentUser, Engine};
//!
//! async fn upload(user: CurrentUser) -> String {
//!     format!("upload something, {}", user.username)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config::find(None, &std::env::vars().collect())?;
//!     let engine = Engine::start(&config).await?;
//!     let guarded = Router::new().route("/upload", get(upload)).layer(engine.login_required());
//!     let application = Router::new().route("/", get(|| async { "hello" })).merge(guarded);
//!     let listener = tokio::net::TcpListener::bind(config.listen()).await?;
//!     engine.serve_only(listener, application.merge(engine.login_routes()), std::future::pending()).await?;
//!     Ok(())
//! }
//! ```
//!
//! What applications handle stands here under its own name; the rooms behind it are re-exported whole for the rest:
//! [`account`] (its error, its settings, the store's trait), [`auth`] (what [`account::Directories`] says), [`client`].
//!
//! Reading order: [`Config`] (`config/`, one file a section), [`Engine`] (`engine.rs`), `ambient.rs` (clock and randomness).

mod ambient;
pub mod config;
mod engine;
mod error;
mod metrics;
pub mod upkeep;

pub use account::{
    self, Account, Accounts, Ambient, AttributeValue, Attributes, Blocked, Clock, Denial, Denied, Entropy,
    Event, Events, Fault, Group, Heard, Hook, Lookup, Naming, NewPersonal, NewSession, Objection, OldKeys,
    Origin, Outcome, PasswordOutcome, PersonalTokenInfo, PersonalTokens, Profile, Ready, Reason, Refusal,
    RelinkRefused, Relinking, Rotated, Session, SessionInfo, SignIn, SignedIn, SignedTokenInfo, Task, Time,
    Token, Unfit, UserId, Warning,
};
pub use ambient::system_time;
pub use auth::{self, CustomKind, GroupLookup, Observer, Trace};
pub use axum;
pub use client;
pub use config::{Config, ConfigErrors, Problem, Shown, duration};
pub use engine::Engine;
pub use error::Error;
pub use proto::value::{FileTime, GeneralizedTime, Guid, Sid};
pub use web::{CurrentUser, Gate, LoginOptional, LoginRequired, Permission, Require, Via};

/// The README and the book's page, whose examples compile with the tests.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/rust.md")]
    struct Rust;
}
