//! Extended operations (RFC 4511 section 4.12), and "who am I" (RFC 4532).

use bytes::Bytes;
use proto::Controls;
use proto::extended::WhoAmI;
use proto::message::{ExtendedRequest, Request, Response};

use crate::connection::Operation;
use crate::{Connection, Error};

/// "Who am I" in errors.
pub(crate) const WHO_AM_I: &str = "who am I";

/// A successful answer to an extended operation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExtendedReply {
    /// The answer's name, when it has one.
    pub oid: Option<String>,
    /// The answer's value, in the operation's own form.
    pub value: Option<Bytes>,
    /// What came with it.
    pub controls: Controls,
}

impl Connection {
    /// Any extended operation but StartTLS, which is [`Connection::start_tls`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let reply = connection.extended("1.3.6.1.4.1.4203.1.11.3", None).await?;
    /// assert_eq!(reply.value.as_deref(), Some(&b"dn:uid=ada,dc=example,dc=com"[..]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    pub async fn extended(&self, oid: &str, value: Option<Bytes>) -> Result<ExtendedReply, Error> {
        self.extended_as("extended", oid, value).await
    }

    /// The same under the name that errors tell it by.
    #[tracing::instrument(name = "ldap.extended", level = "debug", skip_all, fields(url = self.url(), oid = oid))]
    pub(crate) async fn extended_as(
        &self,
        name: &'static str,
        oid: &str,
        value: Option<Bytes>,
    ) -> Result<ExtendedReply, Error> {
        let request = Request::Extended(ExtendedRequest { oid: oid.to_owned(), value });
        let answer = self.call(Operation::new(name, request, Controls::default())).await?;
        match answer.response {
            Response::Extended(response) if response.result.is_success() => {
                Ok(ExtendedReply { oid: response.oid, value: response.value, controls: answer.controls })
            }
            Response::Extended(response) => Err(self.refused_with(name, response.result, answer.controls)),
            _ => Err(self.unexpected(name)),
        }
    }

    /// Who the server takes this connection for, as "dn:..." or "u:..."; empty: nobody.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// assert_eq!(connection.who_am_i().await?, "dn:uid=ada,dc=example,dc=com");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not know this operation; otherwise as every call.
    pub async fn who_am_i(&self) -> Result<String, Error> {
        let reply = self.extended_as(WHO_AM_I, WhoAmI::OID, None).await?;
        let identity = reply.value.unwrap_or_default();
        Ok(String::from_utf8_lossy(&identity).into_owned())
    }
}
