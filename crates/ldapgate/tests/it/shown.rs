//! A configuration in which every key differs from its default, read back value by value.

use std::collections::BTreeMap;

use ldapgate::Config;

use crate::{parse, value, with};

const FULL: &str = r##"
[[directory]]
name = "staff"
preset = "rfc2307bis"
url = ["ldaps://a.example.com", "ldaps://b.example.com:1636"]
base = "dc=example,dc=com"
domains = ["corp.example.com", "CORP"]
balance = "round-robin"
start_tls = true
allow_cleartext = true
bind_dn = "cn=reader,dc=example,dc=com"
bind_password_file = "reader"
connect_timeout = "1500ms"
timeout = "7s"
page_size = 100

[directory.tls]
ca_files = ["ca.crt"]
system_roots = true
server_name = "ldap.example.com"
client_cert = "client.crt"
client_key = "client.key"
min_version = "1.3"
danger_accept_invalid_certificates = true

[directory.pool]
lookup = 2
prove = 3
idle = "1m"
max_age = "2h"

[directory.user]
base = "ou=people,dc=example,dc=com"
scope = "one"
match = ["uid", "mail"]
filter = "(objectClass=person)"
search = [{ base = "ou=a,dc=example,dc=com" }, { scope = "base", filter = "(uid={username})" }]
attributes = ["title", "*", "+"]
id_attribute = "uidNumber"
username_attribute = "cn"
bind_as_user = true

[directory.groups]
kind = ["member-of"]
base = "ou=groups,dc=example,dc=com"
scope = "base"
filter = "(cn=a*)"
search = [{ base = "ou=b,dc=example,dc=com", scope = "one", filter = "(cn=b)" }]
member_attribute = "owner"
name_attribute = "description"
nested = true

[directory.access]
require = { all = ["cn=enabled,dc=example,dc=com", { not = "cn=interns,dc=example,dc=com" }] }
deny = ["cn=disabled,dc=example,dc=com", { directory = "staff", group = "cn=left,dc=example,dc=com" }]

[directory.profile]
fields = { first_name = "givenName", email = "mail" }
lists = { phones = "telephoneNumber" }
flags = { is_staff = "cn=staff,dc=example,dc=com" }
update_on_login = false
create_users = false
local_name = "{username}@staff"

[directory.permissions]
from_groups = true
mirror_groups = ["staff", "it"]
mirror_groups_except = ["it"]

[directory.password]
change = "off"

[[directory]]
name = "partners"
preset = "custom"
url = "ldapi:///"
base = "o=partners"

[directory.user]
dn_template = "uid={username},o=partners"
filter = "(uid={username})"
id_attribute = "employeeNumber"
bind_as_user = true
refresh_dn_after_bind = true

[permissions]
staff = ["reports.view", "reports.edit"]
"cn=it,ou=groups,dc=example,dc=com" = ["all"]
"partners:cn=all,o=partners" = ["reports.view"]

[login]
fold_username = "keep"
deadline = "9s"
throttle = { person = 5, address = 0, window = "1h" }
show_account_state = false
basic = true

[store]
url = "memory:"

[session]
idle = "1h"
absolute = "1d"
remember_me = "30d"
cookie = "sid"

[token]
lifetime = "10m"
max_lifetime = "20m"
algorithm = "EdDSA"
path = "/tokens/v1"
issuer = "us"
audience = "them"
key_file = "token.key"
legacy = true
secret_key_file = "secret"

[http]
listen = "[::1]:9090"
public_url = "https://Login.example.com/"
trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
tls = { cert = "server.crt", key = "server.key" }
theme_dir = "theme"

[audit]
keep = "30d"

[log]
format = "json"
level = "info,ldapgate_auth=debug"
"##;

