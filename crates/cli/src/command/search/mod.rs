//! `search`: entries as LDIF, as `ldapsearch` prints them, or as one JSON document written while it arrives.
//!
//! Reading order: [`ldif`] is the output, [`extension`] what `-E` may ask for, [`control`] what servers say besides.

mod control;
mod extension;
mod file;
mod friendly;
mod json;
mod ldif;
mod progress;
mod sort;

use std::future::poll_fn;
use std::io::{self, Read as _};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use client::control::ManageDsaIt;
use client::{Connection, Search as Request, SearchAnswer, SearchStream};
use proto::{Control, Controls, Filter, LdapResult, PagedResults};

use self::extension::{Extensions, Place};
use self::file::Files;
use self::ldif::Printer;
use self::progress::Progress;
use self::sort::Sorter;
use super::Context;
use super::ldap::{self, Failure};
use crate::arguments::{Deref, Scope, Search};
use crate::exit::Exit;
use crate::secret;

/// A search without `-l` may take as long as it likes, which is not for ever.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// More than the server was told, so that it can say itself that its time was up.
const GRACE: Duration = Duration::from_secs(10);
/// The longest file of `-f`.
const MOST_LINES: u64 = 16 << 20;

/// Searches and prints; the status is the result code.
pub(crate) async fn run(context: &Context, search: Search) -> Exit {
    match ask(context, &search).await {
        Ok(exit) => exit,
        Err(failure) if failure.is_broken_pipe() => Exit::DONE,
        Err(failure) => failure.report(),
    }
}

/// What is asked, apart from where.
struct Question {
    /// As it was typed.
    filter: String,
    attributes: Vec<String>,
    extensions: Extensions,
    controls: Vec<Control>,
    wrap: Option<usize>,
}

async fn ask(context: &Context, search: &Search) -> Result<Exit, Failure> {
    let question = question(search)?;
    // The first line of standard input may be the password's, and is not to be read as another one.
    let waits = search.target.password_stdin && search.file.as_deref().is_some_and(is_stdin);
    let filters = (!waits).then(|| filters_of(search, &question)).transpose()?;
    let is_pattern = search.file.is_some();
    let mut printer = Printer::new(search, &question, Files::of(search, context));
    let mut progress = Progress::new(context.voice.is_quiet());
    if search.dry_run {
        let filters = match filters {
            Some(filters) => filters,
            None => {
                secret::of_target(&search.target)?;
                filters_of(search, &question)?
            }
        };
        if search.json {
            json::plan(search, &question);
            return Ok(Exit::DONE);
        }
        printer.header(search.base.as_deref().unwrap_or_default()).map_err(write)?;
        for (at, filter) in filters.iter().enumerate().filter(|_| is_pattern) {
            printer.filter(filter, at == 0).map_err(write)?;
        }
        printer.flush().map_err(write)?;
        return Ok(Exit::DONE);
    }
    let session = ldap::connect(context, &search.target).await?;
    let filters = filters.map_or_else(|| filters_of(search, &question), Ok)?;
    let base = search.base.clone().or(session.base).unwrap_or_default();
    let stream = |filter: &str| -> Result<SearchStream, Failure> {
        Ok(session.connection.stream(request(search, &question, &base, parse(filter)?)))
    };
    if search.json {
        let mut exit = Exit::DONE;
        for filter in &filters {
            exit = Exit::of_result(json::print(stream(filter)?, &mut progress).await?.code);
        }
        session.connection.close().await;
        return Ok(exit);
    }
    printer.number_from(number(&session.connection));
    printer.header(&base).map_err(write)?;
    let mut exit = Exit::DONE;
    for (at, filter) in filters.iter().enumerate() {
        if is_pattern {
            printer.filter(filter, at == 0).map_err(write)?;
        }
        let end = match stream(filter) {
            Ok(found) => {
                Exit::of_result(print(found, search, &base, &mut printer, &mut progress).await?.code)
            }
            // Its own filter cannot be read: the others' can.
            Err(failure) if search.go_on => failure.report(),
            Err(failure) => return Err(failure),
        };
        if end != Exit::DONE {
            exit = end;
            if !search.go_on {
                break;
            }
        }
    }
    session.connection.close().await;
    Ok(exit)
}

/// The message id that `ldapsearch` would give the next request: it binds as nobody where this sends no bind.
fn number(connection: &Connection) -> u32 {
    let status = connection.status();
    status.last_id + if status.bound_as.is_some() { 1 } else { 2 }
}

