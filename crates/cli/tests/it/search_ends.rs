//! How a search ends, and what servers say besides: failures in JSON, referrals that are followed, controls of answers and
//! of binds, the latter two beside the real `ldapsearch`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use directory::{Directory, Fault, Kind, Running};
use serde_json::{Value, json};
use testkit::certificate::{Authority, Flaw};
use testkit::ds389::{self, Ds389};
use testkit::openldap::OpenLdap;
use testkit::people::PEOPLE;
use testkit::process::{self, Finished};
use testkit::samba::Samba;
use testkit::world::LDIF;

use crate::gateway::PROGRAM;

fn ours(line: &[&str], environment: &[(&str, &str)], input: &str) -> Finished {
    process::run_at(PROGRAM, &[&["search"], line].concat(), environment, input)
}

const NO_CONFIGURATION: [(&str, &str); 1] = [("LDAPGATE_CONFIG", "")];

struct Site {
    directory: Directory,
    running: Running,
}

impl Site {
    /// `dc=NAME` with two people, and a reference entry where one is given.
    async fn new(name: &str, reference: Option<&str>) -> Site {
        let mut ldif = format!("dn: dc={name}\nobjectClass: domain\ndc: {name}\n\n");
        for person in ["ann", "ben"] {
            ldif += &format!(
                "dn: cn={person},dc={name}\nobjectClass: person\ncn: {person}\nsn: x\nuserPassword: secret\n\n"
            );
        }
        if let Some(url) = reference {
            ldif += &format!(
                "dn: ou=away,dc={name}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\nref: {url}\n\n"
            );
        }
        let builder = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(ldif).expect("it is LDIF");
        let directory = builder.build();
        let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("there are ports");
        let running = directory.serve(listener).await;
        Site { directory, running }
    }

    fn url(&self) -> String {
        format!("ldap://localhost:{}", self.running.address().port())
    }

    fn configure(&self, folder: &Path, more: &str) -> PathBuf {
        let path = folder.join("ldapgate.toml");
        let text = format!(
            "[store]\nurl = \"sqlite:accounts.db\"\n[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"dc=a\"\n\
             bind_dn = \"cn=ann,dc=a\"\nbind_password = \"secret\"\n{more}\n",
            self.url()
        );
        std::fs::write(&path, text).expect("the folder is writable");
        path
    }
}

