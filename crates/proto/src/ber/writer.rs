use super::Tag;
use bytes::Bytes;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Writes elements one after the other into one buffer, each with the shortest length.
///
/// ```
/// use ldapgate_proto::ber::{Tag, Writer};
///
/// let mut writer = Writer::new();
/// let pair = writer.begin(Tag::SEQUENCE);
/// writer.integer(Tag::INTEGER, 42);
/// writer.octets(Tag::OCTETS, b"x");
/// writer.end(pair);
/// assert_eq!(&writer.finish()[..], [0x30, 0x06, 0x02, 0x01, 0x2a, 0x04, 0x01, b'x']);
/// ```
pub struct Writer {
    out: Zeroizing<Vec<u8>>,
    secret: bool,
}

/// Enough for most requests, in bytes: growing from nothing takes as long as writing them.
const ROOM: usize = 512;

/// An element that is begun and not yet ended.
#[derive(Debug)]
#[must_use = "an element that is begun must be ended"]
pub struct Mark {
    content: usize,
}

/// Tells how much is written, not what.
impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} bytes)", self.len())
    }
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::new()
    }
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Writer {
        Writer { out: Zeroizing::new(Vec::with_capacity(ROOM)), secret: false }
    }

    /// A buffer for a message that carries a secret: it is overwritten when it grows, when it is dropped, and, once
    /// finished, when the last piece of it is dropped.
    pub fn secret() -> Writer {
        Writer { secret: true, ..Writer::new() }
    }

    /// How many bytes are written.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Is nothing written?
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Begins an element whose content is what is written until [`end`](Writer::end). `tag` is made constructed.
    pub fn begin(&mut self, tag: Tag) -> Mark {
        self.append(&[tag.constructed().0, 0]);
        Mark { content: self.out.len() }
    }

    /// Ends the element that was begun last.
    pub fn end(&mut self, mark: Mark) {
        let length = self.out.len() - mark.content;
        if length < 0x80 {
            self.out[mark.content - 1] = length as u8;
            return;
        }
        let octets = length.to_be_bytes();
        let octets = &octets[length.leading_zeros() as usize / 8..];
        let old_end = self.out.len();
        self.append(octets);
        self.out.copy_within(mark.content..old_end, mark.content + octets.len());
        self.out[mark.content - 1] = 0x80 | octets.len() as u8;
        self.out[mark.content..mark.content + octets.len()].copy_from_slice(octets);
    }

    /// Writes a constructed element whose content `content` writes.
    pub fn constructed(&mut self, tag: Tag, content: impl FnOnce(&mut Writer)) {
        let mark = self.begin(tag);
        content(self);
        self.end(mark);
    }

    /// Writes bytes or text.
    pub fn octets(&mut self, tag: Tag, content: impl AsRef<[u8]>) {
        let content = content.as_ref();
        let mut header = [tag.0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let used = if content.len() < 0x80 {
            header[1] = content.len() as u8;
            2
        } else {
            let octets = content.len().to_be_bytes();
            let octets = &octets[content.len().leading_zeros() as usize / 8..];
            header[1] = 0x80 | octets.len() as u8;
            header[2..2 + octets.len()].copy_from_slice(octets);
            2 + octets.len()
        };
        self.append(&header[..used]);
        self.append(content);
    }

    /// Writes a number in as few octets as it needs.
    pub fn integer(&mut self, tag: Tag, value: i64) {
        let octets = value.to_be_bytes();
        let spare = (0..7).take_while(|&index| {
            let sign = octets[index + 1] & 0x80 != 0;
            octets[index] == if sign { 0xff } else { 0 }
        });
        self.octets(tag, &octets[spare.count()..]);
    }

    /// Writes a truth value.
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.octets(tag, [if value { 0xff } else { 0 }]);
    }

    /// Writes an element without content.
    pub fn empty(&mut self, tag: Tag) {
        self.octets(tag, []);
    }

    /// Writes elements that are already encoded.
    pub fn raw(&mut self, elements: &[u8]) {
        self.append(elements);
    }

    /// What was written.
    pub fn finish(mut self) -> Bytes {
        let out = std::mem::take(&mut *self.out);
        if self.secret { Bytes::from_owner(Zeroizing::new(out)) } else { Bytes::from(out) }
    }

    /// Grows a secret buffer by hand, because the allocator would leave the old one's content behind.
    fn append(&mut self, bytes: &[u8]) {
        let needed = self.out.len() + bytes.len();
        if self.secret && needed > self.out.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.out.capacity() * 2));
            grown.extend_from_slice(&self.out);
            let mut old = std::mem::replace(&mut *self.out, grown);
            old.zeroize();
        }
        self.out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::Reader;

    #[test]
    fn numbers_have_as_few_octets_as_they_need() {
        for (value, octets) in [
            (0_i64, &[0_u8][..]),
            (127, &[0x7f]),
            (128, &[0x00, 0x80]),
            (-1, &[0xff]),
            (-128, &[0x80]),
            (-129, &[0xff, 0x7f]),
            (i64::MAX, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            (i64::MIN, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut writer = Writer::new();
            writer.integer(Tag::INTEGER, value);
            let written = writer.finish();
            assert_eq!(&written[2..], octets);
            assert_eq!(Reader::new(&written).integer(Tag::INTEGER), Ok(value));
        }
    }

    #[test]
    fn elements_of_every_length_are_nested() {
        for length in [0, 1, 120, 125, 126, 127, 128, 253, 256, 65_530, 65_536, 1 << 20] {
            let content = vec![0x5a; length];
            let mut writer = Writer::new();
            writer.constructed(Tag::SEQUENCE, |writer| {
                writer.constructed(Tag::SET, |writer| writer.octets(Tag::OCTETS, &content));
                writer.boolean(Tag::BOOLEAN, true);
            });
            let written = writer.finish();
            let mut sequence = Reader::new(&written).enter(Tag::SEQUENCE).unwrap();
            assert_eq!(sequence.enter(Tag::SET).unwrap().octets(Tag::OCTETS), Ok(&content[..]));
            assert_eq!(sequence.boolean(Tag::BOOLEAN), Ok(true));
            assert!(sequence.is_empty());
        }
    }

    #[test]
    fn a_secret_writer_writes_the_same() {
        let (mut plain, mut secret) = (Writer::new(), Writer::secret());
        for writer in [&mut plain, &mut secret] {
            writer.constructed(Tag::SEQUENCE, |writer| {
                (0..100).for_each(|_| writer.octets(Tag::OCTETS, [7; 100]));
            });
        }
        assert_eq!(plain.finish(), secret.finish());
    }
}
