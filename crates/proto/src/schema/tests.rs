use super::*;
use crate::message::{AddRequest, Change};
use bytes::Bytes;

fn schema(attributes: &[(&str, &[&str])]) -> Schema {
    let builder = attributes
        .iter()
        .fold(Entry::builder("cn=Subschema"), |entry, (name, values)| entry.attribute(name, values.iter()));
    Schema::from_entry(&builder.build())
}

/// A world of a few classes, with a cycle in both kinds of inheritance.
fn small() -> Schema {
    schema(&[
        (
            "attributeTypes",
            &[
                "( 2.5.4.0 NAME 'objectClass' SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )",
                "( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
                "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
                "( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )",
                "( 1.1 NAME 'age' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
                "( 1.2 NAME 'exactAge' SUP age )",
                "( 1.3 NAME 'made' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 NO-USER-MODIFICATION USAGE directoryOperation )",
                "( 1.4 NAME 'madeAgain' SUP made )",
                "( 1.5 NAME 'a' SUP b )",
                "( 1.6 NAME 'b' SUP a )",
                "( 1.7 NAME 'forbidden' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
                "( 1.8 NAME 'extra' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
                "( 1.9 NAME 'nobodys' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
            ],
        ),
        (
            "objectClasses",
            &[
                "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
                "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( forbidden $ age ) )",
                "( 1.20 NAME 'worker' SUP person STRUCTURAL MAY ( surname $ exactAge ) )",
                "( 1.21 NAME 'mailbox' SUP top AUXILIARY MUST extra )",
                "( 1.22 NAME 'round' SUP about )",
                "( 1.23 NAME 'about' SUP round MAY cn )",
                "( 1.3.6.1.4.1.1466.101.120.111 NAME 'extensibleObject' SUP top AUXILIARY )",
            ],
        ),
        ("dITContentRules", &["( 1.20 NAME 'workers' AUX mailbox MUST age NOT forbidden )"]),
    ])
}

fn add(attributes: &[(&str, &[&str])]) -> AddRequest {
    let attributes = attributes.iter().map(|(name, values)| {
        ((*name).to_owned(), values.iter().map(|value| Bytes::copy_from_slice(value.as_bytes())).collect())
    });
    AddRequest { dn: "cn=Ada,dc=example,dc=com".into(), attributes: attributes.collect() }
}

fn told(violations: Vec<Violation>) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn whatever_real_servers_write_is_read() {
    let read = [
        // RFC 4512, to the letter.
        ("( 1.2 NAME ( 'a' 'b' ) DESC 'it\\27s' SUP c )", "( 1.2 NAME ( 'a' 'b' ) DESC 'it\\27s' SUP c )"),
        // Active Directory quotes OIDs, 389 Directory Server has words for them.
        ("( 1.2 NAME 'a' SYNTAX '1.3' SINGLE-VALUE )", "( 1.2 NAME 'a' SYNTAX 1.3 SINGLE-VALUE )"),
        (
            "( a-oid NAME 'a' SYNTAX 1.3{64} X-ORIGIN ( 'x' 'y' ) )",
            "( a-oid NAME 'a' SYNTAX 1.3{64} X-ORIGIN ( 'x' 'y' ) )",
        ),
        // OpenLDAP's configuration numbers its values and names OIDs by macros.
        (
            "{3}( OLcfgDbAt:0.1 NAME 'a' SYNTAX OMsDirectoryString )",
            "( OLcfgDbAt:0.1 NAME 'a' SYNTAX OMsDirectoryString )",
        ),
        // Missing and strange spaces, lower case, no quotes, double quotes, a length behind a quote.
        ("(1.2 NAME'a'DESC'b'SUP c)", "( 1.2 NAME 'a' DESC 'b' SUP c )"),
        (
            "( 1.2 name a desc \"the user's\" syntax '1.3'{ 64 } )",
            "( 1.2 NAME 'a' DESC 'the user\\27s' SYNTAX 1.3{64} )",
        ),
        ("( 1.2 NAME 'a' DESC 'the user's name' SUP c )", "( 1.2 NAME 'a' DESC 'the user\\27s name' SUP c )"),
        ("( 1.2 NAME ( ) DESC '' USAGE DSAOPERATION )", "( 1.2 DESC '' USAGE dSAOperation )"),
        // What nobody documented is kept.
        (
            "( 1.2 NAME 'a' INDEXED X-B ( ) BIG 'c' X-D ( 'e' ) )",
            "( 1.2 NAME 'a' INDEXED X-B ( ) BIG 'c' X-D 'e' )",
        ),
    ];
    for (text, written) in read {
        let attribute: AttributeType = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(attribute.to_string(), written);
        assert_eq!(written.parse::<AttributeType>().unwrap(), attribute, "{written}");
    }
}

