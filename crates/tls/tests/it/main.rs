//! Handshakes over streams in memory, and files on disk.

#![allow(clippy::unwrap_used, reason = "a test whose world cannot be made stops there")]

mod authority;
mod containers;
mod files;
mod handshake;
mod old_servers;
mod peers;
