//! The key that tokens are signed with, and those that signed what may still be about.
//!
//! The store lists every key by its public half, when it came and when a process last said that it signs with it. A key
//! out of a file is listed by the process that reads the file; a key that was made here has its private half among the
//! installation's secrets. A key that nobody signs with any more is good for as long as a token it signed may last.

use std::sync::Arc;
use std::time::Duration;

use super::Claims;
use super::eddsa::{self, PublicKey, SigningKey};
use super::jws::Parts;
use crate::store::{Audit, KeepTokenKey, SecretBytes, Store, TokenKey};
use crate::{Ambient, Error, Time};

/// A process says so often that it signs with a key.
const SAID_EVERY: Duration = Duration::from_secs(5 * 60);
/// A new key of the store is shown so long before it signs: every process has heard of it by then.
const SHOWN_FIRST: Duration = Duration::from_secs(10);

/// The keys of one moment.
pub(crate) struct Keys {
    signing: Arc<SigningKey>,
    /// Others whose tokens are taken, the oldest first.
    others: Vec<PublicKey>,
}

/// Where keys come from.
pub(crate) struct Source<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) ambient: &'a Ambient,
    /// The file's content, where the key is in a file.
    pub(crate) file: Option<&'a SecretBytes>,
    /// How long a token may last.
    pub(crate) longest: Duration,
}

impl Keys {
    /// The keys as they are now; what `before` has, which came from the same settings, is not fetched again.
    pub(crate) async fn load(source: &Source<'_>, before: Option<&Keys>) -> Result<Keys, Error> {
        let mut known = source.known().await?;
        let now = source.ambient.now();
        if source.file.is_none() && to_sign_with(&known, now).is_none() {
            source.first().await?;
            known = source.known().await?;
        }
        let signing = match (source.file, to_sign_with(&known, now)) {
            (Some(file), _) => match before {
                Some(before) => Arc::clone(&before.signing),
                None => Arc::new(SigningKey::from_pkcs8(file.expose())?),
            },
            (None, Some(key)) => source.of_store(&key.id, before).await?,
            (None, None) => return Err(Error::internal("tokens cannot be signed", "no key is kept")),
        };
        let id = &signing.public().id;
        let said = known.iter().find(|key| key.id == *id).map(|key| key.used);
        if said.is_none_or(|said| said.after(SAID_EVERY) <= now) {
            // The first key of all is no change.
            let changed = (!known.is_empty()).then(|| "token_key_changed".to_owned());
            let audit = changed.map(|event| Audit { at: now, event, ..Audit::default() });
            source.say(signing.public(), source.file.is_none(), audit).await?;
        }
        let lasts = lasts(source.longest);
        let others = known.iter().filter(|key| key.id != *id && key.used.after(lasts) > now);
        let others = others.map(|key| PublicKey { id: key.id.clone(), bytes: key.public }).collect();
        Ok(Keys { signing, others })
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        self.signing.sign(claims)
    }

    /// What a token says that one of the keys has signed.
    pub(super) fn verify(&self, parts: &Parts<'_>) -> Option<Claims> {
        eddsa::verify(parts, self.public())
    }

    /// The name of the key that signs.
    pub(crate) fn id(&self) -> &str {
        &self.signing.public().id
    }

    /// The public halves, the one that signs first.
    pub(super) fn public(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(self.signing.public()).chain(&self.others)
    }

    #[cfg(test)]
    pub(super) fn of_seed(seed: &[u8]) -> Self {
        Self { signing: Arc::new(SigningKey::from_seed(seed).unwrap()), others: Vec::new() }
    }
}

impl Source<'_> {
    async fn known(&self) -> Result<Vec<TokenKey>, Error> {
        Ok(self.store.token_keys(Time::from_micros(i64::MIN)).await?)
    }

    /// Makes the key that an empty store lacks, unless another process was quicker: then that one's counts.
    async fn first(&self) -> Result<(), Error> {
        let key = self.fresh().await?;
        let key = self.listed(key.public(), true);
        self.store.keep_token_key(KeepTokenKey { key, first: true, audit: None }).await?;
        Ok(())
    }

    /// Makes a key, lists it and answers its name.
    pub(crate) async fn add(&self, audit: Audit) -> Result<String, Error> {
        let key = self.fresh().await?;
        self.say(key.public(), true, Some(audit)).await?;
        Ok(key.public().id.clone())
    }

    /// A key whose private half is in the store, and which is not listed yet.
    async fn fresh(&self) -> Result<SigningKey, Error> {
        let seed = SecretBytes::new(self.ambient.random::<32>().to_vec());
        let key = SigningKey::from_seed(seed.expose())?;
        self.store.secret(TokenKey::secret_name(&key.public().id), seed).await?;
        Ok(key)
    }

    async fn of_store(&self, id: &str, before: Option<&Keys>) -> Result<Arc<SigningKey>, Error> {
        if let Some(before) = before.filter(|before| before.id() == id) {
            return Ok(Arc::clone(&before.signing));
        }
        let candidate = SecretBytes::new(self.ambient.random::<32>().to_vec());
        let seed = self.store.secret(TokenKey::secret_name(id), candidate).await?;
        let key = SigningKey::from_seed(seed.expose())?;
        match key.public().id == id {
            true => Ok(Arc::new(key)),
            false => Err(Error::internal(
                format!("the store's token key {id:?} cannot be used"),
                "its private half is missing or another's: rotate the key",
            )),
        }
    }

    /// Says that a key signs; the record tells of one that is new.
    async fn say(&self, public: &PublicKey, held: bool, audit: Option<Audit>) -> Result<(), Error> {
        let key = self.listed(public, held);
        let audit = audit.map(|audit| Audit { detail: Some(format!("key {}", key.id)), ..audit });
        self.store.keep_token_key(KeepTokenKey { key, first: false, audit }).await?;
        Ok(())
    }

    fn listed(&self, public: &PublicKey, held: bool) -> TokenKey {
        let now = self.ambient.now();
        let PublicKey { id, bytes } = public.clone();
        TokenKey { id, public: bytes, held, created: now, used: now }
    }
}

/// How long after the last word of who signs with it a key is good.
pub(crate) fn lasts(longest: Duration) -> Duration {
    longest.saturating_add(SAID_EVERY * 2)
}

/// The newest key of the store that every process has heard of, else the oldest.
fn to_sign_with(known: &[TokenKey], now: Time) -> Option<&TokenKey> {
    let held = || known.iter().filter(|key| key.held);
    held().rfind(|key| key.created.after(SHOWN_FIRST) <= now).or_else(|| held().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_signs_once_every_process_has_heard_of_it() {
        let at = Time::from_seconds;
        let key = |id: &str, held, created| {
            let id = id.to_owned();
            TokenKey { id, public: [0; 32], held, created: at(created), used: at(created) }
        };
        let known = [key("first", true, 0), key("file", false, 50), key("second", true, 100)];
        let signs = |now| to_sign_with(&known, at(now)).map(|key| key.id.as_str());
        assert_eq!((signs(5), signs(109), signs(110)), (Some("first"), Some("first"), Some("second")));
        assert_eq!(to_sign_with(&known[1..2], at(100)), None);
    }
}
