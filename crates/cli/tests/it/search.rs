//! `ldapgate search` beside the real `ldapsearch`, byte for byte, on a real slapd with odd data.

use std::path::Path;

use serde_json::Value;
use testkit::equipped::Equipped;
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use testkit::process::{self, Finished};
use tokio::sync::OnceCell;

use crate::gateway::PROGRAM;

const ODD: &str = "ou=odd,dc=example,dc=com";

/// Names and values of every awkward kind, a referral, an alias and a subentry.
const DATA: &str = r#"dn: ou=odd,dc=example,dc=com
objectClass: organizationalUnit
ou: odd

dn: ou=away,ou=odd,dc=example,dc=com
objectClass: referral
objectClass: extensibleObject
ou: away
ref: ldap://other.example.com/ou=away,dc=example,dc=com??sub
ref: ldap://third.example.com/ou=a%20very%20long%20name%20for%20an%20organizational%20unit%20away,dc=example,dc=com??sub

dn: uid=ann,ou=odd,dc=example,dc=com
objectClass: inetOrgPerson
uid: ann
cn: Ann Odd
sn: Odd
mail: ann@example.com
description: first
description::  bGVhZGluZyBub25l
description:: IGxlYWRpbmc=
description:: dHJhaWxpbmcg
description:: OmNvbG9u
description:: PGxlc3M=
userPassword: secret
jpegPhoto:: /9j/4AAQSkZJRgABAQ==

dn: uid=ben,ou=odd,dc=example,dc=com
objectClass: inetOrgPerson
uid: ben
cn: Ben\, the Builder
sn: Builder
description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
manager: uid=ann,ou=odd,dc=example,dc=com

dn:: Y249SsO8cmdlbiBNw7xsbGVyLG91PW9kZCxkYz1leGFtcGxlLGRjPWNvbQ==
objectClass: inetOrgPerson
uid: juergen
cn:: SsO8cmdlbiBNw7xsbGVy
sn:: TcO8bGxlcg==

dn: cn=odd\2C name\+plus\20\22q\22+sn=more\3Dx,ou=odd,dc=example,dc=com
objectClass: inetOrgPerson
cn: odd, name+plus "q"
sn: more=x

dn: cn=\23lead \20,ou=odd,dc=example,dc=com
objectClass: inetOrgPerson
cn:: I2xlYWQgIA==
sn: x

dn: cn=a very long common name that makes the friendly name longer than seventy-eight columns,ou=odd,dc=example,dc=com
objectClass: inetOrgPerson
cn: a very long common name that makes the friendly name longer than seventy-eight columns
sn: long

dn: cn=group,ou=odd,dc=example,dc=com
objectClass: groupOfNames
cn: group
member: uid=ann,ou=odd,dc=example,dc=com
member: uid=ben,ou=odd,dc=example,dc=com

dn: cn=sub,ou=odd,dc=example,dc=com
objectClass: subentry
objectClass: extensibleObject
cn: sub
subtreeSpecification: {}

dn: cn=alias,ou=odd,dc=example,dc=com
objectClass: alias
objectClass: extensibleObject
cn: alias
aliasedObjectName: uid=ann,ou=odd,dc=example,dc=com
"#;

async fn server() -> &'static Equipped {
    static SERVER: OnceCell<&'static Equipped> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let server = testkit::openldap::OpenLdap::equipped().await;
            server.configure(
                "dn: cn=module{0},cn=config\nchangetype: modify\nadd: olcModuleLoad\nolcModuleLoad: deref\n\n\
                 dn: olcOverlay=deref,olcDatabase={1}mdb,cn=config\nchangetype: add\n\
                 objectClass: olcOverlayConfig\nolcOverlay: deref\n",
            );
            let url = server.ldap_url();
            let identity = ["-x", "-M", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
            let done = process::run("ldapadd", "ldap-utils", &identity, DATA);
            assert_eq!(done.status, 0, "slapd refused the data: {}", done.stderr);
            server
        })
        .await
}

struct Asked {
    ours: Finished,
    theirs: Finished,
}

