//! The schema: what a server knows of attributes and classes, read from its subschema entry (RFC 4512 section 4).
//!
//! Definitions are read with patience, since no two servers write them alike: quoted OIDs and OIDs that are words, missing
//! spaces, lists without parentheses, keywords that nobody documented. What cannot be read at all is kept as text with its
//! error and does not stop the rest: [`Schema::broken`].
//!
//! Reading order: [`Schema`] finds definitions, one file for each kind of them; `inherit` answers what a definition leaves to
//! those above it; `check` judges an entry before it is sent; `token` and `parse` read, `print` writes.

mod attribute_type;
mod check;
mod error;
mod inherit;
mod object_class;
mod parse;
mod print;
mod rule;
mod structure;
mod suggest;
mod table;
mod token;

use std::str::FromStr;

pub use attribute_type::{AttributeType, Usage};
pub use check::Violation;
pub use error::{Broken, DefinitionError};
pub use inherit::ClassAttributes;
pub use object_class::{ClassKind, ObjectClass};
pub use rule::{MatchingRule, MatchingRuleUse, Syntax};
pub use structure::{ContentRule, NameForm, StructureRule};

use crate::{Entry, value};
use table::{Named, Table};

/// The attributes of a subschema entry that hold definitions, for a search to ask for: they are operational.
pub const ATTRIBUTES: [&str; 8] = [
    "attributeTypes",
    "objectClasses",
    "ldapSyntaxes",
    "matchingRules",
    "matchingRuleUse",
    "dITContentRules",
    "dITStructureRules",
    "nameForms",
];

/// No server defines more.
const MOST_DEFINITIONS: usize = 100_000;
/// Of a broken definition so much is kept.
const MOST_BROKEN_TEXT: usize = 4096;

/// What a keyword that no RFC knows says: `X-ORIGIN 'RFC 4519'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The keyword, in upper case.
    pub name: String,
    /// Its values; none where it stands alone.
    pub values: Vec<String>,
}

/// A server's schema.
///
/// Names are found in any case, by OID too, and attributes whatever options they have.
///
/// ```
/// use ldapgate_proto::Entry;
/// use ldapgate_proto::schema::Schema;
///
/// let subschema = Entry::builder("cn=Subschema")
///     .attribute("attributeTypes", [
///         "( 2.5.4.41 NAME 'name' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
///         "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
///         "( broken",
///     ])
///     .attribute("objectClasses", ["( 2.5.6.6 NAME 'person' STRUCTURAL MUST cn )"])
///     .build();
/// let schema = Schema::from_entry(&subschema);
///
/// let cn = schema.attribute_type("COMMONNAME;lang-de").expect("it is defined");
/// assert_eq!(schema.syntax_of(cn), Some("1.3.6.1.4.1.1466.115.121.1.15"), "inherited");
/// assert_eq!(schema.attributes_of(["person"]).must, ["cn"]);
/// assert_eq!(schema.broken().len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schema {
    attribute_types: Table<AttributeType>,
    object_classes: Table<ObjectClass>,
    syntaxes: Table<Syntax>,
    matching_rules: Table<MatchingRule>,
    matching_rule_uses: Table<MatchingRuleUse>,
    content_rules: Table<ContentRule>,
    structure_rules: Vec<StructureRule>,
    name_forms: Table<NameForm>,
    broken: Vec<Broken>,
    count: usize,
}

impl Schema {
    /// Reads a subschema entry; attributes that hold no definitions are passed over. OpenLDAP's `cn=config` names
    /// (`olcAttributeTypes`) are understood too.
    pub fn from_entry(entry: &Entry) -> Schema {
        let mut schema = Schema::default();
        schema.extend(entry);
        schema
    }

    /// Adds another entry's definitions, for schemas that are in several entries or files. Of two with the same name, the
    /// one that came first is found by it.
    pub fn extend(&mut self, entry: &Entry) {
        for attribute in entry.attributes() {
            for value in attribute.values() {
                self.add(attribute.name(), value);
            }
        }
    }

