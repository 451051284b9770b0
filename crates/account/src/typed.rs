//! What somebody typed as a name, until it is known to be one: it may be the password in the wrong box, so neither the
//! record nor the log ever holds it.

use std::fmt::Write as _;

use ring::hmac;

use auth::Username;

use crate::Ambient;
use crate::accounts::{Accounts, Current};
use crate::store::Find;

/// Stands in the place of a name that is nobody's.
const INSTEAD: &str = "(not recorded)";

/// Makes marks by which an operator sees that the same text was typed twice, and nobody what it was.
///
/// The key is this process's own and kept nowhere: with a key from the store, whoever has a copy of the database could
/// try every likely password against the marks.
pub(crate) struct Marks(hmac::Key);

impl Marks {
    pub(crate) fn new(ambient: &Ambient) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &ambient.random::<32>()))
    }

    /// The mark of a text: the same for the same text while this process runs.
    pub(crate) fn of(&self, typed: &str) -> String {
        let tag = hmac::sign(&self.0, typed.as_bytes());
        let mut mark = format!("{INSTEAD} ");
        for byte in &tag.as_ref()[..4] {
            write!(mark, "{byte:02x}").expect("text grows");
        }
        mark
    }
}

impl Accounts {
    /// The directory and the name of the account that bears what was typed. A store that does not answer knows nobody.
    pub(crate) async fn borne(&self, current: &Current, typed: &str) -> Option<(String, String)> {
        let username = Username::parse(&self.asked_for(typed), current.settings.login.fold).ok()?;
        let bare = current.directories.bare_name(&username).to_owned();
        let local = Find::LocalName(username.folded().to_owned());
        let directories = current.directories.names().into_iter();
        let known = directories.map(|directory| Find::Username { directory, username: bare.clone() });
        for find in std::iter::once(local).chain(known) {
            if let Ok(Some(account)) = self.0.store.account(find).await {
                return Some((account.directory, account.username));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::{Clock, Entropy};

    struct Counting(std::sync::atomic::AtomicU8);

    impl Clock for Counting {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn a_mark_is_the_same_for_the_same_text_in_one_process() {
        let counting = Arc::new(Counting(1.into()));
        let ambient = Ambient { clock: counting.clone(), entropy: counting };
        let (one, other) = (Marks::new(&ambient), Marks::new(&ambient));
        assert_eq!(one.of("Red-Apple-11"), one.of("Red-Apple-11"));
        assert_ne!(one.of("Red-Apple-11"), one.of("Red-Apple-12"));
        assert_ne!(one.of("Red-Apple-11"), other.of("Red-Apple-11"));
        assert!(one.of("x").starts_with("(not recorded) ") && one.of("x").len() == 23);
    }
}
