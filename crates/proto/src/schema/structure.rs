//! What an entry may be besides its class, how it may be named, and where it may stand (RFC 4512 sections 4.1.6 and 4.1.7).

use std::fmt;
use std::str::FromStr;

use super::parse::{self, Body, Definition};
use super::{DefinitionError, Extension, print};

/// What entries of one structural class may be and have besides. Active Directory tells here which auxiliary classes its
/// own are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ContentRule {
    /// The structural class's OID.
    pub oid: String,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// Auxiliary classes that an entry may belong to.
    pub auxiliary: Vec<String>,
    /// Attributes that an entry has to have besides.
    pub must: Vec<String>,
    /// Attributes that an entry may have besides.
    pub may: Vec<String>,
    /// Attributes that its classes allow and this forbids.
    pub not: Vec<String>,
    /// Whatever else is said.
    pub extensions: Vec<Extension>,
}

/// Where an entry that is named by a name form may stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StructureRule {
    /// Its number.
    pub id: u32,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The name form.
    pub form: Option<String>,
    /// The numbers of the rules that the entry above may be governed by.
    pub superiors: Vec<u32>,
    /// Whatever else is said.
    pub extensions: Vec<Extension>,
}

/// Which attributes the RDN of a structural class's entries is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NameForm {
    /// Its OID.
    pub oid: String,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The structural class.
    pub class: Option<String>,
    /// Attributes that an RDN has to have.
    pub must: Vec<String>,
    /// Attributes that an RDN may have.
    pub may: Vec<String>,
    /// Whatever else is said.
    pub extensions: Vec<Extension>,
}

impl Definition for ContentRule {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(ContentRule { oid: id, ..ContentRule::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "AUX" => self.auxiliary.extend(body.words("a class")?),
            "MUST" => self.must.extend(body.words("an attribute")?),
            "MAY" => self.may.extend(body.words("an attribute")?),
            "NOT" => self.not.extend(body.words("an attribute")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl Definition for StructureRule {
    fn new(id: String, at: usize) -> Result<Self, DefinitionError> {
        let id = id.parse().map_err(|_| DefinitionError::Missing { expected: "a rule's number", at })?;
        Ok(StructureRule { id, ..StructureRule::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "FORM" => self.form = body.one("a name form")?,
            "SUP" => {
                let missing = body.missing("a rule's number");
                for number in body.words("a rule's number")? {
                    self.superiors.push(number.parse().map_err(|_| missing.clone())?);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl Definition for NameForm {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(NameForm { oid: id, ..NameForm::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "OC" => self.class = body.one("a class")?,
            "MUST" => self.must.extend(body.words("an attribute")?),
            "MAY" => self.may.extend(body.words("an attribute")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl FromStr for ContentRule {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl FromStr for StructureRule {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl FromStr for NameForm {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl fmt::Display for ContentRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oids(f, "AUX", &self.auxiliary)?;
        print::oids(f, "MUST", &self.must)?;
        print::oids(f, "MAY", &self.may)?;
        print::oids(f, "NOT", &self.not)?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}

impl fmt::Display for StructureRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", self.id)?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oid(f, "FORM", self.form.as_deref())?;
        match &self.superiors[..] {
            [] => {}
            [rule] => write!(f, " SUP {rule}")?,
            several => {
                f.write_str(" SUP (")?;
                several.iter().try_for_each(|rule| write!(f, " {rule}"))?;
                f.write_str(" )")?;
            }
        }
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}

impl fmt::Display for NameForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oid(f, "OC", self.class.as_deref())?;
        print::oids(f, "MUST", &self.must)?;
        print::oids(f, "MAY", &self.may)?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}
