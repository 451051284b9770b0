//! StartTLS (RFC 4511 section 4.14): encryption on a connection that began without.

use std::time::Duration;

use proto::Controls;
use proto::extended::StartTls;
use proto::message::{ExtendedRequest, Request, Response};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::connection::Operation;
use crate::driver::Sink;
use crate::{Connection, Error};

const NAME: &str = "StartTLS";

impl Connection {
    /// Starts TLS. Nothing else may be under way; whatever goes wrong ends the connection, for going on in clear
    /// text is not an option. With [`Options::start_tls`](crate::Options::start_tls) connections come encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyEncrypted`]; [`Error::Refused`] when the server will not; [`Error::Tls`] when the handshake
    /// fails; [`Error::Closed`] with [`Closed::Injected`](crate::Closed::Injected) when clear text arrived that was
    /// not asked for.
    #[tracing::instrument(name = "ldap.start_tls", level = "debug", skip_all, fields(url = self.url()))]
    pub async fn start_tls(&self) -> Result<(), Error> {
        let limit = self.shared.options.timeout;
        self.start_tls_by(Instant::now() + limit, limit).await
    }

    pub(crate) async fn start_tls_by(&self, deadline: Instant, limit: Duration) -> Result<(), Error> {
        if self.is_encrypted() {
            return Err(Error::AlreadyEncrypted { url: self.url().to_owned() });
        }
        let tls = self.shared.options.client_tls(self.url())?;
        let (reply, answer) = oneshot::channel();
        let sink = Sink::Tls { reply, tls, host: self.shared.address.host().to_owned() };
        let request = Request::Extended(ExtendedRequest { oid: StartTls::OID.to_owned(), value: None });
        let operation = Operation::new(NAME, request, Controls::default());
        let answer = self.without_controls().call_by(operation, sink, answer, deadline, limit).await?;
        match answer.response {
            Response::Extended(response) if response.result.is_success() => Ok(()),
            Response::Extended(response) => Err(self.refused(NAME, response.result)),
            _ => Err(self.unexpected(NAME)),
        }
    }
}
