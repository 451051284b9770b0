//! `token`: personal access tokens, signed tokens, and the key that signs.

use account::{Accounts, Error, OldKeys, PersonalTokenInfo, SignedTokenInfo, Time, UserId, document};

use super::answer::Answer;
use super::{Context, no_account, origin};
use crate::arguments::{Token, TokenIssue};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, token: Token) -> Exit {
    let outcome = match token {
        Token::Issue(issue) => issued(context, issue).await,
        Token::List { user, signed, json } => {
            list(context, user.as_deref(), signed, Answer::new(context, json)).await
        }
        Token::Revoke { id, json } => revoke(context, &id, Answer::new(context, json)).await,
        Token::Rotate { now, json } => rotate(context, now, Answer::new(context, json)).await,
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn issued(context: &Context, issue: TokenIssue) -> Result<Exit, Exit> {
    let TokenIssue { user, name, expires, json } = issue;
    let answer = Answer::new(context, json);
    let engine = answer.engine(context).await?;
    let accounts = engine.accounts();
    let issued = async {
        match accounts.account_called(&user).await? {
            None => Ok(Err(no_account(&user))),
            Some(account) if !account.may_act() => {
                Ok(Err(format!("the account {user:?} is disabled or may not enter")))
            }
            Some(account) => accounts.issue_personal(&account, name, expires, &origin()).await.map(Ok),
        }
    };
    let exit = match issued.await {
        Ok(Ok(token)) => {
            let ends = token.expires.map_or_else(|| "when it is revoked".to_owned(), rounded);
            let text =
                format!("{}\n  id: {}\n  ends: {ends}\n  shown once: keep it now", token.text, token.id);
            answer.say(&document::new_personal(&token), &text);
            Exit::DONE
        }
        Ok(Err(why)) => answer.refuse(&why),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn list(context: &Context, user: Option<&str>, signed: bool, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let exit = match listed(engine.accounts(), user, signed).await {
        Ok(Some(Listed { document, rows })) => {
            match answer.json {
                true => output::document(&document),
                false => output::table(COLUMNS, &rows),
            }
            Exit::DONE
        }
        Ok(None) => answer.refuse(&no_account(user.unwrap_or_default())),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

struct Listed {
    document: serde_json::Value,
    rows: Vec<[String; 6]>,
}

async fn listed(accounts: &Accounts, user: Option<&str>, signed: bool) -> Result<Option<Listed>, Error> {
    let whose: Option<UserId> = match user {
        None => None,
        Some(name) => match accounts.account_called(name).await? {
            None => return Ok(None),
            Some(account) => Some(account.id),
        },
    };
    if signed {
        let tokens = accounts.signed_tokens(whose).await?;
        let rows = tokens.iter().map(signed_row).collect();
        return Ok(Some(Listed { document: document::signed_tokens(&tokens), rows }));
    }
    let tokens = accounts.personal_tokens(whose).await?;
    let rows = tokens.iter().map(personal_row).collect();
    Ok(Some(Listed { document: document::personal_tokens(&tokens), rows }))
}

const COLUMNS: [&str; 6] = ["ID", "USER", "CREATED", "EXPIRES", "LAST USED", "NAME"];

fn personal_row(token: &PersonalTokenInfo) -> [String; 6] {
    let PersonalTokenInfo { id, username, name, created, expires, last_used } = token;
    let (ends, used) = (expires.map_or_else(|| "never".to_owned(), rounded), last_used.map(rounded));
    let name = name.clone().unwrap_or_default();
    [id.clone(), username.clone(), rounded(*created), ends, used.unwrap_or_else(|| "never".to_owned()), name]
        .map(|cell| output::printable(&cell))
}

fn signed_row(token: &SignedTokenInfo) -> [String; 6] {
    let SignedTokenInfo { id, username, created, expires } = token;
    [
        id.clone(),
        username.clone(),
        rounded(*created),
        rounded(*expires),
        "not noted".to_owned(),
        String::new(),
    ]
    .map(|cell| output::printable(&cell))
}

async fn revoke(context: &Context, id: &str, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let exit = match engine.accounts().revoke_token(None, id, &origin()).await {
        Ok(true) => {
            answer.say(&document::revoked(id), &format!("revoked: {id}"));
            Exit::DONE
        }
        Ok(false) => answer.refuse("no token that is good has this id"),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn rotate(context: &Context, now: bool, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let old = if now { OldKeys::Drop } else { OldKeys::Overlap };
    let exit = match engine.accounts().rotate_token_key(old, &origin()).await {
        Ok(rotated) => {
            let old = match rotated.old_until {
                Some(until) => format!("tokens of the old one are taken until {}", rounded(until)),
                None => "tokens of other keys are none from now on".to_owned(),
            };
            answer.say(&document::rotated(&rotated), &format!("the key that signs: {}\n  {old}", rotated.id));
            Exit::DONE
        }
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

fn rounded(time: Time) -> String {
    time.rounded().to_string()
}
