//! The room's one handle: what every door holds.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use auth::Directories;
use tokio::sync::Notify;

use crate::cache::Cache;
use crate::count::Meter;
use crate::event::Crier;
use crate::holdback::HoldBack;
use crate::naming::AsConfigured;
use crate::permission::{Names, PermissionKey};
use crate::proofs::Proofs;
use crate::ready::Readiness;
use crate::repeat::Repeats;
use crate::revalidate::Board;
use crate::seal::Seal;
use crate::settings::DirectorySettings;
use crate::store::{SecretBytes, Store};
use crate::token::{Keys, Source, Tokens};
use crate::turns::Turns;
use crate::typed::Marks;
use crate::under_way::UnderWay;
use crate::{Ambient, Error, Hook, Naming, Settings, TokenSettings};

/// How long opening waits for the directories to say whose groups the names in `[permissions]` are.
const NAMES_WITHIN: Duration = Duration::from_secs(10);

/// How long the end waits for what is under way.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// So many kinds of refusals that cost a visitor nothing are on record by themselves, each so often.
const RECORDED: usize = 1024;
const RECORDED_EVERY: Duration = Duration::from_secs(60);
/// So often failures are logged as errors.
const LOGGED_EVERY: Duration = Duration::from_secs(1);

/// People, their sessions and tokens, and the one sign-in. Clones share everything.
#[derive(Clone)]
pub struct Accounts(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ambient: Ambient,
    pub(crate) seal: Seal,
    /// What is written down in place of a text that is nobody's name.
    pub(crate) marks: Marks,
    /// What has to be settled before the end.
    pub(crate) under_way: UnderWay,
    pub(crate) hold_back: HoldBack,
    /// Refusals that were put on record.
    pub(crate) recorded: Repeats,
    /// Failures that were logged.
    pub(crate) logged: Repeats,
    /// Who asks for an attempt.
    pub(crate) turns: Turns,
    /// Wakes logins that wait for reservations of others.
    pub(crate) settled: Notify,
    pub(crate) cache: Cache,
    /// A directory has answered since the start.
    pub(crate) answered: AtomicBool,
    pub(crate) readiness: tokio::sync::Mutex<Option<Readiness>>,
    /// What this process holds leases as.
    pub(crate) holder: String,
    /// It held one, or tried to.
    pub(crate) leased: AtomicBool,
    /// How looking at people again goes.
    pub(crate) board: Board,
    /// Wakes what goes on in the background when there are other settings.
    pub(crate) reconfigured: Notify,
    current: RwLock<Arc<Current>>,
    hooks: RwLock<Vec<Arc<dyn Hook>>>,
    naming: RwLock<Arc<dyn Naming>>,
    pub(crate) crier: Crier,
    pub(crate) meter: Meter,
}

/// What a reload exchanges, as one.
pub(crate) struct Current {
    pub(crate) settings: Settings,
    pub(crate) directories: Directories,
    pub(crate) tokens: Tokens,
    pub(crate) proofs: Proofs,
    names: Mutex<Names>,
}

impl Accounts {
    /// Fetches the installation's keys from the store, making them if this is the first time, and asks the
    /// directories whose groups the names in `[permissions]` are. A directory that does not answer is no error.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or a token key cannot be used.
    pub async fn open(
        settings: Settings,
        directories: Directories,
        store: Arc<dyn Store>,
        ambient: Ambient,
    ) -> Result<Self, Error> {
        let seal = Seal::new(secret(&*store, &ambient, "seal").await?.expose());
        let keys = Keys::load(&source(&*store, &ambient, &settings.token), None).await?;
        let holder = format!("{} ({})", settings.replica, crate::session::handle(&ambient));
        let current = Arc::new(Current::new(settings, directories, keys, &ambient)?);
        current.learn_names().await;
        Ok(Self(Arc::new(Inner {
            marks: Marks::new(&ambient),
            under_way: UnderWay::default(),
            store,
            ambient,
            seal,
            hold_back: HoldBack::default(),
            recorded: Repeats::new(RECORDED, RECORDED_EVERY),
            logged: Repeats::new(1, LOGGED_EVERY),
            turns: Turns::default(),
            settled: Notify::new(),
            cache: Cache::default(),
            answered: AtomicBool::new(false),
            readiness: tokio::sync::Mutex::default(),
            holder,
            leased: AtomicBool::new(false),
            board: Board::default(),
            reconfigured: Notify::new(),
            current: RwLock::new(current),
            hooks: RwLock::default(),
            naming: RwLock::new(Arc::new(AsConfigured)),
            crier: Crier::default(),
            meter: Meter::default(),
        })))
    }

    /// Exchanges settings and directories; logins under way end with the old ones.
    ///
    /// # Errors
    ///
    /// As [`Accounts::open`]; the old ones stay then.
    pub async fn reconfigure(&self, settings: Settings, directories: Directories) -> Result<(), Error> {
        let keys = Keys::load(&self.key_source(&settings.token), None).await?;
        let current = Arc::new(Current::new(settings, directories, keys, &self.0.ambient)?);
        current.learn_names().await;
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        self.0.reconfigured.notify_waiters();
        Ok(())
    }

