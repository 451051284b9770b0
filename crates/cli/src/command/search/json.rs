//! Entries as one JSON document, written while it arrives: an array of entries never has to fit the memory.
//!
//! However the search ends, the document is whole, and says how it ended.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use account::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::control::{DirSync, DirSyncReply};
use client::{SearchAnswer, SearchStream};
use proto::{Control, Controls, Entry, LdapResult, ResultCode};
use serde_json::{Map, Value, json};

use super::progress::Progress;
use super::{Failure, Question, ldif, ready, refusal, scope};
use crate::arguments::Search;
use crate::output;

const BUFFER: usize = 64 * 1024;
/// What is kept of references until the entries are written, in bytes of their URLs.
const MOST_REFERENCES: usize = 16 << 20;

/// What is told behind the entries.
#[derive(Default)]
struct Rest {
    references: Vec<Vec<String>>,
    reference_bytes: usize,
    /// A refusal, as soon as it is there.
    end: Option<(LdapResult, Controls)>,
}

/// Writes what would be asked.
pub(super) fn plan(search: &Search, question: &Question) {
    output::document(&json!({
        "request": {
            "base": search.base,
            "scope": scope(search.scope),
            "filter": question.filter,
            "attributes": question.attributes,
        },
        "entries": [],
        "references": [],
    }));
}

/// Writes one search, and tells how it ended.
pub(super) async fn print(mut found: SearchStream, progress: &mut Progress) -> Result<LdapResult, Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    out.write_all(b"{\"entries\":[").map_err(cannot)?;
    let mut rest = Rest::default();
    let read = entries(&mut out, &mut found, &mut rest, progress).await;
    progress.done();
    let failure = match (read, &rest.end) {
        (Err(failure), _) if failure.is_broken_pipe() => return Err(failure),
        (Ok(()), None) => match found.finish().await {
            Ok(end) => {
                rest.end = Some((end.result, end.controls));
                None
            }
            Err(error) => Some(error.into()),
        },
        (read, _) => read.err(),
    };
    writeln!(out, "],\n{}", behind(&rest, failure.as_ref())).map_err(cannot)?;
    out.flush().map_err(cannot)?;
    match (failure, rest.end) {
        (None, Some((result, _))) => {
            if result.code != ResultCode::SUCCESS {
                ldif::complain(&result);
            }
            Ok(result)
        }
        (Some(failure), _) => Err(failure),
        (None, None) => Err(anyhow::anyhow!("the search has no end").into()),
    }
}

async fn entries(
    out: &mut BufWriter<StdoutLock<'static>>,
    found: &mut SearchStream,
    rest: &mut Rest,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut entries = 0;
    loop {
        match ready(found.next_answer(), || out.flush()).await.map_err(cannot)? {
            Ok(Some(SearchAnswer::Entry(entry, controls))) => {
                out.write_all(if entries == 0 { b"\n" } else { b",\n" }).map_err(cannot)?;
                serde_json::to_writer(&mut *out, &document(&entry, &controls))
                    .map_err(|error| cannot(error.into()))?;
                entries += 1;
                progress.tell(entries);
            }
            Ok(Some(SearchAnswer::Reference(urls, _))) => rest.refer(urls)?,
            // The end of a page need not be the search's.
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => {
                rest.end = Some(refusal(&error).ok_or(error)?);
                return Ok(());
            }
        }
    }
}

impl Rest {
    fn refer(&mut self, urls: Vec<String>) -> anyhow::Result<()> {
        self.reference_bytes += urls.iter().map(|url| url.len() + size_of::<String>()).sum::<usize>();
        anyhow::ensure!(self.reference_bytes <= MOST_REFERENCES, "there are too many references");
        self.references.push(urls);
        Ok(())
    }
}

/// The document's members behind the entries, with the brace that ends it.
fn behind(rest: &Rest, failure: Option<&Failure>) -> String {
    let end = rest.end.as_ref().filter(|_| failure.is_none());
    let result = end.map(|(result, _)| result);
    let members = [
        ("references", json!(rest.references)),
        ("code", json!(result.map(|result| result.code.0))),
        ("result", json!(result.map(|result| result.code.name()))),
        ("message", json!(result.map(|result| &result.message))),
        ("matched_dn", json!(result.map(|result| &result.matched_dn))),
        ("referrals", json!(result.map_or(&[][..], |result| &result.referrals))),
        ("controls", json!(end.map_or_else(Vec::new, |(_, controls)| said(controls)))),
        ("error", json!(failure.map(Failure::text))),
    ];
    let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{}}}", members.join(",\n"))
}

fn document(entry: &Entry, controls: &Controls) -> Value {
    let attributes: Map<String, Value> = entry
        .attributes()
        .map(|attribute| {
            let values = attribute.values().map(|value| json!(AttributeValue::of(value))).collect();
            (attribute.name().to_owned(), values)
        })
        .collect();
    let mut document = json!({ "dn": entry.dn(), "attributes": attributes });
    if !controls.is_empty() {
        document["controls"] = json!(said(controls));
    }
    document
}

fn said(controls: &Controls) -> Vec<Value> {
    controls.iter().map(|control| control_document(&control)).collect()
}

/// Values are in base64; that of a directory synchronisation is told in its parts, too: its cookie is what the next one
/// begins with.
fn control_document(control: &Control) -> Value {
    let value = control.value.as_ref().map(|value| STANDARD.encode(value));
    let mut document = json!({ "oid": control.oid, "critical": control.critical, "value": value });
    if control.oid == DirSync::OID
        && let Ok(reply) = DirSyncReply::parse(control)
    {
        document["more"] = json!(reply.more);
        document["cookie"] = json!(STANDARD.encode(&reply.cookie));
    }
    document
}

fn cannot(error: io::Error) -> Failure {
    anyhow::Error::from(error).context("cannot write").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_a_directory_synchronisation_is_in_the_document() {
        let reply = DirSyncReply { more: true, cookie: "cookie".into() };
        let end = (LdapResult::new(ResultCode::SUCCESS, ""), [reply.to_control()].into_iter().collect());
        let text = behind(&Rest { end: Some(end), ..Rest::default() }, None);
        let document: Value = serde_json::from_str(&format!("{{{text}")).expect("the members are JSON");
        let control = &document["controls"][0];
        assert_eq!((&control["cookie"], &control["more"]), (&json!("Y29va2ll"), &json!(true)));
        assert_eq!((&document["code"], &document["error"]), (&json!(0), &Value::Null));
    }
}
