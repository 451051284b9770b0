//! Filters on the wire (RFC 4511 section 4.5.1.7), without recursion.

use bytes::Bytes;

use super::Filter;
use crate::ber::{Error, ErrorKind, Limits, Mark, Reader, Tag, Writer};

const AND: Tag = Tag::context(0).constructed();
const OR: Tag = Tag::context(1).constructed();
const NOT: Tag = Tag::context(2).constructed();
const EQUAL: Tag = Tag::context(3).constructed();
const SUBSTRINGS: Tag = Tag::context(4).constructed();
const GREATER_OR_EQUAL: Tag = Tag::context(5).constructed();
const LESS_OR_EQUAL: Tag = Tag::context(6).constructed();
const PRESENT: Tag = Tag::context(7);
const APPROXIMATE: Tag = Tag::context(8).constructed();
const EXTENSIBLE: Tag = Tag::context(9).constructed();

/// Above this, whatever the limits say, the derived `Clone` and `Drop` would need too much stack.
const MOST_DEPTH: usize = 120;

impl Filter {
    /// Writes the filter as one element.
    pub(crate) fn write(&self, writer: &mut Writer) {
        enum Step<'f> {
            Filter(&'f Filter),
            End(Mark),
        }
        let mut steps = vec![Step::Filter(self)];
        while let Some(step) = steps.pop() {
            let filter = match step {
                Step::Filter(filter) => filter,
                Step::End(mark) => {
                    writer.end(mark);
                    continue;
                }
            };
            match filter {
                Filter::And(parts) | Filter::Or(parts) => {
                    let tag = if matches!(filter, Filter::And(_)) { AND } else { OR };
                    steps.push(Step::End(writer.begin(tag)));
                    steps.extend(parts.iter().rev().map(Step::Filter));
                }
                Filter::Not(part) => {
                    steps.push(Step::End(writer.begin(NOT)));
                    steps.push(Step::Filter(part));
                }
                item => write_item(item, writer),
            }
        }
    }

    /// Reads the next element as a filter.
    pub(crate) fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Filter, Error> {
        let limit = limits.max_depth.min(MOST_DEPTH);
        let mut open: Vec<Open<'_>> = Vec::new();
        loop {
            let current = open.last_mut().map_or(&mut *reader, |around| &mut around.rest);
            let at = current.offset();
            let (tag, content) = current.any()?;
            if open.len() >= limit {
                return Err(Error::new(ErrorKind::TooDeep { limit }, at));
            }
            let mut complete = None;
            match tag {
                AND | OR | NOT => open.push(Open { tag, rest: content, parts: Vec::new() }),
                _ => complete = Some(read_item(tag, content, at)?),
            }
            // What is complete goes into what is around it, which may thereby be complete as well.
            while let Some(around) = open.last_mut() {
                around.parts.extend(complete.take());
                // A negation ends behind its one part, whatever follows.
                let ended = around.rest.is_empty() || (around.tag == NOT && around.parts.len() == 1);
                if !ended {
                    break;
                }
                around.rest.finish()?;
                complete = open.pop().map(Open::end).transpose()?;
            }
            if let Some(filter) = complete {
                return Ok(filter);
            }
        }
    }
}

/// An AND, OR or NOT of which something is left to read.
struct Open<'f> {
    tag: Tag,
    rest: Reader<'f>,
    parts: Vec<Filter>,
}

impl Open<'_> {
    fn end(mut self) -> Result<Filter, Error> {
        match self.tag {
            AND => Ok(Filter::And(self.parts)),
            OR => Ok(Filter::Or(self.parts)),
            _ => match self.parts.pop() {
                Some(part) => Ok(Filter::Not(Box::new(part))),
                None => Err(self.rest.error(ErrorKind::Invalid("a negation of nothing"))),
            },
        }
    }
}

