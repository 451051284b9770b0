//! One reading of a configuration: its text, and what was noticed on the way.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use super::problem::{ConfigErrors, Problem};
use super::tree::Place;

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T> Found<T> {
    /// A value nobody set.
    pub(crate) fn default(value: T) -> Self {
        Self { value, place: Place::Default }
    }

    /// A value of a preset.
    pub(crate) fn preset(name: &'static str, value: T) -> Self {
        Self { value, place: Place::Preset(name) }
    }

    /// Whether the file or the environment set it.
    pub(crate) fn is_set(&self) -> bool {
        matches!(self.place, Place::File(_) | Place::Variable(_))
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: change(self.value), place: self.place }
    }
}

/// One effective setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `session.idle`, `directory.main.user.match`.
    pub key: String,
    /// The value as TOML; `(hidden)` for a secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Source,
}

/// Where a value comes from; displays as `default`, `preset openldap`, `ldapgate.toml:12` or `LDAPGATE_SESSION__IDLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The directory's preset.
    Preset(String),
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// From there, and without effect: what the key is for comes with a later release. Displays as
    /// `default, not available yet`.
    NotYet(Box<Source>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::NotYet(source) => write!(f, "{source}, not available yet"),
        }
    }
}

/// One reading of a configuration.
pub(crate) struct Sheet<'t> {
    path: &'t Path,
    text: &'t str,
    problems: RefCell<Vec<(Place, Problem)>>,
    warnings: RefCell<Vec<String>>,
    shown: RefCell<Vec<Shown>>,
}

impl<'t> Sheet<'t> {
    pub(crate) fn new(path: &'t Path, text: &'t str) -> Self {
        let (problems, warnings, shown) = Default::default();
        Self { path, text, problems, warnings, shown }
    }

    /// Notes that something is wrong at `place`.
    pub(crate) fn wrong(&self, place: &Place, message: impl Into<String>) {
        self.note(place, message.into(), None);
    }

    /// Notes that something is wrong, and what to do.
    pub(crate) fn wrong_but(&self, place: &Place, message: impl Into<String>, suggestion: impl Into<String>) {
        self.note(place, message.into(), Some(suggestion.into()));
    }

    /// Whether nothing wrong has been noted so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// A key of a room that is not built yet is set to more than off.
    pub(crate) fn not_yet(&self, place: &Place, what: &str) {
        self.wrong(place, format!("{what} is not available yet: it comes with a later release"));
    }

    /// Notes what is allowed and yet dangerous.
    pub(crate) fn warn(&self, place: &Place, message: &str) {
        self.warnings.borrow_mut().push(format!("{}: {message}", self.tell(place)));
    }

    /// Notes an effective value.
    pub(crate) fn show(&self, key: String, value: String, place: &Place) {
        let origin = match place {
            Place::Default => Source::Default,
            Place::Preset(name) => Source::Preset((*name).to_owned()),
            Place::File(span) => {
                Source::File { path: self.path.to_owned(), line: self.line_and_column(span.start).0 }
            }
            Place::Variable(name) => Source::Variable(name.clone()),
        };
        self.shown.borrow_mut().push(Shown { key, value, origin });
    }

    /// Says of a value that is shown that nothing comes of it yet.
    pub(crate) fn mark_not_yet(&self, key: &str) {
        for shown in self.shown.borrow_mut().iter_mut().filter(|shown| shown.key == key) {
            shown.origin = Source::NotYet(Box::new(shown.origin.clone()));
        }
    }

    /// The place `offset` bytes into the text that stands at `place`, as far as it was written down literally.
    pub(crate) fn inside(&self, place: &Place, offset: usize) -> Place {
        let Place::File(span) = place else { return place.clone() };
        let source = self.text.get(span.clone()).unwrap_or_default();
        let literal = source.len() > 2
            && !source.contains(['\\', '\n'])
            && !source[1..].starts_with(['"', '\''])
            && source.starts_with(['"', '\'']);
        if !literal {
            return place.clone();
        }
        let at = (span.start + 1 + offset).min(span.end - 1);
        Place::File(at..at)
    }

    /// The path as it is meant: relative to the file it stands in, else to the working directory.
    pub(crate) fn resolve(&self, path: &str, place: &Place) -> PathBuf {
        match (place, self.path.parent()) {
            (Place::Variable(_), _) | (_, None) => PathBuf::from(path),
            (_, Some(folder)) => folder.join(path),
        }
    }

    /// The outcome: what is shown and the warnings, or all problems in order.
    pub(crate) fn finish(self) -> Result<(Vec<Shown>, Vec<String>), ConfigErrors> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok((self.shown.into_inner(), self.warnings.into_inner()));
        }
        problems.sort_by_key(|(place, _)| match place {
            Place::File(span) => span.start,
            _ => usize::MAX,
        });
        let mut problems: Vec<Problem> = problems.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        Err(ConfigErrors::new(problems))
    }

    fn note(&self, place: &Place, message: String, suggestion: Option<String>) {
        let problem = Problem { place: self.tell(place), message, suggestion };
        self.problems.borrow_mut().push((place.clone(), problem));
    }

    /// The place in words.
    fn tell(&self, place: &Place) -> String {
        match place {
            Place::Variable(name) => name.clone(),
            Place::File(span) => {
                let (line, column) = self.line_and_column(span.start);
                format!("{}:{line}:{column}", self.path.display())
            }
            Place::Default | Place::Preset(_) => self.path.display().to_string(),
        }
    }

    /// Line and column of a byte, both from 1, the column in characters.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}
