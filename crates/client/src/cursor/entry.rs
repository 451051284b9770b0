//! An entry together with its schema.

use std::fmt;
use std::sync::Arc;

use proto::value::Value;
use proto::{Entry, Schema};

use super::Writer;

/// An entry whose values are read by their syntax. An attribute is found by any of its names.
///
/// ```
/// use std::sync::Arc;
/// use ldapgate_client::proto::{Entry, Schema};
/// use ldapgate_client::TypedEntry;
///
/// let entry = Entry::builder("cn=Ada,dc=example,dc=com").attribute("pwdLastSet", ["116444736010000000"]).build();
/// // Well-known attributes need no schema.
/// let typed = TypedEntry::new(entry, Arc::new(Schema::default()));
/// let set = typed.value("PwdLastSet").expect("it is there");
/// assert_eq!((set.to_string(), set.raw()), ("19700101000001Z".to_owned(), &b"116444736010000000"[..]));
/// assert_eq!((typed.values("mail").count(), typed.dn()), (0, "cn=Ada,dc=example,dc=com"));
/// assert!(typed.schema().is_empty() && typed.entry().has("pwdLastSet"));
/// ```
#[derive(Clone)]
pub struct TypedEntry {
    entry: Entry,
    schema: Arc<Schema>,
    /// What was asked for, so that it can be asked for again; empty: everything.
    asked: Arc<[String]>,
}

impl TypedEntry {
    /// An entry that was read, and the schema that governs it.
    pub fn new(entry: Entry, schema: Arc<Schema>) -> TypedEntry {
        TypedEntry { entry, schema, asked: Arc::default() }
    }

    pub(super) fn of(entry: Entry, schema: Arc<Schema>, asked: Arc<[String]>) -> TypedEntry {
        TypedEntry { entry, schema, asked }
    }

    /// The entry's name, as the server wrote it.
    pub fn dn(&self) -> &str {
        self.entry.dn()
    }

    /// The first value of an attribute.
    pub fn value(&self, attribute: &str) -> Option<Value<'_>> {
        self.values(attribute).next()
    }

    /// The values of an attribute, in the server's order.
    pub fn values(&self, attribute: &str) -> impl Iterator<Item = Value<'_>> {
        let kind = self.schema.kind(attribute);
        raw(&self.schema, &self.entry, attribute).into_iter().map(move |value| kind.read(value))
    }

    /// The entry as it came.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The schema that its values are read by.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Changes of the entry, none yet.
    pub fn edit(&self) -> Writer {
        Writer::of(self.entry.clone(), self.schema.clone(), self.asked.clone())
    }
}

impl fmt::Debug for TypedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedEntry").field(&self.entry).finish()
    }
}

/// By the name that is asked for, else by another name of the same attribute.
fn raw<'e>(schema: &Schema, entry: &'e Entry, attribute: &str) -> Vec<&'e [u8]> {
    let direct: Vec<&[u8]> = entry.values(attribute).collect();
    if !direct.is_empty() || attribute.contains(';') {
        return direct;
    }
    let Some(known) = schema.attribute_type(attribute) else { return direct };
    let called = entry.attributes().find(|own| known.is_called(own.name()));
    called.map(|own| own.values().collect()).unwrap_or_default()
}