    /// Every attribute type, in the server's order.
    pub fn attribute_types(&self) -> &[AttributeType] {
        self.attribute_types.all()
    }

    /// Every object class.
    pub fn object_classes(&self) -> &[ObjectClass] {
        self.object_classes.all()
    }

    /// Every syntax.
    pub fn syntaxes(&self) -> &[Syntax] {
        self.syntaxes.all()
    }

    /// Every matching rule.
    pub fn matching_rules(&self) -> &[MatchingRule] {
        self.matching_rules.all()
    }

    /// What every matching rule can be used for.
    pub fn matching_rule_uses(&self) -> &[MatchingRuleUse] {
        self.matching_rule_uses.all()
    }

    /// Every content rule.
    pub fn content_rules(&self) -> &[ContentRule] {
        self.content_rules.all()
    }

    /// Every structure rule.
    pub fn structure_rules(&self) -> &[StructureRule] {
        &self.structure_rules
    }

    /// Every name form.
    pub fn name_forms(&self) -> &[NameForm] {
        self.name_forms.all()
    }

    /// What could not be read.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// How many definitions there are, broken ones aside.
    pub fn len(&self) -> usize {
        self.count - self.broken.len()
    }

    /// Is nothing defined? So it looks where the schema is hidden from whoever asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The attribute type of this name, alias or OID; options do not matter.
    pub fn attribute_type(&self, name: &str) -> Option<&AttributeType> {
        self.attribute_types.get(without_options(name))
    }

    /// The object class of this name or OID.
    pub fn object_class(&self, name: &str) -> Option<&ObjectClass> {
        self.object_classes.get(name)
    }

    /// The syntax of this OID.
    pub fn syntax(&self, oid: &str) -> Option<&Syntax> {
        self.syntaxes.get(oid)
    }

    /// The matching rule of this name or OID.
    pub fn matching_rule(&self, name: &str) -> Option<&MatchingRule> {
        self.matching_rules.get(name)
    }

    /// What the matching rule of this name or OID can be used for.
    pub fn matching_rule_use(&self, name: &str) -> Option<&MatchingRuleUse> {
        self.matching_rule_uses.get(name)
    }

    /// The content rule of this name, or of the structural class with this OID.
    pub fn content_rule(&self, name: &str) -> Option<&ContentRule> {
        self.content_rules.get(name)
    }

    /// The structure rule with this number.
    pub fn structure_rule(&self, id: u32) -> Option<&StructureRule> {
        self.structure_rules.iter().find(|rule| rule.id == id)
    }

    /// The name form of this name or OID.
    pub fn name_form(&self, name: &str) -> Option<&NameForm> {
        self.name_forms.get(name)
    }

    /// What an attribute's values are: by its syntax, made more precise by a well-known name. Active Directory's `objectSid`
    /// is a byte string by its syntax, its `pwdLastSet` a number.
    pub fn kind(&self, attribute: &str) -> value::Kind {
        // RFC 4522: whatever it is, it comes in its binary encoding.
        if attribute.split(';').skip(1).any(|option| option.eq_ignore_ascii_case("binary")) {
            return value::Kind::Octets;
        }
        let syntax = self.attribute_type(attribute).and_then(|known| self.syntax_of(known));
        let by_syntax = syntax.map_or(value::Kind::Any, value::Kind::of_syntax);
        match (by_syntax, value::Kind::of_attribute(attribute)) {
            (value::Kind::Any, Some(known)) => known,
            (value::Kind::Octets, Some(known @ (value::Kind::Guid | value::Kind::Sid))) => known,
            (value::Kind::Integer, Some(known @ (value::Kind::FileTime | value::Kind::Interval))) => known,
            _ => by_syntax,
        }
    }

