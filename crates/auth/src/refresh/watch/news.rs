//! What was heard and not told yet.

use std::collections::BTreeSet;

use super::{DnSet, Hint};
use crate::fingerprint::Fingerprint;

/// More people than this are everybody: those who wait for an answer are looked at as fast in one go.
const MANY: usize = 500;
/// More names than this are.
const MANY_NAMES: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct News {
    people: BTreeSet<String>,
    names: Vec<Fingerprint>,
    everybody: bool,
}

impl News {
    pub(super) fn person(&mut self, id: String) {
        if self.people.len() <= MANY {
            self.people.insert(id);
        }
    }

    pub(super) fn at(&mut self, names: impl IntoIterator<Item = Fingerprint>) {
        if !self.everybody {
            self.names.extend(names);
            self.everybody = self.names.len() > MANY_NAMES;
        }
    }

    pub(super) fn everybody(&mut self) {
        self.everybody = true;
    }

    /// What is to be told.
    pub(super) fn take(&mut self) -> Vec<Hint> {
        let News { people, names, everybody } = std::mem::take(self);
        if everybody || people.len() > MANY {
            return vec![Hint::Everybody];
        }
        let people = (!people.is_empty()).then(|| Hint::People(people.into_iter().collect()));
        let names = (!names.is_empty()).then(|| Hint::PeopleAt(DnSet::new(names)));
        people.into_iter().chain(names).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_takes_the_place_of_many() {
        let mut news = News::default();
        assert!(news.take().is_empty());
        news.person("b".to_owned());
        news.person("a".to_owned());
        assert_eq!(news.take(), [Hint::People(vec!["a".to_owned(), "b".to_owned()])]);
        (0..=MANY).for_each(|number| news.person(number.to_string()));
        assert_eq!(news.take(), [Hint::Everybody]);
        assert!(news.take().is_empty(), "it is told once");
        news.person("a".to_owned());
        news.everybody();
        assert_eq!(news.take(), [Hint::Everybody]);
    }
}
