//! The pages: templates and the files they show, embedded or from the operator's folder, read once and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::{Environment, Value};

use crate::Error;
use crate::rejection::{self, LANGUAGE};

/// Where the pages' own files are served.
pub(crate) const ASSETS: &str = "/_ldapgate/";

/// The templates, and the names by which a theme replaces them.
const TEMPLATES: [(&str, &str); 6] = [
    ("base.html", include_str!("../templates/base.html")),
    ("login.html", include_str!("../templates/login.html")),
    ("logout.html", include_str!("../templates/logout.html")),
    ("password.html", include_str!("../templates/password.html")),
    ("account.html", include_str!("../templates/account.html")),
    ("error.html", include_str!("../templates/error.html")),
];

const FILES: [(&str, &str); 2] = [
    ("style.css", include_str!("../templates/style.css")),
    ("icon.svg", include_str!("../templates/icon.svg")),
];

/// What a theme may bring besides templates.
const TYPES: [(&str, &str); 8] = [
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
];

/// A theme's largest file, in bytes, and how many files are read.
const LARGEST: u64 = 2 * 1024 * 1024;
const MOST: usize = 64;
/// Steps of one rendering: a theme that loops for ever ends here.
const FUEL: u64 = 200_000;

/// A file that a page shows.
#[derive(Debug, Clone)]
struct Asset {
    kind: &'static str,
    bytes: axum::body::Bytes,
}

/// Everything that is shown to people.
#[derive(Debug)]
pub(crate) struct Pages {
    environment: Environment<'static>,
    assets: BTreeMap<String, Asset>,
}

impl Pages {
    /// The embedded pages, with those of `theme` in their place.
    pub(crate) fn load(theme: Option<&Path>) -> Result<Self, Error> {
        let mut templates: BTreeMap<String, String> = owned(&TEMPLATES);
        let files =
            FILES.iter().map(|(name, text)| ((*name).to_owned(), asset(name, text.as_bytes().to_vec())));
        let mut assets: BTreeMap<String, Asset> =
            files.filter_map(|(name, asset)| Some((name, asset?))).collect();
        for (path, name, bytes) in theme.map(read_theme).transpose()?.unwrap_or_default() {
            if let Some(template) = templates.get_mut(&name) {
                *template = String::from_utf8(bytes)
                    .map_err(|_| Error::Theme { path, problem: "is not UTF-8".to_owned() })?;
            } else if let Some(asset) = asset(&name, bytes) {
                assets.insert(name, asset);
            } else {
                tracing::warn!(path = %path.display(), "not a file that a theme may have: ignored");
            }
        }
        let version = version(&assets);
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.add_global("lang", LANGUAGE);
        environment.add_global("assets", ASSETS);
        environment.add_global("version", version);
        for (name, text) in templates {
            let path = theme.unwrap_or(Path::new("")).join(&name);
            environment
                .add_template_owned(name, text)
                .map_err(|error| Error::Theme { path, problem: describe(&error) })?;
        }
        Ok(Self { environment, assets })
    }

    /// A page. One whose theme fails at work is shown as plain text, with the reason in the log.
    pub(crate) fn show(&self, status: StatusCode, template: &str, context: Value) -> Response {
        match self.environment.get_template(template).and_then(|template| template.render(context)) {
            Ok(html) => {
                let kind = HeaderValue::from_static("text/html; charset=utf-8");
                (status, [(header::CONTENT_TYPE, kind)], html).into_response()
            }
            Err(error) => {
                tracing::error!(template, problem = %describe(&error), "a page cannot be shown");
                rejection::unshown()
            }
        }
    }

    /// One of the pages' own files.
    pub(crate) fn file(&self, name: &str) -> Option<Response> {
        let asset = self.assets.get(name)?;
        let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=3600")];
        Some((headers, asset.bytes.clone()).into_response())
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn asset(name: &str, bytes: Vec<u8>) -> Option<Asset> {
    let (_, extension) = name.rsplit_once('.')?;
    let (_, kind) = TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known))?;
    Some(Asset { kind, bytes: bytes.into() })
}

fn read_theme(folder: &Path) -> Result<Vec<(PathBuf, String, Vec<u8>)>, Error> {
    let unreadable = |path: &Path, error: std::io::Error| Error::Theme {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let details = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.'));
        let Some(name) = name.filter(|_| details.is_file()).map(str::to_owned) else { continue };
        if details.len() > LARGEST || files.len() == MOST {
            return Err(Error::Theme {
                path,
                problem: format!("is over {LARGEST} bytes, or one of more than {MOST} files"),
            });
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
        files.push((path, name, bytes));
    }
    Ok(files)
}

/// Changes when a file does, so that browsers may keep what they have.
fn version(assets: &BTreeMap<String, Asset>) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for (name, asset) in assets {
        context.update(name.as_bytes());
        context.update(&asset.bytes);
    }
    context.finish().as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(error: &minijinja::Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    format!("{line}{error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn theme(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    async fn shown(pages: &Pages, template: &str, context: Value) -> String {
        let body = pages.show(StatusCode::OK, template, context).into_body();
        String::from_utf8(axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_people_typed_is_escaped() {
        let pages = Pages::load(None).unwrap();
        let html = shown(&pages, "login.html", context! { username => "<script>\"x\"", next => "/" }).await;
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;&quot;x&quot;"), "{html}");
    }

    #[tokio::test]
    async fn a_theme_replaces_what_it_brings_and_nothing_else() {
        let folder =
            theme(&[("login.html", "<p>{{ username }}</p>"), ("logo.png", "png"), ("evil.js", "alert(1)")]);
        let pages = Pages::load(Some(folder.path())).unwrap();
        assert_eq!(shown(&pages, "login.html", context! { username => "a&b" }).await, "<p>a&amp;b</p>");
        assert!(shown(&pages, "logout.html", context! {}).await.contains("Sign out"));
        assert!(pages.file("logo.png").is_some());
        assert!(pages.file("evil.js").is_none());
        assert!(pages.file("style.css").is_some());
    }

    #[test]
    fn a_broken_theme_is_refused_with_file_and_line() {
        let folder = theme(&[("login.html", "one\n{% if %}")]);
        let error = Pages::load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("login.html") && error.contains("line 2"), "{error}");
        assert!(Pages::load(Some(&folder.path().join("missing"))).is_err());
    }

    #[tokio::test]
    async fn a_theme_that_never_ends_is_stopped() {
        let folder = theme(&[(
            "login.html",
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        )]);
        let pages = Pages::load(Some(folder.path())).unwrap();
        assert_eq!(shown(&pages, "login.html", context! {}).await, "This page cannot be shown.");
    }
}