fn write_item(filter: &Filter, writer: &mut Writer) {
    match filter {
        Filter::Equal { attribute, value } => assertion(EQUAL, attribute, value, writer),
        Filter::GreaterOrEqual { attribute, value } => assertion(GREATER_OR_EQUAL, attribute, value, writer),
        Filter::LessOrEqual { attribute, value } => assertion(LESS_OR_EQUAL, attribute, value, writer),
        Filter::Approximate { attribute, value } => assertion(APPROXIMATE, attribute, value, writer),
        Filter::Present(attribute) => writer.octets(PRESENT, attribute),
        Filter::Substrings { attribute, initial, any, last } => writer.constructed(SUBSTRINGS, |writer| {
            writer.octets(Tag::OCTETS, attribute);
            writer.constructed(Tag::SEQUENCE, |writer| {
                initial.iter().for_each(|piece| writer.octets(Tag::context(0), piece));
                any.iter().for_each(|piece| writer.octets(Tag::context(1), piece));
                last.iter().for_each(|piece| writer.octets(Tag::context(2), piece));
            });
        }),
        Filter::Extensible { rule, attribute, value, dn_attributes } => {
            writer.constructed(EXTENSIBLE, |writer| {
                rule.iter().for_each(|rule| writer.octets(Tag::context(1), rule));
                attribute.iter().for_each(|attribute| writer.octets(Tag::context(2), attribute));
                writer.octets(Tag::context(3), value);
                // DEFAULT FALSE is left out (RFC 4511 section 5.1).
                if *dn_attributes {
                    writer.boolean(Tag::context(4), true);
                }
            });
        }
        // Written by the caller.
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => {}
    }
}

fn assertion(tag: Tag, attribute: &str, value: &[u8], writer: &mut Writer) {
    writer.constructed(tag, |writer| {
        writer.octets(Tag::OCTETS, attribute);
        writer.octets(Tag::OCTETS, value);
    });
}

fn read_item(tag: Tag, mut content: Reader<'_>, at: usize) -> Result<Filter, Error> {
    let filter = match tag {
        EQUAL | GREATER_OR_EQUAL | LESS_OR_EQUAL | APPROXIMATE => {
            let attribute = content.text(Tag::OCTETS, "attribute")?.to_owned();
            let value = content.shared(Tag::OCTETS)?;
            match tag {
                EQUAL => Filter::Equal { attribute, value },
                GREATER_OR_EQUAL => Filter::GreaterOrEqual { attribute, value },
                LESS_OR_EQUAL => Filter::LessOrEqual { attribute, value },
                _ => Filter::Approximate { attribute, value },
            }
        }
        PRESENT => return Ok(Filter::Present(content.as_text("attribute")?.to_owned())),
        SUBSTRINGS => substrings(&mut content)?,
        EXTENSIBLE => extensible(&mut content)?,
        found => return Err(Error::new(ErrorKind::Unknown { what: "filter", found }, at)),
    };
    content.finish()?;
    Ok(filter)
}

fn substrings(content: &mut Reader<'_>) -> Result<Filter, Error> {
    let attribute = content.text(Tag::OCTETS, "attribute")?.to_owned();
    let mut pieces = content.enter(Tag::SEQUENCE)?;
    if pieces.is_empty() {
        return Err(pieces.error(ErrorKind::Invalid("substrings without a piece")));
    }
    let optional = |pieces: &mut Reader<'_>, number| -> Result<Option<Bytes>, Error> {
        Ok(pieces.enter_if(Tag::context(number))?.map(|piece| piece.rest_shared()))
    };
    let initial = optional(&mut pieces, 0)?;
    let mut any = Vec::new();
    while let Some(piece) = optional(&mut pieces, 1)? {
        any.push(piece);
    }
    let last = optional(&mut pieces, 2)?;
    pieces.finish()?;
    Ok(Filter::Substrings { attribute, initial, any, last })
}

