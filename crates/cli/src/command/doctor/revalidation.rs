//! How looking at people again goes: a brake that holds, and a sync that is overdue. Only what the store knows is seen, the
//! rest is told by the metrics of each gateway.

use account::store::Store;
use account::{Hold, SyncSettings, Time, last_sync};

use super::report::{Finding, Report, begin};
use super::store::chain;

/// Looks at each directory.
pub(super) async fn examine(
    report: &mut Report,
    store: &dyn Store,
    directories: &[&str],
    sync: SyncSettings,
) {
    for directory in directories {
        let begun = begin("revalidation", *directory);
        let finding = look(store, directory, sync).await;
        report.end(begun, finding.unwrap_or_else(|error| Finding::failed(chain(&error), "mend the store")));
    }
}

async fn look(
    store: &dyn Store,
    directory: &str,
    sync: SyncSettings,
) -> Result<Finding, account::StoreError> {
    let (holds, last) = (Hold::of_store(store).await?, last_sync(store, directory).await?);
    let finding = overdue(last, sync, ldapgate::system_time().into());
    let Some(hold) = holds.into_iter().find(|hold| hold.directory == directory) else { return Ok(finding) };
    let seen = last.map_or("the brake holds".to_owned(), |last| {
        format!("the brake holds; last sync {}", last.rounded())
    });
    Ok(finding.seeing(seen).failing(
        format!("nobody's access is ended since {}: {}", hold.since.rounded(), hold.why),
        "see whether these people should lose it: ldapgate sync --dry-run lists them. If they should, run: ldapgate sync --force. If \
         not, mend what hides them: the service account's rights, base, user.filter, access.require",
    ))
}

fn overdue(last: Option<Time>, sync: SyncSettings, now: Time) -> Finding {
    let seen = match last {
        Some(last) => format!("the brake does not hold; last sync {}", last.rounded()),
        None => "the brake does not hold".to_owned(),
    };
    let finding = Finding::ok(seen);
    match (last, sync.every) {
        (Some(last), Some(every)) if now.since(last) > every.saturating_mul(2) => finding.but(
            format!("no sync has succeeded since {}, and sync.every is {every:?}", last.rounded()),
            "see whether a gateway runs, and what its log says of the sync",
        ),
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::command::doctor::report::Outcome;

    #[test]
    fn a_sync_that_has_not_been_for_two_rounds_is_told() {
        let hour = Duration::from_secs(3600);
        let (now, every) = (
            Time::from_micros(1_800_000_000_000_000),
            SyncSettings { every: Some(hour), ..SyncSettings::default() },
        );
        assert_eq!(overdue(Some(now.before(hour)), every, now).outcome, Outcome::Ok);
        assert_eq!(overdue(Some(now.before(3 * hour)), every, now).outcome, Outcome::Warning);
        assert_eq!(overdue(Some(now.before(3 * hour)), SyncSettings::default(), now).outcome, Outcome::Ok);
        assert_eq!(overdue(None, every, now).outcome, Outcome::Ok, "it has just been switched on");
    }
}