fn question(search: &Search) -> anyhow::Result<Question> {
    if search.chase {
        bail!(
            "-C: referrals are printed and not chased: a server must not choose whom this talks to; the configuration \
             may, by referrals = \"follow\""
        );
    }
    if search.json && (search.file.is_some() || search.sort.is_some() || search.to_files > 0) {
        bail!("--json is one document of entries as they arrive: without -f, -S and -t");
    }
    // As ldapsearch: the first word is the filter when it looks like one.
    let (filter, attributes) = match search.words.split_first() {
        Some((first, rest)) if first.contains('=') || first.starts_with('(') => {
            (first.clone(), rest.to_vec())
        }
        _ => ("(objectclass=*)".to_owned(), search.words.clone()),
    };
    let mut extensions = Extensions::read(&search.search_extensions)?;
    let general = super::extension::controls(&search.general)?;
    for control in &general {
        match control.oid.as_str() {
            ManageDsaIt::OID => extensions.remark(Place::ManageDsaIt, control.critical, "manageDSAit", ""),
            super::extension::NO_OPERATION => {
                extensions.remark(Place::NoOperation, control.critical, "noop", "")
            }
            _ => {}
        }
    }
    let controls = extensions.controls.iter().cloned().chain(general).collect();
    Ok(Question { filter, attributes, extensions, controls, wrap: wrap(&search.target.options)? })
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

/// What is searched for, one filter after the other; a filter that is the only one has to be one.
fn filters_of(search: &Search, question: &Question) -> anyhow::Result<Vec<String>> {
    let lines = search.file.as_deref().map(lines).transpose()?;
    if lines.is_none() {
        parse(&question.filter)?;
    }
    filters(&question.filter, lines.as_deref())
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// The lines of `-f`.
fn lines(file: &Path) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    let cannot = || format!("cannot read {}", file.display());
    if is_stdin(file) {
        io::stdin().lock().take(MOST_LINES).read_to_string(&mut text).with_context(cannot)?;
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(MOST_LINES).read_to_string(&mut text))
            .with_context(cannot)?;
    }
    Ok(text.lines().map(str::to_owned).collect())
}

/// One filter, or one for each line, which stands as it is where `%s` does; without one the same for each line.
fn filters(filter: &str, lines: Option<&[String]>) -> anyhow::Result<Vec<String>> {
    let Some(lines) = lines else { return Ok(vec![filter.to_owned()]) };
    let bad =
        || anyhow!("bad filter pattern {filter:?}: it has one %s and no other %, which is written \\25");
    if !filter.contains('%') {
        return Ok(vec![filter.to_owned(); lines.len()]);
    }
    let (before, after) = filter.split_once("%s").ok_or_else(bad)?;
    if before.contains('%') || after.contains('%') {
        return Err(bad());
    }
    Ok(lines.iter().map(|line| format!("{before}{line}{after}")).collect())
}

fn parse(filter: &str) -> anyhow::Result<Filter> {
    let wrapped = if filter.starts_with('(') { filter.to_owned() } else { format!("({filter})") };
    Filter::parse(&wrapped).with_context(|| format!("bad filter {filter}"))
}

/// A scope's name, as `ldapsearch` has it.
fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Base => "baseObject",
        Scope::One => "oneLevel",
        Scope::Sub => "subtree",
        Scope::Children => "children",
    }
}

fn request(search: &Search, question: &Question, base: &str, filter: Filter) -> Request {
    let scope = match search.scope {
        Scope::Base => proto::Scope::Base,
        Scope::One => proto::Scope::One,
        Scope::Sub => proto::Scope::Subtree,
        Scope::Children => proto::Scope::Subordinate,
    };
    let limit = search.size_limit.or(question.extensions.size_limit).unwrap_or(0);
    let mut request = Request::below(base)
        .scope(scope)
        .matching(filter)
        .attributes(question.attributes.iter().map(String::as_str))
        .page_size(None)
        .limit(limit)
        .deref(match search.deref {
            Deref::Never => proto::Deref::Never,
            Deref::Always => proto::Deref::Always,
            Deref::Search => proto::Deref::Searching,
            Deref::Find => proto::Deref::Finding,
        });
    if question.extensions.persists {
        // It never gets to what is elsewhere.
        request = request.keep_referrals();
    }
    for control in &question.controls {
        request = request.control(control.clone());
    }
    if let Some(pages) = question.extensions.pages {
        // What is one answer anyhow has the control all the same, which then is this search's own affair.
        let one = scope == proto::Scope::Base || (1..=pages.size).contains(&limit);
        request = match one {
            true => request
                .control(Control { critical: pages.critical, ..PagedResults::request(pages.size, b"") }),
            false if pages.critical => request.page_size(Some(pages.size)).pages_or_nothing(),
            false => request.page_size(Some(pages.size)),
        };
    }
    if search.types_only {
        request = request.types_only();
    }
    match search.time_limit.filter(|seconds| *seconds > 0) {
        Some(seconds) if !question.extensions.persists => request
            .time_limit(seconds)
            .deadline(Duration::from_secs(seconds.into()).saturating_add(GRACE).min(DAY)),
        Some(seconds) => request.time_limit(seconds).deadline(DAY),
        None => request.deadline(DAY),
    }
}

