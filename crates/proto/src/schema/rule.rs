//! Syntaxes and matching rules (RFC 4512 sections 4.1.3 to 4.1.5).

use std::fmt;
use std::str::FromStr;

use super::parse::{self, Body, Definition};
use super::{DefinitionError, Extension, print};

/// A syntax that the server knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Syntax {
    /// Its OID.
    pub oid: String,
    /// What it is called: syntaxes have no names.
    pub description: Option<String>,
    /// `X-NOT-HUMAN-READABLE` and the like.
    pub extensions: Vec<Extension>,
}

/// How values are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MatchingRule {
    /// Its OID.
    pub oid: String,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it does.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The syntax of what a value is compared with.
    pub syntax: Option<String>,
    /// Whatever else is said.
    pub extensions: Vec<Extension>,
}

/// Which attributes a matching rule can be asked for, in a filter that names it: `(cn:caseExactMatch:=Ada)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MatchingRuleUse {
    /// The rule's OID.
    pub oid: String,
    /// The rule's names.
    pub names: Vec<String>,
    /// What is said of it.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The attributes.
    pub applies: Vec<String>,
    /// Whatever else is said.
    pub extensions: Vec<Extension>,
}

impl Definition for Syntax {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(Syntax { oid: id, ..Syntax::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        if keyword != "DESC" {
            return Ok(false);
        }
        self.description = Some(body.text()?);
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl Definition for MatchingRule {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(MatchingRule { oid: id, ..MatchingRule::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "SYNTAX" => self.syntax = body.one("a syntax")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl Definition for MatchingRuleUse {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(MatchingRuleUse { oid: id, ..MatchingRuleUse::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "APPLIES" => self.applies.extend(body.words("an attribute")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl FromStr for Syntax {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl FromStr for MatchingRule {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl FromStr for MatchingRuleUse {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::description(f, self.description.as_deref())?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}

impl fmt::Display for MatchingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oid(f, "SYNTAX", self.syntax.as_deref())?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}

impl fmt::Display for MatchingRuleUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oids(f, "APPLIES", &self.applies)?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}