#[test]
fn lists_of_classes_are_read_in_all_their_forms() {
    let lists = [
        ("MAY ( cn $ sn $ name )", &["cn", "sn", "name"][..]),
        ("MAY (cn$sn$name )", &["cn", "sn", "name"]),
        ("MAY cn $ sn $ name", &["cn", "sn", "name"]),
        ("MAY ( cn sn name )", &["cn", "sn", "name"]),
        ("MAY ( cn $ sn $ ) MAY name", &["cn", "sn", "name"]),
        ("MAY ( 'cn' $ 'sn' ) X-A 'b'", &["cn", "sn"]),
        ("MAY name MUST x", &["name"]),
        ("MAY cn $ MUST x", &["cn"]),
        ("MAY ( )", &[]),
        ("MAY MUST x", &[]),
    ];
    for (list, expected) in lists {
        let class: ObjectClass =
            format!("( 1.2 NAME 'a' {list} )").parse().unwrap_or_else(|error| panic!("{list}: {error}"));
        assert_eq!(class.may, expected, "{list}");
        assert_eq!(class.to_string().parse::<ObjectClass>().unwrap(), class);
    }
}

#[test]
fn every_other_kind_is_read_and_written() {
    fn same<D: FromStr<Err = DefinitionError> + ToString>(text: &str) {
        let read: D = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.to_string(), text);
    }
    same::<Syntax>("( 1.2 DESC 'Audio' X-NOT-HUMAN-READABLE 'TRUE' )");
    same::<MatchingRule>("( 2.5.13.2 NAME 'caseIgnoreMatch' DESC 'x' OBSOLETE SYNTAX 1.3 )");
    same::<MatchingRuleUse>("( 2.5.13.2 NAME 'caseIgnoreMatch' APPLIES ( cn $ sn ) )");
    same::<ContentRule>("( 1.2 NAME 'a' AUX ( b $ c ) MUST d MAY ( e $ f ) NOT g )");
    same::<StructureRule>("( 2 NAME 'a' FORM b SUP ( 1 3 ) X-A 'b' )");
    same::<NameForm>("( 1.2 NAME 'a' DESC 'd' OC person MUST cn MAY ( ou $ o ) )");
    same::<ObjectClass>("( 1.2 NAME 'a' SUP ( b $ c ) AUXILIARY MUST 'odd name' )");
    assert_eq!(
        "( x NAME 'a' )".parse::<StructureRule>(),
        Err(DefinitionError::Missing { expected: "a rule's number", at: 2 })
    );
}

