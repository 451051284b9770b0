//! The book's page about the configuration says what there is: every key, and which of them nothing comes of yet.

use toml::{Table, Value};

use crate::{SMALL, parse};

const PAGE: &str = include_str!("../../../../docs/configuration.md");
/// Below this heading stands what is read and checked, and not here yet.
const LATER: &str = "## Not here yet";

/// The tables of every TOML example.
fn examples(page: &str) -> Vec<Table> {
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| block.parse().unwrap_or_else(|error| panic!("{error}\n{block}"))).collect()
}

/// Whether an example has the key, or the file that holds its secret. A directory's keys are shown with its name inside.
fn stands_in(examples: &[Table], key: &str) -> bool {
    let key = key.replacen("directory.main.", "directory.", 1);
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().expect("a key has a name");
    examples.iter().any(|example| {
        let mut table = Some(example);
        for part in &parts {
            table = table.and_then(|table| table.get(*part)).and_then(Value::as_table);
        }
        table.is_some_and(|table| table.contains_key(last) || table.contains_key(&format!("{last}_file")))
    })
}

#[test]
fn every_key_stands_in_the_book_and_those_of_later_apart() {
    let (now, later) = PAGE.split_once(LATER).expect("the heading is there");
    let (now, later) = (examples(now), examples(later));
    let config = parse(SMALL).expect("a whole configuration");
    for shown in config.show() {
        let not_yet = shown.origin.to_string().ends_with(", not available yet");
        let key = shown.key.as_str();
        assert!(stands_in(&now, key) || stands_in(&later, key), "{key} is missing from the book");
        assert!(!not_yet || !stands_in(&now, key), "{key} does nothing yet: the book says it does");
        assert!(!not_yet || stands_in(&later, key), "{key} does nothing yet: the book has to say so");
    }
}

#[test]
fn what_is_not_there_yet_is_accepted_as_the_book_writes_it() {
    let (_, later) = PAGE.split_once(LATER).expect("the heading is there");
    let mut file: Table = SMALL.parse().expect("TOML");
    for example in examples(later) {
        for (section, keys) in example {
            let section = file.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let section = section.as_table_mut().expect("a section");
            section.extend(keys.as_table().expect("a section").clone());
        }
    }
    let config = parse(&toml::to_string(&file).expect("TOML")).unwrap_or_else(|error| panic!("{error}"));
    let source = |key: &str| crate::origin(&config, key);
    assert!(source("session.domain").starts_with("ldapgate.toml:"), "{}", source("session.domain"));
    assert!(source("session.domain").ends_with(", not available yet"), "{}", source("session.domain"));
}
