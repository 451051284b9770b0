//! The exchange itself: challenge by challenge, before one deadline, until both sides are satisfied.

use std::borrow::Borrow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use proto::message::{Authentication, BindRequest, BindResponse, Request, Response};
use proto::sasl::{Channel, Mechanism, SaslError, strongest};
use proto::{Controls, Password, ResultCode, Scheme};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::{Chosen, Sasl, SaslPeer, Way, is_plus};
use crate::bind::VERSION;
use crate::connection::Operation;
use crate::driver::{Sink, Verdict};
use crate::{BindReply, Connection, Error};

const NAME: &str = "SASL bind";
const MECHANISMS: &str = "supportedSASLMechanisms";
/// Steps of one exchange; the longest known ones have about six.
const MOST_STEPS: usize = 16;

impl Connection {
    /// A SASL bind of as many steps as the mechanism needs, all of them before the options' timeout. `Ok` carries every
    /// answer of the server, invalidCredentials (49) included; a success is one only when the mechanism agrees.
    ///
    /// Nothing else may be under way on this connection, and nothing else is sent on it before the bind is over. Dropping
    /// the future closes the connection. So does every failure after the first message: an exchange that was not ended by the
    /// server leaves a connection that may be anybody's.
    ///
    /// ```
    /// use ldapgate_client::{Connection, Options, Sasl};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let connection = Connection::open(&Options::new(["ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"])?).await?;
    /// let reply = connection.sasl_bind(Sasl::external()).await?;
    /// assert!(reply.is_success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ClearSasl`] before anything is sent when somebody could listen and the mechanism does not bear that.
    /// [`Error::Sasl`] when the mechanism cannot begin or go on, the server's success without its proof included;
    /// [`Error::NoMechanism`] for [`Sasl::strongest`]; [`Error::Secret`] when the secret's source fails.
    /// [`Error::Shared`] on a pool's look-up connection. Otherwise as every call.
    pub async fn sasl_bind(&self, sasl: impl Borrow<Sasl> + Send) -> Result<BindReply, Error> {
        let sasl = sasl.borrow().clone();
        let secret = sasl.secret()?;
        self.sasl_bind_as(&sasl, secret.as_ref()).await
    }

    #[tracing::instrument(name = "ldap.sasl_bind", level = "debug", skip_all, fields(url = self.url(), sasl = ?sasl))]
    pub(crate) async fn sasl_bind_as(
        &self,
        sasl: &Sasl,
        secret: Option<&Password>,
    ) -> Result<BindReply, Error> {
        if self.is_sealed() {
            return Err(Error::Shared { url: self.url().to_owned() });
        }
        let limit = self.shared.options.timeout;
        let deadline = Instant::now() + limit;
        if self.shared.state.layered.load(Ordering::Acquire) {
            let words = "the connection has a security layer already: bind on a new one".to_owned();
            return Err(self.sasl_failed(sasl.name(), SaslError::Configuration(words)));
        }
        let chosen = match sasl.way {
            Way::Strongest => Some(self.choose(sasl, deadline, limit).await?),
            _ => None,
        };
        let exchange = self.begin(sasl, chosen, secret, deadline, limit).await?;
        if exchange.needs_encryption() && !self.keeps_secrets() {
            let mechanism = exchange.name.clone();
            return Err(Error::ClearSasl { url: self.url().to_owned(), mechanism });
        }
        let reply = exchange.run().await?;
        self.shared.state.bind(Some(sasl.describe()).filter(|_| reply.is_success()));
        Ok(reply)
    }

    /// Asks the server which mechanisms it has, and takes the strongest.
    async fn choose(&self, sasl: &Sasl, deadline: Instant, limit: Duration) -> Result<Chosen, Error> {
        let late = || Error::Timeout { url: self.url().to_owned(), operation: NAME, limit, sent: false };
        let root = timeout_at(deadline, self.read("", &[MECHANISMS])).await.map_err(|_| late())??;
        let texts = root.iter().flat_map(|root| root.texts(MECHANISMS));
        let offered: Vec<String> = texts.map(str::to_owned).collect();
        let has_binding = self.peer().channel_binding(sasl.binding).is_some();
        let names = || offered.iter().map(String::as_str);
        let plus = names().any(is_plus);
        let allowed = |name: &&str| sasl.allows(name);
        let channel = Channel { is_private: self.keeps_secrets(), has_binding };
        match strongest(names().filter(allowed), channel) {
            Some(offer) => {
                tracing::debug!(mechanism = offer.name(), "chosen");
                Ok(Chosen { offer, without_plus: !plus })
            }
            None => Err(Error::NoMechanism { url: self.url().to_owned(), offered }),
        }
    }

