//! `add` and `modify`: what LDIF says, done as `ldapadd` and `ldapmodify` do it.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use client::Connection;
use proto::ldif::{self, ChangeRecord, ChangeType, Changes, LdifError, Untyped, Writer};
use proto::value::is_secret;
use proto::{Bytes, ChangeOp, Control};

use super::outcome::{Change, Outcomes};
use super::{Context, extension, ldap};
use crate::arguments::Modify;
use crate::command::ldap::Failure;
use crate::exit::Exit;
use crate::output::printable;

/// Does one change after the other; the status is the last failure's.
pub(crate) async fn run(context: &Context, modify: Modify) -> Exit {
    match change(context, &modify).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn change(context: &Context, modify: &Modify) -> Result<Exit, Failure> {
    let controls = controls(modify)?;
    let mut skipped = modify.skipped.as_deref().map(Skipped::create).transpose()?;
    // A dry run asks nobody, as ldapmodify's.
    let connection = match modify.dry_run {
        true => None,
        false => Some(ldap::connect(context, &modify.target).await?.connection.with_controls(controls)),
    };
    let mut tool = Tool {
        outcomes: Outcomes::new(modify.json),
        verbose: context.voice.is_verbose(),
        connection: connection.as_ref(),
    };
    for record in records(modify)? {
        let line = record.as_ref().map_or_else(LdifError::line, |record| record.line);
        if modify.from_line.is_some_and(|from| line < from) {
            continue;
        }
        let problem = tool.handle(&record).await;
        if let (Some(problem), Some(skipped)) = (&problem, &mut skipped) {
            skipped.write(problem, record.as_ref().ok())?;
        }
        let ended = connection.as_ref().is_some_and(Connection::is_closed);
        if problem.is_some() && (!modify.go_on || ended) {
            break;
        }
    }
    if let Some(connection) = &connection {
        connection.close().await;
    }
    Ok(tool.outcomes.finish())
}

fn controls(modify: &Modify) -> anyhow::Result<Vec<Control>> {
    if let Some(extension) = modify.modify_extensions.first() {
        bail!("-E {extension} is not known");
    }
    extension::controls(&modify.extensions)
}

fn records(modify: &Modify) -> anyhow::Result<Changes<Box<dyn BufRead>>> {
    let input: Box<dyn BufRead> = match modify.file.as_deref() {
        Some(file) if file != Path::new("-") => {
            let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
            Box::new(BufReader::with_capacity(1 << 16, opened))
        }
        _ => Box::new(std::io::stdin().lock()),
    };
    let untyped = if modify.add { Untyped::Add } else { Untyped::Modify };
    let changes = Changes::new(input, untyped);
    Ok(if modify.allow_files { changes.resolving(read_file) } else { changes })
}

/// A value that is in a file of this machine; of other URLs nothing is read.
fn read_file(url: &str) -> Result<Vec<u8>, String> {
    let path = url.strip_prefix("file://").and_then(|rest| rest.strip_prefix("localhost").or(Some(rest)));
    let path =
        path.filter(|path| path.starts_with('/')).ok_or_else(|| format!("{url} is no file:///path"))?;
    let path = decoded(path).ok_or_else(|| format!("{url} is not well encoded"))?;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut value = Vec::new();
        // One more than a value may have: too long is told, not cut off.
        File::open(OsStr::from_bytes(&path))?.take(ldif::MAX_VALUE as u64 + 1).read_to_end(&mut value)?;
        Ok(value)
    };
    read().map_err(|error| format!("{url}: {error}"))
}

/// `%20` as a space (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

struct Tool<'t> {
    outcomes: Outcomes,
    verbose: bool,
    connection: Option<&'t Connection>,
}

impl Tool<'_> {
    /// Does what a record says, or tells what is wrong with it.
    async fn handle(&mut self, record: &Result<ChangeRecord, LdifError>) -> Option<String> {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                self.outcomes.unreadable(error.line(), &error.to_string());
                return Some(error.to_string());
            }
        };
        let told = Told::of(&record.change);
        if self.verbose {
            values(&record.change).iter().for_each(|line| self.outcomes.say(line));
        }
        let dry = if self.connection.is_none() { "!" } else { "" };
        self.outcomes.say(&format!("{dry}{} entry \"{}\"", told.doing, printable(record.dn())));
        if let (true, ChangeType::ModifyDn(rename)) = (self.verbose, &record.change) {
            let keep = if rename.delete_old_rdn { "do not keep" } else { "keep" };
            self.outcomes
                .say(&format!("\tnew RDN: \"{}\" ({keep} existing values)", printable(&rename.new_rdn)));
        }
        let change = Change { kind: told.kind, dn: record.dn(), line: record.line };
        let problem = match self.connection {
            None => {
                self.outcomes.planned(&change);
                None
            }
            Some(connection) => match connection.apply(record).await {
                Ok(reply) => {
                    if self.verbose {
                        self.outcomes.say(told.complete);
                    }
                    self.outcomes.done(&change, &reply);
                    None
                }
                Err(error) => Some(self.outcomes.failed(&change, Some(told.call), error)),
            },
        };
        self.outcomes.say("");
        problem
    }
}

