//! The only place that writes: documents and text to standard output, diagnostics to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

/// How much of what is long people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// A few of many, and how many more there are.
    Short,
    /// Everything.
    Whole,
}

/// So many of many are a few.
const FEW: usize = 10;
/// So many letters of a step are enough to see what it is.
const LETTERS: usize = 300;

/// Prints one JSON document: indented for a terminal, one line for a program.
pub(crate) fn document(document: &Value) {
    let text = if std::io::stdout().is_terminal() { format!("{document:#}") } else { document.to_string() };
    line(&text);
}

/// Prints a line of text. A reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a line at once; answers whether anybody takes it.
pub(crate) fn taken(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}

/// Ready when standard output is a pipe or socket whose other end is closed.
pub(crate) async fn nobody_reads() {
    use std::os::fd::AsFd as _;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    let out = std::io::stdout().as_fd().try_clone_to_owned();
    #[expect(deprecated, reason = "unsound for what is no descriptor of its own; this one is")]
    let out = out.map(|out| AsyncFd::with_interest(out, Interest::ERROR));
    let Ok(Ok(out)) = out else {
        // A file never is.
        return std::future::pending().await;
    };
    if out.ready(Interest::ERROR).await.is_err() {
        std::future::pending().await
    }
}

/// Prints a piece of text without ending the line.
pub(crate) fn text(text: &str) {
    let _ = write!(std::io::stdout().lock(), "{text}");
}

/// Prints a failure and its causes, one a line.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut said = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        // Libraries repeat their cause's text in their own.
        if said.last().is_some_and(|last: &String| last.ends_with(&cause)) {
            continue;
        }
        said.push(cause);
    }
    note(&format!("ldapgate: {}", printable_lines(&said.join("\n  because: "))));
}

/// Prints a diagnostic.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The login document for people; `detail` is what the operator may know besides.
pub(crate) fn login(document: &Value, detail: &str, length: Length) {
    let text = |key: &str| printable(document[key].as_str().unwrap_or_default());
    let outcome = text("outcome");
    match outcome.as_str() {
        "denied" => {
            line(&format!("denied: {} ({})", text("message"), text("reason")));
        }
        "error" => {
            line(&format!("error in the {}: {}", text("fault"), text("message")));
            for cause in document["causes"].as_array().into_iter().flatten() {
                line(&format!("  because: {}", plain(cause)));
            }
        }
        _ => person(&outcome, document, length),
    }
    if !detail.is_empty() {
        line(&format!("  {}", printable(detail)));
    }
    trace(document, length);
}

fn person(outcome: &str, document: &Value, length: Length) {
    line(&format!("{outcome}: {}", plain(&document["username"])));
    for key in ["directory", "dn", "id"] {
        line(&format!("  {key}: {}", plain(&document[key])));
    }
    for key in ["fields", "lists", "flags"] {
        for (name, value) in document[key].as_object().into_iter().flatten() {
            line(&format!("  {name}: {}", listed(value, length)));
        }
    }
    several(&document["groups"], length, |group| {
        format!("group {}: {}", plain(&group["name"]), plain(&group["dn"]))
    });
    several(&document["permissions"], length, |permission| format!("may {}", plain(permission)));
    for warning in document["warnings"].as_array().into_iter().flatten() {
        line(&format!("  warning: {}", warning_text(warning)));
    }
}

fn warning_text(warning: &Value) -> String {
    match (warning["seconds"].as_u64(), warning["remaining"].as_u64()) {
        (Some(seconds), _) => format!("the password expires in {}", rough(seconds)),
        (_, Some(remaining)) => format!("the password has expired; {remaining} more logins are allowed"),
        _ => plain(&warning["kind"]),
    }
}

/// "5 minutes", "20 hours", "3 days": whole ones, since nothing depends on the rest.
fn rough(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}

