//! `[directory.user]`: how a person's entry is found, and what of it matters.

use auth::{FilterTemplate, TemplateError, UserSearch, UserSettings, UserTemplate};

use super::preset::Preset;
use super::read::{Found, Place, Section, Sheet};
use super::search;

/// Reads the section.
pub(super) fn read(section: Section<'_>, preset: &Preset) -> UserSettings {
    let sheet = section.sheet();
    let standard = &preset.settings.user;
    let base = search::base(&section, preset.people());
    let scope = section.choice("scope", search::SCOPES, "subtree").value;
    let matches = section.texts_or("match", preset.texts(&standard.matches));
    let empty_match = matches.value.is_empty().then(|| matches.place.clone());
    let matches: Vec<String> = matches
        .value
        .into_iter()
        .filter(|name| is_attribute(sheet, "match", name))
        .map(|name| name.value)
        .collect();
    let filter_text = section.text_or("filter", preset.filter());
    let filter = read_filter(sheet, &filter_text);
    let mut several = Vec::new();
    for table in search::tables(&section) {
        let place = table.place().clone();
        let base = search::own_base(&table, base.as_ref());
        let scope = search::own_scope(&table, scope);
        let filter =
            search::own_filter(&table).map_or_else(|| filter.clone(), |text| read_filter(sheet, &text));
        table.finish();
        several.extend(base.map(|base| (UserSearch { base: base.value, scope, filter }, place)));
    }
    let template = read_template(&section);
    let attributes = section.texts("attributes").value.into_iter();
    let attributes = attributes
        .filter(|name| matches!(name.value.as_str(), "*" | "+") || is_attribute(sheet, "attributes", name));
    let attributes = attributes.map(|name| name.value).collect();
    let id_attribute = read_id_attribute(&section, preset);
    let username_attribute = section.text_or("username_attribute", preset.text(&standard.username_attribute));
    is_attribute(sheet, "username_attribute", &username_attribute);
    let bind_as_user = section.boolean("bind_as_user", false).value;
    let refresh = section.boolean("refresh_dn_after_bind", false);
    if refresh.value && !(bind_as_user && template.is_some()) {
        sheet.wrong(&refresh.place, "refresh_dn_after_bind goes with bind_as_user and dn_template");
    }
    let set = several.first().map(|(_, place)| place).or(filter_text.is_set().then_some(&filter_text.place));
    if let (Some(_), false, Some(place)) = (&template, refresh.value, set) {
        sheet.wrong_but(place, "with dn_template nobody is searched for", "leave one of them out");
    }
    // Where the typed name should have stood; a filter that cannot be read may well have it.
    let unreadable = filter.is_none() && !filter_text.value.is_empty();
    let blame =
        set.cloned().or(empty_match.filter(|place| matches!(place, Place::File(_) | Place::Variable(_))));
    let several_set = !several.is_empty();
    let mut searches = match (several.is_empty(), base) {
        (true, Some(base)) => vec![(UserSearch { base: base.value, scope, filter }, filter_text.place)],
        _ => several,
    };
    searches.retain(|(search, place)| {
        let named =
            !matches.is_empty() || search.filter.as_ref().is_some_and(FilterTemplate::has_placeholder);
        if !named && (template.is_none() || refresh.value) && !unreadable {
            nobody(&section, if several_set { Some(place) } else { blame.as_ref() }, preset);
        }
        named
    });
    section.finish();
    UserSettings {
        searches: searches.into_iter().map(|(search, _)| search).collect(),
        matches,
        template: template.map(|template| template.value),
        attributes,
        id_attribute,
        username_attribute: username_attribute.value,
        bind_as_user,
        refresh_dn_after_bind: refresh.value,
    }
}

/// A search in which the typed name stands nowhere would find everybody.
fn nobody(section: &Section<'_>, place: Option<&Place>, preset: &Preset) {
    let suggestion = "write filter = \"(uid={username})\", or name the attributes in match";
    let message = match place {
        Some(_) => "the typed name stands nowhere in this search".to_owned(),
        None => format!("preset {:?} needs user.filter, user.search or user.dn_template", preset.name),
    };
    section.sheet().wrong_but(place.unwrap_or(section.place()), message, suggestion);
}

fn read_id_attribute(section: &Section<'_>, preset: &Preset) -> String {
    let sheet = section.sheet();
    let id_attribute = section.text_or("id_attribute", preset.text(&preset.settings.user.id_attribute));
    if !id_attribute.value.is_empty() {
        is_attribute(sheet, "id_attribute", &id_attribute);
        return id_attribute.value;
    }
    let place = if id_attribute.is_set() { &id_attribute.place } else { section.place() };
    let message = format!("preset {:?} needs user.id_attribute", preset.name);
    sheet.wrong_but(place, message, "name the attribute that stays when a person is renamed");
    id_attribute.value
}

fn read_template(section: &Section<'_>) -> Option<Found<UserTemplate>> {
    let text = section.text("dn_template", "");
    if text.value.is_empty() {
        return None;
    }
    match UserTemplate::parse(&text.value) {
        Ok(template) => Some(text.map(|_| template)),
        Err(error) => {
            template_error(section.sheet(), "dn_template", &text.place, &error);
            None
        }
    }
}

/// A filter with or without placeholders; none where the text is empty.
fn read_filter(sheet: &Sheet<'_>, text: &Found<String>) -> Option<FilterTemplate> {
    if text.value.is_empty() {
        return None;
    }
    FilterTemplate::parse(&text.value)
        .map_err(|error| template_error(sheet, "filter", &text.place, &error))
        .ok()
}

fn template_error(sheet: &Sheet<'_>, key: &str, place: &Place, error: &TemplateError) {
    let (offset, why) = match error {
        TemplateError::Filter { source, .. } => (source.offset(), source.kind().to_string()),
        TemplateError::Dn { source, .. } => (source.offset(), source.kind().to_string()),
        _ => return sheet.wrong(place, format!("{key}: {error}")),
    };
    sheet.wrong(&sheet.inside(place, offset), format!("{key}: {error}: {why} at byte {offset}"));
}

/// Whether a text can be an attribute's name, with options or without.
pub(super) fn is_attribute(sheet: &Sheet<'_>, key: &str, name: &Found<String>) -> bool {
    let good = proto::filter::is_attribute_description(&name.value);
    if !good {
        sheet.wrong(&name.place, format!("{key}: {:?} is no attribute's name", name.value));
    }
    good
}
