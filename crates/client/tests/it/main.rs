//! The client against a scripted peer, the in-memory directory and a real server.

mod bind;
mod deadlines;
mod faults;
mod ldapi;
mod operations;
mod paging;
mod peer;
mod pool;
mod servers;
mod start_tls;
