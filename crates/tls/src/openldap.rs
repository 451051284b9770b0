//! What OpenLDAP's own configuration file says of TLS (ldap.conf(5)), for whom `TLS_CACERT` is where trust was put.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::{ClientSettings, Error, Identity, Version};

/// Where the file lies: Debian and its children, Red Hat and its children.
const PLACES: [&str; 2] = ["/etc/ldap/ldap.conf", "/etc/openldap/ldap.conf"];
/// The largest that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Files that are taken of a `TLS_CACERTDIR`.
const MAX_FILES: usize = 1000;

impl ClientSettings {
    /// Settings as a file for OpenLDAP's tools says: `TLS_CACERT`, `TLS_CACERTDIR`, `TLS_CERT` with `TLS_KEY`, and
    /// `TLS_PROTOCOL_MIN`. Where it names no authority, the system's are trusted.
    ///
    /// `TLS_REQCERT never` and `allow` switch verification off there. They are not followed: a warning is logged.
    ///
    /// ```
    /// use ldapgate_tls::ClientSettings;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("ldap.conf");
    /// std::fs::write(&path, "URI ldaps://ldap.example.com\nTLS_CACERT /etc/ssl/certs/corp-ca.pem\n")?;
    /// let settings = ClientSettings::from_ldap_conf(&path)?;
    /// assert_eq!(settings.ca_files, ["/etc/ssl/certs/corp-ca.pem".into()] as [std::path::PathBuf; 1]);
    /// assert!(!settings.system_roots);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Read`] when the file, or the folder it names, cannot be read. The certificate files are read by
    /// [`ClientSettings::load`].
    pub fn from_ldap_conf(path: &Path) -> Result<ClientSettings, Error> {
        let mut text = String::new();
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| unreadable(path, error))?;
        let folder = |path: &Path| files_of(path);
        read(&text, folder)
    }

    /// The file that OpenLDAP's tools of this system read, where there is one.
    #[must_use]
    pub fn ldap_conf() -> Option<PathBuf> {
        PLACES.iter().map(PathBuf::from).find(|path| path.is_file())
    }
}

fn read(
    text: &str,
    files_of: impl Fn(&Path) -> Result<Vec<PathBuf>, Error>,
) -> Result<ClientSettings, Error> {
    let mut settings = ClientSettings::default();
    let (mut cert, mut key) = (None, None);
    for line in text.lines() {
        // A comment starts at the beginning of a line, and so does an option.
        let Some((option, value)) = line.split_once(char::is_whitespace) else { continue };
        let value = value.trim();
        match option.to_ascii_uppercase().as_str() {
            "TLS_CACERT" => settings.ca_files.push(value.into()),
            "TLS_CACERTDIR" => settings.ca_files.extend(files_of(Path::new(value))?),
            "TLS_CERT" => cert = Some(PathBuf::from(value)),
            "TLS_KEY" => key = Some(PathBuf::from(value)),
            // "3.4" is SSL's name for TLS 1.3.
            "TLS_PROTOCOL_MIN" if value == "3.4" => settings.min_version = Version::Tls13,
            "TLS_REQCERT" if matches!(value.to_ascii_lowercase().as_str(), "never" | "allow" | "try") => {
                tracing::warn!(value, "TLS_REQCERT is not followed: servers are proved");
            }
            _ => {}
        }
    }
    settings.system_roots = settings.ca_files.is_empty();
    settings.client_identity = cert.zip(key).map(|(cert, key)| Identity { cert, key });
    Ok(settings)
}

/// The certificates of a folder that `openssl rehash` was run on: OpenLDAP finds no others.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = paths.filter(|path| is_hashed(path)).take(MAX_FILES).collect();
    files.sort();
    Ok(files)
}

/// `5ed36f99.0`
fn is_hashed(path: &Path) -> bool {
    let Some((hash, number)) = path.file_name().and_then(|name| name.to_str()?.split_once('.')) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits(number)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let problem = "OpenLDAP's configuration names it, or it is that configuration".to_owned();
    Error::Read { file: path.display().to_string(), problem, source: Some(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> ClientSettings {
        read(text, |folder| Ok(vec![folder.join("5ed36f99.0")])).unwrap()
    }

    #[test]
    fn options_are_read_whatever_their_case() {
        let settings =
            of("# TLS_CACERT /comment\ntls_cacert\t/a.pem  \nTLS_CACERTDIR /certs\nTLS_CERT /me.crt\n\
            TLS_KEY /me.key\nTLS_PROTOCOL_MIN 3.4\nBASE dc=example,dc=com\n TLS_CACERT /indented");
        assert_eq!(settings.ca_files, [PathBuf::from("/a.pem"), PathBuf::from("/certs/5ed36f99.0")]);
        assert!(!settings.system_roots);
        assert_eq!(settings.min_version, Version::Tls13);
        let identity = Identity { cert: "/me.crt".into(), key: "/me.key".into() };
        assert_eq!(settings.client_identity, Some(identity));
    }

    #[test]
    fn a_file_that_says_nothing_of_tls_leaves_the_system_trusted() {
        assert_eq!(of("URI ldap://localhost\nTLS_CERT /alone.crt\n"), ClientSettings::default());
    }

    #[test]
    fn verification_cannot_be_switched_off_there() {
        assert!(!of("TLS_REQCERT never\nTLS_CACERT /a.pem\n").danger_accept_invalid_certificates);
    }

    #[test]
    fn only_hashed_names_count_in_a_folder() {
        for (name, counts) in [
            ("5ed36f99.0", true),
            ("5ed36f99.12", true),
            ("ca.pem", false),
            ("5ed36f99.r0", false),
            ("5ed36f99.", false),
        ] {
            assert_eq!(is_hashed(&Path::new("/etc/ssl/certs").join(name)), counts, "{name}");
        }
    }
}
