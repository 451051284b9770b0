//! Watch: changes of the directory are heard of as they happen, by one replica at a time.
//!
//! What is heard only says at whom to look. They are looked at as in a refresh, with the same brake before anything is
//! ended; who is not signed in is left to the next login.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::{Cookies, DnSet, Hint, Watch, WatchState};
use futures_util::future::select_all;
use tokio::time::Instant;

use super::pass::Trigger;
use super::state::Watching;
use crate::accounts::{Accounts, Current};
use crate::store::{Leased, PeopleQuery, SetMark, SignedInPerson, SignedInQuery};
use crate::{Error, Origin, UserId};

/// So long a replica that does not renew it keeps the watch.
const LEASE: Duration = Duration::from_secs(15);
/// It renews it so often, and whoever has not got it asks so often.
const RENEW: Duration = Duration::from_secs(4);
/// Everybody who is signed in is looked at no more often.
const EVERYBODY_EVERY: Duration = Duration::from_secs(5);
/// What could not be looked at is tried again so soon.
const AGAIN: Duration = Duration::from_secs(2);
/// What is heard within so long is looked at together.
const TOGETHER: Duration = Duration::from_millis(50);
/// So many people are looked at together, and so many are read of the store at once.
const BATCH: usize = 50;
const PAGE: u32 = 1000;
/// Whoever used a personal token within so long counts as signed in.
const TOKEN_IN_USE: Duration = Duration::from_secs(24 * 3600);

impl Accounts {
    /// Watches every directory while `sync.watch` is on, and begins anew with other settings.
    pub(super) async fn watch_directories(&self) {
        loop {
            let reconfigured = self.0.reconfigured.notified();
            let current = self.current();
            let names = current.directories.names();
            let watches = names.iter().map(|directory| Box::pin(self.watch_in_turn(&current, directory)));
            tokio::select! {
                _ = select_all(watches), if current.settings.sync.watch && !names.is_empty() => {}
                () = reconfigured => {}
            }
            for directory in &names {
                self.watching(directory, Watching::Off);
            }
        }
    }

    /// Watches a directory whenever nobody else does. Never ends.
    async fn watch_in_turn(&self, current: &Current, directory: &str) {
        loop {
            match self.take_lease(&lease(directory), LEASE).await {
                Ok(Leased::Yes) => match self.watch(current, directory).await {
                    Ok(()) => {}
                    Err(error) => {
                        tracing::warn!(directory, %error, "changes of the directory are not heard of")
                    }
                },
                Ok(Leased::Held { by, .. }) => tracing::trace!(directory, by, "another replica watches"),
                Err(error) => tracing::debug!(directory, %error, "the store does not say who watches"),
            }
            self.watching(directory, Watching::Off);
            tokio::time::sleep(RENEW).await;
        }
    }

