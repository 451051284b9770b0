//! `[store]`: where people, sessions and the rest are kept.

use std::fmt;
use std::path::PathBuf;

use super::read::{Found, Place, Section, read_small, without_newline};

/// `[store]`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// `memory:`, `sqlite:` and an unambiguous path, or `postgres://` and so on, which may have a password in it.
    pub(crate) url: String,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &hidden(&self.url)).finish()
    }
}

pub(super) fn read(section: Section<'_>) -> Store {
    let url = section.value("url").and_then(|value| section.as_text("url", &value));
    let file = section.value("url_file").and_then(|value| section.as_text("url_file", &value));
    if let (Some(_), Some(file)) = (&url, &file) {
        section.sheet().wrong(&file.place, "url and url_file are both set: one of them is enough");
    }
    if let Some(url) = &url {
        section.show("url", format!("{:?}", hidden(&url.value)), &url.place);
    }
    let store = match (url, file) {
        (Some(url), _) => understood(&section, &url),
        (None, Some(file)) => from_file(&section, &file),
        (None, None) => {
            section.show("url", "\"sqlite:ldapgate.db\"".to_owned(), &Place::Default);
            Store { url: sqlite(section.sheet().resolve("ldapgate.db", &Place::File(0..0))) }
        }
    };
    section.finish();
    store
}

/// A URL with a password in it is a secret, and may stand in a file of its own.
fn from_file(section: &Section<'_>, file: &Found<String>) -> Store {
    section.show("url_file", format!("{:?}", file.value), &file.place);
    let path = section.sheet().resolve(&file.value, &file.place);
    let text = read_small(&path)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| std::io::Error::other("is not UTF-8 text")));
    match text {
        Ok(text) => understood(section, &Found { value: without_newline(text), place: file.place.clone() }),
        Err(error) => {
            let message = format!("url_file: cannot use {}: {error}", path.display());
            section.sheet().wrong(&file.place, message);
            Store { url: String::new() }
        }
    }
}

fn understood(section: &Section<'_>, url: &Found<String>) -> Store {
    let sheet = section.sheet();
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
        Some(("postgres" | "postgresql", _)) => {
            look_at(section, url);
            url.value.clone()
        }
        _ => {
            let message = format!("{:?} is no store", hidden(&url.value));
            sheet.wrong_but(
                &url.place,
                message,
                "write \"sqlite:PATH\", \"postgres://USER@HOST/DATABASE\", or \"memory:\" for tests",
            );
            url.value.clone()
        }
    };
    Store { url: resolved }
}

#[cfg(feature = "sqlite")]
fn look_at(section: &Section<'_>, url: &Found<String>) {
    match ::store::is_in_the_clear(&url.value) {
        Ok(false) => {}
        Ok(true) => section.sheet().warn(
            &url.place,
            "the store is on another machine and is spoken to in clear text, or may be: add sslmode=verify-full and sslrootcert=FILE to its URL",
        ),
        Err(error) => section.sheet().wrong(&url.place, error.to_string()),
    }
}

/// The engine says that this program cannot open it.
#[cfg(not(feature = "sqlite"))]
fn look_at(_: &Section<'_>, _: &Found<String>) {}

fn sqlite(path: PathBuf) -> String {
    format!("sqlite:{}", path.display())
}

/// The URL without the password it may carry, before its host or among its parameters. Where it is not written as it should
/// be, rather too much is hidden.
pub(crate) fn hidden(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // A URL that was mistyped may have a password all the same.
        return match url.rsplit_once('@').filter(|_| !url.starts_with("sqlite:")) {
            Some((_, host)) => format!("(hidden)@{host}"),
            None => url.to_owned(),
        };
    };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:(hidden)@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let shown = parameters.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("password") => format!("{name}=(hidden)"),
        _ => parameter.to_owned(),
    });
    format!("{scheme}://{place}?{}", shown.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_wherever_a_url_has_it() {
        for (url, shown) in [
            (
                "postgres://gate:hu%40sh@db/gate?sslmode=require",
                "postgres://gate:(hidden)@db/gate?sslmode=require",
            ),
            ("postgres://gate:hu@sh@db/gate", "postgres://gate:(hidden)@db/gate"),
            (
                "postgres://gate@db/gate?password=hush&port=1",
                "postgres://gate@db/gate?password=(hidden)&port=1",
            ),
            ("postgres://gate@db/gate", "postgres://gate@db/gate"),
            ("postgres//gate:hush@db/gate", "(hidden)@db/gate"),
            ("postgres://gate:hu?sh@db/gate", "postgres://gate:(hidden)@db/gate"),
            ("postgres://gate@db/gate?application_name=a@b", "postgres://gate@db/gate?application_name=a@b"),
            ("sqlite:/a/b@c.db", "sqlite:/a/b@c.db"),
        ] {
            assert_eq!(hidden(url), shown);
            assert!(!format!("{:?}", Store { url: url.to_owned() }).contains("hush"));
        }
    }
}
