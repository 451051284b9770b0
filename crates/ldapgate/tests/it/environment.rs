//! The environment, laid over the file.

use crate::{SMALL, origin, parse_with, value, with};

fn refused(text: &str, environment: &[(&str, &str)]) -> String {
    parse_with(text, environment).err().unwrap_or_else(|| panic!("{environment:?} was taken")).to_string()
}

#[test]
fn the_environment_beats_the_file() {
    let text = with("[session]\nidle = \"20m\"\n");
    let config = parse_with(&text, &[("LDAPGATE_SESSION__IDLE", "10m")]).expect("good");
    assert_eq!(value(&config, "session.idle"), "\"10m\"");
    assert_eq!(origin(&config, "session.idle"), "LDAPGATE_SESSION__IDLE");
}

#[test]
fn text_is_taken_verbatim_and_everything_else_as_toml() {
    let environment = [
        ("LDAPGATE_TOKEN__ISSUER", "\"quoted\" # and so on"),
        ("LDAPGATE_LOGIN__BASIC", "true"),
        ("LDAPGATE_DIRECTORY__PAGE_SIZE", "50"),
        ("LDAPGATE_DIRECTORY__DOMAINS", "[\"a.example\", 'b']"),
        ("LDAPGATE_LOGIN__THROTTLE", "{ person = 3 }"),
        ("LDAPGATE_LOGIN__THROTTLE__ADDRESS", "7"),
        ("LDAPGATE_DIRECTORY__URL", "ldaps://ldap.example.com"),
        ("LDAPGATE_DIRECTORY__PROFILE__FIELDS__EMAIL", "mail"),
        ("LDAPGATE_DIRECTORY__ACCESS__DENY", "cn=out,ou=groups,dc=example,dc=com"),
        ("LDAPGATE_DIRECTORY__ACCESS__REQUIRE", "{ not = \"cn=in,dc=example,dc=com\" }"),
        ("LDAPGATE_PERMISSIONS__STAFF", "[\"reports.view\"]"),
        ("LDAPGATE_DIRECTORY__PERMISSIONS__MIRROR_GROUPS", "[\"staff\"]"),
        ("LDAPGATE_DIRECTORY__TLS__SYSTEM_ROOTS", "false"),
        ("LDAPGATE_DIRECTORY__TLS__DANGER_ACCEPT_INVALID_CERTIFICATES", "true"),
        ("LDAPGATE_CONFIG", "ignored here"),
        ("LDAPGATE_SERVICE_PORT", "a name with single underscores is none of ours"),
    ];
    let config = parse_with(SMALL, &environment).unwrap_or_else(|error| panic!("{error}"));
    for (key, expected) in [
        ("token.issuer", "'\"quoted\" # and so on'"),
        ("login.basic", "true"),
        ("directory.main.page_size", "50"),
        ("directory.main.domains", "[\"a.example\", \"b\"]"),
        ("login.throttle.person", "3"),
        ("login.throttle.address", "7"),
        ("directory.main.url", "[\"ldaps://ldap.example.com\"]"),
        ("directory.main.profile.fields.email", "\"mail\""),
        ("directory.main.access.deny", "\"cn=out,ou=groups,dc=example,dc=com\""),
        ("directory.main.permissions.mirror_groups", "[\"staff\"]"),
        ("permissions.staff", "[\"reports.view\"]"),
    ] {
        assert_eq!(value(&config, key), expected, "{key}");
    }
}

#[test]
fn a_list_of_directories_is_addressed_by_name() {
    let text = "\
[[directory]]
name = \"staff\"
preset = \"openldap\"
url = \"ldap://localhost:1\"
base = \"dc=staff\"

[[directory]]
name = \"corp-ad\"
preset = \"active-directory\"
url = \"ldap://localhost:2\"
base = \"dc=corp\"
";
    let environment = [
        ("LDAPGATE_DIRECTORY__CORP_AD__URL", "ldap://localhost:3"),
        ("LDAPGATE_DIRECTORY__STAFF__POOL__PROVE", "2"),
    ];
    let config = parse_with(text, &environment).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.directories(), ["staff", "corp-ad"]);
    assert_eq!(value(&config, "directory.corp-ad.url"), "[\"ldap://localhost:3\"]");
    assert_eq!(value(&config, "directory.staff.url"), "[\"ldap://localhost:1\"]");
    assert_eq!(value(&config, "directory.staff.pool.prove"), "2");
    for name in ["LDAPGATE_DIRECTORY__URL", "LDAPGATE_DIRECTORY__OTHER__URL"] {
        let expected = format!(
            "{name}: a list of directories is addressed by name, as in LDAPGATE_DIRECTORY__STAFF__URL; there are staff, corp-ad"
        );
        assert_eq!(refused(text, &[(name, "ldap://localhost:3")]), expected);
    }
}

#[test]
fn one_directory_may_be_addressed_by_name_too() {
    let config = parse_with(SMALL, &[("LDAPGATE_DIRECTORY__MAIN__URL", "ldap://localhost:9")]).expect("good");
    assert_eq!(value(&config, "directory.main.url"), "[\"ldap://localhost:9\"]");
}

#[test]
fn the_environment_alone_is_a_configuration() {
    let environment = [
        ("LDAPGATE_DIRECTORY__PRESET", "lldap"),
        ("LDAPGATE_DIRECTORY__URL", "ldap://127.0.0.1:3890"),
        ("LDAPGATE_DIRECTORY__BASE", "dc=example,dc=com"),
    ];
    let config = parse_with("", &environment).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&config, "directory.main.user.base"), "\"ou=people,dc=example,dc=com\"");
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    for (name, text, expected) in [
        ("LDAPGATE_SESSION__IDDLE", "10m", "unknown key \"iddle\" in [session]; did you mean \"idle\"?"),
        ("LDAPGATE_SESION__IDLE", "10m", "there is no section [sesion]; did you mean \"session\"?"),
        (
            "LDAPGATE_SESSION__IDLE",
            "ten",
            "idle: \"ten\" is no duration: write a number and ms, s, m, h or d, as in \"30s\" or \"12h\"",
        ),
        ("LDAPGATE_LOGIN__BASIC", "\"yes\"", "basic is true or false, not text"),
        ("LDAPGATE_SESSION__IDLE__MORE", "1", "idle is text in quotes, not a table"),
        (
            "LDAPGATE_SESSION__",
            "1",
            "a name has parts between its double underscores, as in LDAPGATE_SESSION__IDLE",
        ),
    ] {
        assert_eq!(refused(SMALL, &[(name, text)]), format!("{name}: {expected}"));
    }
    let broken = refused(SMALL, &[("LDAPGATE_LOGIN__BASIC", "yes")]);
    assert!(broken.starts_with("LDAPGATE_LOGIN__BASIC: cannot be read as TOML: "), "{broken}");
}
