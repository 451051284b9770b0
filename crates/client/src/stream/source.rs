//! The connection that a search goes over.

use proto::Control;
use tokio::time::Instant;

use crate::Error;
use crate::connection::Connection;
use crate::control::beside;
use crate::options::Options;
use crate::pool::{Pool, Server};
use crate::referral::{First, Target};

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
    /// A server that a reference leads to.
    Referred(Box<Referred>),
}

/// Where a reference leads, and how it may be followed.
pub(crate) struct Referred {
    pub(super) target: Target,
    pub(super) first: First,
    pub(super) deadline: Instant,
}

impl Source {
    /// Where it is sent, as far as that is known beforehand.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Source::Connection(connection) => Some(connection.url()),
            Source::Server { server, .. } => Some(server.url()),
            Source::Pool { .. } | Source::Referred(_) => None,
        }
    }

    pub(super) fn options(&self) -> &Options {
        match self {
            Source::Connection(connection) => &connection.shared.options,
            Source::Server { server, .. } => server.options(),
            Source::Pool { pool, .. } => pool.options(),
            Source::Referred(referred) => &referred.first.options,
        }
    }

    /// A search's own controls and those of its connection's handle, which go wherever the search goes.
    pub(super) fn with_controls(&self, own: Vec<Control>) -> Vec<Control> {
        match self {
            Source::Connection(connection) => beside(&connection.controls, own.into()).iter().collect(),
            _ => own,
        }
    }

    pub(super) async fn connection(&self) -> Result<Connection, Error> {
        match self {
            Source::Connection(connection) => Ok(connection.clone()),
            Source::Server { server, .. } => server.lookup().await,
            Source::Pool { pool, .. } => pool.connection().await,
            Source::Referred(referred) => {
                Box::pin(referred.target.connect(&referred.first, referred.deadline)).await
            }
        }
    }

    /// An error, with where a reference led when it comes from there.
    pub(super) fn told(&self, error: Error) -> Error {
        match (self, error) {
            (_, error @ (Error::ReferralLoop { .. } | Error::TooManyReferrals { .. })) => error,
            (Source::Referred(referred), error) => {
                Error::Referral { url: referred.target.text(), source: Box::new(error) }
            }
            (_, error) => error,
        }
    }

    pub(super) fn has_another_try(&self) -> bool {
        match self {
            Source::Connection(_) | Source::Referred(_) => false,
            Source::Server { again, .. } | Source::Pool { again, .. } => *again,
        }
    }

    pub(super) fn try_again(&mut self) {
        if let Source::Server { again, .. } | Source::Pool { again, .. } = self {
            *again = false;
        }
    }
}
