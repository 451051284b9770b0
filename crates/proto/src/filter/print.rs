//! Filters to text (RFC 4515), without recursion.

use std::fmt::{self, Write};

use super::Filter;

/// As RFC 4515 writes it: what [`Filter::parse`] reads back to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        enum Step<'f> {
            Filter(&'f Filter),
            Close,
        }
        let mut steps = vec![Step::Filter(self)];
        while let Some(step) = steps.pop() {
            let filter = match step {
                Step::Filter(filter) => filter,
                Step::Close => {
                    f.write_char(')')?;
                    continue;
                }
            };
            match filter {
                Filter::And(parts) | Filter::Or(parts) => {
                    f.write_str(if matches!(filter, Filter::And(_)) { "(&" } else { "(|" })?;
                    steps.push(Step::Close);
                    steps.extend(parts.iter().rev().map(Step::Filter));
                }
                Filter::Not(part) => {
                    f.write_str("(!")?;
                    steps.extend([Step::Close, Step::Filter(part)]);
                }
                item => {
                    f.write_char('(')?;
                    self::item(item, f)?;
                    f.write_char(')')?;
                }
            }
        }
        Ok(())
    }
}

/// What an option of an attribute description may have; RFC 4512's `keychar`, and what servers have besides.
pub(super) fn is_option_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn item(filter: &Filter, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match filter {
        Filter::Equal { attribute, value: content } => {
            name(attribute, f)?;
            f.write_char('=')?;
            value(content, f)
        }
        Filter::GreaterOrEqual { attribute, value: content } => {
            name(attribute, f)?;
            f.write_str(">=")?;
            value(content, f)
        }
        Filter::LessOrEqual { attribute, value: content } => {
            name(attribute, f)?;
            f.write_str("<=")?;
            value(content, f)
        }
        Filter::Approximate { attribute, value: content } => {
            name(attribute, f)?;
            f.write_str("~=")?;
            value(content, f)
        }
        Filter::Present(attribute) => {
            name(attribute, f)?;
            f.write_str("=*")
        }
        Filter::Substrings { attribute, initial, any, last } => {
            name(attribute, f)?;
            f.write_char('=')?;
            value(initial.as_deref().unwrap_or_default(), f)?;
            f.write_char('*')?;
            for piece in any {
                value(piece, f)?;
                f.write_char('*')?;
            }
            value(last.as_deref().unwrap_or_default(), f)
        }
        Filter::Extensible { rule, attribute, value: content, dn_attributes } => {
            name(attribute.as_deref().unwrap_or_default(), f)?;
            if *dn_attributes {
                f.write_str(":dn")?;
            }
            if let Some(rule) = rule {
                f.write_char(':')?;
                name(rule, f)?;
            }
            f.write_str(":=")?;
            value(content, f)
        }
        // Written by the caller.
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => Ok(()),
    }
}

/// An attribute or a rule. What cannot be in one is escaped: no text can break out, and none of it parses.
fn name(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        match is_option_byte(byte) || matches!(byte, b'.' | b';') {
            true => f.write_char(char::from(byte))?,
            false => write!(f, "\\{byte:02x}")?,
        }
    }
    Ok(())
}

/// A value: text as it is, what is special, invisible or no text as `\` and hex.
fn value(mut bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    while !bytes.is_empty() {
        let (text, rest) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        for c in text.chars() {
            match c {
                '*' | '(' | ')' | '\\' => write!(f, "\\{:02x}", u32::from(c))?,
                c if c.is_ascii_control() => write!(f, "\\{:02x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        bytes = rest;
        if let Some((byte, rest)) = bytes.split_first() {
            write!(f, "\\{byte:02x}")?;
            bytes = rest;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_place() {
        for value in ["*", "a)(b=c", "\\", "\0", "a\nb", "\\2a", "  ", ""] {
            let filter = Filter::equal("uid", value);
            assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
        assert_eq!(Filter::equal("uid", [0xff, b'a', 0xc3]).to_string(), r"(uid=\ffa\c3)");
    }

    #[test]
    fn attributes_cannot_leave_their_place() {
        for attribute in ["", "uid=*)(cn", "cn)", "c n", "a\\", "ä", ":dn:", "a\0"] {
            let text = (Filter::equal(attribute, "x") & Filter::present("y")).to_string();
            assert_eq!(text.matches(['(', ')']).count(), 6, "{text}");
            assert!(Filter::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_deep_filter_is_printed_whole() {
        let mut filter = Filter::present("a");
        for _ in 0..100 {
            filter = Filter::Not(Box::new(Filter::And(vec![filter])));
        }
        assert_eq!(filter.to_string().len(), "(a=*)".len() + 100 * "(!(&))".len());
    }
}
