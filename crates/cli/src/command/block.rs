//! `block`: who is throttled, and letting them try again.

use account::store::Counted;
use account::{Blocked, document};

use super::answer::Answer;
use super::{Context, origin};
use crate::arguments::Block;
use crate::exit::Exit;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, block: Block) -> Exit {
    let outcome = match block {
        Block::List { json } => list(context, Answer::new(context, json)).await,
        Block::Clear { who, json } => clear(context, &who, Answer::new(context, json)).await,
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn list(context: &Context, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let exit = match engine.accounts().blocked().await {
        Ok(blocked) => {
            let text = blocked.iter().map(line).collect::<Vec<_>>().join("\n");
            if answer.json || !text.is_empty() {
                answer.say(&document::blocks(&blocked), &text);
            }
            Exit::DONE
        }
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn clear(context: &Context, who: &str, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let exit = match engine.accounts().clear_blocks(who, &origin()).await {
        Ok(0) => answer.refuse(&format!("no wrong password of {who:?} is counted")),
        Ok(cleared) => {
            answer.say(&document::cleared(cleared), &format!("cleared: {who}"));
            Exit::DONE
        }
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

fn line(blocked: &Blocked) -> String {
    let who = match &blocked.counted {
        Counted::Person { directory, name } => format!("person {name} ({directory})"),
        Counted::Address(address) => format!("address {address}"),
        Counted::Unknown(place) => format!("names that nobody bears, place {place} of 65536"),
    };
    format!("{who}: {} wrong passwords, until {}", blocked.wrong, blocked.until.rounded())
}