    async fn begin(
        &self,
        sasl: &Sasl,
        chosen: Option<Chosen>,
        secret: Option<&Password>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Exchange, Error> {
        let (connection, made) = (self.clone(), sasl.clone());
        let secret = secret.map(Password::duplicate);
        let making =
            tokio::task::spawn_blocking(move || made.make(chosen, &connection.peer(), secret.as_ref()));
        let mechanism = match timeout_at(deadline, making).await {
            Ok(Ok(made)) => made.map_err(|source| self.sasl_failed(sasl.name(), source))?,
            Ok(Err(_)) => return Err(self.sasl_failed(sasl.name(), broke())),
            Err(_) => {
                let url = self.url().to_owned();
                return Err(Error::Timeout { url, operation: NAME, limit, sent: false });
            }
        };
        let name = mechanism.name().to_owned();
        let (connection, mechanism) = (self.clone(), Some(mechanism));
        Ok(Exchange { connection, name, mechanism, deadline, limit, sent: false, is_open: false })
    }

    pub(super) fn peer(&self) -> SaslPeer<'_> {
        let address = &self.shared.address;
        let local = address.scheme() == Scheme::Ldapi;
        SaslPeer {
            host: if local { "localhost" } else { address.host() },
            port: if local { 0 } else { address.url.port() },
            is_encrypted: self.is_encrypted(),
            is_overheard: !self.keeps_secrets(),
            bindings: self.bindings(),
            limit: self.shared.options.timeout,
        }
    }

    pub(super) fn sasl_failed(&self, mechanism: &str, source: SaslError) -> Error {
        Error::Sasl { url: self.url().to_owned(), mechanism: mechanism.to_owned(), source }
    }
}

/// One bind under way. Dropped before its end it takes the connection with it.
struct Exchange {
    connection: Connection,
    name: String,
    /// Away while it works.
    mechanism: Option<Box<dyn Mechanism>>,
    deadline: Instant,
    limit: Duration,
    /// Something was said to the server.
    sent: bool,
    /// The server waits for more, or its success was not judged.
    is_open: bool,
}

impl Exchange {
    fn needs_encryption(&self) -> bool {
        self.mechanism.as_ref().is_none_or(|mechanism| mechanism.needs_encryption())
    }

    async fn run(mut self) -> Result<BindReply, Error> {
        let mut credentials = self.work(|mechanism| mechanism.start()).await?;
        for _ in 0..MOST_STEPS {
            let (response, controls, verdict) = self.step(credentials).await?;
            let BindResponse { result, server_credentials } = response;
            if result.code == ResultCode::SASL_BIND_IN_PROGRESS {
                let challenge = server_credentials.unwrap_or_default();
                credentials = Some(self.work(move |mechanism| mechanism.respond(&challenge)).await?);
                continue;
            }
            if result.is_success() {
                let judged = move |mechanism: &mut dyn Mechanism| {
                    mechanism.finish(server_credentials.as_deref())?;
                    Ok(mechanism.layer())
                };
                let layer = self.work(judged).await?;
                if let Some(layer) = &layer {
                    self.connection.shared.state.begin_layer(&**layer);
                }
                // A driver that is gone is noticed by the next call.
                let _ = verdict.send(layer);
            }
            self.is_open = false;
            self.warn();
            tracing::debug!(code = %result.code, mechanism = self.name, "answered");
            return Ok(BindReply { result, controls });
        }
        let what = "the server asks for ever more steps";
        let source = SaslError::Unsupported { mechanism: "SASL", what };
        Err(self.connection.sasl_failed(&self.name, source))
    }

    /// Sends one step and waits for its answer.
    async fn step(
        &mut self,
        credentials: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(BindResponse, Controls, oneshot::Sender<Verdict>), Error> {
        let credentials = credentials.map(Bytes::from_owner);
        let authentication = Authentication::Sasl { mechanism: self.name.clone(), credentials };
        let request = BindRequest { version: VERSION, name: String::new(), authentication };
        let operation = Operation::new(NAME, Request::Bind(request), Controls::default());
        let (reply, answer) = oneshot::channel();
        let (verdict, judged) = oneshot::channel();
        let sink = Sink::Sasl { reply, verdict: judged };
        (self.is_open, self.sent) = (self.sent, true);
        let answer = self.connection.call_by(operation, sink, answer, self.deadline, self.limit).await?;
        self.is_open = true;
        match answer.response {
            Response::Bind(response) => Ok((response, answer.controls, verdict)),
            _ => Err(self.connection.unexpected(NAME)),
        }
    }

    /// Lets the mechanism work where it holds nobody up: SCRAM hashes for a while, Kerberos asks another server.
    async fn work<T: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut dyn Mechanism) -> Result<T, SaslError> + Send + 'static,
    ) -> Result<T, Error> {
        let Some(mut mechanism) = self.mechanism.take() else {
            return Err(self.connection.sasl_failed(&self.name, broke()));
        };
        let working = tokio::task::spawn_blocking(move || {
            let done = call(&mut *mechanism);
            (mechanism, done)
        });
        match timeout_at(self.deadline, working).await {
            Ok(Ok((mechanism, done))) => {
                self.mechanism = Some(mechanism);
                done.map_err(|source| self.connection.sasl_failed(&self.name, source))
            }
            Ok(Err(_)) => Err(self.connection.sasl_failed(&self.name, broke())),
            Err(_) => {
                let (url, sent) = (self.connection.url().to_owned(), self.sent);
                Err(Error::Timeout { url, operation: NAME, limit: self.limit, sent })
            }
        }
    }

    fn warn(&self) {
        if let Some(warning) = self.mechanism.as_ref().and_then(|mechanism| mechanism.warning()) {
            tracing::warn!(url = self.connection.url(), mechanism = self.name, warning, "SASL");
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.is_open {
            self.warn();
            self.connection.hang_up();
        }
    }
}

/// A mechanism that panicked, or went missing.
fn broke() -> SaslError {
    SaslError::Library { mechanism: "SASL", reason: "the mechanism broke".to_owned() }
}
