//! `login`: one decision through the configured pipeline.

use std::sync::Arc;

use account::{Fault, Origin, Outcome, SignIn, document};
use auth::Trace;
use ldapgate::Engine;
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
    let password = secret::of_person(&login.password, &login.user).map_err(|error| {
        output::complain(&error);
        Exit::USAGE
    })?;
    let engine = engine(context, login.json).await?;
    let trace = Arc::new(Trace::default());
    let sign_in = SignIn { observer: Some(trace.clone()), ..SignIn::default() };
    let outcome = engine.accounts().sign_in(&login.user, password, &Origin::default(), sign_in).await;
    let mut document = document::outcome(&outcome);
    if login.explain {
        document = document::with_trace(document, &trace.steps());
    }
    let detail = match &outcome {
        Outcome::Denied { denial, .. } => denial.detail(),
        _ => "",
    };
    show(&document, detail, login.json);
    engine.shutdown().await;
    Ok(match &outcome {
        Outcome::Granted(_) => Exit::DONE,
        Outcome::Denied { .. } => Exit::REFUSED,
        Outcome::Failed { fault, .. } => of_fault(*fault),
    })
}

/// The engine for one command; what fails is told on standard error and, for programs, as a document.
pub(crate) async fn engine(context: &Context, json: bool) -> Result<Engine, Exit> {
    let failed = |fault: Fault, message: &str, causes: &[String]| {
        if json {
            output::document(&document::failed(fault, message, causes));
        }
        of_fault(fault)
    };
    let config = context.config_and_log().map_err(|errors| {
        let problems: Vec<String> = errors.problems().iter().map(ToString::to_string).collect();
        failed(Fault::Configuration, "the configuration cannot be used", &problems)
    })?;
    Engine::start(&config).await.map_err(|error| {
        let fault = match &error {
            ldapgate::Error::Store { .. } => Fault::Store,
            ldapgate::Error::Accounts { source } => source.fault(),
            _ => Fault::Configuration,
        };
        let exit = failed(fault, &error.to_string(), &error.causes());
        output::complain(&error.into());
        exit
    })
}

/// Prints the document as it was asked for; `detail` is what people are told besides.
pub(crate) fn show(document: &Value, detail: &str, json: bool) {
    if json { output::document(document) } else { output::login(document, detail) }
}

/// The status of a failure.
pub(crate) fn of_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Configuration => Exit::USAGE,
        _ => Exit::FAULT,
    }
}

/// Prints the document, or the text for people.
pub(crate) fn say(document: &Value, text: &str, json: bool) {
    if json { output::document(document) } else { output::line(&output::printable_lines(text)) }
}

/// Prints why something was not done.
pub(crate) fn refuse(why: &str, json: bool) -> Exit {
    say(&document::refused(why), &format!("refused: {why}"), json);
    Exit::REFUSED
}

/// Prints a failure as a document or for people.
pub(crate) fn fail(error: account::Error, json: bool) -> Exit {
    let exit = of_fault(error.fault());
    show(&document::outcome(&Outcome::from(error)), "", json);
    exit
}
