//! SICILY: Active Directory's own bind for NTLM, older than its SASL (MS-ADTS section 5.1.1.1.3).

use bytes::Bytes;
use proto::message::{Authentication, BindRequest, BindResponse, Request, Response, SicilyStep};
use proto::sasl::{Mechanism, Protection, SaslError};
use proto::{Controls, Password};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Sasl;
use super::layered::ntlm;
use crate::bind::VERSION;
use crate::connection::Operation;
use crate::driver::Sink;
use crate::{BindReply, Connection, Error};

const NAME: &str = "SICILY bind";

impl Connection {
    /// A bind with a domain's account by NTLM version 2 outside of SASL, for servers that have nothing else. It adds no
    /// layer: [`Sasl::gss_spnego`], which every Active Directory has, is the better way.
    ///
    /// Nothing else may be under way on this connection.
    ///
    /// ```no_run
    /// use ldapgate_client::{Connection, Options, Password};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let connection = Connection::open(&Options::new(["ldaps://dc1.example.com"])?).await?;
    /// let reply = connection.bind_sicily("EXAMPLE", "ada", &Password::new("engine")?).await?;
    /// assert!(reply.is_success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Connection::sasl_bind`]. A server that does not know it may close the connection, as Samba does.
    pub async fn bind_sicily(
        &self,
        domain: &str,
        user: &str,
        password: &Password,
    ) -> Result<BindReply, Error> {
        if self.is_sealed() {
            return Err(Error::Shared { url: self.url().to_owned() });
        }
        if !self.keeps_secrets() {
            return Err(Error::ClearSasl { url: self.url().to_owned(), mechanism: "SICILY".to_owned() });
        }
        let account = Sasl::ntlm(domain, user, password.duplicate()).protection(Protection::None);
        let failed = |source| self.sasl_failed("SICILY", source);
        let mut ntlm = ntlm::ntlm(&account, &self.peer(), password).map_err(failed)?;
        let first = ntlm.start().map_err(failed)?.unwrap_or_default();
        // Whoever was before is not any more once a bind begins (RFC 4511 section 4.2.1).
        self.shared.state.bind(None);
        let deadline = Instant::now() + self.shared.options.timeout;

        let (begun, controls) =
            self.sicily_step("NTLM", SicilyStep::Negotiate, first.to_vec(), deadline).await?;
        let Some(challenge) = begun.server_credentials.filter(|_| begun.result.is_success()) else {
            if begun.result.is_success() {
                self.hang_up();
                let what = "success without a challenge";
                return Err(failed(SaslError::NotProved { mechanism: "SICILY", what }));
            }
            return Ok(BindReply { result: begun.result, controls });
        };
        let answer = ntlm.respond(&challenge).map_err(|source| {
            self.hang_up();
            failed(source)
        })?;
        let (ended, controls) = self.sicily_step("", SicilyStep::Response, answer.to_vec(), deadline).await?;
        self.shared.state.bind(Some(account.describe()).filter(|_| ended.result.is_success()));
        Ok(BindReply { result: ended.result, controls })
    }

    async fn sicily_step(
        &self,
        name: &str,
        step: SicilyStep,
        credentials: Vec<u8>,
        deadline: Instant,
    ) -> Result<(BindResponse, Controls), Error> {
        let authentication = Authentication::Sicily { step, credentials: Bytes::from(credentials) };
        let request = BindRequest { version: VERSION, name: name.to_owned(), authentication };
        let operation = Operation::new(NAME, Request::Bind(request), Controls::default());
        let (reply, answer) = oneshot::channel();
        let limit = self.shared.options.timeout;
        let answer = self.call_by(operation, Sink::One(reply), answer, deadline, limit).await?;
        match answer.response {
            Response::Bind(response) => Ok((response, answer.controls)),
            _ => Err(self.unexpected(NAME)),
        }
    }
}
