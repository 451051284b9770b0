//! The client against a scripted peer, the in-memory directory and a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod bind;
mod blocking;
mod changes;
mod controls;
mod deadlines;
#[cfg(feature = "srv")]
mod dns;
mod faults;
mod ldapi;
mod live;
mod operations;
mod paging;
mod password;
mod peer;
mod pool;
mod ranges;
mod referrals;
mod sasl;
mod servers;
mod spans;
mod start_tls;
