use super::Tag;

/// What is wrong with the bytes of a peer, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The byte it was found at, counted from the start of the frame (or of the value that was read by itself).
    pub offset: usize,
}

impl Error {
    /// An error of this kind at this byte.
    pub const fn new(kind: ErrorKind, offset: usize) -> Error {
        Error { kind, offset }
    }
}

/// The ways in which bytes can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside an element.
    #[error("the bytes end inside an element")]
    Truncated,
    /// An element is longer than the one around it.
    #[error("an element runs past the end of the one around it")]
    Overrun,
    /// Bytes follow where nothing may follow.
    #[error("bytes follow after the end")]
    Trailing,
    /// The indefinite form of length, which LDAP forbids (RFC 4511 section 5.1).
    #[error("indefinite length")]
    IndefiniteLength,
    /// A length of more than eight octets, or one that fits no number.
    #[error("length of too many octets")]
    LengthOfLength,
    /// A tag of more than one octet; LDAP has none.
    #[error("tag of more than one octet")]
    LongTag,
    /// Another element was due.
    #[error("expected tag {expected}, found {found}")]
    UnexpectedTag {
        /// What was due.
        expected: Tag,
        /// What is there.
        found: Tag,
    },
    /// An element is missing.
    #[error("element {0} is missing")]
    Missing(Tag),
    /// A tag that is no operation, choice or filter.
    #[error("unknown {what} {found}")]
    Unknown {
        /// What was being read, in a word.
        what: &'static str,
        /// What is there.
        found: Tag,
    },
    /// The frame is longer than [`Limits::max_frame`](super::Limits::max_frame).
    #[error("frame of {length} bytes exceeds the limit of {limit}")]
    FrameTooLong {
        /// Its length with its header.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Elements are nested deeper than [`Limits::max_depth`](super::Limits::max_depth) allows.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More elements than [`Limits::max_elements`](super::Limits::max_elements).
    #[error("more than {limit} elements")]
    TooManyElements {
        /// The limit.
        limit: usize,
    },
    /// More controls than [`Limits::max_controls`](super::Limits::max_controls).
    #[error("more than {limit} controls")]
    TooManyControls {
        /// The limit.
        limit: usize,
    },
    /// A number of no octets or of more than eight.
    #[error("malformed number")]
    BadNumber,
    /// A number outside of what the field allows.
    #[error("{value} is out of range for {what}")]
    OutOfRange {
        /// The field.
        what: &'static str,
        /// What it holds.
        value: i64,
    },
    /// A boolean that is not of one octet.
    #[error("malformed boolean")]
    BadBoolean,
    /// Text that is not UTF-8.
    #[error("{what} is not UTF-8")]
    NotUtf8 {
        /// The field.
        what: &'static str,
    },
    /// A rule of one operation is broken.
    #[error("{0}")]
    Invalid(&'static str),
}
