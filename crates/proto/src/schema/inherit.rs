//! What a definition leaves to those above it (RFC 4512 sections 2.4 and 2.5.1). Cycles end, whoever made them.

use std::collections::HashSet;

use super::table::{Named, lower};
use super::{AttributeType, ClassKind, ObjectClass, Schema, Usage, without_options};

/// A class that allows every attribute (RFC 4512 section 4.3).
const EXTENSIBLE: &str = "1.3.6.1.4.1.1466.101.120.111";

/// No attribute type has more above it: servers' have one, or two.
const MOST_LEVELS: usize = 32;

/// The attributes that entries of some classes have to have and may have, inherited ones included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClassAttributes {
    /// An entry has to have them.
    pub must: Vec<String>,
    /// It may have them. None of them is in `must`.
    pub may: Vec<String>,
    /// It may have any attribute: `extensibleObject` is among the classes.
    pub anything: bool,
    /// Classes that are not defined.
    pub unknown: Vec<String>,
}

impl Schema {
    /// The types above this one, nearest first.
    pub fn superior_types<'s>(&'s self, attribute: &AttributeType) -> Vec<&'s AttributeType> {
        let mut above: Vec<&AttributeType> = Vec::new();
        let mut seen = HashSet::from([attribute.oid.as_str()]);
        let mut next = attribute.superior.as_deref();
        while let Some(superior) = next.and_then(|name| self.attribute_type(name)) {
            if above.len() == MOST_LEVELS || !seen.insert(superior.oid.as_str()) {
                break;
            }
            above.push(superior);
            next = superior.superior.as_deref();
        }
        above
    }

    /// The types directly below this one.
    pub fn subtypes<'s>(&'s self, attribute: &AttributeType) -> impl Iterator<Item = &'s AttributeType> {
        let called = called(attribute);
        let is_above = move |other: &&AttributeType| {
            other.superior.as_deref().is_some_and(|name| called.contains(&*lower(name)))
        };
        self.attribute_types().iter().filter(is_above)
    }

    /// The syntax's OID, inherited where the type has none of its own.
    pub fn syntax_of<'s>(&'s self, attribute: &'s AttributeType) -> Option<&'s str> {
        self.inherited(attribute, |kind| kind.syntax.as_deref())
    }

    /// The rule for equality, inherited where the type has none of its own.
    pub fn equality_of<'s>(&'s self, attribute: &'s AttributeType) -> Option<&'s str> {
        self.inherited(attribute, |kind| kind.equality.as_deref())
    }

    /// The rule for order, inherited where the type has none of its own.
    pub fn ordering_of<'s>(&'s self, attribute: &'s AttributeType) -> Option<&'s str> {
        self.inherited(attribute, |kind| kind.ordering.as_deref())
    }

    /// The rule for parts of values, inherited where the type has none of its own.
    pub fn substrings_of<'s>(&'s self, attribute: &'s AttributeType) -> Option<&'s str> {
        self.inherited(attribute, |kind| kind.substrings.as_deref())
    }

    /// May an entry have one value only? A special case of such an attribute has one too.
    pub fn is_single_value(&self, attribute: &AttributeType) -> bool {
        attribute.single_value || self.superior_types(attribute).iter().any(|superior| superior.single_value)
    }

    /// Whose the attribute is, inherited where the type does not say.
    pub fn usage_of(&self, attribute: &AttributeType) -> Usage {
        let inherited = || self.superior_types(attribute).iter().find_map(|superior| superior.usage);
        attribute.usage.or_else(inherited).unwrap_or_default()
    }

    /// The classes above this one, nearest first, each once.
    pub fn superior_classes<'s>(&'s self, class: &'s ObjectClass) -> Vec<&'s ObjectClass> {
        self.with_superiors([class]).split_off(1)
    }

    /// The classes directly below this one.
    pub fn subclasses<'s>(&'s self, class: &ObjectClass) -> impl Iterator<Item = &'s ObjectClass> {
        let called = called(class);
        let is_above =
            move |other: &&ObjectClass| other.superiors.iter().any(|name| called.contains(&*lower(name)));
        self.object_classes().iter().filter(is_above)
    }

    /// The classes that name this attribute in their own `must` or `may`.
    pub fn classes_with<'s>(&'s self, attribute: &AttributeType) -> impl Iterator<Item = &'s ObjectClass> {
        let called = called(attribute);
        let names = move |class: &&ObjectClass| {
            class.must.iter().chain(&class.may).any(|name| called.contains(&*lower(name)))
        };
        self.object_classes().iter().filter(names)
    }

    /// What an entry of these classes has to have and may have: theirs, their superiors', and what the content rule of
    /// its structural class adds, takes away, and allows by auxiliary classes, which the entry need not name. What the
    /// content rules of the classes above allow, it may have too.
    ///
    /// So are Active Directory's classes made: what `user` gets from auxiliary classes, `computer` has from `user`. Elsewhere
    /// an entry has to name its auxiliary classes, and only the rule of its own class counts; this does not check it.
    pub fn attributes_of<'c>(&self, classes: impl IntoIterator<Item = &'c str>) -> ClassAttributes {
        let mut lists = Lists { schema: self, seen: HashSet::new(), found: ClassAttributes::default() };
        let mut named: Vec<&ObjectClass> = Vec::new();
        for name in classes {
            match self.object_class(name) {
                Some(class) => named.push(class),
                None => lists.found.unknown.push(name.to_owned()),
            }
        }
        let all = self.with_superiors(named.iter().copied());
        let rule = self.structural(&named).and_then(|class| self.content_rule(&class.oid));
        lists.found.anything =
            all.iter().any(|class| class.oid == EXTENSIBLE || class.is_called("extensibleObject"));
        all.iter().for_each(|class| lists.must(&class.must));
        rule.iter().for_each(|rule| lists.must(&rule.must));
        // What is forbidden is passed over as if it had been seen.
        rule.iter().for_each(|rule| lists.forget(&rule.not));
        all.iter().for_each(|class| lists.may(&class.may));
        for class in self.with_auxiliary(all) {
            lists.may(&class.must);
            lists.may(&class.may);
            if let Some(rule) = self.content_rule(&class.oid) {
                lists.may(&rule.must);
                lists.may(&rule.may);
            }
        }
        lists.found
    }

    /// The most special structural class among these.
    pub fn structural_class<'c>(&self, classes: impl IntoIterator<Item = &'c str>) -> Option<&ObjectClass> {
        let named: Vec<&ObjectClass> =
            classes.into_iter().filter_map(|name| self.object_class(name)).collect();
        self.structural(&named)
    }

    fn structural<'s>(&'s self, named: &[&'s ObjectClass]) -> Option<&'s ObjectClass> {
        let structural = || named.iter().copied().filter(|class| class.kind() == ClassKind::Structural);
        let above: HashSet<&str> = structural()
            .flat_map(|class| self.superior_classes(class))
            .map(|class| class.oid.as_str())
            .collect();
        structural().find(|class| !above.contains(class.oid.as_str())).or(structural().next())
    }

    /// These classes and all above them, nearest first, each once.
    fn with_superiors<'s>(
        &'s self,
        classes: impl IntoIterator<Item = &'s ObjectClass>,
    ) -> Vec<&'s ObjectClass> {
        self.closure(classes, |class| class.superiors.iter().collect())
    }

    /// The same with the auxiliary classes that content rules allow: those have content rules of their own.
    fn with_auxiliary<'s>(
        &'s self,
        classes: impl IntoIterator<Item = &'s ObjectClass>,
    ) -> Vec<&'s ObjectClass> {
        self.closure(classes, |class| {
            let rule = self.content_rule(&class.oid);
            class.superiors.iter().chain(rule.iter().flat_map(|rule| &rule.auxiliary)).collect()
        })
    }

    fn closure<'s>(
        &'s self,
        classes: impl IntoIterator<Item = &'s ObjectClass>,
        next: impl Fn(&'s ObjectClass) -> Vec<&'s String>,
    ) -> Vec<&'s ObjectClass> {
        let mut seen = HashSet::new();
        let mut all: Vec<&ObjectClass> =
            classes.into_iter().filter(|class| seen.insert(class.oid.as_str())).collect();
        let mut place = 0;
        while let Some(class) = all.get(place) {
            let names = next(class).into_iter().filter_map(|name| self.object_class(name));
            let new: Vec<&ObjectClass> = names.filter(|class| seen.insert(class.oid.as_str())).collect();
            all.extend(new);
            place += 1;
        }
        all
    }

    /// One key for all of an attribute's names: its OID, or an unknown one's name, in lower case.
    pub(super) fn key(&self, attribute: &str) -> String {
        let known = self.attribute_type(attribute).map_or(without_options(attribute), |known| &known.oid);
        lower(known).into_owned()
    }

    fn inherited<'s, T>(
        &'s self,
        attribute: &'s AttributeType,
        own: impl Fn(&'s AttributeType) -> Option<T>,
    ) -> Option<T> {
        own(attribute).or_else(|| self.superior_types(attribute).into_iter().find_map(own))
    }
}

/// Everything that a definition is called, in lower case: with many names and many lists, looking through them all would
/// take long.
fn called(definition: &impl Named) -> HashSet<String> {
    let names = definition.names().iter().map(String::as_str).chain([definition.oid()]);
    names.map(str::to_ascii_lowercase).collect()
}

/// Lists that have each attribute once, whatever it is called.
struct Lists<'s> {
    schema: &'s Schema,
    seen: HashSet<String>,
    found: ClassAttributes,
}

impl Lists<'_> {
    fn must(&mut self, names: &[String]) {
        for name in names {
            if self.seen.insert(self.schema.key(name)) {
                self.found.must.push(name.clone());
            }
        }
    }

    fn may(&mut self, names: &[String]) {
        for name in names {
            if self.seen.insert(self.schema.key(name)) {
                self.found.may.push(name.clone());
            }
        }
    }

    fn forget(&mut self, names: &[String]) {
        self.seen.extend(names.iter().map(|name| self.schema.key(name)));
    }
}
