//! Abandon (RFC 4511 section 4.11): the operation is the id of the one that is given up. It has no answer.

use super::MessageId;
use crate::ber::{Error, Reader, Tag, Writer};

pub(super) const ABANDON: Tag = Tag::application(16);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<MessageId, Error> {
    Ok(MessageId(reader.unsigned(ABANDON, "message id")?))
}

pub(super) fn write(id: MessageId, writer: &mut Writer) {
    writer.integer(ABANDON, i64::from(id.0));
}
