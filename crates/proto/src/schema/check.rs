//! Judges what is to be sent, before a server does.

use std::collections::HashSet;

use super::{AttributeType, Schema, without_options};
use crate::message::{AddRequest, Change, ChangeOp};
use crate::{Dn, Entry};

/// Attributes that Active Directory's classes require and the server fills in by itself.
const FILLED_IN: [&str; 5] =
    ["objectCategory", "nTSecurityDescriptor", "instanceType", "objectSid", "sAMAccountName"];

/// Attributes that OpenLDAP has and keeps out of its schema: who may act as whom.
const HIDDEN: [&str; 4] = ["authzTo", "authzFrom", "saslAuthzTo", "saslAuthzFrom"];

/// Something that the schema does not allow. Values are not told: they can be secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// An attribute that is not defined.
    #[error("attribute {attribute} is not defined{}", meant(.similar))]
    UnknownAttribute {
        /// Its name.
        attribute: String,
        /// What was meant, perhaps.
        similar: Option<String>,
    },
    /// An object class that is not defined.
    #[error("object class {class} is not defined{}", meant(.similar))]
    UnknownClass {
        /// Its name.
        class: String,
        /// What was meant, perhaps.
        similar: Option<String>,
    },
    /// The entry has no object class.
    #[error("attribute objectClass is missing")]
    NoClass,
    /// An attribute is missing.
    #[error("attribute {attribute} is missing, which its object classes require")]
    Missing {
        /// Its name.
        attribute: String,
    },
    /// An attribute that the object classes do not allow.
    #[error("attribute {attribute} is not allowed by the object classes")]
    NotAllowed {
        /// Its name.
        attribute: String,
    },
    /// Several values of an attribute that may have one.
    #[error("attribute {attribute} may have one value, not {count}")]
    SingleValue {
        /// Its name.
        attribute: String,
        /// How many there are.
        count: usize,
    },
    /// A value that is not of the attribute's syntax.
    #[error("value {} of attribute {attribute} is no {expected}", .place + 1)]
    Syntax {
        /// The attribute's name.
        attribute: String,
        /// Which of its values, from 0.
        place: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// An attribute that only the server writes.
    #[error("attribute {attribute} is written by the server only")]
    ReadOnly {
        /// Its name.
        attribute: String,
    },
    /// An attribute without a value, in a place where one is needed.
    #[error("attribute {attribute} has no value")]
    NoValue {
        /// Its name.
        attribute: String,
    },
}

fn meant(similar: &Option<String>) -> String {
    similar.as_ref().map_or_else(String::new, |name| format!(": {name}?"))
}

impl Violation {
    /// The same without what was meant, which is guessed for a few of an entry's names only: so two lists can be compared.
    #[must_use]
    pub fn without_guess(&self) -> Violation {
        let mut plain = self.clone();
        if let Violation::UnknownAttribute { similar, .. } | Violation::UnknownClass { similar, .. } =
            &mut plain
        {
            *similar = None;
        }
        plain
    }
}

impl Schema {
    /// Everything that is wrong with a new entry: attributes and classes that are not defined, missing, not allowed or the
    /// server's own, too many values, values that are not of their syntax. Empty: nothing is.
    ///
    /// ```
    /// use ldapgate_proto::message::AddRequest;
    /// use ldapgate_proto::{Bytes, Entry, schema::Schema};
    ///
    /// let subschema = Entry::builder("cn=Subschema")
    ///     .attribute("attributeTypes", ["( 2.5.4.0 NAME 'objectClass' )", "( 2.5.4.3 NAME 'cn' )", "( 2.5.4.4 NAME 'sn' )"])
    ///     .attribute("objectClasses", ["( 2.5.6.6 NAME 'person' MUST ( sn $ cn ) )"])
    ///     .build();
    /// let add = AddRequest {
    ///     dn: "cn=Ada,dc=example,dc=com".into(),
    ///     attributes: vec![("objectClass".into(), vec![Bytes::from("person")])],
    /// };
    /// let wrong: Vec<String> = Schema::from_entry(&subschema).check_add(&add).iter().map(ToString::to_string).collect();
    /// assert_eq!(wrong, ["attribute sn is missing, which its object classes require"], "cn is in the name");
    /// ```
    pub fn check_add(&self, add: &AddRequest) -> Vec<Violation> {
        let given: Vec<Given<'_>> = add
            .attributes
            .iter()
            .map(|(name, values)| Given { name, values: values.iter().map(AsRef::as_ref).collect() })
            .collect();
        let mut wrong = self.check_values(&given);
        wrong.extend(self.read_only(given.iter().map(|given| given.name)));
        wrong.extend(
            given
                .iter()
                .filter(|given| given.values.is_empty())
                .map(|given| Violation::NoValue { attribute: given.name.to_owned() }),
        );
        wrong.extend(self.check_classes(&add.dn, &given));
        self.guess(&mut wrong);
        wrong
    }

    /// Everything that is wrong with an entry as it is, or will be; that the server wrote some of its attributes is not.
    pub fn check_entry(&self, entry: &Entry) -> Vec<Violation> {
        let given: Vec<Given<'_>> = entry
            .attributes()
            .map(|attribute| Given { name: attribute.name(), values: attribute.values().collect() })
            .collect();
        let mut wrong = self.check_values(&given);
        wrong.extend(self.check_classes(entry.dn(), &given));
        self.guess(&mut wrong);
        wrong
    }