const EXPECTED: &[(&str, &str)] = &[
    ("directory.staff.preset", "\"rfc2307bis\""),
    ("directory.staff.url", "[\"ldaps://a.example.com\", \"ldaps://b.example.com:1636\"]"),
    ("directory.staff.domains", "[\"corp.example.com\", \"CORP\"]"),
    ("directory.staff.balance", "\"round-robin\""),
    ("directory.staff.start_tls", "true"),
    ("directory.staff.allow_cleartext", "true"),
    ("directory.staff.bind_dn", "\"cn=reader,dc=example,dc=com\""),
    ("directory.staff.bind_password_file", "\"reader\""),
    ("directory.staff.connect_timeout", "\"1500ms\""),
    ("directory.staff.timeout", "\"7s\""),
    ("directory.staff.page_size", "100"),
    ("directory.staff.tls.ca_files", "[\"ca.crt\"]"),
    ("directory.staff.tls.system_roots", "true"),
    ("directory.staff.tls.server_name", "\"ldap.example.com\""),
    ("directory.staff.tls.client_cert", "\"client.crt\""),
    ("directory.staff.tls.client_key", "\"client.key\""),
    ("directory.staff.tls.min_version", "\"1.3\""),
    ("directory.staff.tls.danger_accept_invalid_certificates", "true"),
    ("directory.staff.pool.lookup", "2"),
    ("directory.staff.pool.prove", "3"),
    ("directory.staff.pool.idle", "\"1m\""),
    ("directory.staff.pool.max_age", "\"2h\""),
    ("directory.staff.user.base", "\"ou=people,dc=example,dc=com\""),
    ("directory.staff.user.scope", "\"one\""),
    ("directory.staff.user.match", "[\"uid\", \"mail\"]"),
    ("directory.staff.user.filter", "\"(objectClass=person)\""),
    (
        "directory.staff.user.search",
        "[{ base = \"ou=a,dc=example,dc=com\" }, { filter = \"(uid={username})\", scope = \"base\" }]",
    ),
    ("directory.staff.user.attributes", "[\"title\", \"*\", \"+\"]"),
    ("directory.staff.user.id_attribute", "\"uidNumber\""),
    ("directory.staff.user.username_attribute", "\"cn\""),
    ("directory.staff.user.bind_as_user", "true"),
    ("directory.staff.groups.kind", "[\"member-of\"]"),
    ("directory.staff.groups.base", "\"ou=groups,dc=example,dc=com\""),
    ("directory.staff.groups.scope", "\"base\""),
    ("directory.staff.groups.filter", "\"(cn=a*)\""),
    (
        "directory.staff.groups.search",
        "[{ base = \"ou=b,dc=example,dc=com\", filter = \"(cn=b)\", scope = \"one\" }]",
    ),
    ("directory.staff.groups.member_attribute", "\"owner\""),
    ("directory.staff.groups.name_attribute", "\"description\""),
    ("directory.staff.groups.nested", "true"),
    (
        "directory.staff.access.require",
        "{ all = [\"cn=enabled,dc=example,dc=com\", { not = \"cn=interns,dc=example,dc=com\" }] }",
    ),
    (
        "directory.staff.access.deny",
        "[\"cn=disabled,dc=example,dc=com\", { directory = \"staff\", group = \"cn=left,dc=example,dc=com\" }]",
    ),
    ("directory.staff.profile.fields.first_name", "\"givenName\""),
    ("directory.staff.profile.fields.email", "\"mail\""),
    ("directory.staff.profile.lists.phones", "\"telephoneNumber\""),
    ("directory.staff.profile.flags.is_staff", "\"cn=staff,dc=example,dc=com\""),
    ("directory.staff.profile.update_on_login", "false"),
    ("directory.staff.profile.create_users", "false"),
    ("directory.staff.profile.local_name", "\"{username}@staff\""),
    ("directory.staff.permissions.from_groups", "true"),
    ("directory.staff.permissions.mirror_groups", "[\"staff\", \"it\"]"),
    ("directory.staff.permissions.mirror_groups_except", "[\"it\"]"),
    ("directory.staff.password.change", "\"off\""),
    ("directory.partners.user.dn_template", "\"uid={username},o=partners\""),
    ("directory.partners.user.refresh_dn_after_bind", "true"),
    ("permissions.staff", "[\"reports.view\", \"reports.edit\"]"),
    ("permissions.cn=it,ou=groups,dc=example,dc=com", "[\"all\"]"),
    ("permissions.partners:cn=all,o=partners", "[\"reports.view\"]"),
    ("login.fold_username", "\"keep\""),
    ("login.deadline", "\"9s\""),
    ("login.throttle.person", "5"),
    ("login.throttle.address", "0"),
    ("login.throttle.window", "\"1h\""),
    ("login.show_account_state", "false"),
    ("login.basic", "true"),
    ("store.url", "\"memory:\""),
    ("session.idle", "\"1h\""),
    ("session.absolute", "\"1d\""),
    ("session.remember_me", "\"30d\""),
    ("session.cookie", "\"sid\""),
    ("token.lifetime", "\"10m\""),
    ("token.max_lifetime", "\"20m\""),
    ("token.path", "\"/tokens/v1\""),
    ("token.issuer", "\"us\""),
    ("token.audience", "\"them\""),
    ("token.key_file", "\"token.key\""),
    ("token.legacy", "true"),
    ("token.secret_key_file", "\"secret\""),
    ("http.listen", "\"[::1]:9090\""),
    ("http.public_url", "\"https://Login.example.com/\""),
    ("http.trusted_proxies", "[\"10.0.0.0/8\", \"2001:db8::1\"]"),
    ("http.tls.cert", "\"server.crt\""),
    ("http.tls.key", "\"server.key\""),
    ("http.theme_dir", "\"theme\""),
    ("audit.keep", "\"30d\""),
    ("log.format", "\"json\""),
    ("log.level", "\"info,ldapgate_auth=debug\""),
];

