//! Bind (RFC 4511 section 4.2): a password proved, or nobody.

use proto::control::{PasswordExpired, PasswordExpiring, PasswordPolicy};
use proto::message::{Authentication, BindRequest, Request, Response};
use proto::{Control, Controls, LdapResult, Password};
use tracing::Instrument as _;

use crate::connection::Operation;
use crate::error::is_passing;
use crate::{Connection, Error};

/// The only version there is.
pub(crate) const VERSION: u8 = 3;

/// What the server said to a bind. "No" is an answer like any other.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BindReply {
    /// The result; success alone means that the name was proved.
    pub result: LdapResult,
    /// What came with it.
    pub controls: Controls,
}

impl BindReply {
    /// An answer, for tests of what is made of it.
    ///
    /// ```
    /// use ldapgate_client::{BindReply, LdapResult, ResultCode};
    ///
    /// let wrong = BindReply::new(LdapResult::new(ResultCode::INVALID_CREDENTIALS, ""), []);
    /// assert!(!wrong.is_success() && wrong.policy().is_none());
    /// ```
    pub fn new(result: LdapResult, controls: impl IntoIterator<Item = Control>) -> BindReply {
        BindReply { result, controls: controls.into_iter().collect() }
    }

    /// Was the password right? A referral is not success (RFC 4511 section 4.1.10).
    pub fn is_success(&self) -> bool {
        self.result.is_success()
    }

    /// What the server's password policy says, when it says something that can be read.
    pub fn policy(&self) -> Option<PasswordPolicy> {
        read_policy(&self.controls)
    }

    /// Does the server say, in the older way of 389 Directory Server and FreeIPA, that the password has expired?
    pub fn says_expired(&self) -> bool {
        self.controls.get(PasswordExpired::OID).is_some()
    }

    /// What the server says, in the same way, of when the password expires; when it can be read.
    pub fn expiring(&self) -> Option<PasswordExpiring> {
        let control = self.controls.get(PasswordExpiring::OID)?;
        let read = PasswordExpiring::parse(&control);
        read.inspect_err(|error| tracing::debug!(%error, "the password expiring control cannot be read")).ok()
    }
}

/// The password policy among an answer's controls.
pub(crate) fn read_policy(controls: &Controls) -> Option<PasswordPolicy> {
    let control = controls.get(PasswordPolicy::OID)?;
    match PasswordPolicy::parse(&control) {
        Ok(policy) => Some(policy),
        Err(error) => {
            tracing::debug!(%error, "the password policy control cannot be read");
            None
        }
    }
}

impl Connection {
    /// A simple bind. `Ok` carries every answer of the server, invalidCredentials (49) included.
    ///
    /// Nothing else may be under way on this connection. Dropping the future closes the connection, since a bind
    /// cannot be abandoned (RFC 4511 section 4.11).
    ///
    /// # Errors
    ///
    /// [`Error::Cleartext`] before anything is sent when somebody could listen: not with TLS, on loopback, over
    /// `ldapi` or when the options allow it. [`Error::NoName`] for an empty name. [`Error::Shared`] on a pool's look-up
    /// connection. Otherwise as every call.
    pub async fn bind(&self, dn: &str, password: &Password) -> Result<BindReply, Error> {
        self.bind_with(dn, password, Controls::default()).await
    }

    /// A bind as nobody, by an empty name and an empty password, which is not the way to prove anything.
    ///
    /// # Errors
    ///
    /// As every call.
    #[tracing::instrument(name = "ldap.bind_anonymous", level = "debug", skip_all, fields(url = self.url()))]
    pub async fn bind_anonymous(&self) -> Result<BindReply, Error> {
        let request =
            BindRequest { version: VERSION, name: String::new(), authentication: Authentication::Anonymous };
        self.send_bind(request, Controls::default()).await
    }

    /// Binds as the options' service account, where they name one: for a connection of a [`Probe`](crate::Probe), which comes
    /// without. Every other connection of options with an account is bound already.
    ///
    /// # Errors
    ///
    /// [`Error::ServiceBind`] when it is refused, [`Error::Secret`] when its secret cannot be read, [`Error::Cleartext`] when
    /// it would travel in clear text; otherwise as every call.
    pub async fn bind_service(&self) -> Result<(), Error> {
        let Some(service) = &self.shared.options.service else { return Ok(()) };
        let secret = service.secret()?;
        let result = self.bind_as(service, secret.as_ref()).await?.result;
        if result.is_success() {
            return Ok(());
        }
        if is_passing(result.code) {
            return Err(self.refused("bind", result));
        }
        let (url, dn) = (self.url().to_owned(), service.name());
        Err(Error::ServiceBind { url, dn, result: Box::new(result), retry: None })
    }

    /// The log has the name of a bind that succeeded. Of another it has none: where a name is made of what somebody typed, that
    /// may be the password.
    pub(crate) async fn bind_with(
        &self,
        dn: &str,
        password: &Password,
        controls: Controls,
    ) -> Result<BindReply, Error> {
        let span = tracing::debug_span!("ldap.bind", url = self.url(), dn = tracing::field::Empty);
        let reply = self.bind_simply(dn, password, controls).instrument(span.clone()).await?;
        if reply.result.is_success() {
            span.record("dn", dn);
        }
        Ok(reply)
    }

    async fn bind_simply(
        &self,
        dn: &str,
        password: &Password,
        controls: Controls,
    ) -> Result<BindReply, Error> {
        if dn.trim().is_empty() {
            return Err(Error::NoName);
        }
        if !self.keeps_secrets() {
            return Err(Error::Cleartext { url: self.url().to_owned() });
        }
        let authentication = Authentication::Simple(password.duplicate());
        let request = BindRequest { version: VERSION, name: dn.to_owned(), authentication };
        self.send_bind(request, controls).await
    }

    async fn send_bind(&self, request: BindRequest, controls: Controls) -> Result<BindReply, Error> {
        if self.is_sealed() {
            return Err(Error::Shared { url: self.url().to_owned() });
        }
        let name = request.name.clone();
        let operation = Operation::new("bind", Request::Bind(request), controls);
        let answer = self.call(operation).await?;
        match answer.response {
            Response::Bind(response) => {
                // Whatever was before is over: a bind that failed leaves nobody (RFC 4511 section 4.2.1).
                self.shared.state.bind(Some(name).filter(|_| response.result.is_success()));
                tracing::debug!(code = %response.result.code, "answered");
                Ok(BindReply { result: response.result, controls: answer.controls })
            }
            _ => Err(self.unexpected("bind")),
        }
    }

    /// May a password be told to this connection?
    pub(crate) fn keeps_secrets(&self) -> bool {
        let private = self.shared.state.private.load(std::sync::atomic::Ordering::Acquire);
        private || self.shared.options.allow_cleartext
    }
}
