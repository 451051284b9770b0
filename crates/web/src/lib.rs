//! Login pages, sessions, guards and tokens over HTTP: everything between a socket and [`account::Accounts`].
//!
//! It decides nothing about people, knows no LDAP and no SQL, and runs no script in the browser. Where it answers anything but a
//! success, `rejection` alone chooses the status and the words.
//!
//! ```no_run
//! use ldapgate_web::{CurrentUser, Gate, ServeOptions, Settings, serve};
//! # async fn example(accounts: account::Accounts) -> Result<(), Box<dyn std::error::Error>> {
//! async fn upload(user: CurrentUser) -> String {
//!     format!("thank you, {}", user.username)
//! }
//!
//! let gate = Gate::new(Settings::default(), accounts)?;
//! let application = axum::Router::new()
//!     .route("/app/upload", axum::routing::get(upload))
//!     .layer(gate.login_required());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, gate.routes().merge(application), ServeOptions::default()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: `gate` (which path is whose), `visit` (around every request), `guard` (who is asking), `login`, `password`, `token`, `home`,
//! `csrf`, `flash`, `next`, `words`, `rejection`, and `serve`, which owns the sockets and their deadlines.
//!
//! Some things come later: `/admin/` and `/forward-auth`. HSTS is left to the operator, who alone knows whether plain http will ever be wanted on
//! that host again.

mod address;
mod api;
mod basic;
mod cookies;
mod csrf;
mod error;
mod extract;
mod flash;
mod form;
mod gate;
mod guard;
mod health;
mod home;
mod login;
mod next;
mod page;
mod password;
mod rejection;
mod serve;
mod settings;
mod token;
mod visit;
mod words;

pub use address::{Network, NetworkError, Peer};
pub use error::Error;
pub use extract::{CurrentUser, Permission, Require, Via};
pub use gate::Gate;
pub use guard::{Guarded, LoginOptional, LoginRequired};
pub use serve::{ServeOptions, serve};
pub use settings::{Settings, is_cookie_name, is_token_path};
