//! `permission`: what a person may do whatever their groups give.

use account::{Account, Error, GrantRefused, Granting, Origin, document};

use super::Context;
use super::answer::Answer;
use crate::arguments::{Permission, UserGrants};
use crate::exit::Exit;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, permission: Permission) -> Exit {
    let (Permission::Grant(UserGrants { user, permissions, json })
    | Permission::Revoke(UserGrants { user, permissions, json })) = &permission;
    let answer = Answer::new(context, *json);
    let engine = match answer.engine(context).await {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let (accounts, origin) = (engine.accounts(), Origin::default());
    let changed = async {
        let account = match accounts.account_named(user).await? {
            Ok(account) => account,
            Err(not_one) => return Ok(Err(not_one.to_string())),
        };
        let changed: Result<Granting, GrantRefused> = match permission {
            Permission::Grant(_) => accounts.grant(&account, permissions, &origin).await?,
            Permission::Revoke(_) => accounts.revoke_grant(&account, permissions, &origin).await?,
        };
        Ok::<_, Error>(changed.map(|granting| (account, granting)).map_err(|refused| refused.to_string()))
    };
    let exit = match changed.await {
        Ok(Ok((account, granting))) => {
            let Account { local_name, .. } = &account;
            let (word, text) = match permission {
                Permission::Grant(_) => ("granted", granted(local_name, &granting)),
                Permission::Revoke(_) => ("revoked", revoked(local_name, &granting)),
            };
            answer.say(&document::permissions_changed(word, &account, &granting), &text);
            Exit::DONE
        }
        Ok(Err(why)) => answer.refuse(&why),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    exit
}

/// What was granted, for people.
pub(super) fn granted(who: &str, granting: &Granting) -> String {
    told("granted", who, granting, "granted before")
}

/// What was taken back, for people.
pub(super) fn revoked(who: &str, granting: &Granting) -> String {
    told("revoked", who, granting, "not granted")
}

fn told(word: &str, who: &str, granting: &Granting, otherwise: &str) -> String {
    let Granting { changed, unchanged } = granting;
    let lines = [(word, changed), (otherwise, unchanged)];
    let told = lines.iter().filter(|(_, names)| !names.is_empty());
    let lines: Vec<String> = told.map(|(word, names)| format!("  {word}: {}", names.join(", "))).collect();
    format!("{who}\n{}", lines.join("\n"))
}
