//! Why a text is no filter.

/// Why a text is no filter, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no search filter: {kind} at byte {offset}")]
pub struct FilterError {
    kind: FilterErrorKind,
    offset: usize,
}

impl FilterError {
    pub(super) fn new(kind: FilterErrorKind, offset: usize) -> FilterError {
        FilterError { kind, offset }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> FilterErrorKind {
        self.kind
    }

    /// The byte of the text it was found at, counted from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// The ways in which a text can fail to be a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// No text.
    #[error("nothing")]
    Empty,
    /// A parenthesis that is due and not there.
    #[error("`(` is missing")]
    Open,
    /// A parenthesis that is due and not there.
    #[error("`)` is missing")]
    Close,
    /// `!` with none or with several filters.
    #[error("`!` takes exactly one filter")]
    Not,
    /// Something behind the filter's end.
    #[error("something follows after the end")]
    Trailing,
    /// No attribute description where one is due.
    #[error("an attribute such as `cn` is missing or malformed")]
    Attribute,
    /// No comparison behind the attribute.
    #[error("`=`, `>=`, `<=`, `~=` or `:=` is missing after the attribute")]
    Operator,
    /// A matching rule that is none, or an extensible match without rule and attribute.
    #[error("a matching rule such as `caseExactMatch` is missing or malformed")]
    Rule,
    /// A backslash without two hexadecimal digits behind it.
    #[error("a backslash needs two hexadecimal digits behind it")]
    Escape,
    /// `*` where no substrings can be.
    #[error("`*` needs `=`; as a character of the value it is written \\2a")]
    Asterisk,
    /// A character of a value that must be escaped.
    #[error("the character {0:?} of a value is written \\{code:02x}", code = *.0 as u32)]
    Special(char),
    /// Deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("nested deeper than 100 levels")]
    TooDeep,
    /// More than [`MAX_CLAUSES`](super::MAX_CLAUSES).
    #[error("more than 10000 clauses")]
    TooManyClauses,
}
