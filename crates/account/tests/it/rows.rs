//! The rows of the seeds name tests; each of them is there.

use std::path::Path;

fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("the crates can be read") {
        let path = entry.expect("their entries, too").path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &std::fs::read_to_string(&path).expect("sources are text");
        }
    }
    all
}

#[test]
fn every_test_that_a_row_names_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(folder.join("src/admission.rs")).expect("the page is there");
    let rows = page.lines().filter(|line| line.starts_with("//! | R0"));
    let named: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 18, "{named:?}");
    let all = sources(folder.parent().expect("the crates' folder"));
    let missing: Vec<_> = named.iter().filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "in a row, and no test: {missing:?}");
}
