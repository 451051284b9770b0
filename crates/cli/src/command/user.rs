//! `user`: a person looked up without a password, and the accounts of the store.

use std::sync::Arc;

use account::{Lookup, Outcome, document};
use auth::Trace;

use super::Context;
use super::login::{engine, of_fault, show};
use crate::arguments::{User, UserAction, UserShow};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, user: User) -> Exit {
    let outcome = match (user.action, user.show) {
        (Some(UserAction::List { json }), _) => list(context, json).await,
        (Some(UserAction::Show(user)), _) | (None, Some(user)) => look_up(context, user).await,
        (None, None) => Err(Exit::USAGE),
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn look_up(context: &Context, user: UserShow) -> Result<Exit, Exit> {
    let engine = engine(context, user.json).await?;
    let trace = Arc::new(Trace::default());
    let (mut document, detail, exit) = match engine.accounts().look_up(&user.user, Some(trace.clone())).await
    {
        Ok(Lookup::Found(account)) => (document::found(&account), String::new(), Exit::DONE),
        Ok(Lookup::Denied(denial)) => {
            // Nobody typed a password here, so nothing is said of one.
            let why = if denial.detail().is_empty() { denial.public_message(true) } else { denial.detail() };
            (document::denied(&denial, why), String::new(), Exit::REFUSED)
        }
        Err(error) => {
            let exit = of_fault(error.fault());
            (document::outcome(&Outcome::from(error)), String::new(), exit)
        }
    };
    if user.explain {
        document = document::with_trace(document, &trace.steps());
    }
    show(&document, &detail, user.json);
    engine.shutdown().await;
    Ok(exit)
}

async fn list(context: &Context, as_json: bool) -> Result<Exit, Exit> {
    let engine = engine(context, as_json).await?;
    let users = engine.accounts().users().await.map_err(|error| {
        output::complain(&anyhow::Error::from(error).context("cannot read the accounts"));
        Exit::FAULT
    })?;
    if as_json {
        output::document(&document::users(&users));
    } else {
        for user in &users {
            let disabled = if user.disabled { "  (disabled)" } else { "" };
            let line = format!("{}  {}  {}{disabled}", user.username, user.directory, user.dn);
            output::line(&output::printable(&line));
        }
    }
    engine.shutdown().await;
    Ok(Exit::DONE)
}
