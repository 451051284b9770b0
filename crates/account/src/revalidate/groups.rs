//! Groups that the configuration names and no directory has: they have no members, so a rule that names one may not do what
//! its writer meant. They are looked for at the start, after each reload, and at each round of the refresh.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::accounts::Accounts;

/// How soon it is asked again when a directory did not answer; each further time twice as late.
const SOON: Duration = Duration::from_secs(60);
/// The longest it waits.
const LATEST: Duration = Duration::from_secs(10 * 60);

impl Accounts {
    /// Looks now and then whether the groups that the configuration names are there.
    ///
    /// Never ends; a part of [`Accounts::revalidate`].
    pub async fn look_for_groups(&self) {
        let mut pause = SOON;
        let mut told = BTreeSet::new();
        loop {
            // A reload during the question is heard, too.
            let reconfigured = self.0.reconfigured.notified();
            let current = self.current();
            let wait = match current.directories.missing_groups().await {
                Ok(missing) => {
                    let missing: BTreeSet<_> = missing
                        .into_iter()
                        .map(|(directory, group)| (directory, group.to_string()))
                        .collect();
                    for (directory, group) in missing.difference(&told) {
                        tracing::error!(directory, %group, "a group that the configuration names is not there: it has no members");
                    }
                    self.keep_missing(&missing);
                    (told, pause) = (missing, SOON);
                    current.settings.session.refresh.max(Duration::from_secs(1))
                }
                Err(error) => {
                    tracing::warn!(%error, again_in = ?pause, "cannot look whether the groups that the configuration names are there");
                    let wait = pause;
                    pause = LATEST.min(pause * 2);
                    wait
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = reconfigured => told.clear(),
            }
        }
    }

    fn keep_missing(&self, missing: &BTreeSet<(String, String)>) {
        for directory in self.current().directories.names() {
            let groups = missing.iter().filter(|(of, _)| *of == directory).map(|(_, group)| group.clone());
            self.0.board.change(&directory, |state| state.missing_groups = groups.collect());
        }
    }
}
