//! Names of groups and members in all their spellings: they mean the same, and nothing in them is expanded.

use ldapgate_auth::{GroupKind, Reason, Rule};
use proto::Dn;

use crate::world::{PEOPLE, World, admitted, dn, group, names, reason};

/// The group, and its member, as a server may write them.
const ODD: &str = r#"
dn: uid=p%s{input},ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: p%s{input}
cn: P
sn: P
userPassword: Odd-Oak-1

dn: cn=100% {username}\, \"a\" \#2,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: 100% {username}, "a" #2
member: UID = P\25S\7Binput} , OU=People,DC=example,DC=com

dn: cn=above %(user)s,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: above %(user)s
member: CN="100% {USERNAME}, \"A\" #2";OU=Groups;DC=example;DC=com
"#;

async fn world() -> World {
    World::with(&format!("{PEOPLE}{ODD}")).await
}

/// The same name, in hexadecimal BER as RFC 4514 section 2.4 has it.
fn in_ber(value: &str) -> Dn {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    dn(&format!("2.5.4.3=#0c{:02x}{hex},ou=groups,dc=example,dc=com", value.len()))
}

#[tokio::test]
async fn a_rule_s_group_is_found_however_it_is_escaped() {
    let world = world().await;
    for spelling in [
        r#"cn=100% {username}\, \"a\" \#2,ou=groups,dc=example,dc=com"#,
        r"CN = 100\25  \7Busername}\2C \22A\22 \232 , OU=Groups, DC=example, DC=com",
        r#"commonName="100% {username}, \"a\" #2",ou=groups,dc=example,dc=com"#,
    ]
    .map(dn)
    .into_iter()
    .chain([in_ber(r#"100% {username}, "a" #2"#)])
    {
        for kind in [GroupKind::GroupOfNames, GroupKind::MemberOf] {
            let directories = world.directories(|settings| {
                settings.groups.kinds = vec![kind];
                settings.deny = Some(Rule::Group(spelling.clone()));
            });
            let refused = reason(&directories, "p%s{input}", "Odd-Oak-1").await;
            assert_eq!(refused, Reason::InDeniedGroup, "{spelling} as {kind:?}");
            admitted(&directories, "alice", "Red-Apple-11").await;
        }
    }
}

#[tokio::test]
async fn percent_signs_and_braces_in_names_are_never_expanded() {
    let world = world().await;
    let directories = world.directories(|settings| {
        settings.groups.nested = true;
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.named = vec![dn("cn={username},ou=other-groups,dc=example,dc=com"), group("above %(user)s")];
    });
    let person = admitted(&directories, "p%s{input}", "Odd-Oak-1").await;
    assert_eq!(names(&person), [r#"100% {username}, "a" #2"#, "above %(user)s"]);
    assert!(person.is_in(&group("above %(user)s")));
}

#[tokio::test]
async fn a_group_without_a_name_counts_and_is_not_shown() {
    let world = World::people().await;
    for (nested, kind) in [(false, GroupKind::GroupOfNames), (true, GroupKind::GroupOfNames)]
        .into_iter()
        .chain([(false, GroupKind::MemberOf), (true, GroupKind::MemberOf)])
    {
        let directories = world.directories(|settings| {
            settings.groups.kinds = vec![kind];
            settings.groups.nested = nested;
            settings.groups.name_attribute = "displayName".to_owned();
            settings.require = Some(Rule::Group(group("staff")));
        });
        let person = admitted(&directories, "bob", "Blue-Boat-22").await;
        assert!(person.groups().is_empty() && person.is_in(&group("staff")), "{kind:?}, nested: {nested}");
    }
}

#[tokio::test]
async fn a_group_is_called_by_its_first_name() {
    let world =
        World::with(&PEOPLE.replace("cn: staff\n", "cn: staff\ndescription: Us\ndescription: We\n")).await;
    for kind in [GroupKind::GroupOfNames, GroupKind::MemberOf] {
        let directories = world.directories(|settings| {
            settings.groups.kinds = vec![kind];
            settings.groups.name_attribute = "description".to_owned();
        });
        assert_eq!(names(&admitted(&directories, "bob", "Blue-Boat-22").await), ["Us"], "{kind:?}");
    }
}
