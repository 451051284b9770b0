//! Wrong configurations and exactly what is said of them.

use crate::{SMALL, parse, with};

/// What is said of a text.
fn said(text: &str) -> String {
    match parse(text) {
        Ok(_) => "nothing".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// Lines after [`SMALL`], and what is said.
const MORE: &[(&str, &str)] = &[
    // unknown words
    ("[session]\niddle = \"5m\"", "ldapgate.toml:6:1: unknown key \"iddle\" in [session]; did you mean \"idle\"?"),
    ("[sessions]\nidle = \"5m\"", "ldapgate.toml:5:2: there is no section [sessions]; did you mean \"session\"?"),
    ("[directory.users]\nbase = \"\"", "ldapgate.toml:5:12: unknown key \"users\" in [directory]; did you mean \"user\"?"),
    ("[http]\ncolour = 1", "ldapgate.toml:6:1: unknown key \"colour\" in [http]"),
    ("[login]\nthrottle = { persons = 3 }", "ldapgate.toml:6:14: unknown key \"persons\" in [login.throttle]; did you mean \"person\"?"),
    ("[directory.user]\nsearch = [{ bas = \"dc=x\" }]", "ldapgate.toml:6:13: unknown key \"bas\" in [[directory.user.search]]; did you mean \"base\"?"),
    // wrong types
    ("[session]\nidle = 5", "ldapgate.toml:6:8: idle is text in quotes, not a number"),
    ("[login]\nbasic = \"true\"", "ldapgate.toml:6:9: basic is true or false, not text; write true without the quotes"),
    ("[login.throttle]\nperson = \"3\"", "ldapgate.toml:6:10: person is a whole number, not text; write 3 without the quotes"),
    ("[login.throttle]\nperson = 1.5", "ldapgate.toml:6:10: person is a whole number, not a number"),
    ("[login.throttle]\nperson = -1", "ldapgate.toml:6:10: person is from 0 to 1000000, not -1"),
    ("[directory.user]\nmatch = \"uid\"", "ldapgate.toml:6:9: match is a list of texts, as in [\"a\", \"b\"], not text"),
    ("[http]\ntls = true", "ldapgate.toml:6:7: tls is a table: [http.tls], not true or false"),
    ("[[session]]\nidle = \"5m\"", "ldapgate.toml:5:1: session is a table: [session], not a list"),
    // durations
    ("[session]\nidle = \"5 minutes\"", "ldapgate.toml:6:8: idle: \"5 minutes\" is no duration: write a number and ms, s, m, h or d, as in \"30s\" or \"12h\""),
    ("[session]\nidle = \"0s\"", "ldapgate.toml:6:8: idle: \"0s\": this cannot be switched off"),
    ("[session]\nabsolute = \"99999999d\"", "ldapgate.toml:6:12: absolute: \"99999999d\" is too long: at most a hundred years"),
    // words
    ("[login]\nfold_username = \"Lower\"", "ldapgate.toml:6:17: fold_username cannot be \"Lower\": it is one of \"lower\", \"keep\"; did you mean \"lower\"?"),
    ("[directory.groups]\nkind = \"groupOfNames\"", "ldapgate.toml:6:8: kind cannot be \"groupOfNames\": it is one of \"group-of-names\", \"group-of-unique-names\", \"organizational-role\", \"posix\", \"active-directory\", \"member-of\", \"none\"; did you mean \"group-of-names\"?"),
    ("[directory.groups]\nkind = [\"posix\", \"none\"]", "ldapgate.toml:6:18: kind \"none\" stands alone"),
    ("[log]\nlevel = \"inof\"", "ldapgate.toml:6:9: level cannot be \"inof\": it is off, error, warn, info, debug or trace, or a list such as \"info,ldapgate_auth=debug\"; did you mean \"info\"?"),
    ("[token]\nalgorithm = \"HS512\"", "ldapgate.toml:6:13: algorithm cannot be \"HS512\": it is one of \"EdDSA\""),
    // attributes and names
    ("[directory.profile]\nfields = { email = \"e mail\" }", "ldapgate.toml:6:20: fields: \"e mail\" is no attribute's name"),
    ("[directory.user]\nmatch = [\"uid\", \"a)(b\"]", "ldapgate.toml:6:17: match: \"a)(b\" is no attribute's name"),
    ("[directory.profile]\nlocal_name = \"me\"", "ldapgate.toml:6:14: a local name holds {username} exactly once and no other placeholder: \"me\""),
    ("[session]\ncookie = \"a b\"", "ldapgate.toml:6:10: cookie cannot be \"a b\": it is a name of letters, digits, - and _; the prefix __Host- is added by itself under https"),
    // the http section
    ("[http]\nlisten = \"localhost:80\"", "ldapgate.toml:6:10: listen cannot be \"localhost:80\": it is an address and a port; write \"127.0.0.1:80\""),
    ("[http]\nlisten = \":80\"", "ldapgate.toml:6:10: listen cannot be \":80\": it is an address and a port; write \"0.0.0.0:80\" or \"[::]:80\" for every address of this machine"),
    ("[http]\npublic_url = \"login.example.com\"", "ldapgate.toml:6:14: public_url: \"login.example.com\" is no URL: write it as in \"https://login.example.com\""),
    ("[http]\npublic_url = \"https://u@x/\"", "ldapgate.toml:6:14: public_url: \"https://u@x/\" has more than a host and a port: write it as in \"https://login.example.com\""),
    ("[http]\ntrusted_proxies = [\"10.0.0.0/33\"]", "ldapgate.toml:6:20: trusted_proxies: \"10.0.0.0/33\" is not an address or a network such as 10.0.0.0/8"),
    ("[http]\ntheme_dir = \"/nonexistent\"", "ldapgate.toml:6:13: theme_dir: /nonexistent is no directory"),
    // tokens
    ("[token]\nlifetime = \"2d\"", "ldapgate.toml:6:12: lifetime is longer than max_lifetime"),
    ("[token]\npath = \"auth/\"", "ldapgate.toml:6:8: path cannot be \"auth/\": it starts with / and does not end with it, as in \"/auth\""),
    ("[token]\nlegacy = true", "ldapgate.toml:6:10: legacy tokens are signed with a secret key, and there is none; set secret_key_file"),
    // the store
    ("[store]\nurl = \"ldapgate.db\"", "ldapgate.toml:6:7: \"ldapgate.db\" is no store; write \"sqlite:PATH\", or \"memory:\" for tests"),
    // expressions
    ("[directory.access]\nrequire = \"cn=a,dc=other\"", "ldapgate.toml:6:11: require: \"cn=a,dc=other\" does not lie below the base of directory \"main\", \"dc=example,dc=com\""),
    ("[directory.access]\nrequire = []", "ldapgate.toml:6:11: require has an empty list of groups; leave the key out where nothing is asked for"),
    ("[directory.access]\ndeny = { any = [\"cn=a,dc=example,dc=com\"], not = \"cn=b,dc=example,dc=com\" }", "ldapgate.toml:6:8: deny: a table in an expression has exactly one of any, all and not, or directory and group"),
    ("[directory.access]\ndeny = { al = [] }", "ldapgate.toml:6:10: deny knows no \"al\": an expression has any, all, not, or directory and group; did you mean \"all\"?"),
    ("[directory.access]\ndeny = true", "ldapgate.toml:6:8: deny is an expression over groups, not true or false; write a DN, a list of them, { any = [..] }, { all = [..] } or { not = .. }"),
    ("[directory.access]\ndeny = { directory = \"x\", group = \"cn=a,dc=example,dc=com\" }", "ldapgate.toml:6:22: deny: only groups of \"main\" count in its own table, not of \"x\""),
    ("[directory.profile.flags]\nis_staff = 1", "ldapgate.toml:6:12: flags.is_staff is an expression over groups, not a number; write a DN, a list of them, { any = [..] }, { all = [..] } or { not = .. }"),
    ("[directory.groups]\nbase = \"dc=other\"", "ldapgate.toml:6:8: base: \"dc=other\" does not lie below the directory's, \"dc=example,dc=com\"; no group there would count"),
    ("[directory.permissions]\nmirror_groups = \"staff\"", "ldapgate.toml:6:17: mirror_groups is true, false or a list of names, as in [\"staff\"], not text"),
    ("[directory.permissions]\nmirror_groups_except = \"staff\"", "ldapgate.toml:6:24: mirror_groups_except is a list of texts, as in [\"a\", \"b\"], not text"),
    ("[permissions]\nstaff = [\"a b\"]", "ldapgate.toml:6:10: \"a b\" is no permission: it is a word such as \"reports.view\""),
    ("[permissions]\n\"cn=a,dc=other\" = []", "ldapgate.toml:6:1: permissions: \"cn=a,dc=other\" does not lie below the base of directory \"main\", \"dc=example,dc=com\""),
    ("[permissions]\n\"x:cn=a,dc=example,dc=com\" = []", "ldapgate.toml:6:1: permissions: no directory is named \"x\": there is main"),
    ("[permissions]\n\"main:cn=a,,dc=x\" = []", "ldapgate.toml:6:12: permissions: \"cn=a,,dc=x\" is no distinguished name: an attribute type such as `cn` is missing or malformed at byte 5"),
    ("[permissions]\n\" \" = []", "ldapgate.toml:6:1: a group has a name"),
    // templates
    ("[directory.user]\nfilter = \"(uid={user})\"", "ldapgate.toml:6:10: filter: \"{user}\" is no placeholder: there are {username}, {input} and {domain}, and a brace is written twice"),
    ("[directory.user]\ndn_template = \"uid=me,dc=example,dc=com\"", "ldapgate.toml:6:15: dn_template: \"uid=me,dc=example,dc=com\" needs {username} or {input}: without it everybody would be the same person"),
    ("[directory.user]\ndn_template = \"uid={username},dc=x\"\nfilter = \"(a=b)\"", "ldapgate.toml:7:10: with dn_template nobody is searched for; leave one of them out"),
    ("[directory.user]\nrefresh_dn_after_bind = true", "ldapgate.toml:6:25: refresh_dn_after_bind goes with bind_as_user and dn_template"),
    ("[directory.user]\nmatch = []", "ldapgate.toml:6:9: the typed name stands nowhere in this search; write filter = \"(uid={username})\", or name the attributes in match"),
    (
        "[directory.profile]\nfields = { pw = \"userPassword\" }",
        "ldapgate.toml:1:1: directory \"main\": \"userPassword\" is never read",
    ),
    // TLS
    ("[directory.tls]\nclient_cert = \"x\"", "ldapgate.toml:6:15: client_cert needs client_key"),
    ("[directory.tls]\nserver_name = \"a b\"", "ldapgate.toml:6:15: server_name cannot be \"a b\": it is a host name or an address"),
    // rooms that come later
    ("[cache]\ncredentials = \"6m\"", "ldapgate.toml:6:15: credentials is at most \"5m\""),
    ("[sync]\nmax_change = \"20\"", "ldapgate.toml:6:14: max_change is a percentage from \"0%\" to \"100%\", not \"20\""),
    ("[session]\nrefresh = \"0s\"", "ldapgate.toml:6:11: REFRESH"),
    ("[session]\ndomain = \"example.com\"", "ldapgate.toml:6:10: session.domain, the applications' cookie of forward-auth, is not available yet: it comes with a later release"),
    ("[metrics]\nlisten = \"localhost:9\"", "ldapgate.toml:6:10: listen cannot be \"localhost:9\": it is an address and a port; write \"127.0.0.1:9\""),
    ("[store]\nurl = \"postgres://u:hush@h/d?sslmod=require\"", "ldapgate.toml:6:7: the PostgreSQL URL cannot be read: there is no parameter \"sslmod\""),
    ("[store]\nurl = \"mysql://u:hush@h/d\"", "ldapgate.toml:6:7: \"mysql://u:(hidden)@h/d\" is no store; write \"sqlite:PATH\", \"postgres://USER@HOST/DATABASE\", or \"memory:\" for tests"),
    ("[store]\nurl = \"memory:\"\nurl_file = \"/x\"", "ldapgate.toml:7:12: url and url_file are both set: one of them is enough"),
    ("[admin]\nrequire = \"cn=admins,dc=example,dc=com\"", "ldapgate.toml:6:11: admin.require is not available yet: it comes with a later release"),
    ("[directory.password]\nchange = \"service\"", "ldapgate.toml:6:10: password.change = \"service\" needs bind_dn: nobody changes passwords for others"),
    ("[[forward_auth.rule]]\nhost = \"wiki.example.com\"\nrequire = \"signed-in\"", "ldapgate.toml:5:1: forward-auth is not available yet: it comes with a later release"),
    ("[[forward_auth.rule]]\nhost = \"a b\"\npath = \"x\"\nmethods = [\"get\"]\nrequire = \"cn=a,dc=other\"\nheaders = \"jenkin\"", "\
ldapgate.toml:5:1: forward-auth is not available yet: it comes with a later release
ldapgate.toml:6:8: host cannot be \"a b\": it is a host name
ldapgate.toml:7:8: path cannot be \"x\": it starts with /
ldapgate.toml:8:12: methods: \"get\" is no method: it is written as in \"GET\"
ldapgate.toml:9:11: require: \"cn=a,dc=other\" does not lie below the base of directory \"main\", \"dc=example,dc=com\"
ldapgate.toml:10:11: headers cannot be \"jenkin\": it is one of \"remote\", \"x-forwarded\", \"x-auth-request\", \"grafana\", \"gitea\", \"netbox\", \"jenkins\"; did you mean \"jenkins\"?"),
];

/// Lines inside `[directory]`, and what is said.
const INSIDE: &[(&str, &str)] = &[
    (
        "bind_dn = \"cn=reader,dc=example,dc=com\"\nbind_password = \"\"",
        "ldapgate.toml:5:11: bind_dn needs bind_password_file or bind_password",
    ),
    ("domains = [\"a\", \"A\"]", "ldapgate.toml:5:17: domains: \"a\" belongs to directory \"main\" already"),
    (
        "bind_dn = \"cn=reader,dc=example,dc=com\"",
        "ldapgate.toml:5:11: bind_dn needs bind_password_file or bind_password",
    ),
    ("bind_password = \"hush\"", "ldapgate.toml:5:17: a bind password needs bind_dn"),
    (
        "name = \"a:b\"",
        "ldapgate.toml:5:8: name cannot be \"a:b\": it is made of letters, digits, -, _ and .",
    ),
    (
        "domains = [\"a@b\"]",
        "ldapgate.toml:5:12: domains: \"a@b\" is no domain: it is written as in \"corp.example.com\" or \"CORP\"",
    ),
    (
        "referrals = \"follow\"",
        "ldapgate.toml:5:13: referrals = \"follow\" needs referral_hosts: the servers that may be asked, as in \"ldap2.example.com\"",
    ),
    (
        "referral_hosts = [\"ldap2.example.com\"]",
        "ldapgate.toml:5:18: referral_hosts goes with referrals = \"follow\"",
    ),
    (
        "referrals = \"follow\"\nreferral_hosts = [\"ldap://ldap2.example.com\"]",
        "ldapgate.toml:6:19: referral_hosts: \"ldap://ldap2.example.com\" is no host; write it as in \"ldap2.example.com\" or \"ldap2.example.com:3890\"",
    ),
    (
        "sasl = { mechanism = \"EXTERNAL\" }",
        "ldapgate.toml:5:22: mechanism \"EXTERNAL\" needs tls.client_cert, or URLs that begin with ldapi://",
    ),
    (
        "sasl = { mechanism = \"SCRAM-SHA256\" }",
        "ldapgate.toml:5:22: mechanism cannot be \"SCRAM-SHA256\": it is one of \"EXTERNAL\", \"PLAIN\", \"CRAM-MD5\", \"DIGEST-MD5\", \"SCRAM-SHA-1\", \"SCRAM-SHA-1-PLUS\", \"SCRAM-SHA-256\", \"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-512\", \"SCRAM-SHA-512-PLUS\", \"OAUTHBEARER\", \"GSSAPI\", \"GSS-SPNEGO\", \"NTLM\"",
    ),
    (
        "sasl = { mechanism = \"PLAIN\" }",
        "ldapgate.toml:5:22: mechanism \"PLAIN\" needs sasl.user\nldapgate.toml:5:22: mechanism \"PLAIN\" needs bind_password",
    ),
    (
        "bind_password = \"hush\"\nsasl = { mechanism = \"CRAM-MD5\", user = \"x\", authzid = \"u:y\", realm = \"z\" }",
        "ldapgate.toml:6:56: mechanism \"CRAM-MD5\" has no use for sasl.authzid\nldapgate.toml:6:71: mechanism \"CRAM-MD5\" has no use for sasl.realm",
    ),
    (
        "bind_dn = \"cn=reader,dc=example,dc=com\"\nbind_password = \"hush\"\nsasl = { mechanism = \"PLAIN\", user = \"x\" }",
        "ldapgate.toml:5:11: bind_dn and sasl.mechanism are both set: one of them is enough",
    ),
    (
        "sasl = { mechanism = \"GSSAPI\" }",
        "ldapgate.toml:5:22: mechanism \"GSSAPI\": Kerberos is not in this build: it needs the one with GSSAPI",
    ),
    (
        "sasl = { keytab = \"/etc/x.keytab\" }",
        "ldapgate.toml:5:19: sasl.keytab, instead of which the environment's KRB5_CLIENT_KTNAME names the file, is not available yet: it comes with a later release",
    ),
    ("sasl = { user = \"x\" }", "ldapgate.toml:5:17: sasl.user needs sasl.mechanism"),
    ("page_size = -5", "ldapgate.toml:5:13: page_size is from 0 to 100000, not -5"),
    ("pool = { prove = 0 }", "ldapgate.toml:5:18: prove is from 1 to 1000, not 0"),
];

#[test]
fn every_mistake_is_told_in_exactly_these_words() {
    let mut failures = Vec::new();
    let mut check = |text: String, expected: &str| {
        let said = said(&text);
        if said != expected {
            failures.push(format!("{text}\n--- said\n{said}\n--- expected\n{expected}\n"));
        }
    };
    for (more, expected) in MORE {
        check(with(more), expected);
    }
    for (inside, expected) in INSIDE {
        check(with(inside), expected);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_bad_name_filter_or_url_is_told_at_the_character_where_it_goes_wrong() {
    for (text, place, words) in [
        (
            SMALL.replace("dc=example,dc=com", "dc=example,,dc=com"),
            "ldapgate.toml:4:",
            "is no distinguished name: ",
        ),
        (
            with("bind_dn = \"reader\"\nbind_password = \"x\"\n"),
            "ldapgate.toml:5:",
            "\"reader\" is no distinguished name: ",
        ),
        (with("[directory.user]\nfilter = \"(uid=a\"\n"), "ldapgate.toml:6:", "\"(uid=a\" is no filter: "),
        (with("[directory.groups]\nfilter = \"uid=a)\"\n"), "ldapgate.toml:6:", "\"uid=a)\" is no filter: "),
        (
            with("[directory.user]\ndn_template = \"uid={username},,dc=x\"\n"),
            "ldapgate.toml:6:",
            "is no name: ",
        ),
        (SMALL.replace("ldap://localhost:3890", "http://localhost"), "ldapgate.toml:3:", "is no LDAP URL: "),
    ] {
        let said = said(&text);
        assert!(said.starts_with(place) && said.contains(words), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let said = said(&SMALL.replace("dc=example,dc=com", "dc=example,x,dc=com"));
    let expected = "ldapgate.toml:4:21: base: \"dc=example,x,dc=com\" is no distinguished name: \
                    `=` is missing after the attribute type at byte 12";
    assert_eq!(said, expected);
}

#[test]
fn a_url_is_scheme_host_and_port_and_never_a_password_in_the_clear() {
    let url = |url: &str| said(&SMALL.replace("ldap://localhost:3890", url));
    for good in ["ldap://127.0.0.1", "ldap://[::1]:389", "ldapi:///", "ldaps://ldap.example.com"] {
        assert_eq!(url(good), "nothing", "{good}");
    }
    assert_eq!(
        url("ldap://ldap.example.com"),
        "ldapgate.toml:3:7: url: \"ldap://ldap.example.com\" would send passwords readable over the network; \
         use ldaps://, or start_tls = true, or allow_cleartext = true in a laboratory"
    );
    assert_eq!(
        url("ldaps://ldap.example.com/dc=example"),
        "ldapgate.toml:3:7: url: \"ldaps://ldap.example.com/dc=example\" says more than scheme, host and port; \
         the base goes into base, a filter into user.filter"
    );
    let with_password = url("ldap://cn=reader:hush@ldap.example.com");
    assert!(with_password.contains("credentials") && !with_password.contains("hush"), "{with_password}");
}

#[test]
fn a_domain_stands_for_the_servers_that_its_dns_names() {
    let url = |url: &str| said(&SMALL.replace("\"ldap://localhost:3890\"", url));
    if cfg!(feature = "srv") {
        assert_eq!(url("\"srv:example.com\""), "nothing");
        assert_eq!(url("[\"srv:example.com\", \"ldaps://ldap.example.com\"]"), "nothing");
        assert_eq!(
            url("\"srv://example.com\""),
            "ldapgate.toml:3:7: url: LDAP servers of \"//example.com\" cannot be looked for: it is no domain name; \
             write it as in \"srv:example.com\", without slashes or port"
        );
        assert_eq!(
            url("[\"srv:example.com\", \"srv:example.org\"]"),
            "ldapgate.toml:3:27: url: \"srv:example.org\" is a second domain, and one is enough"
        );
    } else {
        let said = url("\"srv:example.com\"");
        assert!(said.contains("this program was built without the feature srv"), "{said}");
    }
}

#[test]
fn a_global_catalogue_with_a_rule_that_it_cannot_judge_is_refused() {
    let expected = |url: &str| {
        format!(
            "ldapgate.toml:3:7: url: \"{url}\" is a global catalogue, which knows the members of universal groups only: \
             require, deny and not would be judged on a part of the groups; use the domain controller's own port, 636, \
             or 389 with start_tls"
        )
    };
    let with_rule = |url: &str, rule: &str| said(&with(rule).replace("ldap://localhost:3890", url));
    let group = "\"cn=a,dc=example,dc=com\"";
    for url in ["ldap://localhost:3268", "ldaps://dc.example.com:3269"] {
        for rule in ["[directory.access]\nrequire = @", "[directory.access]\ndeny = { any = [@] }"] {
            assert_eq!(with_rule(url, &rule.replace('@', group)), expected(url), "{rule}");
        }
        let flag = |rule: &str| format!("[directory.profile.flags]\nis_staff = {}", rule.replace('@', group));
        assert_eq!(with_rule(url, &flag("{ not = @ }")), expected(url));
        assert_eq!(with_rule(url, &flag("@")), "nothing", "a missing group gives nobody anything");
        assert_eq!(with_rule(url, ""), "nothing");
    }
    for url in ["ldaps://dc.example.com", "ldaps://dc.example.com:636", "ldap://localhost:3267"] {
        assert_eq!(with_rule(url, &format!("[directory.access]\ndeny = {group}")), "nothing", "{url}");
    }
    let several = SMALL
        .replace("\"ldap://localhost:3890\"", "[\"ldaps://a.example.com\", \"ldaps://b.example.com:3269\"]");
    let said = said(&format!("{several}\n[directory.access]\ndeny = {group}\n"));
    assert!(said.starts_with("ldapgate.toml:3:33: url: \"ldaps://b.example.com:3269\""), "{said}");
}

#[test]
fn what_must_be_there_is_asked_for() {
    assert_eq!(
        said(""),
        "ldapgate.toml: no directory is configured; a [directory] with preset, url and base is enough"
    );
    assert_eq!(
        said("[directory]\n"),
        "\
ldapgate.toml:1:1: [directory] needs preset: one of openldap, active-directory, freeipa, 389ds, rfc2307, rfc2307bis, lldap, custom
ldapgate.toml:1:1: [directory] needs base: the directory's suffix, as in \"dc=example,dc=com\"
ldapgate.toml:1:1: [directory] needs url: the server, as in \"ldaps://ldap.example.com\""
    );
    let said = said(&SMALL.replace("openldap", "custom"));
    assert_eq!(
        said,
        "\
ldapgate.toml:1:1: preset \"custom\" needs user.id_attribute; name the attribute that stays when a person is renamed
ldapgate.toml:1:1: preset \"custom\" needs user.filter, user.search or user.dn_template; write filter = \"(uid={username})\", or name the attributes in match"
    );
}

#[test]
fn all_mistakes_of_a_file_are_told_in_one_run_in_the_files_order() {
    let text = with("[http]\nlisten = \"x\"\n\n[session]\niddle = \"1m\"\nidle = 3\n\n[colours]\n");
    let said = said(&text.replace("openldap", "openldpa"));
    let places: Vec<&str> = said.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    let expected = [
        "ldapgate.toml:2:10",
        "ldapgate.toml:6:10",
        "ldapgate.toml:9:1",
        "ldapgate.toml:10:8",
        "ldapgate.toml:12:2",
    ];
    assert_eq!(places, expected, "{said}");
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let said = said(&with("[session\nidle = \"5m\"\n"));
    assert!(said.starts_with("ldapgate.toml:5:"), "{said}");
    let twice = self::said(&with("[session]\nidle = \"5m\"\nidle = \"6m\"\n"));
    assert!(twice.starts_with("ldapgate.toml:7:1: "), "{twice}");
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = with("[directory.profile]\nfields = { \"größe\" = \"x y\" }\n");
    assert_eq!(said(&text), "ldapgate.toml:6:22: fields: \"x y\" is no attribute's name");
}

#[test]
fn several_directories_have_rules_between_them() {
    let two = |first: &str, second: &str| {
        format!(
            "[[directory]]\nname = \"a\"\npreset = \"openldap\"\nurl = \"ldap://localhost:1\"\nbase = \"dc=a\"\n{first}\n\
             [[directory]]\nname = \"b\"\npreset = \"openldap\"\nurl = \"ldap://localhost:2\"\nbase = \"dc=b\"\n{second}\n"
        )
    };
    let template = |base: &str| format!("user = {{ dn_template = \"uid={{username}},dc={base}\" }}");
    assert_eq!(said(&two("", "")), "nothing");
    assert_eq!(said(&two("", &template("b"))), "nothing", "the last may have a template");
    assert_eq!(said(&two(&format!("domains = [\"a\"]\n{}", template("a")), "")), "nothing");
    assert_eq!(
        said(&two(&template("a"), "")),
        "ldapgate.toml:6:24: directory \"a\" has dn_template without domains, and is not the last; \
         give it domains or put it last: one person's password is never tried on another's account"
    );
    assert_eq!(
        said(&two("domains = [\"Corp\"]", "domains = [\"other\", \"corp\"]")),
        "ldapgate.toml:12:21: domains: \"corp\" belongs to directory \"a\" already"
    );
    assert_eq!(
        said(&two("", "").replace("name = \"b\"", "name = \"a\"")),
        "ldapgate.toml:8:8: two directories are named \"a\"; give each its own name"
    );
    assert_eq!(
        said(&two("", "[permissions]\n\"cn=x,dc=b\" = [\"p\"]\n\"a:cn=x,dc=a\" = [\"q\"]\nstaff = []")),
        "nothing"
    );
    assert_eq!(
        said(&two("", "[permissions]\n\"cn=x,dc=c\" = [\"p\"]")),
        "ldapgate.toml:13:1: permissions: \"cn=x,dc=c\" lies below no directory's base; \
         say which: \"a:cn=x,dc=c\""
    );
    let nested =
        two("", "[permissions]\n\"cn=x,dc=b\" = [\"p\"]").replace("base = \"dc=a\"", "base = \"dc=b\"");
    assert_eq!(
        said(&nested),
        "ldapgate.toml:13:1: permissions: \"cn=x,dc=b\" lies below the bases of a and b; \
         say which: \"a:cn=x,dc=b\""
    );
}
