//! How values compare: the matching rules of RFC 4517 that directories of people use.

use std::cmp::Ordering;

use crate::Dn;
use crate::dn::prepare::{self, Ends};

/// Active Directory's rule that follows names from entry to entry, through groups in groups to any depth:
/// `LDAP_MATCHING_RULE_TRANSITIVE_EVAL` (MS-ADTS section 3.1.1.3.4.4.3).
///
/// It is the server's to evaluate, which alone has all the entries: no [`Rule`] is named by it.
pub const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A family of matching rules: equality, order and substrings of one kind of value.
///
/// ```
/// use ldapgate_proto::filter::Rule;
///
/// assert_eq!(Rule::CaseIgnore.equal(b"Ada  Lovelace", b"ada lovelace"), Some(true));
/// assert_eq!(Rule::Integer.equal(b"007", b"7"), Some(true));
/// assert_eq!(Rule::Integer.equal(b"7", b"seven"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `caseIgnoreMatch` and its kin: neither case nor the number of spaces matters.
    CaseIgnore,
    /// `caseExactMatch` and its kin: the number of spaces does not matter.
    CaseExact,
    /// `distinguishedNameMatch`: equality only.
    Dn,
    /// `integerMatch`: numbers of any length.
    Integer,
    /// `booleanMatch`: `TRUE` and `FALSE`, equality only.
    Boolean,
    /// `telephoneNumberMatch`: spaces and hyphens do not matter; no order.
    Telephone,
    /// `generalizedTimeMatch`: moments, however they are written.
    Time,
    /// `octetStringMatch`: bytes.
    Octet,
}

impl Rule {
    /// Are they equal? `None` (Undefined) when one of them does not fit the rule.
    #[must_use]
    pub fn equal(self, value: &[u8], assertion: &[u8]) -> Option<bool> {
        Some(self.prepare(value)? == self.prepare(assertion)?)
    }

    /// The order of `value` to `assertion`; `None` when one does not fit the rule, or the rule has no order.
    #[must_use]
    pub fn compare(self, value: &[u8], assertion: &[u8]) -> Option<Ordering> {
        self.prepare(value)?.compare(&self.prepare(assertion)?)
    }

    /// Does the value start with `initial`, go on with all of `any` in this order, and end with `last`? `None` when one
    /// does not fit the rule, or the rule has no substrings.
    #[must_use]
    pub fn substrings(
        self,
        value: &[u8],
        initial: Option<&[u8]>,
        any: &[impl AsRef<[u8]>],
        last: Option<&[u8]>,
    ) -> Option<bool> {
        let inner = Ends { start: false, end: false };
        let value = self.piece(value, Ends { start: true, end: true })?;
        let mut rest = &value[..];
        if let Some(initial) = initial {
            let Some(after) = rest.strip_prefix(&*self.piece(initial, Ends { start: true, end: false })?)
            else {
                return Some(false);
            };
            rest = after;
        }
        if let Some(last) = last {
            let Some(before) = rest.strip_suffix(&*self.piece(last, Ends { start: false, end: true })?)
            else {
                return Some(false);
            };
            rest = before;
        }
        for piece in any {
            let piece = self.piece(piece.as_ref(), inner)?;
            // The library's search is linear, whatever a peer makes up to be looked for.
            let Some((_, after)) = rest.split_once(&*piece) else { return Some(false) };
            rest = after;
        }
        Some(true)
    }

    /// The rule that a name or an OID names, as extensible matches do; `None` when it is not known here.
    #[must_use]
    pub fn named(name: &str) -> Option<Rule> {
        let rule = match name.to_ascii_lowercase().as_str() {
            "caseignorematch" | "2.5.13.2" | "caseignoreia5match" | "1.3.6.1.4.1.1466.109.114.2" => {
                Rule::CaseIgnore
            }
            "caseexactmatch" | "2.5.13.5" | "caseexactia5match" | "1.3.6.1.4.1.1466.109.114.1" => {
                Rule::CaseExact
            }
            "objectidentifiermatch" | "2.5.13.0" | "uuidmatch" | "1.3.6.1.1.16.2" => Rule::CaseIgnore,
            "distinguishednamematch" | "2.5.13.1" => Rule::Dn,
            "integermatch" | "2.5.13.14" => Rule::Integer,
            "booleanmatch" | "2.5.13.13" => Rule::Boolean,
            "telephonenumbermatch" | "2.5.13.20" | "numericstringmatch" | "2.5.13.8" => Rule::Telephone,
            "generalizedtimematch" | "2.5.13.27" => Rule::Time,
            "octetstringmatch" | "2.5.13.17" => Rule::Octet,
            _ => return None,
        };
        Some(rule)
    }

