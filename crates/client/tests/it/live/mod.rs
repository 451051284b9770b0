//! What the client can do, each shown on the servers that can do it: one file a capability, whose first line is its
//! row in the book's table of peers; a test's name begins with the peer it ran against.

mod metrics;
#[cfg(feature = "srv")]
mod srv;
mod tls_files;
