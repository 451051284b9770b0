//! Certificates out of PKCS#7, whose signed data serves as their envelope (RFC 5652 section 5.1).
//!
//! Nothing is signed in such a bundle, and nothing is checked: it is a list, like a PEM file.

use crate::certificate::Parts;
use crate::der::{self, Der};

/// `id-signedData`.
pub(crate) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// `content` of ContentInfo and `certificates` of SignedData.
const FIELD_0: u8 = 0xa0;

/// The certificates in DER, in the bundle's order. `Err` says what is damaged.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<&[u8]>, (String, &'static str)> {
    let Some(signed) = signed_data(bytes) else {
        return Err(("the PKCS#7 bundle".to_owned(), "its structure cannot be read"));
    };
    let Some(mut set) = signed else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    while !set.is_empty() {
        let part = || format!("certificate {}", found.len() + 1);
        let Some((tag, whole)) = set.whole() else { return Err((part(), "its length is wrong")) };
        // Other tags are attribute certificates and obsolete forms, which prove no server.
        if tag != der::SEQUENCE {
            continue;
        }
        if Parts::read(whole).is_none() {
            return Err((part(), "its content is no certificate"));
        }
        found.push(whole);
    }
    Ok(found)
}

/// The set of certificates, which may be left out.
fn signed_data(bytes: &[u8]) -> Option<Option<Der<'_>>> {
    let mut info = Der::lenient(bytes).enter(der::SEQUENCE)?;
    if info.expect(der::OID)? != SIGNED_DATA {
        return None;
    }
    let mut data = info.enter(FIELD_0)?.enter(der::SEQUENCE)?;
    data.expect(der::INTEGER)?;
    data.expect(der::SET)?;
    data.expect(der::SEQUENCE)?;
    match data.tag() {
        Some(FIELD_0) => data.enter(FIELD_0).map(Some),
        _ => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outline: what [`Parts`] reads.
    const HOLLOW: &[u8] =
        &[0x30, 0x13, 0x30, 0x0d, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0, 3, 0];

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut out = vec![tag, 0x82];
        out.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        out.extend(content);
        out
    }

    fn bundle(set: &[&[u8]]) -> Vec<u8> {
        let data = element(
            der::SEQUENCE,
            &[&[2, 1, 1], &[der::SET, 0], &element(der::SEQUENCE, &[]), &element(FIELD_0, set)],
        );
        let oid = [&[der::OID, 9], SIGNED_DATA].concat();
        element(der::SEQUENCE, &[&oid, &element(FIELD_0, &[&data])])
    }

    #[test]
    fn certificates_are_found_and_other_things_left_out() {
        let bytes = bundle(&[HOLLOW, &[0xa1, 0], HOLLOW]);
        assert_eq!(certificates(&bytes), Ok(vec![HOLLOW, HOLLOW]));
    }

    #[test]
    fn a_damaged_one_is_named_by_its_number() {
        let (part, _) = certificates(&bundle(&[HOLLOW, &[0x30, 0x01, 0x00]])).unwrap_err();
        assert_eq!(part, "certificate 2");
    }

    #[test]
    fn a_bundle_cut_anywhere_is_an_error_and_no_panic() {
        let bytes = bundle(&[HOLLOW]);
        for length in 0..bytes.len() {
            assert!(certificates(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_bundle_with_any_byte_changed_is_no_panic() {
        let bytes = bundle(&[HOLLOW, HOLLOW]);
        for index in 0..bytes.len() {
            for value in [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = bytes.clone();
                changed[index] = value;
                let _ = certificates(&changed);
            }
        }
    }
}