    /// Adds an application's say on each login, after those added before.
    pub fn add_hook(&self, hook: Arc<dyn Hook>) {
        self.0.hooks.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Gives people the names of an application, in place of those it gave before.
    pub fn set_naming(&self, naming: Arc<dyn Naming>) {
        *self.0.naming.write().unwrap_or_else(PoisonError::into_inner) = naming;
    }

    /// Signs bytes that leave the house and must come back unchanged, such as a form's token. They are not hidden.
    /// The text holds letters, digits, `-`, `_` and one `.`; it opens for the same purpose only.
    #[must_use]
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        self.0.seal.seal(&format!("door {purpose}"), bytes)
    }

    /// The bytes of a sealed text; `None` when it was changed, made elsewhere or for another purpose.
    #[must_use]
    pub fn unseal(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        self.0.seal.unseal(&format!("door {purpose}"), text)
    }

    /// Waits for what is still to be settled: attempts that are counted and records of logins whose visitors were told that it
    /// took too long. Nothing new should begin. Gives up after a few seconds: what is left then counts as a wrong password
    /// once its time is over.
    pub async fn finish(&self) {
        if tokio::time::timeout(FINISH_WITHIN, self.0.under_way.end()).await.is_err() {
            tracing::warn!("the end did not wait for logins that are still under way");
        }
    }

    /// The clock and randomness this room was opened with.
    #[must_use]
    pub fn ambient(&self) -> &Ambient {
        &self.0.ambient
    }

    /// The store this room was opened with.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The directories as they are configured now.
    #[must_use]
    pub fn directories(&self) -> Directories {
        self.current().directories.clone()
    }

    /// Where the keys of tokens come from with these settings.
    pub(crate) fn key_source<'a>(&'a self, settings: &'a TokenSettings) -> Source<'a> {
        source(&*self.0.store, &self.0.ambient, settings)
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn naming(&self) -> Arc<dyn Naming> {
        Arc::clone(&self.0.naming.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn hooks(&self) -> Vec<Arc<dyn Hook>> {
        self.0.hooks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Current {
    fn new(
        settings: Settings,
        directories: Directories,
        keys: Keys,
        ambient: &Ambient,
    ) -> Result<Self, Error> {
        let tokens = Tokens::new(&settings.token, keys)?;
        let proofs = Proofs::new(settings.remember_credentials, ambient);
        Ok(Self { settings, directories, tokens, proofs, names: Mutex::default() })
    }

    pub(crate) fn directory(&self, name: &str) -> DirectorySettings {
        self.settings.directories.get(name).cloned().unwrap_or_default()
    }

    /// What a person may do by their groups, where their directory gives permissions at all.
    pub(crate) fn permissions(&self, person: &auth::Person) -> Vec<String> {
        if !self.directory(person.directory()).from_groups {
            return Vec::new();
        }
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        crate::permission::permissions(person, &self.settings.permissions, &names)
    }

    /// Asks every directory which groups bear the names that `[permissions]` uses; answers whether all said.
    ///
    /// A name whose groups are not known gives nobody anything.
    pub(crate) async fn learn_names(&self) -> bool {
        let used = self.settings.directories.values().any(|directory| directory.from_groups);
        let names = self.settings.permissions.keys().filter_map(|key| match key {
            PermissionKey::Name(name) if used => Some(name.as_str()),
            _ => None,
        });
        let asking = async {
            let mut all = true;
            for name in names {
                all &= self.learn_name(name).await;
            }
            all
        };
        tokio::time::timeout(NAMES_WITHIN, asking).await.unwrap_or(false)
    }

    async fn learn_name(&self, name: &str) -> bool {
        let mut found = BTreeSet::new();
        for directory in self.directories.names() {
            match self.directories.groups_named(&directory, name).await {
                Ok(groups) => found.extend(groups.into_iter().map(|dn| (directory.clone(), dn))),
                Err(error) => {
                    tracing::warn!(name, directory, %error, "the group of that name cannot be looked up");
                    return false;
                }
            }
        }
        self.names.lock().unwrap_or_else(PoisonError::into_inner).learn(name, found);
        true
    }
}

fn source<'a>(store: &'a dyn Store, ambient: &'a Ambient, settings: &'a TokenSettings) -> Source<'a> {
    Source { store, ambient, file: settings.key.as_ref(), longest: settings.max_lifetime }
}

/// A secret of the installation, 32 bytes.
async fn secret(store: &dyn Store, ambient: &Ambient, name: &str) -> Result<SecretBytes, Error> {
    let candidate = SecretBytes::new(ambient.random::<32>().to_vec());
    let secret = store.secret(name.to_owned(), candidate).await?;
    match secret.expose().len() {
        32 => Ok(secret),
        other => Err(Error::internal(
            format!("the store's secret {name:?} cannot be used"),
            format!("it has {other} bytes and not 32"),
        )),
    }
}
