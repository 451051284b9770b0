//! Login pages, sessions, guards and tokens over HTTP.

mod address;
mod serve;
mod settings;

pub use address::{Network, NetworkError, Peer};
pub use serve::{ServeOptions, serve};
pub use settings::Settings;
