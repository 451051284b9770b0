//! A section, read key by key: every key that is asked for is known, the rest is a mistake.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proto::Password;

use super::duration::{self, Zero};
use super::secret::Secret;
use super::sheet::{Found, Sheet};
use super::similar::closest;
use super::tree::{Kind, Place, Table, Value, quote};

/// A section, or a table inside one.
pub(crate) struct Section<'s> {
    sheet: &'s Sheet<'s>,
    /// How `config show` names it: `directory.main.user`.
    path: String,
    /// How messages name it: `[directory.user]`.
    heading: String,
    place: Place,
    table: Table,
    known: RefCell<Vec<String>>,
}

impl<'s> Section<'s> {
    /// The whole file.
    pub(crate) fn root(sheet: &'s Sheet<'s>, table: Table) -> Self {
        Self {
            sheet,
            path: String::new(),
            heading: String::new(),
            place: Place::Default,
            table,
            known: RefCell::default(),
        }
    }

    /// What was noticed goes here.
    pub(crate) fn sheet(&self) -> &'s Sheet<'s> {
        self.sheet
    }

    /// Where the section starts.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// How messages name it.
    pub(crate) fn heading(&self) -> &str {
        &self.heading
    }

    /// Names it differently from now on in `config show`.
    pub(crate) fn renamed(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    /// The value of a key, whatever it is; not shown.
    pub(crate) fn value(&self, key: &str) -> Option<Value> {
        self.known.borrow_mut().push(key.to_owned());
        self.table.entries.get(key).map(|(_, value)| value.clone())
    }

    /// The same, with what a variable says read as TOML.
    pub(crate) fn toml(&self, key: &str) -> Option<Value> {
        let value = self.value(key)?;
        match value.resolved() {
            Ok(value) => Some(value),
            Err(problem) => {
                self.sheet.wrong(&value.place, format!("cannot be read as TOML: {problem}"));
                None
            }
        }
    }

    /// Shows what a key came to.
    pub(crate) fn show(&self, key: &str, value: String, place: &Place) {
        self.sheet.show(self.full(key), value, place);
    }

    /// Says of keys that have been read that nothing comes of them yet, so that no default claims what is not there.
    pub(crate) fn mark_not_yet(&self, keys: &[&str]) {
        keys.iter().for_each(|key| self.sheet.mark_not_yet(&self.full(key)));
    }

    /// A key as `config show` names it.
    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A text; empty where nothing is set and there is no default.
    pub(crate) fn text(&self, key: &str, default: &str) -> Found<String> {
        self.text_or(key, Found::default(default.to_owned()))
    }

    /// A text with a default that may be a preset's.
    pub(crate) fn text_or(&self, key: &str, default: Found<String>) -> Found<String> {
        let found = match self.value(key) {
            None => default,
            Some(value) => self.as_text(key, &value).unwrap_or(default),
        };
        self.show(key, quote(&found.value), &found.place);
        found
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&self, key: &str, words: &[(&'static str, T)], default: &str) -> Found<T> {
        let text = self.text(key, default);
        let chosen = words.iter().find(|(word, _)| *word == text.value).or_else(|| {
            self.no_such_word(key, &text, words.iter().map(|(word, _)| *word));
            words.iter().find(|(word, _)| *word == default)
        });
        let (_, chosen) = chosen.expect("the default is one of the words");
        text.map(|_| *chosen)
    }

    /// Notes that a text is none of the words it may be.
    pub(crate) fn no_such_word(
        &self,
        key: &str,
        text: &Found<String>,
        words: impl Iterator<Item = &'static str> + Clone,
    ) {
        let list = words.clone().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        let message = format!("{key} cannot be {:?}: it is one of {list}", text.value);
        match closest(&text.value, words) {
            Some(word) => self.sheet.wrong_but(&text.place, message, format!("did you mean {word:?}?")),
            None => self.sheet.wrong(&text.place, message),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, key: &str, default: bool) -> Found<bool> {
        self.boolean_or(key, Found::default(default))
    }

    /// `true` or `false` with a default that may be a preset's.
    pub(crate) fn boolean_or(&self, key: &str, default: Found<bool>) -> Found<bool> {
        let found = self.toml(key).and_then(|value| match value.kind {
            Kind::Boolean(set) => Some(Found { value: set, place: value.place }),
            _ => self.wrong_type(key, &value, "true or false"),
        });
        let found = found.unwrap_or(default);
        self.show(key, found.value.to_string(), &found.place);
        found
    }

    /// A whole number.
    pub(crate) fn number(&self, key: &str, default: u32, range: RangeInclusive<u32>) -> Found<u32> {
        let found = self.toml(key).and_then(|value| match value.kind {
            Kind::Integer(number) => {
                let fitting = u32::try_from(number).ok().filter(|number| range.contains(number));
                if fitting.is_none() {
                    let (low, high) = range.clone().into_inner();
                    self.sheet.wrong(&value.place, format!("{key} is from {low} to {high}, not {number}"));
                }
                Some(Found { value: fitting?, place: value.place })
            }
            _ => self.wrong_type(key, &value, "a whole number"),
        });
        let found = found.unwrap_or(Found::default(default));
        self.show(key, found.value.to_string(), &found.place);
        found
    }

    /// A duration.
    pub(crate) fn duration(&self, key: &str, default: &str, zero: Zero) -> Found<Duration> {
        let text = self.text(key, default);
        match duration::parse(&text.value, zero) {
            Ok(duration) => text.map(|_| duration),
            Err(problem) => {
                self.sheet.wrong(&text.place, format!("{key}: {problem}"));
                Found::default(Duration::ZERO)
            }
        }
    }

    /// A list of texts, each with its place.
    pub(crate) fn texts(&self, key: &str) -> Found<Vec<Found<String>>> {
        self.texts_or(key, Found::default(Vec::new()))
    }

    /// A list of texts with a default that may be a preset's.
    pub(crate) fn texts_or(
        &self,
        key: &str,
        default: Found<Vec<Found<String>>>,
    ) -> Found<Vec<Found<String>>> {
        let found = self.toml(key).and_then(|value| match &value.kind {
            Kind::List(values) => {
                let texts = values.iter().filter_map(|value| self.as_text(key, value)).collect();
                Some(Found { value: texts, place: value.place.clone() })
            }
            _ => self.wrong_type(key, &value, "a list of texts, as in [\"a\", \"b\"]"),
        });
        let found = found.unwrap_or(default);
        self.show_texts(key, &found);
        found
    }

    /// One text or a list of texts. A variable whose value starts with `[` is a list.
    pub(crate) fn one_or_many(
        &self,
        key: &str,
        default: Found<Vec<Found<String>>>,
    ) -> Found<Vec<Found<String>>> {
        let one = match self.table.entries.get(key).map(|(_, value)| &value.kind) {
            Some(Kind::Raw(text)) => !text.trim_start().starts_with('['),
            Some(Kind::List(_)) | None => false,
            Some(_) => true,
        };
        if !one {
            return self.texts_or(key, default);
        }
        let text = self.value(key).and_then(|value| self.as_text(key, &value));
        let found = text.map_or(default, |text| Found { place: text.place.clone(), value: vec![text] });
        self.show_texts(key, &found);
        found
    }

    /// A file's path; `None` where it is empty.
    pub(crate) fn path(&self, key: &str) -> Option<Found<PathBuf>> {
        let text = self.text(key, "");
        let path = self.sheet.resolve(&text.value, &text.place);
        (!text.value.is_empty()).then(|| text.map(|_| path))
    }

    /// The secret `key`, or the file `key_file` that holds it. Two from one source are a mistake; of two sources the
    /// environment wins. A file is read once to see that it can be.
    pub(crate) fn secret(&self, key: &str) -> Option<Found<Secret>> {
        let file_key = format!("{key}_file");
        let text = self.value(key);
        let file = self.value(&file_key);
        let from_variable =
            |value: &Option<Value>| matches!(value, Some(Value { place: Place::Variable(_), .. }));
        let (text, file) = match (from_variable(&text), from_variable(&file)) {
            (true, false) => (text, None),
            (false, true) => (None, file),
            _ => (text, file),
        };
        let text = text.and_then(|value| self.as_text(key, &value)).filter(|text| !text.value.is_empty());
        let file =
            file.and_then(|value| self.as_text(&file_key, &value)).filter(|file| !file.value.is_empty());
        if let (Some(_), Some(file)) = (&text, &file) {
            self.sheet
                .wrong(&file.place, format!("{key} and {file_key} are both set: one of them is enough"));
        }
        if let Some(text) = text {
            self.show(key, "(hidden)".to_owned(), &text.place);
            return match Password::new(text.value) {
                Ok(password) => Some(Found { value: Secret::Text(Arc::new(password)), place: text.place }),
                Err(_) => {
                    self.sheet.wrong(&text.place, format!("{key} holds no usable secret"));
                    None
                }
            };
        }
        let Some(file) = file else {
            self.show(key, quote(""), &Place::Default);
            return None;
        };
        self.show(&file_key, quote(&file.value), &file.place);
        let secret = Secret::File(self.sheet.resolve(&file.value, &file.place));
        if let (Err(error), Secret::File(path)) = (secret.read(), &secret) {
            self.sheet.wrong(&file.place, format!("{file_key}: cannot use {}: {error}", path.display()));
        }
        Some(Found { value: secret, place: file.place })
    }

    /// A table inside this one; empty where nothing is set.
    pub(crate) fn section(&self, key: &str) -> Section<'s> {
        let heading = match self.heading.trim_matches(['[', ']']) {
            "" => format!("[{key}]"),
            outer => format!("[{outer}.{key}]"),
        };
        let (place, table) = match self.toml(key) {
            None => (self.place.clone(), Table::default()),
            Some(Value { place, kind: Kind::Table(table) }) => (place, table),
            Some(value) => {
                let _: Option<()> = self.wrong_type(key, &value, &format!("a table: {heading}"));
                (value.place, Table::default())
            }
        };
        self.inner(key, heading, place, table)
    }

    /// A list of tables, or one table that stands for a list of one.
    pub(crate) fn tables(&self, key: &str) -> Vec<Section<'s>> {
        let heading = match self.heading.trim_matches(['[', ']']) {
            "" => format!("[[{key}]]"),
            outer => format!("[[{outer}.{key}]]"),
        };
        let values = match self.toml(key) {
            None => return Vec::new(),
            Some(Value { kind: Kind::List(values), .. }) => values,
            Some(value) => vec![value],
        };
        let tables = values.into_iter().filter_map(|value| match value.kind {
            Kind::Table(table) => Some(self.inner(key, heading.clone(), value.place, table)),
            _ => self.wrong_type(key, &value, "a table"),
        });
        tables.collect()
    }

    /// Every entry of a table whose keys are free.
    pub(crate) fn entries(&self) -> Vec<(Found<String>, Value)> {
        let entries = self.table.entries.iter().map(|(key, (place, value))| {
            self.known.borrow_mut().push(key.clone());
            (Found { value: key.clone(), place: place.clone() }, value.clone())
        });
        entries.collect()
    }

    /// Notes that a value has the wrong type.
    pub(crate) fn wrong_type<T>(&self, key: &str, value: &Value, expected: &str) -> Option<T> {
        let message = format!("{key} is {expected}, not {}", value.kind.describe());
        match &value.kind {
            Kind::Text(text) if matches!(text.as_str(), "true" | "false") || text.parse::<i64>().is_ok() => {
                self.sheet.wrong_but(&value.place, message, format!("write {text} without the quotes"));
            }
            _ => self.sheet.wrong(&value.place, message),
        }
        None
    }

    /// A value that has to be text.
    pub(crate) fn as_text(&self, key: &str, value: &Value) -> Option<Found<String>> {
        match &value.kind {
            Kind::Text(text) | Kind::Raw(text) => {
                Some(Found { value: text.clone(), place: value.place.clone() })
            }
            _ => self.wrong_type(key, value, "text in quotes"),
        }
    }

    /// Every key has been asked for: what is left is unknown.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for (key, (place, _)) in
            self.table.entries.iter().filter(|(key, _)| !known.iter().any(|known| known == *key))
        {
            let message = match self.heading.as_str() {
                "" => format!("there is no section [{key}]"),
                heading => format!("unknown key {key:?} in {heading}"),
            };
            match closest(key, known.iter().map(String::as_str)) {
                Some(word) => self.sheet.wrong_but(place, message, format!("did you mean {word:?}?")),
                None => self.sheet.wrong(place, message),
            }
        }
    }

    fn inner(&self, key: &str, heading: String, place: Place, table: Table) -> Section<'s> {
        Section { sheet: self.sheet, path: self.full(key), heading, place, table, known: RefCell::default() }
    }

    fn show_texts(&self, key: &str, found: &Found<Vec<Found<String>>>) {
        let texts = found.value.iter().map(|text| quote(&text.value)).collect::<Vec<_>>().join(", ");
        self.show(key, format!("[{texts}]"), &found.place);
    }
}
