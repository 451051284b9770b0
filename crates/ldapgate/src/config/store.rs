//! `[store]`: where people, sessions and the rest are kept.

use std::path::PathBuf;

use super::read::Section;

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    /// `memory:`, or `sqlite:` and an unambiguous path.
    pub(crate) url: String,
}

pub(super) fn read(section: Section<'_>) -> Store {
    let sheet = section.sheet();
    let url = section.value("url").and_then(|value| section.as_text("url", &value));
    let Some(url) = url else {
        section.show("url", "\"sqlite:ldapgate.db\"".to_owned(), &super::read::Place::Default);
        section.finish();
        return Store { url: sqlite(sheet.resolve("ldapgate.db", &super::read::Place::File(0..0))) };
    };
    section.show("url", format!("{:?}", hidden(&url.value)), &url.place);
    let resolved = match url.value.split_once(':') {
        Some(("memory", "")) => url.value.clone(),
        Some(("sqlite", "")) => {
            sheet.wrong_but(
                &url.place,
                "a sqlite store needs a path",
                "write \"sqlite:ldapgate.db\", or \"memory:\" for tests",
            );
            url.value.clone()
        }
        Some(("sqlite", path)) => sqlite(sheet.resolve(path.strip_prefix("//").unwrap_or(path), &url.place)),
        Some(("postgres" | "postgresql", _)) => url.value.clone(),
        _ => {
            let message = format!("{:?} is no store", hidden(&url.value));
            sheet.wrong_but(&url.place, message, "write \"sqlite:PATH\", or \"memory:\" for tests");
            url.value.clone()
        }
    };
    section.finish();
    Store { url: resolved }
}

fn sqlite(path: PathBuf) -> String {
    format!("sqlite:{}", path.display())
}

/// The URL without the password it may carry.
pub(super) fn hidden(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, host))) => {
            format!("{scheme}://{}:(hidden)@{host}", user.split(':').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}
