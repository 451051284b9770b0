//! A definition's words, read with patience: what real servers leave out or write differently is understood.

use std::borrow::Cow;

use super::DefinitionError;

/// No definition has a reason to be longer: Active Directory's longest, with all extensions, has some 30,000 bytes.
const MOST_BYTES: usize = 512 * 1024;
/// A length has ten digits at most; with its braces and some spaces no more than this.
const LONGEST_LENGTH: usize = 32;

/// One word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) at: usize,
    pub(super) word: Word<'t>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'t> {
    Open,
    Close,
    Dollar,
    /// A keyword, name, OID or number, without quotes.
    Bare(&'t str),
    /// What was between quotes, its escapes undone.
    Quoted(Cow<'t, str>),
    /// `{64}` behind a syntax.
    Length(&'t str),
}

/// Splits a definition into words; between them spaces may be missing or be too many.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, DefinitionError> {
    if text.len() > MOST_BYTES {
        return Err(DefinitionError::TooLong { length: text.len() });
    }
    let mut tokens = Vec::new();
    let mut at = behind_order(text);
    while let Some(first) = text[at..].chars().next() {
        let (word, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '$' => (Word::Dollar, 1),
            '\'' | '"' => quoted(&text[at..], first).ok_or(DefinitionError::OpenQuote { at })?,
            '{' => length(&text[at..]),
            _ => bare(&text[at..]),
        };
        tokens.push(Token { at, word });
        at += length;
    }
    Ok(tokens)
}

/// OpenLDAP numbers the values of `cn=config`: `{12}( 1.2.3 ...`.
fn behind_order(text: &str) -> usize {
    let number = text.trim_start().strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match number {
        Some((digits, rest)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => text.len() - rest.len(),
        _ => 0,
    }
}

fn bare(rest: &str) -> (Word<'_>, usize) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '$' | '\'' | '"' | '{');
    // The first letter belongs to the word whatever it is: each word is one letter at least.
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let length = rest[first..].find(ends).map_or(rest.len(), |end| first + end);
    (Word::Bare(&rest[..length]), length)
}

fn length(rest: &str) -> (Word<'_>, usize) {
    match rest.bytes().take(LONGEST_LENGTH).position(|byte| byte == b'}') {
        Some(end) => (Word::Length(rest[1..end].trim()), end + 1),
        None => bare(rest),
    }
}

/// RFC 4512 section 4.1: a quote inside is `\27`, a backslash `\5C`. Inside double quotes, which some write, a single
/// quote is nothing special; a single quote that is followed by the rest of a word is an apostrophe that was not escaped.
fn quoted(rest: &str, quote: char) -> Option<(Word<'_>, usize)> {
    let mut from = 1;
    let end = loop {
        let end = from + rest[from..].find(quote)?;
        if closes(&rest[end + 1..]) {
            break end;
        }
        from = end + 1;
    };
    Some((Word::Quoted(unescaped(&rest[1..end])), end + 1))
}

fn closes(behind: &str) -> bool {
    let word = &behind[..behind.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(behind.len())];
    word.is_empty() || super::parse::is_keyword(word)
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        plain.push_str(&rest[..place]);
        rest = &rest[place..];
        // Any other backslash is meant as one: Windows paths in descriptions.
        let escaped = match rest.get(1..3) {
            Some("27") => '\'',
            Some(code) if code.eq_ignore_ascii_case("5c") => '\\',
            _ => {
                plain.push('\\');
                rest = &rest[1..];
                continue;
            }
        };
        plain.push(escaped);
        rest = &rest[3..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word<'_>> {
        tokens(text).unwrap().into_iter().map(|token| token.word).collect()
    }

    fn quoted(text: &str) -> Word<'_> {
        Word::Quoted(text.into())
    }

    #[test]
    fn spaces_may_be_missing_or_too_many() {
        let expected = vec![
            Word::Open,
            Word::Bare("1.2"),
            Word::Bare("NAME"),
            quoted("a"),
            Word::Bare("SUP"),
            Word::Bare("b"),
            Word::Close,
        ];
        assert_eq!(words("(1.2 NAME'a'SUP b)"), expected);
        assert_eq!(words("  (\t1.2   NAME\n'a'  SUP b )  "), expected);
        assert_eq!(words("{12}( 1.2 NAME 'a' SUP b )"), expected);
    }

    #[test]
    fn quotes_are_escaped_as_the_rfc_says_and_apostrophes_are_understood() {
        assert_eq!(words(r"'it\27s \5c and \5C'"), [quoted(r"it's \ and \")]);
        assert_eq!(words(r"'C:\dir\'"), [quoted(r"C:\dir\")]);
        assert_eq!(words("'the user's name' SUP"), [quoted("the user's name"), Word::Bare("SUP")]);
        assert_eq!(words("\"it's\" 'x'"), [quoted("it's"), quoted("x")]);
        assert_eq!(tokens("( 'ü\\"), Err(DefinitionError::OpenQuote { at: 2 }));
    }

    #[test]
    fn a_length_stands_apart_with_or_without_a_space() {
        for text in ["1.2{64}", "1.2 {64}", "'1.2'{ 64 }"] {
            assert_eq!(words(text)[1], Word::Length("64"), "{text}");
        }
    }

    #[test]
    fn a_brace_is_not_sought_far_away() {
        let far = format!("1.2{{{}64}}", " ".repeat(LONGEST_LENGTH));
        assert_eq!(words(&far)[1], Word::Bare("{"));
        assert_eq!(words(&"{".repeat(MOST_BYTES)).len(), MOST_BYTES);
    }
}
