//! Where the configuration file is.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::read::{ConfigErrors, PREFIX};

/// The variable that names the file.
const VARIABLE: &str = "LDAPGATE_CONFIG";
/// Where it is looked for when nobody names it.
const USUAL: [&str; 2] = ["ldapgate.toml", "/etc/ldapgate/ldapgate.toml"];

/// The path and text of the first file there is; `None` where there is none and the environment is a configuration.
pub(super) fn find(
    explicit: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<Option<(PathBuf, String)>, ConfigErrors> {
    find_among(explicit, environment, &USUAL.map(PathBuf::from))
}

fn find_among(
    explicit: Option<&Path>,
    environment: &BTreeMap<String, String>,
    usual: &[PathBuf],
) -> Result<Option<(PathBuf, String)>, ConfigErrors> {
    let variable = environment.get(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit.map(Path::to_owned).or(variable) {
        let text = read(&path)?;
        let text =
            text.ok_or_else(|| ConfigErrors::one(path.display().to_string(), "there is no such file"))?;
        return Ok(Some((path, text)));
    }
    for path in usual {
        if let Some(text) = read(path)? {
            return Ok(Some((path.clone(), text)));
        }
    }
    let speaks =
        environment.keys().any(|name| name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__")));
    if speaks {
        return Ok(None);
    }
    let places = usual.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ");
    Err(ConfigErrors::one(
        "configuration",
        format!("there is none: looked for --config, ${VARIABLE}, {places}"),
    ))
}

/// The file's text; `None` where there is no such file.
fn read(path: &Path) -> Result<Option<String>, ConfigErrors> {
    let place = || path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                    .iter()
                    .filter(|b| **b == b'\n')
                    .count()
                    + 1;
                Err(ConfigErrors::one(format!("{}:{line}:1", place()), "this line is not UTF-8"))
            }
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigErrors::one(place(), format!("cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_first_file_wins_and_a_named_one_has_to_be_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["named", "variable", "second"] {
            std::fs::write(at(name), name).expect("writable");
        }
        let usual = [at("first"), at("second")];
        let variable = environment(&[("LDAPGATE_CONFIG", at("variable").to_str().expect("utf-8"))]);
        let text = |found: Result<Option<(PathBuf, String)>, ConfigErrors>| {
            found.expect("found").map(|(_, text)| text)
        };
        assert_eq!(text(find_among(Some(&at("named")), &variable, &usual)).as_deref(), Some("named"));
        assert_eq!(text(find_among(None, &variable, &usual)).as_deref(), Some("variable"));
        assert_eq!(text(find_among(None, &environment(&[]), &usual)).as_deref(), Some("second"));
        std::fs::write(at("first"), "first").expect("writable");
        assert_eq!(text(find_among(None, &environment(&[]), &usual)).as_deref(), Some("first"));
        let missing = find_among(Some(&at("missing")), &variable, &usual).expect_err("missing");
        assert_eq!(missing.to_string(), format!("{}: there is no such file", at("missing").display()));
        let missing = environment(&[("LDAPGATE_CONFIG", "/nonexistent/x.toml")]);
        assert!(find_among(None, &missing, &usual).is_err());
    }

    #[test]
    fn without_a_file_the_environment_can_be_the_configuration() {
        assert_eq!(
            find_among(None, &environment(&[("LDAPGATE_HTTP__LISTEN", "x")]), &[]).expect("fine"),
            None
        );
        let none = find_among(None, &environment(&[("LDAPGATE_X", "x")]), &["ldapgate.toml".into()])
            .expect_err("none");
        assert_eq!(
            none.to_string(),
            "configuration: there is none: looked for --config, $LDAPGATE_CONFIG, ldapgate.toml"
        );
    }

    #[test]
    fn a_file_that_is_no_text_says_where() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.toml");
        std::fs::write(&path, b"a = 1\nb = \"\xff\"\n").expect("writable");
        let error = find_among(Some(&path), &environment(&[]), &[]).expect_err("no text");
        assert_eq!(error.problems()[0].place, format!("{}:2:1", path.display()));
    }
}