/// OpenLDAP's words for a change.
struct Told {
    kind: &'static str,
    doing: &'static str,
    complete: &'static str,
    call: &'static str,
}

impl Told {
    fn of(change: &ChangeType) -> Told {
        let (kind, doing, complete, call) = match change {
            // ldapmodify calls an add a modification when it is complete.
            ChangeType::Add(_) => ("add", "adding new", "modify complete", "ldap_add"),
            ChangeType::Delete(_) => ("delete", "deleting", "delete complete", "ldap_delete"),
            ChangeType::Modify(_) => ("modify", "modifying", "modify complete", "ldap_modify"),
            ChangeType::ModifyDn(_) => ("rename", "modifying rdn of", "rename complete", "ldap_rename"),
        };
        Told { kind, doing, complete, call }
    }
}

/// What is written, a line each.
fn values(change: &ChangeType) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tell = |word: &str, attribute: &str, values: &[Bytes]| {
        lines.push(format!("{word} {}:", printable(attribute)));
        lines.extend(values.iter().map(|value| shown(attribute, value)));
    };
    match change {
        ChangeType::Add(add) => {
            add.attributes.iter().for_each(|(name, values)| tell("add", name, values));
        }
        ChangeType::Modify(modify) => {
            for change in &modify.changes {
                let word = match change.op {
                    ChangeOp::Add => "add",
                    ChangeOp::Delete => "delete",
                    ChangeOp::Replace => "replace",
                    ChangeOp::Increment => "increment",
                };
                tell(word, &change.attribute, &change.values);
            }
        }
        ChangeType::Delete(_) | ChangeType::ModifyDn(_) => {}
    }
    lines
}

/// A password is counted and not shown: a terminal keeps what was on it.
fn shown(attribute: &str, value: &[u8]) -> String {
    let secret = is_secret(attribute);
    let plain = value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    match std::str::from_utf8(value) {
        Ok(text) if plain && !secret => format!("\t{text}"),
        _ if secret => format!("\tSECRET ({} bytes)", value.len()),
        _ => format!("\tNOT ASCII ({} bytes)", value.len()),
    }
}

/// `-S`: what failed, to be mended and read again. Its records have passwords in them as the input had: only the owner
/// reads the file.
struct Skipped {
    file: File,
}

impl Skipped {
    fn create(path: &Path) -> anyhow::Result<Skipped> {
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        // One that was there already may have been open to everybody.
        let ours = opened.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)).map(|()| file));
        Ok(Skipped { file: ours.with_context(|| format!("cannot write {}", path.display()))? })
    }

    fn write(&mut self, problem: &str, record: Option<&ChangeRecord>) -> anyhow::Result<()> {
        let write = |file: &mut File| -> std::io::Result<()> {
            writeln!(file, "# Error: {}", printable(problem))?;
            match record {
                Some(record) => Writer::new(file).change(record),
                None => writeln!(file),
            }
        };
        write(&mut self.file).context("cannot write the skipped records")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_this_machine_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("a value");
        std::fs::write(&path, b"\xffvalue").expect("the folder is writable");
        let encoded = path.display().to_string().replace(' ', "%20");
        for url in [format!("file://{encoded}"), format!("file://localhost{encoded}")] {
            assert_eq!(read_file(&url).as_deref(), Ok(&b"\xffvalue"[..]), "{url}");
        }
        for url in [
            "http://localhost/",
            "file://other.example.com/etc/passwd",
            "file:relative",
            "file:///no/such/file",
            "file:///etc/%zz",
            "file:///%2",
        ] {
            assert!(read_file(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for attribute in
            ["UserPassword", "userPassword;x-old", "2.5.4.35", "2.5.4.35;x", "sambaNTPassword", "olcRootPW"]
        {
            assert_eq!(shown(attribute, b"secret"), "\tSECRET (6 bytes)", "{attribute}");
        }
        assert_eq!(shown("cn", b"Ada L"), "\tAda L");
        assert_eq!(shown("cn", "\u{fc}".as_bytes()), "\tNOT ASCII (2 bytes)");
    }
}
