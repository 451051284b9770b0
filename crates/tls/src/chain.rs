//! Certificates of a set, which has no order, as a chain, which has one (RFC 8446 section 4.4.2).

use rustls::pki_types::CertificateDer;

use crate::certificate::Parts;

/// The certificate of the presenter first, which is `leaf` where that is known, and after each certificate its issuer's.
/// Others are left out: they prove nothing.
pub(crate) fn leaf_first(
    set: Vec<CertificateDer<'static>>,
    leaf: Option<usize>,
) -> Vec<CertificateDer<'static>> {
    let parts: Vec<Parts<'_>> = set.iter().filter_map(|certificate| Parts::read(certificate)).collect();
    if parts.len() != set.len() {
        return set;
    }
    let issues = |at: usize| {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
        others.into_iter().any(|(_, other)| other.issuer == parts[at].subject)
    };
    let Some(mut at) = leaf.or_else(|| (0..parts.len()).find(|at| !issues(*at))) else { return set };
    let mut order = vec![at];
    while parts[at].issuer != parts[at].subject {
        let above = |next: &usize| !order.contains(next) && parts[*next].subject == parts[at].issuer;
        let Some(next) = (0..parts.len()).find(above) else { break };
        order.push(next);
        at = next;
    }
    order.into_iter().map(|at| set[at].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: u8, issuer: u8) -> CertificateDer<'static> {
        let body =
            [0x30, 0x13, 2, 1, 1, 0x30, 0, 0x30, 3, 2, 1, issuer, 0x30, 0, 0x30, 3, 2, 1, subject, 0x30, 0];
        [&[0x30, 0x19][..], &body, &[0x30, 0, 3, 0]].concat().into()
    }

    #[test]
    fn the_set_becomes_a_chain() {
        let (root, middle, leaf) = (certificate(1, 1), certificate(2, 1), certificate(3, 2));
        let (stranger, chain) = (certificate(9, 8), vec![leaf.clone(), middle.clone(), root.clone()]);
        assert_eq!(leaf_first(vec![root.clone(), leaf.clone(), middle.clone()], None), chain);
        assert_eq!(leaf_first(vec![stranger, root, middle, leaf], Some(3)), chain);
    }

    #[test]
    fn circles_come_to_an_end() {
        let (one, two) = (certificate(1, 2), certificate(2, 1));
        assert_eq!(leaf_first(vec![one.clone(), two.clone()], None), [one.clone(), two.clone()]);
        assert_eq!(leaf_first(vec![one.clone(), two.clone()], Some(1)), [two, one]);
    }
}
