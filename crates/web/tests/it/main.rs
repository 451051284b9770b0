//! The web room through its public door, against the in-memory directory and store.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, and clippy.toml speaks of test functions only"
)]

mod api;
mod guard;
mod health;
mod home;
mod login;
mod logout;
mod page;
mod password;
mod proxy;
mod serve;
mod token;
mod visitor;
mod world;