    /// The form in which values of this rule compare.
    pub(super) fn prepare(self, value: &[u8]) -> Option<Prepared<'_>> {
        // What is no text in a text attribute compares as bytes: it equals itself and nothing else.
        let text = std::str::from_utf8(value);
        Some(match (self, text) {
            (Rule::Octet, _) => Prepared::Octets(value),
            (Rule::CaseIgnore, Ok(text)) => Prepared::Text(prepare::ignore_case(text)),
            (Rule::CaseExact, Ok(text)) => Prepared::Text(prepare::exact_case(text)),
            (Rule::Telephone, Ok(text)) => Prepared::Unordered(telephone(text)),
            (Rule::CaseIgnore | Rule::CaseExact | Rule::Telephone, Err(_)) => Prepared::Octets(value),
            (Rule::Dn, text) => Prepared::Dn(Dn::parse(text.ok()?).ok()?),
            (Rule::Boolean, text) => match text.ok()? {
                text if text.eq_ignore_ascii_case("TRUE") => Prepared::Boolean(true),
                text if text.eq_ignore_ascii_case("FALSE") => Prepared::Boolean(false),
                _ => return None,
            },
            (Rule::Integer, text) => Prepared::Integer(Integer::read(text.ok()?)?),
            (Rule::Time, text) => Prepared::Time(moment(text.ok()?)?),
        })
    }

    /// A value or a piece of one as text; of bytes that are none, each is a character.
    fn piece(self, value: &[u8], ends: Ends) -> Option<String> {
        match (self, std::str::from_utf8(value)) {
            (Rule::Dn | Rule::Integer | Rule::Boolean | Rule::Time, _) => None,
            (Rule::CaseIgnore, Ok(text)) => Some(prepare::piece(text, true, ends)),
            (Rule::CaseExact, Ok(text)) => Some(prepare::piece(text, false, ends)),
            (Rule::Telephone, Ok(text)) => Some(telephone(text)),
            (Rule::Octet, _) | (_, Err(_)) => Some(value.iter().copied().map(char::from).collect()),
        }
    }
}

/// A value in the form in which it compares.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Prepared<'v> {
    Text(String),
    Unordered(String),
    Octets(&'v [u8]),
    Dn(Dn),
    Boolean(bool),
    Integer(Integer<'v>),
    Time(Moment),
}

impl Prepared<'_> {
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Prepared::Text(mine), Prepared::Text(theirs)) => Some(mine.cmp(theirs)),
            (Prepared::Octets(mine), Prepared::Octets(theirs)) => Some(mine.cmp(theirs)),
            (Prepared::Integer(mine), Prepared::Integer(theirs)) => Some(mine.compare(theirs)),
            (Prepared::Time(mine), Prepared::Time(theirs)) => Some(mine.cmp(theirs)),
            _ => None,
        }
    }
}

/// Digits without leading zeros; zero has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Integer<'v> {
    negative: bool,
    digits: &'v str,
}

impl<'v> Integer<'v> {
    fn read(text: &'v str) -> Option<Integer<'v>> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = digits.trim_start_matches('0');
        Some(Integer { negative: negative && !digits.is_empty(), digits })
    }

    fn compare(&self, other: &Integer<'_>) -> Ordering {
        let size = || self.digits.len().cmp(&other.digits.len()).then_with(|| self.digits.cmp(other.digits));
        match (self.negative, other.negative) {
            (false, false) => size(),
            (true, true) => size().reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Seconds since the year 0, and nanoseconds.
type Moment = (i64, i64);

/// GeneralizedTime (RFC 4517 section 3.3.13): `YYYYMMDDHH[MM[SS]][.fraction](Z|+HHMM|-HHMM)`.
fn moment(text: &str) -> Option<Moment> {
    const NANOS: i64 = 1_000_000_000;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (fields, rest) = text.split_at(digits);
    let field = |from: usize, to: usize| fields.get(from..to)?.parse::<i64>().ok();
    let (year, month, day, hour) = (field(0, 4)?, field(4, 6)?, field(6, 8)?, field(8, 10)?);
    // The fraction is one of the last field that is there.
    let (minute, second, unit) = match digits {
        10 => (0, 0, 3600),
        12 => (field(10, 12)?, 0, 60),
        14 => (field(10, 12)?, field(12, 14)?, 1),
        _ => return None,
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        None => (0, rest),
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, zone) = rest.split_at(digits);
            let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            (Some(nanos).filter(|_| digits > 0)?.parse::<i64>().ok()? * unit, zone)
        }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    Some((seconds + fraction / NANOS, fraction % NANOS))
}

/// Seconds that the zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours = digits[..2].parse::<i64>().ok()?;
    let minutes = if digits.len() == 4 { digits[2..].parse::<i64>().ok()? } else { 0 };
    Some(sign * (hours * 3600 + minutes * 60))
}

/// Days since the first of March of the year 0, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
}

