//! The contract's defaults, key by key, and its table of presets.

use crate::{SMALL, origin, parse, value};

/// Every key that has a value in a configuration that sets only what it must.
const DEFAULTS: &[(&str, &str)] = &[
    ("directory.main.name", "\"main\""),
    ("directory.main.preset", "\"openldap\""),
    ("directory.main.url", "[\"ldap://localhost:3890\"]"),
    ("directory.main.base", "\"dc=example,dc=com\""),
    ("directory.main.domains", "[]"),
    ("directory.main.balance", "\"failover\""),
    ("directory.main.start_tls", "false"),
    ("directory.main.allow_cleartext", "false"),
    ("directory.main.bind_dn", "\"\""),
    ("directory.main.bind_password", "\"\""),
    ("directory.main.sasl.mechanism", "\"\""),
    ("directory.main.sasl.user", "\"\""),
    ("directory.main.sasl.authzid", "\"\""),
    ("directory.main.sasl.realm", "\"\""),
    ("directory.main.sasl.keytab", "\"\""),
    ("directory.main.connect_timeout", "\"3s\""),
    ("directory.main.timeout", "\"10s\""),
    ("directory.main.referrals", "\"ignore\""),
    ("directory.main.referral_hosts", "[]"),
    ("directory.main.page_size", "500"),
    ("directory.main.tls.ca_files", "[]"),
    ("directory.main.tls.system_roots", "true"),
    ("directory.main.tls.server_name", "\"\""),
    ("directory.main.tls.client_cert", "\"\""),
    ("directory.main.tls.client_key", "\"\""),
    ("directory.main.tls.min_version", "\"1.2\""),
    ("directory.main.tls.danger_accept_invalid_certificates", "false"),
    ("directory.main.pool.lookup", "8"),
    ("directory.main.pool.prove", "8"),
    ("directory.main.pool.idle", "\"5m\""),
    ("directory.main.pool.max_age", "\"1h\""),
    ("directory.main.user.base", "\"dc=example,dc=com\""),
    ("directory.main.user.scope", "\"subtree\""),
    ("directory.main.user.match", "[\"uid\"]"),
    ("directory.main.user.filter", "\"(objectClass=inetOrgPerson)\""),
    ("directory.main.user.search", "[]"),
    ("directory.main.user.dn_template", "\"\""),
    ("directory.main.user.attributes", "[]"),
    ("directory.main.user.id_attribute", "\"entryUUID\""),
    ("directory.main.user.username_attribute", "\"uid\""),
    ("directory.main.user.bind_as_user", "false"),
    ("directory.main.user.refresh_dn_after_bind", "false"),
    ("directory.main.groups.kind", "[\"group-of-names\"]"),
    ("directory.main.groups.base", "\"dc=example,dc=com\""),
    ("directory.main.groups.scope", "\"subtree\""),
    ("directory.main.groups.filter", "\"\""),
    ("directory.main.groups.search", "[]"),
    ("directory.main.groups.member_attribute", "\"\""),
    ("directory.main.groups.name_attribute", "\"cn\""),
    ("directory.main.groups.nested", "false"),
    ("directory.main.access.require", "\"\""),
    ("directory.main.access.deny", "\"\""),
    ("directory.main.profile.fields", "{}"),
    ("directory.main.profile.lists", "{}"),
    ("directory.main.profile.flags", "{}"),
    ("directory.main.profile.update_on_login", "true"),
    ("directory.main.profile.create_users", "true"),
    ("directory.main.profile.local_name", "\"{username}\""),
    ("directory.main.permissions.from_groups", "false"),
    ("directory.main.permissions.mirror_groups", "false"),
    ("directory.main.permissions.mirror_groups_except", "[]"),
    ("directory.main.permissions.for_external_users", "false"),
    ("directory.main.password.change", "\"person\""),
    ("login.fold_username", "\"lower\""),
    ("login.deadline", "\"20s\""),
    ("login.throttle.person", "4"),
    ("login.throttle.address", "60"),
    ("login.throttle.window", "\"30m\""),
    ("login.show_account_state", "true"),
    ("login.basic", "false"),
    ("cache.dn", "\"0s\""),
    ("cache.groups", "\"0s\""),
    ("cache.credentials", "\"0s\""),
    ("sync.every", "\"0s\""),
    ("sync.remove_missing", "\"disable\""),
    ("sync.max_change", "\"10%\""),
    ("sync.watch", "false"),
    ("store.url", "\"sqlite:ldapgate.db\""),
    ("session.idle", "\"30m\""),
    ("session.absolute", "\"12h\""),
    ("session.remember_me", "\"0s\""),
    ("session.refresh", "\"5m\""),
    ("session.cookie", "\"ldapgate\""),
    ("session.domain", "\"\""),
    ("token.lifetime", "\"1h\""),
    ("token.max_lifetime", "\"24h\""),
    ("token.algorithm", "\"EdDSA\""),
    ("token.path", "\"/auth\""),
    ("token.issuer", "\"\""),
    ("token.audience", "\"\""),
    ("token.key_file", "\"\""),
    ("token.legacy", "false"),
    ("token.secret_key", "\"\""),
    ("http.listen", "\"127.0.0.1:8080\""),
    ("http.public_url", "\"\""),
    ("http.trusted_proxies", "[]"),
    ("http.tls.cert", "\"\""),
    ("http.tls.key", "\"\""),
    ("http.theme_dir", "\"\""),
    ("metrics.listen", "\"\""),
    ("audit.keep", "\"365d\""),
    ("log.format", "\"text\""),
    ("log.level", "\"info\""),
    ("admin.require", "\"\""),
];

