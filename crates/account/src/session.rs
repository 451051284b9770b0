//! Sessions: a cookie that opens nothing by itself, and what it stands for.

use std::time::Duration;

use auth::Warning;
use ring::digest::SHA256_OUTPUT_LEN;

use crate::accounts::Accounts;
use crate::outcome::{NewSession, Origin};
use crate::settings::SessionSettings;
use crate::store::{
    Audit, Digest, EndSessions, Revoke, SessionQuery, Sessions, StartSession, StoredSession, StoredWarning,
    Touch,
};
use crate::{Account, Ambient, Error, Time, UserId};

/// What the seal of a cookie is for.
const COOKIE: &str = "session";
/// Uses of a session are noted no more often.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// A session that is alive, and whose it is.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub account: Account,
    /// What it is listed and ended by; tells nothing of the cookie.
    pub id: String,
    /// When it began.
    pub created: Time,
    /// When it ends whatever happens.
    pub expires: Time,
    /// It does not end for idleness.
    pub remembered: bool,
    /// What the directory had to say to the person at the login; of its seconds those that are left.
    pub warnings: Vec<Warning>,
}

/// One line of a list of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// What it is ended by; tells nothing of the cookie.
    pub id: String,
    /// The local name of whom it belongs to.
    pub username: String,
    /// When it began.
    pub created: Time,
    /// When it was last used, to within a minute or so.
    pub last_seen: Time,
    /// When it ends whatever happens.
    pub expires: Time,
    /// Where it came from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

impl Accounts {
    /// The session a cookie stands for; `None` when it is forged, over or unknown.
    ///
    /// A forged cookie costs no query, nor does one that was checked a moment ago.
    ///
    /// # Errors
    ///
    /// When the store must be asked and does not answer.
    pub async fn session(&self, cookie: &str) -> Result<Option<Session>, Error> {
        let found = self.session_of(cookie).await;
        let meter = &self.0.meter;
        meter.checked(&meter.sessions, &found);
        found
    }

    async fn session_of(&self, cookie: &str) -> Result<Option<Session>, Error> {
        let Some(digest) = self.cookie_digest(cookie) else { return Ok(None) };
        let Some((session, account)) = self.stored_session(digest).await? else { return Ok(None) };
        let settings = self.current().settings.session;
        let now = self.0.ambient.now();
        let current = session.generation == account.generation;
        if !account.may_act() || !current || !is_alive(&session, &settings, now) {
            return Ok(None);
        }
        if now.since(session.last_seen) >= NOTE_EVERY.min(settings.idle / 4) {
            self.note_use(digest, now);
        }
        let StoredSession { handle, created, expires, remembered, warnings, .. } = session;
        let warnings = warnings.into_iter().map(|warning| warning.by(now)).collect();
        Ok(Some(Session { account, id: handle, created, expires, remembered, warnings }))
    }

    /// Ends the session of a cookie; answers whether there was one.
    ///
    /// # Errors
    ///
    /// When the store does not answer: the session may go on.
    pub async fn sign_out(&self, cookie: &str, origin: &Origin) -> Result<bool, Error> {
        let Some(digest) = self.cookie_digest(cookie) else { return Ok(false) };
        let known = self.stored_session(digest).await?;
        let mut audit = self.audit("logout", origin);
        audit.username = known.map(|(_, account)| account.username);
        self.0.cache.forget_session(digest);
        let ended = self.0.store.end_sessions(EndSessions::Cookie { digest, audit }).await?;
        self.0.cache.forget_session(digest);
        self.0.meter.sessions_ended(ended);
        Ok(ended > 0)
    }

