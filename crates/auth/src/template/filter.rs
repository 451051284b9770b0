//! Filters with placeholders; `anybody` makes one of them that needs no name.

mod anybody;

use proto::{Bytes, Filter};

use super::TemplateError;
use super::pieces::{Pieces, Values};

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

    proptest! {
        #[test]
        fn whatever_is_typed_only_ever_becomes_the_value(username in "\\PC{1,40}") {
            let built = filter("(&(objectClass=person)(uid={username}))", &username).unwrap();
            let wanted = Filter::And(vec![Filter::equal("objectClass", "person"), Filter::equal("uid", &username)]);
            prop_assert_eq!(&built, &wanted);
            prop_assert_eq!(Filter::parse(&built.to_string()).unwrap(), wanted);
        }
    }
}
