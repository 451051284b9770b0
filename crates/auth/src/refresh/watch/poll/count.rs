//! Changes by their numbers: each domain controller counts its own (MS-ADTS section 3.1.1.1.9).

use client::{Connection, RootDse};
use proto::Filter;

use crate::Error;

/// Up to which change everything is known.
pub(super) struct Count {
    /// The first number that was not asked for.
    next: u64,
    /// The last that the server had when it was asked.
    highest: u64,
    /// Which controller counts.
    service: Option<String>,
    is_another: bool,
}

impl Count {
    pub(super) fn of(root: &RootDse) -> Count {
        let highest = root.highest_committed_usn().unwrap_or_default();
        let service = service(root);
        Count { next: highest.saturating_add(1), highest, service, is_another: false }
    }

    /// Forgets what was before now.
    pub(super) async fn catch_up(&mut self, connection: &Connection) -> Result<(), Error> {
        *self = Count::of(&read(connection).await?);
        Ok(())
    }

    /// What the entries match that have changed; `None` when there are none.
    pub(super) async fn changed(&mut self, connection: &Connection) -> Result<Option<Filter>, Error> {
        let root = read(connection).await?;
        self.highest = root.highest_committed_usn().unwrap_or_default();
        // Behind one name another controller may answer, or this one from a backup.
        self.is_another = service(&root) != self.service || self.highest.saturating_add(1) < self.next;
        let has_changes = !self.is_another && self.highest >= self.next;
        Ok(has_changes.then(|| Filter::greater_or_equal("uSNChanged", self.next.to_string())))
    }

    /// Nothing of what is known holds.
    pub(super) fn is_another(&self) -> bool {
        self.is_another
    }

    /// What has changed was read.
    pub(super) fn done(&mut self) {
        self.next = self.highest.saturating_add(1);
    }
}

async fn read(connection: &Connection) -> Result<RootDse, Error> {
    connection.root_dse().await.map_err(|error| Error::looking("the root DSE cannot be read", error))
}

fn service(root: &RootDse) -> Option<String> {
    root.entry().text("dsServiceName").map(str::to_owned)
}
