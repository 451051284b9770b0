use super::sync::sequence;
use super::{Control, MOST_ITEMS};
use crate::Entry;
use crate::ber::{Error, Tag};

/// OpenLDAP's dereference control (draft-masarati-ldap-deref): attributes of the entries that an entry names, such as the
/// members of a group, in the same answer.
///
/// ```
/// use ldapgate_proto::control::Dereference;
///
/// let members = Dereference { specs: vec![("member".to_owned(), vec!["uid".to_owned(), "cn".to_owned()])] };
/// assert_eq!(Dereference::parse(&members.to_control())?, members);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dereference {
    /// Attributes that name entries, each with what is wanted of those.
    pub specs: Vec<(String, Vec<String>)>,
}

/// What an entry's answer to [`Dereference`] says of one entry that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dereferenced {
    /// The attribute that names it.
    pub attribute: String,
    /// The entry that is named, with those of the wanted attributes that may be seen.
    pub entry: Entry,
}

const VALUES: Tag = Tag::context(0).constructed();

impl Dereference {
    /// The control's OID, in requests and responses.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.666.5.16";

    /// The control that asks for this. Not critical: a server without it sends the names alone.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            for (attribute, wanted) in &self.specs {
                writer.constructed(Tag::SEQUENCE, |writer| {
                    writer.octets(Tag::OCTETS, attribute);
                    writer.constructed(Tag::SEQUENCE, |writer| {
                        wanted.iter().for_each(|name| writer.octets(Tag::OCTETS, name));
                    });
                });
            }
        });
        Control::new(Dereference::OID, Some(value))
    }

    /// Reads a request's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing, malformed or too long; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<Dereference, Error> {
        let mut content = control.content(Tag::SEQUENCE)?;
        let mut list = content.enter(Tag::SEQUENCE)?;
        let mut specs = Vec::new();
        while !list.is_empty() && specs.len() < MOST_ITEMS {
            let mut spec = list.enter(Tag::SEQUENCE)?;
            let attribute = spec.text(Tag::OCTETS, "attribute")?.to_owned();
            let (mut names, mut wanted) = (spec.enter(Tag::SEQUENCE)?, Vec::new());
            while !names.is_empty() && wanted.len() < MOST_ITEMS {
                wanted.push(names.text(Tag::OCTETS, "attribute")?.to_owned());
            }
            names.finish()?;
            specs.push((attribute, wanted));
        }
        list.finish()?;
        Ok(Dereference { specs })
    }

    /// Reads what came with an entry; the control's OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn results(control: &Control) -> Result<Vec<Dereferenced>, Error> {
        let mut content = control.content(Tag::SEQUENCE)?;
        let mut list = content.enter(Tag::SEQUENCE)?;
        let mut results = Vec::new();
        while !list.is_empty() {
            let mut result = list.enter(Tag::SEQUENCE)?;
            let attribute = result.text(Tag::OCTETS, "attribute")?.to_owned();
            let mut entry = Entry::builder(result.text(Tag::OCTETS, "name")?);
            if let Some(mut attributes) = result.enter_if(VALUES)? {
                while !attributes.is_empty() {
                    let mut attribute = attributes.enter(Tag::SEQUENCE)?;
                    let name = attribute.text(Tag::OCTETS, "attribute")?;
                    let (mut set, mut values) = (attribute.enter(Tag::SET)?, Vec::new());
                    while !set.is_empty() {
                        values.push(set.octets(Tag::OCTETS)?);
                    }
                    entry = entry.attribute(name, values);
                }
            }
            results.push(Dereferenced { attribute, entry: entry.build() });
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn what_slapd_says_of_members_is_read() {
        let value = "MIG1MFkEBm1lbWJlcgQldWlkPWFsaWNlLG91PXBlb3BsZSxkYz1leGFtcGxlLGRjPWNvbaAoMA4EA3VpZDEHBAVhbGlj\
                     ZTAWBAJjbjEQBA5BbGljZSBBbmRlcnNvbjBYBAZtZW1iZXIEI3VpZD1ib2Isb3U9cGVvcGxlLGRjPWV4YW1wbGUsZGM9Y29t\
                     oCkwDAQDdWlkMQUEA2JvYjAZBAJjbjETBBFCb2JcLCB0aGUgQnVpbGRlcg==";
        let control = Control::new(Dereference::OID, Some(STANDARD.decode(value).unwrap().into()));
        let results = Dereference::results(&control).unwrap();
        let told: Vec<_> =
            results.iter().map(|r| (r.attribute.as_str(), r.entry.dn(), r.entry.text("cn"))).collect();
        let expected = [
            ("member", "uid=alice,ou=people,dc=example,dc=com", Some("Alice Anderson")),
            ("member", "uid=bob,ou=people,dc=example,dc=com", Some("Bob\\, the Builder")),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn no_bytes_panic() {
        for length in 0..40 {
            let value = (0..length).map(|at: u8| at.wrapping_mul(37) ^ 0x30).collect::<Vec<u8>>();
            let _ = Dereference::results(&Control::new(Dereference::OID, Some(value.into())));
        }
    }
}
