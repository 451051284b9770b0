//! `[permissions]`, groups and what they may do, and `[directory.permissions]`, whether a directory's groups count.

use std::collections::BTreeSet;

use account::store::Mirror;
use account::{PermissionKey, PermissionKeyError as Error, is_permission};
use proto::Dn;

use super::expression::Known;
use super::read::{Found, Kind, Section, Sheet};

/// `[directory.permissions]`.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) from_groups: bool,
    pub(crate) mirror: Mirror,
    pub(crate) for_external_users: bool,
}

/// One line of `[permissions]`.
pub(crate) type Line = (PermissionKey, Vec<String>);

pub(super) fn read_own(section: Section<'_>) -> Own {
    let sheet = section.sheet();
    let from_groups = section.boolean("from_groups", false).value;
    let (all, only) = match section.toml("mirror_groups") {
        Some(value) if matches!(value.kind, Kind::List(_)) => {
            (false, Some(names(&section.texts("mirror_groups").value)))
        }
        // One name alone looks like a list to whoever wrote it, and would be read as one of letters elsewhere.
        Some(value) if !matches!(value.kind, Kind::Boolean(_)) => {
            section.wrong_type::<()>(
                "mirror_groups",
                &value,
                "true, false or a list of names, as in [\"staff\"]",
            );
            (false, None)
        }
        _ => (section.boolean("mirror_groups", false).value, None),
    };
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
    let for_external_users = section.boolean("for_external_users", false).value;
    section.finish();
    Own { from_groups, mirror, for_external_users }
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
            let good = is_permission(&text.value);
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
    let bases: Vec<(&str, &Dn)> =
        directories.iter().filter_map(|known| Some((known.name.as_str(), known.base.as_ref()?))).collect();
    let error = match PermissionKey::parse(&key.value, &bases) {
        Ok(key) => return Some(key),
        Err(error) => error,
    };
    let message = format!("permissions: {error}");
    match &error {
        Error::Empty => sheet.wrong(&key.place, error.to_string()),
        Error::Dn { text, source } => {
            // What stands before the DN is its directory and a colon.
            let place = sheet.inside(&key.place, key.value.len() - text.len() + source.offset());
            sheet.wrong(&place, format!("{message}: {} at byte {}", source.kind(), source.offset()));
        }
        // A base that is itself wrong has been told already; nothing can be said of what may lie below it.
        _ if bases.len() < directories.len() => {}
        Error::Nowhere(dn) | Error::Several { dn, .. } => {
            let suggestion = format!("say which: \"{}:{dn}\"", bases[0].0);
            sheet.wrong_but(&key.place, message, suggestion);
        }
        _ => sheet.wrong(&key.place, message),
    }
    None
}
