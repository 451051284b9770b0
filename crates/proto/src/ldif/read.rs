//! Text to content records.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use bytes::Bytes;

use super::line::{Item, Lines, Pair};
use super::{LdifError, LdifErrorKind as Kind, MAX_VALUES, Record};
use crate::filter::is_attribute_description;

/// Reads content records from memory.
pub fn parse(text: &[u8]) -> Records<&[u8]> {
    Records::new(text)
}

/// The content records of a file, one in memory at a time. Behind a broken record the next one follows, so several errors
/// can come.
pub struct Records<R> {
    lines: Lines<R>,
}

impl<R: BufRead> Records<R> {
    /// Reads from anything that can be read; buffer it well, or it is read byte by byte.
    pub fn new(input: R) -> Self {
        Records { lines: Lines::new(input) }
    }

    /// Lets values come from elsewhere (`jpegPhoto:< file:///tmp/ada.jpg`): `resolver` is given the URL as it is
    /// written, and reads it or says why not. What it may read, and how much, is its decision; without one such values
    /// are errors.
    #[must_use]
    pub fn resolving(
        mut self,
        resolver: impl FnMut(&str) -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Self {
        self.lines.resolver = Some(Box::new(resolver));
        self
    }

    fn record(&mut self, dn: String, line: usize) -> Result<Record, LdifError> {
        let mut record = Record { dn, attributes: Vec::new(), line };
        let mut values = Values::default();
        while let Some(item) = self.lines.item() {
            let pair = match item? {
                Item::Pair(pair) => pair,
                Item::Dash(line) => return Err(LdifError::new(Kind::Colon, line)),
            };
            if pair.is("changetype") || pair.is("control") {
                return Err(pair.error(Kind::Change));
            }
            values.add(pair, &mut record.attributes)?;
        }
        Ok(record)
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Record, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.lines.start()?.and_then(|(dn, line)| self.record(dn, line));
        if record.is_err() {
            self.lines.skip_record();
        }
        Some(record)
    }
}

impl<R> fmt::Debug for Records<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

/// Gathers the values of an entry's attributes, which need not stand together.
#[derive(Default)]
pub(super) struct Values {
    places: HashMap<String, usize>,
    count: usize,
}

impl Values {
    pub(super) fn add(
        &mut self,
        pair: Pair,
        attributes: &mut Vec<(String, Vec<Bytes>)>,
    ) -> Result<(), LdifError> {
        if pair.is("dn") {
            return Err(pair.error(Kind::SecondDn));
        }
        if !is_attribute_description(&pair.name) {
            return Err(pair.error(Kind::Attribute(pair.name.clone())));
        }
        self.count += 1;
        if self.count > MAX_VALUES {
            return Err(pair.error(Kind::TooMany));
        }
        let place = *self.places.entry(pair.name.to_ascii_lowercase()).or_insert(attributes.len());
        match attributes.get_mut(place) {
            Some((_, values)) => values.push(pair.value),
            None => attributes.push((pair.name, vec![pair.value])),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<Result<Record, LdifError>> {
        parse(text.as_bytes()).collect()
    }

    fn only(text: &str) -> Record {
        let mut records = records(text);
        assert_eq!(records.len(), 1, "{text}");
        records.remove(0).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn values<'r>(record: &'r Record, name: &str) -> Vec<&'r [u8]> {
        let found = record.attributes.iter().find(|(found, _)| found == name);
        found.map(|(_, values)| values.iter().map(|value| &value[..]).collect()).unwrap_or_default()
    }

    #[test]
    fn records_are_read_with_their_lines() {
        let text = "\u{feff}version: 1\r\n\r\n# a comment\r\n  that is folded\r\ndn: dc=x\r\ndc: x\r\n\r\n\r\n\
                    dn:: ZGM9eSxkYz14\r\nDC: y\r\ndc:z";
        let found: Vec<_> = records(text).into_iter().map(|record| record.expect("a record")).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].dn.as_str(), found[0].line), ("dc=x", 5));
        assert_eq!((found[1].dn.as_str(), found[1].line), ("dc=y,dc=x", 9));
        assert_eq!(values(&found[1], "DC"), [b"y", b"z"]);
    }

    #[test]
    fn values_are_read_as_the_rfc_writes_them() {
        let record = only(
            "dn: cn=x\na: plain\na:no space\na:   three spaces\na:\na: \nb:: \nb:: AP8=\nb:: AP8\nb:: A\n P8=\n\
             c: fol\n ded \n  twice\nd: a:b<c #d\ne;lang-de: ü\nf: trailing \ng: \ttab\n",
        );
        assert_eq!(values(&record, "a"), [&b"plain"[..], b"no space", b"three spaces", b"", b""]);
        assert_eq!(values(&record, "b"), [&b""[..], b"\0\xff", b"\0\xff", b"\0\xff"]);
        assert_eq!(values(&record, "c"), [b"folded  twice"]);
        assert_eq!(values(&record, "d"), [b"a:b<c #d"]);
        assert_eq!(values(&record, "e;lang-de"), ["ü".as_bytes()]);
        assert_eq!(values(&record, "f"), [b"trailing "]);
        assert_eq!(values(&record, "g"), [b"\ttab"]);
    }

    #[test]
    fn an_empty_file_has_no_records() {
        for text in ["", "\n\n", "version: 1\n", "# nothing\n", "\r\n"] {
            assert!(records(text).is_empty(), "{text:?}");
        }
        assert_eq!(only("dn:\n").dn, "");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, kind, line) in [
            ("version: 2\n", Kind::Version, 1),
            ("cn: x\n", Kind::Dn, 1),
            ("\n\ndn: cn=x\ncn: x\ndn: cn=y\n", Kind::SecondDn, 5),
            ("dn: cn=x\nchangetype: delete\n", Kind::Change, 2),
            ("dn: cn=x\ncontrol: 1.2.3\n", Kind::Change, 2),
            (" dn: cn=x\n", Kind::Continuation, 1),
            ("dn: cn=x\ncn x\n", Kind::Colon, 2),
            ("dn: cn=x\na\n b\n:c\n", Kind::Colon, 2),
            ("dn: cn=x\n:c\n", Kind::Attribute(String::new()), 2),
            ("dn: cn=x\nc n: x\n", Kind::Attribute("c n".to_owned()), 2),
            ("dn: cn=x\n\ta: x\n", Kind::Attribute("\ta".to_owned()), 2),
            ("dn: cn=x\ncn:: !\n", Kind::Base64("cn".to_owned()), 2),
            ("dn: cn=x\ncn:: AB C=\n", Kind::Base64("cn".to_owned()), 2),
            ("dn: cn=x\njpegPhoto:< file:///etc/passwd\n", Kind::Url("jpegPhoto".to_owned()), 2),
            ("dn:< file:///etc/passwd\n", Kind::Url("dn".to_owned()), 1),
            ("dn:: /w==\n", Kind::NotUtf8, 1),
            ("dn: cn=x\ncn: a\0b\n", Kind::Nul, 2),
        ] {
            let first = records(text).into_iter().find_map(Result::err).expect(text);
            assert_eq!(first, LdifError::new(kind, line), "{text}");
        }
    }

    #[test]
    fn all_errors_of_a_file_are_told_and_whole_records_are_read() {
        let text =
            "dn: cn=a\nbad\ncn: a\n\ndn: cn=b\ncn: b\n\n cn: c\n\ndn: cn=d\nchangetype: add\n\ndn: cn=e\n";
        let found = records(text);
        let errors: Vec<_> =
            found.iter().filter_map(|record| record.as_ref().err()).map(LdifError::line).collect();
        assert_eq!(errors, [2, 8, 11]);
        let names: Vec<_> = found.iter().flatten().map(|record| record.dn.as_str()).collect();
        assert_eq!(names, ["cn=b", "cn=e"]);
    }

    #[test]
    fn an_error_at_a_record_s_end_takes_nothing_of_the_next() {
        let found = records("dn: cn=a\n-\n\ndn: cn=b\ncn: b\n");
        assert!(found[0].is_err() && found[1].is_ok(), "{found:?}");
    }

    #[test]
    fn a_file_is_read_in_whatever_pieces_it_comes() {
        let text = "\u{feff}version: 1\r\n\r\n#x\r\n y\r\ndn: cn=a\r\ncn: fol\r\n ded\r\n\r\ndn: cn=b\ncn:: YQ\n Q=\n";
        let whole: Vec<_> = records(text);
        for size in 1..8 {
            let pieces = std::io::BufReader::with_capacity(size, text.as_bytes());
            assert_eq!(Records::new(pieces).collect::<Vec<_>>(), whole, "{size}");
        }
        assert_eq!(values(whole[0].as_ref().expect("a record"), "cn"), [b"folded"]);
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_not_kept() {
        let endless = std::io::Read::take(std::io::repeat(b'x'), 4 * super::super::MAX_VALUE as u64);
        let input = std::io::Read::chain(&b"dn: cn=a\ncn: "[..], endless);
        let input = std::io::Read::chain(input, &b"\ncn: a\n\ndn: cn=b\ncn: b\n"[..]);
        let mut records = Records::new(std::io::BufReader::new(input));
        let found: Vec<_> = records.by_ref().collect();
        assert_eq!(found[0], Err(LdifError::new(Kind::TooLong, 2)));
        assert_eq!(found[1].as_ref().map(|record| record.dn.as_str()), Ok("cn=b"));
        assert!(records.lines.room() < 3 * super::super::MAX_VALUE, "{}", records.lines.room());
    }

    #[test]
    fn an_input_that_fails_ends_the_records() {
        struct Broken;
        impl std::io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        use std::io::Read as _;
        let input = std::io::BufReader::new(b"dn: cn=a\ncn: a\n\ndn: cn=b\ncn: b\n".chain(Broken));
        let found: Vec<_> = Records::new(input).collect();
        assert_eq!(found.len(), 2);
        let error = found[1].as_ref().expect_err("it could not be read to its end");
        assert_eq!(error.to_string(), "line 6: cannot read on: the disk is gone");
    }

    #[test]
    fn values_come_from_elsewhere_when_somebody_gets_them() {
        let text = "dn: cn=a\ncn:< file:///a\nsn:<file:///b\n";
        let mut found = Records::new(text.as_bytes()).resolving(|url| match url {
            "file:///a" => Ok(b"from a".to_vec()),
            other => Err(format!("there is no {other}")),
        });
        let error = found.next().expect("a record").expect_err("one is missing");
        assert_eq!(error.to_string(), "line 3: the value of sn cannot be had: there is no file:///b");
        let mut found = Records::new(text.as_bytes()).resolving(|url| Ok(url.as_bytes().to_vec()));
        let record = found.next().expect("a record").expect("both are there");
        assert_eq!(values(&record, "sn"), [b"file:///b"]);
    }

    #[test]
    fn what_comes_from_elsewhere_counts_as_part_of_the_record() {
        use super::super::{Changes, MAX_RECORD, MAX_VALUE, Untyped};
        let most = MAX_RECORD / MAX_VALUE;
        let text = format!("dn: cn=a\n{}\ndn: cn=b\na:< x\n", "a:< x\n".repeat(most));
        let large = |_: &str| Ok(vec![0; MAX_VALUE]);
        let mut found = Records::new(text.as_bytes()).resolving(large);
        let error = found.next().expect("a record").expect_err("too big");
        assert_eq!(error, LdifError::new(Kind::TooBig, 1 + most));
        assert!(found.next().expect("a record").is_ok(), "it is counted anew");
        let text = format!("dn: cn=a\n{}", "control: 1.2.3 true:< x\n".repeat(most));
        let error = Changes::new(text.as_bytes(), Untyped::Refuse).resolving(large).next().expect("a record");
        assert_eq!(error.expect_err("too big").kind(), &Kind::TooBig);
    }

    #[test]
    fn a_value_is_limited() {
        let text = format!("dn: cn=x\ncn: {}\n", "x".repeat(super::super::MAX_VALUE + 1));
        assert_eq!(records(&text).remove(0).expect_err("too long").kind(), &Kind::TooLong);
    }
}
