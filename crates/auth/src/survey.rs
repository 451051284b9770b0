//! What an operator's survey of a directory asks: the same searches as a login's, without a name.

use proto::{Dn, Filter};

use crate::settings::{Settings, UserSearch};
use crate::{FilterTemplate, groups};

impl Settings {
    /// What anybody matches whom this search could find, whatever they type.
    #[must_use]
    pub fn anybody(&self, search: &UserSearch) -> Filter {
        let named = Filter::present(&self.user.username_attribute);
        match &search.filter {
            Some(filter) if !filter.has_placeholder() => match Filter::parse(filter.as_str()) {
                Ok(filter) => filter,
                // A template without placeholders was parsed as a filter before.
                Err(_) => named,
            },
            _ => named,
        }
    }

    /// What any group matches that is shown; `None` where there are no groups.
    #[must_use]
    pub fn any_group(&self) -> Option<Filter> {
        (!self.groups.kinds.is_empty()).then(|| groups::any_group(self))
    }

    /// The attributes in which groups list their members by name.
    #[must_use]
    pub fn member_attributes(&self) -> Vec<&str> {
        groups::member_attributes(self)
    }

    /// The attribute of a person's entry whose values are groups; `None` where the kinds of groups need none.
    #[must_use]
    pub fn membership_attribute(&self) -> Option<&str> {
        groups::person_attribute(self)
    }

    /// Every group that something depends on, each once.
    #[must_use]
    pub fn named_groups(&self) -> Vec<Dn> {
        self.rule_groups().into_iter().cloned().collect()
    }

    /// Every search for people narrows who is meant by itself: nobody can be found without a name.
    #[must_use]
    pub fn needs_a_name(&self) -> bool {
        let whole = |search: &UserSearch| search.filter.as_ref().is_some_and(FilterTemplate::has_placeholder);
        self.user.searches.iter().all(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;

    fn settings() -> Settings {
        Settings::preset("main", Vendor::OpenLdap, "dc=example,dc=com".parse().unwrap())
    }

    #[test]
    fn anybody_is_who_the_configured_filter_leaves() {
        let mut settings = settings();
        let of = |settings: &Settings| settings.anybody(&settings.user.searches[0]).to_string();
        assert_eq!(of(&settings), "(objectClass=inetOrgPerson)");
        assert!(!settings.needs_a_name());
        settings.user.searches[0].filter = Some(FilterTemplate::parse("(uid={username})").unwrap());
        assert_eq!(of(&settings), "(uid=*)");
        assert!(settings.needs_a_name());
    }

    #[test]
    fn groups_are_asked_for_as_a_login_asks() {
        let mut settings = settings();
        assert_eq!(settings.member_attributes(), ["member"]);
        assert!(settings.any_group().is_some_and(|filter| filter.to_string().contains("groupOfNames")));
        settings.groups.kinds.clear();
        assert!(settings.any_group().is_none());
    }
}
