//! Secrets: from the configuration's text, or from a file that is read anew each time.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proto::Password;

/// The largest file that is taken for a secret, in bytes.
const LARGEST: u64 = 64 * 1024;

/// A secret and where to read it.
#[derive(Clone)]
pub(crate) enum Secret {
    /// It stands in the configuration.
    Text(Arc<Password>),
    /// It stands in a file, one trailing newline dropped.
    File(PathBuf),
}

impl Secret {
    /// Reads the secret as it is now.
    ///
    /// # Errors
    /// The file cannot be read, is too large, is no UTF-8, or is empty.
    pub(crate) fn read(&self) -> io::Result<Password> {
        match self {
            Self::Text(password) => Ok(password.duplicate()),
            Self::File(path) => {
                let text = String::from_utf8(read_small(path)?).map_err(|_| invalid("is not UTF-8 text"))?;
                Password::new(without_newline(text))
                    .map_err(|_| invalid("holds no usable secret: it is empty, or has a NUL in it"))
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Secret(hidden)"),
            Self::File(path) => write!(f, "Secret({})", path.display()),
        }
    }
}

/// A file's bytes, if it is as small as a secret is.
pub(crate) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(invalid("is larger than any secret")) } else { Ok(bytes) }
}

/// A secret as it stands in a file or comes from standard input: one trailing newline is dropped, a carriage return before
/// it too, and no more.
#[must_use]
pub fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_one_newline_and_is_read_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("secret");
        let secret = Secret::File(path.clone());
        for (content, expected) in [
            ("first\n", "first"),
            ("second\n\n", "second\n"),
            ("third", "third"),
            ("4\r\n", "4"),
            (" 5 ", " 5 "),
        ] {
            std::fs::write(&path, content).expect("writable");
            assert_eq!(secret.read().expect("a secret").expose(), expected.as_bytes());
        }
        for content in ["", "\n"] {
            std::fs::write(&path, content).expect("writable");
            assert!(secret.read().is_err());
        }
        assert!(
            !format!("{:?}", Secret::Text(Arc::new(Password::new("hush").expect("not empty"))))
                .contains("hush")
        );
    }
}
