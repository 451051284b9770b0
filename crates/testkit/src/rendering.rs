//! The world as LDIF, in the words of each server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::{Dn, Entry, Password, Rdn, ldif};

use crate::people::{GROUPS, Group, Kind, PEOPLE, Person, State, below, named};
use crate::world::{BASE, READER, READER_PASSWORD};

/// A password from long ago, and an end date that has passed.
const LONG_AGO: &str = "20200101000000Z";
/// The same in Active Directory's count: 100 ns since 1601.
pub(crate) const LONG_AGO_TICKS: &str = "132223104000000000";
/// `userAccountControl` of a person whose password may expire.
const NORMAL: u32 = 0x200;
const DISABLED: u32 = 0x2;
const NEVER_EXPIRES: u32 = 0x1_0000;

type Attributes = Vec<(&'static str, Vec<Vec<u8>>)>;

/// For `slapadd`, operational attributes included.
pub(crate) fn openldap() -> String {
    let mut text = Text::default();
    text.suffix(&[]);
    text.units(&["people", "partners", "groups", "services", "policies"]);
    let policies: [(&str, &[(&'static str, &str)]); 5] = [
        ("fragile", &[("pwdLockout", "TRUE"), ("pwdMaxFailure", "5"), ("pwdLockoutDuration", "0")]),
        ("expiry", &[("pwdMaxAge", "3600")]),
        ("grace", &[("pwdMaxAge", "3600"), ("pwdGraceAuthNLimit", "3")]),
        ("warning", &[("pwdMaxAge", "2147483647"), ("pwdExpireWarning", "2147483647")]),
        ("change", &[("pwdMustChange", "TRUE"), ("pwdCheckQuality", "1"), ("pwdMinLength", "8")]),
    ];
    for (name, rules) in policies {
        let mut attributes =
            vec![values("objectClass", ["device", "pwdPolicy"]), value("pwdAttribute", "userPassword")];
        attributes.extend(rules.iter().map(|(rule, what)| value(rule, what)));
        text.entry(below("policies", "cn", name), attributes);
    }
    text.reader(&["applicationProcess", "simpleSecurityObject"], &[]);
    for person in PEOPLE {
        let policy = |name: &str| value("pwdPolicySubentry", below("policies", "cn", name).as_str());
        let state = match person.state {
            State::Good => vec![],
            State::Fragile => vec![policy("fragile")],
            State::LockedByHand => vec![policy("fragile"), value("pwdAccountLockedTime", "000001010000Z")],
            State::Ended => vec![policy("fragile"), value("pwdEndTime", LONG_AGO)],
            State::PasswordExpired => vec![policy("expiry"), value("pwdChangedTime", LONG_AGO)],
            State::Grace => vec![policy("grace"), value("pwdChangedTime", LONG_AGO)],
            State::Expiring => vec![policy("warning"), value("pwdChangedTime", LONG_AGO)],
            State::MustChange => vec![policy("change"), value("pwdReset", "TRUE")],
            State::Disabled | State::NoHours | State::Elsewhere => continue,
        };
        text.entry(person.dn(), [person_of(person), state].concat());
    }
    text.groups();
    text.done()
}

/// For `ldapadd` into an empty suffix of 389-ds; [`ds389_states`] comes after it.
pub(crate) fn ds389() -> String {
    let mut text = Text::default();
    text.suffix(&[
        &format!(r#"(targetattr != "userPassword || aci")(version 3.0; acl "reader"; allow (read, search, compare) userdn = "ldap:///{READER}";)"#),
        r#"(targetattr != "userPassword || aci")(version 3.0; acl "self"; allow (read, search, compare) userdn = "ldap:///self";)"#,
        r#"(targetattr = "userPassword")(version 3.0; acl "own password"; allow (write) userdn = "ldap:///self";)"#,
    ]);
    text.units(&["people", "partners", "groups", "services", "policies"]);
    let policies: [(&str, &[(&'static str, &str)]); 3] = [
        ("warning", &[("passwordWarning", "3153600000")]),
        ("grace", &[("passwordGraceLimit", "3")]),
        ("change", &[("passwordMustChange", "on")]),
    ];
    for (name, rules) in policies {
        let mut attributes = vec![
            values("objectClass", ["ldapsubentry", "passwordPolicy"]),
            value("passwordExp", "on"),
            value("passwordMaxAge", "3153600000"),
        ];
        attributes.extend(rules.iter().map(|(rule, what)| value(rule, what)));
        text.entry(below("policies", "cn", name), attributes);
    }
    let idle = [
        values("objectClass", ["ldapsubentry", "extensibleObject", "accountPolicy"]),
        value("accountInactivityLimit", "86400"),
    ];
    text.entry(below("policies", "cn", "idle"), idle.to_vec());
    text.reader(&["account", "simpleSecurityObject", "extensibleObject"], &[value("uid", "reader")]);
    for person in PEOPLE.iter().filter(|person| ds389_has(person.state)) {
        let policy = |name: &str| value("pwdpolicysubentry", below("policies", "cn", name).as_str());
        let state = match person.state {
            State::Disabled => vec![value("nsAccountLock", "true")],
            State::Ended => vec![
                value("acctPolicySubentry", below("policies", "cn", "idle").as_str()),
                value("lastLoginTime", LONG_AGO),
            ],
            State::Expiring => vec![policy("warning")],
            State::Grace => vec![policy("grace")],
            State::MustChange => vec![policy("change")],
            _ => vec![],
        };
        text.entry(person.dn(), [person_of(person), state].concat());
    }
    text.groups();
    text.done()
}

/// The changes that bring 389-ds's people into their states: what the server writes itself when an entry is added.
pub(crate) fn ds389_states() -> String {
    let change = |person: &Person| match person.state {
        State::PasswordExpired | State::Grace => {
            Some(replacing(person.dn(), "passwordExpirationTime", [LONG_AGO]))
        }
        State::MustChange => Some(replacing(person.dn(), "userPassword", [person.password])),
        _ => None,
    };
    PEOPLE.iter().filter_map(change).collect()
}

/// For `ldapadd` into a fresh domain of Active Directory.
pub(crate) fn active_directory() -> String {
    let mut text = Text::default();
    text.units(&["people", "groups", "services"]);
    let reader = Dn::parse(READER).expect("the reader's name is a name");
    text.entry(reader, account("reader", READER_PASSWORD, NORMAL | NEVER_EXPIRES));
    for person in PEOPLE.iter().filter(|person| active_directory_has(person)) {
        let kept = NORMAL | NEVER_EXPIRES;
        let (control, state) = match person.state {
            State::Disabled => (kept | DISABLED, vec![]),
            State::Ended => (kept, vec![value("accountExpires", LONG_AGO_TICKS)]),
            State::PasswordExpired => (NORMAL, vec![]),
            State::MustChange => (NORMAL, vec![value("pwdLastSet", "0")]),
            State::NoHours => (kept, vec![("logonHours", vec![vec![0; 21]])]),
            State::Elsewhere => (kept, vec![value("userWorkstations", "OTHERPC")]),
            _ => (kept, vec![]),
        };
        let mut attributes = account(person.name, person.password, control);
        attributes.extend([
            value("userPrincipalName", &format!("{}@example.com", person.name)),
            value("givenName", person.given_name),
            value("sn", person.surname),
        ]);
        attributes.extend(person.mail.map(|mail| value("mail", mail)));
        if let [first, others @ ..] = person.phones {
            attributes.extend([value("telephoneNumber", first), values("otherTelephone", others)]);
        }
        text.entry(person.active_directory_dn(), [attributes, state].concat());
    }
    for group in GROUPS {
        let attributes = vec![value("objectClass", "group"), value("sAMAccountName", group.name)];
        text.entry(group.dn(), attributes);
    }
    text.done()
}

/// The changes that fill Active Directory's groups, once all of them are there. Whoever has one for their primary group
/// has to be a member first.
pub(crate) fn active_directory_members() -> String {
    let members = |group: &Group| {
        let people = PEOPLE.iter().filter(|person| active_directory_has(person));
        let inside =
            |person: &&Person| group.people.contains(&person.name) || person.primary == Some(group.name);
        let groups = group.groups.iter().map(|name| below("groups", "cn", name).to_string());
        people.filter(inside).map(Person::active_directory_dn).chain(groups).collect::<Vec<_>>()
    };
    GROUPS.iter().map(|group| replacing(group.dn(), "member", members(group))).collect()
}

/// Active Directory has one namespace for names of accounts, and no room in it for some characters.
pub(crate) fn active_directory_has(person: &Person) -> bool {
    person.unit == "people"
        && !person.name.contains(['/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '"'])
        && !matches!(person.state, State::LockedByHand | State::Expiring | State::Grace)
}

fn ds389_has(state: State) -> bool {
    !matches!(state, State::LockedByHand | State::NoHours | State::Elsewhere)
}

/// A change record that sets an attribute.
pub(crate) fn replacing<V: AsRef<[u8]>>(
    dn: impl AsRef<str>,
    attribute: &str,
    values: impl IntoIterator<Item = V>,
) -> String {
    let name = STANDARD.encode(dn.as_ref());
    let values = values.into_iter().map(|value| format!("{attribute}:: {}\n", STANDARD.encode(value)));
    format!("dn:: {name}\nchangetype: modify\nreplace: {attribute}\n{}\n", values.collect::<String>())
}

fn value(name: &'static str, value: &str) -> (&'static str, Vec<Vec<u8>>) {
    values(name, [value])
}

fn values<V: AsRef<[u8]>>(
    name: &'static str,
    values: impl IntoIterator<Item = V>,
) -> (&'static str, Vec<Vec<u8>>) {
    (name, values.into_iter().map(|value| value.as_ref().to_vec()).collect())
}

/// What OpenLDAP and 389-ds call a person.
fn person_of(person: &Person) -> Attributes {
    let mut attributes = vec![
        values("objectClass", ["inetOrgPerson"]),
        value("uid", person.name),
        value("cn", &person.full_name()),
        value("givenName", person.given_name),
        value("sn", person.surname),
        value("userPassword", person.password),
    ];
    attributes.extend(person.mail.map(|mail| value("mail", mail)));
    attributes.extend((!person.phones.is_empty()).then(|| values("telephoneNumber", person.phones)));
    let primary = GROUPS.iter().find(|group| person.primary == Some(group.name));
    if let Some(Group { kind: Kind::Posix(number), .. }) = primary {
        let home = format!("/home/{}", person.name);
        attributes[0] = values("objectClass", ["inetOrgPerson", "posixAccount"]);
        attributes.extend([
            value("uidNumber", &format!("1{number}")),
            value("gidNumber", &number.to_string()),
            value("homeDirectory", &home),
        ]);
    }
    attributes
}

/// What Active Directory calls an account.
fn account(name: &str, password: &str, control: u32) -> Attributes {
    vec![
        value("objectClass", "user"),
        value("sAMAccountName", name),
        value("userAccountControl", &control.to_string()),
        ("unicodePwd", vec![unicode_pwd(password)]),
    ]
}

/// A password as Active Directory takes it.
pub(crate) fn unicode_pwd(password: &str) -> Vec<u8> {
    let value = Password::new(password).ok().and_then(|password| password.to_unicode_pwd());
    value.expect("a password of the world is text").to_vec()
}

/// Content records, one after the other.
struct Text(ldif::Writer<Vec<u8>>);

impl Default for Text {
    fn default() -> Self {
        Self(ldif::Writer::new(Vec::new()))
    }
}

impl Text {
    fn entry(&mut self, dn: impl AsRef<str>, attributes: Attributes) {
        let entry = attributes
            .into_iter()
            .fold(Entry::builder(dn.as_ref()), |entry, (name, values)| entry.attribute(name, values));
        self.0.entry(&entry.build()).expect("memory takes what is written");
    }

    fn suffix(&mut self, rights: &[&str]) {
        let base = Dn::parse(BASE).expect("the base is a name");
        let mut attributes = vec![value("objectClass", "domain"), value("dc", "example")];
        attributes.extend((!rights.is_empty()).then(|| values("aci", rights)));
        self.entry(base, attributes);
    }

    fn units(&mut self, names: &[&str]) {
        let base = Dn::parse(BASE).expect("the base is a name");
        for name in names {
            let unit = base.child(Rdn::new("ou", name).expect("a unit's name is a name"));
            self.entry(unit, vec![value("objectClass", "organizationalUnit"), value("ou", name)]);
        }
    }

    fn reader(&mut self, classes: &[&str], more: &[(&'static str, Vec<Vec<u8>>)]) {
        let mut attributes = vec![
            values("objectClass", classes),
            value("cn", "reader"),
            value("userPassword", READER_PASSWORD),
        ];
        attributes.extend_from_slice(more);
        self.entry(Dn::parse(READER).expect("the reader's name is a name"), attributes);
    }

    fn groups(&mut self) {
        for group in GROUPS {
            let (class, member) = match group.kind {
                Kind::Names => ("groupOfNames", "member"),
                Kind::UniqueNames => ("groupOfUniqueNames", "uniqueMember"),
                Kind::Posix(_) => ("posixGroup", "memberUid"),
            };
            let mut attributes = vec![value("objectClass", class), value("cn", group.name)];
            if let Kind::Posix(number) = group.kind {
                attributes.extend([value("gidNumber", &number.to_string()), values(member, group.people)]);
            } else {
                let people = group.people.iter().map(|name| named(name).dn());
                let groups = group.groups.iter().map(|name| below("groups", "cn", name));
                attributes.push(values(member, people.chain(groups).map(|dn| dn.to_string())));
            }
            self.entry(group.dn(), attributes);
        }
    }

    fn done(self) -> String {
        String::from_utf8(self.0.into_inner()).expect("what is not text was written in base64")
    }
}
