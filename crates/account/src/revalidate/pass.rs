//! One pass: some people of one directory are looked at, and what came of it is written. Refresh, watch and sync all end here.
//!
//! Nobody's access is ended before others have been looked at in the same pass, and the brake has been asked.

use std::collections::{BTreeMap, BTreeSet};

use auth::{Presence, Sight, Silent};

use super::brake::{self, Held, Tally};
use super::look::{Finding, Lost, difference, is_same, look};
use super::state::Hold;
use crate::accounts::{Accounts, Current};
use crate::admission::Refused;
use crate::audit::shortened;
use crate::store::{
    Admit, Admitted, Audit, Census, CensusQuery, EndAccess, Ending, Enrolled, Loss, NoteChecked, Occasion,
    PeopleQuery,
};
use crate::{Account, Error, Event, Origin, Task, Time, UserId};

/// So many people besides those in question are looked at before anybody's access is ended.
const WITNESSES: u32 = 500;

/// Why people are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Refresh,
    Sync,
    Watch,
}

impl Trigger {
    /// What the audit record calls it.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Sync => "sync",
            Self::Watch => "watch",
        }
    }
}

/// What came of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Accounts that changed.
    pub(crate) changed: usize,
    /// Accounts whose access was ended.
    pub(crate) ended: usize,
    /// The brake holds: nothing was ended.
    pub(crate) held: bool,
}

/// One directory's people, and why they are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) current: &'a Current,
    pub(crate) directory: &'a str,
    pub(crate) trigger: Trigger,
    /// Who set it off.
    pub(crate) origin: &'a Origin,
    /// When the directory was asked: what is found is as old as that.
    pub(crate) looked: Time,
}

/// What a look at one person means for the store.
pub(crate) enum Outcome {
    /// The account would be another.
    Changed(Box<Change>),
    /// It would be what it is.
    Same,
    /// They may not enter any more.
    Lost(Lost),
    /// There is no such entry, which proves nothing yet.
    Missing,
    /// Nothing may be concluded.
    Unclear,
}

/// What the directory says now, ready to be written.
pub(crate) struct Change {
    pub(crate) admit: Admit,
    /// What differs, by name.
    pub(crate) what: serde_json::Map<String, serde_json::Value>,
}

impl Accounts {
    /// A pass over people of one directory, who are looked at from now on.
    pub(super) fn pass<'a>(
        &'a self,
        current: &'a Current,
        directory: &'a str,
        trigger: Trigger,
        origin: &'a Origin,
    ) -> Pass<'a> {
        Pass { accounts: self, current, directory, trigger, origin, looked: self.0.ambient.now() }
    }
}

