//! `ldapgate`: the gateway, the diagnostics and the LDAP tools on the command line.
//!
//! Reading order: [`arguments`] (what may be typed), [`command`] (one file each), [`exit`] (what the status says).

mod arguments;
mod command;
mod exit;
mod output;
mod secret;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    let runtime = match runtime(&arguments.command) {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&anyhow::Error::from(error).context("cannot start the runtime"));
            return Exit::FAULT.into();
        }
    };
    let exit = runtime.block_on(Box::pin(command::run(arguments)));
    // A prompt or a name server that hangs in a blocking thread must not keep the process.
    runtime.shutdown_background();
    exit.into()
}

/// An LDAP tool does one thing at a time: on one thread it costs half of what several would.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Search(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

/// Prints help, version or what is wrong with the line; the LDAP tools have a status of their own for that.
fn usage(error: &clap::Error) -> Exit {
    let tool = std::env::args_os().skip(1).find(|word| !word.to_string_lossy().starts_with('-'));
    let is_tool = tool.is_some_and(|word| Command::is_ldap_tool(&word.to_string_lossy()));
    let _ = error.print();
    match error.exit_code() {
        0 => Exit::DONE,
        _ if is_tool => Exit::BEFORE_AN_ANSWER,
        _ => Exit::USAGE,
    }
}
