//! Names for the object identifiers that servers advertise: controls, extended operations, features, capabilities, matching
//! rules and syntaxes, each with where it is defined.

mod table;

/// The capability of a server that is Active Directory (MS-ADTS section 3.1.1.3.4.3). Samba has it as well.
pub const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";
/// The capability of Active Directory since Windows Server 2003.
pub const ACTIVE_DIRECTORY_2003: &str = "1.2.840.113556.1.4.1670";
/// The capability of an Active Directory that signs and seals on connections that were bound by NTLM.
pub const ACTIVE_DIRECTORY_INTEGRITY: &str = "1.2.840.113556.1.4.1791";
/// The capability of Active Directory since Windows Server 2008, and of Lightweight Directory Services since then.
pub const ACTIVE_DIRECTORY_2008: &str = "1.2.840.113556.1.4.1935";
/// The capability of Active Directory since Windows Server 2008 R2.
pub const ACTIVE_DIRECTORY_2008_R2: &str = "1.2.840.113556.1.4.2080";
/// The capability of Active Directory Lightweight Directory Services, which has no domain.
pub const ACTIVE_DIRECTORY_LDS: &str = "1.2.840.113556.1.4.1851";

/// What an OID stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The OID.
    pub oid: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What people call it.
    pub name: &'static str,
    /// Where it is defined: "RFC 2696", "MS-ADTS 3.1.1.3.4.1", a draft, or whose own it is.
    pub source: &'static str,
}

/// What kind of thing an OID stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A control, of a request or a response.
    Control,
    /// An extended operation, its response, or an unsolicited or intermediate message.
    Extension,
    /// A feature (RFC 3674).
    Feature,
    /// One of Active Directory's capabilities.
    Capability,
    /// A matching rule.
    MatchingRule,
    /// A syntax of attributes.
    Syntax,
}

/// What is known of an OID.
///
/// ```
/// let known = ldapgate_proto::oid::find("1.2.840.113556.1.4.319").expect("everybody knows it");
/// assert_eq!((known.name, known.source), ("paged results", "RFC 2696"));
/// ```
pub fn find(oid: &str) -> Option<&'static Known> {
    let place = table::TABLE.binary_search_by(|known| known.oid.cmp(oid)).ok()?;
    Some(&table::TABLE[place])
}

/// What people call an OID.
///
/// ```
/// assert_eq!(ldapgate_proto::oid::name("1.3.6.1.4.1.1466.20037"), Some("StartTLS"));
/// assert_eq!(ldapgate_proto::oid::name("1.2.3"), None);
/// ```
pub fn name(oid: &str) -> Option<&'static str> {
    find(oid).map(|known| known.name)
}

/// Is this an OID in its dotted form (RFC 4512 section 1.4: numericoid)? Two numbers at least; zeros in front of one are let
/// through, as servers do.
///
/// ```
/// use ldapgate_proto::oid::is_oid;
/// assert!(is_oid("2.5.4.35") && !is_oid("2") && !is_oid("2..5") && !is_oid("userPassword"));
/// ```
pub fn is_oid(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::table::TABLE;
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_entry_is_found() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].oid < pair[1].oid, "{} stands before {}", pair[0].oid, pair[1].oid);
        }
        for known in TABLE {
            assert_eq!(find(known.oid), Some(known));
            assert!(is_oid(known.oid) && !known.name.is_empty() && !known.source.is_empty());
        }
    }

    #[test]
    fn the_constants_are_capabilities_of_the_table() {
        for (oid, name) in [
            (ACTIVE_DIRECTORY, "Active Directory"),
            (ACTIVE_DIRECTORY_2003, "Active Directory 2003"),
            (ACTIVE_DIRECTORY_INTEGRITY, "Active Directory integrity and signing"),
            (ACTIVE_DIRECTORY_2008, "Active Directory 2008"),
            (ACTIVE_DIRECTORY_2008_R2, "Active Directory 2008 R2"),
            (ACTIVE_DIRECTORY_LDS, "Active Directory Lightweight Directory Services"),
        ] {
            let known = find(oid).unwrap();
            assert_eq!((known.kind, known.name), (Kind::Capability, name));
        }
    }

    #[test]
    fn an_oid_is_numbers_between_dots() {
        for oid in ["1.2", "2.5.4.35", "1.3.6.1.4.1.1466.20037"] {
            assert!(is_oid(oid), "{oid}");
        }
        for text in ["", "1", ".", "1.", ".1", "1..2", "1.x", "1.2 ", "1,2", "1.-2", "cn", "1.\u{662}"] {
            assert!(!is_oid(text), "{text:?}");
        }
    }
}
