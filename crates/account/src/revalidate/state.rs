//! How looking at people again goes, for operators: kept in memory, one entry a directory. What every replica is to know of a
//! brake that holds is kept in the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::store::{SetMark, Store, StoreError};
use crate::{Error, Time};

/// How looking at the people of one directory goes in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevalidationState {
    /// The directory's name.
    pub directory: String,
    /// When people were last looked at.
    pub last_success: Option<Time>,
    /// Why they could not be looked at, the last time that failed.
    pub last_error: Option<String>,
    /// Since when every try has failed; `None`: the last did not.
    pub failing_since: Option<Time>,
    /// Tries that failed since the start.
    pub failures: u64,
    /// When a sync was last tried by this process itself.
    pub sync_tried: Option<Time>,
    /// The brake holds: nobody's access is ended until this is over.
    pub held: Option<Hold>,
    /// So many people were looked at since the start.
    pub refreshed: u64,
    /// So many people's access was ended since the start.
    pub ended: u64,
    /// Whether changes are heard of as they happen.
    pub watch: Watching,
    /// Groups that the configuration names and the directory does not have: nobody is in them.
    pub missing_groups: Vec<String>,
}

/// Whether changes are heard of as they happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Watching {
    /// Not here: `sync.watch` is off, or another replica does it.
    #[default]
    Off,
    /// It is being tried.
    Connecting,
    /// The server tells of them.
    Live,
    /// The server is asked every now and then.
    Polling,
}

impl Watching {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Polling => "polling",
        }
    }
}

/// The brake holds: more people than `sync.max_change` would lose access in one directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The directory's name.
    pub directory: String,
    /// Since when.
    pub since: Time,
    /// So many would have lost access at the last look.
    pub would_lose: u64,
    /// Of so many who were looked at.
    pub looked_at: u64,
    /// In words.
    pub why: String,
}

impl Hold {
    /// The start of the names of marks that are holds.
    const MARKS: &str = "hold ";

    fn mark(directory: &str) -> String {
        format!("{}{directory}", Self::MARKS)
    }

    /// Those that a store has, by directory.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn of_store(store: &dyn Store) -> Result<Vec<Hold>, StoreError> {
        let marks = store.marks(Self::MARKS.to_owned()).await?;
        // What a newer version wrote differently is its own to explain.
        Ok(marks.into_iter().filter_map(|mark| serde_json::from_slice(&mark.value).ok()).collect())
    }
}

/// The states of all directories.
#[derive(Default)]
pub(crate) struct Board(Mutex<BTreeMap<String, RevalidationState>>);

impl Board {
    /// Changes one directory's.
    pub(crate) fn change<T>(&self, directory: &str, change: impl FnOnce(&mut RevalidationState) -> T) -> T {
        let mut all = self.all();
        let state = all.entry(directory.to_owned()).or_insert_with(|| RevalidationState {
            directory: directory.to_owned(),
            ..RevalidationState::default()
        });
        change(state)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, RevalidationState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    /// How looking at people again goes in this process, one entry for each configured directory, in their order.
    #[must_use]
    pub fn revalidation(&self) -> Vec<RevalidationState> {
        let names = self.current().directories.names();
        names.iter().map(|name| self.0.board.change(name, |state| state.clone())).collect()
    }

    /// The brakes that hold, as any replica left them in the store, by directory.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn holds(&self) -> Result<Vec<Hold>, Error> {
        Ok(Hold::of_store(&*self.0.store).await?)
    }

    /// The brake of one directory, as the store has it; this process then knows it, too.
    pub(crate) async fn hold(&self, directory: &str) -> Result<Option<Hold>, Error> {
        let holds = self.holds().await?;
        let held = holds.into_iter().find(|hold| hold.directory == directory);
        self.0.board.change(directory, |state| state.held.clone_from(&held));
        Ok(held)
    }

    /// Keeps that the brake of a directory holds, or that it does not any more; tells the log when that is new.
    pub(crate) async fn set_hold(&self, directory: &str, held: Option<Hold>) -> Result<(), Error> {
        let before = self.hold(directory).await?;
        let held = held
            .map(|held| Hold { since: before.as_ref().map_or(held.since, |before| before.since), ..held });
        match (&before, &held) {
            (before, held) if before == held => return Ok(()),
            (None, Some(hold)) => tracing::error!(
                directory,
                why = hold.why,
                "nobody's access is ended: too many would lose it; `ldapgate sync --force` ends it all the same"
            ),
            (Some(_), None) => tracing::info!(directory, "people may lose access again"),
            _ => {}
        }
        let value = held.as_ref().map(|held| serde_json::to_vec(held).expect("a hold has text for keys"));
        self.0.store.set_mark(SetMark { name: Hold::mark(directory), value }).await?;
        self.0.board.change(directory, |state| state.held = held);
        Ok(())
    }
}
