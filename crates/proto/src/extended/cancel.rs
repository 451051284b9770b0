use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use crate::message::{ExtendedRequest, MessageId};

/// Cancel (RFC 3909): an abandon that is answered, as is the operation that it ends.
///
/// ```
/// use ldapgate_proto::{MessageId, extended::Cancel};
///
/// assert_eq!(Cancel::parse(&Cancel::request(MessageId(7)))?, MessageId(7));
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cancel;

impl Cancel {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.1.8";

    /// Asks for the end of the operation of this id.
    pub fn request(id: MessageId) -> ExtendedRequest {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| writer.integer(Tag::INTEGER, i64::from(id.0)));
        ExtendedRequest { oid: Cancel::OID.to_owned(), value: Some(writer.finish()) }
    }

    /// The id in a request.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(request: &ExtendedRequest) -> Result<MessageId, Error> {
        let Some(value) = &request.value else {
            return Err(Error::new(ErrorKind::Missing(Tag::SEQUENCE), 0));
        };
        let mut content = Reader::new(value).enter(Tag::SEQUENCE)?;
        Ok(MessageId(content.unsigned(Tag::INTEGER, "message id")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_these_bytes() {
        assert_eq!(Cancel::request(MessageId(7)).value.unwrap(), &[0x30, 3, 2, 1, 7][..]);
        assert!(Cancel::parse(&ExtendedRequest { oid: String::new(), value: None }).is_err());
    }
}
