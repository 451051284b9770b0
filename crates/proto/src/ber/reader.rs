use super::{Error, ErrorKind, Tag};
use bytes::Bytes;

/// A cursor over a frame, or over the content of one of its elements.
///
/// It borrows the frame and copies nothing; reading an element yields a slice ([`octets`](Reader::octets)), a
/// refcounted piece ([`shared`](Reader::shared)) or a cursor over its content ([`enter`](Reader::enter)). A copy of a
/// cursor remembers a place. Errors name bytes of the frame.
///
/// ```
/// use ldapgate_proto::{Bytes, ber::{Reader, Tag}};
///
/// let frame = Bytes::from_static(&[0x30, 0x06, 0x02, 0x01, 0x2a, 0x04, 0x01, b'x']);
/// let mut pair = Reader::new(&frame).enter(Tag::SEQUENCE)?;
/// assert_eq!(pair.integer(Tag::INTEGER)?, 42);
/// assert_eq!(pair.text(Tag::OCTETS, "name")?, "x");
/// assert!(pair.is_empty());
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'f> {
    frame: &'f Bytes,
    position: usize,
    end: usize,
}

impl<'f> Reader<'f> {
    /// A cursor over everything in `frame`.
    pub fn new(frame: &'f Bytes) -> Reader<'f> {
        Reader { frame, position: 0, end: frame.len() }
    }

    /// The byte of the frame that is read next.
    pub fn offset(&self) -> usize {
        self.position
    }

    /// Is everything read?
    pub fn is_empty(&self) -> bool {
        self.position == self.end
    }

    /// What is not yet read.
    pub fn rest(&self) -> &'f [u8] {
        &self.frame[self.position..self.end]
    }

    /// What is not yet read, as a piece of the frame that shares its memory.
    pub fn rest_shared(&self) -> Bytes {
        self.frame.slice(self.position..self.end)
    }

    /// The next element's tag; `None` at the end.
    pub fn peek(&self) -> Option<Tag> {
        self.rest().first().map(|&octet| Tag(octet))
    }

    /// The next element, whatever it is, and a cursor over its content.
    ///
    /// # Errors
    ///
    /// When nothing is left, and when the element's header is malformed or its content runs past the end.
    pub fn any(&mut self) -> Result<(Tag, Reader<'f>), Error> {
        let header = header(self.frame, self.position, self.end)?;
        let end = header.end(self.end, self.position)?;
        self.position = end;
        Ok((header.tag, Reader { frame: self.frame, position: header.content, end }))
    }

