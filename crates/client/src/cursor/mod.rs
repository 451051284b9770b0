//! Entries by class: read with what the schema says of it, changed by pending changes that are sent as one request.
//!
//! [`Reader`] finds entries of some classes and asks for exactly the attributes that these may have; a [`TypedEntry`] reads
//! its values by their syntax; a [`Writer`] collects changes of one entry, old or new, and sends the smallest that will do.

mod entry;
mod reader;
mod writer;

pub use entry::TypedEntry;
pub use reader::{Reader, TypedFound, TypedStream};
pub use writer::Writer;
