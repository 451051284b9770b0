//! What was meant by a name that is not defined.

use super::{Schema, Violation, without_options};

/// Longer names are not compared: nobody types them.
const LONGEST: usize = 64;
/// More names are not guessed at for one entry: whose are so many, they are not mistyped.
const MOST_GUESSES: usize = 8;

impl Schema {
    /// Names of attributes and classes that differ from this one by a letter or two, nearest first; three at most.
    pub fn similar_names(&self, name: &str) -> Vec<&str> {
        let attributes = self.attribute_types().iter().flat_map(|kind| &kind.names);
        let classes = self.object_classes().iter().flat_map(|class| &class.names);
        nearest(name, attributes.chain(classes))
    }

    /// Says what was meant by the first few names that are not defined.
    pub(super) fn guess(&self, wrong: &mut [Violation]) {
        let unknown = wrong.iter_mut().filter_map(|violation| match violation {
            Violation::UnknownAttribute { attribute, similar } => {
                Some((self.similar_attribute(without_options(attribute)), similar))
            }
            Violation::UnknownClass { class, similar } => Some((self.similar_class(class), similar)),
            _ => None,
        });
        for (meant, similar) in unknown.take(MOST_GUESSES) {
            *similar = meant.map(str::to_owned);
        }
    }

    fn similar_attribute(&self, name: &str) -> Option<&str> {
        nearest(name, self.attribute_types().iter().flat_map(|kind| &kind.names)).first().copied()
    }

    fn similar_class(&self, name: &str) -> Option<&str> {
        nearest(name, self.object_classes().iter().flat_map(|class| &class.names)).first().copied()
    }
}

fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Vec<&'n str> {
    // In short names a letter is much.
    let most = if name.len() < 5 { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> =
        known.filter_map(|known| Some((distance(name, known, most)?, known.as_str()))).collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.dedup();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// How many letters have to be put in, left out or replaced, or two neighbours exchanged; `None` beyond `most`. Only cells
/// within `most` of the diagonal can matter, and once two rows are beyond it all that follow are.
fn distance(one: &str, other: &str, most: usize) -> Option<usize> {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > most || one.len() > LONGEST || other.len() > LONGEST {
        return None;
    }
    let same = |a: usize, b: usize| one[a].eq_ignore_ascii_case(&other[b]);
    let beyond = [most + 1; LONGEST + 1];
    let (mut before_last, mut last) = (beyond, beyond);
    last.iter_mut().enumerate().take(most + 1).for_each(|(place, cell)| *cell = place);
    let mut nearest_last = 0;
    for a in 0..one.len() {
        let mut row = beyond;
        row[0] = (a + 1).min(most + 1);
        let mut nearest = row[0];
        for b in a.saturating_sub(most)..other.len().min(a + most + 1) {
            let mut best = (last[b] + usize::from(!same(a, b))).min(last[b + 1] + 1).min(row[b] + 1);
            if a > 0 && b > 0 && same(a, b - 1) && same(a - 1, b) {
                best = best.min(before_last[b - 1] + 1);
            }
            row[b + 1] = best;
            nearest = nearest.min(best);
        }
        if nearest.min(nearest_last) > most {
            return None;
        }
        nearest_last = nearest;
        before_last = std::mem::replace(&mut last, row);
    }
    Some(last[other.len()]).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;
    use proptest::prelude::*;

    #[test]
    fn near_misses_are_near_and_others_are_not() {
        assert_eq!(distance("mial", "mail", 1), Some(1));
        assert_eq!(distance("Givenname", "givenName", 2), Some(0));
        assert_eq!(distance("givnName", "givenName", 2), Some(1));
        assert_eq!(distance("sn", "cn", 1), Some(1));
        assert_eq!(distance("uid", "mail", 1), None);
        assert_eq!(distance(&"x".repeat(100), &"x".repeat(100), 2), None);
        assert_eq!(distance(&"x".repeat(LONGEST), &"x".repeat(LONGEST), 2), Some(0));
        assert_eq!(distance("", "", 2), Some(0));
    }

    #[test]
    fn only_a_few_names_are_guessed_at() {
        let kinds = Entry::builder("cn=s").attribute("attributeTypes", ["( 1.2.3 NAME 'mail' )"]).build();
        let schema = Schema::from_entry(&kinds);
        let options = (0..50).map(|number| format!("mial;x-{number}"));
        let entry = options.fold(Entry::builder("cn=e"), |entry, name| entry.attribute(&name, ["x"])).build();
        let wrong = schema.check_entry(&entry);
        let guessed = wrong.iter().filter(|violation| {
            matches!(violation, Violation::UnknownAttribute { similar: Some(meant), .. } if meant == "mail")
        });
        assert_eq!((guessed.count(), wrong.len()), (MOST_GUESSES, 51), "and the missing objectClass");
    }

    /// Without a band and without an early end.
    fn whole_distance(one: &[u8], other: &[u8]) -> usize {
        let mut cells = vec![vec![0; other.len() + 1]; one.len() + 1];
        for a in 0..=one.len() {
            for b in 0..=other.len() {
                cells[a][b] = if a == 0 || b == 0 {
                    a + b
                } else {
                    let replaced = cells[a - 1][b - 1] + usize::from(one[a - 1] != other[b - 1]);
                    let exchanged =
                        a > 1 && b > 1 && one[a - 1] == other[b - 2] && one[a - 2] == other[b - 1];
                    let exchanged = if exchanged { cells[a - 2][b - 2] + 1 } else { usize::MAX };
                    replaced.min(cells[a - 1][b] + 1).min(cells[a][b - 1] + 1).min(exchanged)
                };
            }
        }
        cells[one.len()][other.len()]
    }

    proptest! {
        #[test]
        fn the_band_leaves_nothing_out(one in "[a-c]{0,8}", other in "[a-c]{0,8}", most in 1_usize..3) {
            let whole = whole_distance(one.as_bytes(), other.as_bytes());
            prop_assert_eq!(distance(&one, &other, most), Some(whole).filter(|whole| *whole <= most));
        }
    }
}
