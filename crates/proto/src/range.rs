//! Range retrieval: an attribute with more values than a server hands out at once (MS-ADTS section 3.1.1.3.1.3.3).

use std::fmt;

/// Which of an attribute's values are here, counted from 0: the option in `member;range=0-1499`.
///
/// Whoever wants all of them asks for [`Range::rest`] until there is none. [`Range::joined`] refuses a server that repeats
/// itself, leaves a gap or claims more than it sends, so that the asking ends.
///
/// ```
/// use ldapgate_proto::Range;
///
/// let (attribute, first) = Range::split("member;range=0-1499").expect("it has the option");
/// assert_eq!(attribute, "member");
/// let rest = first.rest().expect("there are more");
/// assert_eq!(rest.of(attribute), "member;range=1500-*");
///
/// let (_, last) = Range::split("member;range=1500-*").expect("it has the option");
/// assert!(first.joined(1500, last, 20)?.is_whole());
/// # Ok::<(), ldapgate_proto::range::RangeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// The first value.
    pub first: u32,
    /// The last value; `None` is `*`: up to the attribute's own last.
    pub last: Option<u32>,
}

/// A part that does not continue what is there. Whoever sent it is not to be asked for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the values {range} do not follow the {held} that are there")]
pub struct RangeError {
    held: usize,
    range: Range,
}

impl Range {
    /// Takes an attribute description with the option apart: the description without it, and the range. `None` when it has
    /// no such option.
    #[must_use]
    pub fn split(description: &str) -> Option<(&str, Range)> {
        let place = description.bytes().position(|byte| byte == b';')?;
        let (attribute, options) = description.split_at(place);
        let mut length = attribute.len();
        for option in options[1..].split(';') {
            if let Some(range) = Range::parse(option) {
                return Some((&description[..length], range));
            }
            length += 1 + option.len();
        }
        None
    }

    /// Are these all values there are?
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.first == 0 && self.last.is_none()
    }

    /// The values after these; `None` when these go up to the last.
    #[must_use]
    pub fn rest(self) -> Option<Range> {
        Some(Range { first: self.last?.checked_add(1)?, last: None })
    }

    /// The description that asks for these values of an attribute.
    #[must_use]
    pub fn of(self, attribute: &str) -> String {
        format!("{attribute};range={self}")
    }

    /// These values, of which `held` are there, together with `next`, which came with `values`.
    ///
    /// # Errors
    /// When `next` does not start where these end, or one of the two has not as many values as it says.
    pub fn joined(self, held: usize, next: Range, values: usize) -> Result<Range, RangeError> {
        let follows = self.rest().is_some_and(|rest| rest.first == next.first);
        if follows && self.counts(held) && next.counts(values) {
            return Ok(Range { first: self.first, last: next.last });
        }
        Err(RangeError { held, range: next })
    }

    /// Can so many values be these? Only the last part may be empty.
    fn counts(self, values: usize) -> bool {
        let Some(last) = self.last else { return true };
        let claimed = last.checked_sub(self.first).and_then(|more| more.checked_add(1));
        claimed.is_some_and(|claimed| usize::try_from(claimed) == Ok(values))
    }

    /// Reads `range=0-1499` or `range=0-*`.
    fn parse(option: &str) -> Option<Range> {
        let (name, bounds) = option.split_once('=')?;
        let (first, last) = bounds.split_once('-').filter(|_| name.eq_ignore_ascii_case("range"))?;
        Some(Range { first: number(first)?, last: if last == "*" { None } else { Some(number(last)?) } })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) => write!(f, "{}-{last}", self.first),
            None => write!(f, "{}-*", self.first),
        }
    }
}

/// Digits alone: no sign, which Rust's own reading of numbers would take.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u32, last: u32) -> Range {
        Range { first, last: Some(last) }
    }

    #[test]
    fn the_option_is_found_wherever_it_stands() {
        let end = Range { first: 1500, last: None };
        for (text, attribute, found) in [
            ("member;range=0-1499", "member", range(0, 1499)),
            ("memberOf;RANGE=1500-*", "memberOf", end),
            ("1.2.840.113556.1.2.102;x-a;range=3-3;x-b", "1.2.840.113556.1.2.102;x-a", range(3, 3)),
        ] {
            assert_eq!(Range::split(text), Some((attribute, found)), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_stays_an_attribute() {
        for text in [
            "member",
            "member;binary",
            "range=0-1",
            "member;range",
            "member;range=",
            "member;range=0",
            "member;range=-1",
            "member;range=*-1",
            "member;range=+0-1",
            "member;range=0-4294967296",
            "member;ranges=0-1",
        ] {
            assert_eq!(Range::split(text), None, "{text}");
        }
    }

    #[test]
    fn parts_in_a_row_make_the_whole() {
        let both = range(0, 1499).joined(1500, range(1500, 2999), 1500).unwrap();
        assert_eq!((both, both.is_whole()), (range(0, 2999), false));
        let whole = both.joined(3000, Range { first: 3000, last: None }, 0).unwrap();
        assert!(whole.is_whole() && whole.rest().is_none());
    }

    #[test]
    fn a_server_that_goes_in_circles_is_refused() {
        for (held, next, values) in [
            (1500, range(0, 1499), 1500),
            (1500, range(1501, 1600), 100),
            (1500, range(1500, 1599), 0),
            (1500, range(1500, 1599), 101),
            (1499, range(1500, 1599), 100),
            (1500, range(1500, 1499), 0),
            (1500, range(1500, 7), 0),
        ] {
            assert!(range(0, 1499).joined(held, next, values).is_err(), "{next}");
        }
        let whole = Range { first: 0, last: None };
        assert!(whole.joined(5, range(5, 5), 1).is_err(), "nothing follows the last");
        assert_eq!(range(0, u32::MAX).rest(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_prints(text: String, first: u32, last in proptest::option::of(proptest::num::u32::ANY)) {
            let _ = Range::split(&text);
            let range = Range { first, last };
            let description = range.of("member");
            proptest::prop_assert_eq!(Range::split(&description), Some(("member", range)));
        }
    }
}
