//! Definitions of one kind, found by name.

use std::borrow::Cow;
use std::collections::HashMap;

pub(super) trait Named {
    fn oid(&self) -> &str;
    fn names(&self) -> &[String];
}

#[derive(Debug, Clone)]
pub(super) struct Table<T> {
    all: Vec<T>,
    /// Names and OIDs in lower case, and the place of the first that has it.
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Named> Table<T> {
    pub(super) fn push(&mut self, definition: T) {
        let place = self.all.len();
        for name in definition.names().iter().map(String::as_str).chain([definition.oid()]) {
            self.places.entry(name.to_ascii_lowercase()).or_insert(place);
        }
        self.all.push(definition);
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.place(name).map(|place| &self.all[place])
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(&*lower(name)).copied()
    }

    pub(super) fn all(&self) -> &[T] {
        &self.all
    }
}

pub(super) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}
