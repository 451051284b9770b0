//! LDAPResult (RFC 4511 section 4.1.9) and Referral (section 4.1.10).

use crate::ber::{Error, Reader, Tag, Writer};
use std::fmt;

/// How an operation ended.
///
/// ```
/// use ldapgate_proto::{LdapResult, ResultCode};
///
/// let result = LdapResult::new(ResultCode::NO_SUCH_OBJECT, "no such entry");
/// assert_eq!(result.to_string(), "noSuchObject (32): no such entry");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapResult {
    /// How it ended, in a number.
    pub code: ResultCode,
    /// The last entry on the way to the one that was not found; mostly empty.
    pub matched_dn: String,
    /// The server's own words, for people; what is not UTF-8 in them is replaced.
    pub message: String,
    /// Where to ask instead, as URLs; with [`ResultCode::REFERRAL`] only.
    pub referrals: Vec<String>,
}

const REFERRAL: Tag = Tag::context(3).constructed();

impl LdapResult {
    /// Success without words.
    pub fn success() -> LdapResult {
        LdapResult::new(ResultCode::SUCCESS, "")
    }

    /// A code and a diagnostic message.
    pub fn new(code: ResultCode, message: impl Into<String>) -> LdapResult {
        LdapResult { code, matched_dn: String::new(), message: message.into(), referrals: Vec::new() }
    }

    /// Is the code [`ResultCode::SUCCESS`]?
    pub fn is_success(&self) -> bool {
        self.code == ResultCode::SUCCESS
    }

    /// Reads the components, which stand inside of a response.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<LdapResult, Error> {
        let code = ResultCode(reader.unsigned(Tag::ENUMERATED, "result code")?);
        // The two texts are told to people and compared with nothing: an odd byte must not cost the code.
        let matched_dn = String::from_utf8_lossy(reader.octets(Tag::OCTETS)?).into_owned();
        let message = String::from_utf8_lossy(reader.octets(Tag::OCTETS)?).into_owned();
        let mut referrals = Vec::new();
        if let Some(mut urls) = reader.enter_if(REFERRAL)? {
            while !urls.is_empty() {
                referrals.push(urls.text(Tag::OCTETS, "referral")?.to_owned());
            }
        }
        Ok(LdapResult { code, matched_dn, message, referrals })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.integer(Tag::ENUMERATED, i64::from(self.code.0));
        writer.octets(Tag::OCTETS, &self.matched_dn);
        writer.octets(Tag::OCTETS, &self.message);
        if self.referrals.is_empty() {
            return;
        }
        writer.constructed(REFERRAL, |writer| {
            self.referrals.iter().for_each(|url| writer.octets(Tag::OCTETS, url));
        });
    }
}

impl fmt::Display for LdapResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

/// The number of a result (RFC 4511 section 4.1.9 and appendix A). Numbers that are not named here are legal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResultCode(pub u32);

macro_rules! codes {
    ($($constant:ident = $number:literal $name:literal, $meaning:literal;)*) => {
        impl ResultCode {
            $(#[doc = $meaning] pub const $constant: ResultCode = ResultCode($number);)*

            /// The name that the RFC gives it; "unknown" when it gives none.
            pub fn name(self) -> &'static str {
                match self.0 {
                    $($number => $name,)*
                    _ => "unknown",
                }
            }

            /// Every code that has a name.
            pub const NAMED: &'static [ResultCode] = &[$(ResultCode::$constant),*];
        }
    };
}

