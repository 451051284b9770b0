//! Certificate files of any kind to TLS settings, and handshake failures in words.
//!
//! Two halves: [`ClientSettings`] become a [`ClientTls`] that proves servers, [`ServerSettings`] become a [`ServerTls`]
//! that presents a certificate. Both shake hands over any stream and give a [`Stream`] back.
//!
//! What this crate refuses to do: trust a certificate that does not carry the host's name in its subjectAltName, go on
//! without TLS after a failure, choose a provider for the whole process, or say no more than "handshake failed". A file
//! that is no certificate is refused with what it looks like and the command that turns it into one; a failed handshake
//! names the host that was asked for, the certificate that came, its dates and issuer, and what to do.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use ldapgate_tls::ClientSettings;
//!
//! let settings = ClientSettings { ca_files: vec!["corp-ca.pem".into()], system_roots: false, ..Default::default() };
//! let tls = settings.load()?;
//! let stream = tokio::net::TcpStream::connect("ldap.example.com:636").await?;
//! let stream = tls.connect("ldap.example.com", stream).await?;
//! println!("{}", stream.protocol());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here has a deadline of its own: the caller's connect timeout covers name lookup, TCP and TLS together.
//!
//! Reading order: `client`, `verify` (what is trusted), `explain` (a failure in words), `file` and `looks` (what a file
//! holds), `pkcs7` and `pkcs12` (the containers among them), `certificate` (the few fields of X.509 that messages show).

mod binding;
mod certificate;
mod chain;
mod client;
mod date;
mod der;
mod error;
mod explain;
mod file;
mod looks;
mod openldap;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod pkcs7;
mod server;
mod stream;
mod verify;

pub use binding::Bindings;
pub use certificate::Certificate;
pub use client::{ClientSettings, ClientTls, Identity, TrustedFile, Version};
pub use error::{Error, HandshakeFault};
pub use file::Format;
pub use server::{ServerSettings, ServerTls};
pub use stream::{Peer, Stream};
