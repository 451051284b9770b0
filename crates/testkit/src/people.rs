//! The people and groups of the world, described once; `rendering` writes them as each server wants them.

use proto::{Dn, Rdn};

use crate::world::BASE;

/// Somebody.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// What they type: `uid`, or `sAMAccountName`.
    pub name: &'static str,
    /// Their password.
    pub password: &'static str,
    /// `givenName`.
    pub given_name: &'static str,
    /// `sn`.
    pub surname: &'static str,
    /// `cn`, where it is more than the two together; the entry is then named by it.
    pub common_name: Option<&'static str>,
    /// `mail`.
    pub mail: Option<&'static str>,
    /// `telephoneNumber`.
    pub phones: &'static [&'static str],
    /// The posix group that is their primary one.
    pub primary: Option<&'static str>,
    /// The unit below the base.
    pub unit: &'static str,
    /// What is the matter with the account.
    pub state: State,
}

/// What is the matter with an account. Who is in a state that a server does not have is left out there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Good,
    /// Nothing yet; five wrong passwords lock it until an administrator unlocks it.
    Fragile,
    /// Locked by an administrator (OpenLDAP).
    LockedByHand,
    /// Switched off by an administrator (389-ds, Samba).
    Disabled,
    /// The account's end has passed: its end date (OpenLDAP, Samba), or too long without a login (389-ds).
    Ended,
    /// The password is too old.
    PasswordExpired,
    /// An administrator has set the password.
    MustChange,
    /// The password expires within the time of warning (OpenLDAP, 389-ds).
    Expiring,
    /// The password is too old; three logins are left (OpenLDAP, 389-ds).
    Grace,
    /// No hour of the week is allowed (Samba).
    NoHours,
    /// Another machine only is allowed (Samba).
    Elsewhere,
}

/// What kind of group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `groupOfNames`.
    Names,
    /// `groupOfUniqueNames`.
    UniqueNames,
    /// `posixGroup` with this number.
    Posix(u32),
}

/// A group. In Active Directory all kinds are one.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// `cn`.
    pub name: &'static str,
    /// What kind.
    pub kind: Kind,
    /// The people in it, by name. Whose primary group it is need not be among them.
    pub people: &'static [&'static str],
    /// The groups in it.
    pub groups: &'static [&'static str],
}

/// Everybody.
pub const PEOPLE: &[Person] = &[
    Person {
        mail: Some("alice@example.test"),
        phones: &["+49 30 1000", "+49 30 1001"],
        primary: Some("posix-admins"),
        ..person("alice", "Red-Apple-11", "Alice", "Anderson")
    },
    Person {
        mail: Some("bob@example.test"),
        primary: Some("posix-staff"),
        ..person("bob", "Blue-Boat-22", "Bob", "Brown")
    },
    Person { mail: Some("carol@example.test"), ..person("carol", "Green-Garden-33", "Carol", "Clark") },
    Person {
        mail: Some("zoe@example.test"), ..person("zoe", "Pässwörd-Ünï-44", "Zoë", "Łukasz-Žižek")
    },
    Person { mail: Some("juergen@example.test"), ..person("jürgen", "Gelb-Glas-55", "Jürgen", "Groß") },
    Person {
        common_name: Some(" Pat, (the *) O'Hara \\ #1 \"x\" <y>;+=z"),
        mail: Some("pat@example.test"),
        ..person("pat", "Pink-Pearl-66", "Pat", "O'Hara")
    },
    Person { mail: Some("weird@example.test"), ..person(WEIRD, "White-Whale-77", "Weird", "Name") },
    person("twin", "Twin-Inside-12", "Twin", "Inside"),
    Person { unit: "partners", ..person("twin", "Twin-Outside-13", "Twin", "Outside") },
    person("nogroups", "None-Nickel-17", "Nil", "Groups"),
    Person { state: State::LockedByHand, ..person("locked", "Lock-Ledger-12", "Lock", "Out") },
    Person { state: State::Fragile, ..person("fragile", "Thin-Tulip-19", "Fra", "Gile") },
    Person { state: State::Disabled, ..person("disabled", "Dead-Dodo-21", "Dis", "Abled") },
    Person { state: State::Ended, ..person("ended", "Past-Pine-22", "Account", "Ended") },
    Person { state: State::PasswordExpired, ..person("expired", "Old-Otter-13", "Ex", "Pired") },
    Person { state: State::MustChange, ..person("mustchange", "Must-Mango-15", "Must", "Change") },
    Person { state: State::Expiring, ..person("expiring", "Soon-Salmon-16", "Ex", "Piring") },
    Person { state: State::Grace, ..person("grace", "Gray-Goose-14", "Gra", "Ce") },
    Person { state: State::NoHours, ..person("nohours", "Night-Newt-23", "No", "Hours") },
    Person { state: State::Elsewhere, ..person("elsewhere", "West-Wind-24", "Else", "Where") },
];

