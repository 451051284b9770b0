//! TOML as a tree of values that remember where they stood.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody set it.
    Default,
    /// The preset of that name.
    Preset(&'static str),
    /// These bytes of the file.
    File(Range<usize>),
    /// An environment variable.
    Variable(String),
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Text(String),
    Integer(i64),
    /// An integer that does not fit, or a fraction: nothing here takes one.
    Number(String),
    Boolean(bool),
    Time(String),
    List(Vec<Value>),
    Table(Table),
    /// A variable's text, whose type is known only when its key is read.
    Raw(String),
}

/// A table; each key with the place where it was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: BTreeMap<String, (Place, Value)>,
}

impl Kind {
    /// What the value is, in words.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Raw(_) => "text",
            Self::Integer(_) | Self::Number(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Time(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// The value as TOML.
    pub(crate) fn print(&self) -> String {
        match self {
            Self::Text(text) | Self::Raw(text) => quote(text),
            Self::Integer(number) => number.to_string(),
            Self::Number(text) | Self::Time(text) => text.clone(),
            Self::Boolean(value) => value.to_string(),
            Self::List(values) => {
                format!("[{}]", values.iter().map(|value| value.kind.print()).collect::<Vec<_>>().join(", "))
            }
            Self::Table(table) if table.entries.is_empty() => "{}".to_owned(),
            Self::Table(table) => {
                let entries = table
                    .entries
                    .iter()
                    .map(|(key, (_, value))| format!("{} = {}", bare(key), value.kind.print()));
                format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Value {
    /// The value of a variable once its key is known to be no text: TOML. A variable that is no TOML stays text.
    pub(crate) fn resolved(&self) -> Result<Value, String> {
        let (Kind::Raw(text), Place::Variable(name)) = (&self.kind, &self.place) else {
            return Ok(self.clone());
        };
        let parsed = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
        Ok(Self::from_toml(parsed.get_ref(), &|_| Place::Variable(name.clone()), 0..0))
    }

    fn from_toml(value: &DeValue<'_>, place: &dyn Fn(Range<usize>) -> Place, span: Range<usize>) -> Self {
        let kind = match value {
            DeValue::String(text) => Kind::Text(text.clone().into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Kind::Integer(number),
                Err(_) => Kind::Number(number.as_str().to_owned()),
            },
            DeValue::Float(number) => Kind::Number(number.as_str().to_owned()),
            DeValue::Boolean(value) => Kind::Boolean(*value),
            DeValue::Datetime(time) => Kind::Time(time.to_string()),
            DeValue::Array(values) => Kind::List(
                values.iter().map(|value| Self::from_toml(value.get_ref(), place, value.span())).collect(),
            ),
            DeValue::Table(table) => Kind::Table(Table::from_toml(table, place)),
        };
        Self { place: place(span), kind }
    }
}

impl Table {
    /// Reads a file's text; what cannot be read is told with its place, and the rest is still there.
    pub(crate) fn parse(text: &str) -> (Self, Vec<(Place, String)>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let errors = errors.into_iter().map(|error| {
            let place = error.span().map_or(Place::File(0..0), Place::File);
            (place, error.message().to_owned())
        });
        (Self::from_toml(table.get_ref(), &Place::File), errors.collect())
    }

    fn from_toml(table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let name = key.get_ref().clone().into_owned();
            (name, (place(key.span()), Value::from_toml(value.get_ref(), place, value.span())))
        });
        Self { entries: entries.collect() }
    }
}

/// Text as a TOML string.
pub(crate) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key as TOML writes it, quoted where it must be.
pub(crate) fn bare(key: &str) -> String {
    let simple = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if simple { key.to_owned() } else { quote(key) }
}
