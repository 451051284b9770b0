//! Search filters (RFC 4515 as text, RFC 4511 section 4.5.1.7 on the wire, RFC 4526's `(&)` and `(|)`).
//!
//! A [`Filter`] is a value: built, read from text or from the wire, printed, written, and evaluated on an entry. It is
//! never made by putting strings together:
//!
//! ```
//! use ldapgate_proto::Filter;
//!
//! let typed = "ada*)(uid=*";
//! let filter = Filter::equal("objectClass", "person") & Filter::equal("uid", typed);
//! assert_eq!(filter.to_string(), r"(&(objectClass=person)(uid=ada\2a\29\28uid=\2a))");
//! assert_eq!(Filter::parse(&filter.to_string())?, filter);
//! # Ok::<(), ldapgate_proto::FilterError>(())
//! ```
//!
//! Nothing here recurses over what a peer sends: text and wire nest at most [`MAX_DEPTH`] deep (or as
//! [`Limits`](crate::Limits) say), which is what keeps the derived `Clone`, `Drop` and `==` harmless.
//!
//! **Attribute names** come from configuration and code, not from people. The builders take them as they are: on the wire
//! they are length-prefixed and can change nothing but themselves, and printing escapes every byte that cannot be in an
//! attribute description, so that the text of such a filter is refused when it is parsed again instead of meaning
//! something else. [`is_attribute_description`] tells beforehand.

mod ber;
mod error;
mod evaluate;
mod parse;
mod print;
mod rule;
mod standard;

use std::ops::{BitAnd, BitOr, Not};
use std::str::FromStr;

use bytes::Bytes;

pub use error::{FilterError, FilterErrorKind};
pub use evaluate::{Attributes, Matching};
pub use rule::{IN_CHAIN, Rule};
pub use standard::StandardRules;

/// How deep filters in text may nest.
pub const MAX_DEPTH: usize = 100;
/// How many clauses (every pair of parentheses is one) a filter in text may have.
pub const MAX_CLAUSES: usize = 10_000;

/// A search filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// `(&...)`: all of them; true when there are none.
    And(Vec<Filter>),
    /// `(|...)`: any of them; false when there are none.
    Or(Vec<Filter>),
    /// `(!...)`
    Not(Box<Filter>),
    /// `(attribute=value)`
    Equal {
        /// The attribute description.
        attribute: String,
        /// What a value must equal.
        value: Bytes,
    },
    /// `(attribute>=value)`
    GreaterOrEqual {
        /// The attribute description.
        attribute: String,
        /// What a value must not be before.
        value: Bytes,
    },
    /// `(attribute<=value)`
    LessOrEqual {
        /// The attribute description.
        attribute: String,
        /// What a value must not be after.
        value: Bytes,
    },
    /// `(attribute~=value)`
    Approximate {
        /// The attribute description.
        attribute: String,
        /// What a value must resemble.
        value: Bytes,
    },
    /// `(attribute=*)`
    Present(String),
    /// `(attribute=initial*any*any*last)`; at least one piece.
    Substrings {
        /// The attribute description.
        attribute: String,
        /// What a value must start with.
        initial: Option<Bytes>,
        /// What must follow, in this order.
        any: Vec<Bytes>,
        /// What a value must end with.
        last: Option<Bytes>,
    },
    /// `(attribute:dn:rule:=value)`; a rule or an attribute.
    Extensible {
        /// The matching rule's name or OID; the attribute's own when there is none.
        rule: Option<String>,
        /// The attribute description; every attribute that the rule fits when there is none.
        attribute: Option<String>,
        /// What a value must match.
        value: Bytes,
        /// Do the attributes of the entry's name count as well?
        dn_attributes: bool,
    },
}

