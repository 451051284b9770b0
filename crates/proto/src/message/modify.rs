//! Modify (RFC 4511 section 4.6).

use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// Asks for changes to one entry, all or none, in this order.
///
/// ```
/// use ldapgate_proto::{Bytes, Change, ChangeOp, ModifyRequest};
///
/// let mail = vec![Bytes::from("ada@example.com")];
/// let change = Change { op: ChangeOp::Replace, attribute: "mail".into(), values: mail };
/// let modify = ModifyRequest { dn: "uid=ada,dc=example,dc=com".into(), changes: vec![change] };
/// assert_eq!(format!("{:?}", modify.changes), "[Replace mail(1)]", "values can be secret");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyRequest {
    /// The entry's name.
    pub dn: String,
    /// What to change.
    pub changes: Vec<Change>,
}

/// One change of one attribute.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// What is done.
    pub op: ChangeOp,
    /// To which attribute.
    pub attribute: String,
    /// With which values; without any, delete and replace remove the attribute.
    pub values: Vec<Bytes>,
}

/// What a change does with its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeOp {
    /// Adds them.
    Add,
    /// Removes them.
    Delete,
    /// Puts them in the place of all that were there.
    Replace,
    /// Adds the one value, a number, to the value that is there (RFC 4525).
    Increment,
}

impl Change {
    /// Adds values to the attribute.
    ///
    /// ```
    /// use ldapgate_proto::Change;
    /// let change = Change::add("telephoneNumber", ["+49 30 1000"]);
    /// assert_eq!(change.values[0], "+49 30 1000");
    /// ```
    pub fn add(attribute: impl Into<String>, values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Change {
        Change::of(ChangeOp::Add, attribute.into(), values)
    }

    /// Removes these values from the attribute.
    pub fn delete(
        attribute: impl Into<String>,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Change {
        Change::of(ChangeOp::Delete, attribute.into(), values)
    }

    /// Removes the attribute with all its values; it must be there.
    pub fn delete_all(attribute: impl Into<String>) -> Change {
        Change { op: ChangeOp::Delete, attribute: attribute.into(), values: Vec::new() }
    }

    /// Puts these values in the place of all that were there; without any, the attribute is gone afterwards.
    pub fn replace(
        attribute: impl Into<String>,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Change {
        Change::of(ChangeOp::Replace, attribute.into(), values)
    }

    /// Adds a number to the one that is there (RFC 4525).
    pub fn increment(attribute: impl Into<String>, by: i64) -> Change {
        Change::of(ChangeOp::Increment, attribute.into(), [by.to_string()])
    }

    fn of(op: ChangeOp, attribute: String, values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Change {
        let values = values.into_iter().map(|value| Bytes::copy_from_slice(value.as_ref())).collect();
        Change { op, attribute, values }
    }
}

impl ModifyRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<ModifyRequest, Error> {
        let dn = reader.text(Tag::OCTETS, "name")?.to_owned();
        let mut list = reader.enter(Tag::SEQUENCE)?;
        let mut changes = Vec::new();
        while !list.is_empty() {
            let mut change = list.enter(Tag::SEQUENCE)?;
            let op = ChangeOp::read(&mut change)?;
            let (attribute, values) = read_attribute(&mut change)?;
            changes.push(Change { op, attribute, values });
        }
        Ok(ModifyRequest { dn, changes })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(Tag::OCTETS, &self.dn);
        writer.constructed(Tag::SEQUENCE, |writer| {
            for change in &self.changes {
                writer.constructed(Tag::SEQUENCE, |writer| {
                    writer.integer(Tag::ENUMERATED, change.op.number());
                    write_attribute(&change.attribute, &change.values, writer);
                });
            }
        });
    }
}

impl ChangeOp {
    fn read(reader: &mut Reader<'_>) -> Result<ChangeOp, Error> {
        let at = reader.offset();
        match reader.integer(Tag::ENUMERATED)? {
            0 => Ok(ChangeOp::Add),
            1 => Ok(ChangeOp::Delete),
            2 => Ok(ChangeOp::Replace),
            3 => Ok(ChangeOp::Increment),
            value => Err(Error::new(ErrorKind::OutOfRange { what: "change", value }, at)),
        }
    }

    fn number(self) -> i64 {
        match self {
            ChangeOp::Add => 0,
            ChangeOp::Delete => 1,
            ChangeOp::Replace => 2,
            ChangeOp::Increment => 3,
        }
    }
}

/// Names and counts, because values can be secret.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}({})", self.op, self.attribute, self.values.len())
    }
}

/// PartialAttribute (RFC 4511 section 4.1.7): a name and a set of values.
pub(super) fn read_attribute(reader: &mut Reader<'_>) -> Result<(String, Vec<Bytes>), Error> {
    let mut attribute = reader.enter(Tag::SEQUENCE)?;
    let name = attribute.text(Tag::OCTETS, "attribute")?.to_owned();
    let mut set = attribute.enter(Tag::SET)?;
    let mut values = Vec::new();
    while !set.is_empty() {
        values.push(set.shared(Tag::OCTETS)?);
    }
    Ok((name, values))
}

pub(super) fn write_attribute<V: AsRef<[u8]>>(
    name: &str,
    values: impl IntoIterator<Item = V>,
    writer: &mut Writer,
) {
    writer.constructed(Tag::SEQUENCE, |writer| {
        writer.octets(Tag::OCTETS, name);
        writer.constructed(Tag::SET, |writer| {
            values.into_iter().for_each(|value| writer.octets(Tag::OCTETS, value));
        });
    });
}
