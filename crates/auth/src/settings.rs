//! What one directory is asked, as values: no text is parsed during a login.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proto::filter::is_attribute_description;
use proto::value::is_secret;
use proto::{Dn, Filter, Scope};

use crate::locate::PRINCIPAL;
use crate::template::Values;
use crate::{CustomKind, FilterTemplate, Fold, Rule, TemplateError, UserTemplate, groups, state};

/// One directory. [`Settings::preset`] fills it as the contract's table of presets says.
///
/// ```
/// use ldapgate_auth::{FilterTemplate, Settings, Vendor};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut settings = Settings::preset("main", Vendor::OpenLdap, "dc=example,dc=com".parse()?);
/// settings.user.searches[0].filter = Some(FilterTemplate::parse("(objectClass=account)")?);
/// assert_eq!(settings.user.matches, ["uid"]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Settings {
    /// Part of every person's identity.
    pub name: String,
    /// Whose words and attributes are believed.
    pub vendor: Vendor,
    /// The suffix. A group outside it never counts.
    pub base: Dn,
    /// Names typed as `user@domain` or `DOMAIN\user` with one of these are asked for here alone; case is ignored.
    pub domains: Vec<String>,
    /// How people are found and read.
    pub user: UserSettings,
    /// How their groups are.
    pub groups: GroupSettings,
    /// Who may enter: everybody, when `None`.
    pub require: Option<Rule>,
    /// Who may not, whatever `require` says.
    pub deny: Option<Rule>,
    /// A person's fields and the attributes whose first value they take.
    pub fields: BTreeMap<String, String>,
    /// A person's lists and the attributes whose values they take.
    pub lists: BTreeMap<String, String>,
    /// A person's flags and when they hold.
    pub flags: BTreeMap<String, Rule>,
    /// Groups of this directory that are named elsewhere (permissions, administrators): membership in them is found
    /// out as for a rule's.
    pub named: Vec<Dn>,
    /// What becomes of capitals in the canonical name.
    pub fold: Fold,
    /// What is remembered instead of asked again.
    pub cache: CacheSettings,
    /// Who changes passwords.
    pub password_change: PasswordChange,
}

/// `password.change`: who tells the server a new password. The old one is proved by the person's own bind in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordChange {
    /// The person, on the connection of that bind. Who is not let in any more cannot change it here.
    #[default]
    Person,
    /// The person where they are let in, else the service account.
    Service,
    /// Nobody.
    Off,
}

/// The preset: which attributes and texts of a server are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// OpenLDAP.
    OpenLdap,
    /// Microsoft Active Directory, Samba AD.
    ActiveDirectory,
    /// FreeIPA.
    FreeIpa,
    /// 389 Directory Server.
    Ds389,
    /// Any server with RFC 2307 accounts and groups.
    Rfc2307,
    /// RFC 2307bis: groups hold names instead of user names.
    Rfc2307bis,
    /// lldap.
    Lldap,
    /// Everything is configured.
    Custom,
}

/// How people are found and read.
#[derive(Debug, Clone)]
pub struct UserSettings {
    /// Where to search; several are asked at once and merged by name.
    pub searches: Vec<UserSearch>,
    /// Attributes that may hold the typed name, best first.
    pub matches: Vec<String>,
    /// Whom to bind as without a search.
    pub template: Option<UserTemplate>,
    /// Attributes to read besides what the other settings name.
    pub attributes: Vec<String>,
    /// The stable key of a person.
    pub id_attribute: String,
    /// The canonical name.
    pub username_attribute: String,
    /// Read the entry and the groups as the person, on that login's own connection.
    pub bind_as_user: bool,
    /// With `template` and `bind_as_user`: search for the person's real entry after the bind.
    pub refresh_dn_after_bind: bool,
}

/// One place to search for people.
#[derive(Debug, Clone)]
pub struct UserSearch {
    /// Entries that do not lie here are an error.
    pub base: Dn,
    /// How deep.
    pub scope: Scope,
    /// With a placeholder the whole search, otherwise what narrows the one for `matches`.
    pub filter: Option<FilterTemplate>,
}

/// How groups are found.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// Joined; without any, and without `custom`, nobody is in any group.
    pub kinds: Vec<GroupKind>,
    /// An application's own kinds, joined with the others.
    pub custom: Vec<Arc<dyn CustomKind>>,
    /// Where groups that are shown lie.
    pub searches: Vec<GroupSearch>,
    /// The attribute that lists members (of a group), or groups (of a person, for [`GroupKind::MemberOf`]), where it
    /// is not the kind's own.
    pub member_attribute: Option<String>,
    /// What a group is called: its first value. A group without one counts for rules and is not shown.
    pub name_attribute: String,
    /// Groups in groups, to any depth.
    pub nested: bool,
}

