//! Through the room's own door: a directory in memory, a store in memory, a clock that stands still.

mod admission;
mod hold_back;
mod look_up;
mod outage;
mod session;
mod sign_in;
mod store;
mod throttle;
mod token;
mod watched;
mod world;
