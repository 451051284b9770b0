//! A connection for people's binds, leased to one login.

use std::fmt;

use proto::{Controls, Entry, Password, PasswordPolicy};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::server::Server;
use super::shelf::Kept;
use crate::{BindReply, Error, Found, PasswordMethod, PasswordReply, Search};

/// A connection that only ever carries people's binds, and belongs to one login until it is dropped.
///
/// It goes back to its pool when it is healthy and nothing is under way on it. The next login's bind replaces this
/// one's; until then the next login cannot read from it.
pub struct Proving {
    server: Server,
    kept: Kept,
    /// Did this lease's bind succeed?
    proved: bool,
    _lease: OwnedSemaphorePermit,
}

impl Proving {
    pub(super) fn new(server: Server, kept: Kept, lease: OwnedSemaphorePermit) -> Proving {
        Proving { server, kept, proved: false, _lease: lease }
    }

    /// The server's URL, as it was given.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Binds as a person, and asks for what the password policy says. `Ok` carries every answer of the server.
    ///
    /// A connection that had died in the pool is replaced as long as nothing was written. A bind that may have been
    /// written is never sent again: it might count as another wrong password.
    ///
    /// # Errors
    ///
    /// As [`Connection::bind`](crate::Connection::bind); [`Error::sent`] tells whether the server may have seen it.
    pub async fn bind(&mut self, dn: &str, password: &Password) -> Result<BindReply, Error> {
        self.proved = false;
        let reply = match self.try_bind(dn, password).await {
            Err(error @ Error::Closed { .. }) if !error.sent() => {
                tracing::debug!(%error, causes = ?error.causes(), "binding on a fresh connection");
                self.kept = Box::pin(self.server.fresh()).await?;
                self.try_bind(dn, password).await
            }
            tried => tried,
        };
        if let Err(Error::Timeout { .. }) = &reply {
            self.server.health().doubted(Instant::now());
        }
        let reply = reply?;
        self.server.health().proved();
        self.proved = reply.is_success();
        Ok(reply)
    }

    /// Reads one entry as the person who was proved; `None` when there is none of this name that they may see.
    ///
    /// # Errors
    ///
    /// [`Error::NotBound`] before a bind of this lease has succeeded; otherwise as
    /// [`Connection::read`](crate::Connection::read).
    pub async fn read(&mut self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        self.demand_proof()?;
        self.kept.connection.read(dn, attributes).await
    }

    /// Searches as the person who was proved.
    ///
    /// # Errors
    ///
    /// [`Error::NotBound`] before a bind of this lease has succeeded; otherwise as
    /// [`Connection::search`](crate::Connection::search).
    pub async fn search(&mut self, search: impl Into<Search>) -> Result<Found, Error> {
        self.demand_proof()?;
        self.kept.connection.search(search).await
    }

    /// Changes a password as the person who was proved, on the connection of that bind.
    ///
    /// # Errors
    ///
    /// [`Error::NotBound`] before a bind of this lease has succeeded; otherwise as
    /// [`Connection::change_password`](crate::Connection::change_password).
    pub async fn change_password(
        &mut self,
        method: PasswordMethod,
        dn: &str,
        old: &Password,
        new: &Password,
    ) -> Result<PasswordReply, Error> {
        self.demand_proof()?;
        self.kept.connection.change_password(method, dn, old, new).await
    }

    async fn try_bind(&self, dn: &str, password: &Password) -> Result<BindReply, Error> {
        let controls = Controls::from(PasswordPolicy::request());
        self.kept.connection.bind_with(dn, password, controls).await
    }

    fn demand_proof(&self) -> Result<(), Error> {
        if self.proved { Ok(()) } else { Err(Error::NotBound) }
    }
}

impl Drop for Proving {
    fn drop(&mut self) {
        self.server.give_back(self.kept.clone());
    }
}

impl fmt::Debug for Proving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proving")
            .field("url", &self.url())
            .field("proved", &self.proved)
            .finish_non_exhaustive()
    }
}
