//! What each kind of group asks for.

use proto::value::Sid;
use proto::{Dn, Filter};

use crate::Settings;
use crate::record::{Attributes, Record};
use crate::settings::GroupKind;

/// Where Active Directory keeps the identifier of a person or a group.
pub(super) const SID: &str = "objectSid";

/// Do the groups that a person's entry told of still have to be asked for?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Their places tell what they are called, and that they are shown.
    Known,
    /// Not of all of them is it known how they are called, or whether they are shown.
    Missing,
}

/// Attributes of a person's entry that the kinds need.
pub(crate) fn attributes(settings: &Settings) -> Vec<String> {
    let told = person_attribute(settings).map(str::to_owned);
    let of_kind = |kind: &GroupKind| -> &[&str] {
        match kind {
            GroupKind::Posix => &["uid", "gidNumber"],
            GroupKind::ActiveDirectory => &[SID, "primaryGroupID"],
            _ => &[],
        }
    };
    let needed = settings.groups.kinds.iter().flat_map(of_kind).map(|name| (*name).to_owned());
    let own = settings.groups.custom.iter().flat_map(|own| own.attributes());
    told.into_iter().chain(needed).chain(own).collect()
}

/// Attributes of a group's entry that are read.
pub(super) fn group_attributes(settings: &Settings) -> Vec<String> {
    let mut wanted = vec![settings.groups.name_attribute.clone()];
    if has_identifiers(settings) {
        wanted.push(SID.to_owned());
    }
    wanted
}

/// The attribute of a person's entry whose values are groups.
pub(crate) fn person_attribute(settings: &Settings) -> Option<&str> {
    let groups = &settings.groups;
    let told =
        groups.kinds.iter().any(|kind| matches!(kind, GroupKind::MemberOf | GroupKind::ActiveDirectory));
    let named = match groups.kinds.as_slice() {
        [GroupKind::MemberOf] => groups.member_attribute.as_deref(),
        _ => None,
    };
    told.then_some(named.unwrap_or("memberOf"))
}

/// Does the entry alone tell every group the person is in, wherever it lies?
pub(super) fn entry_tells_all(settings: &Settings) -> bool {
    let groups = &settings.groups;
    groups.kinds == [GroupKind::MemberOf] && groups.custom.is_empty() && !groups.nested
}

/// Are all groups those of Active Directory, which tells them by their identifiers?
pub(super) fn has_identifiers(settings: &Settings) -> bool {
    settings.groups.kinds == [GroupKind::ActiveDirectory] && settings.groups.custom.is_empty()
}

/// One list of clauses for each search that the kinds need: what a group matches that has this person and is not told of
/// in the person's entry.
pub(super) fn clauses_of_person(settings: &Settings, record: &Record) -> Vec<Vec<Filter>> {
    let kinds = settings.groups.kinds.iter();
    let asked = kinds.map(|kind| match kind {
        GroupKind::MemberOf => Vec::new(),
        GroupKind::ActiveDirectory => primary(record).into_iter().collect(),
        kind => clauses(settings, *kind, record),
    });
    asked.filter(|clauses| !clauses.is_empty()).collect()
}

/// What any group of the kinds matches that has this person.
pub(super) fn clauses_of_member(settings: &Settings, record: &Record) -> Vec<Filter> {
    settings.groups.kinds.iter().flat_map(|kind| clauses(settings, *kind, record)).collect()
}

/// What any group of the kinds matches that has one of these groups.
pub(super) fn clauses_of_groups<'d>(
    settings: &Settings,
    groups: impl Iterator<Item = &'d Dn>,
) -> Vec<Filter> {
    let attributes = member_attributes(settings);
    let having = |group: &'d Dn| {
        let clauses = attributes.iter().map(|attribute| Filter::equal(*attribute, group.as_str()));
        clauses.collect::<Vec<_>>()
    };
    groups.flat_map(having).collect()
}

