//! What a connection is at this moment, for people.

use std::fmt;
use std::sync::atomic::Ordering;

use crate::Connection;

/// One connection's state, as it was when it was asked for.
///
/// Its text is one line: `ldaps://a.example.com: open, encrypted, bound as cn=reader,dc=example,dc=com, 2 under way`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The server's URL, as it was given.
    pub url: String,
    /// The connection has not ended, as far as is known.
    pub open: bool,
    /// Everything on it is encrypted, by TLS or by a SASL layer.
    pub encrypted: bool,
    /// Who was proved last: a name, or a SASL mechanism and its user; `None` when nobody was.
    pub bound_as: Option<String>,
    /// Operations that wait for answers.
    pub under_way: usize,
    /// The message id of the last request, as the server's log has it; 0 before the first.
    pub last_id: u32,
}

impl Connection {
    /// What the connection is at this moment.
    ///
    /// ```
    /// use ldapgate_client::{Connection, Options, Password};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// let connection = Connection::open(&Options::new([&url])?).await?;
    /// assert_eq!(connection.status().to_string(), format!("{url}: open, in clear text, bound as nobody, 0 under way"));
    /// connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// assert_eq!(connection.status().last_id, 1);
    /// assert_eq!(connection.status().bound_as.as_deref(), Some("uid=ada,dc=example,dc=com"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn status(&self) -> Status {
        Status {
            url: self.url().to_owned(),
            open: !self.is_closed(),
            encrypted: self.is_encrypted(),
            bound_as: self.shared.state.bound(),
            under_way: self.load(),
            last_id: self.shared.state.last_id.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.open { "open" } else { "closed" };
        let privacy = if self.encrypted { "encrypted" } else { "in clear text" };
        let bound = self.bound_as.as_deref().unwrap_or("nobody");
        write!(f, "{}: {open}, {privacy}, bound as {bound}, {} under way", self.url, self.under_way)
    }
}
