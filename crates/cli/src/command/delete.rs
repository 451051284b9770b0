//! `delete`: entries go, as `ldapdelete` takes them away.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use client::{Connection, Error, Search};
use proto::{Dn, Filter, ResultCode};

use super::outcome::{Change, Outcomes};
use super::{Context, extension, ldap};
use crate::arguments::Delete;
use crate::command::ldap::Failure;
use crate::exit::Exit;
use crate::output::printable;

/// Entries of a page when everything below an entry is looked for.
const PAGE: u32 = 500;

/// Deletes; the status is the last failure's.
pub(crate) async fn run(context: &Context, delete: Delete) -> Exit {
    match take_away(context, &delete).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn take_away(context: &Context, delete: &Delete) -> Result<Exit, Failure> {
    let controls = extension::controls(&delete.extensions)?;
    let connection = ldap::connect(context, &delete.target).await?.connection.with_controls(controls);
    let mut tool = Tool {
        outcomes: Outcomes::new(delete.json),
        verbose: context.voice.is_verbose(),
        connection: &connection,
        delete,
    };
    for name in names(delete)? {
        let (line, name) = name?;
        tool.one(&name, line).await;
        if tool.outcomes.has_failed() && (!delete.go_on || connection.is_closed()) {
            break;
        }
    }
    connection.close().await;
    Ok(tool.outcomes.finish())
}

/// Names with their lines.
pub(super) type Names<'n> = Box<dyn Iterator<Item = anyhow::Result<(usize, String)>> + 'n>;

/// From the command line, which has none, from a file or standard input.
fn names(delete: &Delete) -> anyhow::Result<Names<'_>> {
    if !delete.names.is_empty() {
        return Ok(Box::new(delete.names.iter().map(|name| Ok((0, name.clone())))));
    }
    lines(delete.file.as_deref())
}

/// The lines of a file, or of standard input, that are not empty, counted from 1.
pub(super) fn lines(file: Option<&Path>) -> anyhow::Result<Names<'static>> {
    let file = file.filter(|file| *file != Path::new("-"));
    let unreadable = match file {
        Some(file) => format!("cannot read {}", file.display()),
        None => "cannot read standard input".to_owned(),
    };
    let input: Box<dyn BufRead> = match file {
        Some(file) => Box::new(BufReader::new(File::open(file).context(unreadable.clone())?)),
        None => Box::new(std::io::stdin().lock()),
    };
    // A folder can be opened, and then not be read.
    let numbered =
        (1..).zip(input.lines()).map(move |(number, line)| Ok((number, line.context(unreadable.clone())?)));
    Ok(Box::new(numbered.filter(|line| !matches!(line, Ok((_, line)) if line.is_empty()))))
}

struct Tool<'t> {
    outcomes: Outcomes,
    verbose: bool,
    connection: &'t Connection,
    delete: &'t Delete,
}

impl Tool<'_> {
    async fn one(&mut self, dn: &str, line: usize) {
        if self.verbose {
            let dry = if self.delete.dry_run { "!" } else { "" };
            self.outcomes.say(&format!("{dry}deleting entry \"{}\"", printable(dn)));
        }
        let change = Change { kind: "delete", dn, line };
        if self.delete.dry_run {
            self.outcomes.planned(&change);
            return;
        }
        if self.delete.recursive && !self.below(dn, line).await {
            return;
        }
        self.remove(&change).await;
    }

    async fn remove(&mut self, change: &Change<'_>) -> bool {
        match self.connection.delete(change.dn).await {
            Ok(reply) => {
                self.outcomes.done(change, &reply);
                true
            }
            Err(error) => {
                self.outcomes.failed(change, Some("ldap_delete"), error);
                false
            }
        }
    }

    /// Deletes everything below an entry, the lowest first. What cannot be deleted ends it: what is above cannot go either.
    async fn below(&mut self, dn: &str, line: usize) -> bool {
        let names = match self.descendants(dn).await {
            Ok(names) => names,
            // The delete that follows tells it, as ldapdelete's does.
            Err(error) if error.result().is_some_and(|result| result.code == ResultCode::NO_SUCH_OBJECT) => {
                return true;
            }
            Err(error) => {
                self.outcomes.failed(&Change { kind: "delete", dn, line }, Some("ldap_search"), error);
                return false;
            }
        };
        for name in names {
            if self.verbose {
                self.outcomes.say(&format!("\tremoving {}", printable(&name)));
            }
            if !self.remove(&Change { kind: "delete", dn: &name, line }).await {
                return false;
            }
            if self.verbose {
                self.outcomes.say(&format!("\t{} removed", printable(&name)));
            }
        }
        true
    }

    /// The names of everything below an entry, the lowest first.
    async fn descendants(&self, dn: &str) -> Result<Vec<String>, Error> {
        let search = Search::below(dn)
            .matching(Filter::present("objectClass"))
            .attributes(["1.1"])
            .keep_referrals()
            .page_size(Some(self.delete.size_limit.unwrap_or(PAGE)));
        let mut found = self.connection.stream(&search);
        let itself = Dn::parse(dn).ok();
        let mut names: Vec<(usize, String)> = Vec::new();
        while let Some(entry) = found.next().await? {
            // A name that a server makes up must not delete what nobody asked for.
            if !lies_at_or_below(entry.dn(), dn) {
                return Err(Error::Unexpected { url: self.connection.url().to_owned(), operation: "search" });
            }
            let name = entry.parse_dn().ok();
            // The entry itself goes last, with a request of its own; the server may well have hidden it.
            if entry.dn() != dn && (name.is_none() || name != itself) {
                let depth = name.map_or(usize::MAX, |name| name.rdns().len());
                names.push((depth, entry.dn().to_owned()));
            }
        }
        found.finish().await?;
        names.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }
}

/// By their values where both can be read, otherwise by their text.
fn lies_at_or_below(name: &str, base: &str) -> bool {
    match (Dn::parse(name), Dn::parse(base)) {
        (Ok(name), Ok(base)) => name.is_at_or_below(&base),
        _ => {
            let (name, base) = (name.to_lowercase(), base.to_lowercase());
            name == base || name.strip_suffix(&base).is_some_and(|head| head.ends_with(','))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_is_taken_along() {
        for (name, base, is_below) in [
            ("cn=a,ou=x,dc=x", "OU=x, dc=x", true),
            ("ou=x,dc=x", "ou=x,dc=x", true),
            ("cn=admin,dc=x", "ou=x,dc=x", false),
            ("cn=admin,dc=elsewhere", "ou=x,dc=x", false),
            ("cn=a\\,ou=x,dc=x", "ou=x,dc=x", false),
            ("no name,OU=x,dc=x", "ou=x,dc=x", true),
            ("no nameou=x,dc=x", "ou=x,dc=x", false),
        ] {
            assert_eq!(lies_at_or_below(name, base), is_below, "{name} {base}");
        }
    }
}
