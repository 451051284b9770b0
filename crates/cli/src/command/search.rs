//! `search`: entries as LDIF, as `ldapsearch` prints them, or as one JSON document written while it arrives.

use std::io::Write as _;

use account::AttributeValue;
use anyhow::{Context as _, anyhow, bail};
use client::{Search as Request, SearchStream};
use proto::{Control, Entry, Filter, LdapResult, ResultCode};
use serde_json::{Value, json};

use super::Context;
use super::ldap::{self, Failure};
use crate::arguments::{Deref, Scope, Search};
use crate::exit::Exit;
use crate::output;

/// RFC 3296 section 3.
const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";

/// Searches and prints; the status is the result code.
pub(crate) async fn run(context: &Context, search: Search) -> Exit {
    match ask(context, &search).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

/// What is asked, apart from where.
struct Question {
    filter: Filter,
    filter_text: String,
    attributes: Vec<String>,
    page: Option<u32>,
    wrap: Option<usize>,
}

async fn ask(context: &Context, search: &Search) -> Result<Exit, Failure> {
    let question = question(search)?;
    if search.dry_run {
        output::line(&format!(
            "filter: {}\nrequesting: {}",
            question.filter,
            requesting(&question.attributes)
        ));
        return Ok(Exit::DONE);
    }
    let session = ldap::connect(context, &search.target).await?;
    let base = search.base.clone().or(session.base).unwrap_or_default();
    let request = request(search, &question, &base);
    let found = session.connection.stream(&request);
    let end = if search.json {
        print_json(found).await?
    } else {
        print_ldif(found, search, &question, &base).await?
    };
    session.connection.close().await;
    Ok(Exit::of_result(end.code))
}

fn question(search: &Search) -> anyhow::Result<Question> {
    // As ldapsearch: the first word is the filter when it looks like one.
    let (filter_text, attributes) = match search.words.split_first() {
        Some((first, rest)) if first.contains('=') => (first.clone(), rest.to_vec()),
        _ => ("(objectclass=*)".to_owned(), search.words.clone()),
    };
    let wrapped = if filter_text.starts_with('(') { filter_text.clone() } else { format!("({filter_text})") };
    let filter = Filter::parse(&wrapped).with_context(|| format!("bad filter {filter_text}"))?;
    let mut page = None;
    for extension in &search.extensions {
        let pages = extension.trim_start_matches('!').strip_prefix("pr=");
        let size = pages.and_then(|pages| pages.split('/').next()).and_then(|size| size.parse().ok());
        match size {
            Some(size) if size > 0 => page = Some(size),
            _ => bail!("-E {extension} is not known; there is pr=SIZE[/noprompt]"),
        }
    }
    Ok(Question { filter, filter_text, attributes, page, wrap: wrap(&search.target.options)? })
}

/// `-o ldif-wrap=COLUMNS|no`; 78 columns without it.
fn wrap(options: &[String]) -> anyhow::Result<Option<usize>> {
    let Some(text) = options
        .iter()
        .rev()
        .find_map(|option| option.strip_prefix("ldif-wrap=").or_else(|| option.strip_prefix("ldif_wrap=")))
    else {
        return Ok(Some(78));
    };
    match text {
        "no" | "0" => Ok(None),
        _ => {
            let columns: usize =
                text.parse().map_err(|_| anyhow!("-o ldif-wrap={text}: neither a number nor \"no\""))?;
            Ok(Some(columns.max(2)))
        }
    }
}

fn request(search: &Search, question: &Question, base: &str) -> Request {
    let mut request = match search.scope {
        Scope::Base => Request::read(base),
        Scope::One => Request::one(base),
        Scope::Sub => Request::below(base),
    }
    .matching(question.filter.clone())
    .attributes(question.attributes.iter().map(String::as_str))
    .page_size(question.page)
    .deref(match search.deref {
        Deref::Never => proto::Deref::Never,
        Deref::Always => proto::Deref::Always,
        Deref::Search => proto::Deref::Searching,
        Deref::Find => proto::Deref::Finding,
    });
    if search.manage_dsa_it > 0 {
        request = request.control(Control {
            oid: MANAGE_DSA_IT.to_owned(),
            critical: search.manage_dsa_it > 1,
            value: None,
        });
    }
    if search.types_only {
        request = request.types_only();
    }
    if let Some(entries) = search.size_limit {
        request = request.limit(entries);
    }
    if let Some(seconds) = search.time_limit {
        request = request.time_limit(seconds);
    }
    request
}

async fn print_ldif(
    mut found: SearchStream,
    search: &Search,
    question: &Question,
    base: &str,
) -> Result<LdapResult, Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let comments = search.ldif < 2;
    header(&mut out, search, question, base).context("cannot write")?;
    let (mut entries, mut references) = (0_u64, 0_u64);
    while let Some(entry) = found.next().await? {
        entries += 1;
        if comments {
            writeln!(out, "# {}", friendly(&entry)).context("cannot write")?;
        }
        proto::ldif::Writer::new(&mut out).wrap(question.wrap).entry(&entry).context("cannot write")?;
    }
    let end = found.finish().await?;
    for urls in &end.references {
        references += 1;
        if comments {
            writeln!(out, "# search reference").context("cannot write")?;
        }
        for url in urls {
            writeln!(out, "{}ref: {url}", if search.ldif > 0 { "# " } else { "" }).context("cannot write")?;
        }
        writeln!(out).context("cannot write")?;
    }
    let result = end.result;
    footer(&mut out, search.ldif, &result, entries, references).context("cannot write")?;
    out.flush().context("cannot write")?;
    Ok(result)
}

