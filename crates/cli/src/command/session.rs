//! `session`: who is signed in, and ending that.

use account::{PersonalTokens, SessionInfo, Time, document};

use super::answer::Answer;
use super::{Context, origin};
use crate::arguments::{Session, SessionRevoke};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, session: Session) -> Exit {
    let outcome = match session {
        Session::List { user, json } => list(context, user.as_deref(), Answer::new(context, json)).await,
        Session::Revoke(revoke) => end(context, revoke).await,
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn list(context: &Context, user: Option<&str>, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let accounts = engine.accounts();
    let listed = async {
        let whose = match user {
            None => None,
            Some(name) => match accounts.account_called(name).await? {
                None => return Ok(None),
                Some(account) => Some(account.id),
            },
        };
        accounts.sessions(whose).await.map(Some)
    };
    let exit = match listed.await {
        Ok(Some(sessions)) => {
            if answer.json {
                output::document(&document::sessions(&sessions));
            } else {
                output::table(COLUMNS, &sessions.iter().map(row).collect::<Vec<_>>());
            }
            Exit::DONE
        }
        Ok(None) => answer.refuse(&super::no_account(user.unwrap_or_default())),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

const COLUMNS: [&str; 6] = ["ID", "USER", "LAST SEEN", "EXPIRES", "ADDRESS", "AGENT"];

fn row(session: &SessionInfo) -> [String; 6] {
    let SessionInfo { id, username, last_seen, expires, address, agent, .. } = session;
    let time = |time: Time| time.rounded().to_string();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [id.clone(), username.clone(), time(*last_seen), time(*expires), text(address), text(agent)]
        .map(|cell| output::printable(&cell))
}

async fn end(context: &Context, revoke: SessionRevoke) -> Result<Exit, Exit> {
    let answer = Answer::new(context, revoke.json);
    let engine = answer.engine(context).await?;
    let exit = match (&revoke.id, &revoke.user) {
        (_, Some(user)) => {
            let tokens = if revoke.tokens { PersonalTokens::Drop } else { PersonalTokens::Keep };
            everything(&engine, user, tokens, answer).await
        }
        (Some(id), None) => one(&engine, id, answer).await,
        (None, None) => Exit::USAGE,
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn one(engine: &ldapgate::Engine, id: &str, answer: Answer) -> Exit {
    match engine.accounts().end_session(None, id, &origin()).await {
        Ok(true) => {
            answer.say(&document::revoked(id), &format!("revoked: {id}"));
            Exit::DONE
        }
        Ok(false) => answer.refuse(&format!("there is no session {id:?}")),
        Err(error) => answer.fail(error),
    }
}

async fn everything(engine: &ldapgate::Engine, user: &str, tokens: PersonalTokens, answer: Answer) -> Exit {
    let accounts = engine.accounts();
    let revoked = async {
        let Some(account) = accounts.account_called(user).await? else { return Ok(None) };
        let found = accounts.revoke(account.id, None, tokens, &origin()).await?;
        Ok(found.then_some(account))
    };
    match revoked.await {
        Ok(Some(account)) => {
            let what = match tokens {
                PersonalTokens::Keep => "sessions and signed tokens",
                PersonalTokens::Drop => "sessions, signed and personal tokens",
            };
            let text = format!("revoked: {what} of {}", account.local_name);
            answer.say(&document::done("revoked", &account), &text);
            Exit::DONE
        }
        Ok(None) => answer.refuse(&super::no_account(user)),
        Err(error) => answer.fail(error),
    }
}
