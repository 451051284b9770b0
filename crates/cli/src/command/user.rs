//! `user`: a person looked up without a password, and the accounts of the store.

use std::sync::Arc;

use account::document;
use auth::Trace;
use serde_json::json;

use super::Context;
use super::login::{show, status};
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
    let config = context.config_and_log()?;
    let engine = super::serve::start(&config).await?;
    let trace = Arc::new(Trace::default());
    let found = engine.accounts().look_up(&user.user, trace.as_ref()).await;
    let mut document = document::looked_up(&found);
    if user.explain {
        document["trace"] = document::trace(&trace.steps());
    }
    show(&document, user.json);
    engine.shutdown().await;
    Ok(status(&document))
}

async fn list(context: &Context, as_json: bool) -> Result<Exit, Exit> {
    let config = context.config_and_log()?;
    let engine = super::serve::start(&config).await?;
    let users = engine.accounts().users().await.map_err(|error| {
        output::complain(&anyhow::Error::from(error).context("cannot read the accounts"));
        Exit::FAULT
    })?;
    if as_json {
        output::document(&json!({ "users": users }));
    } else {
        for user in &users {
            let text = |key: &str| output::printable(user[key].as_str().unwrap_or_default());
            let disabled = if user["disabled"] == true { "  (disabled)" } else { "" };
            output::line(&format!("{}  {}  {}{disabled}", text("username"), text("directory"), text("dn")));
        }
    }
    engine.shutdown().await;
    Ok(Exit::DONE)
}
