//! The manual names tests of all rooms; each of them is there.

use std::path::Path;

fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("the crate's folder can be read") {
        let path = entry.expect("its entries, too").path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &std::fs::read_to_string(&path).expect("sources are text");
        }
    }
    all
}

/// What the manual calls a test: every name in the last column of its table, and those after "Test:" and "Tests:".
fn named(manual: &str) -> Vec<&str> {
    let rows = manual.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let column = rows.filter_map(|row| row.rsplit(" | ").next());
    let after = manual.split("Test").filter_map(|rest| rest.strip_prefix("s:").or(rest.strip_prefix(':')));
    let sentences = after.filter_map(|rest| rest.split('.').next());
    column.chain(sentences).flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// A test of its own, or a scenario in a list from which a macro makes tests.
fn is_a_test(name: &str, sources: &str) -> bool {
    let function = format!("fn {name}(");
    let functions = sources.match_indices(&function).map(|(place, _)| &sources[..place]);
    let own = functions.filter_map(|before| before.rsplit_once('\n')).any(|(above, _)| {
        let mut attributes =
            above.lines().rev().map(str::trim).take_while(|line| line.starts_with(['#', '/']));
        attributes.any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
    });
    let lists = sources.split("\nagainst_").filter_map(|rest| rest.split_once("!(")?.1.split_once(");"));
    own || lists.flat_map(|(list, _)| list.split(',')).any(|scenario| scenario.trim() == name)
}

#[test]
fn every_test_that_the_manual_names_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_to_string(folder.join("src/manual.rs")).expect("the manual is there");
    // Its rules are held by every room's tests.
    let all = sources(folder.parent().expect("the crates' folder"));
    let names = named(&manual);
    assert!(names.len() > 80, "{names:?}");
    let missing: Vec<_> = names.into_iter().filter(|name| !is_a_test(name, &all)).collect();
    assert!(missing.is_empty(), "in the manual, and no test: {missing:?}");
}
