//! The environment, laid over the file: `LDAPGATE_SESSION__IDLE=10m`.

use std::collections::BTreeMap;

use super::tree::{Kind, Place, Table, Value};

/// What every variable that counts starts with.
pub(crate) const PREFIX: &str = "LDAPGATE_";

/// Lays `environment` over `root`. Only names with `__` count; each becomes a value at the path that its parts spell. What
/// cannot be placed is returned with the variable's name.
pub(crate) fn lay_over(root: &mut Table, environment: &BTreeMap<String, String>) -> Vec<(Place, String)> {
    let mut problems = Vec::new();
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains("__")) else { continue };
        let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let place = Place::Variable(name.clone());
        if path.iter().any(String::is_empty) {
            problems.push((
                place,
                "a name has parts between its double underscores, as in LDAPGATE_SESSION__IDLE".to_owned(),
            ));
            continue;
        }
        let value = Value { place: place.clone(), kind: Kind::Raw(text.clone()) };
        if let Err(problem) = put(root, &path, value) {
            problems.push((place, problem));
        }
    }
    problems
}

/// A list of directories is addressed by name: its parts after `DIRECTORY` lead into the table that has that name.
fn put(root: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    let Some(("directory", rest)) = path.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
        return insert(root, path, value);
    };
    match root.entries.get_mut("directory").map(|(_, directory)| &mut directory.kind) {
        Some(Kind::List(directories)) => {
            let names: Vec<String> = directories.iter().map(|directory| name_of(&directory.kind)).collect();
            let position = names.iter().position(|name| as_variable(name) == rest[0]);
            let Some(position) = position.filter(|_| rest.len() > 1) else {
                return Err(format!(
                    "a list of directories is addressed by name, as in {PREFIX}DIRECTORY__{}__URL; there are {}",
                    as_variable(names.first().map_or("main", String::as_str)).to_uppercase(),
                    names.join(", ")
                ));
            };
            match &mut directories[position].kind {
                Kind::Table(table) => insert(table, &rest[1..], value),
                _ => Err("the directory is no table".to_owned()),
            }
        }
        Some(kind @ Kind::Table(_)) if rest.len() > 1 && as_variable(&name_of(kind)) == rest[0] => match kind
        {
            Kind::Table(table) if !table.entries.contains_key(&rest[0]) => insert(table, &rest[1..], value),
            _ => insert(root, path, value),
        },
        None if rest.len() > 1 && rest[0] == "main" => {
            let table = Value { place: value.place.clone(), kind: Kind::Table(Table::default()) };
            root.entries.insert("directory".to_owned(), (value.place.clone(), table));
            put(root, path, value)
        }
        _ => insert(root, path, value),
    }
}

/// The name of a directory's table.
fn name_of(kind: &Kind) -> String {
    let Kind::Table(table) = kind else { return String::new() };
    match table.entries.get("name").map(|(_, name)| &name.kind) {
        Some(Kind::Text(name) | Kind::Raw(name)) => name.clone(),
        _ => "main".to_owned(),
    }
}

/// How a directory's name is written in a variable's: what a shell cannot export is an underscore.
fn as_variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// Puts a value at the end of a path, making tables on the way.
fn insert(table: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        table.entries.insert(key.clone(), (value.place.clone(), value));
        return Ok(());
    }
    let (_, inner) = table.entries.entry(key.clone()).or_insert_with(|| {
        (value.place.clone(), Value { place: value.place.clone(), kind: Kind::Table(Table::default()) })
    });
    if matches!(inner.kind, Kind::Raw(_)) {
        *inner = inner.resolved().map_err(|_| format!("{key:?} is set as a whole by another variable"))?;
    }
    match &mut inner.kind {
        Kind::Table(table) => insert(table, rest, value),
        other => Err(format!("{key:?} is {} and has no keys", other.describe())),
    }
}
