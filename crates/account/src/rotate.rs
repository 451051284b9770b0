//! Another key for signed tokens, while tokens of the old one are still about.

use crate::accounts::Accounts;
use crate::store::DropTokenKeys;
use crate::token::{Keys, lasts};
use crate::{Error, Origin, Time};

/// What becomes of the keys that signed until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKeys {
    /// They tell their tokens from forged ones while one may last.
    Overlap,
    /// They are forgotten at once, and their tokens are none.
    Drop,
}

/// What came of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The `kid` of the key that signs from now on (from ten seconds on where the old ones overlap).
    pub id: String,
    /// Until when tokens of the old ones are taken; `None`: they are not.
    pub old_until: Option<Time>,
}

impl Accounts {
    /// Makes a new key in the store, which every process signs with within seconds. Where the key is in a file another file is the
    /// rotation, and only the old ones can be dropped here.
    ///
    /// # Errors
    ///
    /// When the store does not answer; [`Fault::Configuration`](crate::Fault) where the key that signs is in a file.
    pub async fn rotate_token_key(&self, old: OldKeys, origin: &Origin) -> Result<Rotated, Error> {
        let current = self.current();
        let settings = &current.settings.token;
        let id = match (&settings.key, old) {
            (None, _) => self.key_source(settings).add(self.audit("token_key_rotated", origin)).await?,
            (Some(_), OldKeys::Drop) => current.tokens.keys().id().to_owned(),
            (Some(_), OldKeys::Overlap) => {
                return Err(Error::configuration(
                    "the key that signs is token.key_file: put another key there and reload; the old one stays good while its \
                     tokens last",
                ));
            }
        };
        let old_until = match old {
            OldKeys::Overlap => Some(self.0.ambient.now().after(lasts(settings.max_lifetime))),
            OldKeys::Drop => {
                let audit = self.audit("token_keys_dropped", origin);
                self.0.store.drop_token_keys(DropTokenKeys { keep: id.clone(), audit }).await?;
                None
            }
        };
        self.refresh_keys().await?;
        Ok(Rotated { id, old_until })
    }

    /// Takes over what other processes did to the keys, and says which one is signed with here.
    pub(crate) async fn refresh_keys(&self) -> Result<(), Error> {
        let current = self.current();
        let before = current.tokens.keys();
        let keys = Keys::load(&self.key_source(&current.settings.token), Some(&before)).await?;
        if keys.id() != before.id() {
            tracing::info!(key = keys.id(), "another key signs tokens from now on");
        }
        current.tokens.exchange(keys);
        Ok(())
    }
}
