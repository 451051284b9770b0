//! Intermediate response (RFC 4511 section 4.13): something that comes before an operation's last answer.

use crate::ber::{Error, Reader, Tag, Writer};
use bytes::Bytes;

/// What another document defines, by its OID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntermediateResponse {
    /// What it is.
    pub oid: Option<String>,
    /// What it says.
    pub value: Option<Bytes>,
}

const NAME: Tag = Tag::context(0);
const VALUE: Tag = Tag::context(1);

impl IntermediateResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<IntermediateResponse, Error> {
        let oid = match reader.enter_if(NAME)? {
            Some(oid) => Some(oid.as_text("response's OID")?.to_owned()),
            None => None,
        };
        let value = reader.enter_if(VALUE)?.map(|content| content.rest_shared());
        Ok(IntermediateResponse { oid, value })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(oid) = &self.oid {
            writer.octets(NAME, oid);
        }
        if let Some(value) = &self.value {
            writer.octets(VALUE, value);
        }
    }
}
