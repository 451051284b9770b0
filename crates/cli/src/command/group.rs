//! `group`: local groups, and what their members may do.

use account::store::StoredGroup;
use account::{GroupGranting, Origin, document};
use serde_json::json;

use super::Context;
use super::answer::Answer;
use crate::arguments::{Grants, Group};
use crate::exit::Exit;
use crate::output;

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, group: Group) -> Exit {
    let outcome = match group {
        Group::List { json } => list(context, Answer::new(context, json)).await,
        Group::Grant(grants) => change(context, grants, Way::Grant).await,
        Group::Revoke(grants) => change(context, grants, Way::Revoke).await,
    };
    outcome.unwrap_or_else(|exit| exit)
}

async fn list(context: &Context, answer: Answer) -> Result<Exit, Exit> {
    let engine = answer.engine(context).await?;
    let exit = match engine.accounts().local_groups().await {
        Ok(groups) => {
            let text = groups.iter().map(|group| told(group, answer)).collect::<Vec<_>>().join("\n");
            if answer.json || !text.is_empty() {
                answer.say(&document::groups(&groups), &text);
            }
            Exit::DONE
        }
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}

/// A local group for people, who see which group of which directory it follows.
fn told(group: &StoredGroup, answer: Answer) -> String {
    let StoredGroup { name, directory, dn, members, permissions } = group;
    let [members, permissions] =
        [members, permissions].map(|values| output::listed(&json!(values), answer.length));
    format!("{name} ({directory}:{dn})\n  members: {members}\n  may: {permissions}")
}

/// Which way permissions go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Grant,
    Revoke,
}

async fn change(context: &Context, grants: Grants, way: Way) -> Result<Exit, Exit> {
    let answer = Answer::new(context, grants.json);
    let engine = answer.engine(context).await?;
    let (accounts, origin) = (engine.accounts(), Origin::default());
    let Grants { group, permissions, .. } = &grants;
    let changed = match way {
        Way::Grant => accounts.grant_group(group, permissions, &origin).await,
        Way::Revoke => accounts.revoke_group(group, permissions, &origin).await,
    };
    let exit = match changed {
        Ok(Ok(changed)) => {
            let GroupGranting { directory, group, is_mirrored, granting } = &changed;
            let who = format!("{} ({directory}:{})", group.name, group.dn);
            let (word, mut text) = match way {
                Way::Grant => ("granted", super::permission::granted(&who, granting)),
                Way::Revoke => ("revoked", super::permission::revoked(&who, granting)),
            };
            if way == Way::Grant && !is_mirrored {
                text += &format!(
                    "\n  nobody is in it: permissions.mirror_groups of {directory} does not have it"
                );
            }
            answer.say(&document::group_changed(word, &changed), &text);
            Exit::DONE
        }
        Ok(Err(refused)) => answer.refuse(&refused.to_string()),
        Err(error) => answer.fail(error),
    };
    engine.shutdown().await;
    Ok(exit)
}
