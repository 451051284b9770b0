//! The schemas and root entries of real servers.

use ldapgate_proto::schema::{ClassKind, Usage};
use ldapgate_proto::value::Kind;
use ldapgate_proto::{Entry, Schema, oid};

const OPENLDAP: &str = include_str!("fixtures/schema/openldap.ldif");
const DS389: &str = include_str!("fixtures/schema/ds389.ldif");
const SAMBA: &str = include_str!("fixtures/schema/samba.ldif");

/// The fixtures are LDIF of the simplest kind: nothing is folded and nothing is base64.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "))
}

fn subschema(text: &str) -> Entry {
    let builder = lines(text)
        .fold(Entry::builder("cn=Subschema"), |entry, (name, value)| entry.attribute(name, [value]));
    builder.build()
}

fn schema(text: &str) -> Schema {
    Schema::from_entry(&subschema(text))
}

fn counts(schema: &Schema) -> [usize; 6] {
    [
        schema.attribute_types().len(),
        schema.object_classes().len(),
        schema.syntaxes().len(),
        schema.matching_rules().len(),
        schema.matching_rule_uses().len(),
        schema.content_rules().len(),
    ]
}

#[test]
fn every_definition_of_three_servers_is_read() {
    for (text, expected) in [
        (OPENLDAP, [357, 86, 33, 38, 31, 0]),
        (DS389, [1015, 200, 26, 33, 0, 0]),
        (SAMBA, [0, 34, 0, 0, 0, 0]),
    ] {
        let schema = schema(text);
        assert_eq!(schema.broken(), []);
        let found = counts(&schema);
        let differs = found.iter().zip(expected).any(|(found, expected)| expected > 0 && *found != expected);
        assert!(!differs, "{found:?}");
    }
}

#[test]
fn what_is_written_back_is_read_as_the_same() {
    for text in [OPENLDAP, DS389, SAMBA] {
        let schema = schema(text);
        let mut entry = Entry::builder("cn=Subschema");
        for kind in schema.attribute_types() {
            entry = entry.attribute("attributeTypes", [kind.to_string()]);
        }
        for class in schema.object_classes() {
            entry = entry.attribute("objectClasses", [class.to_string()]);
        }
        for rule in schema.content_rules() {
            entry = entry.attribute("dITContentRules", [rule.to_string()]);
        }
        let again = Schema::from_entry(&entry.build());
        assert_eq!(again.attribute_types(), schema.attribute_types());
        assert_eq!(again.object_classes(), schema.object_classes());
        assert_eq!(again.content_rules(), schema.content_rules());
    }
}

/// It alone writes as the RFC does; the others' spaces, quotes and parentheses are their own.
#[test]
fn openldaps_definitions_are_written_as_it_writes_them() {
    let schema = schema(OPENLDAP);
    let written: Vec<String> = schema.attribute_types().iter().map(ToString::to_string).collect();
    let given = lines(OPENLDAP).filter(|(name, _)| *name == "attributeTypes").map(|(_, value)| value);
    assert_eq!(written, given.collect::<Vec<_>>());
}

#[test]
fn inet_org_person_has_what_rfc_2798_says() {
    for text in [OPENLDAP, DS389] {
        let schema = schema(text);
        let person = schema.object_class("inetOrgPerson").unwrap();
        let above: Vec<_> = schema.superior_classes(person).into_iter().map(|class| class.name()).collect();
        assert_eq!(above, ["organizationalPerson", "person", "top"]);
        let allowed = schema.attributes_of(["inetOrgPerson"]);
        let mut must = allowed.must.clone();
        must.sort();
        assert_eq!(must, ["cn", "objectClass", "sn"]);
        for name in ["mail", "userCertificate", "telephoneNumber", "title", "jpegPhoto", "uid"] {
            assert!(allowed.may.iter().any(|may| may.eq_ignore_ascii_case(name)), "{name}");
        }
    }
}