/// One place to search for groups.
#[derive(Debug, Clone)]
pub struct GroupSearch {
    /// Where.
    pub base: Dn,
    /// How deep.
    pub scope: Scope,
    /// Which of them.
    pub filter: Option<Filter>,
}

/// How a directory says who is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// `member` holds names.
    GroupOfNames,
    /// `uniqueMember` holds names.
    GroupOfUniqueNames,
    /// `roleOccupant` holds names.
    OrganizationalRole,
    /// `memberUid` holds user names, the primary group is the person's `gidNumber`.
    Posix,
    /// The person's `memberOf`, the primary group, and `member` for groups in groups.
    ActiveDirectory,
    /// The person's `memberOf`; `member` for groups in groups.
    MemberOf,
}

/// How long an answer is remembered, counted from the question; zero, the default, is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheSettings {
    /// Which entry a name means. A login reads that entry in place of the searches, and searches when it is another.
    pub dn: Duration,
    /// Who is in which group, as logins judge it. What is looked up without a password is always asked for.
    pub groups: Duration,
}

/// Settings that cannot work, whatever the directory says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("directory {directory:?}: {what}")]
pub struct SettingsError {
    directory: String,
    what: String,
}

impl Settings {
    /// Every group that something depends on, each once.
    pub(crate) fn rule_groups(&self) -> BTreeSet<&Dn> {
        let rules = self.require.iter().chain(&self.deny).chain(self.flags.values());
        rules.flat_map(Rule::groups).chain(&self.named).collect()
    }

    /// Would a group that is missing from the list let somebody in, or give them something?
    pub(crate) fn needs_every_group(&self) -> bool {
        self.deny.is_some() || self.require.iter().chain(self.flags.values()).any(Rule::has_negation)
    }

    /// What can be known to be wrong without asking the directory.
    ///
    /// # Errors
    /// The first thing that cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |what: String| Err(SettingsError { directory: self.name.clone(), what });
        if self.name.is_empty() {
            return wrong("a directory needs a name".to_owned());
        }
        let user = &self.user;
        if user.searches.is_empty() && user.template.is_none() {
            return wrong("people are neither searched for nor is there a template".to_owned());
        }
        for search in &user.searches {
            let whole = search.filter.as_ref().is_some_and(FilterTemplate::has_placeholder);
            if !whole && user.matches.is_empty() {
                return wrong(format!("the search below {} does not say who is looked for", search.base));
            }
        }
        if let Some(stray) = self.people_elsewhere() {
            return wrong(format!("people at {stray} would not lie below {}", self.base));
        }
        if user.refresh_dn_after_bind
            && !(user.bind_as_user && user.template.is_some() && !user.searches.is_empty())
        {
            return wrong("refresh_dn_after_bind needs a template, bind_as_user and a search".to_owned());
        }
        if user.id_attribute.is_empty() || user.username_attribute.is_empty() {
            return wrong("people need an id attribute and a username attribute".to_owned());
        }
        for attribute in self.attributes_named() {
            if is_secret(attribute) {
                return wrong(format!("{attribute:?} is never read"));
            }
            if !is_attribute_description(attribute) {
                return wrong(format!("{attribute:?} is no attribute"));
            }
        }
        let has_groups = self.groups.is_any();
        if has_groups && self.groups.searches.is_empty() {
            return wrong("groups are not searched for anywhere".to_owned());
        }
        if self.groups.kinds.len() > 1 && self.groups.member_attribute.is_some() {
            return wrong("one member_attribute does not fit several kinds of groups".to_owned());
        }
        if let Some(group) = self.rule_groups().first().filter(|_| !has_groups) {
            return wrong(format!("{group} is asked for, but there is no kind of groups"));
        }
        match self.rule_groups().into_iter().find(|group| !group.is_below(&self.base)) {
            Some(group) => wrong(format!("the group {group} does not lie below {}", self.base)),
            None => Ok(()),
        }
    }

    /// Where people would be looked for, or bound, outside of the directory (CVE-2026-16071).
    fn people_elsewhere(&self) -> Option<Dn> {
        let bases = self.user.searches.iter().map(|search| search.base.clone());
        let somebody = match &self.user.template {
            Some(UserTemplate::Dn(template)) => {
                template.fill(Values { username: "somebody", input: "somebody", domain: "somewhere" })
            }
            _ => None,
        };
        bases.chain(somebody).find(|dn| !dn.is_at_or_below(&self.base))
    }

    /// Everything that is read of a person's entry, each attribute once: what the service account has to be able to see.
    ///
    /// ```
    /// use ldapgate_auth::{Settings, Vendor};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = Settings::preset("main", Vendor::Lldap, "dc=example,dc=com".parse()?);
    /// assert_eq!(settings.attributes_read(), ["entryUUID", "uid", "mail"]);
    /// # Ok(()) }
    /// ```
    pub fn attributes_read(&self) -> Vec<String> {
        let user = &self.user;
        let principal = matches!(user.template, Some(UserTemplate::BindName(_))).then_some(PRINCIPAL);
        let wanted = [user.id_attribute.as_str(), &user.username_attribute]
            .into_iter()
            .chain(principal)
            .chain(user.matches.iter().map(String::as_str))
            .chain(self.fields.values().map(String::as_str))
            .chain(self.lists.values().map(String::as_str))
            .chain(user.attributes.iter().map(String::as_str))
            .map(str::to_owned)
            .chain(groups::attributes(self))
            .chain(state::attributes(self.vendor).iter().map(|name| (*name).to_owned()));
        let mut seen = BTreeSet::new();
        wanted.filter(|name| !name.is_empty() && seen.insert(name.to_ascii_lowercase())).collect()
    }

    /// Attributes that the configuration spells out.
    fn attributes_named(&self) -> impl Iterator<Item = &str> {
        let user = &self.user;
        let wanted = user.attributes.iter().filter(|name| *name != "*" && *name != "+");
        wanted
            .chain(&user.matches)
            .chain([&user.id_attribute, &user.username_attribute, &self.groups.name_attribute])
            .chain(&self.groups.member_attribute)
            .chain(self.fields.values())
            .chain(self.lists.values())
            .map(String::as_str)
    }
}

