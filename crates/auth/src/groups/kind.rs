//! What each kind of group asks for.

use proto::{Dn, Filter};

use crate::Settings;
use crate::record::Record;
use crate::settings::GroupKind;

/// Attributes of a person's entry that the kinds need.
pub(crate) fn attributes(settings: &Settings) -> Vec<String> {
    let mut wanted = person_attributes(settings);
    for kind in &settings.groups.kinds {
        let more: &[&str] = match kind {
            GroupKind::Posix => &["uid", "gidNumber"],
            GroupKind::ActiveDirectory => &["objectSid", "primaryGroupID"],
            _ => &[],
        };
        wanted.extend(more.iter().map(|name| (*name).to_owned()));
    }
    wanted
}

/// Attributes of a person's entry whose values are groups.
pub(super) fn person_attributes(settings: &Settings) -> Vec<String> {
    let groups = &settings.groups;
    let told =
        groups.kinds.iter().any(|kind| matches!(kind, GroupKind::MemberOf | GroupKind::ActiveDirectory));
    let named = match groups.kinds.as_slice() {
        [GroupKind::MemberOf] => groups.member_attribute.as_deref(),
        _ => None,
    };
    if told { vec![named.unwrap_or("memberOf").to_owned()] } else { Vec::new() }
}

/// Does the entry alone tell every group the person is in, wherever it lies?
pub(super) fn entry_tells_all(settings: &Settings) -> bool {
    settings.groups.kinds == [GroupKind::MemberOf] && !settings.groups.nested
}

/// One list of clauses for each search that the kinds need: what a group matches that has this person.
pub(super) fn clauses_of_person(settings: &Settings, record: &Record) -> Vec<Vec<Filter>> {
    let shown_by_filter = settings.groups.searches.iter().any(|search| search.filter.is_some());
    let kinds = settings.groups.kinds.iter();
    let asked = kinds.map(|kind| match kind {
        // The entry has told; what is left is which of them match the configured filter.
        GroupKind::MemberOf if !shown_by_filter => Vec::new(),
        GroupKind::ActiveDirectory if !shown_by_filter => primary_group(record).into_iter().collect(),
        kind => clauses(settings, *kind, record),
    });
    asked.filter(|clauses| !clauses.is_empty()).collect()
}

/// What any group matches that has this person, for asking one group.
pub(super) fn clauses_of_member(settings: &Settings, record: &Record) -> Vec<Filter> {
    settings.groups.kinds.iter().flat_map(|kind| clauses(settings, *kind, record)).collect()
}

/// One list of clauses for each search that the kinds need: what a group matches that has one of these groups.
pub(super) fn clauses_of_groups(settings: &Settings, groups: &[Dn]) -> Vec<Vec<Filter>> {
    let mut attributes: Vec<&str> =
        settings.groups.kinds.iter().filter_map(|kind| member_attribute(settings, *kind)).collect();
    attributes.sort_unstable();
    attributes.dedup();
    let having =
        |attribute: &str| groups.iter().map(|group| Filter::equal(attribute, group.as_str())).collect();
    attributes.into_iter().map(having).filter(|clauses: &Vec<Filter>| !clauses.is_empty()).collect()
}

/// What any group of the kinds matches, whoever is in it: people have names, too.
pub(super) fn any_group(settings: &Settings) -> Filter {
    let of_kind = |kind: &GroupKind| {
        let class = match kind {
            GroupKind::GroupOfNames | GroupKind::MemberOf => "groupOfNames",
            GroupKind::GroupOfUniqueNames => "groupOfUniqueNames",
            GroupKind::OrganizationalRole => "organizationalRole",
            GroupKind::Posix => "posixGroup",
            GroupKind::ActiveDirectory => "group",
        };
        let members = member_attribute(settings, *kind).map(Filter::present);
        std::iter::once(Filter::equal("objectClass", class)).chain(members)
    };
    super::any(settings.groups.kinds.iter().flat_map(of_kind).collect())
}

/// A group's name where only its place is known: the value of its first part, preferably the configured attribute's.
pub(super) fn name_of(settings: &Settings, group: &Dn) -> String {
    let wanted = &settings.groups.name_attribute;
    let avas = group.rdns().first().map(proto::Rdn::avas).unwrap_or_default();
    let named = avas.iter().find(|ava| ava.attribute().eq_ignore_ascii_case(wanted)).or(avas.first());
    named.and_then(|ava| ava.text()).unwrap_or(group.as_str()).to_owned()
}

fn clauses(settings: &Settings, kind: GroupKind, record: &Record) -> Vec<Filter> {
    if kind == GroupKind::Posix {
        return posix(settings, record).into_iter().collect();
    }
    let attribute = member_attribute(settings, kind);
    let direct = attribute.map(|attribute| Filter::equal(attribute, record.dn.as_str()));
    let primary = if kind == GroupKind::ActiveDirectory { primary_group(record) } else { None };
    direct.into_iter().chain(primary).collect()
}

