//! Add (RFC 4511 section 4.7).

use super::modify;
use crate::ber::{Error, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// Asks for a new entry.
///
/// ```
/// use ldapgate_proto::{AddRequest, Bytes};
///
/// let surname = ("sn".to_owned(), vec![Bytes::from("Lovelace")]);
/// let add = AddRequest { dn: "cn=ada,dc=example,dc=com".into(), attributes: vec![surname] };
/// assert!(!format!("{add:?}").contains("Lovelace"), "values can be secret");
/// ```
#[derive(Clone, PartialEq, Eq)]
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

/// Names only, because values can be secret.
impl fmt::Debug for AddRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.attributes.iter().map(|(name, _)| name).collect();
        f.debug_struct("AddRequest").field("dn", &self.dn).field("attributes", &names).finish()
    }
}
