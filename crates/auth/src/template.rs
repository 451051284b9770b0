//! What an operator writes with `{username}` in it: parsed once, when the configuration is read, and filled with values,
//! never with text. A value that looks like a placeholder, a filter or a name stays a value.

use proto::{Bytes, Dn, DnError, Filter, FilterError, Rdn};

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

/// A search filter in which values may hold `{username}`, `{input}` and `{domain}`.
///
/// ```
/// use ldapgate_auth::FilterTemplate;
/// assert!(FilterTemplate::parse("(|(uid={username})(mail={input}))")?.has_placeholder());
/// assert!(!FilterTemplate::parse("(objectClass=person)")?.has_placeholder());
/// assert!(FilterTemplate::parse("(uid={user})").is_err());
/// assert!(FilterTemplate::parse("({username}=x)").is_err());
/// # Ok::<(), ldapgate_auth::TemplateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FilterTemplate {
    node: Node,
    text: String,
}

/// A name whose values may hold placeholders: `uid={username},ou=people,dc=example,dc=com`.
#[derive(Debug, Clone)]
pub struct DnTemplate {
    /// Leaf first.
    rdns: Vec<Part>,
    text: String,
}

/// A bind name that is no DN: `{username}@example.com`. The values are letters, digits, `.`, `_` and `-` only.
#[derive(Debug, Clone)]
pub struct BindNameTemplate {
    pieces: Pieces,
    text: String,
}

/// `user.dn_template`: whom to bind as without a search.
#[derive(Debug, Clone)]
pub enum UserTemplate {
    /// With a `=` in it.
    Dn(DnTemplate),
    /// Without.
    BindName(BindNameTemplate),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not RFC 4515.
    #[error("{text:?} is no filter")]
    Filter {
        /// What was written.
        text: String,
        /// Where it goes wrong.
        source: FilterError,
    },
    /// Not RFC 4514.
    #[error("{text:?} is no name")]
    Dn {
        /// What was written.
        text: String,
        /// Where it goes wrong.
        source: DnError,
    },
    /// A brace that is neither a placeholder nor doubled.
    #[error(
        "{found:?} is no placeholder: there are {{username}}, {{input}} and {{domain}}, and a brace is written twice"
    )]
    Placeholder {
        /// What stands there.
        found: String,
    },
    /// Everybody would be the same person.
    #[error("{text:?} needs {{username}} or {{input}}: without it everybody would be the same person")]
    Nobody {
        /// What was written.
        text: String,
    },
    /// A value that is no text cannot be built anew.
    #[error("{text:?} has a value that is not text")]
    NotText {
        /// What was written.
        text: String,
    },
    /// A bind name is looked up as `userPrincipalName` afterwards.
    #[error(
        "{text:?} is neither a name (uid={{username}},...) nor a bind name with a domain ({{username}}@example.com)"
    )]
    BindName {
        /// What was written.
        text: String,
    },
}

impl FilterTemplate {
    /// Parses RFC 4515 text with placeholders in values. A brace that is meant is written twice.
    ///
    /// # Errors
    /// [`TemplateError::Filter`] or [`TemplateError::Placeholder`].
    pub fn parse(text: &str) -> Result<FilterTemplate, TemplateError> {
        let filter =
            Filter::parse(text).map_err(|source| TemplateError::Filter { text: text.to_owned(), source })?;
        Ok(FilterTemplate { node: Node::of(filter)?, text: text.to_owned() })
    }

