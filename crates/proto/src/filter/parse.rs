//! Text to filters, without recursion.

use bytes::Bytes;

use super::{Filter, FilterError, FilterErrorKind as Kind, MAX_CLAUSES, MAX_DEPTH, is_attribute_description};

pub(super) fn filter(text: &str) -> Result<Filter, FilterError> {
    let mut parser = Parser { text: text.as_bytes(), at: 0, clauses: 0 };
    parser.skip_spaces();
    let filter = match parser.peek() {
        None => return parser.fail(Kind::Empty),
        Some(b'(') => parser.parenthesised()?,
        // One comparison without parentheses, as the tools of OpenLDAP take it.
        Some(_) => parser.item()?,
    };
    parser.skip_spaces();
    match parser.peek() {
        None => Ok(filter),
        Some(_) => parser.fail(Kind::Trailing),
    }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    clauses: usize,
}

/// `(&`, `(|` or `(!` whose end has not come.
struct Open {
    operator: u8,
    parts: Vec<Filter>,
}

impl Parser<'_> {
    fn parenthesised(&mut self) -> Result<Filter, FilterError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.skip_spaces();
            let mut complete = match self.peek() {
                Some(b'(') => {
                    self.clause(open.len())?;
                    match self.operator() {
                        Some(operator) => {
                            open.push(Open { operator, parts: Vec::new() });
                            None
                        }
                        None => {
                            let item = self.item()?;
                            self.close()?;
                            Some(item)
                        }
                    }
                }
                Some(b')') => match open.pop() {
                    Some(ended) => Some(self.end(ended)?),
                    None => return self.fail(Kind::Open),
                },
                _ if open.is_empty() => return self.fail(Kind::Open),
                _ => return self.fail(Kind::Close),
            };
            match (complete.take(), open.last_mut()) {
                (Some(filter), Some(around)) => around.parts.push(filter),
                (Some(filter), None) => return Ok(filter),
                (None, _) => {}
            }
        }
    }

    /// Takes `(` and counts it.
    fn clause(&mut self, depth: usize) -> Result<(), FilterError> {
        if depth == MAX_DEPTH {
            return self.fail(Kind::TooDeep);
        }
        if self.clauses == MAX_CLAUSES {
            return self.fail(Kind::TooManyClauses);
        }
        self.clauses += 1;
        self.at += 1;
        self.skip_spaces();
        Ok(())
    }

    fn operator(&mut self) -> Option<u8> {
        let operator = self.peek().filter(|byte| matches!(byte, b'&' | b'|' | b'!'))?;
        self.at += 1;
        Some(operator)
    }

    /// Takes the `)` of `ended`.
    fn end(&mut self, ended: Open) -> Result<Filter, FilterError> {
        let filter = match (ended.operator, ended.parts) {
            (b'&', parts) => Filter::And(parts),
            (b'|', parts) => Filter::Or(parts),
            (_, mut parts) => match (parts.pop(), parts.is_empty()) {
                (Some(part), true) => Filter::Not(Box::new(part)),
                _ => return self.fail(Kind::Not),
            },
        };
        self.at += 1;
        Ok(filter)
    }

    fn close(&mut self) -> Result<(), FilterError> {
        if self.peek() != Some(b')') {
            return self.fail(Kind::Close);
        }
        self.at += 1;
        Ok(())
    }

    /// A comparison, up to its `)` or the end.
    fn item(&mut self) -> Result<Filter, FilterError> {
        let start = self.at;
        let described = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b';');
        while self.peek().is_some_and(described) {
            self.at += 1;
        }
        let attribute = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        self.skip_spaces();
        if self.peek() == Some(b':') {
            return self.extensible(attribute, start);
        }
        if !is_attribute_description(&attribute) {
            return Err(FilterError::new(Kind::Attribute, start));
        }
        let operator = match (self.peek(), self.text.get(self.at + 1)) {
            (Some(b'='), _) => b'=',
            (Some(operator @ (b'>' | b'<' | b'~')), Some(b'=')) => {
                self.at += 1;
                operator
            }
            _ => return self.fail(Kind::Operator),
        };
        self.at += 1;
        match operator {
            b'=' => self.equality(attribute),
            b'>' => Ok(Filter::GreaterOrEqual { attribute, value: self.value()? }),
            b'<' => Ok(Filter::LessOrEqual { attribute, value: self.value()? }),
            _ => Ok(Filter::Approximate { attribute, value: self.value()? }),
        }
    }

    /// Equality, presence or substrings, which only the asterisks tell apart.
    fn equality(&mut self, attribute: String) -> Result<Filter, FilterError> {
        let first = self.piece()?;
        if self.peek() != Some(b'*') {
            return Ok(Filter::Equal { attribute, value: first });
        }
        let mut pieces = Vec::new();
        while self.peek() == Some(b'*') {
            self.at += 1;
            pieces.push(self.piece()?);
        }
        let last = pieces.pop().filter(|piece| !piece.is_empty());
        let initial = Some(first).filter(|piece| !piece.is_empty());
        // Several asterisks in a row say no more than one.
        pieces.retain(|piece| !piece.is_empty());
        if initial.is_none() && last.is_none() && pieces.is_empty() {
            return Ok(Filter::Present(attribute));
        }
        Ok(Filter::Substrings { attribute, initial, any: pieces, last })
    }

    /// `[attribute][:dn][:rule]:=value`, from the first colon.
    fn extensible(&mut self, attribute: String, start: usize) -> Result<Filter, FilterError> {
        let attribute = Some(attribute).filter(|attribute| !attribute.is_empty());
        if attribute.as_deref().is_some_and(|attribute| !is_attribute_description(attribute)) {
            return Err(FilterError::new(Kind::Attribute, start));
        }
        let mut dn_attributes = false;
        let mut rule: Option<String> = None;
        while self.text.get(self.at + 1) != Some(&b'=') {
            self.at += 1;
            let part_start = self.at;
            while self.peek().is_some_and(|byte| byte != b':' && byte != b'=' && byte != b')') {
                self.at += 1;
            }
            if self.peek() != Some(b':') {
                return self.fail(Kind::Operator);
            }
            let part = String::from_utf8_lossy(&self.text[part_start..self.at]).into_owned();
            if part.eq_ignore_ascii_case("dn") && !dn_attributes && rule.is_none() {
                dn_attributes = true;
            } else if rule.is_none() && crate::dn::is_attribute_type(&part) {
                rule = Some(part);
            } else {
                return Err(FilterError::new(Kind::Rule, part_start));
            }
        }
        if attribute.is_none() && rule.is_none() {
            return self.fail(Kind::Rule);
        }
        self.at += 2;
        Ok(Filter::Extensible { rule, attribute, value: self.value()?, dn_attributes })
    }

    /// A whole value, in which no asterisk can be.
    fn value(&mut self) -> Result<Bytes, FilterError> {
        let value = self.piece()?;
        match self.peek() {
            Some(b'*') => self.fail(Kind::Asterisk),
            _ => Ok(value),
        }
    }

    /// A value or a piece of one, up to an asterisk, a `)` or the end.
    fn piece(&mut self) -> Result<Bytes, FilterError> {
        let mut value = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'*' | b')' => break,
                b'(' | 0 => return self.fail(Kind::Special(char::from(byte))),
                b'\\' => value.push(self.escape()?),
                byte => {
                    value.push(byte);
                    self.at += 1;
                }
            }
        }
        Ok(Bytes::from(value))
    }

    fn escape(&mut self) -> Result<u8, FilterError> {
        let digit = |index: usize| self.text.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        if let (Some(high), Some(low)) = (digit(self.at + 1), digit(self.at + 2)) {
            self.at += 3;
            return Ok((high * 16 + low) as u8);
        }
        // As RFC 1960 wrote it.
        match self.text.get(self.at + 1) {
            Some(&byte @ (b'*' | b'(' | b')' | b'\\')) => {
                self.at += 2;
                Ok(byte)
            }
            _ => self.fail(Kind::Escape),
        }
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fail<T>(&self, kind: Kind) -> Result<T, FilterError> {
        Err(FilterError::new(kind, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_survive_both_ways() {
        for text in [
            "(cn=Babs Jensen)",
            "(!(cn=Tim Howes))",
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            "(o=univ*of*mich*)",
            "(seeAlso=)",
            "(cn:caseExactMatch:=Fred Flintstone)",
            "(cn:=Betty Rubble)",
            "(sn:dn:2.4.6.8.10:=Barney Rubble)",
            "(o:dn:=Ace Industry)",
            "(:1.2.3:=Wilma Flintstone)",
            "(:dn:2.4.6.8.10:=Dino)",
            r"(o=Parens R Us \28for all your parenthetical needs\29)",
            r"(cn=*\2a*)",
            r"(filename=C:\5cMyFile)",
            r"(bin=\00\00\00\04)",
            "(sn=Lučić)",
            "(1.3.6.1.4.1.1466.0=\u{4}\u{2}Hi)",
            "(&)",
            "(|)",
            "(cn;lang-de=*)",
            "(a>=5)",
            "(a<=5)",
            "(a~=5)",
        ] {
            let parsed = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let printed = parsed.to_string();
            assert_eq!(Filter::parse(&printed).as_ref(), Ok(&parsed), "{text}");
            if !text.contains('\u{4}') {
                assert_eq!(printed, text);
            }
        }
    }

    #[test]
    fn other_ways_to_write_the_same_are_read() {
        for (text, expected) in [
            ("cn=ada", "(cn=ada)"),
            (" ( & ( cn=ada ) \n (sn=b) ) ", "(&(cn=ada )(sn=b))"),
            ("(cn=**a***b**)", "(cn=*a*b*)"),
            ("(cn=***)", "(cn=*)"),
            (r"(cn=\*\(\)\\\2A)", r"(cn=\2a\28\29\5c\2a)"),
            ("(cn = ada)", "(cn= ada)"),
            (r"(cn=\6a)", "(cn=j)"),
        ] {
            assert_eq!(
                Filter::parse(text).map(|filter| filter.to_string()).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_filter_is_told_with_its_place() {
        for (text, kind, offset) in [
            ("", Kind::Empty, 0),
            ("  ", Kind::Empty, 2),
            ("(", Kind::Attribute, 1),
            ("()", Kind::Attribute, 1),
            (")", Kind::Attribute, 0),
            ("(cn=a", Kind::Close, 5),
            ("(cn=a))", Kind::Trailing, 6),
            ("cn=a)", Kind::Trailing, 4),
            ("(cn=a)(sn=b)", Kind::Trailing, 6),
            ("(&(cn=a)", Kind::Close, 8),
            ("(&(cn=a)x)", Kind::Close, 8),
            ("(&cn=a)", Kind::Close, 2),
            ("(!)", Kind::Not, 2),
            ("(!(a=b)(c=d))", Kind::Not, 12),
            ("(cn)", Kind::Operator, 3),
            ("(cn>a)", Kind::Operator, 3),
            ("(c n=a)", Kind::Operator, 3),
            ("(1.=a)", Kind::Attribute, 1),
            ("(=a)", Kind::Attribute, 1),
            ("(ä=a)", Kind::Attribute, 1),
            (r"(\63n=a)", Kind::Attribute, 1),
            (r"(cn=\)", Kind::Close, 6),
            (r"(cn=\6)", Kind::Escape, 4),
            (r"(cn=\zz)", Kind::Escape, 4),
            ("(cn=a(b)", Kind::Special('('), 5),
            ("(cn=a\0)", Kind::Special('\0'), 5),
            ("(cn>=a*)", Kind::Asterisk, 6),
            ("(cn:=a*)", Kind::Asterisk, 6),
            ("(:=a)", Kind::Rule, 1),
            ("(:dn:=a)", Kind::Rule, 4),
            ("(cn:a b:=a)", Kind::Rule, 4),
            ("(cn:a:b:=a)", Kind::Rule, 6),
            ("(cn:a)", Kind::Operator, 5),
            ("(cn:a=b)", Kind::Operator, 5),
            ("(cn:", Kind::Operator, 4),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{text}");
        }
    }

    #[test]
    fn depth_and_number_of_clauses_are_limited() {
        let nest = |depth: usize| format!("{}(a=b){}", "(!".repeat(depth - 1), ")".repeat(depth - 1));
        assert!(Filter::parse(&nest(MAX_DEPTH)).is_ok());
        assert_eq!(Filter::parse(&nest(MAX_DEPTH + 1)).expect_err("deep").kind(), Kind::TooDeep);
        assert_eq!(Filter::parse(&nest(1_000_000)).expect_err("deep").kind(), Kind::TooDeep);
        let list = |count: usize| format!("(|{})", "(a=b)".repeat(count - 1));
        assert!(Filter::parse(&list(MAX_CLAUSES)).is_ok());
        assert_eq!(Filter::parse(&list(MAX_CLAUSES + 1)).expect_err("many").kind(), Kind::TooManyClauses);
    }
}