impl Filter {
    /// Parses RFC 4515 text. Spaces around parentheses are ignored, a single `attribute=value` needs none, and `\*`,
    /// `\(`, `\)` and `\\` are read as older tools wrote them.
    ///
    /// # Errors
    ///
    /// When the text is no filter or exceeds [`MAX_DEPTH`] or [`MAX_CLAUSES`]; the error has the byte's offset.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        parse::filter(text)
    }

    /// `(attribute=value)`
    pub fn equal(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::Equal { attribute: attribute.into(), value: bytes(value) }
    }

    /// `(attribute>=value)`
    pub fn greater_or_equal(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::GreaterOrEqual { attribute: attribute.into(), value: bytes(value) }
    }

    /// `(attribute<=value)`
    pub fn less_or_equal(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::LessOrEqual { attribute: attribute.into(), value: bytes(value) }
    }

    /// `(attribute~=value)`
    pub fn approximate(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::Approximate { attribute: attribute.into(), value: bytes(value) }
    }

    /// `(attribute=value*)`; `(attribute=*)` when the value is empty, which means the same.
    pub fn starts_with(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::substring(attribute.into(), bytes(value), |piece| (Some(piece), Vec::new(), None))
    }

    /// `(attribute=*value*)`; `(attribute=*)` when the value is empty, which means the same.
    pub fn contains(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::substring(attribute.into(), bytes(value), |piece| (None, vec![piece], None))
    }

    /// `(attribute=*value)`; `(attribute=*)` when the value is empty, which means the same.
    pub fn ends_with(attribute: impl Into<String>, value: impl AsRef<[u8]>) -> Filter {
        Filter::substring(attribute.into(), bytes(value), |piece| (None, Vec::new(), Some(piece)))
    }

    /// `(attribute=*)`
    pub fn present(attribute: impl Into<String>) -> Filter {
        Filter::Present(attribute.into())
    }

    /// `(attribute:rule:=value)`
    pub fn extensible(
        attribute: impl Into<String>,
        rule: impl Into<String>,
        value: impl AsRef<[u8]>,
    ) -> Filter {
        Filter::Extensible {
            rule: Some(rule.into()),
            attribute: Some(attribute.into()),
            value: bytes(value),
            dn_attributes: false,
        }
    }

    /// `(&...)`. An `And` among them is replaced by what it holds, and one filter alone stays itself.
    pub fn all(filters: impl IntoIterator<Item = Filter>) -> Filter {
        let mut flat = Vec::new();
        for filter in filters {
            match filter {
                Filter::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        alone(flat).unwrap_or_else(Filter::And)
    }

    /// `(|...)`. An `Or` among them is replaced by what it holds, and one filter alone stays itself.
    pub fn any(filters: impl IntoIterator<Item = Filter>) -> Filter {
        let mut flat = Vec::new();
        for filter in filters {
            match filter {
                Filter::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        alone(flat).unwrap_or_else(Filter::Or)
    }

    fn substring(
        attribute: String,
        piece: Bytes,
        place: impl FnOnce(Bytes) -> (Option<Bytes>, Vec<Bytes>, Option<Bytes>),
    ) -> Filter {
        if piece.is_empty() {
            return Filter::Present(attribute);
        }
        let (initial, any, last) = place(piece);
        Filter::Substrings { attribute, initial, any, last }
    }
}

/// Is this an attribute type with or without options, such as `cn`, `2.5.4.3` or `cn;lang-de` (RFC 4512 section 2.5)?
#[must_use]
pub fn is_attribute_description(text: &str) -> bool {
    let mut parts = text.split(';');
    let option = |option: &str| !option.is_empty() && option.bytes().all(print::is_option_byte);
    parts.next().is_some_and(crate::dn::is_attribute_type) && parts.all(option)
}

/// The one there is, or all of them back.
fn alone(mut filters: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match filters.pop() {
        Some(only) if filters.is_empty() => Ok(only),
        Some(last) => {
            filters.push(last);
            Err(filters)
        }
        None => Err(filters),
    }
}

fn bytes(value: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(value.as_ref())
}

/// As [`Filter::all`].
impl BitAnd for Filter {
    type Output = Filter;

    fn bitand(self, other: Filter) -> Filter {
        Filter::all([self, other])
    }
}

/// As [`Filter::any`].
impl BitOr for Filter {
    type Output = Filter;

    fn bitor(self, other: Filter) -> Filter {
        Filter::any([self, other])
    }
}

/// Twice is not at all, with three values as well.
impl Not for Filter {
    type Output = Filter;

    fn not(self) -> Filter {
        match self {
            Filter::Not(inner) => *inner,
            other => Filter::Not(Box::new(other)),
        }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Filter::parse(text)
    }
}

#[cfg(test)]
mod round_trip;

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(name: &str) -> Filter {
        Filter::equal(name, "1")
    }

    #[test]
    fn operators_flatten() {
        let three = equal("a") & equal("b") & equal("c");
        assert_eq!(three, Filter::And(vec![equal("a"), equal("b"), equal("c")]));
        let three = equal("a") | (equal("b") | equal("c"));
        assert_eq!(three, Filter::Or(vec![equal("a"), equal("b"), equal("c")]));
        assert_eq!(!!equal("a"), equal("a"));
        assert_eq!((equal("a") & !equal("b")).to_string(), "(&(a=1)(!(b=1)))");
    }

    #[test]
    fn one_alone_stays_itself_and_none_is_true_or_false() {
        assert_eq!(Filter::all([equal("a")]), equal("a"));
        assert_eq!(Filter::any([equal("a")]), equal("a"));
        assert_eq!(Filter::all([]).to_string(), "(&)");
        assert_eq!(Filter::any([]).to_string(), "(|)");
        assert_eq!(Filter::all([]) & equal("a"), equal("a"));
        assert_eq!(Filter::any([]) | equal("a"), equal("a"));
        assert_eq!(Filter::any([]) & equal("a"), Filter::And(vec![Filter::Or(vec![]), equal("a")]));
    }

    #[test]
    fn an_empty_piece_is_presence() {
        for filter in [Filter::starts_with("a", ""), Filter::contains("a", ""), Filter::ends_with("a", "")] {
            assert_eq!(filter, Filter::present("a"));
        }
    }

    #[test]
    fn attribute_descriptions_have_options() {
        for (text, expected) in [
            ("cn", true),
            ("cn;lang-de;x-1", true),
            ("2.5.4.3;binary", true),
            ("", false),
            ("cn;", false),
            (";x", false),
            ("cn;a b", false),
            ("cn)(uid", false),
        ] {
            assert_eq!(is_attribute_description(text), expected, "{text}");
        }
    }
}
