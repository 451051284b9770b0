//! Fast bind (MS-ADTS section 3.1.1.3.4.2.1): a connection that does nothing but check passwords.

use proto::extended::FastBind;

use crate::{Connection, Error};

impl Connection {
    /// From now on binds on this connection, one after the other, check a password and change nothing: whoever succeeds,
    /// the connection stays anonymous. Active Directory alone offers it; nothing may be bound before.
    ///
    /// A bind that was right proves the password, and not that the connection may read anything as that person.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), Box<dyn std::error::Error>> {
    /// use ldapgate_client::Password;
    ///
    /// connection.fast_bind().await?;
    /// let right = connection.bind("ada@example.com", &Password::new("analytical")?).await?.is_success();
    /// # let _ = right; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not know this operation; [`Error::Shared`] on a pool's look-up connection;
    /// otherwise as every call.
    pub async fn fast_bind(&self) -> Result<(), Error> {
        if self.is_sealed() {
            return Err(Error::Shared { url: self.url().to_owned() });
        }
        self.extended_as("fast bind", FastBind::OID, None).await.map(drop)
    }
}
