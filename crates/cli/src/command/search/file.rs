//! `-t`: values in files of their own, which the LDIF names.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::arguments::Search;
use crate::command::Context;

/// Which values go to files, and where those are.
pub(super) struct Files {
    which: Which,
    folder: PathBuf,
    prefix: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    None,
    NotPrintable,
    All,
}

impl Files {
    pub(super) fn of(search: &Search, context: &Context) -> Files {
        let which = match search.to_files {
            0 => Which::None,
            1 => Which::NotPrintable,
            _ => Which::All,
        };
        let usual =
            || ["TMPDIR", "TEMP", "TMP"].iter().find_map(|name| context.variable(name)).unwrap_or("/tmp");
        let folder = search.folder.clone().unwrap_or_else(|| PathBuf::from(usual()));
        let shown = folder.display().to_string();
        let prefix = match &search.prefix {
            Some(prefix) => prefix.clone(),
            None => format!("file:///{}/", shown.strip_prefix('/').unwrap_or(&shown)),
        };
        Files { which, folder, prefix }
    }

    /// Writes the value to a file when it is one of those, and tells the file's URL.
    pub(super) fn write(&self, attribute: &str, value: &[u8]) -> anyhow::Result<Option<String>> {
        let wanted = match self.which {
            Which::None => false,
            Which::NotPrintable => !is_printable(value),
            Which::All => true,
        };
        if !wanted {
            return Ok(None);
        }
        // The name is the server's: it must not lead out of the folder.
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-;.".contains(c) { c } else { '_' };
        let prefix = format!("ldapsearch-{}-", attribute.chars().take(64).map(safe).collect::<String>());
        let cannot = || format!("cannot write to {}", self.folder.display());
        let file = tempfile::Builder::new().prefix(&prefix).rand_bytes(6).tempfile_in(&self.folder);
        let mut file = file.with_context(cannot)?;
        file.write_all(value).with_context(cannot)?;
        let (_, path) = file.keep().with_context(cannot)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Some(format!("{}{name}", self.prefix)))
    }
}

/// Could the value stand in a line as it is?
pub(super) fn is_printable(value: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    edge(value.first())
        && edge(value.last())
        && !matches!(value[0], b':' | b'<')
        && value.iter().all(|byte| (b' '..=b'~').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attributes_name_does_not_lead_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { which: Which::All, folder: folder.path().to_owned(), prefix: "x:".to_owned() };
        let url = files.write("../../etc/x;binary", b"secret").unwrap().unwrap();
        let name = url.strip_prefix("x:ldapsearch-.._.._etc_x;binary-").unwrap();
        assert_eq!(name.len(), 6);
        let written = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        assert_eq!(std::fs::read(written.path()).unwrap(), b"secret");
    }

    #[test]
    fn what_needs_no_base64_is_printable() {
        for (value, printable) in [
            (&b"a b"[..], true),
            (b"", false),
            (b" a", false),
            (b"a ", false),
            (b":a", false),
            (b"\xc3\xbc", false),
        ] {
            assert_eq!(is_printable(value), printable, "{value:?}");
        }
    }
}
