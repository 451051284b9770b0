//! Unbind (RFC 4511 section 4.3): a goodbye that has no content and no answer.

use crate::ber::{Error, Reader, Tag, Writer};

pub(super) const UNBIND: Tag = Tag::application(2);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), Error> {
    // Some clients put an octet into it; there is nothing in it to misread.
    reader.enter(UNBIND).map(drop)
}

pub(super) fn write(writer: &mut Writer) {
    writer.empty(UNBIND);
}
