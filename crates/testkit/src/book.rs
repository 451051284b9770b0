//! Tables of the book, read by the tests that hold them true.

/// The rows of the one table below `## HEADING`, each as its cells, without the head.
///
/// # Panics
/// When there is no such heading.
pub fn table<'b>(page: &'b str, heading: &str) -> impl Iterator<Item = Vec<&'b str>> {
    let (_, section) = page
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("the page has no heading {heading}"));
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.skip(2).map(|row| row.split('|').map(str::trim).collect())
}

/// What stands in backticks.
pub fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
