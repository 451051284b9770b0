//! Handshakes over streams in memory, and files on disk.

mod authority;
mod files;
mod handshake;
mod peers;