fn document(done: &Finished) -> Value {
    serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", done.stdout, done.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_whole_however_the_search_ends() {
    let site = Site::new("a", Some("ldap://other.example.com/dc=b")).await;
    let url = site.url();
    let line = |more: &[&str]| {
        let line = [&["-x", "-H", &url, "--json", "-b"], more].concat();
        ours(&line, &NO_CONFIGURATION, "")
    };
    for (more, code, name) in [
        (&["cn=nobody,dc=a"][..], 32, "noSuchObject"),
        (&["no name"], 34, "invalidDNSyntax"),
        (&["dc=a", "-E", "!1.2.3"], 12, "unavailableCriticalExtension"),
    ] {
        let done = line(more);
        let document = document(&done);
        assert_eq!((&document["code"], &document["result"]), (&json!(code), &json!(name)), "{more:?}");
        assert_eq!((&document["entries"], done.status), (&json!([]), code), "{more:?}");
        assert!(done.stderr.contains(&format!("({code})")), "{more:?}: {}", done.stderr);
    }

    let referred = line(&["cn=x,ou=away,dc=a"]);
    let referral = &document(&referred)["referrals"][0];
    assert!(referral.as_str().is_some_and(|url| url.starts_with("ldap://other.example.com/")), "{referral}");
    assert!(referred.stderr.contains("Referral: ldap://other.example.com/"), "{}", referred.stderr);
    assert_eq!(referred.status, 10);

    site.directory.faults().next(Kind::Search, 1, Fault::CloseAfter(1));
    let lost = line(&["dc=a"]);
    let broken = document(&lost);
    assert_eq!(broken["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!((&broken["code"], lost.status), (&Value::Null, 255));
    assert!(broken["error"].as_str().is_some_and(|error| !error.is_empty()), "{broken}");

    let limited = line(&["dc=a", "-z", "1"]);
    assert_eq!((&document(&limited)["code"], limited.status), (&json!(4), 4));
    let limited = line(&["dc=a", "-E", "pr=1/noprompt", "-z", "2"]);
    assert_eq!((&document(&limited)["code"], limited.status), (&json!(4), 4));
    let found = line(&["dc=a", "(cn=ann)"]);
    assert_eq!((&document(&found)["code"], found.status, found.stderr.as_str()), (&json!(0), 0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_asked_is_a_document_too() {
    let done = ours(&["--json", "-n", "-s", "one", "-b", "dc=a", "(cn=x)", "sn"], &NO_CONFIGURATION, "");
    let request = &document(&done)["request"];
    assert_eq!(
        request,
        &json!({ "base": "dc=a", "scope": "oneLevel", "filter": "(cn=x)", "attributes": ["sn"] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn referrals_are_followed_where_the_configuration_says_so() {
    let b = Site::new("b", None).await;
    let reference = format!("{}/dc=b??sub", b.url());
    let a = Site::new("a", Some(&reference)).await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let told = a.configure(folder.path(), "").display().to_string();
    let run = |config: &str, line: &[&str]| ours(line, &[("LDAPGATE_CONFIG", config)], "");
    let names = |done: &Finished| {
        let names = done.stdout.lines().filter_map(|line| line.strip_prefix("dn: ").map(str::to_owned));
        names.collect::<Vec<_>>()
    };

    let done = run(&told, &["(cn=*)", "cn"]);
    assert_eq!((names(&done), done.status), (vec!["cn=ann,dc=a".to_owned(), "cn=ben,dc=a".to_owned()], 0));
    assert!(done.stdout.contains("# numReferences: 1"), "{}", done.stdout);

    let follow = "referrals = \"follow\"\nreferral_hosts = [\"localhost\"]";
    let follow = a.configure(folder.path(), follow).display().to_string();
    for level in [&[][..], &["-LLL"], &["-S", "cn"], &["-E", "pr=1/noprompt"]] {
        let done = run(&follow, &[level, &["(cn=*)", "cn"]].concat());
        let mut names = names(&done);
        names.sort();
        let all = ["cn=ann,dc=a", "cn=ann,dc=b", "cn=ben,dc=a", "cn=ben,dc=b"];
        assert_eq!((names.as_slice(), done.status), (&all.map(str::to_owned)[..], 0), "{}", done.stderr);
        assert!(!done.stdout.contains("search reference"), "{}", done.stdout);
    }
    let whole = run(&follow, &["(cn=*)", "cn"]).stdout;
    assert_eq!(whole.matches("# search result").count(), 1, "{whole}");
    assert!(whole.ends_with("# numResponses: 5\n# numEntries: 4\n"), "{whole}");

    // What is asked for elsewhere is answered there, whatever the answer.
    let referral = |name: &str| {
        let url = format!("{}/cn={name},dc=b??base", b.url());
        a.directory.faults().next(Kind::Search, 1, Fault::referral(url));
    };
    referral("ann");
    let base = run(&follow, &["-LLL", "-s", "base", "1.1"]);
    assert_eq!((names(&base), base.status), (vec!["cn=ann,dc=b".to_owned()], 0), "{}", base.stderr);
    referral("nobody");
    let nobody = run(&follow, &["-s", "base"]);
    assert!(nobody.stdout.contains("result: 32 No such object\n"), "{}{}", nobody.stdout, nobody.stderr);
    assert_eq!(nobody.status, 32);
    referral("nobody");
    let nobody = run(&follow, &["--json", "-s", "base"]);
    assert_eq!((&document(&nobody)["code"], nobody.status), (&json!(32), 32));
    let both = run(&follow, &["--json", "(cn=*)", "cn"]);
    assert_eq!(document(&both)["entries"].as_array().map(Vec::len), Some(4), "{}", both.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_on_standard_input_stands_before_the_lines() {
    let site = Site::new("a", None).await;
    let url = site.url();
    let who = ["-x", "-H", &url, "-D", "cn=ann,dc=a", "--password-stdin", "-b", "dc=a"];
    let line = [&who[..], &["-LLL", "-f", "-", "(cn=%s)", "1.1"]].concat();
    let done = ours(&line, &NO_CONFIGURATION, "secret\nben\nann\n");
    assert_eq!((done.stdout.as_str(), done.status), ("dn: cn=ben,dc=a\n\n\ndn: cn=ann,dc=a\n\n", 0));
    let planned = ours(&[&line[..], &["-n"]].concat(), &NO_CONFIGURATION, "secret\nben\n");
    assert!(!planned.stdout.contains("secret") && !planned.stderr.contains("secret"), "{}", planned.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_of_a_password_is_told_as_ldapsearch_tells_it() {
    let server = OpenLdap::start(&LDIF, &Authority::new("Example Test CA"), Flaw::None).await;
    let url = server.ldap_url();
    for (name, told) in [
        ("expiring", "Password expires in "),
        ("grace", "grace logins remain"),
        ("mustchange", "Password must be changed"),
        ("expired", "Password expired"),
        ("locked", ""),
        ("alice", ""),
    ] {
        let person = PEOPLE.iter().find(|person| person.name == name).expect("one of the people");
        let dn = person.dn().to_string();
        let line =
            ["-x", "-H", &url, "-D", &dn, "-w", person.password, "-e", "ppolicy", "-b", "", "-s", "base"];
        let theirs = process::run("ldapsearch", "ldap-utils", &line, "");
        let ours = ours(&line, &NO_CONFIGURATION, "");
        let first = |done: &Finished| {
            // Seconds pass, and a grace login is used up.
            let line = done.stderr.lines().find(|line| line.starts_with("ldap_bind: ")).unwrap_or_default();
            line.chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
        };
        assert!(ours.stderr.contains(told), "{name}: {}", ours.stderr);
        if !told.is_empty() {
            assert_eq!(first(&ours), first(&theirs), "{name}: {}{}", ours.stderr, theirs.stderr);
        }
        assert_eq!(ours.status, theirs.status, "{name}: {}{}", ours.stderr, theirs.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn controls_of_389_directory_server_are_told_as_ldapsearch_tells_them() {
    let server = Ds389::shared().await;
    let url = server.ldap_url();
    let person = |name: &str| PEOPLE.iter().find(|person| person.name == name).expect("one of the people");
    let who = ["-x", "-H", &url, "-D", ds389::MANAGER, "-w", ds389::MANAGER_PASSWORD];
    for level in [&["-LLL"][..], &[]] {
        let people = ["-b", "ou=people,dc=example,dc=com", "-E", "accountUsability", "(uid=*)", "1.1"];
        let line = [&who[..], level, &people].concat();
        let theirs = process::run("ldapsearch", "ldap-utils", &line, "");
        let ours = ours(&line, &NO_CONFIGURATION, "");
        assert!(theirs.stdout.contains("ccountUsability: "), "{}{}", theirs.stdout, theirs.stderr);
        assert_eq!(usability(&ours.stdout), usability(&theirs.stdout));
    }

    let expiring = person("expiring");
    let dn = expiring.dn().to_string();
    let line = ["-x", "-H", &url, "-D", &dn, "-w", expiring.password, "-b", "", "-s", "base", "1.1"];
    let ours = ours(&line, &NO_CONFIGURATION, "");
    assert!(ours.stderr.contains("# PasswordExpiring control seconds="), "{}", ours.stderr);
}

/// The lines of the control, without numbers of seconds, which pass.
fn usability(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.contains("accountUsability"));
    lines.map(|line| line.split("expire=").next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_active_directory_is_told_as_ldapsearch_tells_it() {
    let server = Samba::shared().await;
    let ca_file = server.ca_file().display().to_string();
    let (url, environment) =
        (server.ldaps_url(), [("LDAPGATE_CONFIG", ""), ("LDAPTLS_CACERT", ca_file.as_str())]);
    let line = [
        "-x",
        "-H",
        &url,
        "-D",
        testkit::samba::ADMINISTRATOR,
        "-w",
        testkit::samba::ADMINISTRATOR_PASSWORD,
        "-b",
        "dc=example,dc=com",
        "-LLL",
        "-E",
        "!dirSync=0/0",
        "(objectClass=domainDNS)",
        "1.1",
    ];
    let program = process::find("ldapsearch", "ldap-utils");
    let theirs = process::run_at(&program, &line, &environment, "");
    let ours = ours(&line, &environment, "");
    let told = |done: &Finished| {
        let lines = done.stdout.lines().filter(|line| line.starts_with("# "));
        lines.map(|line| line.split(":: ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&ours),
        ["# DirSync control continueFlag=0", "# cookie"],
        "{}{}",
        ours.stdout,
        ours.stderr
    );
    assert_eq!(told(&ours), told(&theirs), "{}{}", theirs.stdout, theirs.stderr);
    let lines = |done: &Finished| done.stdout.lines().count();
    assert_eq!(lines(&ours), lines(&theirs));

    let json = self::ours(&[&line[..], &["--json"]].concat(), &environment, "");
    let control = &document(&json)["controls"][0];
    assert!(control["cookie"].as_str().is_some_and(|cookie| !cookie.is_empty()), "{control}");
}
