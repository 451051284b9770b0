//! The messages of RFC 4511, one file per operation.

mod abandon;
mod access;
mod add;
mod bind;
mod compare;
mod delete;
mod entry;
mod extended;
mod intermediate;
mod modify;
mod modify_dn;
mod password;
mod request;
mod response;
mod result;
pub(crate) mod scan;
mod search;
mod unbind;

pub use add::AddRequest;
pub use bind::{Authentication, BindRequest, BindResponse, SicilyStep};
pub use compare::CompareRequest;
pub(crate) use entry::same_description;
pub use entry::{Attribute, Entry, EntryBuilder};
pub use extended::{ExtendedRequest, ExtendedResponse};
pub use intermediate::IntermediateResponse;
pub use modify::{Change, ChangeOp, ModifyRequest};
pub use modify_dn::ModifyDnRequest;
pub use password::{EmptyPassword, Password};
pub use request::Request;
pub use response::Response;
pub use result::{LdapResult, ResultCode};
pub use search::{Deref, Scope, SearchRequest};

use crate::ber::{self, Error, ErrorKind, Limits, Reader, Tag, Writer};
use crate::control::Controls;
use bytes::Bytes;
use std::fmt;

/// A message: an envelope around one operation (RFC 4511 section 4.1.1).
///
/// ```
/// use ldapgate_proto::{Controls, Limits, Message, MessageId, Request};
///
/// let message = Message { id: MessageId(5), operation: Request::Unbind, controls: Controls::default() };
/// let frame = message.encode();
/// assert_eq!(&frame[..], [0x30, 0x05, 0x02, 0x01, 0x05, 0x42, 0x00]);
/// let read = Message::<Request>::decode(&frame, &Limits::server())?;
/// assert_eq!(read.id, message.id);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<T> {
    /// Which exchange it belongs to.
    pub id: MessageId,
    /// The request or response.
    pub operation: T,
    /// What accompanies it.
    pub controls: Controls,
}

/// The number that joins a request and its responses: 1 to 2147483647; 0 is a notice nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u32);

/// What a message can carry: a [`Request`] or a [`Response`].
pub trait Operation: Sized {
    /// Reads the operation, which is the next element.
    ///
    /// # Errors
    ///
    /// When it is malformed or none that is known.
    fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Self, Error>;

    /// Writes the operation.
    fn write(&self, writer: &mut Writer);

    /// Does it carry a password, so that the buffers it was in are to be overwritten?
    fn is_secret(&self) -> bool;
}

const CONTROLS: Tag = Tag::context(0).constructed();

impl<T: Operation> Message<T> {
    /// Reads one whole frame. What it yields shares the frame's memory.
    ///
    /// # Errors
    ///
    /// When the frame is malformed, exceeds a limit, or its operation is none that is known.
    pub fn decode(frame: &Bytes, limits: &Limits) -> Result<Message<T>, Error> {
        let (id, mut content) = open(frame, limits)?;
        ber::check(frame, limits)?;
        let operation = T::read(&mut content, limits)?;
        let controls = match content.enter_if(CONTROLS)? {
            Some(controls) => Controls::read(controls, limits)?,
            None => Controls::default(),
        };
        Ok(Message { id, operation, controls })
    }

    /// The message as a frame.
    pub fn encode(&self) -> Bytes {
        encode(self.id, &self.operation, &self.controls)
    }
}

/// As [`Message::encode`], without putting a message together first.
pub fn encode<T: Operation>(id: MessageId, operation: &T, controls: &Controls) -> Bytes {
    let mut writer = if operation.is_secret() { Writer::secret() } else { Writer::new() };
    writer.constructed(Tag::SEQUENCE, |writer| {
        writer.integer(Tag::INTEGER, i64::from(id.0));
        operation.write(writer);
        controls.write(CONTROLS, writer);
    });
    writer.finish()
}

/// The id of a whole frame and a cursor over what follows; the rest of the frame is not looked at.
pub(crate) fn open<'f>(frame: &'f Bytes, limits: &Limits) -> Result<(MessageId, Reader<'f>), Error> {
    if frame.len() > limits.max_frame {
        let kind = ErrorKind::FrameTooLong { length: frame.len(), limit: limits.max_frame };
        return Err(Error::new(kind, 0));
    }
    let mut outer = Reader::new(frame);
    let mut content = outer.enter(Tag::SEQUENCE)?;
    outer.finish()?;
    let id = content.unsigned(Tag::INTEGER, "message id")?;
    Ok((MessageId(id), content))
}

/// The tag of a frame's operation, when the frame is sound so far.
pub(crate) fn operation_tag(frame: &[u8]) -> Option<Tag> {
    let outer = ber::header(frame, 0, frame.len()).ok()?;
    let id = ber::header(frame, outer.content, frame.len()).ok()?;
    frame.get(id.content.checked_add(id.length)?).map(|&octet| Tag(octet))
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
