//! The rules of a connection as machines without IO: requests in and bytes out, bytes in and messages out.

mod client;
mod error;
mod server;

pub use client::{ClientSession, Event};
pub use error::{Fault, SessionError};
pub use server::ServerSession;

use crate::ber::{self, Error, Limits};
use bytes::{Buf, BytesMut};

/// Splits the next whole frame off; `None` as long as it is incomplete. Its length is judged as soon as its header is
/// there.
fn next_frame(buffer: &mut BytesMut, limits: &Limits) -> Result<Option<BytesMut>, Error> {
    match ber::frame_length(buffer, limits)? {
        Some(length) if length <= buffer.remaining() => Ok(Some(buffer.split_to(length))),
        _ => Ok(None),
    }
}
