//! Names for the object identifiers that servers advertise in their root DSE.

/// What an OID of a control, extended operation, feature or capability stands for.
///
/// ```
/// assert_eq!(ldapgate_proto::oid::name("1.3.6.1.4.1.1466.20037"), Some("StartTLS"));
/// assert_eq!(ldapgate_proto::oid::name("1.2.3"), None);
/// ```
pub fn name(oid: &str) -> Option<&'static str> {
    let found = NAMES.binary_search_by(|(known, _)| (*known).cmp(oid)).ok()?;
    Some(NAMES[found].1)
}

/// In the order of their text, so that they can be searched by halves.
const NAMES: &[(&str, &str)] = &[
    ("1.2.826.0.1.3344810.2.3", "matched values"),
    ("1.2.840.113549.6.0.0", "signed operation"),
    ("1.2.840.113556.1.4.1338", "verify name"),
    ("1.2.840.113556.1.4.1339", "domain scope"),
    ("1.2.840.113556.1.4.1340", "search options"),
    ("1.2.840.113556.1.4.1341", "read-only domain controller promotion"),
    ("1.2.840.113556.1.4.1413", "permissive modify"),
    ("1.2.840.113556.1.4.1504", "attribute scoped query"),
    ("1.2.840.113556.1.4.1670", "Active Directory 2003"),
    ("1.2.840.113556.1.4.1781", "fast concurrent bind"),
    ("1.2.840.113556.1.4.1791", "Active Directory integrity and signing"),
    ("1.2.840.113556.1.4.1852", "quota of a user"),
    ("1.2.840.113556.1.4.1907", "server shutdown notice"),
    ("1.2.840.113556.1.4.1935", "Active Directory 2008"),
    ("1.2.840.113556.1.4.2065", "show deactivated links"),
    ("1.2.840.113556.1.4.2080", "Active Directory 2008 R2"),
    ("1.2.840.113556.1.4.2212", "batched extended requests"),
    ("1.2.840.113556.1.4.2237", "Active Directory 2012"),
    ("1.2.840.113556.1.4.2239", "policy hints"),
    ("1.2.840.113556.1.4.319", "paged results"),
    ("1.2.840.113556.1.4.417", "show deleted"),
    ("1.2.840.113556.1.4.473", "server side sorting request"),
    ("1.2.840.113556.1.4.474", "server side sorting response"),
    ("1.2.840.113556.1.4.521", "cross-domain move"),
    ("1.2.840.113556.1.4.528", "change notification"),
    ("1.2.840.113556.1.4.529", "extended DN"),
    ("1.2.840.113556.1.4.619", "lazy commit"),
    ("1.2.840.113556.1.4.800", "Active Directory"),
    ("1.2.840.113556.1.4.801", "security descriptor flags"),
    ("1.2.840.113556.1.4.802", "range option"),
    ("1.2.840.113556.1.4.803", "bitwise AND matching rule"),
    ("1.2.840.113556.1.4.804", "bitwise OR matching rule"),
    ("1.2.840.113556.1.4.805", "tree delete"),
    ("1.2.840.113556.1.4.841", "directory synchronisation"),
    ("1.2.840.113556.1.4.970", "search statistics"),
    ("1.3.6.1.1.12", "assertion"),
    ("1.3.6.1.1.13.1", "pre-read"),
    ("1.3.6.1.1.13.2", "post-read"),
    ("1.3.6.1.1.14", "modify-increment"),
    ("1.3.6.1.1.17.1", "start LBURP"),
    ("1.3.6.1.1.21.1", "start transaction"),
    ("1.3.6.1.1.21.2", "transaction specification"),
    ("1.3.6.1.1.21.3", "end transaction"),
    ("1.3.6.1.1.22", "don't use copy"),
    ("1.3.6.1.1.8", "cancel"),
    ("1.3.6.1.4.1.1466.101.119.1", "dynamic refresh"),
    ("1.3.6.1.4.1.1466.20036", "notice of disconnection"),
    ("1.3.6.1.4.1.1466.20037", "StartTLS"),
    ("1.3.6.1.4.1.1466.29539.12", "chaining loop detect"),
    ("1.3.6.1.4.1.21008.108.63.1", "session tracking"),
    ("1.3.6.1.4.1.42.2.27.8.5.1", "password policy"),
    ("1.3.6.1.4.1.42.2.27.9.5.2", "effective rights"),
    ("1.3.6.1.4.1.42.2.27.9.5.8", "account usable"),
    ("1.3.6.1.4.1.4203.1.10.1", "subentries"),
    ("1.3.6.1.4.1.4203.1.10.2", "no-op"),
    ("1.3.6.1.4.1.4203.1.11.1", "password modify"),
    ("1.3.6.1.4.1.4203.1.11.3", "who am I"),
    ("1.3.6.1.4.1.4203.1.5.1", "all operational attributes"),
    ("1.3.6.1.4.1.4203.1.5.2", "attributes by object class"),
    ("1.3.6.1.4.1.4203.1.5.3", "true and false filters"),
    ("1.3.6.1.4.1.4203.1.5.4", "language tag options"),
    ("1.3.6.1.4.1.4203.1.5.5", "language range options"),
    ("1.3.6.1.4.1.4203.1.9.1.1", "content synchronisation request"),
    ("1.3.6.1.4.1.4203.1.9.1.2", "content synchronisation state"),
    ("1.3.6.1.4.1.4203.1.9.1.3", "content synchronisation done"),
    ("1.3.6.1.4.1.4203.1.9.1.4", "content synchronisation information"),
    ("1.3.6.1.4.1.7628.5.101.1", "LDAP subentries"),
    ("2.16.840.1.113730.3.4.10", "virtual list view response"),
    ("2.16.840.1.113730.3.4.12", "proxied authorisation, version 1"),
    ("2.16.840.1.113730.3.4.14", "backend name"),
    ("2.16.840.1.113730.3.4.15", "authorisation identity response"),
    ("2.16.840.1.113730.3.4.16", "authorisation identity request"),
    ("2.16.840.1.113730.3.4.17", "real attributes only"),
    ("2.16.840.1.113730.3.4.18", "proxied authorisation"),
    ("2.16.840.1.113730.3.4.19", "virtual attributes only"),
    ("2.16.840.1.113730.3.4.2", "manage DSA IT"),
    ("2.16.840.1.113730.3.4.20", "search one backend only"),
    ("2.16.840.1.113730.3.4.3", "persistent search"),
    ("2.16.840.1.113730.3.4.4", "password expired"),
    ("2.16.840.1.113730.3.4.5", "password expires"),
    ("2.16.840.1.113730.3.4.7", "entry change notification"),
    ("2.16.840.1.113730.3.4.9", "virtual list view request"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_entry_is_found() {
        for pair in NAMES.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands before {}", pair[0].0, pair[1].0);
        }
        for (oid, expected) in NAMES {
            assert_eq!(name(oid), Some(*expected));
        }
    }
}