fn extensible(content: &mut Reader<'_>) -> Result<Filter, Error> {
    let text = |content: &mut Reader<'_>, number, what| -> Result<Option<String>, Error> {
        let found = content.enter_if(Tag::context(number))?;
        found.map(|found| Ok(found.as_text(what)?.to_owned())).transpose()
    };
    let rule = text(content, 1, "matching rule")?;
    let attribute = text(content, 2, "attribute")?;
    if rule.is_none() && attribute.is_none() {
        return Err(content.error(ErrorKind::Invalid("an extensible match without rule and attribute")));
    }
    let value = content.shared(Tag::context(3))?;
    let dn_attributes = match content.peek() {
        Some(_) => content.boolean(Tag::context(4))?,
        None => false,
    };
    Ok(Filter::Extensible { rule, attribute, value, dn_attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Bytes {
        let mut writer = Writer::new();
        Filter::parse(text).expect(text).write(&mut writer);
        writer.finish()
    }

    fn read(bytes: &[u8]) -> Result<Filter, Error> {
        let frame = Bytes::copy_from_slice(bytes);
        let mut reader = Reader::new(&frame);
        let filter = Filter::read(&mut reader, &Limits::server())?;
        reader.finish()?;
        Ok(filter)
    }

    #[test]
    fn filters_are_written_as_openldap_writes_them() {
        assert_eq!(&written("(uid=ada)")[..], b"\xa3\x0a\x04\x03uid\x04\x03ada");
        assert_eq!(&written("(cn=*)")[..], b"\x87\x02cn");
        assert_eq!(&written("(&)")[..], b"\xa0\x00");
        assert_eq!(&written("(&(a=b)(!(c=*)))")[..], b"\xa0\x0d\xa3\x06\x04\x01a\x04\x01b\xa2\x03\x87\x01c");
        assert_eq!(
            &written("(cn=a*b*c*d)")[..],
            b"\xa4\x12\x04\x02cn\x30\x0c\x80\x01a\x81\x01b\x81\x01c\x82\x01d"
        );
        assert_eq!(&written("(a:dn:r:=v)")[..], b"\xa9\x0c\x81\x01r\x82\x01a\x83\x01v\x84\x01\xff");
        assert_eq!(&written("(:r:=v)")[..], b"\xa9\x06\x81\x01r\x83\x01v");
    }

    #[test]
    fn what_was_written_is_read() {
        for text in [
            "(uid=ada)",
            "(&(|(a>=1)(a<=2)(a~=3))(!(&))(!(!(b=*))))",
            "(|)",
            "(cn=a*)",
            "(cn=*a)",
            "(cn=*a*b*)",
            "(a:=v)",
            "(a:dn:r:=v)",
            "(:dn:r:=v)",
            r"(jpegPhoto=\ff\d8*)",
        ] {
            assert_eq!(read(&written(text)), Ok(Filter::parse(text).expect(text)), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for bytes in [
            &b""[..],
            b"\xa2\x00",
            b"\xa2\x06\x87\x01a\x87\x01b",
            b"\xa4\x05\x04\x01a\x30\x00",
            b"\xa4\x0b\x04\x01a\x30\x06\x82\x01a\x80\x01b",
            b"\xa4\x0b\x04\x01a\x30\x06\x80\x01a\x80\x01b",
            b"\xa9\x03\x83\x01v",
            b"\xa9\x03\x82\x01a",
            b"\xa3\x03\x04\x01a",
            b"\xa3\x09\x04\x01a\x04\x01b\x04\x01c",
            b"\x87\x01\xff",
            b"\xaa\x00",
            b"\x80\x00",
            b"\xa0\x02\x04\x00",
        ] {
            assert!(read(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nest = |depth: usize| {
            let mut bytes = b"\x87\x01a".to_vec();
            for _ in 1..depth {
                let mut writer = Writer::new();
                writer.constructed(NOT, |writer| writer.raw(&bytes));
                bytes = writer.finish().to_vec();
            }
            bytes
        };
        assert!(read(&nest(100)).is_ok());
        let error = read(&nest(101)).expect_err("too deep");
        assert_eq!(error.kind, ErrorKind::TooDeep { limit: 100 });
        let frame = Bytes::from(nest(10_000));
        let lax = Limits { max_depth: usize::MAX, ..Limits::server() };
        let error = Filter::read(&mut Reader::new(&frame), &lax).expect_err("too deep");
        assert_eq!(error.kind, ErrorKind::TooDeep { limit: MOST_DEPTH });
    }
}
