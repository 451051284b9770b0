//! What is wrong with a file.

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct LdifError {
    kind: LdifErrorKind,
    line: usize,
}

impl LdifError {
    pub(super) fn new(kind: LdifErrorKind, line: usize) -> LdifError {
        LdifError { kind, line }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &LdifErrorKind {
        &self.kind
    }

    /// The line, counted from 1; of a folded line, its first.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// The ways in which a file can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LdifErrorKind {
    /// A version other than 1.
    #[error("only version 1 is known")]
    Version,
    /// A record that does not start with its name.
    #[error("a record starts with `dn:`")]
    Dn,
    /// A second name in one record.
    #[error("a second `dn:` in one record; is the empty line between two records missing?")]
    SecondDn,
    /// A change, not content.
    #[error("a change record; only content is read here")]
    Change,
    /// A record without `changetype:` where only changes are read.
    #[error("`changetype:` is missing")]
    Untyped,
    /// A `changetype:` that there is not.
    #[error("{0:?} is no changetype; there are add, delete, modify, modrdn and moddn")]
    ChangeType(String),
    /// A line of a modification that does not say what is done.
    #[error(
        "{0:?} is no change: `add:`, `delete:`, `replace:` or `increment:` comes first; a new entry needs `changetype: add`"
    )]
    Operation(String),
    /// A value of another attribute than the change is about.
    #[error("a value of {found} in a change of {changed}; is the line `-` missing?")]
    OtherAttribute {
        /// What the change is about.
        changed: String,
        /// Whose value it is.
        found: String,
    },
    /// A `-` outside of modifications.
    #[error("a line `-`, which only ends a change of an attribute")]
    Dash,
    /// Something behind all that a record can say.
    #[error("{0:?} does not belong into this kind of record")]
    Extra(String),
    /// A rename without its new name, or without saying what becomes of the old one.
    #[error("a new name needs `newrdn:` and `deleteoldrdn:`")]
    Rename,
    /// Neither 0 nor 1.
    #[error("`deleteoldrdn:` is 0 or 1")]
    DeleteOldRdn,
    /// A control that cannot be read.
    #[error("a control is an OID, then `true` or `false`, then its value")]
    Control,
    /// A continuation line with nothing before it.
    #[error("a line that starts with a space continues the one before, but there is none")]
    Continuation,
    /// A line without a colon.
    #[error("`:` is missing after the attribute")]
    Colon,
    /// A name that is no attribute description.
    #[error("{0:?} is no attribute")]
    Attribute(String),
    /// A value that is not base64 though it says so.
    #[error("the value of {0} is not base64")]
    Base64(String),
    /// A value that should come from somewhere else.
    #[error("the value of {0} would be read from a file or URL, which is not done")]
    Url(String),
    /// A value that whoever resolves URLs did not get.
    #[error("the value of {attribute} cannot be had: {reason}")]
    Unresolved {
        /// Whose value.
        attribute: String,
        /// Why not.
        reason: String,
    },
    /// A name that is not UTF-8, or another value that has to be.
    #[error("the value is not UTF-8")]
    NotUtf8,
    /// A NUL outside of base64.
    #[error("a NUL byte; such values are written in base64")]
    Nul,
    /// Longer than [`MAX_VALUE`](super::MAX_VALUE).
    #[error("a value of more than 16 MiB")]
    TooLong,
    /// More than [`MAX_VALUES`](super::MAX_VALUES).
    #[error("more than 1000000 values in one record")]
    TooMany,
    /// More than [`MAX_RECORD`](super::MAX_RECORD).
    #[error("a record of more than 256 MiB")]
    TooBig,
    /// The file cannot be read on.
    #[error("cannot read on: {0}")]
    Input(String),
}
