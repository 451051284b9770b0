//! What the tools that change entries share: the text or document of each change, and the status of them all.

use client::{Error, Reply};
use proto::{Entry, LdapResult};
use serde_json::{Value, json};

use super::result_text;
use crate::exit::Exit;
use crate::output;

/// Columns of a line of LDIF.
const COLUMNS: usize = 78;

/// The changes so far: where each is told, and what the last failure was.
pub(crate) struct Outcomes {
    json: bool,
    told: bool,
    exit: Exit,
    failed: bool,
}

impl Outcomes {
    /// In text, or as one document that is written while it grows.
    pub(crate) fn new(json: bool) -> Outcomes {
        if json {
            output::text("{\"changes\":[");
        }
        Outcomes { json, told: false, exit: Exit::DONE, failed: false }
    }

    /// Prints a line for people.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            output::line(text);
        }
    }

    /// Has anything failed?
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// A change that the server did; what it says of the entry is printed.
    pub(crate) fn done(&mut self, change: &Change<'_>, reply: &Reply) {
        if self.json {
            self.document(change, Some(&reply.result), Some(reply), None);
            return;
        }
        for control in reply.controls.iter() {
            let value = control.value.as_deref().unwrap_or_default();
            let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
            output::line(&folded(&format!(
                "control: {} {} {value}",
                output::printable(&control.oid),
                control.critical
            )));
        }
        for (name, entry) in [("preread", reply.pre_read()), ("postread", reply.post_read())] {
            let Some(entry) = entry else { continue };
            // The tools leave out the empty line that ends a record.
            output::line(&format!("# ==> {name}\n{}# <== {name}", entry.to_ldif().replacen("\n\n", "\n", 1)));
        }
        if let Some(error) = reply.policy().and_then(|policy| policy.error) {
            output::line(&format!("# ppolicy: {error}"));
        }
    }

    /// A change that would have been asked for.
    pub(crate) fn planned(&mut self, change: &Change<'_>) {
        if self.json {
            self.document(change, None, None, None);
        }
    }

    /// A change that was not done, and in a line why not. `call` is OpenLDAP's name for the request, with which a refusal
    /// is told; without one the caller tells it.
    pub(crate) fn failed(&mut self, change: &Change<'_>, call: Option<&str>, error: Error) -> String {
        self.failed = true;
        let Some(result) = error.result().cloned() else {
            self.exit = Exit::BEFORE_AN_ANSWER;
            let error = anyhow::Error::from(error);
            if self.json {
                self.document(change, None, None, Some(&format!("{error:#}")));
            }
            output::complain(&error);
            return format!("{error:#}");
        };
        self.exit = Exit::of_result(result.code);
        if self.json {
            self.document(change, Some(&result), None, None);
        } else if let Some(call) = call {
            output::note(&result_text::failure(call, &result));
        }
        let details =
            result_text::details(&result).into_iter().map(|(name, text)| format!(", {name}: {text}"));
        format!("{}{}", result_text::named(result.code), details.collect::<String>())
    }

    /// Something that could not be read as a change.
    pub(crate) fn unreadable(&mut self, line: usize, problem: &str) {
        self.failed = true;
        self.exit = Exit::UNREADABLE;
        if self.json {
            self.document(&Change { kind: "unreadable", dn: "", line }, None, None, Some(problem));
        }
        output::note(&format!("ldapgate: {}", output::printable(problem)));
    }

    /// Ends the document; the status is the last failure's.
    pub(crate) fn finish(self) -> Exit {
        if self.json {
            output::line("]}");
        }
        self.exit
    }

    fn document(
        &mut self,
        change: &Change<'_>,
        result: Option<&LdapResult>,
        reply: Option<&Reply>,
        problem: Option<&str>,
    ) {
        let entry = |entry: Option<Entry>| entry.map_or(Value::Null, |entry| json!(entry));
        let document = json!({
            "change": change.kind,
            "dn": change.dn,
            "line": (change.line > 0).then_some(change.line),
            "code": result.map(|result| result.code.0),
            "result": result.map(|result| result.code.name()),
            "message": result.map(|result| result.message.as_str()).or(problem),
            "pre_read": entry(reply.and_then(Reply::pre_read)),
            "post_read": entry(reply.and_then(Reply::post_read)),
        });
        output::text(&format!("{}{document}", if self.told { ",\n" } else { "\n" }));
        self.told = true;
    }
}

/// One change, to be told.
pub(crate) struct Change<'c> {
    /// `add`, `delete`, `modify`, `rename`.
    pub(crate) kind: &'static str,
    pub(crate) dn: &'c str,
    /// Where it stands in the file; 0 for none.
    pub(crate) line: usize,
}

fn folded(line: &str) -> String {
    let (mut text, mut room) = (String::new(), COLUMNS);
    for c in line.chars() {
        if room == 0 {
            text.push_str("\n ");
            room = COLUMNS - 1;
        }
        text.push(c);
        room -= 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_as_ldif_is() {
        assert_eq!(folded(&"x".repeat(78)), "x".repeat(78));
        assert_eq!(folded(&"x".repeat(156)), format!("{}\n {}\n x", "x".repeat(78), "x".repeat(77)));
    }
}
