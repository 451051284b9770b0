//! The filter that finds everybody whom a filter with placeholders finds by one name or another.

use proto::Filter;

use super::{FilterTemplate, Leaf, Node, Pieces};

impl FilterTemplate {
    /// A filter that matches everybody whom it finds by one name or another; `None` is all entries.
    pub(crate) fn for_anybody(&self) -> Option<Filter> {
        match self.node.widest(Bound::Upper) {
            Widest::Filter(filter) => Some(filter),
            Widest::True => None,
            // Only what is negated is narrowed to nothing.
            Widest::False => Some(Filter::Or(Vec::new())),
        }
    }
}

/// What a comparison with an unknown name is taken for.
#[derive(Clone, Copy)]
enum Bound {
    /// What matches for some name.
    Upper,
    /// What matches for every name.
    Lower,
}

enum Widest {
    True,
    False,
    Filter(Filter),
}

impl Node {
    fn widest(&self, bound: Bound) -> Widest {
        let parts = |nodes: &[Node]| nodes.iter().map(|node| node.widest(bound)).collect::<Vec<_>>();
        match self {
            Node::And(nodes) => {
                let mut filters = Vec::new();
                for part in parts(nodes) {
                    match part {
                        Widest::True => {}
                        Widest::False => return Widest::False,
                        Widest::Filter(filter) => filters.push(filter),
                    }
                }
                if filters.is_empty() && !nodes.is_empty() {
                    return Widest::True;
                }
                Widest::Filter(Filter::And(filters))
            }
            Node::Or(nodes) => {
                let mut filters = Vec::new();
                for part in parts(nodes) {
                    match part {
                        Widest::True => return Widest::True,
                        Widest::False => {}
                        Widest::Filter(filter) => filters.push(filter),
                    }
                }
                if filters.is_empty() && !nodes.is_empty() {
                    return Widest::False;
                }
                Widest::Filter(Filter::Or(filters))
            }
            Node::Not(node) => {
                let other = match bound {
                    Bound::Upper => Bound::Lower,
                    Bound::Lower => Bound::Upper,
                };
                match node.widest(other) {
                    Widest::True => Widest::False,
                    Widest::False => Widest::True,
                    Widest::Filter(filter) => Widest::Filter(Filter::Not(Box::new(filter))),
                }
            }
            Node::Leaf(leaf) => leaf.widest(bound),
        }
    }
}

impl Leaf {
    fn widest(&self, bound: Bound) -> Widest {
        if !self.values.iter().any(Pieces::has_placeholder) {
            return Widest::Filter(self.shape.clone());
        }
        match (bound, attribute(&self.shape)) {
            (Bound::Lower, _) => Widest::False,
            (Bound::Upper, Some(attribute)) => Widest::Filter(Filter::present(attribute)),
            (Bound::Upper, None) => Widest::True,
        }
    }
}

/// The attribute that every match has a value of.
fn attribute(leaf: &Filter) -> Option<&str> {
    match leaf {
        Filter::Equal { attribute, .. }
        | Filter::GreaterOrEqual { attribute, .. }
        | Filter::LessOrEqual { attribute, .. }
        | Filter::Approximate { attribute, .. }
        | Filter::Substrings { attribute, .. } => Some(attribute),
        // A rule may compare parts of the name of the entry.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_for_anybody_is_as_wide_as_all_names_together_and_no_narrower() {
        for (template, wanted) in [
            ("(uid={username})", Some("(uid=*)")),
            (
                "(&(objectClass=person)(|(uid={username})(mail={input})))",
                Some("(&(objectClass=person)(|(uid=*)(mail=*)))"),
            ),
            ("(&(objectClass=person)(!(cn={username}-old)))", Some("(&(objectClass=person))")),
            ("(!(uid={username}))", None),
            ("(&(uid={username})(!(&(ou=left)(cn=x))))", Some("(&(uid=*)(!(&(ou=left)(cn=x))))")),
            ("(&(uid={username})(!(&(ou=left)(cn={username}))))", Some("(&(uid=*))")),
            ("(&(uid={username})(!(|(ou=left)(cn={username}))))", Some("(&(uid=*)(!(|(ou=left))))")),
        ] {
            let widest = FilterTemplate::parse(template).unwrap().for_anybody();
            assert_eq!(widest.map(|filter| filter.to_string()).as_deref(), wanted, "{template}");
        }
    }
}