codes! {
    SUCCESS = 0 "success", "The operation succeeded.";
    OPERATIONS_ERROR = 1 "operationsError", "Out of sequence, for example a search on a connection that Active Directory wants bound.";
    PROTOCOL_ERROR = 2 "protocolError", "The server could not make sense of the request.";
    TIME_LIMIT_EXCEEDED = 3 "timeLimitExceeded", "The time limit was reached.";
    SIZE_LIMIT_EXCEEDED = 4 "sizeLimitExceeded", "The size limit was reached.";
    COMPARE_FALSE = 5 "compareFalse", "The comparison is false.";
    COMPARE_TRUE = 6 "compareTrue", "The comparison is true.";
    AUTH_METHOD_NOT_SUPPORTED = 7 "authMethodNotSupported", "The way to authenticate is not supported.";
    STRONGER_AUTH_REQUIRED = 8 "strongerAuthRequired", "Signing, encryption or a stronger bind is required.";
    REFERRAL = 10 "referral", "Another server is to be asked.";
    ADMIN_LIMIT_EXCEEDED = 11 "adminLimitExceeded", "A limit set by the administrator was reached.";
    UNAVAILABLE_CRITICAL_EXTENSION = 12 "unavailableCriticalExtension", "A critical control is not supported.";
    CONFIDENTIALITY_REQUIRED = 13 "confidentialityRequired", "Encryption is required.";
    SASL_BIND_IN_PROGRESS = 14 "saslBindInProgress", "The bind goes on with another step.";
    NO_SUCH_ATTRIBUTE = 16 "noSuchAttribute", "The entry has no such attribute or value.";
    UNDEFINED_ATTRIBUTE_TYPE = 17 "undefinedAttributeType", "The schema has no such attribute.";
    INAPPROPRIATE_MATCHING = 18 "inappropriateMatching", "The matching rule does not fit the attribute.";
    CONSTRAINT_VIOLATION = 19 "constraintViolation", "A value breaks a constraint.";
    ATTRIBUTE_OR_VALUE_EXISTS = 20 "attributeOrValueExists", "The attribute or value is there already.";
    INVALID_ATTRIBUTE_SYNTAX = 21 "invalidAttributeSyntax", "A value does not fit its syntax.";
    NO_SUCH_OBJECT = 32 "noSuchObject", "There is no such entry.";
    ALIAS_PROBLEM = 33 "aliasProblem", "An alias leads nowhere.";
    INVALID_DN_SYNTAX = 34 "invalidDNSyntax", "A name is malformed.";
    ALIAS_DEREFERENCING_PROBLEM = 36 "aliasDereferencingProblem", "An alias may not be followed.";
    INAPPROPRIATE_AUTHENTICATION = 48 "inappropriateAuthentication", "The entry cannot be bound as in this way.";
    INVALID_CREDENTIALS = 49 "invalidCredentials", "The name or the password is wrong.";
    INSUFFICIENT_ACCESS_RIGHTS = 50 "insufficientAccessRights", "The bound identity may not do this.";
    BUSY = 51 "busy", "The server is busy.";
    UNAVAILABLE = 52 "unavailable", "The server is shutting down or not ready.";
    UNWILLING_TO_PERFORM = 53 "unwillingToPerform", "The server refuses, for a reason of its own.";
    LOOP_DETECT = 54 "loopDetect", "An alias or referral leads back to itself.";
    NAMING_VIOLATION = 64 "namingViolation", "The name is not allowed there.";
    OBJECT_CLASS_VIOLATION = 65 "objectClassViolation", "The entry does not fit its object classes.";
    NOT_ALLOWED_ON_NON_LEAF = 66 "notAllowedOnNonLeaf", "The entry has others below it.";
    NOT_ALLOWED_ON_RDN = 67 "notAllowedOnRDN", "The value is part of the entry's name.";
    ENTRY_ALREADY_EXISTS = 68 "entryAlreadyExists", "The entry is there already.";
    OBJECT_CLASS_MODS_PROHIBITED = 69 "objectClassModsProhibited", "The structural object class cannot be changed.";
    AFFECTS_MULTIPLE_DSAS = 71 "affectsMultipleDSAs", "The operation spans several servers.";
    OTHER = 80 "other", "Something else.";
    CANCELED = 118 "canceled", "The operation was cancelled (RFC 3909).";
    NO_SUCH_OPERATION = 119 "noSuchOperation", "There is nothing to cancel (RFC 3909).";
    TOO_LATE = 120 "tooLate", "It is too late to cancel (RFC 3909).";
    CANNOT_CANCEL = 121 "cannotCancel", "It cannot be cancelled (RFC 3909).";
    ASSERTION_FAILED = 122 "assertionFailed", "The assertion control's filter did not match (RFC 4528).";
    AUTHORIZATION_DENIED = 123 "authorizationDenied", "The proxied identity may not be assumed (RFC 4370).";
    SYNC_REFRESH_REQUIRED = 4096 "e-syncRefreshRequired", "The content must be fetched anew (RFC 4533).";
}

impl ResultCode {
    /// Is another server to be asked?
    pub fn is_referral(self) -> bool {
        self == ResultCode::REFERRAL
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl fmt::Debug for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn every_code_has_its_own_name_and_the_rest_are_told_by_number() {
        let mut names: Vec<_> = ResultCode::NAMED.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ResultCode::NAMED.len());
        assert_eq!(ResultCode(49).to_string(), "invalidCredentials (49)");
        assert_eq!(ResultCode(9).to_string(), "unknown (9)");
    }

    #[test]
    fn a_message_that_is_not_utf8_does_not_cost_the_code() {
        let frame = Bytes::from_static(&[0x0a, 0x01, 0x31, 0x04, 0x00, 0x04, 0x02, 0xff, b'x']);
        let result = LdapResult::read(&mut Reader::new(&frame)).unwrap();
        assert_eq!(result, LdapResult::new(ResultCode::INVALID_CREDENTIALS, "\u{fffd}x"));
    }

    #[test]
    fn referrals_are_read_and_written() {
        let frame = Bytes::from_static(b"\x0a\x01\x0a\x04\x00\x04\x00\xa3\x0c\x04\x04ldap\x04\x04ldaq");
        let result = LdapResult::read(&mut Reader::new(&frame)).unwrap();
        assert_eq!(result.referrals, ["ldap", "ldaq"]);
        assert!(result.code.is_referral());
        let mut writer = Writer::new();
        result.write(&mut writer);
        assert_eq!(writer.finish(), frame);
    }

    #[test]
    fn a_negative_code_is_refused() {
        let frame = Bytes::from_static(&[0x0a, 0x01, 0xff, 0x04, 0x00, 0x04, 0x00]);
        assert_eq!(LdapResult::read(&mut Reader::new(&frame)).unwrap_err().offset, 0);
    }
}
