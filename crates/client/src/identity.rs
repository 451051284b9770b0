//! As whom a connection binds by itself: the service account of the options.

use std::fmt;
use std::sync::Arc;

use proto::Password;

use crate::{BindReply, BoxError, Connection, Error, Sasl};

/// Where a secret comes from; asked at every bind.
pub(crate) type SecretSource = dyn Fn() -> Result<Password, BoxError> + Send + Sync;

/// A service account: by name and password, or by SASL.
///
/// ```
/// use ldapgate_client::{Identity, Options, Password, Sasl, Simple};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let simple = Simple::new("cn=reader,dc=example,dc=com", Password::new("secret")?);
/// let sasl = Sasl::scram_sha_256("reader", Password::new("secret")?);
/// for identity in [Identity::from(simple), Identity::from(sasl)] {
///     let options = Options::new(["ldaps://ldap.example.com"])?.bind(identity);
/// #   let _ = options;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Identity {
    /// A simple bind.
    Simple(Simple),
    /// A SASL bind.
    Sasl(Sasl),
}

impl Identity {
    /// Who it is, for people: a DN, or a mechanism and a name.
    pub(crate) fn name(&self) -> String {
        match self {
            Identity::Simple(simple) => simple.dn.clone(),
            Identity::Sasl(sasl) => sasl.describe(),
        }
    }

    /// Its secret, read now; `None` where none is needed.
    pub(crate) fn secret(&self) -> Result<Option<Password>, Error> {
        match self {
            Identity::Simple(simple) => simple.secret().map(Some),
            Identity::Sasl(sasl) => sasl.secret(),
        }
    }
}

impl From<Simple> for Identity {
    fn from(simple: Simple) -> Identity {
        Identity::Simple(simple)
    }
}

impl From<Sasl> for Identity {
    fn from(sasl: Sasl) -> Identity {
        Identity::Sasl(sasl)
    }
}

impl Connection {
    /// Binds as a service account with the secret that was read for it.
    pub(crate) async fn bind_as(
        &self,
        identity: &Identity,
        secret: Option<&Password>,
    ) -> Result<BindReply, Error> {
        match (identity, secret) {
            (Identity::Simple(simple), Some(secret)) => self.bind(&simple.dn, secret).await,
            (Identity::Simple(_), None) => Err(Error::NoName),
            // Boxed: choosing a mechanism searches, and a search may bind.
            (Identity::Sasl(sasl), secret) => Box::pin(self.sasl_bind_as(sasl, secret)).await,
        }
    }
}

/// A simple bind: a name and the source of its secret.
#[derive(Clone)]
pub struct Simple {
    pub(crate) dn: String,
    secret: Arc<SecretSource>,
}

impl Simple {
    /// A name and its password.
    pub fn new(dn: impl Into<String>, password: Password) -> Simple {
        Simple::reading(dn, move || Ok(password.duplicate()))
    }

    /// A name, and a source that is asked at every bind: a secret that was changed on disk needs no restart.
    pub fn reading(
        dn: impl Into<String>,
        secret: impl Fn() -> Result<Password, BoxError> + Send + Sync + 'static,
    ) -> Simple {
        Simple { dn: dn.into(), secret: Arc::new(secret) }
    }

    pub(crate) fn secret(&self) -> Result<Password, Error> {
        (self.secret)().map_err(|source| Error::Secret { dn: self.dn.clone(), source })
    }
}

impl fmt::Debug for Simple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simple").field("dn", &self.dn).finish_non_exhaustive()
    }
}
