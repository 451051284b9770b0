//! Search filters (RFC 4515).
use crate::Dn;
use bytes::Bytes;
use std::fmt;

/// How deep filters may nest.
pub const MAX_DEPTH: usize = 100;
/// How many clauses a filter may have.
pub const MAX_CLAUSES: usize = 10_000;

/// A search filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal { attribute: String, value: Bytes },
    GreaterOrEqual { attribute: String, value: Bytes },
    LessOrEqual { attribute: String, value: Bytes },
    Approximate { attribute: String, value: Bytes },
    Present(String),
    Substrings { attribute: String, initial: Option<Bytes>, any: Vec<Bytes>, last: Option<Bytes> },
    Extensible { rule: Option<String>, attribute: Option<String>, value: Bytes, dn_attributes: bool },
}
/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad filter at byte {offset}")]
pub struct FilterError {
    offset: usize,
}
impl FilterError {
    /// The byte the error is about.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
/// An entry, as a filter sees it.
pub trait Attributes {
    /// The values of an attribute.
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]>;
    /// The names of all attributes, for `(:rule:=value)`.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
    /// The entry's name, for `:dn:`.
    fn dn(&self) -> Option<Dn> {
        None
    }
}
/// How values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Rule {
    CaseIgnore,
    CaseExact,
    Dn,
    Integer,
    Boolean,
    Telephone,
    Time,
    Octet,
}
/// Which rule an attribute has.
pub trait Matching {
    /// The rule of an attribute (without options).
    fn rule(&self, attribute: &str) -> Rule;
}
/// The usual schemas.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardRules;
impl Matching for StandardRules {
    fn rule(&self, _attribute: &str) -> Rule {
        todo!()
    }
}
impl Rule {
    /// Equality; `None` when a value does not fit the rule.
    pub fn equal(self, _value: &[u8], _assertion: &[u8]) -> Option<bool> {
        todo!()
    }
    /// Order; `None` when there is none.
    pub fn compare(self, _value: &[u8], _assertion: &[u8]) -> Option<std::cmp::Ordering> {
        todo!()
    }
}
impl Filter {
    /// Parses RFC 4515 text.
    pub fn parse(_text: &str) -> Result<Filter, FilterError> {
        todo!()
    }
    /// `(attribute=value)`
    pub fn equal(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute>=value)`
    pub fn greater_or_equal(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute<=value)`
    pub fn less_or_equal(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute~=value)`
    pub fn approximate(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute=value*)`
    pub fn starts_with(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute=*value*)`
    pub fn contains(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute=*value)`
    pub fn ends_with(_attribute: impl Into<String>, _value: impl AsRef<[u8]>) -> Filter {
        todo!()
    }
    /// `(attribute=*)`
    pub fn present(_attribute: impl Into<String>) -> Filter {
        todo!()
    }
    /// `(attribute:rule:=value)`
    pub fn extensible(
        _attribute: impl Into<String>,
        _rule: impl Into<String>,
        _value: impl AsRef<[u8]>,
    ) -> Filter {
        todo!()
    }
    /// `(&...)`
    pub fn all(_filters: impl IntoIterator<Item = Filter>) -> Filter {
        todo!()
    }
    /// `(|...)`
    pub fn any(_filters: impl IntoIterator<Item = Filter>) -> Filter {
        todo!()
    }
    /// Three-valued evaluation (RFC 4511 section 4.5.1.7); `None` is Undefined.
    pub fn evaluate(&self, _entry: &impl Attributes, _rules: &impl Matching) -> Option<bool> {
        todo!()
    }
}
impl std::ops::BitAnd for Filter {
    type Output = Filter;
    fn bitand(self, _other: Filter) -> Filter {
        todo!()
    }
}
impl std::ops::BitOr for Filter {
    type Output = Filter;
    fn bitor(self, _other: Filter) -> Filter {
        todo!()
    }
}
impl std::ops::Not for Filter {
    type Output = Filter;
    fn not(self) -> Filter {
        todo!()
    }
}
impl fmt::Display for Filter {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl std::str::FromStr for Filter {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        Filter::parse(text)
    }
}
