//! Expressions over groups: a DN, a list (any of them), or `{any=[..]}`, `{all=[..]}`, `{not=..}`, nested freely.

use auth::Rule;
use proto::Dn;

use super::read::{Kind, Place, Sheet, Table, Value, closest};

/// A directory's name and base, for telling to which directory a DN belongs.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) base: Option<Dn>,
}

/// Whose groups an expression may name.
#[derive(Clone, Copy)]
pub(super) enum Scope<'d> {
    /// Those of the directory in whose table it stands.
    Own(&'d Known),
    /// Those of the only directory or, of several, of the one under whose base a DN lies.
    All(&'d [Known]),
}

const WORDS: [&str; 5] = ["any", "all", "not", "directory", "group"];

/// Reads an expression; what is wrong with it is noted.
pub(super) fn read(sheet: &Sheet<'_>, key: &str, value: &Value, scope: Scope<'_>) -> Option<Rule> {
    match &value.kind {
        Kind::Raw(text) if text.trim_start().starts_with(['[', '{']) => match value.resolved() {
            Ok(value) => read(sheet, key, &value, scope),
            Err(problem) => {
                sheet.wrong(&value.place, format!("cannot be read as TOML: {problem}"));
                None
            }
        },
        Kind::Text(text) | Kind::Raw(text) => {
            Some(Rule::Group(group(sheet, key, text, &value.place, scope)?.1))
        }
        Kind::List(values) => Some(Rule::Any(several(sheet, key, values, &value.place, scope)?)),
        Kind::Table(table) => read_table(sheet, key, table, &value.place, scope),
        other => {
            let message = format!("{key} is an expression over groups, not {}", other.describe());
            sheet.wrong_but(
                &value.place,
                message,
                "write a DN, a list of them, { any = [..] }, { all = [..] } or { not = .. }",
            );
            None
        }
    }
}

fn read_table(sheet: &Sheet<'_>, key: &str, table: &Table, place: &Place, scope: Scope<'_>) -> Option<Rule> {
    if let Some((word, (place, _))) = table.entries.iter().find(|(word, _)| !WORDS.contains(&word.as_str())) {
        let message =
            format!("{key} knows no {word:?}: an expression has any, all, not, or directory and group");
        match closest(word, WORDS) {
            Some(word) => sheet.wrong_but(place, message, format!("did you mean {word:?}?")),
            None => sheet.wrong(place, message),
        }
        return None;
    }
    let inner = |word: &str| table.entries.get(word).map(|(_, value)| value);
    let words: Vec<&str> = table.entries.keys().map(String::as_str).collect();
    match words.as_slice() {
        ["any"] => Some(Rule::Any(list(sheet, key, inner("any")?, scope)?)),
        ["all"] => Some(Rule::All(list(sheet, key, inner("all")?, scope)?)),
        ["not"] => Some(Rule::Not(Box::new(read(sheet, key, inner("not")?, scope)?))),
        ["directory", "group"] => {
            let (directory, group) = (inner("directory")?, inner("group")?);
            let (Kind::Text(name), Kind::Text(dn)) = (&directory.kind, &group.kind) else {
                sheet.wrong(place, format!("{key}: directory and group are texts"));
                return None;
            };
            let known = named(sheet, key, name, &directory.place, scope)?;
            let dn = parse_dn(sheet, key, dn, &group.place)?;
            check_below(sheet, key, &dn, &group.place, known)?;
            Some(Rule::Group(dn))
        }
        _ => {
            let message = format!(
                "{key}: a table in an expression has exactly one of any, all and not, or directory and group"
            );
            sheet.wrong(place, message);
            None
        }
    }
}

fn list(sheet: &Sheet<'_>, key: &str, value: &Value, scope: Scope<'_>) -> Option<Vec<Rule>> {
    match &value.kind {
        Kind::List(values) => several(sheet, key, values, &value.place, scope),
        _ => Some(vec![read(sheet, key, value, scope)?]),
    }
}

fn several(
    sheet: &Sheet<'_>,
    key: &str,
    values: &[Value],
    place: &Place,
    scope: Scope<'_>,
) -> Option<Vec<Rule>> {
    if values.is_empty() {
        sheet.wrong_but(
            place,
            format!("{key} has an empty list of groups"),
            "leave the key out where nothing is asked for",
        );
        return None;
    }
    let rules: Vec<Option<Rule>> = values.iter().map(|value| read(sheet, key, value, scope)).collect();
    rules.into_iter().collect()
}

/// A group's DN and the directory it belongs to.
fn group<'d>(
    sheet: &Sheet<'_>,
    key: &str,
    text: &str,
    place: &Place,
    scope: Scope<'d>,
) -> Option<(&'d Known, Dn)> {
    let dn = parse_dn(sheet, key, text, place)?;
    let known = match scope {
        Scope::Own(known) | Scope::All([known]) => known,
        Scope::All(all) => owner(sheet, key, &dn, place, all)?,
    };
    check_below(sheet, key, &dn, place, known)?;
    Some((known, dn))
}

