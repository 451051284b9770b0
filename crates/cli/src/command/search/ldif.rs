//! Answers as extended LDIF, and as LDIF with `-L`, byte for byte as `ldapsearch` prints them.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use client::SearchAnswer;
use proto::ldif::Writer;
use proto::message::IntermediateResponse;
use proto::{Controls, Entry, LdapResult, ResultCode};

use super::Question;
use super::control;
use super::file::Files;
use super::friendly;
use super::scope;
use crate::arguments::Search;
use crate::command::result_text::{named, words};
use crate::output;

/// Standard output takes so much at once.
const BUFFER: usize = 64 * 1024;

/// Prints one search after the other.
pub(super) struct Printer<'a> {
    out: Writer<BufWriter<StdoutLock<'static>>>,
    search: &'a Search,
    question: &'a Question,
    files: Files,
    /// The number of the search, as `ldapsearch` counts.
    number: u32,
    /// Answers of this page, and of the search.
    page: u64,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    responses: u64,
    entries: u64,
    partial: u64,
    references: u64,
}

impl<'a> Printer<'a> {
    pub(super) fn new(search: &'a Search, question: &'a Question, files: Files) -> Printer<'a> {
        let out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
        let out = Writer::new(out).wrap(question.wrap);
        Printer { out, search, question, files, number: 2, page: 0, counts: Counts::default() }
    }

    /// The first search's number, which is its message id: StartTLS and the steps of the bind come before.
    pub(super) fn number_from(&mut self, number: u32) {
        self.number = number;
    }

    /// What is asked, above everything.
    pub(super) fn header(&mut self, base: &str) -> io::Result<()> {
        let (search, question) = (self.search, self.question);
        match search.ldif {
            0 => self.out.add_text("# extended LDIF\n"),
            1 | 2 => self.out.add_text("version: 1\n\n"),
            _ => {}
        }
        if search.ldif >= 2 {
            return self.out.write();
        }
        let scope = scope(search.scope);
        let default = if search.base.is_none() { " (default)" } else { "" };
        let pattern = if search.file.is_some() { " pattern" } else { "" };
        let mut text = format!(
            "#\n# LDAPv3\n# base <{base}>{default} with scope {scope}\n# filter{pattern}: {}\n# requesting: {}",
            question.filter,
            requesting(&question.attributes)
        );
        for (_, remark) in &question.extensions.remarks {
            text.push_str("\n# ");
            text.push_str(remark);
        }
        text.push_str("\n#\n\n");
        self.out.add_text(&text);
        self.out.write()
    }

    /// The filter of one line of `-f`, and the distance from the search before.
    pub(super) fn filter(&mut self, filter: &str, is_first: bool) -> io::Result<()> {
        if !is_first {
            self.out.add_text("\n");
            self.number += 1;
        }
        if self.search.ldif < 2 {
            self.out.add_text(&format!("#\n# filter: {filter}\n#\n"));
        }
        (self.page, self.counts) = (0, Counts::default());
        self.out.write()
    }

    /// The next page has a header of its own.
    pub(super) fn next_page(&mut self, base: &str) -> io::Result<()> {
        (self.page, self.number) = (0, self.number + 1);
        self.header(base)
    }

    pub(super) fn answer(&mut self, answer: &SearchAnswer) -> anyhow::Result<()> {
        if self.page > 0 {
            self.out.add_text("\n");
        }
        self.page += 1;
        self.counts.responses += 1;
        match answer {
            SearchAnswer::Entry(entry, controls) => self.entry(entry, controls)?,
            SearchAnswer::Reference(urls, controls) => self.reference(urls, controls),
            SearchAnswer::Intermediate(message, controls) => self.intermediate(message, controls),
            SearchAnswer::PageEnd(result, controls) => self.result(result, controls),
            _ => {}
        }
        Ok(self.out.write()?)
    }

    /// How many there were, below everything.
    pub(super) fn footer(&mut self) -> io::Result<()> {
        if self.search.ldif >= 2 {
            return self.flush();
        }
        let Counts { responses, entries, partial, references } = self.counts;
        self.out.add_text(&format!("\n# numResponses: {responses}\n"));
        for (name, count) in [("Entries", entries), ("Partial", partial), ("References", references)] {
            if count > 0 {
                self.out.add_text(&format!("# num{name}: {count}\n"));
            }
        }
        self.out.write()?;
        self.flush()
    }

    /// So many entries so far.
    pub(super) fn entries(&self) -> u64 {
        self.counts.entries
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.get_mut().flush()
    }

    fn entry(&mut self, entry: &Entry, controls: &Controls) -> anyhow::Result<()> {
        let ldif = self.search.ldif;
        self.counts.entries += 1;
        if ldif < 2 {
            self.out.add_comment(&friendly::name(entry).unwrap_or_default());
        }
        self.out.add_value("dn", entry.dn().as_bytes());
        control::print(&mut self.out, ldif, controls);
        if self.search.friendly {
            self.out.add_value("ufn", friendly::name(entry).unwrap_or_default().as_bytes());
        }
        for attribute in entry.attributes() {
            if self.search.types_only {
                self.out.add_value(attribute.name(), b"");
                continue;
            }
            for value in attribute.values() {
                match self.files.write(attribute.name(), value)? {
                    Some(url) => self.out.add_location(attribute.name(), &url),
                    None => self.out.add_value(attribute.name(), value),
                }
            }
        }
        Ok(())
    }

    fn reference(&mut self, urls: &[String], controls: &Controls) {
        let ldif = self.search.ldif;
        self.counts.references += 1;
        if ldif < 2 {
            self.out.add_comment("search reference");
        }
        for url in urls {
            match ldif {
                0 => self.out.add_value("ref", url.as_bytes()),
                _ => self.out.add_comment(&format!("ref{url}")),
            }
        }
        control::print(&mut self.out, ldif, controls);
    }

    fn intermediate(&mut self, message: &IntermediateResponse, controls: &Controls) {
        self.counts.partial += 1;
        control::print_intermediate(&mut self.out, self.search.ldif, message);
        control::print(&mut self.out, self.search.ldif, controls);
    }

    fn result(&mut self, result: &LdapResult, controls: &Controls) {
        let ldif = self.search.ldif;
        if ldif < 2 {
            self.out.add_comment("search result");
        }
        if ldif == 0 {
            self.out.add_text(&format!("search: {}\n", self.number));
            self.out.add_text(&format!("result: {} {}\n", result.code.0, words(result.code)));
            if !result.matched_dn.is_empty() {
                self.out.add_value("matchedDN", result.matched_dn.as_bytes());
            }
            if !result.message.is_empty() {
                self.out.add_plain("text", &result.message);
            }
            result.referrals.iter().for_each(|url| self.out.add_value("ref", url.as_bytes()));
        } else if result.code != ResultCode::SUCCESS {
            complain(result);
        }
        control::print(&mut self.out, ldif, controls);
    }
}

/// Tells on standard error what the server did not do.
pub(super) fn complain(result: &LdapResult) {
    output::note(&named(result.code));
    let message = (!result.message.is_empty()).then_some(&result.message);
    let matched = (!result.matched_dn.is_empty()).then_some(&result.matched_dn);
    let lines = matched.map(|dn| ("Matched DN", dn)).into_iter();
    let lines = lines.chain(message.map(|text| ("Additional information", text)));
    for (name, text) in lines.chain(result.referrals.iter().map(|url| ("Referral", url))) {
        output::note(&format!("{name}: {}", output::printable(text)));
    }
}

fn requesting(attributes: &[String]) -> String {
    if attributes.is_empty() {
        "ALL".to_owned()
    } else {
        attributes.iter().map(|name| format!("{name} ")).collect()
    }
}