fn telephone(text: &str) -> String {
    let mut number = prepare::ignore_case(text);
    number.retain(|c| c != ' ' && c != '-');
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_the_rules() {
        for (rule, one, other, expected) in [
            (Rule::CaseIgnore, "Ada  Lovelace ", "ADA LOVELACE", Some(true)),
            (Rule::CaseExact, "Ada  Lovelace ", "Ada Lovelace", Some(true)),
            (Rule::CaseExact, "Ada", "ada", Some(false)),
            (Rule::Dn, "CN=A, DC=x", "cn=a,dc=X", Some(true)),
            (Rule::Dn, "cn=a", "a", None),
            (Rule::Integer, "-007", "-7", Some(true)),
            (Rule::Integer, "-0", "0", Some(true)),
            (Rule::Integer, "1", "", None),
            (Rule::Integer, "1", "+1", None),
            (Rule::Boolean, "TRUE", "true", Some(true)),
            (Rule::Boolean, "TRUE", "1", None),
            (Rule::Telephone, "+1 555-0100", "+15550100", Some(true)),
            (Rule::Time, "20240101000000Z", "202401010000Z", Some(true)),
            (Rule::Time, "20240101000000.0Z", "20240101020000+0200", Some(true)),
            (Rule::Time, "2024010100.5Z", "20240101003000Z", Some(true)),
            (Rule::Time, "20240101000000", "20240101000000Z", None),
            (Rule::Time, "20241301000000Z", "20240101000000Z", None),
            (Rule::Octet, "a", "A", Some(false)),
        ] {
            assert_eq!(rule.equal(one.as_bytes(), other.as_bytes()), expected, "{rule:?} {one} {other}");
        }
        assert_eq!(Rule::CaseIgnore.equal(b"\xff", b"\xff"), Some(true));
        assert_eq!(Rule::CaseIgnore.equal(b"a", b"\xff"), Some(false));
    }

    #[test]
    fn order_is_the_rules() {
        use Ordering::{Equal, Greater, Less};
        for (rule, one, other, expected) in [
            (Rule::Integer, "9", "10", Some(Less)),
            (Rule::Integer, "-9", "-10", Some(Greater)),
            (Rule::Integer, "-1", "0", Some(Less)),
            (Rule::Integer, "123456789012345678901234567890", "9", Some(Greater)),
            (Rule::CaseIgnore, "B", "a", Some(Greater)),
            (Rule::Time, "000001010000Z", "19700101000000Z", Some(Less)),
            (Rule::Time, "20240229000000Z", "20240301000000+2400", Some(Equal)),
            (Rule::Time, "20240229000000Z", "20240301000000Z", Some(Less)),
            (Rule::Dn, "cn=a", "cn=b", None),
            (Rule::Boolean, "TRUE", "FALSE", None),
            (Rule::Telephone, "1", "2", None),
        ] {
            assert_eq!(rule.compare(one.as_bytes(), other.as_bytes()), expected, "{rule:?} {one} {other}");
        }
    }

    #[test]
    fn a_search_for_what_nearly_is_there_stays_linear() {
        // Byte by byte this would take 10^11 comparisons.
        let value = vec![b'a'; 800_000];
        let mut piece = vec![b'a'; 400_000];
        piece[200_000] = b'b';
        for rule in [Rule::CaseExact, Rule::Octet] {
            assert_eq!(rule.substrings(&value, None, &[&piece], None), Some(false));
        }
    }

    #[test]
    fn substrings_are_found_in_order_without_overlap() {
        let matches = |initial: Option<&str>, any: &[&str], last: Option<&str>, value: &str| {
            let last = last.map(str::as_bytes);
            Rule::CaseIgnore.substrings(value.as_bytes(), initial.map(str::as_bytes), any, last)
        };
        assert_eq!(matches(Some("Univ"), &["of", "MICH"], None, "University of Michigan"), Some(true));
        assert_eq!(matches(None, &["b", "a"], None, "ab"), Some(false));
        assert_eq!(matches(Some("ab"), &[], Some("bc"), "abc"), Some(false));
        assert_eq!(matches(Some("a"), &["a"], Some("a"), "aa"), Some(false));
        assert_eq!(matches(Some("a"), &["a"], Some("a"), "aaa"), Some(true));
        assert_eq!(matches(None, &["a b"], None, "x A   B y"), Some(true));
        assert_eq!(matches(None, &[" b"], None, "a b"), Some(true));
        assert_eq!(matches(None, &[" b"], None, "ab"), Some(false));
        assert_eq!(
            Rule::Octet.substrings(b"\xff\xd8x\xc3", Some(b"\xff"), &[b"x"], Some(b"\xc3")),
            Some(true)
        );
        assert_eq!(Rule::Octet.substrings(b"aX", Some(b"A"), &[b""; 0], None), Some(false));
        assert_eq!(Rule::Dn.substrings(b"cn=a", Some(b"cn"), &[b""; 0], None), None);
        assert_eq!(Rule::Telephone.substrings(b"+1 555-0100", None, &["5501"], None), Some(true));
    }
}
