//! What each kind of directory server needs, so that a preset, a URL and a base are a whole configuration. The values are
//! those of [`auth::Settings::preset`].

use auth::{GroupKind, Settings, Vendor};
use proto::Dn;

use super::read::Found;

/// The names of the presets.
pub(super) const PRESETS: &[(&str, Vendor)] = &[
    ("openldap", Vendor::OpenLdap),
    ("active-directory", Vendor::ActiveDirectory),
    ("freeipa", Vendor::FreeIpa),
    ("389ds", Vendor::Ds389),
    ("rfc2307", Vendor::Rfc2307),
    ("rfc2307bis", Vendor::Rfc2307bis),
    ("lldap", Vendor::Lldap),
    ("custom", Vendor::Custom),
];

/// The words for group kinds; `none` is no kind.
pub(super) const GROUP_KINDS: &[(&str, Option<GroupKind>)] = &[
    ("group-of-names", Some(GroupKind::GroupOfNames)),
    ("group-of-unique-names", Some(GroupKind::GroupOfUniqueNames)),
    ("organizational-role", Some(GroupKind::OrganizationalRole)),
    ("posix", Some(GroupKind::Posix)),
    ("active-directory", Some(GroupKind::ActiveDirectory)),
    ("member-of", Some(GroupKind::MemberOf)),
    ("none", None),
];

/// The defaults that a preset gives one directory.
#[derive(Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) settings: Settings,
    /// `settings.base` stands for one that is wrong itself.
    base_is_known: bool,
}

impl Preset {
    pub(super) fn new(vendor: Vendor, directory: &str, base: Option<&Dn>) -> Self {
        let (name, _) =
            PRESETS.iter().find(|(_, known)| *known == vendor).expect("every vendor has a preset");
        let settings = Settings::preset(directory, vendor, base.cloned().unwrap_or_else(Dn::root));
        Self { name, settings, base_is_known: base.is_some() }
    }

    /// Where people are.
    pub(super) fn people(&self) -> Option<Found<Dn>> {
        let base = self.settings.user.searches.first().map_or(&self.settings.base, |search| &search.base);
        self.base_is_known.then(|| self.place(base))
    }

    /// Where groups are.
    pub(super) fn groups(&self) -> Option<Found<Dn>> {
        let base = self.settings.groups.searches.first().map_or(&self.settings.base, |search| &search.base);
        self.base_is_known.then(|| self.place(base))
    }

    /// What narrows the search for people.
    pub(super) fn filter(&self) -> Found<String> {
        let filter = self.settings.user.searches.first().and_then(|search| search.filter.as_ref());
        self.text(filter.map_or("", |filter| filter.as_str()))
    }

    /// The words for the preset's group kinds.
    pub(super) fn group_kinds(&self) -> Found<Vec<Found<String>>> {
        let kinds = &self.settings.groups.kinds;
        let words = GROUP_KINDS.iter().filter(|(_, kind)| match kind {
            Some(kind) => kinds.contains(kind),
            None => kinds.is_empty(),
        });
        Found::preset(self.name, words.map(|(word, _)| self.text(word)).collect())
    }

    /// A text as the preset's; nothing is nobody's.
    pub(super) fn text(&self, text: &str) -> Found<String> {
        if text.is_empty() {
            Found::default(String::new())
        } else {
            Found::preset(self.name, text.to_owned())
        }
    }

    pub(super) fn texts(&self, texts: &[String]) -> Found<Vec<Found<String>>> {
        Found::preset(self.name, texts.iter().map(|text| self.text(text)).collect())
    }

    /// The directory's own base is a default, anything below it comes from the preset.
    fn place(&self, base: &Dn) -> Found<Dn> {
        if *base == self.settings.base {
            Found::default(base.clone())
        } else {
            Found::preset(self.name, base.clone())
        }
    }
}
