//! The store: can it be opened, and does it answer?

use std::path::Path;
use std::sync::Arc;

use account::Store;
use ldapgate::Config;

use super::report::{Finding, Report, begin};

/// What came of the store.
pub(super) enum Found {
    /// It answers.
    Open(Arc<dyn Store>),
    /// There is none yet: the first start makes it.
    NotYet,
    /// It cannot be used.
    Down,
}

/// Opens it, unless that would make it.
pub(super) async fn examine(report: &mut Report, config: &Config) -> Found {
    let place = config.store_place();
    let begun = begin("store", place.as_str());
    if place == "memory:" {
        let cause = "everything is forgotten when the gateway stops, and nobody else sees it";
        report.end(begun, Finding::warning(cause, "set store.url to \"sqlite:PATH\" or \"postgres://...\""));
        return Found::NotYet;
    }
    if let Some(path) = place.strip_prefix("sqlite:").map(Path::new)
        && !path.exists()
    {
        report.end(begun, absent(path));
        return Found::NotYet;
    }
    let opened = config.open_store().await;
    let (finding, found) = match opened {
        Err(error) => (Finding::failed(chain(&error), advice(&place)), Found::Down),
        Ok(store) => match store.ping().await {
            Ok(()) => (Finding::ok("it answers"), Found::Open(store)),
            Err(error) => (Finding::failed(chain(&error), advice(&place)), Found::Down),
        },
    };
    report.end(begun, finding);
    found
}

/// Whoever runs this may be somebody else than the gateway: a file of theirs would be in its way.
fn absent(path: &Path) -> Finding {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => Finding::failed(
            format!("{} is not there, nor is its folder", path.display()),
            format!("make the folder {} and let the gateway's user write there", folder.display()),
        ),
        None => Finding::skipped("there is none yet: the first start of the gateway makes it", ""),
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
