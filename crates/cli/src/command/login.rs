//! `login`: one decision through the configured pipeline.

use std::sync::Arc;

use account::{Origin, SignIn, document};
use auth::Trace;
use serde_json::Value;

use super::Context;
use crate::arguments::Login;
use crate::exit::Exit;
use crate::output;
use crate::secret;

/// Decides, prints, and says granted or denied by the status.
pub(crate) async fn run(context: &Context, login: Login) -> Exit {
    match decide(context, login).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn decide(context: &Context, login: Login) -> Result<Exit, Exit> {
    let config = context.config_and_log()?;
    let password = secret::of_person(&login.password, &login.user).map_err(|error| {
        output::complain(&error);
        Exit::USAGE
    })?;
    let engine = super::serve::start(&config).await?;
    let trace = Arc::new(Trace::default());
    let sign_in = SignIn { observer: Some(trace.clone()), ..SignIn::default() };
    let outcome = engine.accounts().sign_in(&login.user, password, &Origin::default(), sign_in).await;
    let mut document = document::outcome(&outcome);
    if login.explain {
        document = document::with_trace(document, &trace.steps());
    }
    show(&document, login.json);
    engine.shutdown().await;
    Ok(status(&document))
}

/// Prints the document as it was asked for.
pub(crate) fn show(document: &Value, json: bool) {
    if json { output::document(document) } else { output::login(document) }
}

/// The status that goes with a login document.
pub(crate) fn status(document: &Value) -> Exit {
    match document["outcome"].as_str() {
        Some("granted" | "found") => Exit::DONE,
        Some("denied") => Exit::REFUSED,
        _ if document["fault"] == "configuration" => Exit::USAGE,
        _ => Exit::FAULT,
    }
}