#[test]
fn every_key_of_the_contract_has_exactly_its_default() {
    let config = parse(SMALL).expect("a preset, a URL and a base are a whole configuration");
    let shown: Vec<(&str, &str)> =
        config.show().iter().map(|shown| (shown.key.as_str(), shown.value.as_str())).collect();
    for (key, default) in DEFAULTS {
        assert!(
            shown.contains(&(key, default)),
            "{key} should be {default}; it is {:?}",
            shown.iter().find(|(name, _)| name == key)
        );
    }
    for (key, _) in &shown {
        assert!(DEFAULTS.iter().any(|(name, _)| name == key), "{key} is shown and has no default here");
        assert_eq!(shown.iter().filter(|(name, _)| name == key).count(), 1, "{key} is shown twice");
    }
    assert_eq!(origin(&config, "session.idle"), "default");
    assert_eq!(origin(&config, "directory.main.url"), "ldapgate.toml:3");
    assert_eq!(origin(&config, "directory.main.user.match"), "preset openldap");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn a_default_that_claims_what_is_not_there_yet_says_so() {
    let config = parse(SMALL).expect("a whole configuration");
    for key in ["session.domain", "admin.require"] {
        assert_eq!(origin(&config, key), "default, not available yet", "{key}");
    }
}

#[test]
fn the_presets_are_those_of_the_contracts_table() {
    // preset, people's filter, base of people, match, name, id, group kinds, base of groups, nested
    let base = "dc=example,dc=com";
    let inet = "(objectClass=inetOrgPerson)";
    let posix = "(objectClass=posixAccount)";
    let table = [
        ["openldap", inet, "", "\"uid\"", "uid", "entryUUID", "\"group-of-names\"", "", "false"],
        [
            "active-directory",
            "(&(objectCategory=person)(objectClass=user))",
            "",
            "\"userPrincipalName\", \"sAMAccountName\", \"mail\"",
            "sAMAccountName",
            "objectGUID",
            "\"active-directory\"",
            "",
            "true",
        ],
        [
            "freeipa",
            "",
            "cn=users,cn=accounts,",
            "\"uid\", \"krbPrincipalName\"",
            "uid",
            "ipaUniqueID",
            "\"member-of\"",
            "cn=groups,cn=accounts,",
            "false",
        ],
        [
            "389ds",
            inet,
            "",
            "\"uid\"",
            "uid",
            "nsUniqueId",
            "\"group-of-names\", \"group-of-unique-names\"",
            "",
            "false",
        ],
        ["rfc2307", posix, "", "\"uid\"", "uid", "entryUUID", "\"posix\"", "", "false"],
        ["rfc2307bis", posix, "", "\"uid\"", "uid", "entryUUID", "\"group-of-names\"", "", "false"],
        [
            "lldap",
            "",
            "ou=people,",
            "\"uid\", \"mail\"",
            "uid",
            "entryUUID",
            "\"group-of-unique-names\"",
            "ou=groups,",
            "false",
        ],
    ];
    for [preset, filter, people, matches, name, id, kinds, groups, nested] in table {
        let text = SMALL.replace("openldap", preset);
        let config = parse(&text).unwrap_or_else(|error| panic!("{preset}: {error}"));
        let shown = |key: &str| value(&config, &format!("directory.main.{key}"));
        assert_eq!(shown("user.filter"), format!("\"{filter}\""), "{preset}");
        assert_eq!(shown("user.base"), format!("\"{people}{base}\""), "{preset}");
        assert_eq!(shown("user.match"), format!("[{matches}]"), "{preset}");
        assert_eq!(shown("user.username_attribute"), format!("\"{name}\""), "{preset}");
        assert_eq!(shown("user.id_attribute"), format!("\"{id}\""), "{preset}");
        assert_eq!(shown("groups.kind"), format!("[{kinds}]"), "{preset}");
        assert_eq!(shown("groups.base"), format!("\"{groups}{base}\""), "{preset}");
        assert_eq!(shown("groups.nested"), nested, "{preset}");
        let expected = if filter.is_empty() { "default".to_owned() } else { format!("preset {preset}") };
        assert_eq!(origin(&config, "directory.main.user.filter"), expected);
    }
}

#[test]
fn the_custom_preset_needs_a_search_or_a_template_and_an_id() {
    let custom = SMALL.replace("openldap", "custom");
    assert!(parse(&custom).is_err());
    let id = "[directory.user]\nid_attribute = \"uidNumber\"\n";
    for who in [
        "filter = \"(uid={username})\"",
        "search = [{ filter = \"(uid={username})\" }]",
        "match = [\"cn\"]",
        "dn_template = \"uid={username},dc=example,dc=com\"",
    ] {
        let config = parse(&format!("{custom}{id}{who}\n")).unwrap_or_else(|error| panic!("{who}: {error}"));
        assert_eq!(value(&config, "directory.main.groups.kind"), "[\"none\"]");
    }
}
