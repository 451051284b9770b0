//! LDIF content records (RFC 2849): entries as text, in the form that every directory tool reads and writes.
//!
//! [`parse`] reads a whole file record by record and goes on behind a broken one, so that all errors of a file can be
//! told at once. [`Writer`] writes byte for byte what `ldapsearch -LLL` writes. Change records (`changetype:`) and values
//! taken from files (`attribute:< file:///...`) are refused: content comes from the text alone.
//!
//! ```
//! use ldapgate_proto::ldif;
//!
//! let text = "dn: uid=ada,dc=example,dc=com\nuid: ada\ncn:: SsO8cmdlbg==\ndescription: folded\n  line\n";
//! let records = ldif::parse(text.as_bytes()).collect::<Result<Vec<_>, _>>()?;
//! let ada = records[0].to_entry();
//! assert_eq!(ada.text("cn"), Some("Jürgen"));
//! assert_eq!(ada.text("description"), Some("folded line"));
//!
//! let mut writer = ldif::Writer::new(Vec::new());
//! writer.entry(&ada)?;
//! let expected = "dn: uid=ada,dc=example,dc=com\nuid: ada\ncn:: SsO8cmdlbg==\ndescription: folded line\n\n";
//! assert_eq!(writer.into_inner(), expected.as_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod read;
mod write;

use bytes::Bytes;

use crate::Entry;

pub use error::{LdifError, LdifErrorKind};
pub use read::{Records, parse};
pub use write::Writer;

/// The longest value that is read, in bytes after folding and base64.
pub const MAX_VALUE: usize = 16 << 20;
/// How many values one record may have.
pub const MAX_VALUES: usize = 1_000_000;

/// One entry of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry's name, as it is written; it is not parsed.
    pub dn: String,
    /// The attributes in the order in which they first come, each with all its values. Names that differ in case alone
    /// are one.
    pub attributes: Vec<(String, Vec<Bytes>)>,
    /// The line of the `dn:`, counted from 1.
    pub line: usize,
}

impl Record {
    /// The record as an entry.
    #[must_use]
    pub fn to_entry(&self) -> Entry {
        let mut entry = Entry::builder(self.dn.as_str());
        for (name, values) in &self.attributes {
            entry = entry.attribute(name, values);
        }
        entry.build()
    }
}
