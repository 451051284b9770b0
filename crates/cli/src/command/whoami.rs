//! `whoami`: who the directory takes us for (RFC 4532).

use serde_json::json;

use super::ldap::{self, Failure};
use super::{Context, extension};
use crate::arguments::{Extensions, Whoami};
use crate::exit::Exit;
use crate::output;

/// Asks and prints, as `ldapwhoami` does.
pub(crate) async fn run(context: &Context, whoami: Whoami) -> Exit {
    match ask(context, &whoami).await {
        Ok(()) => Exit::DONE,
        Err(failure) => failure.report(),
    }
}

async fn ask(context: &Context, whoami: &Whoami) -> Result<(), Failure> {
    let controls = extension::controls(&Extensions::without_m(&whoami.extensions))?;
    let connection = ldap::connect(context, &whoami.target).await?.connection.with_controls(controls);
    if whoami.dry_run {
        connection.close().await;
        return Ok(());
    }
    let identity = connection.who_am_i().await.map_err(refused)?;
    connection.close().await;
    if whoami.json {
        output::document(&json!({ "authzid": identity }));
    } else {
        output::line(if identity.is_empty() { "anonymous" } else { &identity });
    }
    Ok(())
}

/// As ldapwhoami, which gives the code for a refused bind only.
fn refused(error: client::Error) -> Failure {
    match error.result() {
        Some(_) => Failure::new(error.into(), Exit::REFUSED),
        None => error.into(),
    }
}
