//! What logins, checks of sessions, a sync and the client underneath cost, beside others doing the same:
//! `cargo run --release --manifest-path benches/Cargo.toml -- login`, `.. -- accounts`, `.. -- sync` and `.. -- client`.
//!
//! Reading order: [`world`] is the directory that all rows share, [`slapd`] the server, [`login`], [`accounts`], [`sync`] and
//! [`client`] what is measured, [`turns`] and [`cores`] how.

#![cfg_attr(not(feature = "login"), allow(dead_code, reason = "some of the world is for logins alone"))]

#[cfg(feature = "login")]
mod accounts;
mod client;
mod cores;
#[cfg(feature = "login")]
mod engine;
#[cfg(feature = "login")]
mod login;
mod slapd;
mod sync;
#[cfg(feature = "login")]
mod turns;
mod world;

use std::process::ExitCode;

const USAGE: &str = "usage: login [--people N] [--logins N] [bare|decision|sqlite|postgres|django]..
       accounts [--checks N] [seal|cached|select-sqlite|sqlite|select-postgres|postgres]..
       sync [--people N] [--rounds N] [--program FILE] [sqlite|postgres]..
       client [--people N] [--rounds N] [--program FILE] [WORD]..   (rows whose name has one of the words)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.split_first() {
        #[cfg(feature = "login")]
        Some((&"login", rest)) => login::main(rest),
        #[cfg(feature = "login")]
        Some((&"accounts", rest)) => accounts::main(rest),
        Some((&"sync", rest)) => sync::main(rest),
        Some((&"client", rest)) => client::main(rest),
        // What this program calls itself as, on the clients' core.
        #[cfg(feature = "login")]
        Some((&"login-worker", rest)) => login::worker::main(rest),
        #[cfg(feature = "login")]
        Some((&"accounts-worker", rest)) => accounts::worker(rest),
        Some((&"client-worker", rest)) => client::worker::main(rest),
        Some((&"sync-worker", rest)) => sync::worker(rest),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
