//! The blocking client lacks nothing that the asynchronous one has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Streams go by the names of iterators.
const ITERATORS: [(&str, &str); 6] = [
    ("SearchStream", "SearchIter"),
    ("RestartableStream", "RestartableIter"),
    ("SyncStream", "SyncIter"),
    ("ChangeStream", "ChangeIter"),
    ("DirSyncStream", "DirSyncIter"),
    ("TypedStream", "TypedIter"),
];

/// What goes over a connection that it is given is the connection's here: an entry's pending changes are themselves the same
/// in both clients.
const ELSEWHERE: [(&str, &str); 1] = [("Writer", "Connection")];

/// What is there for programs that wait for several things at once: a server step by step, and a connection beside a pool's.
const NOT_HERE: [&str; 6] = [
    "Connection::bind_service",
    "Options::probes",
    "Probe::resolve",
    "Reached::secure",
    "Resolved::reach",
    "Server::dedicated",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// `impl<W: Write> Recorder<W> {` is of `Recorder`; other lines are of nothing.
fn implemented(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once('>')?.1,
        None => rest,
    };
    let name = rest.split(" for ").last()?.trim().trim_end_matches('{').trim();
    Some(name.split('<').next()?.to_owned())
}

/// The functions of each type whose lines begin like this, by the type's name.
fn functions(is_blocking: bool, begins: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut paths = Vec::new();
    files(Path::new(SOURCES), &mut paths);
    paths.retain(|path| path.components().any(|part| part.as_os_str() == "blocking") == is_blocking);
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut of = None;
        for line in text.split("#[cfg(test)]").next().unwrap().lines() {
            of = implemented(line).or(of);
            let line = line.trim_start();
            let name = begins.iter().find_map(|begin| line.strip_prefix(begin));
            let (Some(name), Some(of)) = (name, &of) else { continue };
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.entry(of.clone()).or_default().insert(name);
        }
    }
    found
}

#[test]
fn every_asynchronous_function_has_its_blocking_twin() {
    let waiting = functions(false, &["pub async fn "]);
    let blocking = functions(true, &["pub fn ", "fn "]);
    assert!(waiting["Connection"].len() > 25 && waiting.contains_key("Recorder"), "{waiting:?}");
    let mut missing = Vec::new();
    for (of, names) in waiting {
        let renamed = ITERATORS.iter().chain(&ELSEWHERE).find(|(kind, _)| *kind == of);
        let twin = renamed.map_or(of.as_str(), |(_, twin)| twin);
        for name in names {
            // An iterator's `next` is written once, by a macro.
            let iterates = name == "next";
            let has = blocking.get(twin).is_some_and(|names| names.contains(&name));
            let named = format!("{twin}::{name}");
            if !(has || iterates || NOT_HERE.contains(&named.as_str())) {
                missing.push(named);
            }
        }
    }
    assert!(missing.is_empty(), "blocking::{missing:?} are missing");
}

#[test]
fn what_a_connection_tells_without_waiting_is_told_here_too() {
    let (told, blocking) = (functions(false, &["pub fn "]), functions(true, &["pub fn ", "fn "]));
    let missing: Vec<_> =
        told["Connection"].difference(&blocking["Connection"]).filter(|name| *name != "tls_peer").collect();
    assert!(missing.is_empty(), "blocking::Connection lacks {missing:?}");
}
