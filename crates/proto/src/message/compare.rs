//! Compare (RFC 4511 section 4.10).

use crate::ber::{Error, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// Asks whether an entry's attribute has a value.
#[derive(Clone, PartialEq, Eq)]
pub struct CompareRequest {
    /// The entry's name.
    pub dn: String,
    /// The attribute.
    pub attribute: String,
    /// The value.
    pub value: Bytes,
}

impl CompareRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<CompareRequest, Error> {
        let dn = reader.text(Tag::OCTETS, "name")?.to_owned();
        let mut assertion = reader.enter(Tag::SEQUENCE)?;
        let attribute = assertion.text(Tag::OCTETS, "attribute")?.to_owned();
        let value = assertion.shared(Tag::OCTETS)?;
        Ok(CompareRequest { dn, attribute, value })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(Tag::OCTETS, &self.dn);
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.octets(Tag::OCTETS, &self.attribute);
            writer.octets(Tag::OCTETS, &self.value);
        });
    }
}

/// Not the value, because it can be secret.
impl fmt::Debug for CompareRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("CompareRequest");
        printed.field("dn", &self.dn).field("attribute", &self.attribute).finish_non_exhaustive()
    }
}
