//! What was meant by a name that is not defined.

use super::Schema;

/// Longer names are not compared: nobody types them.
const LONGEST: usize = 64;

impl Schema {
    /// Names of attributes and classes that differ from this one by a letter or two, nearest first; three at most.
    pub fn similar_names(&self, name: &str) -> Vec<&str> {
        let attributes = self.attribute_types().iter().flat_map(|kind| &kind.names);
        let classes = self.object_classes().iter().flat_map(|class| &class.names);
        nearest(name, attributes.chain(classes))
    }

    pub(super) fn similar_attribute(&self, name: &str) -> Option<&str> {
        nearest(name, self.attribute_types().iter().flat_map(|kind| &kind.names)).first().copied()
    }

    pub(super) fn similar_class(&self, name: &str) -> Option<&str> {
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

/// How many letters have to be put in, left out or replaced, or two neighbours exchanged; `None` beyond `most`.
fn distance(one: &str, other: &str, most: usize) -> Option<usize> {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > most || one.len() > LONGEST || other.len() > LONGEST {
        return None;
    }
    let same = |a: usize, b: usize| one[a].eq_ignore_ascii_case(&other[b]);
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for a in 0..one.len() {
        let mut row = vec![a + 1];
        for b in 0..other.len() {
            let mut best = (last[b] + usize::from(!same(a, b))).min(last[b + 1] + 1).min(row[b] + 1);
            if a > 0 && b > 0 && same(a, b - 1) && same(a - 1, b) {
                best = best.min(before_last[b - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_near_and_others_are_not() {
        assert_eq!(distance("mial", "mail", 1), Some(1));
        assert_eq!(distance("Givenname", "givenName", 2), Some(0));
        assert_eq!(distance("givnName", "givenName", 2), Some(1));
        assert_eq!(distance("sn", "cn", 1), Some(1));
        assert_eq!(distance("uid", "mail", 1), None);
        assert_eq!(distance(&"x".repeat(100), &"x".repeat(100), 2), None);
    }
}