    /// Does the typed name stand in it? Then it is the whole search, otherwise it narrows one.
    pub fn has_placeholder(&self) -> bool {
        self.node.has_placeholder()
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The filter for one name. A clause whose placeholder has no value can match nobody; `None` when the whole
    /// filter cannot.
    pub(crate) fn fill(&self, values: Values<'_>) -> Option<Filter> {
        self.node.fill(values)
    }
}

impl DnTemplate {
    /// Parses RFC 4514 text with placeholders in values.
    ///
    /// # Errors
    /// [`TemplateError::Dn`], [`TemplateError::Placeholder`], [`TemplateError::Nobody`], [`TemplateError::NotText`].
    pub fn parse(text: &str) -> Result<DnTemplate, TemplateError> {
        let dn = Dn::parse(text).map_err(|source| TemplateError::Dn { text: text.to_owned(), source })?;
        let rdns = dn.rdns().iter().map(|rdn| Part::of(rdn, text)).collect::<Result<Vec<_>, _>>()?;
        if !rdns.iter().any(Part::names_somebody) {
            return Err(TemplateError::Nobody { text: text.to_owned() });
        }
        Ok(DnTemplate { rdns, text: text.to_owned() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name for one login; `None` when a placeholder has no value.
    pub(crate) fn fill(&self, values: Values<'_>) -> Option<Dn> {
        let mut dn = Dn::root();
        for part in self.rdns.iter().rev() {
            dn = dn.child(part.fill(values)?);
        }
        Some(dn)
    }
}

impl BindNameTemplate {
    /// Parses a bind name with placeholders.
    ///
    /// # Errors
    /// [`TemplateError::BindName`] without an `@`, [`TemplateError::Placeholder`], [`TemplateError::Nobody`].
    pub fn parse(text: &str) -> Result<BindNameTemplate, TemplateError> {
        let pieces = Pieces::parse(text.as_bytes())?;
        if !pieces.names_somebody() {
            return Err(TemplateError::Nobody { text: text.to_owned() });
        }
        if !text.contains('@') {
            return Err(TemplateError::BindName { text: text.to_owned() });
        }
        Ok(BindNameTemplate { pieces, text: text.to_owned() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bind name for one login; `None` when a value is empty or holds more than letters, digits, `.`, `_`, `-`:
    /// servers read bind names in many ways, and none of them escapes.
    pub(crate) fn fill(&self, values: Values<'_>) -> Option<String> {
        let plain =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        let used = |piece: &Piece| piece.value(values).is_none_or(plain);
        if !self.pieces.0.iter().all(used) {
            return None;
        }
        String::from_utf8(self.pieces.fill(values)?).ok()
    }
}

impl UserTemplate {
    /// A name when there is a `=` in it, a bind name otherwise.
    ///
    /// # Errors
    /// Those of [`DnTemplate::parse`] and [`BindNameTemplate::parse`].
    pub fn parse(text: &str) -> Result<UserTemplate, TemplateError> {
        if text.contains('=') {
            return DnTemplate::parse(text).map(UserTemplate::Dn);
        }
        BindNameTemplate::parse(text).map(UserTemplate::BindName)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        match self {
            UserTemplate::Dn(template) => template.as_str(),
            UserTemplate::BindName(template) => template.as_str(),
        }
    }
}

#[derive(Debug, Clone)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(Leaf),
}

impl Node {
    fn of(filter: Filter) -> Result<Node, TemplateError> {
        Ok(match filter {
            Filter::And(filters) => Node::And(filters.into_iter().map(Node::of).collect::<Result<_, _>>()?),
            Filter::Or(filters) => Node::Or(filters.into_iter().map(Node::of).collect::<Result<_, _>>()?),
            Filter::Not(filter) => Node::Not(Box::new(Node::of(*filter)?)),
            leaf => Node::Leaf(Leaf::of(leaf)?),
        })
    }

    fn has_placeholder(&self) -> bool {
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().any(Node::has_placeholder),
            Node::Not(node) => node.has_placeholder(),
            Node::Leaf(leaf) => leaf.values.iter().any(Pieces::has_placeholder),
        }
    }

    /// `None` is a filter that is false. Its negation counts as false too: a placeholder without a value must never
    /// widen a search.
    fn fill(&self, values: Values<'_>) -> Option<Filter> {
        match self {
            Node::And(nodes) => {
                nodes.iter().map(|node| node.fill(values)).collect::<Option<_>>().map(Filter::And)
            }
            Node::Or(nodes) if nodes.is_empty() => Some(Filter::Or(Vec::new())),
            Node::Or(nodes) => {
                let filled: Vec<_> = nodes.iter().filter_map(|node| node.fill(values)).collect();
                (!filled.is_empty()).then_some(Filter::Or(filled))
            }
            Node::Not(node) => node.fill(values).map(|filter| Filter::Not(Box::new(filter))),
            Node::Leaf(leaf) => leaf.fill(values),
        }
    }
}

/// One comparison: its shape, and its values in the order of [`Leaf::slots`].
#[derive(Debug, Clone)]
struct Leaf {
    shape: Filter,
    values: Vec<Pieces>,
}

impl Leaf {
    fn of(mut shape: Filter) -> Result<Leaf, TemplateError> {
        let values = Leaf::slots(&mut shape)
            .into_iter()
            .map(|value| Pieces::parse(value))
            .collect::<Result<_, _>>()?;
        Ok(Leaf { shape, values })
    }

    fn fill(&self, values: Values<'_>) -> Option<Filter> {
        let mut filter = self.shape.clone();
        for (slot, pieces) in Leaf::slots(&mut filter).into_iter().zip(&self.values) {
            *slot = pieces.fill(values)?.into();
        }
        Some(filter)
    }

    fn slots(filter: &mut Filter) -> Vec<&mut Bytes> {
        match filter {
            Filter::Equal { value, .. }
            | Filter::GreaterOrEqual { value, .. }
            | Filter::LessOrEqual { value, .. }
            | Filter::Approximate { value, .. }
            | Filter::Extensible { value, .. } => vec![value],
            Filter::Substrings { initial, any, last, .. } => {
                initial.iter_mut().chain(any.iter_mut()).chain(last.iter_mut()).collect()
            }
            Filter::Present(_) | Filter::And(_) | Filter::Or(_) | Filter::Not(_) => Vec::new(),
        }
    }
}

/// One RDN of a name.
#[derive(Debug, Clone)]
struct Part(Vec<(String, Pieces)>);

impl Part {
    fn of(rdn: &Rdn, whole: &str) -> Result<Part, TemplateError> {
        let mut avas = Vec::new();
        for ava in rdn.avas() {
            let text = ava.text().ok_or_else(|| TemplateError::NotText { text: whole.to_owned() })?;
            avas.push((ava.attribute().to_owned(), Pieces::parse(text.as_bytes())?));
        }
        Ok(Part(avas))
    }

    fn names_somebody(&self) -> bool {
        self.0.iter().any(|(_, pieces)| pieces.names_somebody())
    }

    fn fill(&self, values: Values<'_>) -> Option<Rdn> {
        let mut rdn: Option<Rdn> = None;
        for (attribute, pieces) in &self.0 {
            let value = String::from_utf8(pieces.fill(values)?).ok()?;
            rdn = match rdn {
                None => Rdn::new(attribute, value),
                Some(rdn) => rdn.with(attribute, value),
            }
            .ok();
            rdn.as_ref()?;
        }
        rdn
    }
}

/// A value, cut at its placeholders.
#[derive(Debug, Clone)]
struct Pieces(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<u8>),
    Username,
    Input,
    Domain,
}

impl Pieces {
    fn parse(value: &[u8]) -> Result<Pieces, TemplateError> {
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

    fn has_placeholder(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    fn names_somebody(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Username | Piece::Input))
    }

    fn fill(&self, values: Values<'_>) -> Option<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(username: &str) -> Values<'_> {
        Values { username, input: username, domain: "" }
    }

    fn filter(template: &str, username: &str) -> Option<Filter> {
        FilterTemplate::parse(template).unwrap().fill(named(username))
    }

    #[test]
    fn a_name_that_is_a_filter_stays_a_value() {
        let built = filter("(uid={username})", "*)(objectClass=*").unwrap();
        assert_eq!(built, Filter::equal("uid", "*)(objectClass=*"));
        assert_eq!(filter("(cn=*{username}*)", "*").unwrap(), Filter::contains("cn", "*"));
    }

    #[test]
    fn a_name_that_is_a_placeholder_is_never_expanded_again() {
        let values = Values { username: "{input}", input: "{domain}", domain: "{username}" };
        let built = FilterTemplate::parse("(a={username}-{input}-{domain})").unwrap().fill(values).unwrap();
        assert_eq!(built, Filter::equal("a", "{input}-{domain}-{username}"));
    }

    #[test]
    fn a_doubled_brace_is_a_brace() {
        assert_eq!(filter("(a={{username}})", "x").unwrap(), Filter::equal("a", "{username}"));
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        for (template, found) in [("(uid={user})", "{user}"), ("(uid={)", "{"), ("(uid=a}b)", "}")] {
            let error = FilterTemplate::parse(template).unwrap_err();
            assert_eq!(error, TemplateError::Placeholder { found: found.to_owned() });
        }
    }

    #[test]
    fn a_placeholder_without_a_value_never_widens_a_search() {
        assert_eq!(filter("(cn={domain}*)", "x"), None);
        assert_eq!(filter("(!(cn={domain}))", "x"), None);
        assert_eq!(filter("(&(uid={username})(cn={domain}))", "x"), None);
        let either = filter("(|(uid={username})(cn={domain}))", "x").unwrap();
        assert_eq!(either, Filter::Or(vec![Filter::equal("uid", "x")]));
    }

    #[test]
    fn a_name_template_builds_values() {
        let template = DnTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap();
        let dn = template.fill(named("a,ou=admins")).unwrap();
        assert_eq!(dn.rdns().len(), 4);
        assert_eq!(dn.rdns()[0].avas()[0].value(), b"a,ou=admins");
        assert!(dn.is_below(&Dn::parse("ou=people,dc=example,dc=com").unwrap()));
    }

    #[test]
    fn a_name_template_needs_a_name_in_it() {
        for text in ["uid=alice,dc=example", "dc={domain},dc=com"] {
            assert_eq!(DnTemplate::parse(text).unwrap_err(), TemplateError::Nobody { text: text.to_owned() });
        }
        assert!(matches!(DnTemplate::parse("uid={username}},dc=x"), Err(TemplateError::Placeholder { .. })));
    }

    #[test]
    fn a_bind_name_takes_plain_names_only() {
        let template = BindNameTemplate::parse("{username}@example.com").unwrap();
        assert_eq!(template.fill(named("alice.b_c-1")).as_deref(), Some("alice.b_c-1@example.com"));
        for bad in ["a@b", "a b", "a\\b", "a*", "é", "a,b", ""] {
            assert_eq!(template.fill(named(bad)), None, "{bad:?}");
        }
        assert!(BindNameTemplate::parse("CORP\\{username}").is_err());
        assert!(BindNameTemplate::parse("alice@example.com").is_err());
    }

    #[test]
    fn an_equals_sign_tells_a_name_from_a_bind_name() {
        assert!(matches!(UserTemplate::parse("uid={username},dc=x"), Ok(UserTemplate::Dn(_))));
        assert!(matches!(UserTemplate::parse("{username}@x"), Ok(UserTemplate::BindName(_))));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_only_ever_becomes_the_value(username in "\\PC{1,40}") {
            let built = filter("(&(objectClass=person)(uid={username}))", &username).unwrap();
            let wanted = Filter::And(vec![Filter::equal("objectClass", "person"), Filter::equal("uid", &username)]);
            prop_assert_eq!(&built, &wanted);
            prop_assert_eq!(Filter::parse(&built.to_string()).unwrap(), wanted);
        }

        #[test]
        fn whatever_is_typed_only_ever_becomes_one_value_of_the_name(username in "\\PC{1,40}") {
            let template = DnTemplate::parse("uid={username},ou=people,dc=x").unwrap();
            let dn = template.fill(named(&username)).unwrap();
            let again = Dn::parse(dn.as_str()).unwrap();
            prop_assert_eq!(again.rdns().len(), 3);
            prop_assert_eq!(again.rdns()[0].avas()[0].value(), username.as_bytes());
        }
    }
}
