//! Bytes to lines: unfolded, without comments, each with its number; and lines to names and values.

use std::borrow::Cow;
use std::io::{self, BufRead};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::{LdifError, LdifErrorKind as Kind, MAX_RECORD, MAX_VALUE};

/// Padding may be missing, as some tools leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The longest value in base64, and room for its name.
const LONGEST_LINE: usize = MAX_VALUE / 3 * 4 + (64 << 10);
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads what a `name:< URL` names, or says why not.
pub(super) type Resolver = Box<dyn FnMut(&str) -> Result<Vec<u8>, String> + Send>;

/// The lines of a file. One is in memory at a time.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: usize,
    /// Bytes of this record so far.
    size: usize,
    started: bool,
    /// Was the last line an empty one, or is there no more?
    between: bool,
    broken: bool,
    pub(super) resolver: Option<Resolver>,
}

/// What one line says.
pub(super) enum Item {
    /// A name and its value.
    Pair(Pair),
    /// `-`, which ends one of several changes, and its line.
    Dash(usize),
}

/// A name and its value.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: Bytes,
    pub(super) line: usize,
}

impl Pair {
    pub(super) fn error(&self, kind: Kind) -> LdifError {
        LdifError::new(kind, self.line)
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value as text.
    pub(super) fn text(&self) -> Result<&str, LdifError> {
        std::str::from_utf8(&self.value).map_err(|_| self.error(Kind::NotUtf8))
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        let line = Vec::new();
        Lines {
            input,
            line,
            number: 0,
            size: 0,
            started: false,
            between: true,
            broken: false,
            resolver: None,
        }
    }

    /// The name of the next record and its line, behind empty lines and the file's version.
    pub(super) fn start(&mut self) -> Option<Result<(String, usize), LdifError>> {
        loop {
            let number = match self.advance()? {
                Ok(number) => number,
                Err(error) => return Some(Err(error)),
            };
            if self.line.is_empty() {
                continue;
            }
            if self.started || !starts_with_version(&self.line) {
                self.started = true;
                return Some(self.name(number));
            }
            self.started = true;
            if self.line[8..].trim_ascii() != b"1" {
                return Some(Err(LdifError::new(Kind::Version, number)));
            }
        }
    }

    fn name(&mut self, number: usize) -> Result<(String, usize), LdifError> {
        let error = |kind| LdifError::new(kind, number);
        let (name, spec) = split(&self.line).ok_or(error(Kind::Colon))?;
        if !name.eq_ignore_ascii_case(b"dn") {
            return Err(error(Kind::Dn));
        }
        // A name never comes from elsewhere (RFC 2849: dn-spec).
        let dn = decode("dn", spec, None).map_err(error)?;
        let dn = String::from_utf8(dn.into_owned()).map_err(|_| error(Kind::NotUtf8))?;
        Ok((dn, number))
    }

    /// What the record's next line says; `None` behind its last.
    pub(super) fn item(&mut self) -> Option<Result<Item, LdifError>> {
        let number = match self.advance()? {
            Ok(_) if self.line.is_empty() => return None,
            Ok(number) => number,
            Err(error) => return Some(Err(error)),
        };
        if self.line.trim_ascii_end() == b"-" {
            return Some(Ok(Item::Dash(number)));
        }
        Some(self.pair(number).map(Item::Pair).map_err(|kind| LdifError::new(kind, number)))
    }

    fn pair(&mut self, line: usize) -> Result<Pair, Kind> {
        let (name, spec) = split(&self.line).ok_or(Kind::Colon)?;
        let name = String::from_utf8_lossy(name).into_owned();
        let value = decode(&name, spec, self.resolver.as_mut())?;
        let elsewhere = if spec.starts_with(b"<") { value.len() } else { 0 };
        let value = Bytes::from(value.into_owned());
        self.count(elsewhere)?;
        Ok(Pair { value, name, line })
    }

    /// Counts what came from elsewhere: no line did.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Kind> {
        self.size += bytes;
        if self.size > MAX_RECORD { Err(Kind::TooBig) } else { Ok(()) }
    }

    /// Goes on behind the next empty line, unless it was just read.
    pub(super) fn skip_record(&mut self) {
        self.size = 0;
        while !self.between {
            self.line.clear();
            match self.physical() {
                Ok(true) => self.between = self.line.is_empty(),
                Ok(false) | Err(_) => return,
            }
        }
    }

