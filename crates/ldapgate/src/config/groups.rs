//! `[directory.groups]`: what a group is here, and where they are.

use auth::{GroupKind, GroupSearch, GroupSettings};
use proto::{Dn, Filter};

use super::expression::Known;
use super::preset::{GROUP_KINDS, Preset};
use super::read::{Found, Section, Sheet};
use super::search;
use super::user::is_attribute;

/// Reads the section.
pub(super) fn read(section: Section<'_>, preset: &Preset, known: &Known) -> GroupSettings {
    let sheet = section.sheet();
    let kinds = section.one_or_many("kind", preset.group_kinds());
    let kinds = read_kinds(&section, &kinds);
    let base = search::base(&section, preset.groups());
    check_below(sheet, base.as_ref(), known);
    let scope = section.choice("scope", search::SCOPES, "subtree").value;
    let filter = read_filter(sheet, &section.text("filter", ""));
    let mut searches = Vec::new();
    for table in search::tables(&section) {
        let base = search::own_base(&table, base.as_ref());
        check_below(sheet, base.as_ref(), known);
        let scope = search::own_scope(&table, scope);
        let filter =
            search::own_filter(&table).map_or_else(|| filter.clone(), |text| read_filter(sheet, &text));
        table.finish();
        searches.extend(base.map(|base| GroupSearch { base: base.value, scope, filter }));
    }
    if let (true, Some(base)) = (searches.is_empty(), base) {
        searches.push(GroupSearch { base: base.value, scope, filter });
    }
    let member_attribute = section.text("member_attribute", "");
    let name_attribute = section.text("name_attribute", "cn");
    is_attribute(sheet, "name_attribute", &name_attribute);
    let has_member_attribute =
        !member_attribute.value.is_empty() && is_attribute(sheet, "member_attribute", &member_attribute);
    let nested = match preset.settings.groups.nested {
        true => Found::preset(preset.name, true),
        false => Found::default(false),
    };
    let nested = section.boolean_or("nested", nested).value;
    section.finish();
    GroupSettings {
        kinds,
        custom: Vec::new(),
        searches,
        member_attribute: has_member_attribute.then_some(member_attribute.value),
        name_attribute: name_attribute.value,
        nested,
    }
}

fn read_kinds(section: &Section<'_>, words: &Found<Vec<Found<String>>>) -> Vec<GroupKind> {
    let mut kinds = Vec::new();
    for word in &words.value {
        match GROUP_KINDS.iter().find(|(name, _)| *name == word.value) {
            Some((_, Some(kind))) => kinds.push(*kind),
            Some((_, None)) if words.value.len() > 1 => {
                section.sheet().wrong(&word.place, "kind \"none\" stands alone")
            }
            Some((_, None)) => {}
            None => section.no_such_word("kind", word, GROUP_KINDS.iter().map(|(name, _)| *name)),
        }
    }
    kinds
}

/// One directory cannot speak for another, so a group counts only below its directory's base.
fn check_below(sheet: &Sheet<'_>, base: Option<&Found<Dn>>, known: &Known) {
    let (Some(base), Some(above)) = (base, &known.base) else { return };
    if !base.value.is_at_or_below(above) {
        let message = format!(
            "base: {:?} does not lie below the directory's, {:?}",
            base.value.as_str(),
            above.as_str()
        );
        sheet.wrong_but(&base.place, message, "no group there would count");
    }
}

fn read_filter(sheet: &Sheet<'_>, text: &Found<String>) -> Option<Filter> {
    if text.value.is_empty() {
        return None;
    }
    match Filter::parse(&text.value) {
        Ok(filter) => Some(filter),
        Err(error) => {
            let place = sheet.inside(&text.place, error.offset());
            let message =
                format!("filter: {:?} is no filter: {} at byte {}", text.value, error.kind(), error.offset());
            sheet.wrong(&place, message);
            None
        }
    }
}
