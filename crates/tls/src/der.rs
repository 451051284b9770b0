//! A cursor over DER, as much as certificates need: one-byte tags and definite lengths; on request also the indefinite
//! ones of BER, which containers of certificates are often written with.

/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub(crate) const OID: u8 = 0x06;
/// UTCTime.
pub(crate) const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE, constructed.
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET, constructed.
pub(crate) const SET: u8 = 0x31;

/// Indefinite lengths within each other.
const MAX_DEPTH: usize = 32;

/// What is left to read.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a> {
    rest: &'a [u8],
    /// Indefinite lengths are read, too (X.690 section 8.1.3.6).
    lenient: bool,
}

impl<'a> Der<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Der { rest: bytes, lenient: false }
    }

    /// The same for BER.
    pub(crate) fn lenient(bytes: &'a [u8]) -> Self {
        Der { rest: bytes, lenient: true }
    }

    /// Is everything read?
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element's tag, without reading it.
    pub(crate) fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element's tag and content; `None` at the end and for anything malformed.
    pub(crate) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, length, rest) = header(self.rest)?;
        let Some(length) = length else {
            if !self.lenient {
                return None;
            }
            let length = end_of_contents(rest)?;
            self.rest = &rest[length + 2..];
            return Some((tag, &rest[..length]));
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// The next element's tag and all of its bytes.
    pub(crate) fn whole(&mut self) -> Option<(u8, &'a [u8])> {
        let before = self.rest;
        let (tag, _) = self.next()?;
        Some((tag, &before[..before.len() - self.rest.len()]))
    }

    /// The next element's content, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag() != Some(tag) {
            return None;
        }
        self.next().map(|(_, content)| content)
    }

    /// A cursor inside the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Der<'a>> {
        let lenient = self.lenient;
        self.expect(tag).map(|content| Der { rest: content, lenient })
    }
}

/// A tag, its length, `None` being an indefinite one, and what follows.
fn header(bytes: &[u8]) -> Option<(u8, Option<usize>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    // Tags above 30 take several bytes; no certificate has them.
    if tag & 0x1f == 0x1f {
        return None;
    }
    const CONSTRUCTED: u8 = 0x20;
    let (&first, rest) = rest.split_first()?;
    match first {
        0..=0x7f => Some((tag, Some(usize::from(first)), rest)),
        0x80 if tag & CONSTRUCTED != 0 => Some((tag, None, rest)),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
            Some((tag, Some(usize::try_from(length).ok()?), rest))
        }
        _ => None,
    }
}

/// Where the content ends that starts here: before two zero bytes that no element within it claims.
fn end_of_contents(bytes: &[u8]) -> Option<usize> {
    let (mut rest, mut depth) = (bytes, 1);
    loop {
        let at = bytes.len() - rest.len();
        if let Some(after) = rest.strip_prefix(&[0, 0]) {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
            rest = after;
            continue;
        }
        let (_, length, after) = header(rest)?;
        match length {
            Some(length) => rest = after.get(length..)?,
            None if depth == MAX_DEPTH => return None,
            None => {
                depth += 1;
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_after_the_other() {
        let mut der = Der::new(&[0x30, 0x03, 0x02, 0x01, 0x07, 0x04, 0x81, 0x01, 0xff]);
        let mut inner = der.enter(SEQUENCE).expect("a sequence");
        assert_eq!(inner.expect(INTEGER), Some(&[7][..]));
        assert!(inner.is_empty());
        assert_eq!(der.next(), Some((OCTET_STRING, &[0xff][..])));
        assert_eq!(der.next(), None);
    }

    #[test]
    fn indefinite_lengths_are_read_where_they_are_allowed() {
        let bytes = [0x30, 0x80, 0x30, 0x80, 0x02, 0x01, 0x00, 0, 0, 0x04, 0x02, 0, 0, 0, 0, 0x05, 0x00];
        assert_eq!(Der::new(&bytes).next(), None);
        let mut der = Der::lenient(&bytes);
        let mut outer = der.enter(SEQUENCE).expect("a sequence");
        assert_eq!(outer.whole(), Some((SEQUENCE, &bytes[2..9])));
        assert_eq!(outer.expect(OCTET_STRING), Some(&[0, 0][..]));
        assert!(outer.is_empty());
        assert_eq!(der.next(), Some((0x05, &[][..])));
    }

    #[test]
    fn indefinite_lengths_that_never_end_are_refused() {
        for bytes in
            [&[0x30, 0x80][..], &[0x30, 0x80, 0], &[0x04, 0x80, 0, 0], &[0x30, 0x80, 0x02, 0x05, 0, 0]]
        {
            assert_eq!(Der::lenient(bytes).next(), None, "{bytes:x?}");
        }
        let deep = [0x30, 0x80].repeat(100_000);
        assert_eq!(Der::lenient(&deep).next(), None);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x01],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x1f, 0x01, 0x00],
        ] {
            assert_eq!(Der::new(bytes).next(), None, "{bytes:x?}");
        }
    }
}
