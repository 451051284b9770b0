//! Change records (RFC 2849): what is to be done to a directory, one request a record.

use std::fmt;
use std::io::BufRead;

use super::line::{Item, Lines, Pair, decode, split};
use super::read::Values;
use super::{LdifError, LdifErrorKind as Kind, MAX_VALUES};
use crate::filter::is_attribute_description;
use crate::message::same_description;
use crate::oid::is_oid;
use crate::{AddRequest, Change, ChangeOp, Control, ModifyDnRequest, ModifyRequest, Request};

/// One change of a file, with the controls that go with it.
///
/// ```
/// use ldapgate_proto::ldif::{self, ChangeType, Untyped};
///
/// let text = "dn: uid=ada,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: ada@example.com\n-\n";
/// let record = ldif::Changes::new(text.as_bytes(), Untyped::Refuse).next().expect("one record")?;
/// let ChangeType::Modify(modify) = &record.change else { panic!("it says so") };
/// assert_eq!(modify.changes[0].values[0], "ada@example.com");
///
/// let mut writer = ldif::Writer::new(Vec::new());
/// writer.change(&record)?;
/// assert_eq!(writer.into_inner(), format!("{text}\n").as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// What is done.
    pub change: ChangeType,
    /// What goes with the request, in its order.
    pub controls: Vec<Control>,
    /// The line of the `dn:`, counted from 1; 0 for what comes from no file.
    pub line: usize,
}

/// What is done, as the request that does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeType {
    /// A new entry.
    Add(AddRequest),
    /// The entry of this name goes.
    Delete(String),
    /// Attributes of an entry change.
    Modify(ModifyRequest),
    /// An entry gets another name or another place.
    ModifyDn(ModifyDnRequest),
}

/// What a record without `changetype:` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untyped {
    /// A new entry, as `ldapadd` and `slapadd` take it.
    Add,
    /// A change of attributes, as `ldapmodify` takes it.
    Modify,
    /// An error.
    Refuse,
}

impl ChangeRecord {
    /// The name of the entry that is changed, as it is written; it is not parsed.
    pub fn dn(&self) -> &str {
        self.change.dn()
    }
}

impl ChangeType {
    /// The name of the entry that is changed, as it is written; it is not parsed.
    pub fn dn(&self) -> &str {
        match self {
            ChangeType::Add(add) => &add.dn,
            ChangeType::Delete(dn) => dn,
            ChangeType::Modify(modify) => &modify.dn,
            ChangeType::ModifyDn(rename) => &rename.dn,
        }
    }
}

/// With no controls and from no file.
impl From<ChangeType> for ChangeRecord {
    fn from(change: ChangeType) -> ChangeRecord {
        ChangeRecord { change, controls: Vec::new(), line: 0 }
    }
}

impl From<ChangeType> for Request {
    fn from(change: ChangeType) -> Request {
        match change {
            ChangeType::Add(add) => Request::Add(add),
            ChangeType::Delete(dn) => Request::Delete(dn),
            ChangeType::Modify(modify) => Request::Modify(modify),
            ChangeType::ModifyDn(rename) => Request::ModifyDn(rename),
        }
    }
}

/// The changes of a file, one in memory at a time. Behind a broken record the next one follows.
///
/// As OpenLDAP's tools it takes `changetype: rename`, and a last change that no `-` ends. Unlike them it takes the lines
/// of a rename in any order, and refuses a record without a name, which they pass over.
pub struct Changes<R> {
    lines: Lines<R>,
    untyped: Untyped,
}

impl<R: BufRead> Changes<R> {
    /// Reads from anything that can be read; buffer it well, or it is read byte by byte.
    pub fn new(input: R, untyped: Untyped) -> Self {
        Changes { lines: Lines::new(input), untyped }
    }

