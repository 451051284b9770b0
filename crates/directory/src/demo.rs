//! The example people.

/// Example people of an invented company as LDIF: nested groups with a cycle, account states, names that need escaping.
pub const DEMO: &str = include_str!("../demo.ldif");

/// One of the people in [`DEMO`], and how to sign in as them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// What to type as the user name: the value of `uid`.
    pub name: &'static str,
    /// What to type as the password.
    pub password: &'static str,
    /// What is special about them, one line.
    pub about: &'static str,
}

const fn person(name: &'static str, password: &'static str, about: &'static str) -> DemoPerson {
    DemoPerson { name, password, about }
}

static PEOPLE: &[DemoPerson] = &[
    person("alice", "Red-Apple-11", "staff and administrator"),
    person("bob", "Blue-Boat-22", "staff; may upload, because staff is a member of uploaders"),
    person("carol", "Green-Garden-33", "in a team whose groups form a cycle; Argon2 password"),
    person("jürgen", "Grüne-Gläser-44", "staff; name and password beyond ASCII"),
    person("yamada", "Kiiro-Kiku-55", "staff; 山田 太郎 in full"),
    person("pat,o(n)e*\\x", "Pink-Pearl-66", "staff; a user name that must be escaped in filters and names"),
    person("dave", "Dove-Dune-77", "in no group at all"),
    person("sue", "Silver-Sail-88", "staff, but suspended: the deny group"),
    person("uma", "Umber-Urn-99", "may upload, without being staff"),
    person("louis", "Lock-Ledger-12", "locked out"),
    person("diana", "Dead-Dodo-13", "disabled"),
    person("erin", "Old-Otter-14", "account expired in 2020"),
    person("max", "Must-Mango-15", "must change the password first"),
];

/// The people of [`DEMO`], the ones who can sign in without ado first.
#[must_use]
pub fn demo_people() -> &'static [DemoPerson] {
    PEOPLE
}
