//! The documents of the contract: what `--json` prints and `/api` answers.

use auth::{Denial, Step, Warning};
use serde_json::{Map, Value, json};

use crate::grant::{PersonalTokenInfo, SignedTokenInfo};
use crate::outcome::{Denied, Outcome, SignedIn};
use crate::session::SessionInfo;
use crate::store::{AuditRecord, Counted, StoredGroup};
use crate::token::NewPersonal;
use crate::{
    Account, Blocked, Fault, Granting, GroupGranting, Planned, PlannedChange, Relinking, Rotated, SyncReport,
    Time,
};

/// The login document, for an operator: the reason of a denial and the causes of an error are in it.
#[must_use]
pub fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Granted(signed_in) => granted(signed_in),
        Outcome::Denied(Denied { denial, message, .. }) => denied(denial, message),
        Outcome::Failed { fault, message, causes } => failed(*fault, message, causes),
    }
}

/// Somebody who signed in.
#[must_use]
pub fn granted(signed_in: &SignedIn) -> Value {
    person("outcome", "granted", &signed_in.account, &signed_in.warnings)
}

/// Somebody who was looked up.
#[must_use]
pub fn found(account: &Account) -> Value {
    person("outcome", "found", account, &[])
}

/// Somebody who is signed in, by what (`session`, `token` or `basic`), and what a session's login had to say to them.
#[must_use]
pub fn me(account: &Account, via: &str, warnings: &[Warning]) -> Value {
    person("via", via, account, warnings)
}

/// A refusal, for an operator.
#[must_use]
pub fn denied(denial: &Denial, message: &str) -> Value {
    json!({ "outcome": "denied", "reason": denial.reason().as_str(), "message": message })
}

/// A refusal, for a visitor.
#[must_use]
pub fn denied_to_visitor(message: &str) -> Value {
    json!({ "outcome": "denied", "message": message })
}

/// A failure, for an operator.
#[must_use]
pub fn failed(fault: Fault, message: &str, causes: &[String]) -> Value {
    json!({ "outcome": "error", "fault": fault.as_str(), "message": message, "causes": causes })
}

/// A failure, for a visitor: who must act, and nothing of the inside.
#[must_use]
pub fn failed_to_visitor(fault: Fault, message: &str) -> Value {
    json!({ "outcome": "error", "fault": fault.as_str(), "message": message })
}

/// A login document with every step of the decision.
#[must_use]
pub fn with_trace(mut document: Value, steps: &[Step]) -> Value {
    let trace = steps.iter().map(|step| {
        json!({
            "step": step.step, "what": step.what, "server": step.server,
            "took_us": u64::try_from(step.took.as_micros()).unwrap_or(u64::MAX), "result": step.result,
        })
    });
    document["trace"] = trace.collect();
    document
}

/// `user list`.
#[must_use]
pub fn users(accounts: &[Account]) -> Value {
    let user = |account: &Account| {
        json!({
            "username": account.username, "id": account.external_id, "directory": account.directory,
            "dn": account.dn, "disabled": !account.may_act(), "fields": account.fields, "lists": account.lists,
            "flags": account.flags, "local_groups": account.local_group_names().collect::<Vec<_>>(), "permissions": account.permissions,
            "first_seen": time(account.first_seen), "last_login": account.last_login.map(time),
        })
    };
    json!({ "users": accounts.iter().map(user).collect::<Vec<_>>() })
}

/// `user relink --dry-run`.
#[must_use]
pub fn relink_planned(plan: &Relinking) -> Value {
    relinking(plan, "planned")
}

/// `user relink`.
#[must_use]
pub fn relinked(plan: &Relinking) -> Value {
    relinking(plan, "relinked")
}

fn relinking(plan: &Relinking, outcome: &str) -> Value {
    let Relinking { account, id, dn, sessions, tokens } = plan;
    json!({
        "outcome": outcome, "username": account.username, "directory": account.directory,
        "from": account.external_id, "to": id, "dn": dn, "sessions": sessions, "tokens": tokens,
    })
}

/// A command about an account that was refused, and why.
#[must_use]
pub fn refused(message: &str) -> Value {
    json!({ "outcome": "refused", "message": message })
}

/// What was done to an account: `disabled`, `enabled` or `removed`.
#[must_use]
pub fn done(outcome: &str, account: &Account) -> Value {
    json!({ "outcome": outcome, "username": account.username, "directory": account.directory })
}

/// `group list`.
#[must_use]
pub fn groups(groups: &[StoredGroup]) -> Value {
    let group = |group: &StoredGroup| json!({ "name": group.name, "members": group.members, "permissions": group.permissions });
    json!({ "groups": groups.iter().map(group).collect::<Vec<_>>() })
}

/// What was `granted` to a local group, or `revoked`.
#[must_use]
pub fn group_changed(outcome: &str, changed: &GroupGranting) -> Value {
    let GroupGranting { directory, group, granting, .. } = changed;
    json!({
        "outcome": outcome, "group": group.name, "directory": directory, "dn": group.dn,
        "permissions": granting.changed, "unchanged": granting.unchanged,
    })
}

/// What was `granted` to a person, or `revoked`.
#[must_use]
pub fn permissions_changed(outcome: &str, account: &Account, granting: &Granting) -> Value {
    json!({
        "outcome": outcome, "username": account.username, "directory": account.directory,
        "permissions": granting.changed, "unchanged": granting.unchanged,
    })
}

