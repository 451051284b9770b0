//! The contract's table of presets: where each vendor keeps people and groups, and what it calls them.

use std::collections::BTreeMap;

use proto::{Dn, Scope};

use crate::settings::{CacheSettings, GroupKind, GroupSearch, GroupSettings, UserSearch, UserSettings};
use crate::{FilterTemplate, Fold, PasswordChange, Settings, Vendor};

impl Settings {
    /// The defaults of a preset, as the contract's table has them. [`Vendor::Custom`] has no search and no
    /// `id_attribute`: both have to be set.
    pub fn preset(name: impl Into<String>, vendor: Vendor, base: Dn) -> Settings {
        let row = vendor.row();
        let people = below(&base, row.people);
        let filter =
            row.filter.map(|text| FilterTemplate::parse(text).expect("the presets' filters are tested"));
        let searches = match vendor {
            Vendor::Custom => Vec::new(),
            _ => vec![UserSearch { base: people, scope: Scope::Subtree, filter }],
        };
        let user = UserSettings {
            searches,
            matches: row.matches.iter().map(|name| (*name).to_owned()).collect(),
            template: None,
            attributes: Vec::new(),
            id_attribute: row.id.to_owned(),
            username_attribute: row.username.to_owned(),
            bind_as_user: false,
            refresh_dn_after_bind: false,
        };
        let groups = GroupSettings {
            kinds: row.groups.to_vec(),
            custom: Vec::new(),
            searches: vec![GroupSearch {
                base: below(&base, row.groups_below),
                scope: Scope::Subtree,
                filter: None,
            }],
            member_attribute: None,
            name_attribute: "cn".to_owned(),
            nested: vendor == Vendor::ActiveDirectory,
        };
        Settings {
            name: name.into(),
            vendor,
            base,
            domains: Vec::new(),
            user,
            groups,
            require: None,
            deny: None,
            fields: BTreeMap::new(),
            lists: BTreeMap::new(),
            flags: BTreeMap::new(),
            named: Vec::new(),
            fold: Fold::Lower,
            cache: CacheSettings::default(),
            password_change: PasswordChange::default(),
        }
    }
}

/// One row of the contract's table of presets.
struct Row {
    people: &'static [(&'static str, &'static str)],
    filter: Option<&'static str>,
    matches: &'static [&'static str],
    id: &'static str,
    username: &'static str,
    groups: &'static [GroupKind],
    groups_below: &'static [(&'static str, &'static str)],
}

impl Vendor {
    fn row(self) -> Row {
        use GroupKind::*;
        let inet = Row {
            people: &[],
            filter: Some("(objectClass=inetOrgPerson)"),
            matches: &["uid"],
            id: "entryUUID",
            username: "uid",
            groups: &[GroupOfNames],
            groups_below: &[],
        };
        let posix = Some("(objectClass=posixAccount)");
        match self {
            Vendor::OpenLdap => inet,
            Vendor::Ds389 => Row { id: "nsUniqueId", groups: &[GroupOfNames, GroupOfUniqueNames], ..inet },
            Vendor::Rfc2307 => Row { filter: posix, groups: &[Posix], ..inet },
            Vendor::Rfc2307bis => Row { filter: posix, ..inet },
            Vendor::ActiveDirectory => Row {
                filter: Some("(&(objectCategory=person)(objectClass=user))"),
                matches: &["userPrincipalName", "sAMAccountName", "mail"],
                id: "objectGUID",
                username: "sAMAccountName",
                groups: &[ActiveDirectory],
                ..inet
            },
            Vendor::FreeIpa => Row {
                people: &[("cn", "accounts"), ("cn", "users")],
                filter: None,
                matches: &["uid", "krbPrincipalName"],
                id: "ipaUniqueID",
                groups: &[MemberOf],
                groups_below: &[("cn", "accounts"), ("cn", "groups")],
                ..inet
            },
            Vendor::Lldap => Row {
                people: &[("ou", "people")],
                filter: None,
                matches: &["uid", "mail"],
                groups: &[GroupOfUniqueNames],
                groups_below: &[("ou", "groups")],
                ..inet
            },
            Vendor::Custom => Row { filter: None, matches: &[], id: "", groups: &[], ..inet },
        }
    }
}

/// The name below `base` by these steps, from the top.
fn below(base: &Dn, steps: &[(&str, &str)]) -> Dn {
    steps.iter().fold(base.clone(), |dn, (attribute, value)| {
        dn.child(proto::Rdn::new(attribute, value).expect("the presets' names are tested"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENDORS: [Vendor; 8] = [
        Vendor::OpenLdap,
        Vendor::ActiveDirectory,
        Vendor::FreeIpa,
        Vendor::Ds389,
        Vendor::Rfc2307,
        Vendor::Rfc2307bis,
        Vendor::Lldap,
        Vendor::Custom,
    ];

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    fn preset(vendor: Vendor) -> Settings {
        Settings::preset("main", vendor, dn("dc=example,dc=com"))
    }

    #[test]
    fn every_preset_but_custom_is_complete() {
        for vendor in VENDORS {
            assert_eq!(preset(vendor).check().is_ok(), vendor != Vendor::Custom, "{vendor:?}");
        }
    }

    #[test]
    fn freeipa_s_people_and_groups_lie_where_freeipa_keeps_them() {
        let settings = preset(Vendor::FreeIpa);
        assert_eq!(settings.user.searches[0].base, dn("cn=users,cn=accounts,dc=example,dc=com"));
        assert_eq!(settings.groups.searches[0].base, dn("cn=groups,cn=accounts,dc=example,dc=com"));
    }
}
