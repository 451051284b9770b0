//! Which attributes of an entry are handed out (RFC 4511 section 4.5.1.8).

use proto::Entry;

use crate::schema::Description;
use crate::tree::View;

/// Attributes that are computed when they are asked for: as they are written, and in canonical form.
const COMPUTED: [(&str, &str); 4] = [
    ("memberOf", "memberof"),
    ("entryDN", "entrydn"),
    ("hasSubordinates", "hassubordinates"),
    ("subschemaSubentry", "subschemasubentry"),
];

/// A list of attributes, read.
#[derive(Debug)]
pub(super) struct Selection {
    user: bool,
    operational: bool,
    named: Vec<Description>,
}

impl Selection {
    /// Reads a request's list: empty or `*` are all user attributes, `+` all operational ones, `1.1` none. What is no
    /// attribute description selects nothing.
    pub(super) fn new(attributes: &[String]) -> Self {
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        Self {
            user: attributes.is_empty() || has("*"),
            operational: has("+"),
            named: attributes.iter().filter_map(|attribute| Description::parse(attribute)).collect(),
        }
    }

    /// An entry as this selection shows it. Secret attributes are never shown.
    pub(super) fn show(&self, view: &View<'_>, types_only: bool) -> Entry {
        let node = view.node();
        let mut entry = Entry::builder(node.dn.as_str());
        for attribute in node.attributes.0.iter().filter(|attribute| self.wants(&attribute.description)) {
            let values = if types_only { &[][..] } else { &attribute.values };
            entry = entry.attribute(&attribute.name, values);
        }
        for (name, canonical) in COMPUTED {
            if !(self.operational || self.names(canonical)) || !node.attributes.plain(canonical).is_empty() {
                continue;
            }
            let values: Vec<&[u8]> = view.find(canonical).collect();
            if !values.is_empty() {
                entry = entry.attribute(name, if types_only { &[][..] } else { &values });
            }
        }
        entry.build()
    }

    fn wants(&self, description: &Description) -> bool {
        if description.is_secret() {
            return false;
        }
        let all = if description.is_operational() { self.operational } else { self.user };
        all || self.named.iter().any(|named| description.is_subtype_of(&named.kind, named.options.iter()))
    }

    fn names(&self, canonical: &str) -> bool {
        self.named.iter().any(|named| named.kind == canonical && named.options.is_empty())
    }
}
