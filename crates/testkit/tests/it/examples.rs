//! Every public function of the client is called in an example that runs, and what the book calls by name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CRATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

fn files(folder: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            files(&path, suffix, found);
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The name of the function that a line makes public, if it does.
fn public_function(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let name = rest.strip_prefix("fn ")?;
    name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

/// The code between fences, wherever they stand.
fn examples(text: &str) -> String {
    let mut inside = false;
    let mut code = String::new();
    for line in text.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or(line).trim_start();
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

#[test]
fn every_public_function_of_the_client_is_called_in_an_example() {
    let (mut sources, mut pages) = (Vec::new(), Vec::new());
    files(&Path::new(CRATES).join("client/src"), ".rs", &mut sources);
    files(Path::new(BOOK), ".md", &mut pages);
    pages.retain(|page| page.file_name().is_some_and(|name| name.to_string_lossy().starts_with("client")));
    let sources: Vec<String> = sources.iter().map(|path| read(path)).collect();
    let code: String = sources
        .iter()
        .cloned()
        .chain(pages.iter().map(|page| read(page)))
        .map(|text| examples(&text))
        .collect();
    let called: BTreeSet<&str> = code
        .match_indices('(')
        .map(|(at, _)| {
            let head = code[..at].trim_end_matches("::<_>").trim_end_matches('>');
            let start = head.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
            &head[start..]
        })
        .collect();
    // Behind the first test module of a file nothing is public.
    let public: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| text.split("#[cfg(test)]").next().unwrap_or_default().lines())
        .filter_map(public_function)
        .collect();
    assert!(public.len() > 60, "only {} public functions were seen", public.len());
    let missing: Vec<&&str> = public.difference(&called).collect();
    assert!(missing.is_empty(), "{} of {} have no example: {missing:?}", missing.len(), public.len());
}

/// The page for newcomers: what stands behind `::` in its right-hand columns is public somewhere.
#[test]
fn every_name_of_ours_on_the_page_for_newcomers_is_there() {
    let page = read(&Path::new(BOOK).join("client-coming-from.md"));
    let mut sources = Vec::new();
    for room in ["client", "proto", "tls", "directory"] {
        files(&Path::new(CRATES).join(room).join("src"), ".rs", &mut sources);
    }
    let sources: String = sources.iter().map(|path| read(path)).collect();
    let words: BTreeSet<&str> = sources.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let public: BTreeSet<&str> = sources.lines().filter_map(public_function).collect();
    let ours = page
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').nth(1));
    let mut missing = BTreeSet::new();
    let mut names = 0;
    for code in ours.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        let Some((owner, name)) = code.split_once("::") else {
            // A type, or what another program calls it.
            if code.starts_with(char::is_uppercase)
                && !words.contains(code.split(['(', ' ']).next().unwrap_or(code))
            {
                missing.insert(code);
            }
            continue;
        };
        names += 1;
        let name = name.split('(').next().unwrap_or(name);
        let is_there = public.contains(name)
            || sources.contains(&format!("pub {name}:"))
            || sources.contains(&format!("struct {name}"))
            || sources.contains(&format!("mod {name};"))
            || name == name.to_uppercase() && words.contains(name);
        if !is_there || !words.contains(owner) {
            missing.insert(code);
        }
    }
    assert!(names > 80, "only {names} names were seen");
    assert!(missing.is_empty(), "not there: {missing:?}");
}
