//! The connection that a search goes over.

use crate::Error;
use crate::connection::Connection;
use crate::options::Options;
use crate::pool::{Pool, Server};

/// Where the search is sent.
pub(crate) enum Source {
    Connection(Connection),
    /// A look-up connection of this server; a dying one is replaced once, before anything was found.
    Server {
        server: Server,
        again: bool,
    },
    /// The same, of any server.
    Pool {
        pool: Pool,
        again: bool,
    },
}

impl Source {
    /// Where it is sent, as far as that is known beforehand.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Source::Connection(connection) => Some(connection.url()),
            Source::Server { server, .. } => Some(server.url()),
            Source::Pool { .. } => None,
        }
    }

    pub(super) fn options(&self) -> &Options {
        match self {
            Source::Connection(connection) => &connection.shared.options,
            Source::Server { server, .. } => server.options(),
            Source::Pool { pool, .. } => pool.options(),
        }
    }

    pub(super) async fn connection(&self) -> Result<Connection, Error> {
        match self {
            Source::Connection(connection) => Ok(connection.clone()),
            Source::Server { server, .. } => server.lookup().await,
            Source::Pool { pool, .. } => pool.connection().await,
        }
    }

    pub(super) fn has_another_try(&self) -> bool {
        match self {
            Source::Connection(_) => false,
            Source::Server { again, .. } | Source::Pool { again, .. } => *again,
        }
    }

    pub(super) fn try_again(&mut self) {
        if let Source::Server { again, .. } | Source::Pool { again, .. } = self {
            *again = false;
        }
    }
}
