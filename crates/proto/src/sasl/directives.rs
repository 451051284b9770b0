//! The comma-separated `name=value` lists of DIGEST-MD5 (RFC 2831 section 7.1).

use std::borrow::Cow;

/// Directives in one message; real ones have about eight.
const MOST: usize = 64;

/// One `name=value`, the value freed of its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive<'m> {
    pub(super) name: &'m str,
    pub(super) value: Cow<'m, str>,
}

/// Reads a whole list; what is wrong with it otherwise.
pub(super) fn read(message: &str) -> Result<Vec<Directive<'_>>, &'static str> {
    let mut directives = Vec::new();
    let mut rest = message;
    loop {
        // Empty elements are allowed (RFC 2616 section 2.1).
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        if rest.is_empty() {
            return Ok(directives);
        }
        if directives.len() == MOST {
            return Err("it has too many directives");
        }
        let (name, after) = rest.split_once('=').ok_or("a directive has no value")?;
        let name = name.trim_end();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("a directive has no name");
        }
        let (value, after) = read_value(after.trim_start())?;
        directives.push(Directive { name, value });
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err("two directives without a comma between them");
        }
    }
}

fn read_value(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !c.is_ascii() || !is_token(c as u8)).unwrap_or(text.len());
        return match end {
            0 => Err("a directive has no value"),
            end => Ok((Cow::Borrowed(&text[..end]), &text[end..])),
        };
    };
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok((unescape(&quoted[..at]), &quoted[at + 1..])),
            _ => {}
        }
    }
    Err("a quotation mark is missing")
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        // The one after a backslash stands for itself.
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&octet) || b"/".contains(&octet)
}

/// A value between quotation marks.
pub(super) fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(message: &str) -> Vec<(String, String)> {
        read(message).unwrap().into_iter().map(|one| (one.name.to_owned(), one.value.into_owned())).collect()
    }

    #[test]
    fn lists_are_read_with_and_without_quotes() {
        for (message, expected) in [
            ("", vec![]),
            ("a=b", vec![("a", "b")]),
            (r#"realm="a\"b\\c",qop="auth,auth-int""#, vec![("realm", r#"a"b\c"#), ("qop", "auth,auth-int")]),
            (" a = b ,, c=\"\" ,", vec![("a", "b"), ("c", "")]),
            ("digest-uri=ldap/host", vec![("digest-uri", "ldap/host")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!(pairs(message), expected, "{message}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for message in ["a", "=b", "a=", "a=\"b", "a=\"b\\\"", "a=\"b\"c=d", "a b=c", "a=b c"] {
            assert!(read(message).is_err(), "{message}");
        }
        assert!(read(&"a=b,".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_quoted_is_read_again(value in ".{0,40}") {
            let message = format!("a={},b=c", quote(&value));
            prop_assert_eq!(pairs(&message), [("a".to_owned(), value), ("b".to_owned(), "c".to_owned())]);
        }
    }
}
