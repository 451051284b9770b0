//! From words to the parts of a definition (RFC 4512 section 4.1).

use super::token::{Token, Word, tokens};
use super::{DefinitionError, Extension};

/// No definition has a reason to have more names, OIDs and values, all its lists together.
const MOST_VALUES: usize = 20_000;

/// The words that begin a part, all kinds of definitions together.
const KEYWORDS: [&str; 28] = [
    "NAME",
    "DESC",
    "OBSOLETE",
    "SUP",
    "EQUALITY",
    "ORDERING",
    "SUBSTR",
    "SYNTAX",
    "SINGLE-VALUE",
    "COLLECTIVE",
    "NO-USER-MODIFICATION",
    "USAGE",
    "ABSTRACT",
    "STRUCTURAL",
    "AUXILIARY",
    "MUST",
    "MAY",
    "APPLIES",
    "AUX",
    "NOT",
    "FORM",
    "OC",
    "RANGE-LOWER",
    "RANGE-UPPER",
    "PROPERTY-GUID",
    "PROPERTY-SET-GUID",
    "CLASS-GUID",
    "INDEXED",
];

/// In upper case only: `name` is an attribute.
pub(super) fn is_keyword(word: &str) -> bool {
    word.starts_with("X-") || KEYWORDS.contains(&word)
}

/// What a definition is read into.
pub(super) trait Definition: Sized {
    /// A definition of this OID, or rule number, that says nothing else yet.
    fn new(id: String, at: usize) -> Result<Self, DefinitionError>;

    /// Takes the part that a keyword, in upper case, begins. `false`: there is no such part.
    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError>;

    /// Where parts go that the RFC does not know.
    fn extensions(&mut self) -> &mut Vec<Extension>;
}

/// Reads one definition.
pub(super) fn read<D: Definition>(text: &str) -> Result<D, DefinitionError> {
    let mut body = Body { tokens: tokens(text)?, next: 0, end: text.len(), values: 0 };
    if !body.take(&Word::Open) {
        return Err(body.missing("the opening parenthesis"));
    }
    let at = body.at();
    // A part where the OID is due: the OID was left out.
    let id = match body.peek() {
        Some(Word::Bare(word)) if !is_keyword(word) => body.word("an OID")?,
        Some(Word::Quoted(_)) => body.word("an OID")?,
        _ => return Err(body.missing("an OID")),
    };
    let mut definition = D::new(id, at)?;
    while !body.take(&Word::Close) {
        let keyword = body.keyword()?;
        if !definition.part(&keyword, &mut body)? {
            let values = body.extension()?;
            definition.extensions().push(Extension { name: keyword, values });
        }
    }
    match body.tokens.get(body.next) {
        Some(token) => Err(DefinitionError::Trailing { at: token.at }),
        None => Ok(definition),
    }
}

/// The words that are still to be read.
pub(super) struct Body<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    end: usize,
    /// How many values there were, in all lists.
    values: usize,
}

impl<'t> Body<'t> {
    /// The word that begins a part, in upper case.
    fn keyword(&mut self) -> Result<String, DefinitionError> {
        let fits =
            |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let Some(Word::Bare(word)) =
            self.peek().filter(|word| matches!(word, Word::Bare(word) if fits(word)))
        else {
            return Err(self.missing("a keyword or the closing parenthesis"));
        };
        let keyword = word.to_ascii_uppercase();
        self.next += 1;
        Ok(keyword)
    }

    /// One name, OID, number or text, quoted or not.
    pub(super) fn word(&mut self, expected: &'static str) -> Result<String, DefinitionError> {
        let word = match self.peek() {
            Some(Word::Bare(word)) => (*word).to_owned(),
            Some(Word::Quoted(text)) => text.trim().to_owned(),
            _ => return Err(self.missing(expected)),
        };
        if word.is_empty() {
            return Err(self.missing(expected));
        }
        self.next += 1;
        Ok(word)
    }

    /// A description, which may be empty and is kept as it is.
    pub(super) fn text(&mut self) -> Result<String, DefinitionError> {
        match self.peek() {
            Some(Word::Quoted(text)) => {
                let text = text.clone().into_owned();
                self.next += 1;
                Ok(text)
            }
            _ => self.word("a text"),
        }
    }

    /// The only word, or the first of a list; `None` where the list is empty.
    pub(super) fn one(&mut self, expected: &'static str) -> Result<Option<String>, DefinitionError> {
        Ok(self.words(expected)?.into_iter().next())
    }

    /// One word, or several between parentheses or `$`. None is an empty list, between parentheses or without.
    pub(super) fn words(&mut self, expected: &'static str) -> Result<Vec<String>, DefinitionError> {
        let at = self.at();
        let mut words = Vec::new();
        if self.take(&Word::Open) {
            while !self.take(&Word::Close) {
                if !self.take(&Word::Dollar) {
                    self.push(&mut words, expected, at)?;
                }
            }
            return Ok(words);
        }
        while self.is_value() {
            self.push(&mut words, expected, at)?;
            if !self.take(&Word::Dollar) {
                break;
            }
        }
        Ok(words)
    }

    fn push(
        &mut self,
        words: &mut Vec<String>,
        expected: &'static str,
        at: usize,
    ) -> Result<(), DefinitionError> {
        self.count(at)?;
        words.push(self.word(expected)?);
        Ok(())
    }

    fn count(&mut self, at: usize) -> Result<(), DefinitionError> {
        self.values += 1;
        if self.values > MOST_VALUES { Err(DefinitionError::TooMany { at }) } else { Ok(()) }
    }

    /// `{64}`, where it is there and a number.
    pub(super) fn length(&mut self) -> Option<u32> {
        let Some(Word::Length(digits)) = self.peek() else { return None };
        let length = digits.parse().ok();
        self.next += 1;
        length
    }

    pub(super) fn missing(&self, expected: &'static str) -> DefinitionError {
        DefinitionError::Missing { expected, at: self.at() }
    }

    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    /// What belongs to a keyword that no RFC knows: nothing, one value or several.
    fn extension(&mut self) -> Result<Vec<String>, DefinitionError> {
        match self.peek() {
            Some(Word::Open) => self.texts(),
            Some(Word::Quoted(_)) => Ok(vec![self.text()?]),
            Some(Word::Bare(word)) if !is_keyword(word) => Ok(vec![self.text()?]),
            _ => Ok(Vec::new()),
        }
    }

    fn texts(&mut self) -> Result<Vec<String>, DefinitionError> {
        let at = self.at();
        self.next += 1;
        let mut texts = Vec::new();
        while !self.take(&Word::Close) {
            if self.take(&Word::Dollar) {
                continue;
            }
            self.count(at)?;
            texts.push(self.text()?);
        }
        Ok(texts)
    }

    fn is_value(&self) -> bool {
        match self.peek() {
            Some(Word::Bare(word)) => !is_keyword(word),
            Some(Word::Quoted(_)) => true,
            _ => false,
        }
    }

    fn peek(&self) -> Option<&Word<'t>> {
        self.tokens.get(self.next).map(|token| &token.word)
    }

    fn take(&mut self, word: &Word<'_>) -> bool {
        let there = self.peek() == Some(word);
        self.next += usize::from(there);
        there
    }
}
