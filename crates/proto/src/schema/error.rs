//! What is wrong with a definition.

/// Why a definition cannot be read. Places are bytes from the definition's beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// It is longer than any definition has a reason to be.
    #[error("{length} bytes are more than a definition may have")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// A quoted text has no end.
    #[error("the quote at {at} is not closed")]
    OpenQuote {
        /// Where it begins.
        at: usize,
    },
    /// Something else was due.
    #[error("{expected} is missing at {at}")]
    Missing {
        /// What was due.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// It goes on behind its closing parenthesis.
    #[error("there is more behind the closing parenthesis, at {at}")]
    Trailing {
        /// Where.
        at: usize,
    },
    /// A list is longer than any has a reason to be.
    #[error("the list at {at} has too many values")]
    TooMany {
        /// Where it begins.
        at: usize,
    },
}

/// A definition that could not be read: what the server wrote, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The attribute that it is a value of, as the server names it: `attributeTypes`, ...
    pub attribute: String,
    /// The value; bytes that are not UTF-8 are replaced, and of one that is too long only the beginning is kept.
    pub text: String,
    /// What is wrong.
    pub error: DefinitionError,
}
