//! The book's tables of account states, row by row, against the in-memory directory in each server's words: also what no
//! real server here can show.

use directory::{Dialect, Directory, Fault, Kind};
use ldapgate_auth::{Answer, Denial, Directories, Reason, Settings, Trace, UserTemplate, Vendor, Warning};
use proto::{LdapResult, ResultCode};
use testkit::book;

use crate::world::{World, clock, decide, described, dn};

const PAGE: &str = include_str!("../../../../docs/account-states.md");
const PASSWORD: &str = "Right-Word-1";

/// What the entry of somebody in a state holds; the clock says 24 November 2026.
const ACTIVE_DIRECTORY: [(&str, &str); 11] = [
    ("good", "userAccountControl: 512"),
    ("locked after wrong passwords", "userAccountControl: 512\nlockoutTime: 134000000000000000"),
    ("disabled", "userAccountControl: 514"),
    ("account ended", "userAccountControl: 512\naccountExpires: 132223104000000000"),
    ("password expired", "userAccountControl: 8389120"),
    ("must change", "userAccountControl: 512\npwdLastSet: 0"),
    ("outside the hours", "logonHours:: AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("another workstation only", "userWorkstations: OTHERPC"),
    ("not in this way", "userAccountControl: 512"),
    ("too many groups", "userAccountControl: 512"),
    ("type of logon not granted", "userAccountControl: 512"),
];
const DS389: [(&str, &str); 8] = [
    ("good", ""),
    ("locked after wrong passwords", "accountUnlockTime: 19700101000000Z"),
    ("disabled", "nsAccountLock: true"),
    ("account ended", "lastLoginTime: 20200101000000Z\naccountInactivityLimit: 86400"),
    ("password expired", "passwordExpirationTime: 20200101000000Z"),
    ("must change", "passwordExpirationTime: 19700101000000Z"),
    ("expires soon", "passwordExpirationTime: 20261124010000Z"),
    ("grace logins", "passwordExpirationTime: 20200101000000Z\npasswordGraceLimit: 3"),
];
const FREEIPA: [(&str, &str); 7] = [
    ("good", ""),
    ("locked after wrong passwords", "krbLoginFailedCount: 6"),
    ("disabled", "nsAccountLock: TRUE"),
    ("account ended", "krbPrincipalExpiration: 20200101000000Z"),
    ("password expired", "krbPasswordExpiration: 20200101000000Z"),
    ("grace logins", "krbPasswordExpiration: 20200101000000Z\npasswordGraceLimit: 3"),
    (
        "grace logins used up",
        "krbPasswordExpiration: 20200101000000Z\npasswordGraceLimit: 3\npasswordGraceUserTime: 3",
    ),
];
/// Has a test of its own: a search knows who is there.
const UNKNOWN: &str = "unknown name, bound by `dn_template`";
const LLDAP: [(&str, &str); 1] = [("good", "")];

/// A server whose words are spoken, and who is in which state.
struct Spoken {
    world: World,
    directories: Directories,
    states: &'static [(&'static str, &'static str)],
}

async fn spoken(dialect: Dialect, vendor: Vendor, states: &'static [(&'static str, &'static str)]) -> Spoken {
    let (people, class, id) = match vendor {
        Vendor::FreeIpa => ("cn=users,cn=accounts", "posixAccount", "ipaUniqueID: 1-2-3-4"),
        Vendor::ActiveDirectory => {
            ("cn=Users", "user\nobjectCategory: person", "objectGUID:: AAECAwQFBgcICQoLDA0ODw==")
        }
        Vendor::Ds389 => ("ou=people", "inetOrgPerson", "nsUniqueId: 00000001-00000002-00000003-00000004"),
        _ => ("ou=people", "inetOrgPerson", "cn: x"),
    };
    let name = if vendor == Vendor::ActiveDirectory { "sAMAccountName" } else { "uid" };
    let person = |(number, (_, state)): (usize, &(&str, &str))| {
        format!(
            "dn: {name}=p{number},{people},dc=example,dc=com\nobjectClass: {class}\n{name}: p{number}\n{id}\n\
             userPassword: {PASSWORD}\n{state}\n\n"
        )
    };
    let rest = "dn: cn=reader,dc=example,dc=com\nobjectClass: person\ncn: reader\nuserPassword: Reader-Pass-1\n\n\
                dn: ou=groups,dc=example,dc=com\nobjectClass: organizationalUnit\nou: groups\n\n";
    let ldif = rest.to_owned() + &states.iter().enumerate().map(person).collect::<String>();
    let builder = Directory::builder(clock()).dialect(dialect).ldif(ldif).expect("good LDIF");
    let world = World::of(builder).await;
    let settings = Settings::preset("main", vendor, dn("dc=example,dc=com"));
    let directories = Directories::new(vec![(settings, world.pool())], clock()).expect("good settings");
    Spoken { world, directories, states }
}

impl Spoken {
    fn name(&self, state: &str) -> String {
        let place = self.states.iter().position(|(known, _)| *known == state);
        format!("p{}", place.unwrap_or_else(|| panic!("nobody is in the state {state:?}")))
    }

    /// Asks for every row whose person the data has, and compares.
    async fn shows_what_the_book_says(&self, heading: &str) {
        let mut seen = 0;
        for row in book::table(PAGE, heading) {
            if row[0] == UNKNOWN {
                continue;
            }
            let name = self.name(row[0]);
            if row[4] == "-" {
                // The directory is told what to answer, since nothing in an entry says this.
                self.warm().await;
                let text = format!("80090308: LdapErr: DSID-0C090447, comment: x, {}, v3839", quoted(row[1]));
                let answer = LdapResult::new(ResultCode::INVALID_CREDENTIALS, text);
                self.world.directory.faults().next(Kind::Bind, 1, Fault::Answer(answer));
            } else {
                self.compare(row[0], &name, "wrong", [row[4], row[5]], "no").await;
            }
            self.compare(row[0], &name, PASSWORD, [row[1], row[2]], row[3]).await;
            let outcome = match described(&self.directories, &name).await {
                Answer::Yes(_) => "found",
                Answer::No(denial) => denial.reason().as_str(),
            };
            assert_eq!(outcome, quoted(row[6]), "{heading}: {} when looked up", row[0]);
            seen += 1;
        }
        assert_eq!(seen, self.states.len(), "{heading}: the book has a row for every state");
    }

    async fn compare(
        &self,
        state: &str,
        name: &str,
        password: &str,
        [answer, meaning]: [&str; 2],
        told: &str,
    ) {
        let trace = Trace::new();
        let decided = decide(&self.directories, name, password, &trace).await;
        // What the server said to the bind, and what it was taken for; a search succeeds in every row.
        let steps = trace.steps().into_iter().filter(|step| ["prove", "state"].contains(&step.step));
        let steps: Vec<_> = steps.collect();
        for word in book::words(answer) {
            assert!(steps.iter().any(|step| step.result.contains(word)), "{state}: no {word} in {steps:?}");
        }
        match decided.unwrap_or_else(|error| panic!("{state}: {error}")) {
            Answer::Yes(person) => {
                let outcome = match person.warnings() {
                    [] => "granted",
                    [Warning::PasswordExpires { seconds: 3600 }] => "password_expires",
                    [Warning::GraceLogins { remaining: 2 }] => "grace_logins",
                    other => panic!("{state}: {other:?}"),
                };
                assert_eq!(outcome, quoted(meaning), "{state}");
            }
            Answer::No(denial) => {
                assert_eq!(denial.reason().as_str(), quoted(meaning), "{state}: {denial}");
                assert_eq!(is_told(&denial), told == "yes", "{state}: {denial}");
            }
        }
    }

    /// Opens the connections, so that the next bind is the person's.
    async fn warm(&self) {
        assert!(self.directories.health(std::time::Duration::from_secs(5)).await[0].1.is_ok());
    }
}

fn quoted(cell: &str) -> &str {
    book::words(cell).next().unwrap_or(cell)
}

fn is_told(denial: &Denial) -> bool {
    denial.public_message(true) != Denial::of(Reason::UnknownUser).public_message(true)
}

#[tokio::test]
async fn active_directory_s_words_are_as_the_book_has_them() {
    let spoken = spoken(Dialect::ActiveDirectory, Vendor::ActiveDirectory, &ACTIVE_DIRECTORY).await;
    spoken.shows_what_the_book_says("active-directory").await;
}

#[tokio::test]
async fn the_words_of_389ds_are_as_the_book_has_them() {
    let spoken = spoken(Dialect::Ds389, Vendor::Ds389, &DS389).await;
    spoken.shows_what_the_book_says("389ds").await;
}

#[tokio::test]
async fn freeipa_s_words_are_as_the_book_has_them() {
    let spoken = spoken(Dialect::FreeIpa, Vendor::FreeIpa, &FREEIPA).await;
    spoken.shows_what_the_book_says("freeipa").await;
}

#[tokio::test]
async fn lldap_s_words_are_as_the_book_has_them() {
    let spoken = spoken(Dialect::Lldap, Vendor::Lldap, &LLDAP).await;
    spoken.shows_what_the_book_says("lldap").await;
}

#[tokio::test]
async fn a_name_that_windows_does_not_know_is_no_wrong_password() {
    let mut spoken = spoken(Dialect::ActiveDirectory, Vendor::ActiveDirectory, &ACTIVE_DIRECTORY).await;
    let mut settings = Settings::preset("main", Vendor::ActiveDirectory, dn("dc=example,dc=com"));
    settings.user.template = Some(UserTemplate::parse("{username}@example.com").expect("a good template"));
    spoken.directories =
        Directories::new(vec![(settings, spoken.world.pool())], clock()).expect("good settings");
    let row = book::table(PAGE, "active-directory").find(|row| row[0] == UNKNOWN);
    let row = row.expect("the book has the row");
    spoken.compare(row[0], "nobody", PASSWORD, [row[1], row[2]], row[3]).await;
}
