//! Passwords from a prompt, a file, the command line or standard input; never a wait where nobody can answer.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use ldapgate::config::without_newline;

use crate::arguments::{ChangeSource, PasswordSource, Target};

/// More than any password; a wrong file must not fill the memory.
const LONGEST: u64 = 64 * 1024;

/// The password of the person `whom`, from where the flags say.
pub(crate) fn of_person(source: &PasswordSource, whom: &str) -> anyhow::Result<String> {
    match source {
        PasswordSource { text: Some(text), .. } => Ok(without_newline(text.clone())),
        PasswordSource { file: Some(file), .. } => from_file(file),
        PasswordSource { password_stdin: true, .. } => from_stdin(),
        _ => prompt(&format!("Password of {whom}: ")),
    }
}

/// The same where none is needed: `None` when no flag gives one and there is no terminal to ask on, or nothing was typed.
pub(crate) fn of_person_if_any(source: &PasswordSource, whom: &str) -> anyhow::Result<Option<String>> {
    let is_given = source.file.is_some() || source.text.is_some() || source.password_stdin;
    match is_given {
        true => of_person(source, whom).map(Some),
        false if can_ask() => {
            let typed = prompt(&format!("Password of {whom} (empty: no bind as them): "))?;
            Ok(Some(typed).filter(|typed| !typed.is_empty()))
        }
        false => Ok(None),
    }
}

/// The bind password of an LDAP tool; `None` when no flag asks for one.
pub(crate) fn of_target(target: &Target) -> anyhow::Result<Option<String>> {
    match target {
        Target { password: Some(text), .. } => Ok(Some(without_newline(text.clone()))),
        Target { password_file: Some(file), .. } => from_file(file).map(Some),
        Target { password_stdin: true, .. } => from_stdin().map(Some),
        Target { prompt: true, .. } => of_bind().map(Some),
        _ => Ok(None),
    }
}

/// The bind password that no flag gives.
pub(crate) fn of_bind() -> anyhow::Result<String> {
    prompt("Enter LDAP Password: ")
}

/// Is there somebody to ask?
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// What is no secret, asked for on the terminal: a line.
pub(crate) fn line(question: &str) -> anyhow::Result<String> {
    let mut terminal = std::io::stderr();
    terminal
        .write_all(question.as_bytes())
        .and_then(|()| terminal.flush())
        .context("cannot ask on this terminal")?;
    from_stdin()
}

/// One of the two passwords of a change; `None` when no flag asks for one. A prompt asks twice, as `ldappasswd` does: what
/// nobody sees is mistyped.
pub(crate) fn of_change(source: &ChangeSource<'_>, question: &str) -> anyhow::Result<Option<String>> {
    match source {
        ChangeSource { text: Some(text), .. } => Ok(Some(without_newline((*text).to_owned()))),
        ChangeSource { file: Some(file), .. } => from_file(file).map(Some),
        ChangeSource { prompt: true, .. } => {
            let first = prompt(question)?;
            if prompt(&format!("Once more: {question}"))? != first {
                bail!("these were two different passwords");
            }
            Ok(Some(first))
        }
        _ => Ok(None),
    }
}

fn from_file(path: &Path) -> anyhow::Result<String> {
    let named = || format!("cannot read the password file {}", path.display());
    let file = std::fs::File::open(path).with_context(named)?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).with_context(named)?;
    Ok(without_newline(text))
}

fn from_stdin() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_line(&mut line)
        .context("cannot read a line from standard input")?;
    Ok(without_newline(line))
}

fn prompt(question: &str) -> anyhow::Result<String> {
    if !can_ask() {
        bail!("no password: there is no terminal to ask on; use -y FILE, -w TEXT or --password-stdin");
    }
    rpassword::prompt_password(question).context("cannot ask for a password on this terminal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_trailing_newline_is_dropped() {
        for (text, password) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a ", "a "), ("", "")] {
            assert_eq!(without_newline(text.to_owned()), password);
        }
    }
}
