//! `add`, `modify`, `delete`, `rename` and `compare`, each beside OpenLDAP's own tool on the same `slapd`: the same status, the
//! same output, the same directory afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use testkit::equipped::Equipped;
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::process::{self, Finished};
use testkit::world::{BASE, Peer, World};

use crate::gateway::{PROGRAM, USUAL, configure, ldapgate};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";

/// The place of a test's entries in its texts; each tool has a subtree of its own.
const HERE: &str = "ou=here,dc=example,dc=com";

/// Two subtrees with the same entries, one for each tool.
struct Twins {
    server: &'static Equipped,
    number: usize,
}

/// What a tool left behind, its subtree called `HERE` again.
#[derive(Debug, PartialEq)]
struct Left {
    status: i32,
    stdout: String,
    stderr: String,
    directory: String,
}

impl Twins {
    async fn new() -> Twins {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let twins =
            Twins { server: OpenLdap::equipped().await, number: NUMBER.fetch_add(1, Ordering::Relaxed) };
        for place in twins.places() {
            twins
                .server
                .administer(&format!("dn: {place}\nchangetype: add\nobjectClass: organizationalUnit\n"));
        }
        twins
    }

    fn places(&self) -> [String; 2] {
        ["a", "b"].map(|tool| format!("ou=twin-{}{tool},{BASE}", self.number))
    }

    /// Entries below both.
    fn with(self, ldif: &str) -> Twins {
        for place in self.places() {
            self.server.administer(&ldif.replace(HERE, &place));
        }
        self
    }

    /// Runs both tools with the same arguments and input; ours first.
    fn run(&self, tool: &str, arguments: &[&str], input: &str) -> [Left; 2] {
        let theirs = format!("ldap{}", if tool == "rename" { "modrdn" } else { tool });
        let [ours_at, theirs_at] = self.places();
        let ours = self.one(&ours_at, arguments, input, |arguments, input| {
            process::run_at(PROGRAM, &[&[tool], arguments].concat(), &[], input)
        });
        let theirs = self.one(&theirs_at, arguments, input, |arguments, input| {
            process::run(&theirs, "ldap-utils", arguments, input)
        });
        [ours, theirs]
    }

