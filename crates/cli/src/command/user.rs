//! `user`: a person looked up without a password, and the accounts of the store.

use std::sync::Arc;

use account::{Accounts, Denial, Error, Lookup, NotOne, Outcome, Reason, Relinking, document};
use auth::Trace;

use super::answer::{Answer, of_fault};
use super::{Context, origin};
use crate::arguments::{User, UserAction, UserNamed, UserRelink, UserShow};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, user: User) -> Exit {
    let outcome = match (user.action, user.show) {
        (Some(UserAction::List { json }), _) => list(context, Answer::new(context, json)).await,
        (Some(UserAction::Show(user)), _) | (None, Some(user)) => look_up(context, user).await,
        (Some(UserAction::Disable(user)), _) => change(context, user, Change::Disable).await,
        (Some(UserAction::Enable(user)), _) => change(context, user, Change::Enable).await,
        (Some(UserAction::Remove(user)), _) => change(context, user, Change::Remove).await,
        (Some(UserAction::Relink(user)), _) => relink(context, user).await,
        (None, None) => Err(Exit::USAGE),
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn look_up(context: &Context, user: UserShow) -> Result<Exit, Exit> {
    let answer = Answer::new(context, user.json);
    let engine = answer.engine(context).await?;
    let trace = Arc::new(Trace::default());
    let (mut document, detail, exit) = match found(engine.accounts(), &user.user, &trace).await {
        Ok(Lookup::Found { account, .. }) if account.disabled => {
            let denial = Denial::of(Reason::AccountDisabled);
            (document::denied(&denial, "disabled in the store"), String::new(), Exit::REFUSED)
        }
        Ok(Lookup::Found { account, hindrance }) => {
            let here = (account.local_name != account.username)
                .then(|| format!("in the store: {}", account.local_name));
            let hindrance = hindrance.map(|denial| format!("at a login: {denial}"));
            let detail: Vec<String> = here.into_iter().chain(hindrance).collect();
            (document::found(&account), detail.join("; "), Exit::DONE)
        }
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
    answer.show(&document, &detail);
    engine.shutdown().await;
    Ok(exit)
}

/// Looks a person up by the name that they sign in with or, where no directory knows that, by the name they have here.
async fn found(accounts: &Accounts, name: &str, trace: &Arc<Trace>) -> Result<Lookup, Error> {
    let looked = accounts.look_up(name, Some(trace.clone())).await?;
    match &looked {
        Lookup::Denied(denial) if denial.reason() == Reason::UnknownUser => {}
        _ => return Ok(looked),
    }
    let Some(account) = accounts.account_called(name).await? else { return Ok(looked) };
    match accounts.name_to_type(&account).filter(|to_type| to_type != name) {
        Some(to_type) => accounts.look_up(&to_type, Some(trace.clone())).await,
        None => Ok(looked),
    }
}

async fn list(context: &Context, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let users = engine.accounts().users().await.map_err(|error| {
        output::complain(&anyhow::Error::from(error).context("cannot read the accounts"));
        Exit::FAULT
    })?;
    if answer.json {
        output::document(&document::users(&users));
    } else {
        let rows = users.iter().map(|user| {
            let state = match &user.out {
                _ if user.disabled => "disabled".to_owned(),
                Some(reason) => format!("out: {reason}"),
                None => "enabled".to_owned(),
            };
            let directory = match user.local_name == user.username {
                true => user.directory.clone(),
                false => format!("{} ({})", user.directory, user.username),
            };
            [user.local_name.as_str(), directory.as_str(), state.as_str(), user.dn.as_str()]
                .map(output::printable)
        });
        output::table(["USER", "DIRECTORY", "STATE", "DN"], &rows.collect::<Vec<_>>());
    }
    engine.shutdown().await;
    Ok(Exit::DONE)
}

/// What is done to an account.
#[derive(Clone, Copy)]
enum Change {
    Disable,
    Enable,
    Remove,
}

async fn change(context: &Context, user: UserNamed, change: Change) -> Result<Exit, Exit> {
    let answer = Answer::new(context, user.json);
    let engine = answer.engine(context).await?;
    let (accounts, origin) = (engine.accounts(), origin());
    let changed = async {
        let account = match accounts.account_named(&user.user).await? {
            Ok(account) => account,
            Err(not_one) => return Ok(Err(not_one)),
        };
        let (word, found) = match change {
            Change::Disable => ("disabled", accounts.disable(account.id, &origin).await?),
            Change::Enable => ("enabled", accounts.enable(account.id, &origin).await?),
            Change::Remove => ("removed", accounts.remove(account.id, &origin).await?),
        };
        Ok::<_, Error>(if found { Ok((word, account)) } else { Err(NotOne::Nobody(user.user.clone())) })
    };
    let exit = match changed.await {
        Ok(Ok((word, account))) => {
            let text = format!("{word}: {}", account.local_name);
            answer.say(&document::done(word, &account), &text);
            Exit::DONE
        }
        Ok(Err(not_one)) => answer.refuse(&not_one.to_string()),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

async fn relink(context: &Context, relink: UserRelink) -> Result<Exit, Exit> {
    let UserRelink { named: user, id, dry_run } = relink;
    let answer = Answer::new(context, user.json);
    let engine = answer.engine(context).await?;
    let accounts = engine.accounts();
    let relinked = async {
        let account = match accounts.account_named(&user.user).await? {
            Ok(account) => account,
            Err(not_one) => return Ok(Err(not_one.to_string())),
        };
        let plan = match accounts.plan_relink(account, &id).await? {
            Ok(plan) => plan,
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        if dry_run {
            return Ok(Ok((document::relink_planned(&plan), plan)));
        }
        let done = accounts.relink(&plan, &origin()).await?;
        Ok(done.map(|()| (document::relinked(&plan), plan)).map_err(|refused| refused.to_string()))
    };
    let exit = match relinked.await {
        Ok(Ok((document, plan))) => {
            let (done, end) = if dry_run { ("would relink", "would end") } else { ("relinked", "ended") };
            let Relinking { account, id, dn, sessions, tokens } = &plan;
            let text = format!(
                "{done}: {}\n  id: {} -> {id}\n  dn: {dn}\n  {end}: {sessions} sessions, {tokens} tokens",
                account.local_name, account.external_id
            );
            answer.say(&document, &text);
            Exit::DONE
        }
        Ok(Err(why)) => answer.refuse(&why),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}
