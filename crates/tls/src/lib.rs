//! Certificate files of any kind to TLS settings, and handshake failures in words.
mod client;
mod error;
mod server;
mod stream;
pub use client::{ClientSettings, ClientTls, Identity, Version};
pub use error::{Certificate, Error};
pub use server::{ServerSettings, ServerTls};
pub use stream::Stream;