    fn one(
        &self,
        place: &str,
        arguments: &[&str],
        input: &str,
        tool: impl Fn(&[&str], &str) -> Finished,
    ) -> Left {
        let url = self.server.ldap_url();
        let arguments: Vec<String> = arguments.iter().map(|text| text.replace(HERE, place)).collect();
        let identity = ["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
        let all: Vec<&str> = identity.into_iter().chain(arguments.iter().map(String::as_str)).collect();
        let done = tool(&all, &input.replace(HERE, place));
        // A folded line may break within the place's name, which is as long in both.
        let called_here = |text: &str| text.replace(place, HERE);
        let name = place.split(',').next().expect("a name has a first part").trim_start_matches("ou=");
        let search = [&identity[..], &["-LLL", "-o", "ldif-wrap=no", "-b", place]].concat();
        let found = process::run("ldapsearch", "ldap-utils", &search, "");
        let directory = called_here(&found.stdout).replace(name, "here");
        Left {
            status: done.status,
            stdout: called_here(&done.stdout),
            stderr: called_here(&done.stderr),
            directory,
        }
    }

    /// Both must be the same in everything.
    fn same(&self, tool: &str, arguments: &[&str], input: &str) -> Left {
        let [ours, theirs] = self.run(tool, arguments, input);
        assert_eq!(ours, theirs, "{tool} {arguments:?}\n{input}");
        ours
    }

    /// Both must be the same, apart from standard error, where each has its own words.
    fn alike(&self, tool: &str, arguments: &[&str], input: &str) -> Left {
        let [mut ours, mut theirs] = self.run(tool, arguments, input);
        let said = std::mem::take(&mut ours.stderr);
        theirs.stderr.clear();
        assert_eq!(ours, theirs, "{tool} {arguments:?}\n{input}{said}");
        Left { stderr: said, ..ours }
    }
}

const PEOPLE: &str = "\
dn: cn=Ada,ou=here,dc=example,dc=com
objectClass: inetOrgPerson
cn: Ada
sn:: TMO2dmVsYWNl
description: one
description: two

dn: cn=Ada,ou=here,dc=example,dc=com
objectClass: inetOrgPerson
cn: Ada
sn: again

dn: cn=Bob,ou=nowhere,ou=here,dc=example,dc=com
objectClass: inetOrgPerson
cn: Bob
sn: x

dn: cn=Carol,ou=here,dc=example,dc=com
changetype: add
objectClass: inetOrgPerson
cn: Carol
sn: x
jpegPhoto:: /9j/4A==
";

fn tree() -> String {
    ["ou=a", "ou=b,ou=a", "ou=c,ou=b,ou=a", "ou=d,ou=a", "ou=e"]
        .map(|name| format!("dn: {name},{HERE}\nchangetype: add\nobjectClass: organizationalUnit\n\n"))
        .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn add_stops_at_a_failure_and_goes_on_when_told_to() {
    let twins = Twins::new().await;
    let stopped = twins.same("add", &[], PEOPLE);
    assert_eq!((stopped.status, stopped.directory.matches("cn: ").count()), (68, 1), "{}", stopped.directory);
    let went_on = twins.same("add", &["-c"], PEOPLE);
    assert_eq!((went_on.status, went_on.directory.matches("cn: ").count()), (32, 2), "{}", went_on.directory);
    let verbose = twins.alike("add", &["-v", "-c"], PEOPLE);
    assert!(verbose.stdout.contains("NOT ASCII"), "{}", verbose.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_asks_nobody() {
    let twins = Twins::new().await;
    let left = twins.same("add", &["-n"], PEOPLE);
    assert_eq!((left.status, left.stdout.matches("!adding new entry").count()), (0, 4));
    let nobody = process::run_at(PROGRAM, &["modify", "-a", "-n", "-H", "ldap://127.0.0.1:1"], &[], PEOPLE);
    assert_eq!(nobody.status, 0, "{}", nobody.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn modify_does_every_kind_of_change() {
    let twins = Twins::new().await;
    twins.same("modify", &["-a", "-c"], &PEOPLE.replace("ou=nowhere,", ""));
    let changes = format!(
        "version: 1\n\n# a comment\ndn: cn=Ada,{HERE}\nchangetype: modify\ndelete: description\ndescription: one\n-\n\
         add: description\ndescription: th\n ree\ndescription:: IGZvdXI=\n-\nreplace: sn\nsn: King\n-\n\
         add: mail\nmail: ada@example.com\n-\ndelete: mail\n-\n\n\
         dn: cn=Carol,{HERE}\nreplace: jpegPhoto\njpegPhoto:: /9j/AAE=\n\n\
         dn: cn=Carol,{HERE}\nchangetype: modrdn\nnewrdn: cn=Caroline\ndeleteoldrdn: 0\n\n\
         dn: ou=sub,{HERE}\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: cn=Caroline,{HERE}\nchangetype: moddn\nnewrdn: cn=Caroline\ndeleteoldrdn: 1\nnewsuperior: ou=sub,{HERE}\n\n\
         dn: cn=Ada,{HERE}\ncontrol: 2.16.840.1.113730.3.4.2 true\nchangetype: delete\n"
    );
    let left = twins.alike("modify", &["-v"], &changes);
    assert_eq!(left.status, 0, "{}", left.stderr);
    assert!(left.directory.contains("dn: cn=Caroline,ou=sub,ou=here") && !left.directory.contains("cn=Ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ldif_that_cannot_be_read_ends_as_there() {
    let twins = Twins::new().await;
    let good = format!("dn: ou=x,{HERE}\nchangetype: add\nobjectClass: organizationalUnit\n\n");
    for bad in [
        "dn: cn=x\nchangetype: nonsense\n",
        "dn: cn=x\nmail: ada@example.com\n",
        "dn: cn=x\nchangetype: modify\nreplace: sn\ncn: x\n",
        "dn: cn=x\nchangetype: modrdn\nnewrdn: cn=y\n",
        "dn: cn=x\nchangetype: delete\ncn: x\n",
        "dn: cn=x\nchangetype: add\ncn\n",
    ] {
        let left = twins.alike("modify", &[], &format!("{bad}\n{good}"));
        assert_eq!(left.status, 247, "{bad}");
        assert!(left.stderr.contains("line ") && !left.directory.contains("ou=x"), "{bad}{}", left.stderr);
    }
    let [ours, theirs] = twins.run("modify", &["-f", "/no/such/file"], "");
    assert_eq!((ours.status, theirs.status), (255, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_can_be_mended_and_read_again() {
    let twins = Twins::new().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("skipped.ldif").display().to_string();
    let left = twins.alike("add", &["-c", "-S", &path], PEOPLE);
    assert_eq!(left.status, 32);
    // The tool that ran last wrote the file: theirs. Once more with ours, all of which fails now.
    let ours = process_ours(&twins, &["add", "-c", "-S", &path], PEOPLE);
    assert_eq!(ours.status, 68, "{}", ours.stderr);
    let skipped = std::fs::read_to_string(&path).expect("it was written");
    assert_eq!(skipped.matches("# Error: Already exists (68)\n").count(), 3, "{skipped}");
    assert!(skipped.contains("# Error: No such object (32), matched DN: ou=twin-"), "{skipped}");
    let mended =
        skipped.replace("ou=nowhere,", "").replace("cn=Ada", "cn=Adele").replace("cn=Carol", "cn=Cleo");
    let again = process_ours(&twins, &["modify", "-c"], &mended);
    assert!(again.stdout.contains("cn=Adele") && again.status == 68, "{}{}", again.stdout, again.stderr);
}

fn process_ours(twins: &Twins, arguments: &[&str], input: &str) -> Finished {
    let (url, place) = (twins.server.ldap_url(), &twins.places()[0]);
    let identity = ["-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
    let all = [&arguments[..1], &identity, &arguments[1..]].concat();
    process::run_at(PROGRAM, &all, &[], &input.replace(HERE, place))
}

#[tokio::test(flavor = "multi_thread")]
async fn controls_are_sent_and_what_they_bring_is_shown() {
    let twins = Twins::new().await.with(&tree());
    let change = format!("dn: ou=e,{HERE}\nchangetype: modify\nreplace: description\ndescription: new\n");
    assert_eq!(twins.same("modify", &["-e", "!assert=(ou=other)"], &change).status, 122);
    assert_eq!(twins.same("modify", &["-e", "!assert=(ou=e)", "-e", "!relax", "-MM"], &change).status, 0);
    let [ours, theirs] =
        twins.run("modify", &["-e", "preread=description", "-e", "!postread=ou,description"], &change);
    // The raw control is folded, and holds the name of the subtree.
    let shown = |left: &Left| {
        let lines =
            left.stdout.lines().filter(|line| !line.starts_with("control: ") && !line.starts_with(' '));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!((ours.status, shown(&ours)), (theirs.status, shown(&theirs)));
    assert!(ours.stdout.contains("# ==> postread\ndn: ou=e,ou=here"), "{}", ours.stdout);
    assert_eq!(ours.stdout.matches("control: 1.3.6.1.1.13.").count(), 2);
    assert_eq!(twins.alike("delete", &["-e", "!1.2.3.4.5", &format!("ou=e,{HERE}")], "").status, 12);
    let [ours, theirs] = twins.run("modify", &["-e", "nonsense"], &change);
    assert_eq!((ours.status, theirs.status), (255, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_from_files_only_when_allowed() {
    let twins = Twins::new().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("photo");
    std::fs::write(&path, [0xff, 0xd8, 0x00]).expect("the folder is writable");
    let person = format!(
        "dn: cn=Ada,{HERE}\nobjectClass: inetOrgPerson\ncn: Ada\nsn: x\njpegPhoto:< file://{}\n",
        path.display()
    );
    let refused = process_ours(&twins, &["add"], &person);
    assert_eq!(refused.status, 247);
    assert!(refused.stderr.contains("line 5: the value of jpegPhoto"), "{}", refused.stderr);
    let allowed = process_ours(&twins, &["add", "--allow-files"], &person);
    assert_eq!(allowed.status, 0, "{}", allowed.stderr);
    let [ours, _] = twins.run("compare", &["-z", &format!("cn=Ada,{HERE}"), "cn:ada"], "");
    assert!(ours.status == 6 && ours.directory.contains("jpegPhoto:: /9gA"), "{}", ours.directory);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_takes_entries_away() {
    let twins = Twins::new().await.with(&tree());
    let dn = |name: &str| format!("{name},{HERE}");
    assert_eq!(twins.same("delete", &[&dn("ou=a")], "").status, 66, "it has others below it");
    assert_eq!(twins.same("delete", &["bad"], "").status, 34);
    let listed = format!("{}\n\n{}\n", dn("ou=none"), dn("ou=e"));
    assert!(twins.same("delete", &[], &listed).directory.contains("ou=e"), "it stopped");
    let dry = twins.alike("delete", &["-n", "-v"], &listed);
    assert_eq!((dry.status, dry.stdout.matches("!deleting").count()), (0, 2));
    let went_on = twins.alike("delete", &["-c", "-v"], &listed);
    assert_eq!((went_on.status, went_on.directory.contains("ou=e")), (32, false));
    let [ours, theirs] = twins.run("delete", &["-r", "-z", "2", &dn("ou=a"), &dn("ou=none")], "");
    assert_eq!((ours.status, &ours.directory), (theirs.status, &theirs.directory), "{}", ours.stderr);
    assert!(ours.status == 32 && !ours.directory.contains("ou=a"), "{}", ours.directory);
}

#[tokio::test(flavor = "multi_thread")]
async fn rename_gives_another_name_or_place() {
    let twins = Twins::new().await.with(&tree());
    let dn = |name: &str| format!("{name},{HERE}");
    assert_eq!(twins.same("rename", &[&dn("ou=e"), "ou=f"], "").status, 0);
    let left = twins.alike("rename", &["-v", "-r", &dn("ou=f"), "ou=g"], "");
    assert!(left.directory.contains("dn: ou=g,") && !left.directory.contains("ou: f"), "{}", left.directory);
    let left = twins.alike("rename", &["-v", "-s", &dn("ou=a"), &dn("ou=g"), "ou=g"], "");
    assert!(left.directory.contains("dn: ou=g,ou=a,"), "{}", left.directory);
    assert_eq!(twins.same("rename", &[&dn("ou=none"), "ou=x"], "").status, 32);
    assert_eq!(twins.alike("rename", &["-n", "-v", &dn("ou=a"), "ou=x"], "").status, 0);
    let pairs =
        format!("{}\nou=x\n\n{}\nou=b\n\n{}\nou=y\n", dn("ou=none"), dn("ou=d,ou=a"), dn("ou=d,ou=a"));
    let left = twins.same("rename", &["-c", "-r"], &pairs);
    assert!(
        left.status == 68 && left.directory.contains("dn: ou=y,ou=a,"),
        "{}{}",
        left.stdout,
        left.directory
    );
    let [ours, theirs] = twins.run("rename", &[&dn("ou=a")], "");
    assert_eq!((ours.status, theirs.status), (255, 1), "one name alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn compare_says_true_false_or_why_not() {
    let twins = Twins::new().await;
    for (arguments, status) in [
        (&[ALICE, "uid:alice"][..], 6),
        (&[ALICE, "uid:bob"], 5),
        (&[ALICE, "uid::YWxpY2U="], 6),
        (&[ALICE, "uid: alice"], 6),
        (&["-z", ALICE, "uid:alice"], 6),
        (&["-z", "uid=nobody,ou=people,dc=example,dc=com", "uid:alice"], 32),
        (&[ALICE, "nonsense:x"], 17),
        (&[ALICE, "jpegPhoto:x"], 18),
        (&["uid=nobody,ou=people,dc=example,dc=com", "uid:alice"], 32),
        (&["-n", ALICE, "uid:bob"], 0),
        (&["-M", "-e", "!assert=(uid=bob)", ALICE, "uid:alice"], 122),
    ] {
        assert_eq!(twins.same("compare", arguments, "").status, status, "{arguments:?}");
    }
    assert_eq!(twins.alike("compare", &["-v", ALICE, "uid:alice"], "").status, 6);
    assert_eq!(twins.alike("compare", &[ALICE, "uid:: !!!"], "").status, 255);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_one_document() {
    let twins = Twins::new().await;
    let document = |done: &Finished| -> Value {
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
    };
    let added = process_ours(&twins, &["add", "-c", "--json"], PEOPLE);
    let changes = document(&added);
    let codes: Vec<_> =
        changes["changes"].as_array().expect("a list").iter().map(|one| one["code"].as_i64()).collect();
    assert_eq!((codes, added.status), (vec![Some(0), Some(68), Some(32), Some(0)], 32));
    assert_eq!(
        (changes["changes"][2]["line"].as_i64(), changes["changes"][0]["result"].as_str()),
        (Some(13), Some("success"))
    );
    let change =
        format!("dn: cn=Ada,{HERE}\nreplace: title\ntitle: Countess\n\ndn: cn=Ada,{HERE}\nnonsense: x\n");
    let done = process_ours(&twins, &["modify", "--json", "-e", "postread=title"], &change);
    let changes = document(&done);
    assert_eq!(changes["changes"][0]["post_read"]["attributes"]["title"][0], "Countess");
    assert!(
        changes["changes"][1]["message"].as_str().is_some_and(|text| text.contains("line 6")),
        "{changes}"
    );
    let place = &twins.places()[0];
    let renamed = process_ours(&twins, &["rename", "--json", &format!("cn=Ada,{place}"), "cn=Adele"], "");
    assert_eq!(document(&renamed)["changes"][0]["change"], "rename");
    let deleted = process_ours(&twins, &["delete", "--json", "-r", place], "");
    assert_eq!(document(&deleted)["changes"].as_array().map(Vec::len), Some(3), "{}", deleted.stderr);
    let compared = process_ours(&twins, &["compare", "--json", ALICE, "uid:bob"], "");
    assert_eq!((document(&compared)["matches"].as_bool(), compared.status), (Some(false), 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn ldif_may_follow_a_password_and_begin_in_the_middle() {
    let twins = Twins::new().await;
    let (url, place) = (twins.server.ldap_url(), &twins.places()[0]);
    let arguments = ["add", "-H", &url, "-D", ADMINISTRATOR, "--password-stdin", "-c", "-j", "13"];
    let input = format!("{ADMINISTRATOR_PASSWORD}\n{PEOPLE}").replace(HERE, place);
    let done = process::run_at(PROGRAM, &arguments, &[], &input);
    assert_eq!(
        (done.status, done.stdout.matches("adding").count()),
        (32, 2),
        "{}{}",
        done.stdout,
        done.stderr
    );
    assert!(!done.stdout.contains("cn=Ada") && done.stdout.contains("cn=Carol"), "{}", done.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_url_the_configured_service_account_asks() {
    let world = World::start(Peer::OpenLdap).await;
    let config = configure(&world, USUAL);
    let compared = ldapgate(&config, &["compare", ALICE, "uid:alice"], "");
    assert_eq!((compared.stdout.as_str(), compared.status), ("TRUE\n", 6), "{}", compared.stderr);
    let deleted = ldapgate(&config, &["delete", ALICE], "");
    assert_eq!(deleted.status, 50, "it may read: {}", deleted.stderr);
    assert!(deleted.stderr.starts_with("ldap_delete: Insufficient access (50)\n"), "{}", deleted.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_in_memory_directory_is_changed_too() {
    let world = World::start(Peer::Memory).await;
    let url = world.ldap_url();
    let ours = |arguments: &[&str], input: &str| {
        let identity = ["-H", &url, "-D", ALICE, "-w", "Red-Apple-11"];
        process::run_at(PROGRAM, &[&arguments[..1], &identity, &arguments[1..]].concat(), &[], input)
    };
    let unit = "dn: ou=x,dc=example,dc=com\nobjectClass: organizationalUnit\nou: x\n";
    assert_eq!(ours(&["add"], unit).status, 0);
    assert_eq!(ours(&["add"], unit).status, 68);
    assert_eq!(ours(&["modify"], "dn: ou=x,dc=example,dc=com\nadd: description\ndescription: d\n").status, 0);
    assert_eq!(ours(&["compare", "ou=x,dc=example,dc=com", "description:d"], "").status, 6);
    assert_eq!(ours(&["rename", "-r", "ou=x,dc=example,dc=com", "ou=y"], "").status, 0);
    assert_eq!(ours(&["delete", "-r", "ou=y,dc=example,dc=com"], "").status, 0);
    assert_eq!(ours(&["compare", "ou=y,dc=example,dc=com", "ou:y"], "").status, 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_outages_end_with_255() {
    let at = |arguments: &[&str]| process::run_at(PROGRAM, arguments, &[], "").status;
    for tool in ["add", "modify", "delete", "rename", "compare"] {
        assert_eq!(at(&[tool, "--no-such-flag"]), 255, "{tool}");
    }
    assert_eq!(at(&["add", "-H", "ldap://127.0.0.1:1"]), 255);
    assert_eq!(at(&["delete", "-H", "ldap://127.0.0.1:1", "cn=x"]), 255);
    assert_eq!(at(&["compare", "-H", "ldap://127.0.0.1:1", "cn=x", "cn:x"]), 255);
    assert_eq!(at(&["compare", "-H", "ldap://127.0.0.1:1", "cn=x"]), 255);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_cannot_be_read_say_where_they_are() {
    let server = OpenLdap::equipped().await;
    let (url, folder) = (server.ldap_url(), tempfile::tempdir().expect("a temporary folder can be made"));
    let (here, missing) =
        (folder.path().display().to_string(), folder.path().join("no").display().to_string());
    for tool in ["delete", "rename"] {
        for path in [&here, &missing] {
            let done = process::run_at(PROGRAM, &[tool, "-x", "-H", &url, "-f", path], &[], "");
            assert_eq!(done.status, 255, "{}", done.stderr);
            assert!(done.stderr.contains(&format!("cannot read {path}\n")), "{tool}: {}", done.stderr);
        }
    }
}
