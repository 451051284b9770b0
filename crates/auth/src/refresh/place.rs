//! Where people lie whom a login would find, whatever they are called.

use proto::{Dn, Filter, Scope};

use crate::locate::PRINCIPAL;
use crate::{Settings, UserTemplate};

/// One search for people, without a name in it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) base: Dn,
    pub(super) scope: Scope,
    /// `None`: every entry.
    pub(super) filter: Option<Filter>,
}

/// Every place. A login by a template reads an entry by its name, wherever it lies below the directory's base.
pub(super) fn places(settings: &Settings) -> Vec<Place> {
    let user = &settings.user;
    if let Some(template) = user.template.as_ref().filter(|_| !user.refresh_dn_after_bind) {
        let filter = match template {
            UserTemplate::Dn(_) => None,
            UserTemplate::BindName(_) => Some(Filter::present(PRINCIPAL)),
        };
        return vec![Place { base: settings.base.clone(), scope: Scope::Subtree, filter }];
    }
    let named = || Filter::any(user.matches.iter().map(Filter::present));
    let place = |search: &crate::UserSearch| {
        let template = search.filter.as_ref();
        let given = template.and_then(crate::FilterTemplate::for_anybody);
        let filter = match (given, template.is_some_and(crate::FilterTemplate::has_placeholder)) {
            (given, true) => given,
            (Some(given), false) => Some(Filter::And(vec![given, named()])),
            (None, false) => Some(named()),
        };
        Place { base: search.base.clone(), scope: search.scope, filter }
    };
    user.searches.iter().map(place).collect()
}

/// Could a login find an entry of this name?
pub(super) fn is_expected_at(settings: &Settings, dn: &Dn) -> bool {
    let user = &settings.user;
    match &user.template {
        Some(UserTemplate::Dn(template)) if !user.refresh_dn_after_bind => template.fits(dn),
        _ => true,
    }
}

impl Place {
    /// Those of its people who match this, too.
    pub(super) fn narrowed(&self, filter: Filter) -> Filter {
        match &self.filter {
            Some(own) => Filter::And(vec![own.clone(), filter]),
            None => filter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FilterTemplate, Vendor};

    fn filters(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let base = Dn::parse("dc=example,dc=com").unwrap();
        let mut settings = Settings::preset("main", Vendor::OpenLdap, base);
        change(&mut settings);
        let places = places(&settings).into_iter();
        places.map(|place| place.filter.map_or_else(String::new, |filter| filter.to_string())).collect()
    }

    #[test]
    fn people_are_who_has_a_name_that_a_login_would_find() {
        assert_eq!(filters(|_| ()), ["(&(objectClass=inetOrgPerson)(uid=*))"]);
        let whole = FilterTemplate::parse("(&(uid={username})(!(ou=left)))").unwrap();
        let change = |settings: &mut Settings| settings.user.searches[0].filter = Some(whole);
        assert_eq!(filters(change), ["(&(uid=*)(!(ou=left)))"]);
    }

    #[test]
    fn with_a_template_alone_people_lie_anywhere() {
        for (template, wanted) in
            [("uid={username},dc=example,dc=com", ""), ("{username}@x", "(userPrincipalName=*)")]
        {
            let change = |settings: &mut Settings| {
                settings.user.searches.clear();
                settings.user.template = Some(UserTemplate::parse(template).unwrap());
            };
            assert_eq!(filters(change), [wanted]);
        }
    }
}
