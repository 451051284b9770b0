//! `[[forward_auth.rule]]`: who may reach which application behind a proxy. The room comes later: rules are checked as far as
//! they can be, and refused.

use super::expression::{self, Known, Scope};
use super::read::{Kind, Section};

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
const HEADERS: &[(&str, ())] = &[
    ("remote", ()),
    ("x-forwarded", ()),
    ("x-auth-request", ()),
    ("grafana", ()),
    ("gitea", ()),
    ("netbox", ()),
    ("jenkins", ()),
];

pub(super) fn read(section: Section<'_>, directories: &[Known]) {
    for rule in section.tables("rule") {
        rule.sheet().not_yet(rule.place(), "forward-auth");
        read_rule(rule, directories);
    }
    section.finish();
}

fn read_rule(section: Section<'_>, directories: &[Known]) {
    let sheet = section.sheet();
    let host = section.text("host", "");
    let pattern = host.value.strip_prefix("*.").unwrap_or(&host.value);
    if !super::http::is_host(pattern) {
        sheet.wrong(
            if host.is_set() { &host.place } else { section.place() },
            format!("host cannot be {:?}: it is a host name", host.value),
        );
    }
    let path = section.text("path", "/*");
    if !path.value.starts_with('/') {
        sheet.wrong(&path.place, format!("path cannot be {:?}: it starts with /", path.value));
    }
    for method in &section.texts("methods").value {
        if !METHODS.contains(&method.value.as_str()) {
            sheet.wrong(
                &method.place,
                format!("methods: {:?} is no method: it is written as in \"GET\"", method.value),
            );
        }
    }
    match section.value("require") {
        None => {
            sheet.wrong(section.place(), "a rule needs require: \"signed-in\", \"public\" or an expression")
        }
        Some(value) if matches!(&value.kind, Kind::Text(text) | Kind::Raw(text) if matches!(text.as_str(), "signed-in" | "public")) =>
            {}
        Some(value) => drop(expression::read(sheet, "require", &value, Scope::All(directories))),
    }
    match section.value("headers").map(|value| value.kind) {
        Some(Kind::Table(_)) => {
            for (name, value) in section.section("headers").entries() {
                let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                if name.value.is_empty() || !name.value.bytes().all(token) {
                    sheet.wrong(&name.place, format!("headers: {:?} is no header's name", name.value));
                }
                section.as_text("headers", &value);
            }
        }
        _ => drop(section.choice("headers", HEADERS, "remote")),
    }
    section.text("delimiter", ",");
    section.choice("encoding", &[("utf-8", ()), ("percent", ()), ("quoted-printable", ())], "utf-8");
    section.finish();
}
