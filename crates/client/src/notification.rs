//! Unsolicited notifications (RFC 4511 section 4.4): what a server says without having been asked.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use proto::LdapResult;
use proto::message::ExtendedResponse;
use tokio::sync::broadcast;

use crate::Connection;

/// How many may wait for a listener; the oldest is forgotten then.
const MOST_WAITING: usize = 16;
/// A longer one is not kept, since nobody asked for it.
const LONGEST: usize = 64 * 1024;

/// Something that the server said unasked.
#[derive(Clone)]
#[non_exhaustive]
pub struct Notification {
    /// What it is.
    pub oid: Option<String>,
    /// What it says, in a form of its own; never printed.
    pub value: Option<Bytes>,
    /// Its result, which is success in most.
    pub result: LdapResult,
}

/// The notifications of one connection from the moment of [`Connection::notifications`] on.
#[derive(Debug)]
pub struct Notifications(Option<broadcast::Receiver<Notification>>);

impl Connection {
    /// Listens to what the server says unasked. The notice of disconnection is not among it: it ends the connection,
    /// and is the reason told by every call, [`Closed::Notice`](crate::Closed::Notice).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ldapgate_client::{Connection, Options};
    ///
    /// let (stream, server) = tokio::io::duplex(1024);
    /// let connection = Connection::over(stream, &Options::new(["ldap://localhost"])?).await?;
    /// let mut notifications = connection.notifications();
    /// drop(server);
    /// assert!(notifications.next().await.is_none(), "the connection has ended");
    /// # Ok(())
    /// # }
    /// ```
    pub fn notifications(&self) -> Notifications {
        Notifications(self.shared.state.notices.listen())
    }
}

impl Notifications {
    /// The next one; `None` when the connection has ended. Who listens too slowly misses the oldest. Safe to be dropped
    /// and called again.
    pub async fn next(&mut self) -> Option<Notification> {
        let listener = self.0.as_mut()?;
        loop {
            match listener.recv().await {
                Ok(notification) => return Some(notification),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "notifications were missed");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// The driver's end; there is none once the connection has ended.
pub(crate) struct Notices(Mutex<Option<broadcast::Sender<Notification>>>);

impl Default for Notices {
    fn default() -> Notices {
        Notices(Mutex::new(Some(broadcast::channel(MOST_WAITING).0)))
    }
}

impl Notices {
    pub(crate) fn tell(&self, notice: ExtendedResponse) {
        tracing::debug!(oid = notice.oid, result = %notice.result.code, "the server notifies");
        let ExtendedResponse { result, oid, value } = notice;
        if value.as_ref().is_some_and(|value| value.len() > LONGEST) || result.message.len() > LONGEST {
            return;
        }
        // A copy, because the value would keep its whole read buffer.
        let value = value.map(|value| Bytes::copy_from_slice(&value));
        if let Some(listeners) = &*self.lock() {
            // Nobody may listen.
            let _ = listeners.send(Notification { oid, value, result });
        }
    }

    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    fn listen(&self) -> Option<broadcast::Receiver<Notification>> {
        self.lock().as_ref().map(broadcast::Sender::subscribe)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<broadcast::Sender<Notification>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("oid", &self.oid)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}
