//! Kinds of groups that an application brings along.

use std::error::Error as StdError;
use std::fmt;
use std::future::ready;
use std::pin::Pin;

use proto::{Dn, Filter};

use super::walk::{Walk, as_it_is};
use crate::Error;

/// A way to tell who is in which group that no [`GroupKind`](crate::GroupKind) knows. It is put into
/// [`GroupSettings::custom`](crate::GroupSettings::custom) and joined with the other kinds: deny, require, flags and
/// permissions judge its groups as they judge all others. A group that does not lie below the directory's base never counts.
///
/// Groups that name a team, and people who carry the names of their teams:
///
/// ```
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use ldapgate_auth::{CustomKind, GroupLookup, Settings, Vendor};
/// use proto::{Dn, Filter};
///
/// #[derive(Debug)]
/// struct Teams;
///
/// impl CustomKind for Teams {
///     fn attributes(&self) -> Vec<String> {
///         vec!["departmentNumber".to_owned()]
///     }
///
///     fn groups<'a>(
///         &'a self,
///         lookup: &'a mut GroupLookup<'_>,
///     ) -> Pin<Box<dyn Future<Output = Result<Vec<Dn>, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>> {
///         Box::pin(async move {
///             let teams = lookup.texts("departmentNumber");
///             let teams = Filter::any(teams.map(|team| Filter::equal("businessCategory", team)));
///             Ok(lookup.matching(Filter::equal("objectClass", "groupOfNames") & teams).await?)
///         })
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut settings = Settings::preset("main", Vendor::OpenLdap, "dc=example,dc=com".parse()?);
/// settings.groups.kinds.clear();
/// settings.groups.custom.push(Arc::new(Teams));
/// # Ok(()) }
/// ```
pub trait CustomKind: fmt::Debug + Send + Sync {
    /// The groups that the person of the look-up is in. Whatever of it [`GroupLookup::matching`] found is shown by the
    /// name that was read.
    ///
    /// An error fails the login and denies nobody.
    fn groups<'a>(
        &'a self,
        lookup: &'a mut GroupLookup<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Dn>, BoxError>> + Send + 'a>>;

    /// Is the person in this one group, which a rule names? `None` leaves it to the list of [`CustomKind::groups`], as the
    /// default does; an answer outweighs the list.
    ///
    /// An error fails the login and denies nobody.
    fn is_member<'a>(
        &'a self,
        group: &'a Dn,
        lookup: &'a mut GroupLookup<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Option<bool>, BoxError>> + Send + 'a>> {
        let _ = (group, lookup);
        Box::pin(ready(Ok(None)))
    }

    /// The attributes of a person's entry that it reads; none by default.
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// With `nested`: the attribute in which a group of this kind lists groups that are in it. None by default: then this
    /// kind's groups are in others only as far as the other kinds know.
    fn member_attribute(&self) -> Option<&str> {
        None
    }
}

/// Any error of an application's.
type BoxError = Box<dyn StdError + Send + Sync>;

/// What a [`CustomKind`] may see and ask: the entry of one person, and the groups of the directory they were found in, on
/// the server and as the account that this login reads with.
pub struct GroupLookup<'a>(Walk<'a>);

impl GroupLookup<'_> {
    /// The name of the person's entry.
    #[must_use]
    pub fn dn(&self) -> &Dn {
        &self.0.record.dn
    }

    /// The values of an attribute of the person's entry that are text, in the server's order; of those that
    /// [`CustomKind::attributes`] and the configuration name.
    pub fn texts(&self, attribute: &str) -> impl Iterator<Item = &str> {
        self.0.record.attributes.texts(attribute)
    }

    /// All values of an attribute of the person's entry, in the server's order.
    pub fn values(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        self.0.record.attributes.values(attribute).iter().map(Vec::as_slice)
    }

    /// The entries that match where groups are searched for, a configured filter included. It costs one search a place.
    ///
    /// # Errors
    /// A search that fails. A list that the server cut short is none: it fails the login only where a deny or a negation
    /// depends on what is missing.
    pub async fn matching(&mut self, filter: Filter) -> Result<Vec<Dn>, Error> {
        let hits = self.0.everywhere(&[filter], &as_it_is).await?;
        let found = hits.iter().map(|hit| hit.dn.clone()).collect();
        self.0.note(hits);
        Ok(found)
    }

    /// Is there an entry of this name, wherever it lies, that matches? It costs one search.
    ///
    /// # Errors
    /// A search that fails.
    pub async fn matches(&mut self, group: &Dn, filter: Filter) -> Result<bool, Error> {
        self.0.holds(group, &[filter]).await
    }
}

impl fmt::Debug for GroupLookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupLookup").field(self.dn()).finish()
    }
}

impl Walk<'_> {
    /// Asks the application's own kinds.
    pub(super) async fn by_custom(&mut self) -> Result<(), Error> {
        let directory = self.directory;
        for own in &directory.settings.groups.custom {
            let failed = |error| Error::application(format!("the kind of groups {own:?} failed"), error);
            let mut lookup = GroupLookup(self.branch());
            let mut groups = own.groups(&mut lookup).await.map_err(failed)?;
            for group in &directory.rule_groups {
                match own.is_member(group, &mut lookup).await.map_err(failed)? {
                    Some(true) => groups.push(group.clone()),
                    Some(false) => groups.retain(|other| other != group),
                    None => {}
                }
            }
            let Walk { found: mut read, complete, .. } = lookup.0;
            self.complete &= complete;
            for group in groups.into_iter().filter(|group| group.is_below(&directory.settings.base)) {
                let name = read.remove(&group).unwrap_or_else(|| self.name_by_place(&group));
                let known = self.found.entry(group).or_default();
                *known = known.take().or(name);
            }
        }
        Ok(())
    }
}