/// The attributes in which groups list groups, each once.
pub(crate) fn member_attributes(settings: &Settings) -> Vec<&str> {
    let groups = &settings.groups;
    let kinds = groups.kinds.iter().filter_map(|kind| member_attribute(settings, *kind));
    let own = groups.custom.iter().filter_map(|own| own.member_attribute());
    let mut attributes: Vec<&str> = kinds.chain(own).collect();
    attributes.sort_unstable();
    attributes.dedup();
    attributes
}

/// Those of them in which people are looked for: the others' people tell it themselves.
pub(super) fn attributes_of_people(settings: &Settings) -> Vec<&str> {
    let tells = |kind: &&GroupKind| matches!(kind, GroupKind::MemberOf | GroupKind::ActiveDirectory);
    let kinds = settings.groups.kinds.iter().filter(|kind| !tells(kind));
    kinds.filter_map(|kind| member_attribute(settings, *kind)).collect()
}

/// The attribute in which a posix group keeps the user names of its members.
pub(super) fn posix_attribute(settings: &Settings) -> &str {
    settings.groups.member_attribute.as_deref().unwrap_or("memberUid")
}

/// What any group of the kinds matches, whoever is in it: people have names, too.
pub(crate) fn any_group(settings: &Settings) -> Filter {
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
    super::walk::any(settings.groups.kinds.iter().flat_map(of_kind).collect())
}

/// A group's name where only its place is known, and the place tells it.
pub(super) fn name_of(settings: &Settings, group: &Dn) -> Option<String> {
    let wanted = &settings.groups.name_attribute;
    let mut avas = group.rdns().first()?.avas().iter();
    Some(avas.find(|ava| ava.attribute().eq_ignore_ascii_case(wanted))?.text()?.to_owned())
}

fn clauses(settings: &Settings, kind: GroupKind, record: &Record) -> Vec<Filter> {
    if kind == GroupKind::Posix {
        return posix(settings, record).into_iter().collect();
    }
    let attribute = member_attribute(settings, kind);
    let direct = attribute.map(|attribute| Filter::equal(attribute, record.dn.as_str()));
    let primary = if kind == GroupKind::ActiveDirectory { primary(record) } else { None };
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
    let attribute = posix_attribute(settings);
    let names = record.attributes.values("uid").iter().map(|uid| Filter::equal(attribute, uid));
    let number =
        record.attributes.values("gidNumber").first().map(|number| Filter::equal("gidNumber", number));
    let either: Vec<_> = names.chain(number).collect();
    let class = Filter::equal("objectClass", "posixGroup");
    (!either.is_empty()).then(|| Filter::And(vec![class, super::walk::any(either)]))
}

/// Active Directory leaves the primary group out of `memberOf` and `member`: it has the person's identifier with another
/// last number.
pub(super) fn primary_group(record: &Record) -> Option<Sid> {
    let number: u32 = record.attributes.text("primaryGroupID")?.trim().parse().ok()?;
    sid_of(&record.attributes)?.sibling(number)
}

/// The identifier that an entry shows.
pub(super) fn sid_of(attributes: &Attributes) -> Option<Sid> {
    Sid::from_wire(attributes.values(SID).first()?).ok()
}

fn primary(record: &Record) -> Option<Filter> {
    Some(Filter::equal(SID, primary_group(record)?.to_wire()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;

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
    fn member_of_is_told_by_the_entry() {
        assert!(clauses_of_person(&settings(&[GroupKind::MemberOf]), &record(&[])).is_empty());
    }

    #[test]
    fn a_level_asks_for_each_attribute_once() {
        let settings = settings(&[
            GroupKind::MemberOf,
            GroupKind::GroupOfNames,
            GroupKind::Posix,
            GroupKind::GroupOfUniqueNames,
        ]);
        assert_eq!(member_attributes(&settings), ["member", "uniqueMember"]);
    }

    #[test]
    fn a_group_known_by_its_place_is_called_what_its_place_says() {
        let settings = settings(&[GroupKind::MemberOf]);
        let name = |text| name_of(&settings, &Dn::parse(text).unwrap());
        assert_eq!(name("cn=staff,dc=x").as_deref(), Some("staff"));
        assert_eq!(name("ou=q+CN=both,dc=x").as_deref(), Some("both"));
        assert_eq!(name("ou=only,dc=x"), None);
    }
}
