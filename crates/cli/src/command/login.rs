//! `login`: one decision through the configured pipeline.

use std::sync::Arc;

use account::{Denied, Outcome, SignIn, document};
use auth::Trace;

use super::answer::{Answer, of_fault};
use super::{Context, origin};
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
    let answer = Answer::new(context, login.json);
    let engine = answer.engine(context).await?;
    let trace = Arc::new(Trace::default());
    let sign_in = SignIn { observer: Some(trace.clone()), ..SignIn::default() };
    let outcome = engine.accounts().sign_in(&login.user, password, &origin(), sign_in).await;
    let mut document = document::outcome(&outcome);
    if login.explain {
        document = document::with_trace(document, &trace.steps());
    }
    let detail = match &outcome {
        Outcome::Denied(Denied { denial, .. }) => denial.detail(),
        _ => "",
    };
    answer.show(&document, detail);
    engine.shutdown().await;
    Ok(match &outcome {
        Outcome::Granted(_) => Exit::DONE,
        Outcome::Denied(_) => Exit::REFUSED,
        Outcome::Failed { fault, .. } => of_fault(*fault),
    })
}
