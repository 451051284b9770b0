//! Who is throttled, and letting them try again.

use std::collections::BTreeSet;
use std::net::IpAddr;

use auth::{Answer, Silent, Username};

use crate::accounts::{Accounts, Current};
use crate::audit::shortened;
use crate::store::{Audit, Block, BlockQuery, ClearBlocks, Counted, CounterKey};
use crate::{Error, Origin, Time};

/// Somebody or something that has used up its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Who or what.
    pub counted: Counted,
    /// How many wrong passwords.
    pub wrong: u32,
    /// When the last was.
    pub last: Time,
    /// When it is forgotten.
    pub until: Time,
}

impl Accounts {
    /// Everybody who is throttled now: people, addresses, and places for names that nobody bears.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn blocked(&self) -> Result<Vec<Blocked>, Error> {
        let throttle = self.current().settings.login.throttle;
        let query = BlockQuery { at: self.0.ambient.now(), window: throttle.window };
        let blocked = |Block { key, counter }: Block| {
            let counted = key.counted()?;
            let most = match &counted {
                Counted::Address(_) => throttle.address,
                Counted::Person { .. } | Counted::Unknown(_) => throttle.person,
            };
            let until = counter.until(throttle.window);
            (most > 0 && counter.wrong >= most).then_some(Blocked {
                counted,
                wrong: counter.wrong,
                last: counter.last,
                until,
            })
        };
        Ok(self.0.store.blocks(query).await?.into_iter().filter_map(blocked).collect())
    }

    /// Forgets the wrong passwords of a person or an address; answers how many counters there were. A person is named
    /// as they would sign in; where no counter has that name, the directories are asked whom it means.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or a directory that must be asked.
    pub async fn clear_blocks(&self, who: &str, origin: &Origin) -> Result<u64, Error> {
        let who = who.trim();
        if let Some(address) = address(who) {
            return self.clear(who, vec![CounterKey::address(address)], origin).await;
        }
        let current = self.current();
        let Ok(username) = Username::parse(&self.asked_for(who), current.settings.login.fold) else {
            return Ok(0);
        };
        let cleared = self.clear(who, self.keys(&current, &username), origin).await?;
        if cleared > 0 {
            return Ok(cleared);
        }
        match current.directories.locate(&username, &Silent).await? {
            Answer::Yes(located) => {
                self.clear(who, vec![CounterKey::person(located.directory(), located.key())], origin).await
            }
            Answer::No(_) => Ok(0),
        }
    }

    /// What attempts at a name may have been counted by, as far as that can be told without asking a directory.
    fn keys(&self, current: &Current, username: &Username) -> Vec<CounterKey> {
        let bare = current.directories.bare_name(username);
        let names = BTreeSet::from([bare, username.folded()]);
        let directories = current.directories.names();
        let people = directories
            .iter()
            .flat_map(|directory| names.iter().map(move |name| CounterKey::person(directory, name)));
        people.chain([self.unknown_place(bare)]).collect()
    }

    async fn clear(&self, who: &str, keys: Vec<CounterKey>, origin: &Origin) -> Result<u64, Error> {
        let audit = Audit { username: Some(shortened(who)), ..self.audit("blocks_cleared", origin) };
        let cleared = self.0.store.clear_blocks(ClearBlocks { keys, audit }).await?;
        self.0.settled.notify_waiters();
        Ok(cleared)
    }
}

/// An address, or the network that IPv6 addresses are counted by.
fn address(text: &str) -> Option<IpAddr> {
    text.strip_suffix("/64").unwrap_or(text).parse().ok()
}
