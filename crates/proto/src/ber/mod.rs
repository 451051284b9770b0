//! The Basic Encoding Rules as LDAP restricts them (RFC 4511 section 5.1).
//!
//! [`Reader`] is a cursor over one refcounted frame: it copies nothing and hands out slices of the frame. [`Writer`]
//! grows one buffer and fixes lengths up afterwards. [`frame_length`] judges a frame by its header before the rest of it
//! is buffered, and [`check`] walks a whole frame once, without recursion and without allocating, so that everything
//! that reads it later may rely on sound lengths and on the [`Limits`].

mod check;
mod error;
mod limits;
mod reader;
mod tag;
mod writer;

pub use check::{check, frame_length};
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use reader::Reader;
pub(crate) use reader::header;
pub use tag::Tag;
pub use writer::{Mark, Writer};
