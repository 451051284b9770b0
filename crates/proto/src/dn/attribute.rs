//! Attribute types: what is one, and which names mean the same.

use std::borrow::Cow;

/// Types that have several names: the one comparisons use, its OID, and the others in lower case.
const ALIASES: &[(&str, &str, &[&str])] = &[
    ("cn", "2.5.4.3", &["commonname"]),
    ("sn", "2.5.4.4", &["surname"]),
    ("serialnumber", "2.5.4.5", &[]),
    ("c", "2.5.4.6", &["countryname"]),
    ("l", "2.5.4.7", &["localityname"]),
    ("st", "2.5.4.8", &["stateorprovincename", "s"]),
    ("street", "2.5.4.9", &["streetaddress"]),
    ("o", "2.5.4.10", &["organizationname"]),
    ("ou", "2.5.4.11", &["organizationalunitname"]),
    ("title", "2.5.4.12", &[]),
    ("description", "2.5.4.13", &["multilinedescription"]),
    ("telephonenumber", "2.5.4.20", &[]),
    ("member", "2.5.4.31", &[]),
    ("owner", "2.5.4.32", &[]),
    ("seealso", "2.5.4.34", &[]),
    ("userpassword", "2.5.4.35", &[]),
    ("name", "2.5.4.41", &[]),
    ("givenname", "2.5.4.42", &["gn"]),
    ("initials", "2.5.4.43", &[]),
    ("generationqualifier", "2.5.4.44", &[]),
    ("dnqualifier", "2.5.4.46", &[]),
    ("uniquemember", "2.5.4.50", &[]),
    ("objectclass", "2.5.4.0", &[]),
    ("uid", "0.9.2342.19200300.100.1.1", &["userid"]),
    ("mail", "0.9.2342.19200300.100.1.3", &["rfc822mailbox"]),
    ("manager", "0.9.2342.19200300.100.1.10", &[]),
    ("homephone", "0.9.2342.19200300.100.1.20", &["hometelephonenumber"]),
    ("dc", "0.9.2342.19200300.100.1.25", &["domaincomponent"]),
    ("mobile", "0.9.2342.19200300.100.1.41", &["mobiletelephonenumber"]),
    ("pager", "0.9.2342.19200300.100.1.42", &["pagertelephonenumber"]),
    ("emailaddress", "1.2.840.113549.1.9.1", &["email", "e", "pkcs9email"]),
    ("facsimiletelephonenumber", "2.5.4.23", &["fax"]),
    ("uidnumber", "1.3.6.1.1.1.1.0", &[]),
    ("gidnumber", "1.3.6.1.1.1.1.1", &[]),
    ("memberuid", "1.3.6.1.1.1.1.12", &[]),
    ("memberof", "1.2.840.113556.1.2.102", &[]),
    ("entryuuid", "1.3.6.1.1.16.4", &[]),
    ("entrydn", "1.3.6.1.1.20", &[]),
];

/// The types of nearly all names, as they are nearly always written.
const USUAL: [&str; 4] = ["dc", "ou", "cn", "uid"];

/// The name that comparisons use, in lower case; of an unknown type, itself.
pub(crate) fn canonical(attribute: &str) -> Cow<'_, str> {
    if USUAL.contains(&attribute) {
        return Cow::Borrowed(attribute);
    }
    let numeric = attribute.starts_with(|c: char| c.is_ascii_digit());
    let known = ALIASES.iter().find(|(_, oid, others)| match numeric {
        true => *oid == attribute,
        false => others.iter().any(|other| other.eq_ignore_ascii_case(attribute)),
    });
    match known {
        Some((name, _, _)) => Cow::Borrowed(name),
        None if attribute.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Cow::Owned(attribute.to_ascii_lowercase())
        }
        None => Cow::Borrowed(attribute),
    }
}

/// The type as it was written, to be kept.
pub(super) fn keep(attribute: &str) -> Cow<'static, str> {
    match USUAL.iter().find(|usual| **usual == attribute) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(attribute.to_owned()),
    }
}

/// Is this a `keystring` or a `numericoid` (RFC 4512 section 1.4)? An underscore passes, since servers have such names.
pub(crate) fn is_attribute_type(text: &str) -> bool {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(first) if first.is_ascii_alphabetic() => bytes.all(is_name_byte),
        Some(first) if first.is_ascii_digit() => {
            text.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
        }
        _ => false,
    }
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_mean_one_type() {
        for name in ["cn", "CN", "commonName", "2.5.4.3"] {
            assert_eq!(canonical(name), "cn");
        }
        assert_eq!(canonical("sAMAccountName"), "samaccountname");
        assert_eq!(canonical("1.2.3"), "1.2.3");
    }

    #[test]
    fn no_name_is_in_the_table_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (name, oid, others) in ALIASES {
            for text in [name, oid].into_iter().chain(*others) {
                assert!(seen.insert(*text), "{text}");
                assert_eq!(text.to_lowercase(), *text);
            }
        }
    }

    #[test]
    fn types_are_names_or_numbers() {
        for (text, expected) in [
            ("cn", true),
            ("x-y_z1", true),
            ("2.5.4.3", true),
            ("0", true),
            ("", false),
            ("1.", false),
            (".1", false),
            ("1a", false),
            ("-a", false),
            ("a b", false),
            ("a;b", false),
            ("ä", false),
        ] {
            assert_eq!(is_attribute_type(text), expected, "{text}");
        }
    }
}