impl Pass<'_> {
    /// Looks at these people, and at others where somebody would lose access; writes what came of it.
    ///
    /// # Errors
    ///
    /// When directory or store do not answer: nothing was ended, and nothing that was written is half done.
    pub(crate) async fn run(self, people: Vec<Account>) -> Result<Passed, Error> {
        Self { looked: self.now(), ..self }.run_now(people).await
    }

    async fn run_now(self, people: Vec<Account>) -> Result<Passed, Error> {
        let began = self.looked;
        let findings = self.look_at(&keys(&people)).await?;
        let (mut changes, mut seen) = (Vec::new(), Seen::default());
        for (account, finding) in people.iter().zip(findings) {
            let outcome = self.outcome(account, finding).await?;
            seen.note(account, &outcome);
            if let Outcome::Changed(change) = outcome {
                changes.push(change.admit);
            }
        }
        let held_before = self.accounts.hold(self.directory).await?;
        let mut passed = Passed { changed: changes.len(), ..Passed::default() };
        if seen.lost() > 0 || held_before.is_some() {
            let losses = self.weigh(&people, seen, held_before).await?;
            passed.held = losses.is_none();
            passed.ended = self.end(&losses.unwrap_or_default(), began, true, Ending::ShutOut).await?.len();
        }
        self.write(changes).await?;
        let users = people.iter().map(|account| account.id).collect();
        self.accounts.0.store.note_checked(NoteChecked { users, at: began }).await?;
        self.accounts.0.board.change(self.directory, |state| state.refreshed += people.len() as u64);
        Ok(passed)
    }

    /// What the directory shows of each of them, in their order.
    pub(crate) async fn look_at(self, ids: &[String]) -> Result<Vec<Finding>, Error> {
        let directories = &self.current.directories;
        let mut sights: BTreeMap<String, Sight> =
            directories.people_by_id(self.directory, ids, &Silent).await?.into_iter().collect();
        let told = |id: &String| match sights.remove(id) {
            Some(sight) => self.means(sight),
            None => Finding::Unclear("the directory was not asked for them".to_owned()),
        };
        Ok(ids.iter().map(told).collect())
    }

    /// What a sight of somebody means.
    pub(crate) fn means(self, sight: Sight) -> Finding {
        let directories = &self.current.directories;
        let reads_as_person = directories.reads_as_person(self.directory);
        look(sight, reads_as_person, |person| directories.judge(person, &Silent))
    }

    /// What a finding means for the account, once the application has had its say.
    pub(crate) async fn outcome(self, account: &Account, finding: Finding) -> Result<Outcome, Error> {
        let person = match finding {
            Finding::Admitted(person) => person,
            Finding::Lost(lost) => return Ok(Outcome::Lost(lost)),
            Finding::Missing => return Ok(Outcome::Missing),
            Finding::Unclear(why) => {
                tracing::debug!(username = account.username, why, "nothing can be said of a person");
                return Ok(Outcome::Unclear);
            }
        };
        let admit = match self.prepared(&person, Some(account)).await {
            Ok(admit) => admit,
            Err(Refused::Denied(denial)) => return Ok(Outcome::Lost(Lost::of(&denial))),
            Err(Refused::Failed(error)) => {
                tracing::warn!(username = account.username, %error, "a person cannot be brought up to date");
                return Ok(Outcome::Unclear);
            }
        };
        Ok(match admit.decide(Some(account.clone()), None) {
            Ok(admission) if is_same(account, &admission.account) => Outcome::Same,
            Ok(admission) => match difference(account, &admission.account) {
                what if what.is_empty() => Outcome::Same,
                what => Outcome::Changed(Box::new(Change { admit, what })),
            },
            Err(_) => Outcome::Unclear,
        })
    }

    /// What is written of a person who may enter; the application is asked as at a login.
    pub(crate) async fn prepared(
        self,
        person: &auth::Person,
        known: Option<&Account>,
    ) -> Result<Admit, Refused> {
        let (accounts, settings) = (self.accounts, self.current.directory(self.directory));
        let keep_profile = !settings.update_on_login;
        let facts = accounts.facts(self.current, person, known, keep_profile, &Silent).await?;
        Ok(Admit {
            at: self.now(),
            new_id: UserId::from_random(accounts.0.ambient.random()),
            facts,
            keep_profile,
            create: settings.create_users,
            mirror: settings.mirror,
            occasion: Occasion::Revalidation { looked: self.looked },
            retire: None,
            audit: self.audit(person.username()),
        })
    }

    /// Writes changes in one transaction, and answers how many were taken.
    pub(crate) async fn write(self, admits: Vec<Admit>) -> Result<Vec<Admitted>, Error> {
        if admits.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.accounts.0.store.admit_all(admits).await?;
        for answer in &answers {
            match answer {
                Admitted::Yes(admission) => {
                    let account = &admission.account;
                    self.accounts.forget(Some(account.id));
                    self.accounts.0.crier.call(|| Event::Populated {
                        task: Task::Revalidate,
                        account: Box::new(account.clone()),
                        created: admission.created,
                    });
                }
                Admitted::Taken if self.trigger != Trigger::Sync => {
                    let directory = self.directory;
                    tracing::warn!(directory, "a person's new name belongs to another account: theirs stays");
                }
                Admitted::Taken | Admitted::Disabled | Admitted::Overtaken | Admitted::Unknown => {}
            }
        }
        Ok(answers)
    }

    /// Asks the brake, with others looked at besides, and then, of those who are missing, whether they are gone. `None`:
    /// it holds, and once it does it holds until nobody but one would lose access, or an operator forces it.
    async fn weigh(
        self,
        people: &[Account],
        mut seen: Seen,
        held_before: Option<Hold>,
    ) -> Result<Option<Vec<Loser>>, Error> {
        let witnesses = self.witnesses(people).await?;
        for (account, finding) in witnesses.iter().zip(self.look_at(&keys(&witnesses)).await?) {
            // The application is not asked about them: that they are there is what counts.
            let outcome = match finding {
                Finding::Admitted(_) => Outcome::Same,
                Finding::Lost(lost) => Outcome::Lost(lost),
                Finding::Missing => Outcome::Missing,
                Finding::Unclear(_) => Outcome::Unclear,
            };
            seen.note(account, &outcome);
        }
        let held = self.judge(seen.lost(), |_| seen.looked).await?;
        let held = held.or(held_before.filter(|_| seen.lost() > 1));
        self.accounts.set_hold(self.directory, held.clone()).await?;
        if held.is_some() {
            return Ok(None);
        }
        Ok(Some(self.sure(seen).await?))
    }

    /// Asks the brake whether so many may lose access; `looked` says of how many, given how many there are. `None`: they may.
    pub(crate) async fn judge(
        self,
        lost: u64,
        looked: impl FnOnce(Census) -> u64,
    ) -> Result<Option<Hold>, Error> {
        let settings = &self.current.settings;
        let now = self.now();
        let ended_since = now.before(brake::window(settings.session.refresh));
        let query = CensusQuery { directory: self.directory.to_owned(), ended_since };
        let census = self.accounts.0.store.census(query).await?;
        let looked = looked(census);
        let tally = Tally { lost, looked, lately: census.ended, with_access: census.with_access };
        Ok(tally.judge(settings.sync.max_change).err().map(|held: Held| Hold {
            directory: self.directory.to_owned(),
            since: now,
            would_lose: lost,
            looked_at: looked,
            why: held.to_string(),
        }))
    }

    /// Those whose loss is certain: of the missing the ones that are missed twice while others are found.
    async fn sure(self, seen: Seen) -> Result<Vec<Loser>, Error> {
        let mut sure = seen.lost;
        for account in seen.missing {
            if self.is_gone(&account.external_id, &account.username, &seen.there).await? {
                sure.push(Loser::of(&account, Lost::gone()));
            }
        }
        Ok(sure)
    }

    /// Whether somebody who is missed is gone: missed twice, while these others are found.
    pub(crate) async fn is_gone(self, id: &str, username: &str, others: &[String]) -> Result<bool, Error> {
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let directories = &self.current.directories;
        match directories.presence(self.directory, id, &others, &Silent).await? {
            Presence::Gone => Ok(true),
            presence => {
                tracing::warn!(username, %presence, "a person is missed, and is not taken for gone");
                Ok(false)
            }
        }
    }

    /// People who may act, besides these: those whom the directory told of last.
    async fn witnesses(self, besides: &[Account]) -> Result<Vec<Account>, Error> {
        let besides: BTreeSet<UserId> = besides.iter().map(|account| account.id).collect();
        let more = u32::try_from(besides.len()).unwrap_or(u32::MAX);
        let query = PeopleQuery::LookedAtLast {
            directory: self.directory.to_owned(),
            limit: WITNESSES.saturating_add(more),
        };
        let mut found = self.accounts.0.store.people(query).await?;
        found.retain(|account| !besides.contains(&account.id));
        found.truncate(WITNESSES as usize);
        Ok(found)
    }

    /// Ends what these people were given, and says whose it was.
    pub(crate) async fn end(
        self,
        losers: &[Loser],
        looked: Time,
        counted: bool,
        ending: Ending,
    ) -> Result<Vec<UserId>, Error> {
        if losers.is_empty() {
            return Ok(Vec::new());
        }
        let event = match ending {
            Ending::ShutOut => "access_ended",
            Ending::Remove => "removed",
        };
        let loss = |loser: &Loser| {
            let Lost { reason, detail } = loser.lost.clone();
            let detail = Some(detail).filter(|detail| !detail.is_empty());
            let audit = self.audit(&loser.username);
            let audit = Audit { event: event.to_owned(), reason: Some(reason.clone()), detail, ..audit };
            Loss { user: loser.user, external_id: loser.external_id.clone(), reason, audit }
        };
        let (directory, losses) = (self.directory.to_owned(), losers.iter().map(loss).collect());
        let end = EndAccess { directory, looked, at: self.now(), losses, ending, counted };
        let ended = self.accounts.0.store.end_access(end).await?;
        self.accounts.0.cache.forget(&ended);
        let (directory, done) = (self.directory, ended.iter().collect::<BTreeSet<_>>());
        for Loser { username, lost, .. } in losers.iter().filter(|loser| done.contains(&loser.user)) {
            tracing::info!(username, directory, reason = lost.reason, detail = lost.detail, "access ended");
        }
        self.accounts.0.board.change(directory, |state| state.ended += ended.len() as u64);
        Ok(ended)
    }

    fn audit(self, username: &str) -> Audit {
        Audit {
            username: Some(shortened(username)),
            directory: Some(self.directory.to_owned()),
            ..self.accounts.audit(self.trigger.event(), self.origin)
        }
    }

    pub(crate) fn now(self) -> Time {
        self.accounts.0.ambient.now()
    }
}