#[test]
fn every_key_is_read_and_shown_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = testkit::certificate::Authority::new("Example CA");
    let pair = authority.server(testkit::certificate::Flaw::None);
    let _ = pair.write(folder.path(), "server");
    let _ = pair.write(folder.path(), "client");
    for (name, content) in [
        ("ca.crt", authority.pem()),
        ("reader", "hush\n".to_owned()),
        ("secret", "hush".to_owned()),
        ("token.key", pair.key.clone()),
    ] {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    std::fs::create_dir(folder.path().join("theme")).expect("writable");
    let path = folder.path().join("ldapgate.toml");
    let config = Config::parse(FULL, &path, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"));
    for (key, expected) in EXPECTED {
        assert_eq!(value(&config, key), *expected, "{key}");
    }
    let origin = crate::origin(&config, "session.cookie");
    let line = FULL.lines().position(|line| line == "cookie = \"sid\"").expect("it is there") + 1;
    assert_eq!(origin, format!("{}:{line}", path.display()));
    assert_eq!(config.public_url(), Some("https://login.example.com"));
    assert_eq!(config.listen().to_string(), "[::1]:9090");
    assert_eq!((config.log_json(), config.log_level()), (true, "info,ldapgate_auth=debug"));
    assert_eq!(config.base(Some("partners")).as_deref(), Some("o=partners"));
    let nobody = "no directory is named \"other\": there is staff, partners";
    assert_eq!(config.client_options(Some("other")).expect_err("no such directory").to_string(), nobody);
    assert_eq!(config.tls_settings(Some("other")).expect_err("no such directory").to_string(), nobody);
    assert!(
        config
            .tls_settings(None)
            .is_ok_and(|tls| tls.danger_accept_invalid_certificates && tls.ca_files[0].is_absolute())
    );
    let warnings = config.warnings().join("\n");
    for expected in ["danger_accept_invalid_certificates", "allow_cleartext", "mirror_groups_except"] {
        assert!(warnings.contains(expected), "{warnings}");
    }
}

#[test]
fn what_is_dangerous_and_allowed_is_a_warning_with_its_place() {
    let config = parse(&with("[http]\nlisten = \"0.0.0.0:80\"\npublic_url = \"http://login.example.com\"\n"))
        .expect("allowed");
    let expected = [
        "ldapgate.toml:6:10: plain http on an address that others can reach: passwords travel readable unless a proxy in front encrypts",
        "ldapgate.toml:7:14: people would type their passwords into http://login.example.com, which is not encrypted",
    ];
    assert_eq!(config.warnings(), expected);
}

#[test]
fn a_certificate_that_went_away_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ca.crt");
    std::fs::write(&file, testkit::certificate::Authority::new("Example CA").pem()).expect("writable");
    let text = with("[directory.tls]\nca_files = [\"ca.crt\"]\n").replace("ldap://", "ldaps://");
    let config = Config::parse(&text, &folder.path().join("ldapgate.toml"), &BTreeMap::new()).expect("good");
    std::fs::remove_file(&file).expect("it was there");
    let error = config.client_options(None).expect_err("it is gone");
    assert_eq!(error.to_string(), "the configuration does not work: directory \"main\"");
    assert!(error.is_configuration() && error.causes()[0].contains("ca.crt"), "{:?}", error.causes());
}

#[test]
fn what_sends_passwords_readable_is_told_by_the_host_and_not_by_how_it_begins() {
    let warned = |url: &str| {
        let config = parse(&with(&format!("[http]\npublic_url = \"{url}\"\n"))).expect("allowed");
        !config.warnings().is_empty()
    };
    for url in ["http://localhost.evil.example", "http://127.evil.example", "http://[2001:db8::1]:80"] {
        assert!(warned(url), "{url}");
    }
    for url in [
        "http://localhost:8080",
        "http://app.LOCALHOST",
        "http://127.9.9.9:80",
        "http://[::1]",
        "http://[::1]:8080",
        "https://localhost.evil.example",
    ] {
        assert!(!warned(url), "{url}");
    }
    let asked = |host: &str| parse(&crate::SMALL.replace("localhost", host)).is_ok();
    assert!(asked("directory.localhost") && asked("127.0.0.2"));
    assert!(!asked("localhost.evil.example") && !asked("127.evil.example"));
}

#[test]
fn an_attributes_name_is_what_a_filter_takes_for_one() {
    let text =
        with("[directory.profile]\nfields = { a = \"user_name\", b = \"cn;lang-de\", c = \"2.5.4.3\" }\n");
    let config = parse(&text).expect("good");
    assert_eq!(value(&config, "directory.main.profile.fields.a"), "\"user_name\"");
}
