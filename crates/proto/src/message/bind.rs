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
    /// One step of Active Directory's own bind for NTLM, older than its SASL (MS-ADTS section 5.1.1.1.3).
    Sicily {
        /// Which step.
        step: SicilyStep,
        /// NTLM's message.
        credentials: Bytes,
    },
}

/// The steps of a SICILY bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SicilyStep {
    /// Asks which packages there are.
    PackageDiscovery,
    /// Begins; the bind's name is the package's.
    Negotiate,
    /// Answers the challenge.
    Response,
}

impl SicilyStep {
    fn tag(self) -> Tag {
        match self {
            SicilyStep::PackageDiscovery => Tag::context(9),
            SicilyStep::Negotiate => Tag::context(10),
            SicilyStep::Response => Tag::context(11),
        }
    }

    fn of(tag: Tag) -> Option<SicilyStep> {
        [SicilyStep::PackageDiscovery, SicilyStep::Negotiate, SicilyStep::Response]
            .into_iter()
            .find(|step| step.tag() == tag)
    }
}

/// The answer to a bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindResponse {
    /// How it ended; [`saslBindInProgress`](super::ResultCode::SASL_BIND_IN_PROGRESS) asks for another step.
    pub result: LdapResult,
    /// What the SASL mechanism's server side says, or the challenge of a SICILY bind, which Windows puts in the place of the
    /// matched DN.
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
            Some(found) => match SicilyStep::of(found) {
                Some(step) => Authentication::Sicily { step, credentials: reader.shared(found)? },
                None => return Err(reader.error(ErrorKind::Unknown { what: "authentication", found })),
            },
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
            Authentication::Sicily { step, credentials } => writer.octets(step.tag(), credentials),
        }
    }
}

impl BindResponse {
    /// An answer without SASL.
    pub fn new(result: LdapResult) -> BindResponse {
        BindResponse { result, server_credentials: None }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<BindResponse, Error> {
        let challenge = sicily_challenge(*reader)?;
        let mut result = LdapResult::read(reader)?;
        let server_credentials = reader.enter_if(SERVER_CREDENTIALS)?.map(|content| content.rest_shared());
        if challenge.is_some() {
            result.matched_dn.clear();
        }
        Ok(BindResponse { result, server_credentials: server_credentials.or(challenge) })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.result.write(writer);
        if let Some(credentials) = &self.server_credentials {
            writer.octets(SERVER_CREDENTIALS, credentials);
        }
    }
}

/// What stands in the place of the matched DN, when it is NTLM's. No DN begins so.
fn sicily_challenge(mut reader: Reader<'_>) -> Result<Option<Bytes>, Error> {
    reader.enter(Tag::ENUMERATED)?;
    let matched = reader.shared(Tag::OCTETS)?;
    Ok(matched.starts_with(b"NTLMSSP\0").then_some(matched))
}

/// Tells the method, never the secret.
impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Authentication::Simple(_) => f.write_str("Simple"),
            Authentication::Anonymous => f.write_str("Anonymous"),
            Authentication::Unauthenticated => f.write_str("Unauthenticated"),
            Authentication::Sasl { mechanism, .. } => write!(f, "Sasl({mechanism:?})"),
            Authentication::Sicily { step, .. } => write!(f, "Sicily({step:?})"),
        }
    }
}