/// Prints one search, and tells how it ended.
async fn print(
    mut found: SearchStream,
    search: &Search,
    base: &str,
    printer: &mut Printer<'_>,
    progress: &mut Progress,
) -> Result<LdapResult, Failure> {
    let mut sorter = search.sort.as_deref().map(Sorter::by);
    let mut last = None;
    loop {
        let answer = match ready(found.next_answer(), || printer.flush()).await.map_err(write)? {
            Ok(Some(answer)) => answer,
            Ok(None) => break,
            // A refusal is an answer like any other.
            Err(error) => match refusal(&error) {
                Some((result, controls)) => SearchAnswer::PageEnd(result, controls),
                None => {
                    // What came before is not to be lost.
                    printer.flush().map_err(write)?;
                    return Err(error.into());
                }
            },
        };
        if let Some(end) = last.take() {
            debug_assert!(matches!(end, SearchAnswer::PageEnd(..)));
            printer.next_page(base).map_err(write)?;
        }
        let is_end = matches!(answer, SearchAnswer::PageEnd(..));
        match &mut sorter {
            Some(sorter) if !is_end => {
                sorter.take(answer)?;
                continue;
            }
            Some(sorter) => {
                for answer in sorter.sorted() {
                    printer.answer(&answer)?;
                }
            }
            None => {}
        }
        printer.answer(&answer)?;
        progress.tell(printer.entries());
        last = is_end.then_some(answer);
    }
    progress.done();
    let result = match last {
        Some(SearchAnswer::PageEnd(result, _)) if !result.is_success() => result,
        last => {
            let end = found.finish().await?;
            // The search's own limit cut a page short, which may have had nothing to show.
            if last.is_none() || !end.result.is_success() {
                if last.is_some() {
                    printer.next_page(base).map_err(write)?;
                }
                // The words for it are not the server's.
                let result = LdapResult { message: String::new(), ..end.result.clone() };
                printer.answer(&SearchAnswer::PageEnd(result, end.controls))?;
            }
            end.result
        }
    };
    printer.footer().map_err(write)?;
    Ok(result)
}

/// The server's answer where that is what went wrong: this one's, or that of the server which its referral led to.
fn refusal(error: &client::Error) -> Option<(LdapResult, Controls)> {
    match error {
        client::Error::Refused { result, controls, .. } => Some(((**result).clone(), controls.clone())),
        client::Error::Referral { source, .. } => refusal(source),
        _ => Some((error.result()?.clone(), Controls::default())),
    }
}

/// Waits for a future, and does something first when it is not ready at once.
async fn ready<F: Future>(future: F, meanwhile: impl FnOnce() -> io::Result<()>) -> io::Result<F::Output> {
    let mut future = pin!(future);
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        return Ok(output);
    }
    meanwhile()?;
    Ok(future.await)
}

fn write(error: io::Error) -> Failure {
    anyhow::Error::from(error).context("cannot write").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_stands_where_the_pattern_says() {
        let lines = ["alice".to_owned(), "b*".to_owned()];
        assert_eq!(filters("(uid=%s)", Some(&lines)).unwrap(), ["(uid=alice)", "(uid=b*)"]);
        assert_eq!(filters("(uid=50%)", None).unwrap(), ["(uid=50%)"]);
        assert_eq!(filters("(uid=x)", Some(&lines)).unwrap(), ["(uid=x)", "(uid=x)"]);
        for bad in ["(uid=%s%s)", "(uid=%d)", "(uid=%)", "(a=%)(uid=%s)"] {
            assert!(filters(bad, Some(&lines)).is_err(), "{bad}");
        }
    }
}
