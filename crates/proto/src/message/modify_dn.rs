//! Modify DN (RFC 4511 section 4.9).

use crate::ber::{Error, Reader, Tag, Writer};

/// Asks for another name or another place of an entry and of all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyDnRequest {
    /// The entry's name.
    pub dn: String,
    /// The first component of its new name.
    pub new_rdn: String,
    /// Are the values of the old first component removed from the entry?
    pub delete_old_rdn: bool,
    /// The entry that it moves below; without one it stays where it is.
    pub new_superior: Option<String>,
}

const NEW_SUPERIOR: Tag = Tag::context(0);

impl ModifyDnRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<ModifyDnRequest, Error> {
        let dn = reader.text(Tag::OCTETS, "name")?.to_owned();
        let new_rdn = reader.text(Tag::OCTETS, "new name")?.to_owned();
        let delete_old_rdn = reader.boolean(Tag::BOOLEAN)?;
        let new_superior = match reader.enter_if(NEW_SUPERIOR)? {
            Some(name) => Some(name.as_text("new superior")?.to_owned()),
            None => None,
        };
        Ok(ModifyDnRequest { dn, new_rdn, delete_old_rdn, new_superior })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(Tag::OCTETS, &self.dn);
        writer.octets(Tag::OCTETS, &self.new_rdn);
        writer.boolean(Tag::BOOLEAN, self.delete_old_rdn);
        if let Some(superior) = &self.new_superior {
            writer.octets(NEW_SUPERIOR, superior);
        }
    }
}
