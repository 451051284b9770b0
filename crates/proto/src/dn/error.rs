//! Why a text is no name.

/// Why a text is no name, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no distinguished name: {kind} at byte {offset}")]
pub struct DnError {
    kind: DnErrorKind,
    offset: usize,
}

impl DnError {
    pub(super) fn new(kind: DnErrorKind, offset: usize) -> DnError {
        DnError { kind, offset }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DnErrorKind {
        self.kind
    }

    /// The byte of the text it was found at, counted from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// The ways in which a text can fail to be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DnErrorKind {
    /// Longer than [`MAX_LENGTH`](super::MAX_LENGTH).
    #[error("text longer than 64 KiB")]
    TooLong,
    /// More than [`MAX_PARTS`](super::MAX_PARTS).
    #[error("more than 1000 parts")]
    TooManyParts,
    /// No attribute type, such as `cn` or `2.5.4.3`, where one is due.
    #[error("an attribute type such as `cn` is missing or malformed")]
    Attribute,
    /// No `=` after the attribute type.
    #[error("`=` is missing after the attribute type")]
    Equals,
    /// A backslash without a special character or two hexadecimal digits behind it.
    #[error("a backslash needs a special character or two hexadecimal digits behind it")]
    Escape,
    /// `#` without the hexadecimal digits of one whole BER element behind it.
    #[error("`#` needs the hexadecimal digits of a whole BER value behind it")]
    Hex,
    /// A quoted value without its end, or with something behind it.
    #[error("a quoted value has no end, or something behind it")]
    Quote,
    /// A character that must be written with a backslash before it.
    #[error("the character {0:?} needs a backslash before it")]
    Special(char),
}
