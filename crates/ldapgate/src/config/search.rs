//! What `[directory.user]` and `[directory.groups]` share: `base`, `scope`, and `search` for several places at once. A search
//! that leaves something out takes it from its section.

use proto::{Dn, Scope};

use super::expression::parse_dn;
use super::read::{Found, Place, Section, quote};

/// How deep a search goes.
pub(super) const SCOPES: &[(&str, Scope)] =
    &[("base", Scope::Base), ("one", Scope::One), ("subtree", Scope::Subtree)];

/// `base`, or the default where it is not set or empty.
pub(super) fn base(section: &Section<'_>, standard: Option<Found<Dn>>) -> Option<Found<Dn>> {
    let found = own_base(section, standard.as_ref());
    if let Some(base) = &found {
        section.show("base", quote(base.value.as_str()), &base.place);
    }
    found
}

/// The `base` of one search, or its section's.
pub(super) fn own_base(table: &Section<'_>, standard: Option<&Found<Dn>>) -> Option<Found<Dn>> {
    let text = table
        .value("base")
        .and_then(|value| table.as_text("base", &value))
        .filter(|text| !text.value.is_empty());
    let Some(text) = text else { return standard.cloned() };
    let dn = parse_dn(table.sheet(), "base", &text.value, &text.place)?;
    Some(text.map(|_| dn))
}

/// The `scope` of one search, or its section's.
pub(super) fn own_scope(table: &Section<'_>, standard: Scope) -> Scope {
    let Some(text) = table.value("scope").and_then(|value| table.as_text("scope", &value)) else {
        return standard;
    };
    let found = SCOPES.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        table.no_such_word("scope", &text, SCOPES.iter().map(|(word, _)| *word));
    }
    found.map_or(standard, |(_, scope)| *scope)
}

/// The `filter` of one search, where it has one.
pub(super) fn own_filter(table: &Section<'_>) -> Option<Found<String>> {
    table.value("filter").and_then(|value| table.as_text("filter", &value))
}

/// Every table of `search`.
pub(super) fn tables<'s>(section: &Section<'s>) -> Vec<Section<'s>> {
    match section.toml("search") {
        Some(value) => section.show("search", value.kind.print(), &value.place),
        None => section.show("search", "[]".to_owned(), &Place::Default),
    }
    section.tables("search")
}
