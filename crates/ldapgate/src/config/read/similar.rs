//! "Did you mean": the known word nearest to a mistyped one.

/// The word of `known` that `typed` was probably meant to be: at most a third of its letters differ.
pub(crate) fn closest<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let typed: Vec<char> = typed.to_lowercase().chars().take(64).collect();
    let (distance, word) = known
        .into_iter()
        .map(|word| (distance(&typed, &word.chars().collect::<Vec<_>>()), word))
        .min_by_key(|(distance, _)| *distance)?;
    let allowed = (typed.len().max(word.len()) / 3).max(1);
    (distance <= allowed).then_some(word)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to get from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_of_the_keyboard_finds_its_word() {
        let known = ["idle", "absolute", "remember_me", "start_tls", "url"];
        assert_eq!(closest("iddle", known), Some("idle"));
        assert_eq!(closest("lide", known), None);
        assert_eq!(closest("absoltue", known), Some("absolute"));
        assert_eq!(closest("remember-me", known), Some("remember_me"));
        assert_eq!(closest("STARTTLS", known), Some("start_tls"));
        assert_eq!(closest("ulr", known), Some("url"));
        assert_eq!(closest("colour", known), None);
        assert_eq!(closest("x", []), None);
    }
}