    /// A cursor over the content of the next element, which must have this tag.
    ///
    /// # Errors
    ///
    /// When it has another, when nothing is left, and as [`any`](Reader::any).
    pub fn enter(&mut self, expected: Tag) -> Result<Reader<'f>, Error> {
        match self.peek() {
            None => Err(self.error(ErrorKind::Missing(expected))),
            Some(found) if found != expected => Err(self.error(ErrorKind::UnexpectedTag { expected, found })),
            Some(_) => Ok(self.any()?.1),
        }
    }

    /// As [`enter`](Reader::enter), when the next element has this tag; otherwise nothing is read.
    ///
    /// # Errors
    ///
    /// As [`any`](Reader::any).
    pub fn enter_if(&mut self, tag: Tag) -> Result<Option<Reader<'f>>, Error> {
        if self.peek() != Some(tag) {
            return Ok(None);
        }
        Ok(Some(self.any()?.1))
    }

    /// The next element's content.
    ///
    /// # Errors
    ///
    /// As [`enter`](Reader::enter).
    pub fn octets(&mut self, tag: Tag) -> Result<&'f [u8], Error> {
        Ok(self.enter(tag)?.rest())
    }

    /// The next element's content as a piece of the frame that shares its memory.
    ///
    /// # Errors
    ///
    /// As [`enter`](Reader::enter).
    pub fn shared(&mut self, tag: Tag) -> Result<Bytes, Error> {
        Ok(self.enter(tag)?.rest_shared())
    }

    /// The next element's content as text; `what` names the field in the error.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8, and as [`enter`](Reader::enter).
    pub fn text(&mut self, tag: Tag, what: &'static str) -> Result<&'f str, Error> {
        self.enter(tag)?.as_text(what)
    }

    /// What is not yet read, as text; `what` names the field in the error.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn as_text(&self, what: &'static str) -> Result<&'f str, Error> {
        std::str::from_utf8(self.rest())
            .map_err(|error| Error::new(ErrorKind::NotUtf8 { what }, self.position + error.valid_up_to()))
    }

    /// The next element as a number.
    ///
    /// # Errors
    ///
    /// When it has no octets or more than eight, and as [`enter`](Reader::enter).
    pub fn integer(&mut self, tag: Tag) -> Result<i64, Error> {
        self.enter(tag)?.as_integer()
    }

    /// What is not yet read, as a number. Longer forms than needed are accepted, as every server does.
    ///
    /// # Errors
    ///
    /// When it has no octets or more than eight.
    pub fn as_integer(&self) -> Result<i64, Error> {
        let octets = self.rest();
        if octets.is_empty() || octets.len() > 8 {
            return Err(self.error(ErrorKind::BadNumber));
        }
        let sign = if octets[0] & 0x80 == 0 { 0 } else { -1 };
        Ok(octets.iter().fold(sign, |number, &octet| (number << 8) | i64::from(octet)))
    }

    /// The next element as a number from 0 to 2147483647 (`maxInt` of RFC 4511); `what` names the field in the error.
    ///
    /// # Errors
    ///
    /// When it is outside of that range, and as [`integer`](Reader::integer).
    pub fn unsigned(&mut self, tag: Tag, what: &'static str) -> Result<u32, Error> {
        let at = self.position;
        let value = self.integer(tag)?;
        match u32::try_from(value) {
            Ok(number) if number <= i32::MAX as u32 => Ok(number),
            _ => Err(Error::new(ErrorKind::OutOfRange { what, value }, at)),
        }
    }

    /// The next element as a truth value. LDAP wants 0xff for true, many a peer sends 1.
    ///
    /// # Errors
    ///
    /// When it is not of one octet, and as [`enter`](Reader::enter).
    pub fn boolean(&mut self, tag: Tag) -> Result<bool, Error> {
        let content = self.enter(tag)?;
        match content.rest() {
            [octet] => Ok(*octet != 0),
            _ => Err(content.error(ErrorKind::BadBoolean)),
        }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    ///
    /// When something does.
    pub fn finish(&self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(self.error(ErrorKind::Trailing)) }
    }

    /// An error of this kind at the byte that is read next.
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.position)
    }
}

/// An element's tag and length, and where its content starts.
pub(crate) struct Header {
    pub(crate) tag: Tag,
    pub(crate) content: usize,
    pub(crate) length: usize,
}

impl Header {
    /// Where the content ends, which must not be after `limit`.
    pub(super) fn end(&self, limit: usize, position: usize) -> Result<usize, Error> {
        if self.length > limit - self.content {
            return Err(Error::new(ErrorKind::Overrun, position));
        }
        Ok(self.content + self.length)
    }
}

/// Reads the header at `position`; bytes from `end` on are not looked at.
#[inline]
pub(crate) fn header(bytes: &[u8], position: usize, end: usize) -> Result<Header, Error> {
    let bytes = &bytes[..end.min(bytes.len())];
    // Most elements are short.
    if let Some(&[tag, length @ 0..=0x7f]) = bytes.get(position..position + 2)
        && tag & 0x1f != 0x1f
    {
        return Ok(Header { tag: Tag(tag), content: position + 2, length: usize::from(length) });
    }
    long_header(bytes, position)
}

fn long_header(bytes: &[u8], position: usize) -> Result<Header, Error> {
    let at = |index: usize| bytes.get(index).copied().ok_or(Error::new(ErrorKind::Truncated, index));
    let tag = Tag(at(position)?);
    if tag.0 & 0x1f == 0x1f {
        return Err(Error::new(ErrorKind::LongTag, position));
    }
    let first = at(position + 1)?;
    let content = position + 2;
    match first {
        0..=0x7f => Ok(Header { tag, content, length: usize::from(first) }),
        0x80 => Err(Error::new(ErrorKind::IndefiniteLength, position + 1)),
        0x81..=0x88 => {
            let octets = usize::from(first & 0x7f);
            let mut length = 0_u64;
            for index in content..content + octets {
                length = (length << 8) | u64::from(at(index)?);
            }
            let length =
                usize::try_from(length).map_err(|_| Error::new(ErrorKind::LengthOfLength, position + 1))?;
            Ok(Header { tag, content: content + octets, length })
        }
        _ => Err(Error::new(ErrorKind::LengthOfLength, position + 1)),
    }
}