/// A line each.
fn several(values: &Value, length: Length, text: impl Fn(&Value) -> String) {
    let values = values.as_array().map_or(&[][..], Vec::as_slice);
    let (shown, more) = shown(values, length);
    for value in shown {
        line(&format!("  {}", text(value)));
    }
    if more > 0 {
        line(&format!("  and {more} more (-v shows all)"));
    }
}

/// Several values in one line; of none it says so.
pub(crate) fn listed(value: &Value, length: Length) -> String {
    let Value::Array(values) = value else { return plain(value) };
    let (shown, more) = shown(values, length);
    let mut words: Vec<String> = shown.iter().map(plain).collect();
    if more > 0 {
        words.push(format!("and {more} more (-v shows all)"));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Those that are shown, and how many are not. One is never left out: to say so takes as much room.
fn shown(values: &[Value], length: Length) -> (&[Value], usize) {
    match values.split_at_checked(FEW) {
        Some((few, more)) if length == Length::Short && more.len() > 1 => (few, more.len()),
        _ => (values, 0),
    }
}

/// The beginning of a long text.
fn beginning(text: String, length: Length) -> String {
    let letters = text.chars().count();
    if length == Length::Whole || letters <= LETTERS {
        return text;
    }
    let start: String = text.chars().take(LETTERS).collect();
    format!("{start}... and {} more letters (-v shows all)", letters - LETTERS)
}

/// Prints columns below their names, and nothing where there is no row.
pub(crate) fn table<const N: usize>(names: [&str; N], rows: &[[String; N]]) {
    if rows.is_empty() {
        return;
    }
    for row in aligned(names, rows) {
        line(&row);
    }
}

fn aligned<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let names = names.map(str::to_owned);
    let rows = || std::iter::once(&names).chain(rows);
    let widths: Vec<usize> =
        (0..N).map(|at| rows().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let padded = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows().map(padded).collect()
}

fn trace(document: &Value, length: Length) {
    let Some(steps) = document["trace"].as_array() else { return };
    line("");
    for step in steps {
        let took = step["took_us"].as_u64().unwrap_or_default();
        let server = step["server"].as_str().map(|server| format!(" [{server}]")).unwrap_or_default();
        line(&format!(
            "{:>9} µs  {:<10} {}{server}",
            took,
            plain(&step["step"]),
            beginning(plain(&step["what"]), length)
        ));
        line(&format!("              -> {}", beginning(plain(&step["result"]), length)));
    }
}

/// A value without JSON's quotes; control characters of a directory's data do not reach the terminal.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The text with control characters, and those that turn the direction of writing, made visible.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if deceives(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// The same for text of our own that may have several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_a_few_are_shown_and_the_rest_is_counted() {
        let many = |count: usize| Value::from((0..count).map(|at| at.to_string()).collect::<Vec<_>>());
        assert_eq!(listed(&many(0), Length::Short), "none");
        assert!(listed(&many(FEW + 1), Length::Short).ends_with(", 9, 10"));
        assert!(listed(&many(300), Length::Short).ends_with(", 9, and 290 more (-v shows all)"));
        assert!(listed(&many(300), Length::Whole).ends_with(", 299"));
        let text = "x".repeat(LETTERS + 5);
        assert!(beginning(text.clone(), Length::Short).ends_with("x... and 5 more letters (-v shows all)"));
        assert_eq!(beginning(text.clone(), Length::Whole), text);
    }

    #[test]
    fn columns_stand_below_their_names() {
        let rows = [["jürgen", "main", "x"], ["al", "partners", ""]].map(|row| row.map(str::to_owned));
        let lines = ["USER    DIRECTORY  DN", "jürgen  main       x", "al      partners"];
        assert_eq!(aligned(["USER", "DIRECTORY", "DN"], &rows), lines);
    }

    #[test]
    fn how_long_a_password_lasts_is_told_in_a_unit_that_fits() {
        let told = [90, 300, 20 * 3600, 62_146 * 3600].map(rough);
        assert_eq!(told, ["90 seconds", "5 minutes", "20 hours", "2589 days"]);
    }

    #[test]
    fn control_characters_of_a_directory_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }
}
