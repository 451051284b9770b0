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

#[test]
fn every_test_that_the_manual_names_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_to_string(folder.join("src/manual.rs")).expect("the manual is there");
    // Its rules are held by every room's tests.
    let all = sources(folder.parent().expect("the crates' folder"));
    let named = manual.split('`').filter(|word| word.matches('_').count() > 3);
    let names: Vec<_> =
        named.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(all.contains(&format!("fn {name}(")), "{name} is in the manual and nowhere else");
    }
}
