//! Attribute types (RFC 4512 section 4.1.2).

use std::fmt;
use std::str::FromStr;

use super::parse::{self, Body, Definition};
use super::{DefinitionError, Extension, print};

/// What an attribute holds, and how its values compare.
///
/// What is not said here may be said by the type above: [`Schema::syntax_of`](super::Schema::syntax_of) and its like know.
///
/// ```
/// use ldapgate_proto::schema::AttributeType;
///
/// let text = "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )";
/// let cn: AttributeType = text.parse()?;
/// assert_eq!(cn.name(), "cn");
/// assert_eq!(cn.superior.as_deref(), Some("name"));
/// assert_eq!(cn.to_string(), text);
/// # Ok::<(), ldapgate_proto::schema::DefinitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AttributeType {
    /// Its OID, which some servers write as a word: `nsVendor-oid`.
    pub oid: String,
    /// Its names, the usual one first.
    pub names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// It is not to be used any more.
    pub obsolete: bool,
    /// The type that it is a special case of.
    pub superior: Option<String>,
    /// The matching rule for equality.
    pub equality: Option<String>,
    /// The matching rule for order.
    pub ordering: Option<String>,
    /// The matching rule for parts of a value.
    pub substrings: Option<String>,
    /// The syntax of its values.
    pub syntax: Option<String>,
    /// How long a value every server has to take: `{64}`.
    pub length: Option<u32>,
    /// An entry has one value at most.
    pub single_value: bool,
    /// It belongs to many entries at once (RFC 3671).
    pub collective: bool,
    /// Only the server writes it.
    pub no_user_modification: bool,
    /// Whose it is; `None` where nothing is said, which means the users'.
    pub usage: Option<Usage>,
    /// `X-ORIGIN` and the like, and whatever the RFC does not know.
    pub extensions: Vec<Extension>,
}

/// Whose an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Usage {
    /// The users'.
    #[default]
    UserApplications,
    /// The directory's.
    DirectoryOperation,
    /// The servers', all together.
    DistributedOperation,
    /// One server's.
    DsaOperation,
}

impl Usage {
    const ALL: [(Usage, &'static str); 4] = [
        (Usage::UserApplications, "userApplications"),
        (Usage::DirectoryOperation, "directoryOperation"),
        (Usage::DistributedOperation, "distributedOperation"),
        (Usage::DsaOperation, "dSAOperation"),
    ];

    /// As a definition writes it.
    pub fn as_str(self) -> &'static str {
        Usage::ALL[self as usize].1
    }

    /// Everybody's but the users': a search returns such an attribute only when it is asked for.
    pub fn is_operational(self) -> bool {
        self != Usage::UserApplications
    }
}

impl Definition for AttributeType {
    fn new(id: String, _at: usize) -> Result<Self, DefinitionError> {
        Ok(AttributeType { oid: id, ..AttributeType::default() })
    }

    fn part(&mut self, keyword: &str, body: &mut Body<'_>) -> Result<bool, DefinitionError> {
        match keyword {
            "NAME" => self.names.extend(body.words("a name")?),
            "DESC" => self.description = Some(body.text()?),
            "OBSOLETE" => self.obsolete = true,
            "SUP" => self.superior = body.one("a type")?,
            "EQUALITY" => self.equality = body.one("a rule")?,
            "ORDERING" => self.ordering = body.one("a rule")?,
            "SUBSTR" => self.substrings = body.one("a rule")?,
            "SYNTAX" => {
                self.syntax = body.one("a syntax")?;
                self.length = body.length().filter(|_| self.syntax.is_some());
            }
            "SINGLE-VALUE" => self.single_value = true,
            "COLLECTIVE" => self.collective = true,
            "NO-USER-MODIFICATION" => self.no_user_modification = true,
            "USAGE" => {
                let missing = body.missing("a usage");
                let word = body.word("a usage")?;
                let known = Usage::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(&word));
                self.usage = Some(known.ok_or(missing)?.0);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extensions(&mut self) -> &mut Vec<Extension> {
        &mut self.extensions
    }
}

impl FromStr for AttributeType {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Self, DefinitionError> {
        parse::read(text)
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "( {}", print::Oid(&self.oid))?;
        print::names(f, &self.names)?;
        print::description(f, self.description.as_deref())?;
        print::flag(f, "OBSOLETE", self.obsolete)?;
        print::oid(f, "SUP", self.superior.as_deref())?;
        print::oid(f, "EQUALITY", self.equality.as_deref())?;
        print::oid(f, "ORDERING", self.ordering.as_deref())?;
        print::oid(f, "SUBSTR", self.substrings.as_deref())?;
        print::oid(f, "SYNTAX", self.syntax.as_deref())?;
        if let (Some(_), Some(length)) = (&self.syntax, self.length) {
            write!(f, "{{{length}}}")?;
        }
        print::flag(f, "SINGLE-VALUE", self.single_value)?;
        print::flag(f, "COLLECTIVE", self.collective)?;
        print::flag(f, "NO-USER-MODIFICATION", self.no_user_modification)?;
        print::oid(f, "USAGE", self.usage.map(Usage::as_str))?;
        print::extensions(f, &self.extensions)?;
        f.write_str(" )")
    }
}
