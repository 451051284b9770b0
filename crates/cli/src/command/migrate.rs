//! `migrate`: the store's tables, brought up to date.

use ldapgate::upkeep::{self, Migrated};
use serde_json::json;

use super::Context;
use super::answer::Answer;
use crate::arguments::Migrate;
use crate::exit::Exit;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, migrate: &Migrate) -> Exit {
    let answer = Answer::new(context, migrate.json);
    let outcome = async {
        let config = answer.config(context)?;
        upkeep::migrate(&config).await.map_err(|error| answer.not_begun(error))
    };
    match outcome.await {
        Ok(migrated) => {
            let (from, to) = migrated.map_or((None, None), |Migrated { from, to }| (from, Some(to)));
            answer.say(&json!({ "from": from, "to": to }), &line(migrated));
            Exit::DONE
        }
        Err(exit) => exit,
    }
}

fn line(migrated: Option<Migrated>) -> String {
    match migrated {
        None => "nothing to do: the store is in memory".to_owned(),
        Some(Migrated { from: None, to }) => format!("made, at version {to}"),
        Some(Migrated { from: Some(from), to }) if from == to => {
            format!("nothing to do: it is at version {to}")
        }
        Some(Migrated { from: Some(from), to }) => format!("brought from version {from} to {to}"),
    }
}
