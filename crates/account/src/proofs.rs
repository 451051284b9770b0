//! Passwords that were proved lately, for the one door where each request brings its password along.
//!
//! Nothing is kept that a password could be read from: a verifier under a key that this process draws anew for each
//! configuration. It answers for one name and the password that was proved, never for the name alone. A wrong password
//! is not refused here but goes the whole way and counts; it also ends what is remembered for that name, so that many
//! guesses at once find nothing to be compared with (security rule 27: what is compared before it counts is not throttled).
//! What the directory says of the person at any other door counts here too: a refusal ends everything that is remembered of
//! them, by whatever name, and a password that was proved ends every other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth::Username;
use proto::Password;
use ring::hmac;
use zeroize::Zeroizing;

use crate::accounts::{Accounts, Current};
use crate::store::CounterKey;
use crate::{Account, Ambient, Error, Time, UserId};

/// So many names are remembered at most.
const MOST: usize = 10_000;

/// Verifiers by the name as it was typed. They belong to one configuration and are gone with it.
pub(crate) struct Proofs {
    age: Duration,
    key: hmac::Key,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    verifier: Zeroizing<Vec<u8>>,
    counted_by: CounterKey,
    since: Time,
    account: UserId,
    generation: i64,
}

impl Proofs {
    /// Remembers for `age`; zero is not at all.
    pub(crate) fn new(age: Duration, ambient: &Ambient) -> Self {
        let key = Zeroizing::new(ambient.random::<32>());
        Self { age, key: hmac::Key::new(hmac::HMAC_SHA256, &*key), kept: Mutex::default() }
    }

    /// Remembers a password that was proved at `since`, in place of one that was proved before. Not when everything the
    /// account was given has been taken back since: the password may be what it was taken back for.
    pub(crate) fn keep(
        &self,
        (username, password): (&Username, &Password),
        counted_by: CounterKey,
        since: Time,
        account: &Account,
    ) {
        let taken_back = account.generation_at.is_some_and(|at| at >= since);
        if self.age.is_zero() || taken_back {
            return;
        }
        let tag = hmac::sign(&self.key, &message(username.as_typed(), password));
        let kept = Kept {
            verifier: Zeroizing::new(tag.as_ref().to_vec()),
            counted_by,
            since,
            account: account.id,
            generation: account.generation,
        };
        let mut all = self.kept();
        if all.get(username.as_typed()).is_some_and(|other| other.since > since) {
            return;
        }
        if all.len() >= MOST && !all.contains_key(username.as_typed()) {
            all.retain(|_, kept| self.is_young(kept, since));
            if all.len() >= MOST {
                all.clear();
            }
        }
        all.insert(username.as_typed().to_owned(), kept);
    }

    /// By whom attempts at a name are counted, if there is anything to compare its password with.
    fn counted_by(&self, username: &Username) -> Option<CounterKey> {
        self.kept().get(username.as_typed()).map(|kept| kept.counted_by.clone())
    }

    /// Whose password this is, and of which generation of the account. Compared once: what does not fit is forgotten.
    fn check(&self, username: &Username, password: &Password, now: Time) -> Option<(UserId, i64)> {
        let mut all = self.kept();
        let kept = all.get(username.as_typed())?;
        let fits = self.fits(kept, username.as_typed(), password);
        if fits && self.is_young(kept, now) {
            return Some((kept.account, kept.generation));
        }
        all.remove(username.as_typed());
        None
    }

    /// A password was proved: what is remembered of the person under another is out of date.
    pub(crate) fn proved(&self, who: &CounterKey, password: &Password) {
        self.kept().retain(|name, kept| kept.counted_by != *who || self.fits(kept, name, password));
    }

    /// The person was refused.
    pub(crate) fn forget_person(&self, who: &CounterKey) {
        self.kept().retain(|_, kept| kept.counted_by != *who);
    }

    fn fits(&self, kept: &Kept, name: &str, password: &Password) -> bool {
        hmac::verify(&self.key, &message(name, password), &kept.verifier).is_ok()
    }

    fn forget(&self, username: &Username) {
        self.kept().remove(username.as_typed());
    }

