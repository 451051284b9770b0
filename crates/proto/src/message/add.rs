//! Add (RFC 4511 section 4.7).

use super::modify;
use crate::ber::{Error, Reader, Tag, Writer};
use bytes::Bytes;

/// Asks for a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddRequest {
    /// Its name.
    pub dn: String,
    /// Its attributes, each with at least one value.
    pub attributes: Vec<(String, Vec<Bytes>)>,
}

impl AddRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<AddRequest, Error> {
        let dn = reader.text(Tag::OCTETS, "name")?.to_owned();
        let mut list = reader.enter(Tag::SEQUENCE)?;
        let mut attributes = Vec::new();
        while !list.is_empty() {
            attributes.push(modify::read_attribute(&mut list)?);
        }
        Ok(AddRequest { dn, attributes })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(Tag::OCTETS, &self.dn);
        writer.constructed(Tag::SEQUENCE, |writer| {
            for (name, values) in &self.attributes {
                modify::write_attribute(name, values, writer);
            }
        });
    }
}
