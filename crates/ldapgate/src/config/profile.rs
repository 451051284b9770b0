//! `[directory.profile]`: what is kept of a person.

use std::collections::BTreeMap;

use account::LocalName;
use auth::Rule;

use super::expression::{self, Known, Scope};
use super::read::{Kind, Place, Section};
use super::user::is_attribute;

/// `[directory.profile]`.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) lists: BTreeMap<String, String>,
    pub(crate) flags: BTreeMap<String, Rule>,
    pub(crate) update_on_login: bool,
    pub(crate) create_users: bool,
    pub(crate) local_name: LocalName,
}

pub(super) fn read(section: Section<'_>, known: &Known) -> Profile {
    let fields = attributes(&section, "fields");
    let lists = attributes(&section, "lists");
    let flags = flags(&section, known);
    let update_on_login = section.boolean("update_on_login", true).value;
    let create_users = section.boolean("create_users", true).value;
    let local_name = section.text("local_name", "{username}");
    let template = LocalName::parse(&local_name.value).unwrap_or_else(|error| {
        section.sheet().wrong(&local_name.place, error.to_string());
        LocalName::default()
    });
    section.finish();
    Profile { fields, lists, flags, update_on_login, create_users, local_name: template }
}

/// A table of names and attributes.
fn attributes(section: &Section<'_>, key: &str) -> BTreeMap<String, String> {
    let table = section.section(key);
    let mut attributes = BTreeMap::new();
    for (name, value) in table.entries() {
        let Some(text) = table.as_text(&name.value, &value) else { continue };
        table.show(&name.value, value.kind.print(), &value.place);
        if is_attribute(section.sheet(), key, &text) {
            attributes.insert(name.value, text.value);
        }
    }
    show_empty(section, key, attributes.is_empty());
    attributes
}

fn flags(section: &Section<'_>, known: &Known) -> BTreeMap<String, Rule> {
    let table = section.section("flags");
    let mut flags = BTreeMap::new();
    for (name, value) in table.entries() {
        table.show(&name.value, value.kind.print(), &value.place);
        let rule =
            expression::read(section.sheet(), &format!("flags.{}", name.value), &value, Scope::Own(known));
        flags.extend(rule.map(|rule| (name.value, rule)));
    }
    show_empty(section, "flags", flags.is_empty());
    flags
}

fn show_empty(section: &Section<'_>, key: &str, empty: bool) {
    if empty {
        section.show(key, Kind::Table(Default::default()).print(), &Place::Default);
    }
}