fn requesting(attributes: &[String]) -> String {
    if attributes.is_empty() {
        "ALL".to_owned()
    } else {
        attributes.iter().map(|name| format!("{name} ")).collect()
    }
}

fn header(
    out: &mut impl std::io::Write,
    search: &Search,
    question: &Question,
    base: &str,
) -> std::io::Result<()> {
    match search.ldif {
        0 => writeln!(out, "# extended LDIF")?,
        1 | 2 => writeln!(out, "version: 1\n")?,
        _ => {}
    }
    if search.ldif >= 2 {
        return Ok(());
    }
    let scope = match search.scope {
        Scope::Base => "baseObject",
        Scope::One => "oneLevel",
        Scope::Sub => "subtree",
    };
    let default = if search.base.is_none() { " (default)" } else { "" };
    writeln!(out, "#\n# LDAPv3\n# base <{base}>{default} with scope {scope}")?;
    writeln!(out, "# filter: {}", question.filter_text)?;
    writeln!(out, "# requesting: {}", requesting(&question.attributes))?;
    if search.manage_dsa_it > 0 {
        let critical = if search.manage_dsa_it > 1 { " critical" } else { "" };
        writeln!(out, "# with manageDSAit{critical} control")?;
    }
    if let Some(size) = question.page {
        writeln!(out, "# with pagedResults control: size={size}")?;
    }
    writeln!(out, "#\n")
}

fn footer(
    out: &mut impl std::io::Write,
    ldif: u8,
    result: &LdapResult,
    entries: u64,
    references: u64,
) -> std::io::Result<()> {
    if ldif < 2 {
        writeln!(out, "# search result")?;
    }
    if ldif == 0 {
        writeln!(out, "search: 2\nresult: {} {}", result.code.0, words(result.code))?;
        if !result.matched_dn.is_empty() {
            writeln!(out, "matchedDN: {}", result.matched_dn)?;
        }
        if !result.message.is_empty() {
            writeln!(out, "text: {}", output::printable(&result.message))?;
        }
        for url in &result.referrals {
            writeln!(out, "ref: {url}")?;
        }
    } else if result.code != ResultCode::SUCCESS {
        output::note(&format!("{} ({})", words(result.code), result.code.0));
        if !result.message.is_empty() {
            output::note(&format!("Additional information: {}", output::printable(&result.message)));
        }
    }
    if ldif < 2 {
        writeln!(out, "\n# numResponses: {}", entries + references + 1)?;
        if entries > 0 {
            writeln!(out, "# numEntries: {entries}")?;
        }
        if references > 0 {
            writeln!(out, "# numReferences: {references}")?;
        }
    }
    Ok(())
}

/// `invalidCredentials` as `Invalid credentials`.
fn words(code: ResultCode) -> String {
    let mut text = String::new();
    for (at, c) in code.name().chars().enumerate() {
        match (at, c.is_ascii_uppercase()) {
            (0, _) => text.extend(c.to_uppercase()),
            (_, true) => text.extend([' ', c.to_ascii_lowercase()]),
            _ => text.push(c),
        }
    }
    text
}

/// `uid=alice,ou=people` as `alice, people`.
fn friendly(entry: &Entry) -> String {
    let Ok(dn) = entry.parse_dn() else { return output::printable(entry.dn()) };
    let mut parts: Vec<String> = Vec::new();
    let mut domain: Vec<String> = Vec::new();
    for rdn in dn.rdns() {
        let text = rdn.avas().iter().filter_map(|ava| ava.text()).collect::<Vec<_>>().join(" + ");
        if rdn.avas().iter().any(|ava| ava.attribute().eq_ignore_ascii_case("dc")) {
            domain.push(text);
            continue;
        }
        if !domain.is_empty() {
            parts.push(std::mem::take(&mut domain).join("."));
        }
        parts.push(text);
    }
    if !domain.is_empty() {
        parts.push(domain.join("."));
    }
    output::printable(&parts.join(", "))
}

/// Written while it arrives: an array of entries never has to fit the memory.
async fn print_json(mut found: SearchStream) -> Result<LdapResult, Failure> {
    let mut first = true;
    output::text("{\"entries\":[");
    while let Some(entry) = found.next().await? {
        output::text(&format!("{}{}", if first { "\n" } else { ",\n" }, entry_document(&entry)));
        first = false;
    }
    let end = found.finish().await?;
    output::line(&format!("],\n\"references\":{}}}", json!(end.references)));
    if end.result.code != ResultCode::SUCCESS {
        output::note(&format!("ldapgate: {} {}", end.result.code, output::printable(&end.result.message)));
    }
    Ok(end.result)
}

fn entry_document(entry: &Entry) -> Value {
    let attributes: serde_json::Map<String, Value> = entry
        .attributes()
        .map(|attribute| {
            (
                attribute.name().to_owned(),
                attribute.values().map(|value| json!(AttributeValue::of(value))).collect(),
            )
        })
        .collect();
    json!({ "dn": entry.dn(), "attributes": attributes })
}
