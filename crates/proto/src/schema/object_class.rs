//! Object classes (RFC 4512 section 4.1.1).

use std::fmt;
use std::str::FromStr;

use super::parse::{self, Body, Definition};
use super::{DefinitionError, Extension, print};

/// Which attributes an entry has to have, and which it may.
///
/// ```
/// use ldapgate_proto::schema::{ClassKind, ObjectClass};
///
/// let text = "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY description )";
/// let person: ObjectClass = text.parse()?;
/// assert_eq!(person.kind(), ClassKind::Structural);
/// assert_eq!(person.must, ["sn", "cn"]);
/// assert_eq!(person.to_string(), text);
/// # Ok::<(), ldapgate_proto::schema::DefinitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ObjectClass {
    /// Its OID, which some servers write as a word: `nsHost-oid`.
    pub oid: String,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The classes that it is a special case of.
    pub superiors: Vec<String>,
    /// Its kind, as it is written; [`ObjectClass::kind`] knows what nothing means.
    pub kind: Option<ClassKind>,
    /// Attributes that an entry has to have, those of its superiors aside.
    pub must: Vec<String>,
    /// Attributes that an entry may have, those of its superiors aside.
    pub may: Vec<String>,
    /// `X-ORIGIN` and the like, and whatever the RFC does not know.
    pub extensions: Vec<Extension>,
}

/// What a class can be used for (RFC 4512 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClassKind {
    /// Only to be derived from.
    Abstract,
    /// What an entry is: each has one.
    #[default]
    Structural,
    /// What an entry can be besides.
    Auxiliary,
}

impl ClassKind {
    /// As a definition writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClassKind::Abstract => "ABSTRACT",
            ClassKind::Structural => "STRUCTURAL",
            ClassKind::Auxiliary => "AUXILIARY",
        }
    }
}

impl ObjectClass {
    /// What it can be used for; structural where nothing is said.
    pub fn kind(&self) -> ClassKind {
        self.kind.unwrap_or_default()
    }
}

impl Definition for ObjectClass {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(ObjectClass { oid: id, ..ObjectClass::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "SUP" => self.superiors.extend(body.words("a class")?),
            "ABSTRACT" => self.kind = Some(ClassKind::Abstract),
            "STRUCTURAL" => self.kind = Some(ClassKind::Structural),
            "AUXILIARY" => self.kind = Some(ClassKind::Auxiliary),
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

impl FromStr for ObjectClass {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl fmt::Display for ObjectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oids(f, "SUP", &self.superiors)?;
        print::flag(f, self.kind().as_str(), self.kind.is_some())?;
        print::oids(f, "MUST", &self.must)?;
        print::oids(f, "MAY", &self.may)?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}
