//! Where an application may have its say: after the directory and the store, before anything is written.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::store::BoxError;
use crate::{Attributes, Group};

/// Has its say on each login, and may change what is kept of the person or refuse them.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use ldapgate_account::{Hook, Profile, Refusal};
///
/// struct OfficeHours;
///
/// impl Hook for OfficeHours {
///     fn admit<'a>(&'a self, profile: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
///         Box::pin(async move {
///             if profile.username == "night-shift" {
///                 return Err(Refusal::refused("only at night"));
///             }
///             profile.flags.insert("is_day_shift".to_owned(), true);
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait Hook: Send + Sync {
    /// Looks at a person whom the directory admits. Changes to what is public in `profile` are kept; who the
    /// person is and which groups they are in cannot be changed.
    ///
    /// It runs inside the login's deadline, after the password was proved.
    fn admit<'a>(&'a self, profile: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>>;
}

/// A person on the way in.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The directory's name. Changes have no effect.
    pub directory: String,
    /// The canonical name. Changes have no effect.
    pub username: String,
    /// The directory's stable key. Changes have no effect.
    pub external_id: String,
    /// Where the entry lies. Changes have no effect.
    pub dn: String,
    /// The entry's attributes. Changes have no effect.
    pub attributes: Attributes,
    /// The directory's groups. Changes have no effect.
    pub groups: Vec<Group>,
    /// The person is in the store already. Changes have no effect.
    pub known: bool,
    /// Profile fields. With `update_on_login` off those of a known person stay as they are.
    pub fields: BTreeMap<String, String>,
    /// Profile lists, likewise.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Flags.
    pub flags: BTreeMap<String, bool>,
    /// Permissions.
    pub permissions: Vec<String>,
}

/// Why an application lets somebody not in.
#[derive(Debug)]
pub enum Refusal {
    /// It will not have them: `refused_by_application`. The text is for the operator.
    Refused(String),
    /// It could not decide: the login fails, nobody is denied.
    Failed(BoxError),
}

impl Refusal {
    /// It will not have them; the text is for the operator and is not shown to the visitor.
    #[must_use]
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

/// An application's failure becomes the login's.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}
