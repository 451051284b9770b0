//! The only place that writes: documents and text to standard output, diagnostics to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

/// Prints one JSON document: indented for a terminal, one line for a program.
pub(crate) fn document(document: &Value) {
    let text = if std::io::stdout().is_terminal() { format!("{document:#}") } else { document.to_string() };
    line(&text);
}

/// Prints a line of text. A reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
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
pub(crate) fn login(document: &Value, detail: &str) {
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
        _ => person(&outcome, document),
    }
    if !detail.is_empty() {
        line(&format!("  {}", printable(detail)));
    }
    trace(document);
}

fn person(outcome: &str, document: &Value) {
    line(&format!("{outcome}: {}", plain(&document["username"])));
    for key in ["directory", "dn", "id"] {
        line(&format!("  {key}: {}", plain(&document[key])));
    }
    for key in ["fields", "lists", "flags"] {
        for (name, value) in document[key].as_object().into_iter().flatten() {
            line(&format!("  {name}: {}", plain(value)));
        }
    }
    for group in document["groups"].as_array().into_iter().flatten() {
        line(&format!("  group {}: {}", plain(&group["name"]), plain(&group["dn"])));
    }
    for permission in document["permissions"].as_array().into_iter().flatten() {
        line(&format!("  may {}", plain(permission)));
    }
    for warning in document["warnings"].as_array().into_iter().flatten() {
        line(&format!("  warning: {}", warning_text(warning)));
    }
}

fn warning_text(warning: &Value) -> String {
    match (warning["seconds"].as_u64(), warning["remaining"].as_u64()) {
        (Some(seconds), _) => format!("the password expires in {} hours", seconds / 3600),
        (_, Some(remaining)) => format!("the password has expired; {remaining} more logins are allowed"),
        _ => plain(&warning["kind"]),
    }
}

fn trace(document: &Value) {
    let Some(steps) = document["trace"].as_array() else { return };
    line("");
    for step in steps {
        let took = step["took_us"].as_u64().unwrap_or_default();
        let server = step["server"].as_str().map(|server| format!(" [{server}]")).unwrap_or_default();
        line(&format!("{:>9} µs  {:<10} {}{server}", took, plain(&step["step"]), plain(&step["what"])));
        line(&format!("              -> {}", plain(&step["result"])));
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
    fn control_characters_of_a_directory_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }
}