    /// Sessions that are alive, of one account or of all, the oldest first.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn sessions(&self, user: impl Into<Option<UserId>>) -> Result<Vec<SessionInfo>, Error> {
        let settings = self.current().settings.session;
        let now = self.0.ambient.now();
        let query = user.into().map_or(SessionQuery::All, SessionQuery::Of);
        let sessions = self.0.store.sessions(query).await?;
        Ok(sessions.into_iter().filter(|line| is_alive(&line.session, &settings, now)).map(info).collect())
    }

    /// Ends one session by its id: one of the account's own, or any where an operator asks with `None`.
    /// Answers whether it was there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: the session may go on.
    pub async fn end_session(
        &self,
        user: impl Into<Option<UserId>>,
        id: &str,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let user = user.into();
        let audit = Audit { detail: Some(format!("session {id}")), ..self.audit("session_ended", origin) };
        let end = EndSessions::Handle { user, handle: id.to_owned(), audit };
        let ended = self.0.store.end_sessions(end).await?;
        self.forget(user);
        self.0.meter.sessions_ended(ended);
        Ok(ended > 0)
    }

    /// Ends every session of an account but that of one cookie; answers how many.
    ///
    /// # Errors
    ///
    /// When the store does not answer: sessions may go on.
    pub async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<&str>,
        origin: &Origin,
    ) -> Result<u64, Error> {
        let keep = keep.and_then(|cookie| self.cookie_digest(cookie));
        let audit = self.audit("sessions_ended", origin);
        let ended = self.0.store.end_sessions(EndSessions::Of { user, keep, audit }).await?;
        self.forget(Some(user));
        self.0.meter.sessions_ended(ended);
        Ok(ended)
    }

    /// Takes back everything an account was given: sessions (but that of one cookie), signed tokens, and personal
    /// tokens where asked to. Answers whether the account is there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing was taken back.
    pub async fn revoke(
        &self,
        user: UserId,
        keep: Option<&str>,
        personal_tokens: PersonalTokens,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let keep = keep.and_then(|cookie| self.cookie_digest(cookie));
        let audit = self.audit("revoked", origin);
        let personal_tokens = personal_tokens == PersonalTokens::Drop;
        let revoke = Revoke { user, keep, personal_tokens, at: self.0.ambient.now(), audit };
        let revoked = self.0.store.revoke(revoke).await?;
        self.forget(Some(user));
        Ok(revoked)
    }

    pub(crate) fn forget(&self, user: Option<UserId>) {
        match user {
            Some(user) => self.0.cache.forget(&[user]),
            None => self.0.cache.forget_everything(),
        }
    }

    /// A fresh session for a login, and the cookie that will stand for it.
    pub(crate) fn new_session(
        &self,
        remember_me: bool,
        warnings: &[Warning],
        origin: &Origin,
    ) -> (StartSession, NewSession) {
        let settings = self.current().settings.session;
        let remembered = settings.remember_me.filter(|_| remember_me);
        let now = self.0.ambient.now();
        let expires = now.after(remembered.unwrap_or(settings.absolute));
        let id = self.0.ambient.random::<32>();
        let start = StartSession {
            digest: Digest::of(&id),
            handle: handle(&self.0.ambient),
            expires,
            remembered: remembered.is_some(),
            address: origin.address.map(|address| address.to_canonical().to_string()),
            agent: origin.agent.as_deref().map(crate::audit::shortened),
            warnings: warnings.iter().map(|warning| StoredWarning::said(*warning, now)).collect(),
        };
        let cookie = self.0.seal.seal(COOKIE, &id);
        (start, NewSession { cookie, expires: expires.into(), persistent: remembered.is_some() })
    }

    /// What the store knows a cookie's session by, if the cookie is one of ours.
    pub(crate) fn cookie_digest(&self, cookie: &str) -> Option<Digest> {
        let id = self.0.seal.unseal(COOKIE, cookie)?;
        (id.len() == SHA256_OUTPUT_LEN).then(|| Digest::of(&id))
    }

    async fn stored_session(&self, digest: Digest) -> Result<Option<(StoredSession, Account)>, Error> {
        if let Some(kept) = self.0.cache.session(digest) {
            return Ok(Some(kept));
        }
        let asked = self.0.cache.asking();
        let found = self.0.store.session(digest).await?;
        if let Some((session, account)) = &found {
            self.0.cache.keep_session(asked, session.clone(), account.clone());
        }
        Ok(found)
    }

    /// Notes a use in the cache at once and in the store when it gets to it: nobody waits for that.
    fn note_use(&self, digest: Digest, at: Time) {
        self.0.cache.touch(digest, at);
        let accounts = self.clone();
        tokio::spawn(async move {
            if let Err(error) = accounts.0.store.touch_session(Touch { digest, at }).await {
                tracing::warn!(%error, "a session's use was not noted");
            }
        });
    }
}

/// What becomes of personal tokens when an account is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalTokens {
    /// They stay.
    Keep,
    /// They go.
    Drop,
}

fn info(line: Sessions) -> SessionInfo {
    let StoredSession { handle, created, last_seen, expires, address, agent, .. } = line.session;
    SessionInfo { id: handle, username: line.local_name, created, last_seen, expires, address, agent }
}

/// Whether a session has not run out.
fn is_alive(session: &StoredSession, settings: &SessionSettings, now: Time) -> bool {
    now < session.expires && (session.remembered || now < session.last_seen.after(settings.idle))
}

/// A name for something whose secret must not be named: 16 hexadecimal digits.
pub(crate) fn handle(ambient: &Ambient) -> String {
    ambient.random::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn session(remembered: bool) -> StoredSession {
        let start = StartSession {
            digest: Digest::of(b"id"),
            handle: "h".to_owned(),
            expires: at(1000),
            remembered,
            address: None,
            agent: None,
            warnings: Vec::new(),
        };
        start.begin(UserId::from_random([1; 16]), 0, at(0))
    }

    #[test]
    fn a_session_ends_for_idleness_and_in_any_case() {
        let settings = SessionSettings { idle: Duration::from_secs(100), ..SessionSettings::default() };
        assert!(is_alive(&session(false), &settings, at(99)));
        assert!(!is_alive(&session(false), &settings, at(100)));
        let used = StoredSession { last_seen: at(950), ..session(false) };
        assert!(is_alive(&used, &settings, at(999)));
        assert!(!is_alive(&used, &settings, at(1000)));
    }

    #[test]
    fn a_remembered_session_ends_in_any_case_only() {
        let settings = SessionSettings { idle: Duration::from_secs(100), ..SessionSettings::default() };
        assert!(is_alive(&session(true), &settings, at(999)));
        assert!(!is_alive(&session(true), &settings, at(1000)));
    }
}
