//! The arrows between the rooms, and how many crates the whole costs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use toml::Table;

/// What each room may depend on in production.
const ARROWS: [(&str, &[&str]); 12] = [
    ("proto", &[]),
    ("tls", &[]),
    ("client", &["proto", "tls"]),
    ("directory", &["proto", "tls"]),
    ("auth", &["client", "proto", "tls"]),
    ("account", &["auth", "client", "proto", "tls"]),
    ("store", &["account", "auth", "client", "proto", "tls"]),
    ("web", &["account", "auth", "client", "proto", "tls"]),
    ("ldapgate", &["account", "auth", "client", "proto", "store", "tls", "web"]),
    ("cli", &["account", "auth", "client", "directory", "ldapgate", "proto", "store", "tls", "web"]),
    ("testkit", &["account", "auth", "client", "directory", "ldapgate", "proto", "store", "tls", "web"]),
    ("examples", &["account", "auth", "client", "directory", "ldapgate", "proto", "store", "tls", "web"]),
];
/// Upper bound on crates in `cargo tree --workspace`, dev-dependencies included.
const MOST_CRATES: usize = 350;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is two floors up")
}

fn manifest(path: PathBuf) -> Table {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every room's manifest under the room's name.
fn rooms() -> BTreeMap<String, Table> {
    let mut rooms = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("the workspace has crates") {
        let entry = entry.expect("a folder can be listed");
        rooms.insert(
            entry.file_name().into_string().expect("rooms have plain names"),
            manifest(entry.path().join("Cargo.toml")),
        );
    }
    rooms.insert("examples".to_owned(), manifest(root().join("examples/Cargo.toml")));
    rooms
}

/// Every dependency table of a manifest that counts in production, those of targets included.
fn production(manifest: &Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut tables = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            let Some(dependencies) = table.get(kind).and_then(toml::Value::as_table) else { continue };
            found.extend(dependencies.keys().cloned());
        }
    }
    found
}

#[test]
fn every_room_of_the_house_is_there_and_no_other() {
    let found: BTreeSet<String> = rooms().into_keys().collect();
    let drawn: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(found, drawn);
}

#[test]
fn arrows_point_downwards_only() {
    let rooms = rooms();
    for (room, allowed) in ARROWS {
        let depends = production(&rooms[room]);
        let wrong: Vec<_> = depends
            .iter()
            .filter(|name| rooms.contains_key(*name) && !allowed.contains(&name.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{room} must not depend on {wrong:?}");
    }
}

#[test]
fn dependencies_are_named_once_in_the_workspace_table() {
    for (room, manifest) in rooms() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(kind).and_then(toml::Value::as_table) else { continue };
            for (name, value) in dependencies {
                let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(inherited, "{room}: {name} does not come from the workspace's table");
            }
        }
    }
}

#[test]
fn the_whole_workspace_stays_below_its_limit_of_crates() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--edges",
            "normal,build,dev",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<&str> =
        text.lines().filter(|line| !line.is_empty()).map(|line| line.trim_end_matches(" (*)")).collect();
    assert!(crates.len() > 50, "cargo tree printed only {}", crates.len());
    assert!(crates.len() <= MOST_CRATES, "{} crates, more than {MOST_CRATES}", crates.len());
}

#[test]
fn nothing_that_needs_openssl_or_a_second_tls_provider_came_in() {
    let lock = manifest(root().join("Cargo.lock"));
    let packages = lock["package"].as_array().expect("a lock file lists packages");
    for banned in ["aws-lc-sys", "openssl-sys", "native-tls"] {
        assert!(
            !packages.iter().any(|package| package["name"].as_str() == Some(banned)),
            "{banned} is in Cargo.lock"
        );
    }
}
