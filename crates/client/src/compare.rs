//! Compare (RFC 4511 section 4.10).

use bytes::Bytes;
use proto::message::{CompareRequest, Request, Response};
use proto::{Controls, ResultCode};

use crate::connection::Operation;
use crate::{Connection, Error};

impl Connection {
    /// Has the entry this value?
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// assert!(connection.compare("uid=ada,dc=example,dc=com", "cn", "ada lovelace").await?);
    /// assert!(!connection.compare("uid=ada,dc=example,dc=com", "cn", "Ada Byron").await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with noSuchObject or noSuchAttribute when there is nothing to compare with; otherwise as
    /// every call.
    #[tracing::instrument(name = "ldap.compare", level = "debug", skip_all, fields(url = self.url(), dn = dn, attribute = attribute))]
    pub async fn compare(&self, dn: &str, attribute: &str, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        let request = Request::Compare(CompareRequest {
            dn: dn.to_owned(),
            attribute: attribute.to_owned(),
            value: Bytes::copy_from_slice(value.as_ref()),
        });
        let operation = Operation::new("compare", request, Controls::default());
        let answer = self.call(operation).await?;
        match answer.response {
            Response::Compare(result) => match result.code {
                ResultCode::COMPARE_TRUE => Ok(true),
                ResultCode::COMPARE_FALSE => Ok(false),
                _ => Err(self.refused_with("compare", result, answer.controls).about(dn)),
            },
            _ => Err(self.unexpected("compare")),
        }
    }
}
