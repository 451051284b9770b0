//! `[directory]`: one directory's servers, people and groups.

use auth::{Fold, Rule, Settings, Vendor};

use super::connection::Connection;
use super::expression::{Known, parse_dn};
use super::permissions::Own;
use super::preset::{PRESETS, Preset};
use super::profile::Profile;
use super::read::{Found, Kind, Place, Section, quote};
use super::{access, groups, password, permissions, profile, user};
use crate::error::Error;

/// One directory.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) settings: Settings,
    pub(crate) profile: Profile,
    pub(crate) permissions: Own,
    pub(crate) connection: Connection,
}

impl Directory {
    /// How the client reaches it; certificate files are read now.
    pub(crate) fn client_options(&self) -> Result<client::Options, Error> {
        let options = self.connection.options();
        options.map_err(|error| Error::because(format!("directory {:?}", self.settings.name), error))
    }
}

/// What every other section needs to know before a directory is read whole.
pub(super) struct Start<'s> {
    section: Section<'s>,
    vendor: Option<Vendor>,
    pub(super) known: Known,
}

/// Reads a directory's name, preset and base.
pub(super) fn start(section: Section<'_>) -> Start<'_> {
    let sheet = section.sheet();
    let name = section
        .value("name")
        .and_then(|value| section.as_text("name", &value))
        .unwrap_or(Found::default("main".to_owned()));
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.is_empty() || !name.value.chars().all(plain) {
        sheet.wrong(
            &name.place,
            format!("name cannot be {:?}: it is made of letters, digits, -, _ and .", name.value),
        );
    }
    let section = section.renamed(format!("directory.{}", name.value));
    section.show("name", quote(&name.value), &name.place);
    let vendor = read_preset(&section);
    let base = required(&section, "base", "the directory's suffix, as in \"dc=example,dc=com\"");
    let base = base.and_then(|base| parse_dn(sheet, "base", &base.value, &base.place));
    Start { section, vendor, known: Known { name: name.value, base } }
}

fn read_preset(section: &Section<'_>) -> Option<Vendor> {
    let what = PRESETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let text = required(section, "preset", &format!("one of {what}"))?;
    let vendor = PRESETS.iter().find(|(name, _)| *name == text.value).map(|(_, vendor)| *vendor);
    if vendor.is_none() {
        section.no_such_word("preset", &text, PRESETS.iter().map(|(name, _)| *name));
    }
    vendor
}

/// A text that has no default.
fn required(section: &Section<'_>, key: &str, what: &str) -> Option<Found<String>> {
    let text = section.text(key, "");
    if !text.value.is_empty() {
        return Some(text);
    }
    let place = if text.is_set() { &text.place } else { section.place() };
    section.sheet().wrong(place, format!("{} needs {key}: {what}", section.heading()));
    None
}

impl Start<'_> {
    /// Reads the rest.
    pub(super) fn finish(self, fold: Fold) -> Option<Directory> {
        let Self { section, vendor, known } = self;
        let sheet = section.sheet();
        // Without a preset everything can still be checked; what a preset would give is then taken from the simplest.
        let preset = Preset::new(vendor.unwrap_or(Vendor::OpenLdap), &known.name, known.base.as_ref());
        let domains = read_domains(&section);
        let connection = Connection::read(&section, vendor);
        let user = user::read(section.section("user"), &preset);
        let groups = groups::read(section.section("groups"), &preset, &known);
        let access = access::read(section.section("access"), &known);
        let mut profile = profile::read(section.section("profile"), &known);
        let judged = access.require.is_some() || access.deny.is_some();
        if judged || profile.flags.values().any(Rule::has_negation) {
            connection.check_catalogue(sheet);
        }
        let permissions = permissions::read_own(section.section("permissions"));
        let password_change = password::read(section.section("password"), &connection);
        let place = section.place().clone();
        section.finish();
        let settings = Settings {
            base: known.base?,
            domains,
            user,
            groups,
            require: access.require,
            deny: access.deny,
            fields: std::mem::take(&mut profile.fields),
            lists: std::mem::take(&mut profile.lists),
            flags: std::mem::take(&mut profile.flags),
            fold,
            password_change,
            ..preset.settings
        };
        // The room itself has the last word on what cannot work.
        if let (true, Err(error)) = (sheet.is_clean(), settings.check()) {
            sheet.wrong(&place, error.to_string());
        }
        Some(Directory { settings, profile, permissions, connection })
    }

    /// Rules between directories: `last` is said of the last in the list.
    pub(super) fn check_template(&self, last: bool) {
        let user = self.section.section("user");
        let template = user
            .value("dn_template")
            .filter(|value| user.as_text("dn_template", value).is_some_and(|text| !text.value.is_empty()));
        let has_domains = self.section.value("domains").is_some_and(|value| value.kind.print() != "[]");
        if let Some(template) = template.filter(|_| !last && !has_domains) {
            let message = format!(
                "directory {:?} has dn_template without domains, and is not the last",
                self.known.name
            );
            let suggestion =
                "give it domains or put it last: one person's password is never tried on another's account";
            self.section.sheet().wrong_but(&template.place, message, suggestion);
        }
    }

    /// Its domains in lower case, each with its place.
    pub(super) fn domains(&self) -> Vec<Found<String>> {
        domain_texts(&self.section).into_iter().map(|text| text.map(|text| text.to_lowercase())).collect()
    }

    /// Where its name stands, or its table.
    pub(super) fn place(&self) -> Place {
        self.section.value("name").map_or_else(|| self.section.place().clone(), |value| value.place)
    }
}

fn domain_texts(section: &Section<'_>) -> Vec<Found<String>> {
    match section.toml("domains").map(|value| value.kind) {
        Some(Kind::List(values)) => {
            values.iter().filter_map(|value| section.as_text("domains", value)).collect()
        }
        _ => Vec::new(),
    }
}

fn read_domains(section: &Section<'_>) -> Vec<String> {
    let domains = section.texts("domains");
    for domain in &domains.value {
        let good = !domain.value.is_empty()
            && domain.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !good {
            let message = format!(
                "domains: {:?} is no domain: it is written as in \"corp.example.com\" or \"CORP\"",
                domain.value
            );
            section.sheet().wrong(&domain.place, message);
        }
    }
    domains.value.into_iter().map(|domain| domain.value).collect()
}
