//! `block`: who is throttled, and letting them try again.

use account::store::Counted;
use account::{Blocked, Origin, document};

use super::Context;
use super::login::{engine, fail, refuse, say};
use crate::arguments::Block;
use crate::exit::Exit;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, block: Block) -> Exit {
    let outcome = match block {
        Block::List { json } => list(context, json).await,
        Block::Clear { who, json } => clear(context, &who, json).await,
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn list(context: &Context, json: bool) -> Result<Exit, Exit> {
    let engine = engine(context, json).await?;
    let exit = match engine.accounts().blocked().await {
        Ok(blocked) => {
            let text = blocked.iter().map(line).collect::<Vec<_>>().join("\n");
            if json || !text.is_empty() {
                say(&document::blocks(&blocked), &text, json);
            }
            Exit::DONE
        }
        Err(error) => fail(error, json),
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn clear(context: &Context, who: &str, json: bool) -> Result<Exit, Exit> {
    let engine = engine(context, json).await?;
    let exit = match engine.accounts().clear_blocks(who, &Origin::default()).await {
        Ok(0) => refuse(&format!("no wrong password of {who:?} is counted"), json),
        Ok(cleared) => {
            say(&document::cleared(cleared), &format!("cleared: {who}"), json);
            Exit::DONE
        }
        Err(error) => fail(error, json),
    };
    engine.shutdown().await;
    Ok(exit)
}

fn line(blocked: &Blocked) -> String {
    let who = match &blocked.counted {
        Counted::Person { directory, name } => format!("person {name} ({directory})"),
        Counted::Address(address) => format!("address {address}"),
        Counted::Unknown(place) => format!("a name that nobody bears (place {place})"),
    };
    format!("{who}: {} wrong passwords, until {}", blocked.wrong, blocked.until)
}