#[test]
fn what_is_broken_is_told_with_its_place() {
    let broken = [
        ("", "the opening parenthesis is missing at 0"),
        ("2.5.4.3 NAME 'cn'", "the opening parenthesis is missing at 0"),
        ("( )", "an OID is missing at 2"),
        ("( NAME 'cn' )", "an OID is missing at 2"),
        ("( 1.2 NAME 'cn", "the quote at 11 is not closed"),
        ("( 1.2 NAME 'cn'", "a keyword or the closing parenthesis is missing at 15"),
        ("( 1.2 NAME 'cn' ) )", "there is more behind the closing parenthesis, at 18"),
        ("( 1.2 'cn' )", "a keyword or the closing parenthesis is missing at 6"),
        ("( 1.2 NAME ( 'a' ( 'b' ) ) )", "a name is missing at 17"),
        ("( 1.2 USAGE mine )", "a usage is missing at 12"),
        ("( 1.2 NAME '' )", "a name is missing at 11"),
        ("( 1.2 X-A ( ( ) ) )", "a text is missing at 12"),
    ];
    for (text, error) in broken {
        assert_eq!(text.parse::<AttributeType>().unwrap_err().to_string(), error, "{text}");
    }
    let long = format!("( 1.2 DESC '{}' )", "x".repeat(600_000));
    assert!(matches!(long.parse::<AttributeType>(), Err(DefinitionError::TooLong { .. })));
    let many = format!("( 1.2 MAY ( {} ) )", "a ".repeat(30_000));
    assert_eq!(many.parse::<ObjectClass>(), Err(DefinitionError::TooMany { at: 10 }));
    let often = format!("( 1.2 {})", "NAME ( 'ab' 'ab' ) ".repeat(10_001));
    let error = often.parse::<AttributeType>().unwrap_err();
    assert!(matches!(error, DefinitionError::TooMany { .. }), "all lists of a definition together: {error}");
}

#[test]
fn a_broken_definition_is_kept_and_the_rest_is_there() {
    let entry = Entry::builder("cn=x")
        .attribute("ATTRIBUTETYPES", [&b"( 1.2 NAME 'a' )"[..], b"( 1.3 NAME 'b", b"\xff"])
        .attribute("description", ["( 1.4 NAME 'c' )"])
        .build();
    let schema = Schema::from_entry(&entry);
    assert_eq!((schema.len(), schema.broken().len(), schema.is_empty()), (1, 2, false));
    assert_eq!(schema.broken()[0].text, "( 1.3 NAME 'b");
    assert_eq!(schema.broken()[0].attribute, "ATTRIBUTETYPES");
    assert_eq!(schema.broken()[1].error, DefinitionError::NotText);
}

#[test]
fn names_aliases_and_oids_are_found_in_any_case() {
    let schema = small();
    for name in ["cn", "CN", "CommonName", "2.5.4.3", "cn;lang-de"] {
        assert_eq!(schema.attribute_type(name).unwrap().oid, "2.5.4.3", "{name}");
    }
    assert_eq!(schema.object_class("PERSON").unwrap().name(), "person");
    assert_eq!(schema.content_rule("1.20").unwrap().name(), "workers");
    assert!(schema.attribute_type("person").is_none() && schema.object_class("cn").is_none());
    assert_eq!(schema.similar_names("persno"), ["person"]);
    assert!(schema.similar_names("somethingElse").is_empty());
}

#[test]
fn attributes_inherit_and_cycles_end() {
    let schema = small();
    let of = |name| schema.attribute_type(name).unwrap();
    assert_eq!(schema.syntax_of(of("cn")), Some("1.3.6.1.4.1.1466.115.121.1.15"));
    assert_eq!(schema.equality_of(of("cn")), Some("caseIgnoreMatch"));
    assert_eq!((schema.ordering_of(of("cn")), schema.substrings_of(of("cn"))), (None, None));
    assert!(schema.is_single_value(of("exactAge")) && !schema.is_single_value(of("cn")));
    assert_eq!(schema.usage_of(of("madeAgain")), Usage::DirectoryOperation);
    assert_eq!(schema.usage_of(of("cn")), Usage::UserApplications);
    assert_eq!(schema.superior_types(of("a")).len(), 1, "a cycle ends");
    assert_eq!(schema.syntax_of(of("a")), None);
    assert_eq!(schema.subtypes(of("name")).map(AttributeType::name).collect::<Vec<_>>(), ["cn", "sn"]);
    assert_eq!(schema.classes_with(of("cn")).map(ObjectClass::name).collect::<Vec<_>>(), ["person", "about"]);
}