/// The attribute in which a group of this kind keeps the names of its members.
fn member_attribute(settings: &Settings, kind: GroupKind) -> Option<&str> {
    let own = match kind {
        GroupKind::GroupOfNames => "member",
        GroupKind::GroupOfUniqueNames => "uniqueMember",
        GroupKind::OrganizationalRole => "roleOccupant",
        // Their configured attribute is the person's.
        GroupKind::MemberOf | GroupKind::ActiveDirectory => return Some("member"),
        GroupKind::Posix => return None,
    };
    Some(settings.groups.member_attribute.as_deref().unwrap_or(own))
}

/// RFC 2307: by user name, or by the number of the primary group. The class keeps people out, who carry a `gidNumber`
/// of their own.
fn posix(settings: &Settings, record: &Record) -> Option<Filter> {
    let attribute = settings.groups.member_attribute.as_deref().unwrap_or("memberUid");
    let names = record.attributes.values("uid").iter().map(|uid| Filter::equal(attribute, uid));
    let number =
        record.attributes.values("gidNumber").first().map(|number| Filter::equal("gidNumber", number));
    let either: Vec<_> = names.chain(number).collect();
    let class = Filter::equal("objectClass", "posixGroup");
    (!either.is_empty()).then(|| Filter::And(vec![class, super::any(either)]))
}

/// Active Directory leaves the primary group out of `memberOf`: its SID is the person's with the last number replaced
/// (MS-DTYP 2.4.2.2).
fn primary_group(record: &Record) -> Option<Filter> {
    let number: u32 = record.attributes.text("primaryGroupID")?.trim().parse().ok()?;
    let sid = record.attributes.values("objectSid").first()?;
    let domain = sid.get(..sid.len().checked_sub(4)?).filter(|domain| domain.len() >= 8)?;
    let group = [domain, &number.to_le_bytes()].concat();
    Some(Filter::equal("objectSid", group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;
    use crate::record::Attributes;

    fn settings(kinds: &[GroupKind]) -> Settings {
        let mut settings =
            Settings::preset("main", Vendor::OpenLdap, Dn::parse("dc=example,dc=com").unwrap());
        settings.groups.kinds = kinds.to_vec();
        settings
    }

    fn record(attributes: &[(&str, &[&str])]) -> Record {
        let dn = Dn::parse("uid=a\\,b,dc=example,dc=com").unwrap();
        Record { dn, attributes: Attributes::of(attributes) }
    }

    fn asked(kind: GroupKind, attributes: &[(&str, &[&str])]) -> Vec<String> {
        let clauses = clauses_of_person(&settings(&[kind]), &record(attributes));
        clauses.into_iter().flatten().map(|filter| filter.to_string()).collect()
    }

    #[test]
    fn members_are_asked_for_by_whole_names() {
        let wanted = Filter::equal("member", "uid=a\\,b,dc=example,dc=com").to_string();
        assert_eq!(asked(GroupKind::GroupOfNames, &[]), [wanted]);
    }

    #[test]
    fn posix_groups_are_asked_for_by_name_and_primary_group() {
        let both: &[(&str, &[&str])] = &[("uid", &["alice*"]), ("gidNumber", &["100"])];
        assert_eq!(
            asked(GroupKind::Posix, both),
            ["(&(objectClass=posixGroup)(|(memberUid=alice\\2a)(gidNumber=100)))"]
        );
        assert_eq!(asked(GroupKind::Posix, &[]), [""; 0]);
    }

    #[test]
    fn the_primary_group_of_active_directory_is_its_sid() {
        let mut settings = settings(&[GroupKind::ActiveDirectory]);
        settings.groups.nested = true;
        // S-1-5-21-1-2-3-500; the values happen to be text.
        let sid = "\u{1}\u{5}\0\0\0\0\0\u{5}\u{15}\0\0\0\u{1}\0\0\0\u{2}\0\0\0\u{3}\0\0\0zzzz";
        let record = record(&[("objectSid", &[sid]), ("primaryGroupID", &["513"])]);
        let asked = clauses_of_person(&settings, &record);
        let mut wanted = sid.as_bytes()[..24].to_vec();
        wanted.extend([1, 2, 0, 0]);
        assert_eq!(asked, [[Filter::equal("objectSid", wanted)]]);
    }

    #[test]
    fn member_of_asks_nothing_unless_groups_are_filtered() {
        let mut settings = settings(&[GroupKind::MemberOf]);
        assert!(clauses_of_person(&settings, &record(&[])).is_empty());
        settings.groups.searches[0].filter = Some(Filter::equal("objectClass", "team"));
        assert_eq!(clauses_of_person(&settings, &record(&[])).len(), 1);
    }

    #[test]
    fn a_group_known_by_its_place_is_called_by_its_first_part() {
        let settings = settings(&[GroupKind::MemberOf]);
        let name = |text| name_of(&settings, &Dn::parse(text).unwrap());
        assert_eq!(name("cn=staff,dc=x"), "staff");
        assert_eq!(name("ou=q+CN=both,dc=x"), "both");
        assert_eq!(name("ou=only,dc=x"), "only");
    }
}