    /// A clock that was set back makes nothing younger.
    fn is_young(&self, kept: &Kept, now: Time) -> bool {
        now >= kept.since && now.since(kept.since) < self.age
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    /// The account whose password was proved lately, as it is now. Nobody while the person's budget is used up, nor
    /// when the account was disabled or everything it was given was taken back: then the login goes the whole way. The
    /// address's budget is the caller's to ask for.
    pub(crate) async fn proved_lately(
        &self,
        current: &Current,
        username: &Username,
        password: &Password,
    ) -> Result<Option<Account>, Error> {
        let Some(who) = current.proofs.counted_by(username) else { return Ok(None) };
        if self.person_blocked(current, who).await?.is_some() {
            return Ok(None);
        }
        // Nothing is awaited between this comparison and what comes of it.
        let Some((id, generation)) = current.proofs.check(username, password, self.0.ambient.now()) else {
            return Ok(None);
        };
        let account = self.account(id).await?;
        let account = account.filter(|account| account.may_act() && account.generation == generation);
        if account.is_none() {
            current.proofs.forget(username);
        }
        Ok(account)
    }
}

/// The name with its length before it, so that no name and password make the same message as another two.
fn message(name: &str, password: &Password) -> Zeroizing<Vec<u8>> {
    let (name, password) = (name.as_bytes(), password.expose());
    let length = (name.len() as u64).to_be_bytes();
    // Made in one piece: a buffer that grew would leave parts of the password behind.
    let mut message = Zeroizing::new(Vec::with_capacity(length.len() + name.len() + password.len()));
    message.extend_from_slice(&length);
    message.extend_from_slice(name);
    message.extend_from_slice(password);
    message
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use auth::Fold;

    use super::*;

    struct Fixed;

    impl crate::Clock for Fixed {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    impl crate::Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn proofs() -> Proofs {
        let ambient = Ambient { clock: Arc::new(Fixed), entropy: Arc::new(Fixed) };
        Proofs::new(Duration::from_secs(60), &ambient)
    }

    fn account() -> Account {
        serde_json::from_value(serde_json::json!({
            "id": "00000000-0000-4000-8000-00000000000a", "directory": "main", "external_id": "e1",
            "username": "alice", "local_name": "alice", "dn": "", "attributes": {}, "fields": {}, "lists": {}, "flags": {},
            "groups": [], "local_groups": [], "permissions": [], "disabled": false, "generation": 3,
            "generation_at": null, "first_seen": 0, "last_login": null, "checked": 0,
        }))
        .unwrap()
    }

    fn typed(name: &str, password: &str) -> (Username, Password) {
        (Username::parse(name, Fold::Lower).unwrap(), Password::new(password).unwrap())
    }

    fn keep(proofs: &Proofs, name: &str, password: &str, since: i64) {
        let (username, password) = typed(name, password);
        let who = CounterKey::person("main", name);
        proofs.keep((&username, &password), who, Time::from_seconds(since), &account());
    }

    fn check(proofs: &Proofs, name: &str, password: &str, now: i64) -> bool {
        let (username, password) = typed(name, password);
        let found = proofs.check(&username, &password, Time::from_seconds(now));
        assert!(found.is_none_or(|found| found == (account().id, 3)));
        found.is_some()
    }

    #[test]
    fn a_name_and_a_password_cannot_be_divided_otherwise() {
        let (ab, c) = typed("ab", "c");
        let (a, bc) = typed("a", "bc");
        assert_ne!(*message(ab.as_typed(), &c), *message(a.as_typed(), &bc));
    }

    #[test]
    fn one_wrong_password_ends_what_was_remembered() {
        let proofs = proofs();
        keep(&proofs, "alice", "right", 0);
        assert!(check(&proofs, "alice", "right", 1));
        assert!(!check(&proofs, "alice", "wrong", 1));
        assert!(!check(&proofs, "alice", "right", 1));
    }

    #[test]
    fn a_slow_login_does_not_bring_an_older_password_back() {
        let proofs = proofs();
        keep(&proofs, "alice", "new", 10);
        keep(&proofs, "alice", "old", 9);
        assert!(check(&proofs, "alice", "new", 11));
        keep(&proofs, "alice", "newer", 12);
        assert!(check(&proofs, "alice", "newer", 12));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_proof_younger() {
        let proofs = proofs();
        keep(&proofs, "alice", "right", 100);
        assert!(!check(&proofs, "alice", "right", 99));
    }

    #[test]
    fn no_verifier_holds_the_password_and_two_configurations_share_none() {
        let proofs = proofs();
        keep(&proofs, "alice", "correct horse", 0);
        let kept = proofs.kept();
        let verifier = &kept["alice"].verifier;
        assert_eq!(verifier.len(), 32);
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]);
        let (username, password) = typed("alice", "correct horse");
        assert!(hmac::verify(&other, &message(username.as_typed(), &password), verifier).is_err());
    }

    #[test]
    fn there_is_an_end_to_what_is_kept_and_the_old_goes_first() {
        let proofs = proofs();
        keep(&proofs, "young", "right", 60);
        for name in 1..MOST {
            keep(&proofs, &format!("old{name}"), "right", 0);
        }
        keep(&proofs, "newest", "right", 60);
        assert_eq!(proofs.kept().len(), 2);
        assert!(check(&proofs, "young", "right", 60) && check(&proofs, "newest", "right", 60));
    }
}