    /// Watches until another replica has taken over.
    async fn watch(&self, current: &Current, directory: &str) -> Result<(), Error> {
        self.watching(directory, Watching::Connecting);
        let mut watch = current.directories.watch(directory, self.cookies(directory).await?)?;
        let mut heard = Queue::default();
        let mut renewed = Instant::now();
        let mut is_failing = false;
        loop {
            tokio::select! {
                hint = watch.next() => match hint {
                    Ok(hint) => {
                        heard.add(hint, Instant::now());
                        if std::mem::take(&mut is_failing) {
                            tracing::info!(directory, "changes of the directory are heard of again");
                        }
                    }
                    Err(error) if !is_failing => {
                        is_failing = true;
                        tracing::warn!(directory, %error, "changes of the directory are not heard of; it is tried again");
                    }
                    Err(error) => tracing::debug!(directory, %error, "changes of the directory are not heard of"),
                },
                () = tokio::time::sleep_until(heard.due(Instant::now())) => {
                    self.look_where_told(current, directory, &mut heard).await;
                }
                () = tokio::time::sleep_until(renewed + RENEW) => {}
            }
            self.watching(directory, doing(&watch));
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                if !self.still_watches(directory).await {
                    return Ok(());
                }
            }
        }
    }

    /// Keeps the lease; a store that does not answer for a moment is no reason to give up.
    async fn still_watches(&self, directory: &str) -> bool {
        match self.take_lease(&lease(directory), LEASE).await {
            Ok(Leased::Yes) => true,
            Ok(Leased::Held { by, .. }) => {
                tracing::info!(directory, by, "another replica watches now");
                false
            }
            Err(error) => {
                tracing::debug!(directory, %error, "the store does not say who watches");
                true
            }
        }
    }

    /// Looks at those of whom was heard and who are signed in; what could not be done stays in the queue.
    async fn look_where_told(&self, current: &Current, directory: &str, heard: &mut Queue) {
        let told = heard.take(Instant::now());
        let looked = self.look_at_told(current, directory, &told).await;
        let kept = match &looked {
            Ok(_) => self.keep_cookies(directory, &told).await,
            Err(_) => Ok(()),
        };
        if looked.is_err() || kept.is_err() {
            heard.put_back(told, Instant::now());
        }
        let result = looked.and_then(|looked| kept.map(|()| looked));
        self.note_success(directory, "people of whom the directory told a change were not looked at", result);
    }

    /// `None`: it was about nobody who is signed in.
    async fn look_at_told(
        &self,
        current: &Current,
        directory: &str,
        told: &Told,
    ) -> Result<Option<()>, Error> {
        let origin = Origin::default();
        let pass = self.pass(current, directory, Trigger::Watch, &origin);
        let (mut after, mut looked) = (None, None);
        while told.is_about_people() {
            let page = self.signed_in_after(current, directory, after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.user);
            let keys: Vec<String> = page
                .into_iter()
                .filter(|person| told.means(person))
                .map(|person| person.external_id)
                .collect();
            for external_ids in keys.chunks(BATCH) {
                let (directory, external_ids) = (directory.to_owned(), external_ids.to_vec());
                let people = self.0.store.people(PeopleQuery::Keys { directory, external_ids }).await?;
                looked = Some(());
                if pass.run(people).await?.held {
                    // The refresh judges anew; more of the same would only hold again.
                    return Ok(looked);
                }
            }
        }
        Ok(looked)
    }

    async fn signed_in_after(
        &self,
        current: &Current,
        directory: &str,
        after: Option<UserId>,
    ) -> Result<Vec<SignedInPerson>, Error> {
        let at = self.0.ambient.now();
        let query = SignedInQuery {
            directory: directory.to_owned(),
            at,
            idle_before: at.before(current.settings.session.idle),
            token_used_after: at.before(TOKEN_IN_USE),
            after,
            limit: PAGE,
        };
        Ok(self.0.store.signed_in(query).await?)
    }

    async fn cookies(&self, directory: &str) -> Result<Cookies, Error> {
        let start = mark(directory, "");
        let marks = self.0.store.marks(start.clone()).await?;
        let cookie = |mark: crate::store::Mark| {
            mark.name.strip_prefix(&start).map(|server| (server.to_owned(), mark.value.clone()))
        };
        Ok(marks.into_iter().filter_map(cookie).collect())
    }

    async fn keep_cookies(&self, directory: &str, told: &Told) -> Result<(), Error> {
        for (server, cookie) in &told.cookies {
            let set = SetMark { name: mark(directory, server), value: Some(cookie.clone()) };
            self.0.store.set_mark(set).await?;
        }
        Ok(())
    }

    fn watching(&self, directory: &str, watching: Watching) {
        let before = self.0.board.change(directory, |state| std::mem::replace(&mut state.watch, watching));
        if before != watching {
            tracing::debug!(directory, watch = watching.as_str(), "the watch goes on otherwise");
        }
    }
}

fn lease(directory: &str) -> String {
    format!("watch {directory}")
}

/// The name of the mark that is a server's cookie.
fn mark(directory: &str, server: &str) -> String {
    format!("cookie {directory} {server}")
}

fn doing(watch: &Watch) -> Watching {
    match watch.state() {
        WatchState::Connecting => Watching::Connecting,
        WatchState::Live => Watching::Live,
        WatchState::Polling => Watching::Polling,
    }
}

/// What was told.
#[derive(Default)]
struct Told {
    keys: BTreeSet<String>,
    names: Vec<DnSet>,
    everybody: bool,
    /// The last of each server.
    cookies: Vec<(String, Vec<u8>)>,
}

