//! LDIF (RFC 2849): entries and changes as text, in the form that every directory tool reads and writes.
//!
//! [`Records`] reads content and [`Changes`] reads changes, record by record from anything that can be read, and both go on
//! behind a broken record, so that all errors of a file can be told at once; [`parse`] reads content from memory.
//! [`Writer`] writes byte for byte what `ldapsearch -LLL` writes, and changes as `ldapmodify` reads them. Values that are
//! elsewhere (`attribute:< file:///...`) are errors unless the caller gives somebody who gets them: nothing is read here.
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

mod change;
mod error;
mod line;
mod read;
mod write;
mod write_change;

use bytes::Bytes;

use crate::Entry;

pub use change::{ChangeRecord, ChangeType, Changes, Untyped};
pub use error::{LdifError, LdifErrorKind};
pub use read::{Records, parse};
pub use write::Writer;

/// The longest value that is read, in bytes after folding and base64.
pub const MAX_VALUE: usize = 16 << 20;
/// How many values one record may have.
pub const MAX_VALUES: usize = 1_000_000;
/// The longest record that is read, in bytes after folding.
pub const MAX_RECORD: usize = 256 << 20;

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