/// One line of the plan of `sync`.
#[must_use]
pub fn planned(planned: &Planned) -> Value {
    json!({
        "change": planned.change.as_str(), "username": planned.username, "directory": planned.directory,
        "what": planned.what,
    })
}

/// What came of `sync`, to stand behind its plan.
#[must_use]
pub fn synced(report: &SyncReport) -> Value {
    let mut counts: Map<String, Value> = PlannedChange::ALL
        .iter()
        .map(|change| (change.as_str().to_owned(), json!(report.counts.of(*change))))
        .collect();
    counts.insert("unchanged".to_owned(), json!(report.counts.unchanged));
    counts.insert("unclear".to_owned(), json!(report.counts.unclear));
    let failed = report.failed.iter().map(|(directory, error)| {
        json!({
            "directory": directory, "fault": error.fault().as_str(), "message": error.to_string(),
            "causes": error.causes(),
        })
    });
    json!({
        "applied": report.applied,
        "counts": counts,
        "refused": report.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
    })
}

/// `block list`.
#[must_use]
pub fn blocks(blocked: &[Blocked]) -> Value {
    let block = |blocked: &Blocked| {
        let (kind, directory, username, address) = match &blocked.counted {
            Counted::Person { directory, name } => ("person", Some(directory), Some(name), None),
            Counted::Address(address) => ("address", None, None, Some(address)),
            Counted::Unknown(_) => ("unknown", None, None, None),
        };
        json!({
            "kind": kind, "directory": directory, "username": username, "address": address,
            "wrong": blocked.wrong, "last": time(blocked.last), "until": time(blocked.until),
        })
    };
    json!({ "blocks": blocked.iter().map(block).collect::<Vec<_>>() })
}

/// `block clear`.
#[must_use]
pub fn cleared(counters: u64) -> Value {
    json!({ "cleared": counters })
}

/// `session list`.
#[must_use]
pub fn sessions(sessions: &[SessionInfo]) -> Value {
    let session = |session: &SessionInfo| {
        json!({
            "id": session.id, "username": session.username, "created": time(session.created),
            "last_seen": time(session.last_seen), "expires": time(session.expires),
            "address": session.address, "agent": session.agent,
        })
    };
    json!({ "sessions": sessions.iter().map(session).collect::<Vec<_>>() })
}

/// `token issue`: the only time the token is shown.
#[must_use]
pub fn new_personal(token: &NewPersonal) -> Value {
    json!({ "token": token.text, "id": token.id, "expires": token.expires.map(time) })
}

/// `token list`.
#[must_use]
pub fn personal_tokens(tokens: &[PersonalTokenInfo]) -> Value {
    let token = |token: &PersonalTokenInfo| {
        json!({
            "id": token.id, "username": token.username, "name": token.name, "created": time(token.created),
            "expires": token.expires.map(time), "last_used": token.last_used.map(time),
        })
    };
    json!({ "tokens": tokens.iter().map(token).collect::<Vec<_>>() })
}

/// `token list --signed`: signed tokens have no name, and their use is not noted.
#[must_use]
pub fn signed_tokens(tokens: &[SignedTokenInfo]) -> Value {
    let token = |token: &SignedTokenInfo| {
        json!({
            "id": token.id, "username": token.username, "name": null, "created": time(token.created),
            "expires": time(token.expires), "last_used": null,
        })
    };
    json!({ "tokens": tokens.iter().map(token).collect::<Vec<_>>() })
}

/// `session revoke` and `token revoke` of one thing by its id.
#[must_use]
pub fn revoked(id: &str) -> Value {
    json!({ "outcome": "revoked", "id": id })
}

/// `token rotate`.
#[must_use]
pub fn rotated(rotated: &Rotated) -> Value {
    json!({ "outcome": "rotated", "id": rotated.id, "old_until": rotated.old_until.map(time) })
}

/// One line of `audit`.
#[must_use]
pub fn audit(record: &AuditRecord) -> Value {
    let audit = &record.audit;
    json!({
        "at": time(audit.at), "event": audit.event, "username": audit.username, "outcome": audit.outcome,
        "reason": audit.reason, "address": audit.address, "request_id": audit.request_id,
        "directory": audit.directory, "agent": audit.agent, "detail": audit.detail,
    })
}

fn person(key: &str, word: &str, account: &Account, warnings: &[Warning]) -> Value {
    let groups: Vec<_> =
        account.groups.iter().map(|group| json!({ "name": group.name, "dn": group.dn })).collect();
    let warnings: Vec<_> = warnings.iter().map(warning).collect();
    let mut document = Map::new();
    document.insert(key.to_owned(), word.into());
    let facts = json!({
        "directory": account.directory, "username": account.username, "id": account.external_id,
        "dn": account.dn, "fields": account.fields, "lists": account.lists, "flags": account.flags,
        "groups": groups, "permissions": account.permissions, "warnings": warnings,
    });
    if let Value::Object(facts) = facts {
        document.extend(facts);
    }
    Value::Object(document)
}

fn warning(warning: &Warning) -> Value {
    match warning {
        Warning::PasswordExpires { seconds } => json!({ "kind": "password_expires", "seconds": seconds }),
        Warning::GraceLogins { remaining } => json!({ "kind": "grace_logins", "remaining": remaining }),
    }
}

/// RFC 3339 in UTC.
fn time(time: Time) -> String {
    time.to_string()
}
