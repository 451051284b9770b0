//! The rules of a connection as machines without IO: requests in and bytes out, bytes in and messages out.

mod client;
mod error;
mod server;

pub use client::{ClientSession, Event};
pub use error::{Fault, SessionError};
pub use server::ServerSession;

use crate::ber::{self, Error, Limits};
use bytes::BytesMut;

/// The length of the next frame once it is there whole; `None` as long as it is incomplete. It is judged as soon as its
/// header is there.
fn whole_frame(buffer: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
    Ok(ber::frame_length(buffer, limits)?.filter(|length| *length <= buffer.len()))
}

/// Splits the next whole frame off.
fn next_frame(buffer: &mut BytesMut, limits: &Limits) -> Result<Option<BytesMut>, Error> {
    Ok(whole_frame(buffer, limits)?.map(|length| buffer.split_to(length)))
}
