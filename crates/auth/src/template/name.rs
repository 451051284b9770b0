//! Names with placeholders: whom to bind as without a search.

use proto::{Dn, Rdn};

use super::TemplateError;
use super::pieces::{Pieces, Values};

/// `user.dn_template`: whom to bind as without a search.
#[derive(Debug, Clone)]
pub enum UserTemplate {
    /// With a `=` in it.
    Dn(DnTemplate),
    /// Without.
    BindName(BindNameTemplate),
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

    /// Is there a name that makes this one of it?
    pub(crate) fn fits(&self, dn: &Dn) -> bool {
        let rdns = dn.rdns();
        rdns.len() == self.rdns.len() && self.rdns.iter().zip(rdns).all(|(part, rdn)| part.fits(rdn))
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
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !self.pieces.values(values).all(|value| value.chars().all(plain)) {
            return None;
        }
        String::from_utf8(self.pieces.fill(values)?).ok()
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

    fn fits(&self, rdn: &Rdn) -> bool {
        if !self.0.iter().any(|(_, pieces)| pieces.has_placeholder()) {
            return self.fill(Values { username: "", input: "", domain: "" }).as_ref() == Some(rdn);
        }
        let has =
            |attribute: &str| rdn.avas().iter().any(|ava| ava.attribute().eq_ignore_ascii_case(attribute));
        rdn.avas().len() == self.0.len() && self.0.iter().all(|(attribute, _)| has(attribute))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_fits_where_only_what_a_placeholder_makes_differs() {
        let template = DnTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap();
        for (dn, fits) in [
            ("UID=alice,OU=People,dc=example,dc=com", true),
            ("uid=alice,ou=left,dc=example,dc=com", false),
            ("cn=alice,ou=people,dc=example,dc=com", false),
            ("uid=alice,ou=x,ou=people,dc=example,dc=com", false),
        ] {
            assert_eq!(template.fits(&Dn::parse(dn).unwrap()), fits, "{dn}");
        }
    }

    fn named(username: &str) -> Values<'_> {
        Values { username, input: username, domain: "" }
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
        fn whatever_is_typed_only_ever_becomes_one_value_of_the_name(username in "\\PC{1,40}") {
            let template = DnTemplate::parse("uid={username},ou=people,dc=x").unwrap();
            let dn = template.fill(named(&username)).unwrap();
            let again = Dn::parse(dn.as_str()).unwrap();
            prop_assert_eq!(again.rdns().len(), 3);
            prop_assert_eq!(again.rdns()[0].avas()[0].value(), username.as_bytes());
        }
    }
}
