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

/// What is public, each under the type, the module or the crate that it belongs to.
struct Names {
    pairs: BTreeSet<(String, String)>,
    types: BTreeSet<String>,
}

impl Names {
    fn read() -> Names {
        let mut names = Names { pairs: BTreeSet::new(), types: BTreeSet::new() };
        for room in ["client", "proto", "tls", "directory"] {
            let folder = Path::new(CRATES).join(room).join("src");
            let mut paths = Vec::new();
            files(&folder, ".rs", &mut paths);
            for path in paths {
                let modules: Vec<&str> = path
                    .strip_prefix(&folder)
                    .expect("it is below")
                    .iter()
                    .filter_map(|part| part.to_str()?.split('.').next())
                    .chain([room])
                    .collect();
                names.add(&modules, &read(&path));
            }
        }
        names
    }

    fn add(&mut self, modules: &[&str], text: &str) {
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        // What macros make is told by whoever passes it on.
        for passed_on in text.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next()) {
            let words = passed_on.split(|c: char| !c.is_alphanumeric());
            for name in words.filter(|word| word.starts_with(char::is_uppercase)) {
                self.add_type(modules, name);
            }
        }
        let mut of = String::new();
        for line in text.lines() {
            if let Some(name) = implemented(line) {
                of = name;
            }
            if let Some(name) = public_type(line) {
                of = name.to_owned();
                self.add_type(modules, name);
            }
            if let Some(name) = public_function(line).or_else(|| public_member(line)) {
                self.pairs.insert((of.clone(), name.to_owned()));
            }
        }
    }

    fn add_type(&mut self, modules: &[&str], name: &str) {
        self.types.insert(name.to_owned());
        self.pairs.extend(modules.iter().map(|module| ((*module).to_owned(), name.to_owned())));
    }

    /// Is there a type of this name, or under this owner something of this name?
    fn has(&self, code: &str) -> bool {
        let path: Vec<&str> = code.split(['(', ' ']).next().unwrap_or(code).split("::").collect();
        match path[..] {
            [name] => self.types.contains(name),
            [.., owner, name] => self.pairs.contains(&(owner.to_owned(), name.to_owned())),
            [] => false,
        }
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// `impl<W: Write> Recorder<W> {` is of `Recorder`; other lines are of nothing.
fn implemented(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once('>')?.1,
        None => rest,
    };
    Some(word(rest.rsplit(" for ").next()?.trim_start()).to_owned())
}

fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    ["struct ", "enum ", "trait ", "type ", "mod "]
        .into_iter()
        .find_map(|kind| rest.strip_prefix(kind))
        .map(word)
}

/// A field or a constant; constants may be a macro's table, `NAME = 1 ..`.
fn public_member(line: &str) -> Option<&str> {
    if let Some((name, value)) = line.trim_start().split_once(" = ")
        && value.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    {
        return Some(name);
    }
    let rest = line.trim_start().strip_prefix("pub ")?;
    let name = word(rest.strip_prefix("const ").unwrap_or(rest));
    rest.contains(&format!("{name}:")).then_some(name)
}

/// The page for newcomers: what its right-hand columns name is public, and where they say so.
#[test]
fn every_name_of_ours_on_the_page_for_newcomers_is_there() {
    let page = read(&Path::new(BOOK).join("client-coming-from.md"));
    let ours: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|code| code.contains("::") || code.starts_with(char::is_uppercase))
        .filter(|code| !["None", "Serialize"].contains(code))
        .collect();
    assert!(ours.len() > 110, "only {} names were seen", ours.len());
    let names = Names::read();
    let missing: Vec<_> = ours.into_iter().filter(|code| !names.has(code)).collect();
    assert!(missing.is_empty(), "not there: {missing:?}");
}

#[test]
fn a_name_under_another_owner_is_not_there() {
    let names = Names::read();
    for there in
        ["Restartable::open", "blocking::Pool", "proto::extended", "extended::Transaction", "Error::sent"]
    {
        assert!(names.has(there), "{there}");
    }
    for not in ["Options::retry", "Pool::bind", "control::Transaction", "Options::Retry", "NoSuchThing"] {
        assert!(!names.has(not), "{not}");
    }
}
