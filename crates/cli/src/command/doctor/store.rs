//! The store: can it be opened, and does it answer? Neither is it made here nor are its tables brought up to date.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use account::Store;
use ldapgate::Config;

use super::report::{Finding, Report, begin};

/// Clocks of gateways on one database that are further apart than this judge sessions and attempts differently.
const APART: Duration = Duration::from_secs(60);

/// What came of the store.
pub(super) enum Found {
    /// It answers.
    Open(Arc<dyn Store>),
    /// There is none that this program can read yet: its next start makes it.
    NotYet,
    /// It cannot be used.
    Down,
}

/// Looks at it, and opens it where that changes nothing.
pub(super) async fn examine(report: &mut Report, config: &Config) -> Found {
    let place = config.store_place();
    let begun = begin("store", place.as_str());
    let (finding, found) = look(config, &place).await;
    report.end(begun, finding);
    found
}

async fn look(config: &Config, place: &str) -> (Finding, Found) {
    if let Some(path) = place.strip_prefix("sqlite:").map(Path::new)
        && !path.exists()
    {
        return absent(path);
    }
    let down = |error: &ldapgate::Error| (Finding::failed(chain(error), advice(place)), Found::Down);
    let looked = match config.look_at_store().await {
        Err(error) => return down(&error),
        Ok(None) => {
            let cause = "everything is forgotten when the gateway stops, and no other program sees it";
            let advice = "set store.url to \"sqlite:PATH\" or \"postgres://...\"";
            return (Finding::warning(cause, advice), Found::NotYet);
        }
        Ok(Some(looked)) => looked,
    };
    let known = looked.known;
    match looked.version {
        None => return (Finding::ok("it is empty: the first start makes its tables"), Found::NotYet),
        Some(version) if version < known => {
            let seen = format!("version {version}: the next start brings it to {known}");
            return (Finding::ok(seen), Found::NotYet);
        }
        Some(_) => {}
    }
    let finding = Finding::ok(format!("it answers, version {known}"));
    let finding = match looked.clock.map(apart) {
        Some(apart) if apart > APART => finding.but(
            format!("the clock of the database and the one here are {} seconds apart", apart.as_secs()),
            "let all machines take their time from the same source (NTP): sessions end and attempts are counted by it",
        ),
        _ => finding,
    };
    match config.open_store().await {
        Err(error) => down(&error),
        Ok(store) => match store.ping().await {
            Ok(()) => (finding, Found::Open(store)),
            Err(error) => (Finding::failed(chain(&error), advice(place)), Found::Down),
        },
    }
}

fn apart(theirs: std::time::SystemTime) -> Duration {
    let here = ldapgate::system_time();
    theirs.duration_since(here).unwrap_or_else(|before| before.duration())
}

/// Whoever runs this may be somebody else than the gateway: a file of theirs would be in its way.
fn absent(path: &Path) -> (Finding, Found) {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => {
            let cause = format!("{} is not there, nor is its folder", path.display());
            let advice =
                format!("make the folder {} and let the gateway's user write there", folder.display());
            (Finding::failed(cause, advice), Found::Down)
        }
        None => (
            Finding::skipped("there is none yet: the first start of the gateway makes it", ""),
            Found::NotYet,
        ),
    }
}

fn advice(place: &str) -> &'static str {
    match place.starts_with("sqlite:") {
        true => "check the file, who may write it and its folder, and that the disk is not full",
        false => "check that the database runs, its address, name, user and password",
    }
}

/// The error and its causes in a line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let mut told = String::new();
    for cause in causes.filter(|cause| !cause.is_empty()) {
        if told.contains(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
    }
    told
}
