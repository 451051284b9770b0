//! `[permissions]`, groups and what they may do, and `[directory.permissions]`, whether a directory's groups count.

use std::collections::BTreeSet;

use account::PermissionKey;
use account::store::Mirror;

use super::expression::{self, Known, Scope};
use super::read::{Found, Kind, Section, Sheet};

/// `[directory.permissions]`.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) from_groups: bool,
    pub(crate) mirror: Mirror,
}

/// One line of `[permissions]`.
pub(crate) type Line = (PermissionKey, Vec<String>);

pub(super) fn read_own(section: Section<'_>) -> Own {
    let sheet = section.sheet();
    let from_groups = section.boolean("from_groups", false).value;
    let only = match section.toml("mirror_groups").map(|value| value.kind) {
        Some(Kind::List(_)) => Some(names(&section.texts("mirror_groups").value)),
        _ => None,
    };
    let all = only.is_none() && section.boolean("mirror_groups", false).value;
    let except = section.texts("mirror_groups_except");
    let both = only.as_ref().is_some_and(|names| !names.is_empty()) && !except.value.is_empty();
    if both {
        sheet.warn(
            &except.place,
            "mirror_groups_except wins over the list in mirror_groups, which has no effect",
        );
    }
    let mirror = match (only, all, names(&except.value)) {
        (_, _, except) if !except.is_empty() => Mirror::Except(except),
        (Some(only), _, _) if !only.is_empty() => Mirror::Only(only),
        (_, true, _) => Mirror::All,
        _ => Mirror::Off,
    };
    let external = section.boolean("for_external_users", false);
    if external.value {
        sheet.not_yet(&external.place, "permissions.for_external_users");
    }
    section.finish();
    Own { from_groups, mirror }
}

fn names(texts: &[Found<String>]) -> BTreeSet<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}

pub(super) fn read(section: Section<'_>, directories: &[Known]) -> Vec<Line> {
    let sheet = section.sheet();
    let mut lines: Vec<Line> = Vec::new();
    for (name, _) in section.entries() {
        let permissions = section.texts(&name.value);
        let good = |text: &&Found<String>| {
            let good =
                !text.value.is_empty() && !text.value.contains(|c: char| c.is_whitespace() || c.is_control());
            if !good {
                sheet.wrong(
                    &text.place,
                    format!("{:?} is no permission: it is a word such as \"reports.view\"", text.value),
                );
            }
            good
        };
        let permissions: Vec<String> =
            permissions.value.iter().filter(good).map(|text| text.value.clone()).collect();
        let Some(key) = read_key(sheet, &name, directories) else { continue };
        if lines.iter().any(|(known, _)| *known == key) {
            sheet.wrong(&name.place, format!("{:?} is the same group as another line's", name.value));
        }
        lines.push((key, permissions));
    }
    section.finish();
    lines
}

/// A key is a name, a DN, or a DN with its directory before a colon.
fn read_key(sheet: &Sheet<'_>, key: &Found<String>, directories: &[Known]) -> Option<PermissionKey> {
    if !key.value.contains('=') {
        if key.value.trim().is_empty() {
            sheet.wrong(&key.place, "a group has a name");
            return None;
        }
        return Some(PermissionKey::Name(key.value.clone()));
    }
    let scope = Scope::All(directories);
    let (known, dn) = match key.value.split_once(':').filter(|(name, _)| !name.contains('=')) {
        Some((name, dn)) => {
            let known = expression::named(sheet, "permissions", name, &key.place, scope)?;
            expression::group(sheet, "permissions", dn, &key.place, Scope::Own(known))?
        }
        None => expression::group(sheet, "permissions", &key.value, &key.place, scope)?,
    };
    Some(PermissionKey::Group { directory: known.name.clone(), dn })
}
