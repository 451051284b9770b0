//! Values as RFC 4514 section 2.4 writes them.

/// Writes a value so that it cannot leave its place.
pub(super) fn value(mut value: &[u8], out: &mut String) {
    let start = out.len();
    let mut ends_in_space = false;
    while !value.is_empty() {
        let (text, rest) = match std::str::from_utf8(value) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = value.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        for c in text.chars() {
            let first = out.len() == start;
            ends_in_space = c == ' ' && !first;
            match c {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
                '#' | ' ' if first => out.extend(['\\', c]),
                c if c.is_ascii_control() => hex_pair(c as u8, out),
                c => out.push(c),
            }
        }
        value = rest;
        // Whatever stopped the decoder is written as a byte.
        if let Some((&byte, rest)) = value.split_first() {
            hex_pair(byte, out);
            ends_in_space = false;
            value = rest;
        }
    }
    // A first space has its backslash already.
    if ends_in_space {
        out.pop();
        out.push_str("\\ ");
    }
}

/// Writes BER as `#` and hex.
pub(super) fn encoded(ber: &[u8], out: &mut String) {
    out.push('#');
    for byte in ber {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0xf));
    }
}

fn hex_pair(byte: u8, out: &mut String) {
    out.extend(['\\', digit(byte >> 4), digit(byte & 0xf)]);
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    fn printed(value: &[u8]) -> String {
        let mut out = String::new();
        super::value(value, &mut out);
        out
    }

    #[test]
    fn special_characters_are_escaped_where_they_are_special() {
        assert_eq!(printed(b"James \"Jim\" Smith, III"), r#"James \"Jim\" Smith\, III"#);
        assert_eq!(printed(b"Before\rAfter"), r"Before\0dAfter");
        assert_eq!(printed("Lučić".as_bytes()), "Lučić");
        assert_eq!(printed(b"#a#"), r"\#a#");
        assert_eq!(printed(b" "), r"\ ");
        assert_eq!(printed(b"  "), r"\ \ ");
        assert_eq!(printed(b" a "), r"\ a\ ");
        assert_eq!(printed(b"a "), r"a\ ");
        assert_eq!(printed(b" \xff"), r"\ \ff");
        assert_eq!(printed(b"a\\ "), r"a\\\ ");
        assert_eq!(printed(b"\0"), r"\00");
        assert_eq!(printed(b"a\xffb"), r"a\ffb");
        assert_eq!(printed(b""), "");
    }
}
