//! What only one replica does at a time: it holds a lease in the store, which runs out by itself when the replica is gone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::store::{Leased, ReleaseLeases, SetMark, Store, StoreError, TakeLease};
use crate::{Error, Time};

/// How long a program that ends waits for the store.
const LEAVING: Duration = Duration::from_secs(2);

impl Accounts {
    /// Takes a lease for so long, or takes it again; answers who else holds it.
    pub(super) async fn take_lease(&self, name: &str, lasts: Duration) -> Result<Leased, Error> {
        let at = self.0.ambient.now();
        let (name, holder, until) = (name.to_owned(), self.0.holder.clone(), at.after(lasts));
        self.0.leased.store(true, Ordering::Relaxed);
        Ok(self.0.store.take_lease(TakeLease { name, holder, at, until }).await?)
    }

    /// Gives a lease back; should that fail it runs out.
    pub(super) async fn release_lease(&self, name: &str) {
        self.release(Some(name.to_owned())).await;
    }

    /// Gives back what this process holds, so that others need not wait for it. Call it when [`Accounts::revalidate`] has
    /// been dropped and the program ends.
    pub async fn stop_revalidating(&self) {
        if self.0.leased.load(Ordering::Relaxed) {
            // What is not given back runs out.
            let _ = tokio::time::timeout(LEAVING, self.release(None)).await;
        }
    }

    async fn release(&self, name: Option<String>) {
        let release = ReleaseLeases { holder: self.0.holder.clone(), name };
        if let Err(error) = self.0.store.release_leases(release).await {
            tracing::debug!(%error, "a lease was not given back: it runs out");
        }
    }

    /// When something was last done, by whichever replica.
    pub(super) async fn last_done(&self, name: &str) -> Result<Option<Time>, Error> {
        Ok(last_done(&*self.0.store, name).await?)
    }

    pub(super) async fn note_done(&self, name: &str, at: Time) -> Result<(), Error> {
        let value = Some(at.micros().to_be_bytes().to_vec());
        Ok(self.0.store.set_mark(SetMark { name: name.to_owned(), value }).await?)
    }
}

/// When a store says that something was last done.
pub(super) async fn last_done(store: &dyn Store, name: &str) -> Result<Option<Time>, StoreError> {
    let marks = store.marks(name.to_owned()).await?;
    let found = marks.into_iter().find(|mark| mark.name == name);
    let micros = found.and_then(|mark| mark.value.try_into().ok()).map(i64::from_be_bytes);
    Ok(micros.map(Time::from_micros))
}