/// Somebody who loses access, and no more of them than that takes: there may be very many.
#[derive(Clone, Debug)]
pub(crate) struct Loser {
    pub(crate) user: UserId,
    pub(crate) external_id: String,
    pub(crate) username: String,
    pub(crate) lost: Lost,
}

impl Loser {
    pub(crate) fn of(account: &Account, lost: Lost) -> Self {
        let Account { id, external_id, username, .. } = account;
        Self { user: *id, external_id: external_id.clone(), username: username.clone(), lost }
    }

    pub(crate) fn enrolled(enrolled: Enrolled, lost: Lost) -> Self {
        let Enrolled { user, external_id, username, .. } = enrolled;
        Self { user, external_id, username, lost }
    }
}

fn keys(people: &[Account]) -> Vec<String> {
    people.iter().map(|account| account.external_id.clone()).collect()
}

/// What is seen of people who may act, in one pass.
#[derive(Default)]
struct Seen {
    /// Of so many something can be said.
    looked: u64,
    /// The keys of some who are there.
    there: Vec<String>,
    lost: Vec<Loser>,
    missing: Vec<Account>,
}

impl Seen {
    /// So many are asked for besides, before somebody who is missed is taken for gone.
    const OTHERS: usize = 2;

    fn note(&mut self, account: &Account, outcome: &Outcome) {
        if !account.may_act() {
            return;
        }
        match outcome {
            Outcome::Unclear => return,
            Outcome::Changed(_) | Outcome::Same if self.there.len() >= Self::OTHERS => {}
            Outcome::Changed(_) | Outcome::Same => self.there.push(account.external_id.clone()),
            Outcome::Lost(lost) => self.lost.push(Loser::of(account, lost.clone())),
            Outcome::Missing => self.missing.push(account.clone()),
        }
        self.looked += 1;
    }

    /// So many would lose access.
    fn lost(&self) -> u64 {
        (self.lost.len() + self.missing.len()) as u64
    }
}
