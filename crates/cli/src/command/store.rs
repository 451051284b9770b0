//! `store`: what is done to a store as a whole.

use ldapgate::config::without_newline;
use ldapgate::upkeep::{self, Copied};
use serde_json::{Map, Value, json};

use super::Context;
use super::answer::Answer;
use crate::arguments::{Store, StoreCopy};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, store: Store) -> Exit {
    let Store::Copy(copy) = store;
    copy_all(context, copy).await.unwrap_or_else(|exit| exit)
}

async fn copy_all(context: &Context, copy: StoreCopy) -> Result<Exit, Exit> {
    let answer = Answer::new(context, copy.json);
    let to = target(&copy)?;
    let config = answer.config(context)?;
    match upkeep::copy_store(&config, &to).await.map_err(|error| answer.not_begun(error))? {
        Copied::Yes(counts) => {
            let text: Vec<String> = counts.iter().map(|(table, rows)| format!("{table}: {rows}")).collect();
            let rows: Map<String, Value> =
                counts.into_iter().map(|(table, rows)| (table.to_owned(), rows.into())).collect();
            answer.say(&json!({ "copied": rows }), &text.join("\n"));
            Ok(Exit::DONE)
        }
        Copied::No(why) => Ok(answer.refuse(&why)),
    }
}

fn target(copy: &StoreCopy) -> Result<String, Exit> {
    let Some(path) = &copy.to_file else { return Ok(copy.to.clone().unwrap_or_default()) };
    std::fs::read_to_string(path).map(without_newline).map_err(|error| {
        let told = format!("cannot read {}", path.display());
        output::complain(&anyhow::Error::from(error).context(told));
        Exit::USAGE
    })
}
