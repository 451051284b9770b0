//! Expressions over groups: `require`, `deny` and flags.

use std::fmt;

use proto::Dn;

/// An expression over the groups of one directory. Names compare in their normalised form, whole, never by a part.
///
/// ```
/// use ldapgate_auth::Rule;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let staff: proto::Dn = "cn=staff,ou=groups,dc=example,dc=com".parse()?;
/// let rule = Rule::Not(Box::new(Rule::Group(staff.clone())));
/// assert!(!rule.holds(&|group| *group == staff));
/// assert!(rule.has_negation());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The person is in this group.
    Group(Dn),
    /// One of them holds; of none, none does.
    Any(Vec<Rule>),
    /// Every one holds; of none, all do.
    All(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
}

impl Rule {
    /// Does it hold for somebody who is in exactly the groups `is_member` says?
    pub fn holds(&self, is_member: &dyn Fn(&Dn) -> bool) -> bool {
        match self {
            Rule::Group(dn) => is_member(dn),
            Rule::Any(rules) => rules.iter().any(|rule| rule.holds(is_member)),
            Rule::All(rules) => rules.iter().all(|rule| rule.holds(is_member)),
            Rule::Not(rule) => !rule.holds(is_member),
        }
    }

    /// Every group it names, in order, repetitions included.
    pub fn groups(&self) -> impl Iterator<Item = &Dn> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            while let Some(rule) = waiting.pop() {
                match rule {
                    Rule::Group(dn) => return Some(dn),
                    Rule::Any(rules) | Rule::All(rules) => waiting.extend(rules.iter().rev()),
                    Rule::Not(rule) => waiting.push(rule),
                }
            }
            None
        })
    }

    /// Does a missing membership make it hold? Then it must not be judged on half a list of groups.
    pub fn has_negation(&self) -> bool {
        match self {
            Rule::Group(_) => false,
            Rule::Any(rules) | Rule::All(rules) => rules.iter().any(Rule::has_negation),
            Rule::Not(_) => true,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, rules) = match self {
            Rule::Group(dn) => return write!(f, "{dn}"),
            Rule::Not(rule) => return write!(f, "not ({rule})"),
            Rule::Any(rules) => ("any", rules),
            Rule::All(rules) => ("all", rules),
        };
        write!(f, "{word} of (")?;
        for (place, rule) in rules.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{rule}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Rule {
        Rule::Group(dn(name))
    }

    fn dn(name: &str) -> Dn {
        Dn::parse(&format!("cn={name},ou=groups,dc=example,dc=com")).unwrap()
    }

    #[test]
    fn expressions_nest_freely() {
        let rule = Rule::All(vec![
            Rule::Any(vec![group("staff"), group("guests")]),
            Rule::Not(Box::new(Rule::Any(vec![group("interns")]))),
        ]);
        let member = |names: &'static [&'static str]| move |g: &Dn| names.iter().any(|name| dn(name) == *g);
        assert!(rule.holds(&member(&["staff"])));
        assert!(rule.holds(&member(&["guests", "others"])));
        assert!(!rule.holds(&member(&["staff", "interns"])));
        assert!(!rule.holds(&member(&[])));
        let named: Vec<_> = rule.groups().cloned().collect();
        assert_eq!(named, [dn("staff"), dn("guests"), dn("interns")]);
    }

    #[test]
    fn an_empty_any_holds_for_nobody_and_an_empty_all_for_everybody() {
        assert!(!Rule::Any(vec![]).holds(&|_| true));
        assert!(Rule::All(vec![]).holds(&|_| false));
    }

    #[test]
    fn a_group_is_compared_by_its_whole_normalised_name() {
        let rule = Rule::Group(Dn::parse("CN=Staff, OU=Groups, DC=example, DC=com").unwrap());
        assert!(rule.holds(&|g| *g == dn("staff")));
        let namesake = Dn::parse("cn=staff,ou=partners,dc=example,dc=com").unwrap();
        assert!(!rule.holds(&|g| *g == namesake));
    }

    #[test]
    fn negation_is_found_at_any_depth() {
        assert!(!Rule::Any(vec![group("a"), Rule::All(vec![group("b")])]).has_negation());
        assert!(Rule::Any(vec![group("a"), Rule::All(vec![Rule::Not(Box::new(group("b")))])]).has_negation());
    }
}
