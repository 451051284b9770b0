//! Step 11: which account of the store a person of the directory is, and when a name changes hands.
//!
//! Who somebody is says the directory's key, never the name. A name whose account has another key is refused, unless the
//! directory the account came from says that its person is gone. Then the account gives up the name in the same
//! transaction that takes the newcomer in, and the newcomer starts without anything that was the other's.

use auth::{Denial, Observer, Person, Presence, Reason};
use tokio::time::Instant;

use crate::Account;
use crate::accounts::{Accounts, Current};
use crate::admission::{Refused, tell};
use crate::audit::shortened;
use crate::store::{Audit, Find, Link, Linked, Retire};
use crate::{Error, Origin, UserId};

/// Stands in the names of retired accounts, and in no other's.
const RETIRED: &str = "#retired-";

impl Accounts {
    /// Their account, and the one that gives up the name for it.
    pub(crate) async fn link(
        &self,
        current: &Current,
        person: &Person,
        local_name: &str,
        observer: &dyn Observer,
    ) -> Result<(Option<Account>, Option<Retire>), Refused> {
        let started = Instant::now();
        if local_name.contains(RETIRED) {
            let detail = format!("{local_name:?} is a name that retired accounts have");
            return Err(Refused::Denied(Denial::of(Reason::DuplicateAccount).with_detail(detail)));
        }
        let link = Link {
            directory: person.directory().to_owned(),
            external_id: person.id().to_owned(),
            local_name: local_name.to_owned(),
        };
        let linked = match self.0.store.link(link).await? {
            Linked::Known(account) => Ok((Some(*account), None)),
            Linked::New => Ok((None, None)),
            Linked::Taken { by, known } => match self.whether_gone(current, person, &by, observer).await? {
                Presence::Gone => Ok((known.map(|known| *known), Some(self.retire(&by)))),
                presence => Err(taken(&by, &presence)),
            },
        };
        let result = match &linked {
            Ok((_, Some(retire))) => format!("{} gives up the name", retire.user),
            Ok((Some(_), None)) => "known".to_owned(),
            Ok((None, None)) => "new".to_owned(),
            Err(denial) => denial.to_string(),
        };
        let what = format!("{} {}", person.directory(), person.id());
        tell(observer, "link", &what, &result, started.elapsed());
        linked.map_err(Refused::Denied)
    }

    /// Asks the directory that an account came from whether its person is still there. Two others have to be found: who
    /// stands at the door, where that is the same directory, and whom the store knows besides, if there is anybody.
    async fn whether_gone(
        &self,
        current: &Current,
        person: &Person,
        account: &Account,
        observer: &dyn Observer,
    ) -> Result<Presence, Refused> {
        let (directory, id) = (&account.directory, &account.external_id);
        if !current.directories.names().contains(directory) {
            return Ok(Presence::Unclear(format!("the directory {directory:?} is not configured any more")));
        }
        let another = Find::Another { directory: directory.clone(), than: id.clone() };
        let another = self.0.store.account(another).await?;
        let newcomer = (person.directory() == directory).then(|| person.id());
        let others: Vec<&str> = newcomer
            .into_iter()
            .chain(another.as_ref().map(|another| another.external_id.as_str()))
            .collect();
        let presence = current.directories.presence(directory, id, &others, observer).await;
        presence.map_err(|error| Refused::Failed(Error::from(error)))
    }

    fn retire(&self, account: &Account) -> Retire {
        let audit = Audit {
            username: Some(shortened(&account.username)),
            directory: Some(account.directory.clone()),
            detail: Some(format!("{} is gone from the directory", account.external_id)),
            ..self.audit("retired", &Origin::default())
        };
        Retire {
            user: account.id,
            directory: account.directory.clone(),
            external_id: account.external_id.clone(),
            mark: mark(account.id),
            audit,
        }
    }
}

/// The account's own id makes the name one that no other account gets.
fn mark(user: UserId) -> String {
    format!("{RETIRED}{user}")
}

fn taken(by: &Account, presence: &Presence) -> Denial {
    let Account { local_name, external_id, directory, .. } = by;
    Denial::of(Reason::DuplicateAccount).with_detail(format!(
        "the name {local_name:?} belongs to {external_id} of directory {directory:?}, who is {presence}"
    ))
}