impl GroupSettings {
    /// Can anybody be in a group?
    pub(crate) fn is_any(&self) -> bool {
        !(self.kinds.is_empty() && self.custom.is_empty())
    }
}

impl SettingsError {
    pub(crate) fn new(directory: &str, what: impl Into<String>) -> SettingsError {
        SettingsError { directory: directory.to_owned(), what: what.into() }
    }

    /// The directory whose settings they are.
    pub fn directory(&self) -> &str {
        &self.directory
    }
}

impl UserSearch {
    /// A subtree search.
    ///
    /// # Errors
    /// Those of [`FilterTemplate::parse`].
    pub fn below(base: Dn, filter: &str) -> Result<UserSearch, TemplateError> {
        let filter = (!filter.is_empty()).then(|| FilterTemplate::parse(filter)).transpose()?;
        Ok(UserSearch { base, scope: Scope::Subtree, filter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    fn preset(vendor: Vendor) -> Settings {
        Settings::preset("main", vendor, dn("dc=example,dc=com"))
    }

    #[test]
    fn a_rule_cannot_name_another_directory_s_group() {
        let mut settings = preset(Vendor::OpenLdap);
        settings.deny = Some(Rule::Group(dn("cn=disabled,ou=groups,dc=elsewhere")));
        assert!(settings.check().unwrap_err().to_string().contains("does not lie below"));
    }

    #[test]
    fn people_lie_below_the_directory_s_base_however_they_are_found() {
        let mut settings = preset(Vendor::OpenLdap);
        settings.user.searches[0].base = dn("ou=people,dc=elsewhere");
        assert!(settings.check().unwrap_err().to_string().contains("would not lie below"));
        for (template, good) in [
            ("uid={username},ou=people,dc=example,dc=com", true),
            ("uid={username},ou={domain},dc=example,dc=com", true),
            ("uid={username},ou=people,dc=example,dc=org", false),
        ] {
            let mut settings = preset(Vendor::OpenLdap);
            settings.user.template = Some(UserTemplate::parse(template).unwrap());
            assert_eq!(settings.check().is_ok(), good, "{template}");
        }
    }

    #[test]
    fn a_secret_is_never_a_field() {
        for secret in ["userPassword", "UNICODEPWD", "userPassword;x-clear"] {
            let mut settings = preset(Vendor::OpenLdap);
            settings.fields.insert("pw".to_owned(), secret.to_owned());
            assert!(settings.check().unwrap_err().to_string().contains("never read"), "{secret}");
        }
    }

    #[test]
    fn an_attribute_is_a_name_and_not_a_filter() {
        let checked = |text: &str| {
            let mut settings = preset(Vendor::OpenLdap);
            settings.lists.insert("some".to_owned(), text.to_owned());
            settings.check()
        };
        for text in ["memberOf", "cn;lang-de", "1.2.840.113556.1.4.8"] {
            assert!(checked(text).is_ok(), "{text:?}");
        }
        for text in ["", "uid)(cn", "a b", "*", ";x", "uid;", "-uid", "1a", "1.2.", "a.b"] {
            assert!(checked(text).unwrap_err().to_string().contains("is no attribute"), "{text:?}");
        }
    }

    #[test]
    fn a_search_that_finds_everybody_is_refused() {
        let mut settings = preset(Vendor::OpenLdap);
        settings.user.matches.clear();
        assert!(settings.check().is_err());
        settings.user.searches =
            vec![UserSearch::below(dn("dc=example,dc=com"), "(uid={username})").unwrap()];
        assert!(settings.check().is_ok());
    }
}