#[test]
fn a_chain_without_end_is_cut_and_costs_little() {
    let types: Vec<String> =
        (0..20_000).map(|at| format!("( 1.{at} NAME 'a{at}' SUP a{} )", at + 1)).collect();
    let classes: Vec<String> =
        (0..20_000).map(|at| format!("( 2.{at} NAME 'c{at}' SUP c{} )", at + 1)).collect();
    let entry =
        Entry::builder("cn=x").attribute("attributeTypes", types).attribute("objectClasses", classes).build();
    let schema = Schema::from_entry(&entry);
    assert!(schema.attribute_types().iter().all(|kind| schema.superior_types(kind).len() <= 32));
    assert_eq!(schema.superior_classes(schema.object_class("c0").unwrap()).len(), 19_999);
}

#[test]
fn classes_inherit_and_the_content_rule_has_its_say() {
    let schema = small();
    let worker = schema.object_class("worker").unwrap();
    let above: Vec<_> = schema.superior_classes(worker).into_iter().map(ObjectClass::name).collect();
    assert_eq!(above, ["person", "top"]);
    let person = schema.attributes_of(["person"]);
    assert_eq!(
        (&person.must[..], &person.may[..]),
        (&["sn", "cn", "objectClass"].map(str::to_owned)[..], &["forbidden", "age"].map(str::to_owned)[..])
    );

    let allowed = schema.attributes_of(["top", "person", "worker", "nothing"]);
    assert_eq!(allowed.must, ["objectClass", "sn", "cn", "age"], "the content rule adds age");
    assert_eq!(
        allowed.may,
        ["exactAge", "extra"],
        "surname is sn, which is required; mailbox is allowed, forbidden is not"
    );
    assert_eq!(allowed.unknown, ["nothing"]);
    assert!(!allowed.anything && schema.attributes_of(["person", "EXTENSIBLEOBJECT"]).anything);
    assert_eq!(schema.structural_class(["top", "person", "worker"]).unwrap().name(), "worker");

    let round = schema.object_class("round").unwrap();
    assert_eq!(schema.superior_classes(round).len(), 1, "a cycle ends");
    assert_eq!(schema.attributes_of(["round"]).may, ["cn"]);
    assert_eq!(schema.subclasses(person_of(&schema)).map(ObjectClass::name).collect::<Vec<_>>(), ["worker"]);
}

fn person_of(schema: &Schema) -> &ObjectClass {
    schema.object_class("person").unwrap()
}

#[test]
fn everything_that_is_wrong_with_a_new_entry_is_told_at_once() {
    let wrong = small().check_add(&add(&[
        ("objectClass", &["person"]),
        ("sn", &[]),
        ("age", &["old", "12"]),
        ("nmae", &["x"]),
        ("nobodys", &["x"]),
        ("made", &["20260101000000Z"]),
    ]));
    assert_eq!(
        told(wrong),
        [
            "attribute age may have one value, not 2",
            "value 1 of attribute age is no whole number",
            "attribute nmae is not defined: name?",
            "attribute made is written by the server only",
            "attribute sn has no value",
            "attribute nobodys is not allowed by the object classes",
        ]
    );
}

#[test]
fn a_good_entry_has_nothing_wrong() {
    let schema = small();
    let fine = add(&[("objectClass", &["top", "person"]), ("surname", &["L"]), ("CN;lang-de", &["Ada"])]);
    assert_eq!(schema.check_add(&fine), []);
    let anything =
        add(&[("objectClass", &["person", "extensibleObject"]), ("sn", &["L"]), ("nobodys", &["x"])]);
    assert_eq!(schema.check_add(&anything), []);
    let entry = Entry::builder("cn=Ada")
        .attribute("objectClass", ["person"])
        .attribute("sn", ["L"])
        .attribute("made", ["20260101000000Z"])
        .build();
    assert_eq!(schema.check_entry(&entry), [], "the server may have written what is its own");
}