/// The one directory under whose base the name lies; the longest base does not win: several are a mistake.
fn owner<'d>(sheet: &Sheet<'_>, key: &str, dn: &Dn, place: &Place, all: &'d [Known]) -> Option<&'d Known> {
    let below: Vec<&Known> =
        all.iter().filter(|known| known.base.as_ref().is_some_and(|base| dn.is_at_or_below(base))).collect();
    if let [known] = below.as_slice() {
        return Some(known);
    }
    // A base that is itself wrong has been told already; nothing can be said of what may lie below it.
    if all.iter().any(|known| known.base.is_none()) {
        return None;
    }
    let message = match below.as_slice() {
        [] => format!("{key}: {:?} lies below no directory's base", dn.as_str()),
        several => {
            let names: Vec<&str> = several.iter().map(|known| known.name.as_str()).collect();
            format!("{key}: {:?} lies below the bases of {}", dn.as_str(), names.join(" and "))
        }
    };
    let suggestion = format!("say which: {{ directory = {:?}, group = {:?} }}", all[0].name, dn.as_str());
    sheet.wrong_but(place, message, suggestion);
    None
}

/// The directory of that name, if the scope has it.
fn named<'d>(sheet: &Sheet<'_>, key: &str, name: &str, place: &Place, scope: Scope<'d>) -> Option<&'d Known> {
    let all = match scope {
        Scope::Own(known) => std::slice::from_ref(known),
        Scope::All(all) => all,
    };
    let found = all.iter().find(|known| known.name == name);
    if found.is_none() {
        let names: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
        let message = match scope {
            Scope::Own(known) => {
                format!("{key}: only groups of {:?} count in its own table, not of {name:?}", known.name)
            }
            Scope::All(_) => format!("{key}: no directory is named {name:?}: there is {}", names.join(", ")),
        };
        sheet.wrong(place, message);
    }
    found
}

/// One directory cannot speak for another: a group counts only below its own directory's base.
fn check_below(sheet: &Sheet<'_>, key: &str, dn: &Dn, place: &Place, known: &Known) -> Option<()> {
    let base = known.base.as_ref()?;
    if dn.is_at_or_below(base) {
        return Some(());
    }
    sheet.wrong(
        place,
        format!(
            "{key}: {:?} does not lie below the base of directory {:?}, {:?}",
            dn.as_str(),
            known.name,
            base.as_str()
        ),
    );
    None
}

/// A name that is not empty.
pub(super) fn parse_dn(sheet: &Sheet<'_>, key: &str, text: &str, place: &Place) -> Option<Dn> {
    match Dn::parse(text) {
        Ok(dn) if dn.is_root() => {
            sheet.wrong(place, format!("{key} is an empty name"));
            None
        }
        Ok(dn) => Some(dn),
        Err(error) => {
            sheet.wrong(
                &sheet.inside(place, error.offset()),
                format!(
                    "{key}: {text:?} is no distinguished name: {} at byte {}",
                    error.kind(),
                    error.offset()
                ),
            );
            None
        }
    }
}
