//! A value, cut at its placeholders.

use super::TemplateError;

/// What the placeholders stand for in one login at one directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    /// Trimmed, folded, without a domain of this directory.
    pub(crate) username: &'a str,
    /// As typed, trimmed.
    pub(crate) input: &'a str,
    /// The domain that was taken off; empty when there was none.
    pub(crate) domain: &'a str,
}

/// A value, cut at its placeholders.
#[derive(Debug, Clone)]
pub(super) struct Pieces(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<u8>),
    Username,
    Input,
    Domain,
}

impl Pieces {
    pub(super) fn parse(value: &[u8]) -> Result<Pieces, TemplateError> {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        let mut rest = value;
        while let Some((&byte, after)) = rest.split_first() {
            if !matches!(byte, b'{' | b'}') {
                text.push(byte);
                rest = after;
                continue;
            }
            if after.first() == Some(&byte) {
                text.push(byte);
                rest = &after[1..];
                continue;
            }
            let (piece, length) = Piece::at(rest)?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(piece);
            rest = &rest[length..];
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Pieces(pieces))
    }

    pub(super) fn has_placeholder(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    pub(super) fn names_somebody(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Username | Piece::Input))
    }

    /// What the placeholders stand for.
    pub(super) fn values<'a>(&'a self, values: Values<'a>) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |piece| piece.value(values))
    }

    /// The value; `None` when a placeholder in it has none.
    pub(super) fn fill(&self, values: Values<'_>) -> Option<Vec<u8>> {
        let mut filled = Vec::new();
        for piece in &self.0 {
            match (piece, piece.value(values)) {
                (Piece::Text(text), _) => filled.extend_from_slice(text),
                (_, Some("") | None) => return None,
                (_, Some(value)) => filled.extend_from_slice(value.as_bytes()),
            }
        }
        Some(filled)
    }
}

impl Piece {
    /// The placeholder that `rest` begins with, and its length.
    fn at(rest: &[u8]) -> Result<(Piece, usize), TemplateError> {
        for (name, piece) in
            [("{username}", Piece::Username), ("{input}", Piece::Input), ("{domain}", Piece::Domain)]
        {
            if rest.starts_with(name.as_bytes()) {
                return Ok((piece, name.len()));
            }
        }
        let end = rest.iter().position(|byte| *byte == b'}').map_or(rest.len(), |end| end + 1);
        Err(TemplateError::Placeholder { found: String::from_utf8_lossy(&rest[..end]).into_owned() })
    }

    fn value<'a>(&self, values: Values<'a>) -> Option<&'a str> {
        match self {
            Piece::Text(_) => None,
            Piece::Username => Some(values.username),
            Piece::Input => Some(values.input),
            Piece::Domain => Some(values.domain),
        }
    }
}
