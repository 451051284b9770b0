//! Text made comparable (RFC 4518), without its normalisation of composed characters.
//!
//! Case is folded one character at a time as OpenLDAP does: "ß" is not "ss", and the Turkish dotless "ı" is not "i",
//! which would let one person's name pass for another's.

/// For `caseIgnoreMatch`: case folded, spaces at the ends removed, several spaces inside made one.
pub(crate) fn ignore_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    squeeze(fold(text), &mut out, Ends { start: true, end: true });
    out
}

/// Does [`ignore_case`] only put this into lower case, and is nothing of it escaped in a name? True of nearly every value.
pub(crate) fn is_plain(text: &str) -> bool {
    let mut last = b' ';
    for byte in text.bytes() {
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | b'#' => return false,
            // At the start, or a second one.
            b' ' if last == b' ' => return false,
            b' '..=b'~' => last = byte,
            _ => return false,
        }
    }
    last != b' ' || text.is_empty()
}

/// For `caseExactMatch`: as [`ignore_case`], with the case left as it is.
pub(crate) fn exact_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    squeeze(text.chars().filter_map(map), &mut out, Ends { start: true, end: true });
    out
}

/// A piece of a substring assertion: spaces are removed at the ends that are ends of the value as well.
pub(crate) fn piece(text: &str, ignore_case: bool, ends: Ends) -> String {
    let mut out = String::with_capacity(text.len());
    match ignore_case {
        true => squeeze(fold(text), &mut out, ends),
        false => squeeze(text.chars().filter_map(map), &mut out, ends),
    }
    out
}

/// Which ends of a piece are ends of the value.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) start: bool,
    pub(crate) end: bool,
}

fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter_map(map).flat_map(char::to_lowercase).map(|c| match c {
        // The one letter with two lower cases.
        'ς' => 'σ',
        c => c,
    })
}

/// RFC 4518 section 2.2: what is invisible goes, whatever separates is a space.
fn map(c: char) -> Option<char> {
    match c {
        ' '..='~' => Some(c),
        '\t'..='\r' | '\u{85}' => Some(' '),
        '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180e}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => None,
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    }
}

fn squeeze(chars: impl Iterator<Item = char>, out: &mut String, ends: Ends) {
    let mut space = false;
    for c in chars {
        if c == ' ' {
            space = true;
            continue;
        }
        if space && !(out.is_empty() && ends.start) {
            out.push(' ');
        }
        space = false;
        out.push(c);
    }
    if space && !ends.end && !(out.is_empty() && ends.start) {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_spaces_do_not_matter() {
        assert_eq!(ignore_case("  Ada \t  LOVELACE\u{a0}"), "ada lovelace");
        assert_eq!(exact_case("  Ada   LOVELACE "), "Ada LOVELACE");
        assert_eq!(ignore_case("ΣΊΣΥΦΟΣ"), ignore_case("σίσυφος"));
        assert_eq!(ignore_case("a\u{ad}d\u{200b}a\0"), "ada");
        assert_eq!(ignore_case("   "), "");
    }

    #[test]
    fn letters_that_only_look_alike_stay_different() {
        assert_ne!(ignore_case("ı"), ignore_case("i"));
        assert_ne!(ignore_case("ß"), ignore_case("ss"));
        assert_ne!(ignore_case("İ"), ignore_case("i"));
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        for text in [" A  b ", "ΣΣ", "İ", "ẞ", "\u{2028}x\u{2029}", "ŉ"] {
            assert_eq!(ignore_case(&ignore_case(text)), ignore_case(text), "{text}");
        }
    }

    #[test]
    fn plain_text_is_only_put_into_lower_case() {
        let any = || (0..=0x80_u8).map(char::from);
        let texts =
            any().flat_map(|one| any().map(move |other| [format!("{one}{other}"), format!("{one}A{other}")]));
        for text in texts.flatten().filter(|text| is_plain(text)) {
            let mut written = String::new();
            crate::dn::print::value(ignore_case(&text).as_bytes(), &mut written);
            assert_eq!(written, text.to_ascii_lowercase());
        }
        assert!(is_plain("Ada Lovelace") && is_plain(""));
        assert!(!is_plain("Ada  Lovelace") && !is_plain(" ") && !is_plain("ä"));
    }

    #[test]
    fn pieces_keep_the_spaces_inside_of_a_value() {
        let inner = Ends { start: false, end: false };
        assert_eq!(piece("  A  b  ", true, inner), " a b ");
        assert_eq!(piece("  A  ", true, Ends { start: true, end: false }), "a ");
        assert_eq!(piece("  A  ", false, Ends { start: false, end: true }), " A");
        assert_eq!(piece("  ", true, inner), " ");
    }
}
