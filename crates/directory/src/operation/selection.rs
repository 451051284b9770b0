//! Which attributes of an entry are handed out (RFC 4511 section 4.5.1.8), and how much of them.

use proto::{Entry, EntryBuilder, Range, ResultCode, Scope};

use super::{Refusal, refuse};
use crate::Dialect;
use crate::directory::Settings;
use crate::schema::Description;
use crate::tree::View;

/// Attributes that are computed when they are asked for: as they are written, and in canonical form.
const COMPUTED: [(&str, &str); 4] = [
    ("memberOf", "memberof"),
    ("entryDN", "entrydn"),
    ("hasSubordinates", "hassubordinates"),
    ("subschemaSubentry", "subschemasubentry"),
];
/// The groups of a person as Active Directory computes them, likewise.
const TOKEN: (&str, &str) = ("tokenGroups", "tokengroups");

/// A list of attributes, read.
#[derive(Debug)]
pub(super) struct Selection {
    user: bool,
    operational: bool,
    named: Vec<Description>,
    /// Types of which a part of the values was asked for.
    parts: Vec<(String, Range)>,
    /// Values of one attribute handed out at once.
    most: Option<usize>,
}

impl Selection {
    /// Reads a request's list: empty or `*` are all user attributes, `+` all operational ones, `1.1` none. What is no
    /// attribute description selects nothing.
    pub(super) fn new(attributes: &[String], scope: Scope, settings: &Settings) -> Result<Self, Refusal> {
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        let most = (settings.dialect == Dialect::ActiveDirectory).then_some(settings.limits.values);
        let mut this = Self {
            user: attributes.is_empty() || has("*"),
            operational: has("+"),
            named: Vec::new(),
            parts: Vec::new(),
            most,
        };
        for attribute in attributes {
            let (attribute, part) = match Range::split(attribute) {
                Some((attribute, range)) if most.is_some() => (attribute, Some(range)),
                _ => (attribute.as_str(), None),
            };
            let Some(description) = Description::parse(attribute) else { continue };
            this.parts.extend(part.map(|range| (description.kind.clone(), range)));
            this.named.push(description);
        }
        if scope != Scope::Base && this.wants_token() {
            let text = "00002020: Cannot provide tokenGroups attribute, this is not a BASE search";
            return Err(refuse(ResultCode::OPERATIONS_ERROR, text));
        }
        Ok(this)
    }

    /// An entry as this selection shows it. Secret attributes are never shown.
    pub(super) fn show(&self, view: &View<'_>, types_only: bool) -> Entry {
        let node = view.node();
        let mut entry = Entry::builder(node.dn.as_str());
        for attribute in node.attributes.0.iter().filter(|attribute| self.wants(&attribute.description)) {
            let values: Vec<&[u8]> = attribute.values.iter().map(|value| &value[..]).collect();
            entry = self.write(entry, &attribute.name, &attribute.description.kind, &values, types_only);
        }
        for (name, canonical) in COMPUTED {
            if !(self.operational || self.names(canonical)) || !node.attributes.plain(canonical).is_empty() {
                continue;
            }
            let values: Vec<&[u8]> = view.find(canonical).collect();
            if !values.is_empty() {
                entry = self.write(entry, name, canonical, &values, types_only);
            }
        }
        if self.wants_token() && node.attributes.plain(TOKEN.1).is_empty() {
            let values = view.token_groups();
            if !values.is_empty() {
                entry = self.write(entry, TOKEN.0, TOKEN.1, &values, types_only);
            }
        }
        entry.build()
    }

    /// Writes an attribute, or the part of it that was asked for or that goes out at once. Like Active Directory, it
    /// writes what was asked for as a whole and is cut without values, and the part beside it.
    fn write(
        &self,
        entry: EntryBuilder,
        name: &str,
        canonical: &str,
        values: &[&[u8]],
        types_only: bool,
    ) -> EntryBuilder {
        let none: [&[u8]; 0] = [];
        let asked = self.parts.iter().find(|(kind, _)| kind == canonical).map(|(_, range)| *range);
        let most = self.most.unwrap_or(values.len());
        if types_only {
            return entry.attribute(name, none);
        }
        if asked.is_none() && values.len() <= most {
            return entry.attribute(name, values);
        }
        let range = asked.unwrap_or(Range { first: 0, last: None });
        let first = usize::try_from(range.first).unwrap_or(usize::MAX);
        let end = range.last.map_or(usize::MAX, |last| usize::try_from(last).unwrap_or(usize::MAX));
        let end = end.saturating_add(1).min(first.saturating_add(most)).min(values.len());
        let Some(part) = values.get(first..end) else { return entry };
        let last = (end < values.len()).then(|| u32::try_from(end.saturating_sub(1)).unwrap_or(u32::MAX));
        let part_name = Range { first: range.first, last }.of(name);
        let entry = if asked.is_none() { entry.attribute(name, none) } else { entry };
        entry.attribute(&part_name, part)
    }

    fn wants(&self, description: &Description) -> bool {
        if description.is_secret() {
            return false;
        }
        let all = if description.is_operational() { self.operational } else { self.user };
        all || self.named.iter().any(|named| description.is_subtype_of(&named.kind, named.options.iter()))
    }

    /// Only by its name, and only under Active Directory's habits.
    fn wants_token(&self) -> bool {
        self.most.is_some() && self.names(TOKEN.1)
    }

    fn names(&self, canonical: &str) -> bool {
        self.named.iter().any(|named| named.kind == canonical && named.options.is_empty())
    }
}
