//! What logins and the client underneath cost, beside others doing the same:
//! `cargo run --release --manifest-path benches/Cargo.toml -- login` and `.. -- client`.
//!
//! Reading order: [`world`] is the directory that all rows share, [`slapd`] the server, [`login`] and [`client`] what is
//! measured.

#![cfg_attr(not(feature = "login"), allow(dead_code, reason = "some of the world is for logins alone"))]

mod client;
#[cfg(feature = "login")]
mod login;
mod slapd;
mod world;

use std::process::ExitCode;

const USAGE: &str = "usage: login [--people N] [--logins N] [bare|decision|sign-in|django]..
       client [--people N] [--rounds N] [--program FILE] [WORD]..   (rows whose name has one of the words)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.split_first() {
        #[cfg(feature = "login")]
        Some((&"login", rest)) => login::main(rest),
        Some((&"client", rest)) => client::main(rest),
        // What this program calls itself as, on the clients' core.
        #[cfg(feature = "login")]
        Some((&"worker", rest)) => login::worker::main(rest),
        Some((&"client-worker", rest)) => client::worker(rest),
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