/// The same line to both.
fn both(server: &Equipped, line: &[&str], input: &str) -> Asked {
    let url = server.ldap_url();
    let identity = ["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD, "-b", ODD];
    let line = [&identity[..], line].concat();
    let theirs = process::run("ldapsearch", "ldap-utils", &line, input);
    let ours =
        process::run_at(PROGRAM, &[&["search"], &line[..]].concat(), &[("LDAPGATE_CONFIG", "")], input);
    Asked { ours, theirs }
}

const LEVELS: [&[&str]; 4] = [&[], &["-L"], &["-LL"], &["-LLL"]];

#[tokio::test(flavor = "multi_thread")]
async fn every_flag_prints_what_it_prints_with_ldapsearch() {
    let server = server().await;
    let lines: &[&[&str]] = &[
        &[],
        &["uid=ann"],
        &["uid"],
        &["(uid=nobody)"],
        &["(uid=ann)", "1.1"],
        &["-A"],
        &["-u", "(objectClass=inetOrgPerson)"],
        &["-s", "base"],
        &["-s", "one", "cn"],
        &["-s", "children", "1.1"],
        &["-s", "subtree", "1.1"],
        &["-s", "onelevel", "1.1"],
        &["-s", "subordinate", "1.1"],
        &["-S", "uid"],
        &["-S", "", "1.1"],
        &["-S", "sn", "-s", "one"],
        &["-a", "always", "-b", "cn=alias,ou=odd,dc=example,dc=com", "uid"],
        &["-a", "find", "-b", "cn=alias,ou=odd,dc=example,dc=com", "-s", "base"],
        &["-z", "1"],
        &["-z", "none", "-l", "max", "-P", "3", "-c", "(uid=ben)"],
        &["-l", "5", "-d", "0", "(uid=ann)", "cn", "mail"],
        &["-M", "(ou=away)"],
        &["-MM", "(ou=away)", "ref"],
        &["-b", "dc=no,dc=such"],
        &["-b", "no name"],
        &["-b", "ou=away,ou=odd,dc=example,dc=com"],
        &["-b", "", "-s", "base", "namingContexts"],
        &["-n", "(uid=ann)", "cn"],
        &["-o", "ldif_wrap=no"],
        &["-o", "ldif_wrap=40"],
        &["-E", "pr=2/noprompt", "1.1"],
        &["-E", "!pr=3/noprompt", "(uid=*)", "uid"],
        &["-E", "pr=2/noprompt", "-S", "uid", "(uid=*)", "uid"],
        &["-E", "pr=2/noprompt", "-s", "base"],
        &["-E", "pr=2/noprompt", "-z", "4", "1.1"],
        &["-E", "sss=uid", "(uid=*)"],
        &["-E", "!sss=-uid:2.5.13.3/cn:2.5.13.3", "(uid=*)", "uid"],
        &["-E", "sss=nonsense", "(uid=*)"],
        &["-E", "deref=member:uid,cn,jpegPhoto;manager:cn"],
        &["-E", "mv=((cn=Ann*)(description=first))", "(uid=ann)", "cn", "description"],
        &["-E", "!subentries"],
        &["-E", "subentries=false", "1.1"],
        &["-E", "domainScope", "1.1"],
        &["-E", "!dontUseCopy", "(uid=ben)"],
        &["-E", "!1.2.3"],
        &["-E", "1.2.3=:text", "-E", "1.2.4=::dGV4dA==", "1.1"],
        &["-e", "!assert=(uid=x)"],
        &["-e", "assert=(ou=odd)", "-e", "noop", "-e", "relax", "-e", "ppolicy", "(uid=ben)"],
        &["-e", "preread", "-e", "postread=cn", "-e", "sessiontracking=ann", "(uid=ben)"],
        &["-e", "!manageDSAit", "(ou=away)", "1.1"],
        &["-e", "!authzid=dn:uid=nobody,ou=people,dc=example,dc=com", "cn"],
    ];
    for line in lines {
        for level in LEVELS {
            let line = [level, line].concat();
            let Asked { ours, theirs } = both(server, &line, "");
            assert_eq!(ours.stdout, theirs.stdout, "{line:?}: {}{}", ours.stderr, theirs.stderr);
            assert_eq!(ours.status, theirs.status, "{line:?}: {}{}", ours.stderr, theirs.stderr);
        }
    }
}

/// StartTLS, looking for mechanisms and each step of a bind are messages of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_has_the_number_that_it_has_with_ldapsearch() {
    let server = server().await;
    let (ldap, ldapi) = (server.ldap_url(), server.ldapi_url());
    let ca = server.ca_file().display().to_string();
    let trust = [("LDAPTLS_CACERT", ca.as_str()), ("LDAPGATE_CONFIG", "")];
    let administrator = ["-x", "-H", &ldap, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
    let alice = ["-H", &ldap, "-U", "alice", "-w", "Red-Apple-11", "-Q", "-ZZ"];
    for (line, number) in [
        (["-x", "-H", &ldap].to_vec(), 2),
        (["-x", "-H", &ldap, "-ZZ"].to_vec(), 3),
        (administrator.to_vec(), 2),
        ([&administrator[..], &["-ZZ"]].concat(), 3),
        ([&alice[..], &["-Y", "PLAIN"]].concat(), 3),
        ([&alice[..], &["-Y", "SCRAM-SHA-256"]].concat(), 4),
        (["-H", &ldapi, "-Y", "EXTERNAL", "-Q"].to_vec(), 2),
    ] {
        let line = [&line[..], &["-b", "dc=example,dc=com", "-s", "base", "1.1"]].concat();
        let theirs = process::run_at("ldapsearch", &line, &[("LDAPTLS_REQCERT", "never")], "");
        let ours = process::run_at(PROGRAM, &[&["search"], &line[..]].concat(), &trust, "");
        let footer = format!("\nsearch: {number}\n");
        assert!(theirs.stdout.contains(&footer), "{line:?}: {}{}", theirs.stdout, theirs.stderr);
        assert!(ours.stdout.contains(&footer), "{line:?}: {}{}", ours.stdout, ours.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_files_of_a_folder_of_authorities_are_passed_over() {
    let server = server().await;
    let url = server.ldaps_url();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().display().to_string();
    let environment = [("LDAPTLS_CACERTDIR", path.as_str()), ("LDAPGATE_CONFIG", "")];
    let search = [
        "search",
        "-H",
        &url,
        "-D",
        ADMINISTRATOR,
        "-w",
        ADMINISTRATOR_PASSWORD,
        "-b",
        ODD,
        "-s",
        "base",
        "1.1",
    ];
    std::fs::write(folder.path().join(".done"), "").expect("the folder is writable");
    let none = process::run_at(PROGRAM, &search, &environment, "");
    assert!(none.status == 255 && none.stderr.contains("hidden ones alone"), "{}", none.stderr);
    std::fs::copy(server.ca_file(), folder.path().join("ca.pem")).expect("the folder is writable");
    let done = process::run_at(PROGRAM, &search, &environment, "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    std::fs::write(folder.path().join("readme"), "").expect("the folder is writable");
    let refused = process::run_at(PROGRAM, &search, &environment, "");
    assert!(refused.status == 255 && refused.stderr.contains("/readme"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronisation_prints_what_ldapsearch_prints() {
    let server = server().await;
    for level in LEVELS {
        let line = [level, &["-E", "sync=ro", "(uid=ann)", "cn"]].concat();
        let Asked { ours, theirs } = both(server, &line, "");
        // The cookies are of two moments, between which other tests may have written.
        let told = |text: &str| {
            text.lines().take_while(|line| !line.contains("4203.1.9.1.3")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(told(&ours.stdout), told(&theirs.stdout), "{line:?}");
        assert_eq!((ours.status, theirs.status), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_file_is_a_search() {
    let server = server().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let names = folder.path().join("names");
    std::fs::write(&names, "ann\nnobody\nb*\n").expect("the folder is writable");
    let names = names.display().to_string();
    for level in LEVELS {
        for more in [
            &["-f", &names, "(uid=%s)", "cn"][..],
            &["-f", "-", "uid=%s", "1.1"],
            &["-f", "-", "(uid=ann)", "1.1"],
            &["-n", "-f", &names, "(uid=%s)"],
        ] {
            let line = [level, more].concat();
            let Asked { ours, theirs } = both(server, &line, "ann\nben\n");
            assert_eq!(ours.stdout, theirs.stdout, "{line:?}: {}", ours.stderr);
            assert_eq!(ours.status, theirs.status, "{line:?}");
        }
    }
    std::fs::write(folder.path().join("names"), "ann\n(bad\nben\n").expect("the folder is writable");
    let Asked { ours, theirs } = both(server, &["-c", "-f", &names, "(uid=%s)", "cn"], "");
    assert_eq!(ours.stdout, theirs.stdout);
    assert_eq!(ours.status, 255, "the bad one's: {}", ours.stderr);
    for bad in ["(uid=%d)", "(uid=%s%s)", "(uid=%)"] {
        assert_eq!(both(server, &["-f", &names, bad], "").ours.status, 255, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_go_to_files_that_the_output_names() {
    let server = server().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().display().to_string();
    for (flag, prefix) in [("-t", None), ("-tt", None), ("-tt", Some("http://files.example.com/"))] {
        let mut line = vec!["-LLL", flag, "-T", &path, "(uid=ann)", "cn", "description", "jpegPhoto"];
        let ours = match prefix {
            // ldapsearch itself crashes with -F.
            Some(prefix) => {
                line.splice(2..2, ["-F", prefix]);
                both(server, &line, "").ours.stdout
            }
            None => {
                let Asked { ours, theirs } = both(server, &line, "");
                assert_eq!(nameless(&ours.stdout), nameless(&theirs.stdout));
                ours.stdout
            }
        };
        let url =
            ours.lines().find_map(|line| line.strip_prefix("jpegPhoto:< ")).expect("the photo is elsewhere");
        let name = match prefix {
            Some(prefix) => url.strip_prefix(prefix).expect("the prefix is ours"),
            None => url.rsplit('/').next().expect("the URL has a name"),
        };
        let photo = std::fs::read(Path::new(&path).join(name)).expect("the photo was written");
        assert_eq!(photo, b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01");
    }
}

/// Without the random ends of files' names.
fn nameless(text: &str) -> String {
    text.lines()
        .map(|line| if line.contains(":< ") { &line[..line.len() - 6] } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_a_line_break_cannot_write_lines_of_its_own() {
    let server = server().await;
    let dn = "cn=line\\0Adn: cn\\3Devil,ou=odd,dc=example,dc=com";
    server.administer(&format!(
        "dn: {dn}\nchangetype: add\nobjectClass: device\ncn:: bGluZQpkbjogY249ZXZpbA==\n"
    ));
    let Asked { ours, theirs } = both(server, &["(cn=line*)"], "");
    server.administer(&format!("dn: {dn}\nchangetype: delete\n"));
    assert!(theirs.stdout.contains("\ndn: cn\\3Devil"), "ldapsearch lets it: {}", theirs.stdout);
    assert!(ours.stdout.contains("# line\\0Adn: cn\\3Devil, odd, example.com\n"), "{}", ours.stdout);
    assert!(!ours.stdout.contains("\ndn: cn\\3Devil"), "{}", ours.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_is_told() {
    let server = server().await;
    for (line, told) in [
        (&["-C"][..], "not chased"),
        (&["-d", "1"], "-v tells the steps"),
        (&["-E", "pr=x"], "-E pr=x"),
        (&["-E", "nonsense"], "-E nonsense"),
        (&["-E", "pr=3", "-E", "pr=4"], "asked for before"),
        (&["-e", "nonsense"], "-e nonsense"),
        (&["(uid=ann"], "bad filter (uid=ann"),
        (&["--json", "-S", "uid"], "one document"),
    ] {
        let ours = both(server, line, "").ours;
        assert_eq!((ours.status, ours.stdout.as_str()), (255, ""), "{line:?}");
        assert!(ours.stderr.contains(told), "{line:?}: {}", ours.stderr);
    }
    let version = both(server, &["-VV"], "").ours;
    assert_eq!((version.status, version.stdout.as_str()), (0, ""));
    assert!(version.stderr.starts_with("ldapgate search "), "{}", version.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_document_has_the_entries_and_the_references_and_nothing_is_said_besides() {
    let server = server().await;
    let ours = both(server, &["--json", "(|(uid=ann)(ou=away))", "cn", "jpegPhoto"], "").ours;
    let document: Value = serde_json::from_str(&ours.stdout).expect("one document");
    let entry = &document["entries"][0];
    assert_eq!(entry["dn"], "uid=ann,ou=odd,dc=example,dc=com");
    assert_eq!(entry["attributes"]["cn"][0], "Ann Odd");
    assert_eq!(document["references"][0][0], "ldap://other.example.com/ou=away,dc=example,dc=com??sub");
    assert_eq!((ours.status, ours.stderr.as_str()), (0, ""), "there is no progress where nobody looks");
}