#[test]
fn an_active_directory_user_has_its_auxiliary_classes_attributes() {
    let schema = schema(SAMBA);
    let user = schema.attributes_of(["top", "person", "organizationalPerson", "user"]);
    for name in
        ["sAMAccountName", "objectSid", "cn", "instanceType", "objectCategory", "nTSecurityDescriptor"]
    {
        assert!(user.must.iter().any(|must| must == name), "{name}");
    }
    for name in ["mail", "uidNumber", "shadowExpire", "altSecurityIdentities", "pwdLastSet", "memberOf"] {
        assert!(user.may.iter().any(|may| may == name), "{name}");
    }
    let computer = schema.attributes_of(["computer"]);
    for name in ["sAMAccountName", "objectSid", "uidNumber", "dNSHostName", "ipHostNumber"] {
        assert!(computer.may.iter().any(|may| may == name), "{name}");
    }
    let computer = schema.structural_class(["top", "person", "organizationalPerson", "user", "computer"]);
    assert_eq!(computer.unwrap().name(), "computer");
    assert_eq!(schema.object_class("posixAccount").unwrap().kind(), ClassKind::Auxiliary);
}

#[test]
fn syntax_usage_and_single_value_are_those_of_the_servers() {
    let openldap = schema(OPENLDAP);
    let cn = openldap.attribute_type("cn").unwrap();
    assert_eq!(openldap.syntax_of(cn), Some("1.3.6.1.4.1.1466.115.121.1.15"));
    assert_eq!(openldap.equality_of(cn), Some("caseIgnoreMatch"));
    let created = openldap.attribute_type("createTimestamp").unwrap();
    assert!(openldap.is_single_value(created) && created.no_user_modification);
    assert_eq!(openldap.usage_of(created), Usage::DirectoryOperation);
    assert_eq!(schema(DS389).attribute_type("NSVENDOR").unwrap().oid, "nsVendor-oid");
}

#[test]
fn values_are_read_as_each_server_means_them() {
    let openldap = schema(OPENLDAP);
    let kinds = [
        ("cn", Kind::Text),
        ("mail", Kind::Ia5),
        ("uidNumber", Kind::Integer),
        ("createTimestamp", Kind::GeneralizedTime),
        ("entryUUID", Kind::Uuid),
        ("member", Kind::Dn),
        ("uniqueMember", Kind::NameAndUid),
        ("postalAddress", Kind::PostalAddress),
        ("telephoneNumber", Kind::Telephone),
        ("objectClass", Kind::Oid),
        ("jpegPhoto", Kind::Octets),
        ("hasSubordinates", Kind::Boolean),
    ];
    for (name, kind) in kinds {
        assert_eq!(openldap.kind(name), kind, "{name}");
    }
    let samba = schema(SAMBA);
    let kinds = [
        ("objectGUID", Kind::Guid),
        ("objectSid", Kind::Sid),
        ("pwdLastSet", Kind::FileTime),
        ("lockoutDuration", Kind::Interval),
        ("uSNChanged", Kind::Integer),
        ("whenCreated", Kind::GeneralizedTime),
        ("wellKnownObjects", Kind::DnWithBinary),
        ("nTSecurityDescriptor", Kind::Octets),
        ("isDeleted", Kind::Boolean),
        ("member", Kind::Dn),
    ];
    for (name, kind) in kinds {
        assert_eq!(samba.kind(name), kind, "{name}");
    }
}

#[test]
fn every_syntax_and_matching_rule_of_the_servers_has_a_name() {
    for text in [OPENLDAP, DS389] {
        let schema = schema(text);
        let oids = schema.syntaxes().iter().map(|syntax| &syntax.oid);
        for oid in oids.chain(schema.matching_rules().iter().map(|rule| &rule.oid)) {
            assert!(oid::find(oid).is_some(), "{oid}");
        }
        for rule in schema.matching_rules() {
            let known = oid::find(&rule.oid).unwrap();
            let named = known.kind == oid::Kind::MatchingRule;
            assert!(named && (known.name == rule.name() || known.source.starts_with("MS-ADTS")), "{rule}");
        }
    }
}
