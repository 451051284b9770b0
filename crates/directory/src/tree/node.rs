//! One entry: its name, its place and its attributes.

use std::collections::HashSet;

use bytes::Bytes;
use proto::filter::{Matching as _, Rule, StandardRules};
use proto::{Dn, Rdn};

use crate::schema::{self, Description};

/// An entry's number. Numbers grow and are never used again, so that a search can be resumed after one.
pub(crate) type Id = u32;

/// An entry in the tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: Id,
    pub(crate) dn: Dn,
    pub(crate) parent: Option<Id>,
    pub(crate) children: Vec<Id>,
    pub(crate) attributes: Attributes,
    /// Object classes that the named ones bring with them.
    pub(crate) implied: Vec<&'static str>,
    /// Made because a file left out a parent; the file may still bring the real one.
    pub(crate) made: bool,
}

/// An attribute with its values.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    /// The name as it was written.
    pub(crate) name: String,
    pub(crate) description: Description,
    pub(crate) values: Vec<Bytes>,
}

/// The attributes of an entry in the order they were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes(pub(crate) Vec<Attribute>);

impl Attribute {
    /// An attribute without values; `None` when the name is no attribute description.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(Self { name: name.to_owned(), description: Description::parse(name)?, values: Vec::new() })
    }

    /// Adds the values that are not there yet.
    pub(crate) fn merge<'v>(&mut self, values: impl IntoIterator<Item = &'v Bytes>) {
        let mut known: HashSet<Vec<u8>> = self.keys();
        for value in values {
            if known.insert(equality_key(&self.description.kind, value)) {
                self.values.push(owned(value));
            }
        }
    }

    /// The values in the form that decides whether two are the same.
    pub(crate) fn keys(&self) -> HashSet<Vec<u8>> {
        self.values.iter().map(|value| equality_key(&self.description.kind, value)).collect()
    }
}

impl Attributes {
    pub(crate) fn get(&self, description: &Description) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.description == *description)
    }

    /// Where an attribute stands, of exactly this type and these options.
    pub(crate) fn position(&self, description: &Description) -> Option<usize> {
        self.0.iter().position(|attribute| attribute.description == *description)
    }

    /// The values of a type without options, named in canonical form.
    pub(crate) fn plain(&self, kind: &str) -> &[Bytes] {
        let plain = |attribute: &&Attribute| {
            attribute.description.kind == kind && attribute.description.options.is_empty()
        };
        self.0.iter().find(plain).map_or(&[], |attribute| &attribute.values)
    }

    /// Sets an attribute of the server's own to one value.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let attribute = Attribute::parse(name).expect("the server's own attribute names are valid");
        let values = vec![Bytes::copy_from_slice(value.as_ref())];
        match self.position(&attribute.description) {
            Some(position) => self.0[position].values = values,
            None => self.0.push(Attribute { values, ..attribute }),
        }
    }

    /// Adds values to an attribute, which is made where it is missing.
    pub(crate) fn merge<'v>(&mut self, attribute: Attribute, values: impl IntoIterator<Item = &'v Bytes>) {
        let position = self.position(&attribute.description).unwrap_or_else(|| {
            self.0.push(attribute);
            self.0.len() - 1
        });
        self.0[position].merge(values);
    }

    /// Adds what a relative name says and the attributes leave out.
    pub(crate) fn merge_rdn(&mut self, rdn: &Rdn) {
        for ava in rdn.avas() {
            let Some(attribute) = Attribute::parse(ava.attribute()) else { continue };
            self.merge(attribute, [&Bytes::copy_from_slice(ava.value())]);
        }
    }

    /// Whether every attribute and value of a relative name is there.
    pub(crate) fn have_rdn(&self, rdn: &Rdn) -> bool {
        rdn.avas().iter().all(|ava| self.have(ava.attribute(), ava.value()))
    }

    fn have(&self, attribute: &str, value: &[u8]) -> bool {
        let Some(attribute) = Description::parse(attribute).and_then(|description| self.get(&description))
        else {
            return false;
        };
        attribute.keys().contains(&equality_key(&attribute.description.kind, value))
    }

    /// The object classes that are text.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &str> + Clone {
        self.plain("objectclass").iter().filter_map(|value| std::str::from_utf8(value).ok())
    }
}

impl Node {
    pub(crate) fn new(id: Id, dn: Dn, parent: Option<Id>, attributes: Attributes) -> Self {
        let implied = schema::implied_classes(attributes.classes());
        Self { id, dn, parent, children: Vec::new(), attributes, implied, made: false }
    }

    pub(crate) fn set_attributes(&mut self, attributes: Attributes) {
        self.implied = schema::implied_classes(attributes.classes());
        self.attributes = attributes;
    }
}

/// A copy of a value: the original is a slice of a whole request, which it would keep in memory.
pub(crate) fn owned(value: &[u8]) -> Bytes {
    Bytes::copy_from_slice(value)
}

/// Two values of an attribute are the same when their keys are. (What a filter finds equal is decided by the filter's own
/// rules; this is for telling duplicates, in time that grows with the number of values.)
pub(crate) fn equality_key(kind: &str, value: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(value) else { return value.to_vec() };
    match StandardRules.rule(kind) {
        Rule::Dn => Dn::parse(text).map_or_else(|_| value.to_vec(), |dn| dn.normalized().as_bytes().to_vec()),
        Rule::CaseIgnore => words(text).to_lowercase().into_bytes(),
        Rule::CaseExact => words(text).into_bytes(),
        Rule::Telephone => {
            text.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_lowercase().into_bytes()
        }
        Rule::Boolean => text.to_ascii_uppercase().into_bytes(),
        Rule::Integer | Rule::Time | Rule::Octet => value.to_vec(),
    }
}

/// Without outer spaces, inner ones single.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