    /// Everything that is wrong with changes by themselves; whether the entry that they make is right, they cannot say.
    pub fn check_changes(&self, changes: &[Change]) -> Vec<Violation> {
        let given: Vec<Given<'_>> = changes
            .iter()
            // What is taken away may be whatever is there.
            .filter(|change| change.op != ChangeOp::Delete)
            .map(|change| Given {
                name: &change.attribute,
                values: change.values.iter().map(AsRef::as_ref).collect(),
            })
            .collect();
        let mut wrong = self.check_values(&given);
        let deleted = changes.iter().filter(|change| change.op == ChangeOp::Delete);
        wrong.extend(deleted.filter_map(|change| self.unknown(&change.attribute)));
        wrong.extend(self.read_only(changes.iter().map(|change| change.attribute.as_str())));
        let empty = changes.iter().filter(|change| {
            change.values.is_empty() && matches!(change.op, ChangeOp::Add | ChangeOp::Increment)
        });
        wrong.extend(empty.map(|change| Violation::NoValue { attribute: change.attribute.clone() }));
        self.guess(&mut wrong);
        wrong
    }

    fn check_values(&self, given: &[Given<'_>]) -> Vec<Violation> {
        let mut wrong = Vec::new();
        for Given { name, values } in given {
            let Some(known) = self.attribute_type(name) else {
                wrong.extend(self.unknown(name));
                continue;
            };
            // Options make several attributes of one (RFC 4512 section 2.5.2).
            if self.is_single_value(known) && values.len() > 1 {
                wrong.push(Violation::SingleValue { attribute: (*name).to_owned(), count: values.len() });
            }
            let kind = self.kind(name);
            let odd = values.iter().enumerate().filter(|(_, value)| !kind.accepts(value));
            wrong.extend(odd.map(|(place, _)| Violation::Syntax {
                attribute: (*name).to_owned(),
                place,
                expected: kind.name(),
            }));
        }
        wrong
    }

    fn check_classes(&self, dn: &str, given: &[Given<'_>]) -> Vec<Violation> {
        let class_key = self.key("objectClass");
        let classes: Vec<&str> = given
            .iter()
            .filter(|given| self.key(given.name) == class_key)
            .flat_map(|given| given.values.iter().filter_map(|value| std::str::from_utf8(value).ok()))
            .collect();
        if classes.is_empty() {
            return vec![Violation::NoClass];
        }
        let allowed = self.attributes_of(classes);
        let mut wrong: Vec<Violation> = Vec::new();
        for class in &allowed.unknown {
            wrong.push(Violation::UnknownClass { class: class.clone(), similar: None });
        }
        let mut there: HashSet<String> = given.iter().map(|given| self.key(given.name)).collect();
        let missing_before = wrong.len();
        // The attributes of the name need not be given apart from it (RFC 4511 section 4.7).
        if let Some(rdn) = Dn::parse(dn).ok().as_ref().and_then(|dn| dn.rdns().first()) {
            there.extend(rdn.avas().iter().map(|ava| self.key(ava.attribute())));
        }
        for name in &allowed.must {
            if !there.contains(&self.key(name)) && !self.fills_in(name) {
                wrong.push(Violation::Missing { attribute: name.clone() });
            }
        }
        // A class that is not known here may allow anything; that it is unknown has been said.
        if allowed.anything || missing_before > 0 {
            return wrong;
        }
        let fine: HashSet<String> =
            allowed.must.iter().chain(&allowed.may).map(|name| self.key(name)).collect();
        for Given { name, .. } in given {
            let Some(known) = self.attribute_type(name) else { continue };
            let key = self.key(name);
            // Every entry has its classes, whether or not "top" is among those that are named.
            let always = key == class_key || self.usage_of(known).is_operational();
            if !always && !fine.contains(&key) {
                wrong.push(Violation::NotAllowed { attribute: without_options(name).to_owned() });
            }
        }
        wrong
    }

    fn unknown(&self, attribute: &str) -> Option<Violation> {
        let name = without_options(attribute);
        if self.attribute_type(name).is_some()
            || HIDDEN.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
        {
            return None;
        }
        // What was meant is said at the end, for a few.
        Some(Violation::UnknownAttribute { attribute: attribute.to_owned(), similar: None })
    }

    fn read_only<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<Violation> {
        // Samba's schema calls objectClass one of the server's own, and takes it all the same.
        let servers = |known: &AttributeType| known.no_user_modification && !known.is_called("objectClass");
        names
            .filter(|name| self.attribute_type(name).is_some_and(servers))
            .map(|name| Violation::ReadOnly { attribute: name.to_owned() })
            .collect()
    }

    fn fills_in(&self, attribute: &str) -> bool {
        let servers =
            |known: &AttributeType| known.no_user_modification || self.usage_of(known).is_operational();
        FILLED_IN.iter().any(|name| name.eq_ignore_ascii_case(attribute))
            || self
                .attribute_type(attribute)
                .is_some_and(|known| servers(known) && !known.is_called("objectClass"))
    }
}

struct Given<'e> {
    name: &'e str,
    values: Vec<&'e [u8]>,
}
