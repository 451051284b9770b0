//! The rows: what each does, how often, and what it is called.

/// What one row measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// What the worker is told.
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    pub(crate) group: &'static str,
}

const fn job(group: &'static str, word: &'static str, title: &'static str) -> Job {
    Job { word, title, group }
}

const DECODE: &str = "decode 100,000 captured entries, every value looked at";
const ENCODE: &str = "a filter's text to a search request, 100,000 times";
const FILTER: &str = "a filter of 1,000 clauses, parsed and encoded 200 times";
const SEARCH: &str = "search of 100,000 entries from slapd";
const SLOW: &str = "the same, read by somebody slow (1 ms every 100 entries)";
const COMPARE: &str = "20,000 compares, 64 at once on one connection";
const BIND: &str = "4,000 binds, one after the other on each of 8 connections";

/// Everything there is to measure, in the order of the report.
pub(crate) const ALL: [Job; 27] = [
    job(DECODE, "decode-ours", "ldapgate"),
    job(DECODE, "decode-ldap3", "ldap3"),
    job(DECODE, "decode-ldap3_proto", "ldap3_proto"),
    job(ENCODE, "encode-ours", "ldapgate"),
    job(ENCODE, "encode-ldap3", "ldap3"),
    job(ENCODE, "encode-ldap3_proto", "ldap3_proto"),
    job(FILTER, "filter-ours", "ldapgate"),
    job(FILTER, "filter-ldap3", "ldap3"),
    job(FILTER, "filter-ldap3_proto", "ldap3_proto"),
    job(SEARCH, "search-ours", "ldapgate, stream in pages"),
    job(SEARCH, "search-ours-whole", "ldapgate, stream without pages"),
    job(SEARCH, "search-ours-threads", "ldapgate, tokio's threads"),
    job(SEARCH, "search-ours-collect", "ldapgate, collected"),
    job(SEARCH, "search-ldap3", "ldap3, streaming"),
    job(SEARCH, "search-ldap3-paged", "ldap3, streaming in pages"),
    job(SEARCH, "search-ldap3-threads", "ldap3, tokio's threads"),
    job(SEARCH, "search-ldap3-collect", "ldap3, collected"),
    job(SEARCH, "tool-ldapgate", "ldapgate search -LLL"),
    job(SEARCH, "tool-ldapsearch", "ldapsearch -LLL"),
    job(SLOW, "slow-ours", "ldapgate, stream in pages"),
    job(SLOW, "slow-ours-whole", "ldapgate, stream without pages"),
    job(SLOW, "slow-ldap3", "ldap3, streaming"),
    job(SLOW, "slow-ldap3-paged", "ldap3, streaming in pages"),
    job(COMPARE, "compare-ours", "ldapgate"),
    job(COMPARE, "compare-ldap3", "ldap3"),
    job(BIND, "bind-ours", "ldapgate"),
    job(BIND, "bind-ldap3", "ldap3"),
];

impl Job {
    /// Does one of the words stand in its name? Without words, every job is wanted.
    pub(crate) fn is_wanted(&self, words: &[&str]) -> bool {
        words.is_empty() || words.iter().any(|word| self.word.contains(word))
    }

    /// Does it work without a server, so that its allocations can be counted?
    pub(crate) fn is_codec(&self) -> bool {
        ["decode", "encode", "filter"].iter().any(|what| self.word.starts_with(what))
    }
}
