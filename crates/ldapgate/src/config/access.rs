//! `[directory.access]`: who may enter.

use auth::Rule;

use super::expression::{self, Known, Scope};
use super::read::{Kind, Place, Section};

/// `[directory.access]`.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) require: Option<Rule>,
    pub(crate) deny: Option<Rule>,
}

pub(super) fn read(section: Section<'_>, known: &Known) -> Access {
    let access = Access {
        require: rule(&section, "require", Scope::Own(known)),
        deny: rule(&section, "deny", Scope::Own(known)),
    };
    section.finish();
    access
}

/// An expression; none where the key is not set or an empty text.
pub(super) fn rule(section: &Section<'_>, key: &str, scope: Scope<'_>) -> Option<Rule> {
    let value = section
        .value(key)
        .filter(|value| !matches!(&value.kind, Kind::Text(text) | Kind::Raw(text) if text.is_empty()));
    let Some(value) = value else {
        section.show(key, "\"\"".to_owned(), &Place::Default);
        return None;
    };
    section.show(key, value.kind.print(), &value.place);
    expression::read(section.sheet(), key, &value, scope)
}
