//! `-H` with several servers, and `-o`: as OpenLDAP's tools take them.

use std::time::Duration;

use anyhow::{Context as _, bail};
use proto::Url;

/// As good as no limit, and yet every wait ends.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The servers of `-H`, with spaces or commas between them.
pub(super) fn servers(text: &str) -> anyhow::Result<Vec<String>> {
    let mut urls: Vec<String> = Vec::new();
    for piece in text.split([' ', ',', '\n', '\t']).filter(|piece| !piece.is_empty()) {
        // A comma within a URL, which is refused below, does not begin another one.
        match urls.last_mut() {
            Some(last) if !piece.contains("://") && !piece.starts_with("srv:") => {
                last.push(',');
                last.push_str(piece);
            }
            _ => urls.push(piece.to_owned()),
        }
    }
    for url in &urls {
        // What is no URL is told by whoever connects.
        let Ok(parsed) = Url::parse(url) else { continue };
        let named = parsed.base().is_some_and(|base| !base.is_empty());
        if named || !parsed.attributes().is_empty() || parsed.scope().is_some() || parsed.filter().is_some() {
            bail!(
                "-H {url} says more than scheme, host and port: what to ask for is said by other flags, as in -b and -s"
            );
        }
    }
    Ok(urls)
}

/// What `-o` says of the connection.
#[derive(Debug, Default)]
pub(super) struct Settings<'a> {
    pub(super) connect_timeout: Option<Duration>,
    /// The file of `TLS_CACERT`.
    pub(super) authority: Option<&'a str>,
}

impl<'a> Settings<'a> {
    pub(super) fn read(options: &'a [String]) -> anyhow::Result<Settings<'a>> {
        let mut settings = Settings::default();
        for option in options {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match (name.to_ascii_lowercase().as_str(), value) {
                ("nettimeout" | "network_timeout", "none" | "max") => {
                    settings.connect_timeout = Some(A_DAY);
                }
                ("nettimeout" | "network_timeout", seconds) => {
                    let seconds =
                        seconds.parse().with_context(|| format!("-o {option}: not a number of seconds"))?;
                    settings.connect_timeout = Some(Duration::from_secs(seconds).min(A_DAY));
                }
                ("tls_cacert", file) if !file.is_empty() => settings.authority = Some(file),
                ("ldif-wrap" | "ldif_wrap", value) if !value.is_empty() => {}
                _ => bail!(
                    "-o {option} is not known; there are nettimeout=SECONDS, TLS_CACERT=FILE and ldif-wrap=COLUMNS|no"
                ),
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flag_names_several_servers() {
        for (text, expected) in [
            ("ldap://a", &["ldap://a"][..]),
            ("ldap://a ldaps://b:1636/", &["ldap://a", "ldaps://b:1636/"]),
            ("ldap://a,ldap://b", &["ldap://a", "ldap://b"]),
            (" srv:example.com,  ldap://b ", &["srv:example.com", "ldap://b"]),
            ("nonsense", &["nonsense"]),
        ] {
            assert_eq!(servers(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn a_url_that_asks_for_something_is_refused() {
        for url in ["ldap://a/dc=example,dc=com", "ldap://a/??sub", "ldap://a/???(cn=a)", "ldap://a/?cn"] {
            let error = servers(&format!("ldap://b {url}")).expect_err(url).to_string();
            assert!(error.contains(url) && error.contains("-b"), "{error}");
        }
    }

    #[test]
    fn options_are_named_as_openldap_names_them() {
        let read = |text: &str| -> anyhow::Result<(Option<u64>, Option<String>)> {
            let options = [text.to_owned()];
            let settings = Settings::read(&options)?;
            Ok((settings.connect_timeout.map(|limit| limit.as_secs()), settings.authority.map(str::to_owned)))
        };
        for (text, seconds) in [
            ("nettimeout=5", Some(5)),
            ("NETWORK_TIMEOUT=5", Some(5)),
            ("nettimeout=none", Some(86_400)),
            ("nettimeout=max", Some(86_400)),
            ("nettimeout=18446744073709551615", Some(86_400)),
            ("ldif-wrap=no", None),
        ] {
            assert_eq!(read(text).expect(text), (seconds, None), "{text}");
        }
        assert_eq!(read("TLS_CACERT=a.pem").expect("a file"), (None, Some("a.pem".to_owned())));
        for text in ["nettimeout", "nettimeout=x", "TLS_CACERT", "TLS_CACERT=", "x=1", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