#[test]
fn classes_that_are_missing_or_unknown_are_told() {
    let schema = small();
    assert_eq!(told(schema.check_add(&add(&[("sn", &["L"])]))), ["attribute objectClass is missing"]);
    let unknown = add(&[("objectClass", &["person", "persson"]), ("nobodys", &["x"])]);
    assert_eq!(
        told(schema.check_add(&unknown)),
        [
            "object class persson is not defined: person?",
            "attribute sn is missing, which its object classes require"
        ],
        "what an unknown class allows is not known"
    );
}

#[test]
fn changes_are_judged_by_themselves() {
    let wrong = small().check_changes(&[
        Change::replace("age", ["1", "2"]),
        Change::add("cn", [""]),
        Change::delete("cn", [""]),
        Change::delete("nmae", ["x"]),
        Change::delete_all("made"),
        Change::add("sn", [""; 0]),
        Change::replace("forbidden", [""; 0]),
    ]);
    assert_eq!(
        told(wrong),
        [
            "attribute age may have one value, not 2",
            "value 1 of attribute cn is no text",
            "attribute nmae is not defined: name?",
            "attribute made is written by the server only",
            "attribute sn has no value",
        ]
    );
}

#[test]
fn values_are_read_by_syntax_and_by_well_known_names() {
    use crate::value::Kind;
    let schema = schema(&[(
        "attributeTypes",
        &[
            "( 1.1 NAME 'objectSid' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
            "( 1.2 NAME 'pwdLastSet' SYNTAX 1.2.840.113556.1.4.906 )",
            "( 1.3 NAME 'siteGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
            "( 1.4 NAME 'age' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )",
        ],
    )]);
    assert_eq!(schema.kind("objectSid"), Kind::Sid);
    assert_eq!(schema.kind("PWDLASTSET"), Kind::FileTime);
    assert_eq!(schema.kind("siteGUID"), Kind::Text, "this server keeps it as text");
    assert_eq!(schema.kind("age;binary"), Kind::Octets);
    assert_eq!(schema.kind("whenCreated"), Kind::GeneralizedTime, "not in the schema, but well known");
    assert_eq!(schema.kind("anything"), Kind::Any);
    assert_eq!(schema.value("age", b"7").as_integer(), Some(7));
}

fn any_definition(text: &str) {
    if let Ok(read) = text.parse::<AttributeType>() {
        assert_eq!(read.to_string().parse::<AttributeType>(), Ok(read), "{text}");
    }
    if let Ok(read) = text.parse::<ObjectClass>() {
        assert_eq!(read.to_string().parse::<ObjectClass>(), Ok(read), "{text}");
    }
    if let Ok(read) = text.parse::<StructureRule>() {
        assert_eq!(read.to_string().parse::<StructureRule>(), Ok(read), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text: String, bytes: Vec<u8>) {
        any_definition(&text);
        let _ = Schema::from_entry(&Entry::builder("cn=x").attribute("attributeTypes", [&bytes]).build());
    }

    #[test]
    fn whatever_is_read_comes_back_from_what_is_written(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "(", ")", "$", "'", "'a'", "'b c'", "\\27", "\\5c", "\\", "\"d\"", "{64}", "{", "}", "1.2.3", "NAME", "DESC", "SUP",
                "SYNTAX", "MUST", "MAY", "USAGE", "userApplications", "X-A", "X-B", "ODD", "name", "it's", "ü", "7", "OBSOLETE", " ",
            ]),
            0..20,
        )
    ) {
        any_definition(&format!("( 1 {} )", words.join(" ")));
        any_definition(&format!("(1{})", words.concat()));
    }
}
