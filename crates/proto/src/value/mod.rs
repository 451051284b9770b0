//! Values in the forms that directories keep them in: security identifiers, GUIDs, two kinds of times, intervals; and
//! [`Kind`], which reads any attribute's values by its name or its syntax; [`is_secret`] says whose values nobody is shown.
//!
//! Each type reads what is on the wire, checks it whole, and prints it as people know it. What is not of the form is an
//! error or `None`, never a guess; the raw bytes stay at hand with whoever holds them.

mod file_time;
mod form;
mod generalized_time;
mod guid;
mod interval;
mod kind;
mod secret;
mod serial;
mod sid;

pub use file_time::FileTime;
pub use form::{Form, Value};
pub use generalized_time::GeneralizedTime;
pub use guid::Guid;
pub use interval::Interval;
pub use kind::Kind;
pub use secret::is_secret;
pub use sid::Sid;

/// A value that is not of the form it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no {form}")]
pub struct ValueError {
    form: &'static str,
}

impl ValueError {
    pub(crate) fn of(form: &'static str) -> ValueError {
        ValueError { form }
    }
}