    /// What the line takes in memory.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.line.capacity()
    }

    /// Reads the next line into `self.line`, whole, and gives the number of its first part.
    fn advance(&mut self) -> Option<Result<usize, LdifError>> {
        match self.unfolded() {
            Ok(number) => number.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    fn unfolded(&mut self) -> Result<Option<usize>, LdifError> {
        loop {
            self.line.clear();
            if !self.physical()? {
                self.between = true;
                return Ok(None);
            }
            let number = self.number;
            let error = |kind| Err(LdifError::new(kind, number));
            self.between = self.line.is_empty();
            if self.between {
                self.size = 0;
                return Ok(Some(number));
            }
            if self.line.starts_with(b" ") {
                return error(Kind::Continuation);
            }
            while self.peek()? == Some(b' ') {
                self.input.consume(1);
                self.physical()?;
            }
            if self.line.starts_with(b"#") {
                continue;
            }
            self.size += self.line.len();
            return match () {
                () if self.line.len() > LONGEST_LINE => error(Kind::TooLong),
                () if self.size > MAX_RECORD => error(Kind::TooBig),
                () => Ok(Some(number)),
            };
        }
    }

    /// Adds the next line, as it stands in the file, to `self.line`; of what is too long a bit too much is kept.
    fn physical(&mut self) -> Result<bool, LdifError> {
        if self.peek()?.is_none() {
            return Ok(false);
        }
        self.number += 1;
        let begin = self.line.len();
        loop {
            let ready = match self.input.fill_buf() {
                Ok(ready) => ready,
                Err(error) => return self.broken(&error).map(|_| false),
            };
            let end = ready.iter().position(|byte| *byte == b'\n');
            let part = &ready[..end.unwrap_or(ready.len())];
            let room = (LONGEST_LINE + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(ready.len(), |end| end + 1);
            let last = end.is_some() || ready.is_empty();
            self.input.consume(used);
            if last {
                break;
            }
        }
        if self.line.len() > begin && self.line.ends_with(b"\r") {
            self.line.pop();
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(true)
    }

    /// The next byte, which stays.
    fn peek(&mut self) -> Result<Option<u8>, LdifError> {
        if self.broken {
            return Ok(None);
        }
        loop {
            match self.input.fill_buf() {
                Ok(ready) => return Ok(ready.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.broken(&error),
            }
        }
    }

    /// Nothing more is read after an error of the input's.
    fn broken(&mut self, error: &io::Error) -> Result<Option<u8>, LdifError> {
        self.broken = true;
        Err(LdifError::new(Kind::Input(error.to_string()), self.number + 1))
    }
}

fn starts_with_version(line: &[u8]) -> bool {
    line.len() >= 8 && line[..8].eq_ignore_ascii_case(b"version:")
}

/// A line before and behind its first colon.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// What stands behind the colon (RFC 2849: value-spec) as bytes.
pub(super) fn decode<'l>(
    name: &str,
    spec: &'l [u8],
    resolver: Option<&mut Resolver>,
) -> Result<Cow<'l, [u8]>, Kind> {
    let value = match spec.first() {
        Some(b':') => {
            let decoded = BASE64.decode(spec[1..].trim_ascii());
            Cow::Owned(decoded.map_err(|_| Kind::Base64(name.to_owned()))?)
        }
        Some(b'<') => Cow::Owned(resolve(name, &spec[1..], resolver)?),
        _ if spec.contains(&0) => return Err(Kind::Nul),
        // Only spaces are filling (RFC 2849); a tab would belong to the value.
        _ => Cow::Borrowed(&spec[spec.iter().take_while(|byte| **byte == b' ').count()..]),
    };
    if value.len() > MAX_VALUE {
        return Err(Kind::TooLong);
    }
    Ok(value)
}

fn resolve(name: &str, url: &[u8], resolver: Option<&mut Resolver>) -> Result<Vec<u8>, Kind> {
    let resolver = resolver.ok_or_else(|| Kind::Url(name.to_owned()))?;
    let url = std::str::from_utf8(url.trim_ascii()).map_err(|_| Kind::NotUtf8)?;
    resolver(url).map_err(|reason| Kind::Unresolved { attribute: name.to_owned(), reason })
}
