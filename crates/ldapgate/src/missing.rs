//! Groups that the configuration names and no directory has: they have no members, so a rule that names one may not do what
//! its writer meant.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::Directories;
use proto::Dn;

/// How soon it is asked again when a directory did not answer; each further time twice as late.
const SOON: Duration = Duration::from_secs(60);
/// The longest it waits.
const LATEST: Duration = Duration::from_secs(10 * 60);

/// What was found, for whoever shows it. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct MissingGroups(Arc<Mutex<Option<Found>>>);

/// Each with its directory's name.
type Found = Vec<(String, Dn)>;

impl MissingGroups {
    /// How many of each of these directories; nothing before every directory has said.
    pub(crate) fn counts<'n>(&self, directories: impl Iterator<Item = &'n str>) -> BTreeMap<String, usize> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = found.as_ref() else { return BTreeMap::new() };
        let of = |name: &str| found.iter().filter(|(directory, _)| directory == name).count();
        directories.map(|name| (name.to_owned(), of(name))).collect()
    }

    fn found(&self, missing: Found) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(missing);
    }
}

/// Tells the log which groups are not there, once every directory has said.
pub(crate) async fn tell(directories: Directories, known: MissingGroups) {
    let ask = || {
        let directories = directories.clone();
        async move { directories.missing_groups().await }
    };
    let missing = until_answered(ask).await;
    for (directory, group) in &missing {
        tracing::error!(directory, %group, "a group that the configuration names is not there: it has no members");
    }
    known.found(missing);
}

/// Asks until there is an answer.
async fn until_answered<T, E, F>(ask: impl Fn() -> F) -> T
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = SOON;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                tracing::warn!(%error, again_in = ?pause, "cannot look whether the groups that the configuration names are there");
            }
        }
        tokio::time::sleep(pause).await;
        pause = LATEST.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_was_down_is_asked_again_until_it_answers() {
        let begin = Instant::now();
        let asked = RefCell::new(Vec::new());
        let ask = || {
            asked.borrow_mut().push(begin.elapsed().as_secs() / 60);
            let times = asked.borrow().len();
            std::future::ready(if times < 7 { Err("down") } else { Ok(times) })
        };
        assert_eq!(until_answered(ask).await, 7);
        assert_eq!(*asked.borrow(), [0, 1, 3, 7, 15, 25, 35], "minutes");
    }
}