    /// Lets values come from elsewhere, as [`Records::resolving`](super::Records::resolving).
    #[must_use]
    pub fn resolving(
        mut self,
        resolver: impl FnMut(&str) -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Self {
        self.lines.resolver = Some(Box::new(resolver));
        self
    }

    fn record(&mut self, dn: String, line: usize) -> Result<ChangeRecord, LdifError> {
        let mut controls = Vec::new();
        let mut first = self.pair()?;
        while let Some(control) = first.take_if(|pair| pair.is("control")) {
            controls.push(self.control(&control)?);
            first = self.pair()?;
        }
        let kind = match first.take_if(|pair| pair.is("changetype")) {
            Some(pair) => {
                let kind = kind(&pair)?;
                first = self.pair()?;
                kind
            }
            None => match self.untyped {
                Untyped::Add => Kinds::Add,
                Untyped::Modify => Kinds::Modify,
                Untyped::Refuse => return Err(LdifError::new(Kind::Untyped, line)),
            },
        };
        let change = match kind {
            Kinds::Add => self.add(dn, first)?,
            Kinds::Modify => self.modify(dn, first)?,
            Kinds::ModifyDn => self.rename(dn, first, line)?,
            Kinds::Delete => match first {
                Some(extra) => return Err(extra.error(Kind::Extra(extra.name.clone()))),
                None => ChangeType::Delete(dn),
            },
        };
        Ok(ChangeRecord { change, controls, line })
    }

    fn add(&mut self, dn: String, mut next: Option<Pair>) -> Result<ChangeType, LdifError> {
        let (mut attributes, mut values) = (Vec::new(), Values::default());
        while let Some(pair) = next {
            if pair.is("changetype") || pair.is("control") {
                return Err(pair.error(Kind::Extra(pair.name.clone())));
            }
            values.add(pair, &mut attributes)?;
            next = self.pair()?;
        }
        Ok(ChangeType::Add(AddRequest { dn, attributes }))
    }

    fn modify(&mut self, dn: String, mut next: Option<Pair>) -> Result<ChangeType, LdifError> {
        let (mut changes, mut count) = (Vec::new(), 0);
        while let Some(pair) = next {
            let mut change = begun(&pair)?;
            count += 1;
            next = loop {
                let value = match self.lines.item().transpose()? {
                    None => break None,
                    Some(Item::Dash(_)) => break self.pair()?,
                    Some(Item::Pair(value)) => value,
                };
                if !same_description(&value.name, &change.attribute) {
                    let (changed, found) = (change.attribute, value.name.clone());
                    return Err(value.error(Kind::OtherAttribute { changed, found }));
                }
                count += 1;
                if count > MAX_VALUES {
                    return Err(value.error(Kind::TooMany));
                }
                change.values.push(value.value);
            };
            changes.push(change);
        }
        Ok(ChangeType::Modify(ModifyRequest { dn, changes }))
    }

    fn rename(&mut self, dn: String, mut next: Option<Pair>, line: usize) -> Result<ChangeType, LdifError> {
        let (mut new_rdn, mut delete_old_rdn, mut new_superior) = (None, None, None);
        while let Some(pair) = next {
            match pair.name.to_ascii_lowercase().as_str() {
                "newrdn" if new_rdn.is_none() => new_rdn = Some(pair.text()?.to_owned()),
                "newsuperior" if new_superior.is_none() => new_superior = Some(pair.text()?.to_owned()),
                "deleteoldrdn" if delete_old_rdn.is_none() => {
                    delete_old_rdn = Some(match pair.value.trim_ascii() {
                        b"0" => false,
                        b"1" => true,
                        _ => return Err(pair.error(Kind::DeleteOldRdn)),
                    });
                }
                _ => return Err(pair.error(Kind::Extra(pair.name.clone()))),
            }
            next = self.pair()?;
        }
        let (Some(new_rdn), Some(delete_old_rdn)) = (new_rdn, delete_old_rdn) else {
            return Err(LdifError::new(Kind::Rename, line));
        };
        Ok(ChangeType::ModifyDn(ModifyDnRequest { dn, new_rdn, delete_old_rdn, new_superior }))
    }

    /// `OID`, then `true` or `false`, then a value as an attribute has one.
    fn control(&mut self, pair: &Pair) -> Result<Control, LdifError> {
        let (head, spec) = match split(&pair.value) {
            Some((head, spec)) => (head, Some(spec)),
            None => (&pair.value[..], None),
        };
        let head = std::str::from_utf8(head).map_err(|_| pair.error(Kind::Control))?;
        let mut words = head.split_ascii_whitespace();
        let oid = words.next().filter(|oid| is_oid(oid)).ok_or(pair.error(Kind::Control))?;
        let critical = match (words.next(), words.next()) {
            (None, _) => false,
            (Some(word), None) if word.eq_ignore_ascii_case("true") => true,
            (Some(word), None) if word.eq_ignore_ascii_case("false") => false,
            _ => return Err(pair.error(Kind::Control)),
        };
        let value = spec.map(|spec| decode("control", spec, self.lines.resolver.as_mut())).transpose();
        let value = value.map_err(|kind| pair.error(kind))?;
        let elsewhere = if spec.is_some_and(|spec| spec.starts_with(b"<")) {
            value.as_ref().map_or(0, |value| value.len())
        } else {
            0
        };
        self.lines.count(elsewhere).map_err(|kind| pair.error(kind))?;
        Ok(Control { oid: oid.to_owned(), critical, value: value.map(|value| value.into_owned().into()) })
    }

    /// The record's next line, where a `-` has no place.
    fn pair(&mut self) -> Result<Option<Pair>, LdifError> {
        match self.lines.item().transpose()? {
            Some(Item::Pair(pair)) => Ok(Some(pair)),
            Some(Item::Dash(line)) => Err(LdifError::new(Kind::Dash, line)),
            None => Ok(None),
        }
    }
}

impl<R: BufRead> Iterator for Changes<R> {
    type Item = Result<ChangeRecord, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.lines.start()?.and_then(|(dn, line)| self.record(dn, line));
        if record.is_err() {
            self.lines.skip_record();
        }
        Some(record)
    }
}

impl<R> fmt::Debug for Changes<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("untyped", &self.untyped).finish_non_exhaustive()
    }
}

enum Kinds {
    Add,
    Delete,
    Modify,
    ModifyDn,
}

fn kind(pair: &Pair) -> Result<Kinds, LdifError> {
    let text = String::from_utf8_lossy(&pair.value);
    match text.trim().to_ascii_lowercase().as_str() {
        "add" => Ok(Kinds::Add),
        "delete" => Ok(Kinds::Delete),
        "modify" => Ok(Kinds::Modify),
        "modrdn" | "moddn" | "rename" => Ok(Kinds::ModifyDn),
        _ => Err(pair.error(Kind::ChangeType(text.into_owned()))),
    }
}

/// `replace: mail` as a change without values yet.
fn begun(pair: &Pair) -> Result<Change, LdifError> {
    let op = match pair.name.to_ascii_lowercase().as_str() {
        "add" => ChangeOp::Add,
        "delete" => ChangeOp::Delete,
        "replace" => ChangeOp::Replace,
        "increment" => ChangeOp::Increment,
        _ => return Err(pair.error(Kind::Operation(pair.name.clone()))),
    };
    let attribute = pair.text()?.trim();
    if !is_attribute_description(attribute) {
        return Err(pair.error(Kind::Attribute(attribute.to_owned())));
    }
    Ok(Change { op, attribute: attribute.to_owned(), values: Vec::new() })
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