/// Every group: nested five deep, the upper three in a circle.
pub const GROUPS: &[Group] = &[
    group("staff", Kind::Names, &["alice", "bob", "zoe", "jürgen", "pat", WEIRD], &[]),
    group("admins", Kind::Names, &["alice"], &[]),
    group("suspended", Kind::Names, &["bob"], &[]),
    group("level1", Kind::Names, &["carol"], &[]),
    group("level2", Kind::Names, &[], &["level1"]),
    group("level3", Kind::Names, &[], &["level2", "level5"]),
    group("level4", Kind::Names, &[], &["level3"]),
    group("level5", Kind::Names, &[], &["level4"]),
    group("unique-staff", Kind::UniqueNames, &["bob", "carol"], &[]),
    group("posix-staff", Kind::Posix(20_000), &["alice", "zoe"], &[]),
    group("posix-admins", Kind::Posix(20_001), &["zoe"], &[]),
];

/// A name that needs escaping in a DN and in a filter, and that Active Directory does not take.
const WEIRD: &str = r"we(i)rd*\user,x=1";

const fn person(
    name: &'static str,
    password: &'static str,
    given_name: &'static str,
    surname: &'static str,
) -> Person {
    Person {
        name,
        password,
        given_name,
        surname,
        common_name: None,
        mail: None,
        phones: &[],
        primary: None,
        unit: "people",
        state: State::Good,
    }
}

const fn group(
    name: &'static str,
    kind: Kind,
    people: &'static [&'static str],
    groups: &'static [&'static str],
) -> Group {
    Group { name, kind, people, groups }
}

/// The first who bears this name.
///
/// # Panics
/// When nobody does.
#[must_use]
pub fn named(name: &str) -> &'static Person {
    PEOPLE.iter().find(|person| person.name == name).unwrap_or_else(|| panic!("nobody is called {name}"))
}

impl Person {
    /// `cn`.
    #[must_use]
    pub fn full_name(&self) -> String {
        self.common_name.map_or_else(|| format!("{} {}", self.given_name, self.surname), str::to_owned)
    }

    /// The entry's name where people are named by `uid`.
    #[must_use]
    pub fn dn(&self) -> Dn {
        match self.common_name {
            Some(common_name) => below(self.unit, "cn", common_name),
            None => below(self.unit, "uid", self.name),
        }
    }

    /// The entry's name in Active Directory: by `cn`, and in hexadecimal whatever needs escaping, since Samba takes a
    /// space in no other form.
    #[must_use]
    pub fn active_directory_dn(&self) -> String {
        let escaped = |letter: char| match letter {
            ' ' | ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#' => {
                format!("\\{:02X}", u32::from(letter))
            }
            other => other.to_string(),
        };
        let name: String = match self.common_name {
            Some(name) => name.chars().map(escaped).collect(),
            None => self.full_name(),
        };
        format!("CN={name},OU={},{BASE}", self.unit)
    }
}

impl Group {
    /// The entry's name.
    #[must_use]
    pub fn dn(&self) -> Dn {
        below("groups", "cn", self.name)
    }
}

/// An entry of a unit below the base.
pub(crate) fn below(unit: &str, attribute: &str, value: &str) -> Dn {
    let rdn = |attribute, value| Rdn::new(attribute, value).expect("the world's names are names");
    Dn::parse(BASE).expect("the base is a name").child(rdn("ou", unit)).child(rdn(attribute, value))
}
