//! Text that PostgreSQL cannot hold: it has no U+0000, which SQLite, LDAP and whoever types a name have.
//!
//! U+0000 is kept as U+0001 U+0001, and U+0001 as U+0001 U+0002. Different texts stay different, and sort by bytes as
//! before.

/// The text as PostgreSQL can hold it.
pub(crate) fn without_nul(text: String) -> String {
    if !text.contains(['\0', '\u{1}']) {
        return text;
    }
    let mut kept = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => kept.push_str("\u{1}\u{1}"),
            '\u{1}' => kept.push_str("\u{1}\u{2}"),
            other => kept.push(other),
        }
    }
    kept
}

/// The text that is kept like this.
pub(crate) fn with_nul(kept: String) -> String {
    if !kept.contains('\u{1}') {
        return kept;
    }
    let mut text = String::with_capacity(kept.len());
    let mut characters = kept.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\u{1}' => match characters.next() {
                Some('\u{1}') => '\0',
                // Whatever else follows was not written here; it is read as well as it can be.
                _ => '\u{1}',
            },
            other => other,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_order_stays() {
        let texts = [
            "",
            "\0",
            "\0\0",
            "\0\u{1}",
            "\0a",
            "\u{1}",
            "\u{1}\0",
            "\u{1}\u{1}",
            "\u{1}\u{2}",
            "\u{1}a",
            "\u{2}",
            "a",
            "a\0",
            "a\0b",
            "a\u{1}",
            "a\u{2}",
            "é",
        ];
        let kept: Vec<String> = texts.iter().map(|text| without_nul((*text).to_owned())).collect();
        for (text, kept) in texts.iter().zip(&kept) {
            assert!(!kept.contains('\0'), "{kept:?}");
            assert_eq!(*text, with_nul(kept.clone()));
        }
        assert!(texts.is_sorted() && kept.is_sorted(), "{kept:?}");
    }
}
