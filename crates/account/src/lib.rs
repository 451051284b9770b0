//! What is known of people between logins, and the one sign-in that every door uses.

mod ambient;
mod person;
pub mod store;
mod time;

pub use ambient::{Ambient, Clock, Entropy};
pub use person::{Account, Group, UserId, UserIdError};
pub use store::{MemoryStore, Store, StoreError};
pub use time::Time;
