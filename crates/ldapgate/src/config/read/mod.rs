//! How configuration text becomes checked values: a tree that remembers where everything stood, the environment laid over it,
//! and sections that are read key by key, so that every mistake of a file is found in one run.

mod duration;
mod environment;
mod problem;
mod secret;
mod section;
mod sheet;
mod similar;
mod tree;

pub use problem::{ConfigErrors, Problem};
pub use sheet::{Shown, Source};

pub(super) use duration::{Zero, parse as parse_duration};
pub(super) use environment::{PREFIX, lay_over};
pub use secret::without_newline;
pub(super) use secret::{Secret, read_small};
pub(super) use section::Section;
pub(super) use sheet::{Found, Sheet};
pub(super) use similar::closest;
pub(super) use tree::{Kind, Place, Table, Value, quote};
