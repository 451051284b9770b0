//! Sync: the whole directory beside the whole store.
//!
//! The directory is read twice. The first time nothing is written: the plan is drawn up and told line by line, and what is
//! kept of each person are 16 bytes. Only when the search came to its end is anybody missed, and only when the brake lets
//! it is the directory read again and written page by page, each page one transaction. Access is ended last, after another
//! look at those who would lose it. Whatever breaks it off leaves whole pages behind, and the next run goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use auth::{Person, Silent};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::look::{Finding, Lost};
use super::pass::{Loser, Outcome, Pass, Trigger};
use super::plan::{
    Draft, Planned, PlannedChange, Seen, SyncCounts, SyncEvent, SyncOptions, SyncProgress, SyncRefused,
    SyncReport, SyncStep,
};
use crate::accounts::{Accounts, Current};
use crate::admission::Refused;
use crate::settings::RemoveMissing;
use crate::store::{
    Admit, Admitted, Audit, Ending, Enrolled, Leased, PeopleQuery, RollQuery, Store, StoreError,
};
use crate::{Account, Error, Origin, Time};

/// So long a replica that does not renew it has a sync to itself.
const LEASE: Duration = Duration::from_secs(60);
/// It renews it so often.
const RENEW: Duration = Duration::from_secs(15);
/// So many people are looked at, and so many accounts are read, at once.
const PAGE: usize = 500;
/// So many of those who are missed are asked about by themselves, while others are found.
const ASKED_ABOUT: usize = 3;
/// How often it is looked whether a sync is due, at most and at least.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What was refused, or failed, is tried again no sooner.
const AGAIN: Duration = Duration::from_secs(5 * 60);

