//! What an operator writes with `{username}` in it: parsed once, when the configuration is read, and filled with values,
//! never with text. A value that looks like a placeholder, a filter or a name stays a value.
//!
//! Reading order: `pieces` cuts a value at its placeholders, `filter` and `name` are trees of such values.

mod filter;
mod name;
mod pieces;

use proto::{DnError, FilterError};

pub use filter::FilterTemplate;
pub use name::{BindNameTemplate, DnTemplate, UserTemplate};
pub(crate) use pieces::Values;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not RFC 4515.
    #[error("{text:?} is no filter")]
    Filter {
        /// What was written.
        text: String,
        /// Where it goes wrong.
        source: FilterError,
    },
    /// Not RFC 4514.
    #[error("{text:?} is no name")]
    Dn {
        /// What was written.
        text: String,
        /// Where it goes wrong.
        source: DnError,
    },
    /// A brace that is neither a placeholder nor doubled.
    #[error(
        "{found:?} is no placeholder: there are {{username}}, {{input}} and {{domain}}, and a brace is written twice"
    )]
    Placeholder {
        /// What stands there.
        found: String,
    },
    /// Everybody would be the same person.
    #[error("{text:?} needs {{username}} or {{input}}: without it everybody would be the same person")]
    Nobody {
        /// What was written.
        text: String,
    },
    /// A value that is no text cannot be built anew.
    #[error("{text:?} has a value that is not text")]
    NotText {
        /// What was written.
        text: String,
    },
    /// A bind name is looked up as `userPrincipalName` afterwards.
    #[error(
        "{text:?} is neither a name (uid={{username}},...) nor a bind name with a domain ({{username}}@example.com)"
    )]
    BindName {
        /// What was written.
        text: String,
    },
}
