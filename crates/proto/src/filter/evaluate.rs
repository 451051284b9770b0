//! Does an entry match? Three-valued, without recursion (RFC 4511 section 4.5.1.7).

use super::rule::Prepared;
use super::{Filter, Rule};
use crate::dn::canonical;
use crate::{Dn, Entry};

/// An entry, as a filter sees it.
pub trait Attributes {
    /// The values of an attribute and of its subtypes: asked for `cn`, those of `cn;lang-de` as well.
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]>;

    /// The names of all attributes, for `(:rule:=value)`.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// The entry's name, for `:dn:`.
    fn dn(&self) -> Option<Dn> {
        None
    }
}

/// Which rule an attribute has.
pub trait Matching {
    /// The rule of an attribute.
    fn rule(&self, attribute: &str) -> Rule;
}

impl Filter {
    /// Does the entry match? `None` is Undefined: the server cannot tell, and a search does not yield the entry.
    ///
    /// An attribute that the entry does not have matches nothing (false); one whose rule has no such comparison, or whose
    /// value does not fit, is Undefined. Active Directory's rules for bits are known, its rule for chains is Undefined.
    ///
    /// ```
    /// use ldapgate_proto::{Entry, Filter, filter::StandardRules};
    ///
    /// let ada = Entry::builder("uid=ada").attribute("uid", ["ada"]).attribute("uidNumber", ["7"]).build();
    /// let verdict = |text: &str| Filter::parse(text).map(|filter| filter.evaluate(&ada, &StandardRules));
    /// assert_eq!(verdict("(&(uid=ADA)(uidNumber>=5))")?, Some(true));
    /// assert_eq!(verdict("(!(uidNumber=seven))")?, None);
    /// # Ok::<(), ldapgate_proto::FilterError>(())
    /// ```
    pub fn evaluate(&self, entry: &impl Attributes, rules: &impl Matching) -> Option<bool> {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut filter = self;
        loop {
            let mut verdict = None;
            match filter {
                Filter::And(parts) => open.push(Open::new(Operator::And, parts)),
                Filter::Or(parts) => open.push(Open::new(Operator::Or, parts)),
                Filter::Not(part) => open.push(Open::new(Operator::Not, std::slice::from_ref(part))),
                item => verdict = Some(judge(item, entry, rules)),
            }
            loop {
                let Some(around) = open.last_mut() else { return verdict? };
                if let Some(verdict) = verdict.take() {
                    around.take(verdict);
                }
                match around.next() {
                    Some(next) => {
                        filter = next;
                        break;
                    }
                    None => verdict = open.pop().map(|ended| ended.verdict),
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Not,
}

/// An operator some of whose parts are not judged yet.
struct Open<'f> {
    operator: Operator,
    rest: std::slice::Iter<'f, Filter>,
    verdict: Option<bool>,
}

impl<'f> Open<'f> {
    fn new(operator: Operator, parts: &'f [Filter]) -> Self {
        Open { operator, rest: parts.iter(), verdict: Some(operator == Operator::And) }
    }

    fn take(&mut self, part: Option<bool>) {
        self.verdict = match (self.operator, self.verdict, part) {
            (Operator::Not, _, part) => part.map(|part| !part),
            (Operator::And, Some(false), _) | (Operator::And, _, Some(false)) => Some(false),
            (Operator::Or, Some(true), _) | (Operator::Or, _, Some(true)) => Some(true),
            (_, None, _) | (_, _, None) => None,
            (_, Some(_), Some(part)) => Some(part),
        };
    }

    /// The next part, unless the verdict stands already.
    fn next(&mut self) -> Option<&'f Filter> {
        match (self.operator, self.verdict) {
            (Operator::And, Some(false)) | (Operator::Or, Some(true)) => None,
            _ => self.rest.next(),
        }
    }
}

fn judge(item: &Filter, entry: &impl Attributes, rules: &impl Matching) -> Option<bool> {
    match item {
        Filter::Equal { attribute, value } | Filter::Approximate { attribute, value } => {
            let rule = rules.rule(attribute);
            let assertion = rule.prepare(value)?;
            any(entry.values(attribute), |value| Some(rule.prepare(value)? == assertion))
        }
        Filter::GreaterOrEqual { attribute, value } => {
            let rule = rules.rule(attribute);
            let assertion = rule.prepare(value)?;
            any(entry.values(attribute), |value| Some(rule.prepare(value)?.compare(&assertion)?.is_ge()))
        }
        Filter::LessOrEqual { attribute, value } => {
            let rule = rules.rule(attribute);
            let assertion = rule.prepare(value)?;
            any(entry.values(attribute), |value| Some(rule.prepare(value)?.compare(&assertion)?.is_le()))
        }
        Filter::Present(attribute) => Some(entry.values(attribute).next().is_some()),
        Filter::Substrings { attribute, initial, any: pieces, last } => {
            let rule = rules.rule(attribute);
            any(entry.values(attribute), |value| {
                rule.substrings(value, initial.as_deref(), pieces, last.as_deref())
            })
        }
        Filter::Extensible { rule, attribute, value, dn_attributes } => {
            let test = match (rule, attribute) {
                (Some(rule), _) => Test::named(rule, value)?,
                (None, Some(attribute)) => Test::of(rules.rule(attribute), value)?,
                (None, None) => return None,
            };
            extensible(&test, attribute.as_deref(), *dn_attributes, entry)
        }
        // Taken apart by the caller.
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => None,
    }
}

/// What an extensible match does with a value.
enum Test<'v> {
    Rule(Rule, Prepared<'v>),
    AllBits(i64),
    AnyBit(i64),
}

impl<'v> Test<'v> {
    fn of(rule: Rule, assertion: &'v [u8]) -> Option<Self> {
        Some(Test::Rule(rule, rule.prepare(assertion)?))
    }

    fn named(rule: &str, assertion: &'v [u8]) -> Option<Self> {
        match rule {
            // LDAP_MATCHING_RULE_BIT_AND and _OR of Active Directory.
            "1.2.840.113556.1.4.803" => Some(Test::AllBits(number(assertion)?)),
            "1.2.840.113556.1.4.804" => Some(Test::AnyBit(number(assertion)?)),
            name => Test::of(Rule::named(name)?, assertion),
        }
    }

    fn matches(&self, value: &[u8]) -> Option<bool> {
        match self {
            Test::Rule(rule, assertion) => Some(rule.prepare(value)? == *assertion),
            Test::AllBits(bits) => Some(number(value)? & bits == *bits),
            Test::AnyBit(bits) => Some(number(value)? & bits != 0),
        }
    }
}

fn extensible(
    test: &Test<'_>,
    attribute: Option<&str>,
    dn_attributes: bool,
    entry: &impl Attributes,
) -> Option<bool> {
    let mut verdict = match attribute {
        Some(attribute) => any(entry.values(attribute), |value| test.matches(value)),
        // Attributes that the rule does not fit do not count.
        None => {
            let fits = |name| entry.values(name).any(|value| test.matches(value) == Some(true));
            Some(entry.names().any(fits))
        }
    };
    if dn_attributes && verdict != Some(true) {
        let dn = entry.dn()?;
        let avas = dn.rdns().iter().flat_map(|rdn| rdn.avas());
        let named = avas.filter(|ava| {
            attribute.is_none_or(|attribute| canonical(ava.attribute()) == canonical(attribute))
        });
        if named.map(|ava| test.matches(ava.value())).any(|matched| matched == Some(true)) {
            verdict = Some(true);
        }
    }
    verdict
}

/// True when one is, Undefined when one is and none is true.
fn any<'v>(
    values: impl Iterator<Item = &'v [u8]>,
    matches: impl Fn(&'v [u8]) -> Option<bool>,
) -> Option<bool> {
    let mut verdict = Some(false);
    for value in values {
        match matches(value) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => verdict = None,
        }
    }
    verdict
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Names compare by alias and case, options as subtypes.
impl Attributes for Entry {
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes()
            .filter(move |attribute| is_subtype(attribute.name(), name))
            .flat_map(|attribute| attribute.values())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes().map(|attribute| attribute.name())
    }

    fn dn(&self) -> Option<Dn> {
        self.parse_dn().ok()
    }
}

/// Is `name` the attribute `asked`, with all of its options and perhaps more (RFC 4512 section 2.5.2)?
fn is_subtype(name: &str, asked: &str) -> bool {
    let (mut name, mut asked) = (name.split(';'), asked.split(';'));
    let same = match (name.next(), asked.next()) {
        (Some(name), Some(asked)) => canonical(name) == canonical(asked),
        _ => false,
    };
    same && asked.all(|option| name.clone().any(|other| other.eq_ignore_ascii_case(option)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::StandardRules;

    fn verdict(text: &str) -> Option<bool> {
        let ada = Entry::builder("uid=ada,ou=People,dc=example")
            .attribute("uid", ["ada"])
            .attribute("cn", ["Ada Lovelace"])
            .attribute("cn;lang-de", ["Ada Gräfin Lovelace"])
            .attribute("uidNumber", ["1815"])
            .attribute("userAccountControl", ["514"])
            .attribute("memberOf", ["cn=Staff,dc=example", "no name"])
            .attribute("createTimestamp", ["20240229120000Z"])
            .attribute("loginShell", ["/bin/Bash"])
            .build();
        Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).evaluate(&ada, &StandardRules)
    }

    #[test]
    fn comparisons_follow_the_attributes_rule() {
        for (text, expected) in [
            ("(uid=ADA)", Some(true)),
            ("(userid=ada)", Some(true)),
            ("(uid=bob)", Some(false)),
            ("(uid~=ADA)", Some(true)),
            ("(loginShell=/bin/bash)", Some(false)),
            ("(uidNumber=01815)", Some(true)),
            ("(uidNumber>=900)", Some(true)),
            ("(uidNumber<=900)", Some(false)),
            ("(uidNumber=x)", None),
            ("(uidNumber=18*)", None),
            ("(memberOf=CN=staff, DC=example)", Some(true)),
            ("(memberOf=cn=other,dc=example)", None),
            ("(memberOf>=cn=staff,dc=example)", None),
            ("(createTimestamp>=20240101000000Z)", Some(true)),
            ("(cn=ada*lovelace)", Some(true)),
            ("(cn=*gräfin*)", Some(true)),
            ("(cn;lang-de=ada lovelace)", Some(false)),
            ("(cn;LANG-DE=*)", Some(true)),
            ("(mail=*)", Some(false)),
            ("(mail=x)", Some(false)),
            ("(uid;x=*)", Some(false)),
        ] {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }

    #[test]
    fn three_values_combine_as_the_rfc_says() {
        let (yes, no, unknown) = ("(uid=ada)", "(uid=bob)", "(uidNumber=x)");
        for (text, expected) in [
            ("(&)".to_owned(), Some(true)),
            ("(|)".to_owned(), Some(false)),
            (format!("(!{unknown})"), None),
            (format!("(!{no})"), Some(true)),
            (format!("(&{yes}{unknown})"), None),
            (format!("(&{unknown}{no})"), Some(false)),
            (format!("(&{no}{unknown})"), Some(false)),
            (format!("(|{unknown}{yes})"), Some(true)),
            (format!("(|{yes}{unknown})"), Some(true)),
            (format!("(|{no}{unknown})"), None),
            (format!("(&{yes}(|{no}(!{no}))(!(&{yes}{no})))"), Some(true)),
            (format!("(!(!(!{yes})))"), Some(false)),
        ] {
            assert_eq!(verdict(&text), expected, "{text}");
        }
    }

    #[test]
    fn extensible_matches_follow_their_rule() {
        for (text, expected) in [
            ("(uid:caseExactMatch:=ADA)", Some(false)),
            ("(uid:2.5.13.5:=ada)", Some(true)),
            ("(uid:=ADA)", Some(true)),
            ("(:caseExactMatch:=Ada Lovelace)", Some(true)),
            ("(:caseExactMatch:=nobody)", Some(false)),
            ("(ou:=people)", Some(false)),
            ("(ou:dn:=people)", Some(true)),
            ("(:dn:caseIgnoreMatch:=people)", Some(true)),
            ("(dc:dn:=other)", Some(false)),
            ("(userAccountControl:1.2.840.113556.1.4.803:=2)", Some(true)),
            ("(userAccountControl:1.2.840.113556.1.4.803:=3)", Some(false)),
            ("(userAccountControl:1.2.840.113556.1.4.804:=3)", Some(true)),
            ("(uid:1.2.840.113556.1.4.803:=2)", None),
            ("(memberOf:1.2.840.113556.1.4.1941:=cn=staff,dc=example)", None),
            ("(uid:unknownMatch:=ada)", None),
        ] {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }
}