    /// A value of an attribute, with what it means.
    ///
    /// ```
    /// use ldapgate_proto::schema::Schema;
    ///
    /// // Well-known attributes are understood without any schema.
    /// let value = Schema::default().value("lockoutDuration", b"-18000000000");
    /// assert_eq!(value.to_string(), "30min");
    /// ```
    pub fn value<'v>(&self, attribute: &str, raw: &'v [u8]) -> value::Value<'v> {
        self.kind(attribute).read(raw)
    }

    fn add(&mut self, attribute: &str, value: &[u8]) {
        let Some(kind) = Kind::of(without_options(attribute)) else { return };
        match self.count.cmp(&MOST_DEFINITIONS) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => {
                return self.reject(attribute, &[], DefinitionError::TooMany { at: 0 });
            }
            std::cmp::Ordering::Greater => return,
        }
        let read = match std::str::from_utf8(value) {
            Ok(text) => self.read(kind, text),
            Err(_) => Err(DefinitionError::NotText),
        };
        match read {
            Ok(()) => self.count += 1,
            Err(error) => self.reject(attribute, value, error),
        }
    }

    fn read(&mut self, kind: Kind, text: &str) -> Result<(), DefinitionError> {
        match kind {
            Kind::AttributeType => self.attribute_types.push(AttributeType::from_str(text)?),
            Kind::ObjectClass => self.object_classes.push(ObjectClass::from_str(text)?),
            Kind::Syntax => self.syntaxes.push(Syntax::from_str(text)?),
            Kind::MatchingRule => self.matching_rules.push(MatchingRule::from_str(text)?),
            Kind::MatchingRuleUse => self.matching_rule_uses.push(MatchingRuleUse::from_str(text)?),
            Kind::ContentRule => self.content_rules.push(ContentRule::from_str(text)?),
            Kind::StructureRule => self.structure_rules.push(StructureRule::from_str(text)?),
            Kind::NameForm => self.name_forms.push(NameForm::from_str(text)?),
        }
        Ok(())
    }

    fn reject(&mut self, attribute: &str, value: &[u8], error: DefinitionError) {
        let text = String::from_utf8_lossy(&value[..value.len().min(MOST_BROKEN_TEXT)]).into_owned();
        self.broken.push(Broken { attribute: attribute.to_owned(), text, error });
        self.count += 1;
    }
}

#[derive(Clone, Copy)]
enum Kind {
    AttributeType,
    ObjectClass,
    Syntax,
    MatchingRule,
    MatchingRuleUse,
    ContentRule,
    StructureRule,
    NameForm,
}

impl Kind {
    fn of(attribute: &str) -> Option<Kind> {
        let kind = match attribute.to_ascii_lowercase().as_str() {
            "attributetypes" | "olcattributetypes" => Kind::AttributeType,
            "objectclasses" | "olcobjectclasses" => Kind::ObjectClass,
            "ldapsyntaxes" | "olcldapsyntaxes" => Kind::Syntax,
            "matchingrules" => Kind::MatchingRule,
            "matchingruleuse" => Kind::MatchingRuleUse,
            "ditcontentrules" | "olcditcontentrules" => Kind::ContentRule,
            "ditstructurerules" => Kind::StructureRule,
            "nameforms" => Kind::NameForm,
            _ => return None,
        };
        Some(kind)
    }
}

fn without_options(attribute: &str) -> &str {
    attribute.split(';').next().unwrap_or(attribute)
}

/// What all kinds with names have in common.
macro_rules! named {
    ($($kind:ty),*) => {$(
        impl $kind {
            /// Its usual name; its OID where it has none.
            pub fn name(&self) -> &str {
                self.names.first().unwrap_or(&self.oid)
            }

            /// Is this one of its names, or its OID? Case does not matter.
            pub fn is_called(&self, name: &str) -> bool {
                self.oid.eq_ignore_ascii_case(name) || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
            }
        }

        impl Named for $kind {
            fn oid(&self) -> &str {
                &self.oid
            }

            fn names(&self) -> &[String] {
                &self.names
            }
        }
    )*};
}

named!(AttributeType, ObjectClass, MatchingRule, MatchingRuleUse, ContentRule, NameForm);

impl Named for Syntax {
    fn oid(&self) -> &str {
        &self.oid
    }

    fn names(&self) -> &[String] {
        &[]
    }
}

#[cfg(test)]
mod tests;
