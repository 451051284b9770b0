//! User friendly names (RFC 1781), as `ldapsearch` writes them: `alice, people, example.com`.

use proto::dn::Rdn;
use proto::{Dn, Entry};

/// The entry's name without types; `None` when it cannot be read.
pub(super) fn name(entry: &Entry) -> Option<String> {
    let dn = entry.parse_dn().ok()?;
    let rdns: Vec<&Rdn> = dn.rdns().iter().collect();
    // What the name ends with is a domain, and written as one.
    let domain = rdns.iter().rev().take_while(|rdn| is_domain(rdn)).count();
    let (names, domain) = rdns.split_at(rdns.len() - domain);
    let mut parts: Vec<String> = names.iter().map(|rdn| values(rdn, " + ")).collect();
    if !domain.is_empty() {
        parts.push(domain.iter().map(|rdn| values(rdn, " + ")).collect::<Vec<_>>().join("."));
    }
    Some(parts.join(", "))
}

/// The parts of a name without types, to be sorted by.
pub(super) fn parts(dn: &Dn) -> Vec<String> {
    dn.rdns().iter().map(|rdn| values(rdn, "+")).collect()
}

fn is_domain(rdn: &Rdn) -> bool {
    matches!(rdn.avas(), [ava] if ["dc", "0.9.2342.19200300.100.1.25"].iter().any(|name| ava.attribute().eq_ignore_ascii_case(name)))
}

fn values(rdn: &Rdn, joint: &str) -> String {
    rdn.avas().iter().map(|ava| escaped(ava.value())).collect::<Vec<_>>().join(joint)
}

/// What is not plain in hexadecimal digits, and control characters too, which `ldapsearch` would let through.
fn escaped(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for (at, &byte) in value.iter().enumerate() {
        let (first, last) = (at == 0, at + 1 == value.len());
        let needs = match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' | b'=' => true,
            b' ' => first || last,
            b'#' => first,
            _ => !(b' '..=b'~').contains(&byte),
        };
        if needs { out.push_str(&format!("\\{byte:02X}")) } else { out.push(char::from(byte)) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_ldapsearch_writes_them() {
        for (dn, expected) in [
            ("uid=alice,ou=people,dc=example,dc=com", "alice, people, example.com"),
            ("cn=Jürgen,dc=com", "J\\C3\\BCrgen, com"),
            (
                "cn=odd\\, name\\+plus \\\"q\\\"+sn=more\\=x,o=x",
                "odd\\2C name\\2Bplus \\22q\\22 + more\\3Dx, x",
            ),
            ("cn=\\23lead \\20,dc=a,o=b", "\\23lead \\20, a, b"),
            ("cn=line\\0Abreak\\;x#y", "line\\0Abreak\\3Bx#y"),
            ("", ""),
        ] {
            assert_eq!(name(&Entry::builder(dn).build()).as_deref(), Some(expected), "{dn}");
        }
        assert_eq!(name(&Entry::builder("no name").build()), None);
    }
}
