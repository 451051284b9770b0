//! Bind (RFC 4511 section 4.2).

use super::{LdapResult, Password};
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// Asks the server to take the connection for somebody's.
///
/// ```
/// use ldapgate_proto::{BindRequest, Password};
///
/// let bind = BindRequest::simple("uid=ada,dc=example,dc=com", Password::new("engine")?);
/// assert!(!format!("{bind:?}").contains("engine"));
/// # Ok::<(), ldapgate_proto::EmptyPassword>(())
/// ```
#[derive(Debug)]
pub struct BindRequest {
    /// The protocol's version, 3; a server reads others and refuses them.
    pub version: u8,
    /// The name to bind as; empty for anonymous and for most SASL mechanisms.
    pub name: String,
    /// How it is proved.
    pub authentication: Authentication,
}

/// How a bind proves the name.
pub enum Authentication {
    /// Name and password.
    Simple(Password),
    /// Neither name nor password (RFC 4513 section 5.1.1).
    Anonymous,
    /// A name without a password: proves nothing, and a client has no way to send it by accident (section 5.1.2).
    Unauthenticated,
    /// One step of a SASL mechanism.
    Sasl {
        /// The mechanism's name; empty aborts one that is under way.
        mechanism: String,
        /// What the mechanism says in this step.
        credentials: Option<Bytes>,
    },
}

/// The answer to a bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindResponse {
    /// How it ended; [`saslBindInProgress`](super::ResultCode::SASL_BIND_IN_PROGRESS) asks for another step.
    pub result: LdapResult,
    /// What the SASL mechanism's server side says.
    pub server_credentials: Option<Bytes>,
}

const SIMPLE: Tag = Tag::context(0);
const SASL: Tag = Tag::context(3).constructed();
const SERVER_CREDENTIALS: Tag = Tag::context(7);

impl BindRequest {
    /// A bind with name and password.
    pub fn simple(name: impl Into<String>, password: Password) -> BindRequest {
        BindRequest { version: 3, name: name.into(), authentication: Authentication::Simple(password) }
    }

    /// A bind as nobody.
    pub fn anonymous() -> BindRequest {
        BindRequest { version: 3, name: String::new(), authentication: Authentication::Anonymous }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<BindRequest, Error> {
        let at = reader.offset();
        let value = reader.integer(Tag::INTEGER)?;
        let version = u8::try_from(value)
            .map_err(|_| Error::new(ErrorKind::OutOfRange { what: "bind version", value }, at))?;
        let name = reader.text(Tag::OCTETS, "bind name")?.to_owned();
        let authentication = match reader.peek() {
            Some(SIMPLE) => match Password::received(reader.octets(SIMPLE)?) {
                Some(password) => Authentication::Simple(password),
                None if name.is_empty() => Authentication::Anonymous,
                None => Authentication::Unauthenticated,
            },
            Some(SASL) => {
                let mut sasl = reader.enter(SASL)?;
                let mechanism = sasl.text(Tag::OCTETS, "mechanism")?.to_owned();
                let credentials = sasl.enter_if(Tag::OCTETS)?.map(|content| content.rest_shared());
                Authentication::Sasl { mechanism, credentials }
            }
            Some(found) => return Err(reader.error(ErrorKind::Unknown { what: "authentication", found })),
            None => return Err(reader.error(ErrorKind::Missing(SIMPLE))),
        };
        Ok(BindRequest { version, name, authentication })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.integer(Tag::INTEGER, i64::from(self.version));
        writer.octets(Tag::OCTETS, &self.name);
        match &self.authentication {
            Authentication::Simple(password) => writer.octets(SIMPLE, password.expose()),
            Authentication::Anonymous | Authentication::Unauthenticated => writer.empty(SIMPLE),
            Authentication::Sasl { mechanism, credentials } => writer.constructed(SASL, |writer| {
                writer.octets(Tag::OCTETS, mechanism);
                if let Some(credentials) = credentials {
                    writer.octets(Tag::OCTETS, credentials);
                }
            }),
        }
    }
}

impl BindResponse {
    /// An answer without SASL.
    pub fn new(result: LdapResult) -> BindResponse {
        BindResponse { result, server_credentials: None }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<BindResponse, Error> {
        let result = LdapResult::read(reader)?;
        let server_credentials = reader.enter_if(SERVER_CREDENTIALS)?.map(|content| content.rest_shared());
        Ok(BindResponse { result, server_credentials })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.result.write(writer);
        if let Some(credentials) = &self.server_credentials {
            writer.octets(SERVER_CREDENTIALS, credentials);
        }
    }
}

/// Tells the method, never the secret.
impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Authentication::Simple(_) => f.write_str("Simple"),
            Authentication::Anonymous => f.write_str("Anonymous"),
            Authentication::Unauthenticated => f.write_str("Unauthenticated"),
            Authentication::Sasl { mechanism, .. } => write!(f, "Sasl({mechanism:?})"),
        }
    }
}
