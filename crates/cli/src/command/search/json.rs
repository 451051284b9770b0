//! Entries as one JSON document, written while it arrives: an array of entries never has to fit the memory.

use std::io::{self, BufWriter, Write as _};

use account::AttributeValue;
use client::SearchStream;
use proto::{Entry, LdapResult, ResultCode};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{Failure, ready};
use crate::output;

const BUFFER: usize = 64 * 1024;

pub(super) async fn print(mut found: SearchStream, progress: &mut Progress) -> Result<LdapResult, Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let cannot = |error: io::Error| Failure::from(anyhow::Error::from(error).context("cannot write"));
    out.write_all(b"{\"entries\":[").map_err(cannot)?;
    let mut separator = "\n";
    let mut entries = 0;
    while let Some(entry) = ready(found.next(), || out.flush()).await.map_err(cannot)?? {
        out.write_all(separator.as_bytes()).map_err(cannot)?;
        serde_json::to_writer(&mut out, &document(&entry)).map_err(|error| cannot(error.into()))?;
        separator = ",\n";
        entries += 1;
        progress.tell(entries);
    }
    let end = found.finish().await?;
    writeln!(out, "],\n\"references\":{}}}", json!(end.references)).map_err(cannot)?;
    out.flush().map_err(cannot)?;
    progress.done();
    if end.result.code != ResultCode::SUCCESS {
        output::note(&format!("ldapgate: {} {}", end.result.code, output::printable(&end.result.message)));
    }
    Ok(end.result)
}

fn document(entry: &Entry) -> Value {
    let attributes: serde_json::Map<String, Value> = entry
        .attributes()
        .map(|attribute| {
            let values = attribute.values().map(|value| json!(AttributeValue::of(value))).collect();
            (attribute.name().to_owned(), values)
        })
        .collect();
    json!({ "dn": entry.dn(), "attributes": attributes })
}