/// Who hears of a sync while it goes on.
pub(super) type Tell<'t> = &'t mut (dyn FnMut(SyncEvent<'_>) + Send);

impl Accounts {
    /// Brings the store in line with every directory: who may enter has an account, what is known of them is right, and who
    /// may not enter any more loses what they were given.
    ///
    /// One replica at a time does it. What is done is told first, to `tell`.
    pub async fn sync(
        &self,
        options: SyncOptions,
        origin: &Origin,
        tell: &mut (dyn FnMut(SyncEvent<'_>) + Send),
    ) -> SyncReport {
        let (current, mut report) = (self.current(), SyncReport::default());
        for directory in current.directories.names() {
            let mut counts = SyncCounts::default();
            let pass = self.pass(&current, &directory, Trigger::Sync, origin);
            match self.sync_directory(pass, options, &mut counts, tell).await {
                Ok(Ok(())) => {}
                Ok(Err(refused)) => report.refused.push(refused),
                Err(error) => report.failed.push((directory, error)),
            }
            report.counts.add(counts);
        }
        report.applied = !options.dry_run && report.refused.is_empty() && report.failed.is_empty();
        report
    }

    /// Syncs each directory every `sync.every`; what another replica did meanwhile is not done again.
    pub(super) async fn sync_now_and_then(&self) {
        loop {
            let every = self.current().settings.sync.every;
            let pause = every.map_or(LOOK_EVERY.1, |every| (every / 10).clamp(LOOK_EVERY.0, LOOK_EVERY.1));
            tokio::time::sleep(pause).await;
            let (current, Some(every)) = (self.current(), every) else { continue };
            for directory in current.directories.names() {
                let synced = self.sync_if_due(&current, &directory, every).await;
                self.note_success(&directory, "the store is not in line with the directory", synced);
            }
        }
    }

    async fn sync_if_due(
        &self,
        current: &Current,
        directory: &str,
        every: Duration,
    ) -> Result<Option<()>, Error> {
        let now = self.0.ambient.now();
        let last = self.last_done(&mark(directory)).await?;
        let is_recent =
            |last: Option<Time>, within: Duration| last.is_some_and(|last| now.since(last) < within);
        let tried = self.0.board.change(directory, |state| state.sync_tried);
        if is_recent(last, every) || is_recent(tried, every.min(AGAIN)) {
            return Ok(None);
        }
        self.0.board.change(directory, |state| state.sync_tried = Some(now));
        let (mut counts, mut unheard) = (SyncCounts::default(), |_: SyncEvent<'_>| {});
        let (options, origin) = (SyncOptions::default(), Origin::default());
        let pass = self.pass(current, directory, Trigger::Sync, &origin);
        match self.sync_directory(pass, options, &mut counts, &mut unheard).await? {
            Ok(()) => {
                let done = PlannedChange::ALL.map(|change| (change.as_str(), counts.of(change)));
                tracing::info!(
                    directory,
                    ?done,
                    unchanged = counts.unchanged,
                    "the store is in line with the directory"
                );
                Ok(Some(()))
            }
            Err(SyncRefused::Busy { by, .. }) => {
                // Should that one die, it is another's turn.
                self.0.board.change(directory, |state| state.sync_tried = None);
                tracing::debug!(directory, by, "another replica syncs");
                Ok(None)
            }
            // What the brake holds it has told itself. The directory did answer.
            Err(refused) => {
                tracing::warn!(directory, %refused, "the store is not in line with the directory");
                Ok(Some(()))
            }
        }
    }

    async fn sync_directory(
        &self,
        pass: Pass<'_>,
        options: SyncOptions,
        counts: &mut SyncCounts,
        tell: Tell<'_>,
    ) -> Result<Result<(), SyncRefused>, Error> {
        let lease = mark(pass.directory);
        let mut work = Work { pass, options, counts, tell, lease: lease.clone(), renewed: None };
        if let Err(refused) = work.renew().await? {
            return Ok(Err(refused));
        }
        let done = work.run().await;
        if !options.dry_run {
            let noted = match done {
                Ok(Ok(())) => self.note_sync(&lease, pass, options, counts).await,
                _ => Ok(()),
            };
            self.release_lease(&lease).await;
            noted?;
        }
        done
    }

    async fn note_sync(
        &self,
        lease: &str,
        pass: Pass<'_>,
        options: SyncOptions,
        counts: &SyncCounts,
    ) -> Result<(), Error> {
        self.record_sync(pass, options, counts).await?;
        self.note_done(lease, self.0.ambient.now()).await
    }

    /// That a plan with something in it was carried out, or one at all by force, is on record besides what was done to each.
    async fn record_sync(
        &self,
        pass: Pass<'_>,
        options: SyncOptions,
        counts: &SyncCounts,
    ) -> Result<(), Error> {
        let done = PlannedChange::ALL.iter().filter(|change| counts.of(**change) > 0);
        let done: Vec<_> = done.map(|change| format!("{} {}", change.as_str(), counts.of(*change))).collect();
        if done.is_empty() && !options.force {
            return Ok(());
        }
        let forced = if options.force { "forced" } else { "planned" };
        let audit = Audit {
            directory: Some(pass.directory.to_owned()),
            detail: Some(format!("{forced}: {}", done.join(", "))),
            ..self.audit("synced", pass.origin)
        };
        Ok(self.0.store.record(audit).await?)
    }
}

/// When a directory was last brought in line with the store, by whichever replica.
///
/// # Errors
///
/// When the store does not answer.
pub async fn last_sync(store: &dyn Store, directory: &str) -> Result<Option<Time>, StoreError> {
    super::lease::last_done(store, &mark(directory)).await
}

/// The name of the lease, and of the mark that says when it was last done.
fn mark(directory: &str) -> String {
    format!("sync {directory}")
}

/// One directory's sync.
struct Work<'a> {
    pass: Pass<'a>,
    options: SyncOptions,
    counts: &'a mut SyncCounts,
    tell: Tell<'a>,
    lease: String,
    renewed: Option<Instant>,
}

/// Somebody of the directory, beside their account.
enum Beside {
    /// Somebody new who may enter.
    New(Box<Person>, Box<Admit>),
    /// The account and what it would become.
    Known(Box<Account>, Outcome, Option<Box<Person>>),
    /// Nobody's account, and none is to be made.
    Nobody,
}

impl Work<'_> {
    async fn run(&mut self) -> Result<Result<(), SyncRefused>, Error> {
        let draft = match self.plan().await? {
            Ok(draft) => draft,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(refused) = self.brake(&draft).await? {
            return Ok(Err(refused));
        }
        if self.options.dry_run {
            return Ok(Ok(()));
        }
        if draft.writes {
            // What is read the second time was counted the first time.
            let planned = *self.counts;
            let written = self.write().await;
            *self.counts = planned;
            if let Err(refused) = written? {
                return Ok(Err(refused));
            }
        }
        self.end(draft).await
    }

    /// Reads everybody and says what is to be done; writes nothing.
    async fn plan(&mut self) -> Result<Result<Draft, SyncRefused>, Error> {
        let mut draft = Draft { writes: false, shut_out: Vec::new(), removed: Vec::new(), idle_removed: 0 };
        let (mut seen, mut read) = (Seen::new(), 0);
        let directories = &self.pass.current.directories;
        self.pass.looked = self.pass.now();
        let mut everybody = directories.everybody(self.pass.directory).await?.page_size(PAGE);
        while let Some(page) = everybody.next_page().await? {
            if let Err(refused) = self.renew().await? {
                return Ok(Err(refused));
            }
            read += page.len() as u64;
            for (id, beside) in self.beside(page).await? {
                seen.note(&id);
                self.draw(beside, &mut seen, &mut draft);
            }
            self.progress(SyncStep::Reading, read);
        }
        drop(everybody);
        seen.sort();
        Ok(self.miss(&seen, &mut draft).await?.map(|()| draft))
    }

    /// Each of a page, beside their account.
    async fn beside(&mut self, page: Vec<auth::Sighted>) -> Result<Vec<(String, Beside)>, Error> {
        let pass = self.pass;
        let external_ids: Vec<String> = page.iter().filter_map(|sighted| sighted.id.clone()).collect();
        let query = PeopleQuery::Keys { directory: pass.directory.to_owned(), external_ids };
        let known = pass.accounts.0.store.people(query).await?;
        let mut known: BTreeMap<String, Account> =
            known.into_iter().map(|account| (account.external_id.clone(), account)).collect();
        let creates = pass.current.directory(pass.directory).create_users;
        let mut found = Vec::with_capacity(page.len());
        for sighted in page {
            let Some(id) = sighted.id else {
                tracing::warn!(dn = sighted.dn, "an entry of the directory cannot be read");
                self.counts.unclear += 1;
                continue;
            };
            let finding = pass.means(sighted.sight);
            let person = match &finding {
                Finding::Admitted(person) => Some(person.clone()),
                _ => None,
            };
            let beside = match (known.remove(&id), person) {
                (Some(account), person) => {
                    let outcome = pass.outcome(&account, finding).await?;
                    Beside::Known(Box::new(account), outcome, person)
                }
                (None, Some(person)) if creates => match pass.prepared(&person, None).await {
                    Ok(admit) => Beside::New(person, Box::new(admit)),
                    Err(Refused::Denied(_)) => Beside::Nobody,
                    Err(Refused::Failed(error)) => {
                        tracing::warn!(username = person.username(), %error, "a person cannot be taken in");
                        self.counts.unclear += 1;
                        Beside::Nobody
                    }
                },
                (None, _) => Beside::Nobody,
            };
            found.push((id, beside));
        }
        self.settle_names(&mut found).await?;
        Ok(found)
    }

    /// Of people who are new, but whose names belong to others who are still there, no account is made.
    /// One whose person is gone gives the name up, as at a login.
    async fn settle_names(&mut self, found: &mut [(String, Beside)]) -> Result<(), Error> {
        let name = |(_, beside): &(String, Beside)| match beside {
            Beside::New(_, admit) => Some(admit.facts.local_name.clone()),
            _ => None,
        };
        let local_names: Vec<String> = found.iter().filter_map(name).collect();
        if local_names.is_empty() {
            return Ok(());
        }
        let accounts = self.pass.accounts;
        let holders = accounts.0.store.people(PeopleQuery::Names { local_names }).await?;
        let holders: BTreeSet<String> = holders.into_iter().map(|account| account.local_name).collect();
        for (_, beside) in found {
            let Beside::New(person, admit) = beside else { continue };
            if !holders.contains(&admit.facts.local_name) {
                continue;
            }
            match accounts.link(self.pass.current, person, &admit.facts.local_name, &Silent).await {
                Ok((_, retire)) => admit.retire = retire,
                Err(Refused::Denied(denial)) => {
                    tracing::warn!(username = person.username(), %denial, "a person gets no account");
                    self.counts.unclear += 1;
                    *beside = Beside::Nobody;
                }
                Err(Refused::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Draws one person into the plan.
    fn draw(&mut self, beside: Beside, seen: &mut Seen, draft: &mut Draft) {
        match beside {
            Beside::Nobody => {}
            Beside::New(person, admit) => {
                let facts = &admit.facts;
                let what = json!({ "dn": facts.dn, "id": facts.external_id, "local_name": facts.local_name });
                self.planned(PlannedChange::Create, person.username(), what);
                if let Some(retire) = &admit.retire {
                    let (old, new) = (&facts.local_name, format!("{}{}", facts.local_name, retire.mark));
                    let what = json!({ "local_name": { "old": old, "new": new } });
                    self.planned(PlannedChange::Update, old, what);
                }
                draft.writes = true;
            }
            Beside::Known(account, outcome, _) => match outcome {
                Outcome::Changed(change) => {
                    let kind = match change.what.contains_key("dn") {
                        true => PlannedChange::Move,
                        false => PlannedChange::Update,
                    };
                    self.planned(kind, &account.username, Value::Object(change.what));
                    draft.writes = true;
                    seen.stands_for(&account);
                }
                Outcome::Same => {
                    self.counts.unchanged += 1;
                    seen.stands_for(&account);
                }
                Outcome::Lost(lost) if account.may_act() => {
                    self.lost(PlannedChange::Disable, &account.username, &lost);
                    draft.shut_out.push(Loser::of(&account, lost));
                }
                Outcome::Lost(_) => self.counts.unchanged += 1,
                Outcome::Missing | Outcome::Unclear => self.counts.unclear += 1,
            },
        }
    }

    /// Looks for accounts that were not among everybody, once it is certain that everybody was read.
    async fn miss(&mut self, seen: &Seen, draft: &mut Draft) -> Result<Result<(), SyncRefused>, Error> {
        let remove_missing = self.pass.current.settings.sync.remove_missing;
        let (mut after, mut compared, mut asked_about) = (None, 0, 0);
        loop {
            let (directory, limit) = (self.pass.directory.to_owned(), PAGE as u32);
            let page = self.pass.accounts.0.store.roll(RollQuery { directory, after, limit }).await?;
            let Some(last) = page.last() else { return Ok(Ok(())) };
            after = Some(last.external_id.clone());
            compared += page.len() as u64;
            let concerns = |enrolled: &Enrolled| enrolled.may_act || remove_missing == RemoveMissing::Remove;
            let missed: Vec<Enrolled> =
                page.into_iter().filter(|enrolled| !seen.has(enrolled) && concerns(enrolled)).collect();
            let ids: Vec<String> = missed.iter().map(|enrolled| enrolled.external_id.clone()).collect();
            let findings = if ids.is_empty() { Vec::new() } else { self.pass.look_at(&ids).await? };
            for (enrolled, finding) in missed.into_iter().zip(findings) {
                match finding {
                    Finding::Lost(lost) if enrolled.may_act => {
                        self.lost(PlannedChange::Disable, &enrolled.username, &lost);
                        draft.shut_out.push(Loser::enrolled(enrolled, lost));
                    }
                    Finding::Missing if remove_missing != RemoveMissing::Keep => {
                        if asked_about < ASKED_ABOUT {
                            let (id, username) = (&enrolled.external_id, &enrolled.username);
                            if !self.pass.is_gone(id, username, &seen.there).await? {
                                let (directory, username) =
                                    (self.pass.directory.to_owned(), username.clone());
                                return Ok(Err(SyncRefused::Unclear { directory, username }));
                            }
                            asked_about += 1;
                        }
                        self.gone(remove_missing, enrolled, draft);
                    }
                    Finding::Unclear(_) => self.counts.unclear += 1,
                    // Whoever came after the page was read is the next run's.
                    Finding::Lost(_) | Finding::Missing | Finding::Admitted(_) => {}
                }
            }
            self.progress(SyncStep::Comparing, compared);
            if let Err(refused) = self.renew().await? {
                return Ok(Err(refused));
            }
        }
    }

    fn gone(&mut self, remove_missing: RemoveMissing, enrolled: Enrolled, draft: &mut Draft) {
        let lost = Lost::gone();
        match remove_missing {
            RemoveMissing::Remove => {
                self.lost(PlannedChange::Remove, &enrolled.username, &lost);
                draft.idle_removed += u64::from(!enrolled.may_act);
                draft.removed.push(Loser::enrolled(enrolled, lost));
            }
            _ => {
                self.lost(PlannedChange::Disable, &enrolled.username, &lost);
                draft.shut_out.push(Loser::enrolled(enrolled, lost));
            }
        }
    }

    /// Asks the brake about the whole plan. An operator who insists is not asked, and lets it go.
    async fn brake(&mut self, draft: &Draft) -> Result<Result<(), SyncRefused>, Error> {
        let held = match self.options.force {
            true => None,
            false => {
                let idle = draft.idle_removed;
                self.pass.judge(draft.lost(), |census| census.with_access.saturating_add(idle)).await?
            }
        };
        if !self.options.dry_run {
            self.pass.accounts.set_hold(self.pass.directory, held.clone()).await?;
        }
        Ok(held.map_or(Ok(()), |held| Err(SyncRefused::Held(held))))
    }

    /// Reads everybody again, and writes what is new of them page by page.
    async fn write(&mut self) -> Result<Result<(), SyncRefused>, Error> {
        let mut read = 0;
        let directories = &self.pass.current.directories;
        self.pass.looked = self.pass.now();
        let mut everybody = directories.everybody(self.pass.directory).await?.page_size(PAGE);
        while let Some(page) = everybody.next_page().await? {
            if let Err(refused) = self.renew().await? {
                return Ok(Err(refused));
            }
            read += page.len() as u64;
            let (mut admits, mut people) = (Vec::new(), Vec::new());
            for (_, beside) in self.beside(page).await? {
                let (admit, person) = match beside {
                    Beside::New(person, admit) => (*admit, Some(person)),
                    Beside::Known(_, Outcome::Changed(change), person) => (change.admit, person),
                    Beside::Known(..) | Beside::Nobody => continue,
                };
                people.push(person);
                admits.push(admit);
            }
            let answers = self.pass.write(admits.clone()).await?;
            for ((answer, admit), person) in answers.iter().zip(admits).zip(people) {
                if let (Admitted::Taken, Some(person)) = (answer, person) {
                    self.take_over(admit, &person).await?;
                }
            }
            self.progress(SyncStep::Writing, read);
        }
        Ok(Ok(()))
    }

    /// Somebody's name belongs to another account: it gets free when that one's person is gone, as at a login.
    async fn take_over(&mut self, admit: Admit, person: &Person) -> Result<(), Error> {
        let (accounts, local_name) = (self.pass.accounts, admit.facts.local_name.clone());
        match accounts.link(self.pass.current, person, &local_name, &Silent).await {
            Ok((_, Some(retire))) => {
                self.pass.write(vec![Admit { retire: Some(retire), ..admit }]).await?;
            }
            Ok((_, None)) => {
                self.pass.write(vec![admit]).await?;
            }
            Err(Refused::Denied(denial)) => {
                tracing::warn!(username = person.username(), %denial, "a person gets no account");
            }
            Err(Refused::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    /// Ends access, after another look at each who would lose it; asks the brake once more.
    async fn end(&mut self, draft: Draft) -> Result<Result<(), SyncRefused>, Error> {
        let (mut sure, mut ended) = (Draft { shut_out: Vec::new(), removed: Vec::new(), ..draft }, 0);
        let looked = self.pass.now();
        for (losers, still) in [(draft.shut_out, &mut sure.shut_out), (draft.removed, &mut sure.removed)] {
            for part in losers.chunks(PAGE) {
                if let Err(refused) = self.renew().await? {
                    return Ok(Err(refused));
                }
                let ids: Vec<String> = part.iter().map(|loser| loser.external_id.clone()).collect();
                let findings = self.pass.look_at(&ids).await?;
                let is_lost = |finding: &Finding| matches!(finding, Finding::Lost(_) | Finding::Missing);
                let again = part.iter().zip(findings).filter(|(_, finding)| is_lost(finding));
                still.extend(again.map(|(loser, _)| loser.clone()));
            }
        }
        if sure.lost() == 0 {
            return Ok(Ok(()));
        }
        if let Err(refused) = self.brake(&sure).await? {
            return Ok(Err(refused));
        }
        let counted = !self.options.force;
        for (losers, ending) in [(sure.shut_out, Ending::ShutOut), (sure.removed, Ending::Remove)] {
            for part in losers.chunks(PAGE) {
                if let Err(refused) = self.renew().await? {
                    return Ok(Err(refused));
                }
                ended += self.pass.end(part, looked, counted, ending).await?.len() as u64;
                self.progress(SyncStep::Ending, ended);
            }
        }
        Ok(Ok(()))
    }

    /// Keeps the sync to itself; answers who else has it by now.
    async fn renew(&mut self) -> Result<Result<(), SyncRefused>, Error> {
        let is_fresh = self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEW);
        if is_fresh || self.options.dry_run {
            return Ok(Ok(()));
        }
        let leased = self.pass.accounts.take_lease(&self.lease, LEASE).await?;
        self.renewed = Some(Instant::now());
        Ok(match leased {
            Leased::Yes => Ok(()),
            Leased::Held { by, until } => {
                Err(SyncRefused::Busy { directory: self.pass.directory.to_owned(), by, until })
            }
        })
    }

    fn lost(&mut self, change: PlannedChange, username: &str, lost: &Lost) {
        let mut what = json!({ "reason": lost.reason });
        if !lost.detail.is_empty() {
            what["detail"] = json!(lost.detail);
        }
        self.planned(change, username, what);
    }

    fn planned(&mut self, change: PlannedChange, username: &str, what: Value) {
        self.counts.count(change);
        let what = match what {
            Value::Object(what) => what,
            _ => Map::new(),
        };
        let (directory, username) = (self.pass.directory.to_owned(), username.to_owned());
        (self.tell)(SyncEvent::Planned(&Planned { change, directory, username, what }));
    }

    fn progress(&mut self, step: SyncStep, people: u64) {
        (self.tell)(SyncEvent::Progress(SyncProgress { directory: self.pass.directory, step, people }));
    }
}
