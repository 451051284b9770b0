//! Through the room's own door: a directory in memory, a store in memory, a clock that stands still.

#![allow(clippy::unwrap_used, reason = "whatever a test sets up works, or the test fails")]

mod admission;
mod change_password;
mod event;
mod external;
mod group;
mod hold_back;
mod link;
mod look_up;
mod mirror;
mod outage;
mod proofs;
mod refresh;
mod rows;
mod session;
mod sign_in;
mod store;
mod sync;
mod throttle;
mod token;
mod typed;
mod watch;
mod watched;
mod world;
