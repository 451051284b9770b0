//! Names for the object identifiers that servers advertise: controls, extended operations, features, capabilities, matching
//! rules and syntaxes, each with where it is defined.

mod table;

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
            assert!(!known.name.is_empty() && !known.source.is_empty());
        }
    }
}
