//! The directory, and the one configuration of it that all rows share.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::ensure;

/// The suffix.
pub(crate) const BASE: &str = "dc=example,dc=com";
/// The service account.
pub(crate) const READER: &str = "cn=reader,ou=services,dc=example,dc=com";
/// Who may write.
pub(crate) const WRITER: &str = "cn=writer,dc=example,dc=com";
/// Everybody's password, stored as it is: what the server spends on hashing is not what is measured.
pub(crate) const PASSWORD: &str = "Open-Sesame-1";

/// Groups of each level; every one but the last is a member of one of the next.
const LEVELS: [usize; 6] = [4_000, 800, 160, 32, 7, 1];
/// So many people sign in, over and over, spread over the directory.
const SIGNING_IN: usize = 400;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// In the directory.
    pub(crate) people: usize,
    /// In each round of a row of ours; the slower ones do fewer.
    pub(crate) logins: usize,
    /// One more group, with everybody in it. Each question after one person's groups would make the server read it whole.
    pub(crate) everybody: bool,
}

impl Default for Size {
    fn default() -> Self {
        Size { people: 100_000, logins: 1_500, everybody: false }
    }
}

impl Size {
    /// Every group needs a member.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(self.people >= LEVELS[0], "there must be at least {} people", LEVELS[0]);
        ensure!(self.logins > 0, "somebody must sign in");
        Ok(())
    }

    /// Those who sign in.
    pub(crate) fn signing_in(&self) -> impl Iterator<Item = usize> {
        let apart = self.people / SIGNING_IN;
        (0..SIGNING_IN).map(move |n| n * apart)
    }

    /// The whole directory.
    pub(crate) fn ldif(&self) -> String {
        let mut out = String::with_capacity(self.people * 400);
        out.push_str(
            "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n",
        );
        for unit in ["people", "groups", "services"] {
            put(
                &mut out,
                format_args!("dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n"),
            );
        }
        put(
            &mut out,
            format_args!(
                "dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: {PASSWORD}\n"
            ),
        );
        (0..self.people).for_each(|n| write_person(&mut out, n));
        put(
            &mut out,
            format_args!(
                "dn: cn=denied,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: denied\nmember: {READER}\n"
            ),
        );
        for (level, count) in LEVELS.iter().enumerate() {
            (0..*count).for_each(|n| self.write_group(&mut out, level, n));
        }
        if self.everybody {
            put(
                &mut out,
                format_args!("dn: cn=everybody,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: everybody"),
            );
            (0..self.people).for_each(|n| put(&mut out, format_args!("member: {}", dn(n))));
            out.push('\n');
        }
        out
    }

    fn write_group(&self, out: &mut String, level: usize, n: usize) {
        let cn = group(level, n);
        put(out, format_args!("dn: cn={cn},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {cn}"));
        if level == 0 {
            (n..self.people)
                .step_by(LEVELS[0])
                .for_each(|person| put(out, format_args!("member: {}", dn(person))));
        } else {
            let below = (0..LEVELS[level - 1]).filter(|below| above(level - 1, *below) == n);
            below.for_each(|below| {
                put(out, format_args!("member: cn={},ou=groups,{BASE}", group(level - 1, below)))
            });
        }
        // Circles: some groups are members of a group that is a member of theirs.
        if level == 1 && in_a_circle(n) {
            put(out, format_args!("member: cn={},ou=groups,{BASE}", group(2, above(1, n))));
        }
        out.push('\n');
    }
}

/// A line of a name and the names of all groups, nested ones too, sorted.
pub(crate) fn name_and_groups(person: usize) -> String {
    let mut line = name(person);
    groups_of(person).iter().for_each(|group| {
        line.push(' ');
        line.push_str(group);
    });
    line
}

/// The names of the groups a person is in, to any depth.
fn groups_of(person: usize) -> BTreeSet<String> {
    let (mut names, mut left) = (BTreeSet::new(), vec![(0, person % LEVELS[0])]);
    while let Some((level, n)) = left.pop() {
        if !names.insert(group(level, n)) {
            continue;
        }
        if level + 1 < LEVELS.len() {
            left.push((level + 1, above(level, n)));
        }
        if level == 2 {
            left.extend(
                (0..LEVELS[1]).filter(|below| in_a_circle(*below) && above(1, *below) == n).map(|n| (1, n)),
            );
        }
    }
    names
}

/// How many groups there are.
pub(crate) fn groups() -> usize {
    LEVELS.iter().sum()
}

/// Changes to every hundredth person, another part of them each `time`: half get another address, half one more group.
/// Answers how many they are, too.
pub(crate) fn changes(people: usize, time: usize) -> (String, usize) {
    let (mut out, mut changed) = (String::new(), 0);
    for (nth, n) in (time % 100..people).step_by(100).enumerate() {
        changed += 1;
        if nth.is_multiple_of(2) {
            put(
                &mut out,
                format_args!(
                    "dn: {}\nchangetype: modify\nreplace: mail\nmail: {}.{time}@example.com\n",
                    dn(n),
                    name(n)
                ),
            );
        } else {
            let cn = group(0, (n + 1) % LEVELS[0]);
            put(
                &mut out,
                format_args!(
                    "dn: cn={cn},ou=groups,{BASE}\nchangetype: modify\nadd: member\nmember: {}\n",
                    dn(n)
                ),
            );
        }
    }
    (out, changed)
}

/// How the engine is told of it all; the Python script says the same in its own words.
pub(crate) fn config(url: &str, ca: &Path, store: &str) -> String {
    let (ca, all, staff) = (ca.display(), group(5, 0), group(2, 0));
    format!(
        r#"
[directory]
preset = "openldap"
url = "{url}"
base = "{BASE}"
bind_dn = "{READER}"
bind_password = "{PASSWORD}"
[directory.tls]
ca_files = ["{ca}"]
[directory.user]
base = "ou=people,{BASE}"
[directory.groups]
base = "ou=groups,{BASE}"
nested = true
[directory.access]
require = "cn={all},ou=groups,{BASE}"
deny = "cn=denied,ou=groups,{BASE}"
[directory.profile]
fields = {{ first_name = "givenName", last_name = "sn", email = "mail" }}
flags = {{ is_staff = "cn={staff},ou=groups,{BASE}" }}
[directory.permissions]
mirror_groups = true
[store]
url = "{store}"
"#
    )
}

fn write_person(out: &mut String, n: usize) {
    let name = name(n);
    put(
        out,
        format_args!(
            "dn: {}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: Given{n} Family{n}\nsn: Family{n}\ngivenName: Given{n}\nmail: {name}@example.com\nuserPassword: {PASSWORD}\n",
            dn(n)
        ),
    );
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("text can be written to memory");
}

pub(crate) fn name(n: usize) -> String {
    format!("p{n:06}")
}

pub(crate) fn dn(n: usize) -> String {
    format!("uid={},ou=people,{BASE}", name(n))
}

fn group(level: usize, n: usize) -> String {
    format!("level{}-{n:04}", level + 1)
}

/// Does the group of the second level have its own group of the third as a member?
fn in_a_circle(n: usize) -> bool {
    n.is_multiple_of(10)
}

/// The group of the next level that has this one.
fn above(level: usize, n: usize) -> usize {
    n * LEVELS[level + 1] / LEVELS[level]
}