impl Told {
    fn is_about_people(&self) -> bool {
        self.everybody || !self.keys.is_empty() || !self.names.is_empty()
    }

    fn means(&self, person: &SignedInPerson) -> bool {
        self.everybody
            || self.keys.contains(&person.external_id)
            || self.names.iter().any(|names| names.contains(&person.dn))
    }
}

/// What was heard and is still to be done.
#[derive(Default)]
struct Queue {
    told: Told,
    /// When the first of it was heard.
    since: Option<Instant>,
    /// Before that nothing is done: a try failed.
    not_before: Option<Instant>,
    /// When everybody was last looked at.
    everybody_at: Option<Instant>,
}

impl Queue {
    fn add(&mut self, hint: Hint, now: Instant) {
        match hint {
            Hint::People(keys) => self.told.keys.extend(keys),
            Hint::PeopleAt(names) => self.told.names.push(names),
            Hint::Everybody => self.told.everybody = true,
            Hint::Cookie { server, cookie } => {
                self.told.cookies.retain(|(other, _)| *other != server);
                self.told.cookies.push((server, cookie));
            }
            // What is not known here may mean anybody.
            _ => self.told.everybody = true,
        }
        self.since.get_or_insert(now);
    }

    /// When there is something to do; far away while there is nothing.
    fn due(&self, now: Instant) -> Instant {
        let Some(since) = self.since else { return now + Duration::from_secs(3600) };
        let together = Some(since + TOGETHER);
        let everybody = self.everybody_at.filter(|_| self.told.everybody).map(|last| last + EVERYBODY_EVERY);
        [together, self.not_before, everybody].into_iter().flatten().max().unwrap_or(since)
    }

    fn take(&mut self, now: Instant) -> Told {
        (self.since, self.not_before) = (None, None);
        if self.told.everybody {
            self.everybody_at = Some(now);
        }
        std::mem::take(&mut self.told)
    }

    /// It was not done: again, together with what was heard since.
    fn put_back(&mut self, told: Told, now: Instant) {
        self.told.keys.extend(told.keys);
        self.told.names.extend(told.names);
        self.told.everybody |= told.everybody;
        for (server, cookie) in told.cookies {
            if !self.told.cookies.iter().any(|(other, _)| *other == server) {
                self.told.cookies.push((server, cookie));
            }
        }
        self.since.get_or_insert(now);
        self.not_before = Some(now + AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(key: &str) -> SignedInPerson {
        let (external_id, dn) = (key.to_owned(), String::new());
        SignedInPerson { user: UserId::from_random([1; 16]), external_id, dn }
    }

    #[test]
    fn what_is_heard_together_is_done_together_and_soon() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        assert!(queue.due(now) > now + Duration::from_secs(60), "there is nothing to do");
        queue.add(Hint::People(vec!["a".to_owned()]), now);
        queue.add(Hint::People(vec!["b".to_owned()]), now + TOGETHER / 2);
        assert_eq!(queue.due(now), now + TOGETHER);
        let told = queue.take(now + TOGETHER);
        assert!(told.means(&person("a")) && told.means(&person("b")) && !told.means(&person("c")));
        assert!(queue.due(now) > now + Duration::from_secs(60));
    }

    #[test]
    fn everybody_is_looked_at_now_and_then_however_often_it_is_told() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(Hint::Everybody, now);
        assert_eq!(queue.due(now), now + TOGETHER, "the first time at once");
        queue.take(now);
        queue.add(Hint::Everybody, now);
        assert_eq!(queue.due(now), now + EVERYBODY_EVERY);
    }

    #[test]
    fn what_failed_is_tried_again_with_what_came_since_and_the_newer_cookie() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let cookie = |number| Hint::Cookie { server: "one".to_owned(), cookie: vec![number] };
        queue.add(Hint::People(vec!["a".to_owned()]), now);
        queue.add(cookie(1), now);
        let told = queue.take(now);
        queue.add(cookie(2), now);
        queue.put_back(told, now);
        assert_eq!(queue.due(now), now + AGAIN);
        let told = queue.take(now + AGAIN);
        assert!(told.means(&person("a")));
        assert_eq!(told.cookies, [("one".to_owned(), vec![2])]);
    }
}
