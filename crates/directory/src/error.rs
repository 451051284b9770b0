//! What can go wrong before the first connection.

use std::io;
use std::net::SocketAddr;

use proto::{DnError, LdifError};

/// Why an LDIF text cannot be loaded. The file is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The text is not LDIF.
    #[error("the text is not LDIF")]
    Ldif(#[source] LdifError),
    /// An entry's name is no distinguished name.
    #[error("line {line}: {dn:?} is not a distinguished name")]
    Name {
        /// The line of the `dn:`, counted from 1.
        line: usize,
        /// The name as written.
        dn: String,
        /// What is wrong with it.
        source: DnError,
    },
    /// An entry has the empty name, which belongs to the server itself.
    #[error("line {line}: an entry needs a name")]
    Root {
        /// The line of the `dn:`, counted from 1.
        line: usize,
    },
    /// A name stands there twice.
    #[error("line {line}: {dn:?} exists already")]
    Duplicate {
        /// The line of the second `dn:`, counted from 1.
        line: usize,
        /// The name as written.
        dn: String,
    },
    /// An attribute's name is not one.
    #[error("line {line}: {attribute:?} is not an attribute description")]
    Attribute {
        /// The line of the entry's `dn:`, counted from 1.
        line: usize,
        /// The name as written.
        attribute: String,
    },
    /// The data is larger than [`Limits::entries`](crate::Limits::entries) allows.
    #[error("line {line}: more than {limit} entries")]
    TooMany {
        /// The line of the entry that is too many.
        line: usize,
        /// The limit.
        limit: usize,
    },
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address can be reached from other machines, which was not asked for.
    #[error("{address} can be reached from other machines: use a loopback address such as 127.0.0.1:0")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system refuses the address.
    #[error("cannot listen on {address}")]
    Io {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}
