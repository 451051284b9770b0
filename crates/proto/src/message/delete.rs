//! Delete (RFC 4511 section 4.8): the operation is the name itself.

use crate::ber::{Error, Reader, Tag, Writer};

pub(super) const DELETE: Tag = Tag::application(10);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<String, Error> {
    Ok(reader.text(DELETE, "name")?.to_owned())
}

pub(super) fn write(dn: &str, writer: &mut Writer) {
    writer.octets(DELETE, dn);
}
