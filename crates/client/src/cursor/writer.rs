//! Pending changes of one entry.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use proto::message::AddRequest;
use proto::schema::Violation;
use proto::{Change, ChangeOp, Entry, Schema};

use crate::search::one_entry;
use crate::write::{attributes_of, changes_between_entries};
use crate::{Connection, Error, Reply, Search};

/// An entry that is being changed or made. Nothing is sent before [`Writer::commit`], which sends the smallest change that
/// does it, in one request.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (_running, url) = testkit::example::serve().await?;
/// use ldapgate_client::{Change, Connection, Options, Password};
///
/// let connection = Connection::open(&Options::new([url])?).await?;
/// connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
/// let people = connection.reader(["inetOrgPerson"]).await?.below("dc=example,dc=com");
/// let ada = people.get("uid=ada,dc=example,dc=com").await?.expect("she is there");
///
/// let mut pending = ada.edit();
/// pending.set("mail", ["ada@example.com"]).add("cn", ["Ada King"]).delete("description");
/// assert_eq!(pending.changes(), [Change::add("cn", ["Ada King"]), Change::add("mail", ["ada@example.com"])]);
/// pending.commit(&connection).await?;
/// assert!(!pending.is_changed());
///
/// pending.remove("cn", ["Ada King"]).discard();
/// assert!(pending.refresh(&connection).await?, "the entry is still there");
/// assert_eq!(pending.values("cn").count(), 2);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Writer {
    schema: Arc<Schema>,
    /// The entry as it was read; of a new one only the name.
    before: Entry,
    new: bool,
    after: Vec<(String, Vec<Bytes>)>,
    asked: Arc<[String]>,
}

impl Writer {
    /// A new entry of these classes. What else it has to have, [`Writer::violations`] tells.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # let connection = ldapgate_client::Connection::open(&ldapgate_client::Options::new([url])?).await?;
    /// use ldapgate_client::Writer;
    ///
    /// let mut team = Writer::create(connection.schema().await?, "cn=team,dc=example,dc=com", ["groupOfNames"]);
    /// assert_eq!(team.violations()[0].to_string(), "attribute member is missing, which its object classes require");
    /// team.set("member", ["uid=ada,dc=example,dc=com"]);
    /// assert!(team.violations().is_empty() && team.dn() == "cn=team,dc=example,dc=com");
    /// # Ok(()) }
    /// ```
    pub fn create(
        schema: Arc<Schema>,
        dn: impl Into<String>,
        classes: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Writer {
        let before = Entry::builder(dn).build();
        let after = vec![("objectClass".to_owned(), owned(classes))];
        Writer { schema, before, new: true, after, asked: Arc::default() }
    }

    pub(super) fn of(before: Entry, schema: Arc<Schema>, asked: Arc<[String]>) -> Writer {
        let after = attributes_of(&before);
        Writer { schema, before, new: false, after, asked }
    }

    /// The entry's name.
    pub fn dn(&self) -> &str {
        self.before.dn()
    }

    /// An attribute's values as they would be.
    pub fn values(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        let values = self.place(attribute).map(|place| &self.after[place].1);
        values.into_iter().flatten().map(AsRef::as_ref)
    }

    /// Puts values in the place of all that are there; none deletes the attribute.
    pub fn set(
        &mut self,
        attribute: &str,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> &mut Writer {
        *self.entry(attribute) = owned(values);
        self
    }

    /// Adds values; one that is there already is not added again.
    pub fn add(
        &mut self,
        attribute: &str,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> &mut Writer {
        let there = self.entry(attribute);
        for value in owned(values) {
            if !there.contains(&value) {
                there.push(value);
            }
        }
        self
    }

    /// Takes values away; one that is not there is not missed.
    pub fn remove(
        &mut self,
        attribute: &str,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> &mut Writer {
        let gone = owned(values);
        self.entry(attribute).retain(|value| !gone.contains(value));
        self
    }

    /// Takes the attribute away with all its values.
    pub fn delete(&mut self, attribute: &str) -> &mut Writer {
        self.entry(attribute).clear();
        self
    }

    /// Is there anything to send?
    pub fn is_changed(&self) -> bool {
        self.new || !self.changes().is_empty()
    }

    /// What would be sent for an entry that is there: of several values only those that came or went, or all where that is
    /// shorter or where the attribute has no equality rule, without which a server takes no single values.
    pub fn changes(&self) -> Vec<Change> {
        let changes = changes_between_entries(&self.before, &self.pending());
        let whole = |change: &Change| {
            matches!(change.op, ChangeOp::Add | ChangeOp::Delete)
                && self.before.has(&change.attribute)
                && !change.values.is_empty()
                && !self.has_equality(&change.attribute)
        };
        let mut sent: Vec<Change> = Vec::new();
        for change in changes {
            if !whole(&change) {
                sent.push(change);
            } else if !sent.iter().any(|other| other.attribute == change.attribute) {
                sent.push(Change::replace(change.attribute.clone(), self.values(&change.attribute)));
            }
        }
        sent
    }

    /// What the schema does not allow. Of an entry that is there only what the changes would make wrong: what was hidden when
    /// it was read is not missed.
    pub fn violations(&self) -> Vec<Violation> {
        if self.new {
            return self.schema.check_add(&self.request());
        }
        let mut wrong = self.schema.check_changes(&self.changes());
        let was_wrong = self.schema.check_entry(&self.before);
        let mut told: HashSet<Violation> =
            was_wrong.iter().chain(&wrong).map(Violation::without_guess).collect();
        let pending = self.schema.check_entry(&self.pending()).into_iter();
        wrong.extend(pending.filter(|violation| told.insert(violation.without_guess())));
        wrong
    }

    /// Forgets the changes.
    pub fn discard(&mut self) {
        self.after = attributes_of(&self.before);
    }

    /// Sends the changes, or the new entry, in one request; `None` when there is nothing to send. Afterwards the entry counts
    /// as what was sent: what the server made of it, [`Writer::refresh`] reads.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when the schema does not allow it, and nothing was sent; otherwise as [`Connection::modify`] or
    /// [`Connection::add`], and the changes are still pending.
    pub async fn commit(&mut self, connection: &Connection) -> Result<Option<Reply>, Error> {
        if !self.is_changed() {
            return Ok(None);
        }
        let violations = self.violations();
        if !violations.is_empty() {
            let operation = if self.new { "add" } else { "modify" };
            return Err(Error::Schema { operation, dn: self.dn().to_owned(), violations });
        }
        let reply = if self.new {
            let request = self.request();
            connection.add(self.dn(), request.attributes).await?
        } else {
            connection.modify(self.dn(), self.changes()).await?
        };
        self.before = self.pending();
        self.new = false;
        Ok(Some(reply))
    }

    /// Reads the entry again, the attributes that were read before; pending changes are forgotten. `false`: it is gone, and
    /// nothing has changed here.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`].
    pub async fn refresh(&mut self, connection: &Connection) -> Result<bool, Error> {
        let search = Search::read(self.dn()).attributes(self.asked.iter().map(String::as_str)).whole_values();
        let Some(entry) = one_entry(connection.stream(search)).await? else { return Ok(false) };
        *self = Writer::of(entry, self.schema.clone(), self.asked.clone());
        Ok(true)
    }

    fn request(&self) -> AddRequest {
        let there = self.after.iter().filter(|(_, values)| !values.is_empty());
        AddRequest { dn: self.dn().to_owned(), attributes: there.cloned().collect() }
    }

    fn pending(&self) -> Entry {
        let there = self.after.iter().filter(|(_, values)| !values.is_empty());
        there.fold(Entry::builder(self.dn()), |entry, (name, values)| entry.attribute(name, values)).build()
    }

    /// The values to be changed; an attribute that is not there is added without any.
    fn entry(&mut self, attribute: &str) -> &mut Vec<Bytes> {
        let place = self.place(attribute).unwrap_or_else(|| {
            self.after.push((attribute.to_owned(), Vec::new()));
            self.after.len() - 1
        });
        &mut self.after[place].1
    }

    /// By any of its names; options have to be the same.
    fn place(&self, attribute: &str) -> Option<usize> {
        let known = self.schema.attribute_type(attribute).filter(|_| !attribute.contains(';'));
        let same = |name: &str| {
            name.eq_ignore_ascii_case(attribute) || known.is_some_and(|known| known.is_called(name))
        };
        self.after.iter().position(|(name, _)| same(name))
    }

    /// Active Directory's schema tells no equality rules at all, and its attributes have them.
    fn has_equality(&self, attribute: &str) -> bool {
        let tells = || self.schema.attribute_types().iter().any(|kind| kind.equality.is_some());
        match self.schema.attribute_type(attribute) {
            Some(known) => self.schema.equality_of(known).is_some() || !tells(),
            None => true,
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("before", &self.before)
            .field("changes", &self.changes())
            .finish_non_exhaustive()
    }
}

fn owned(values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<Bytes> {
    values.into_iter().map(|value| Bytes::copy_from_slice(value.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TypedEntry;

    fn schema() -> Arc<Schema> {
        let entry = Entry::builder("cn=Subschema")
            .attribute(
                "attributeTypes",
                [
                    "( 2.5.4.0 NAME 'objectClass' EQUALITY objectIdentifierMatch )",
                    "( 2.5.4.3 NAME ( 'cn' 'commonName' ) EQUALITY caseIgnoreMatch )",
                    "( 2.5.4.4 NAME ( 'sn' 'surname' ) EQUALITY caseIgnoreMatch )",
                    "( 1.2 NAME 'photo' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 )",
                ],
            )
            .attribute("objectClasses", ["( 2.5.6.6 NAME 'person' MUST ( sn $ cn ) MAY photo )"]);
        Arc::new(Schema::from_entry(&entry.build()))
    }

    fn ada() -> Writer {
        let entry = Entry::builder("cn=Ada")
            .attribute("objectClass", ["person"])
            .attribute("cn", ["Ada", "Ada L", "Augusta Ada"])
            .attribute("photo", ["one", "two"]);
        TypedEntry::new(entry.build(), schema()).edit()
    }

    #[test]
    fn only_what_came_and_went_is_sent() {
        let mut ada = ada();
        ada.add("commonName", ["Ada", "Countess"]);
        assert_eq!(ada.changes(), [Change::add("cn", ["Countess"])]);
        ada.discard();
        ada.remove("CN", ["Ada L", "nobody"]);
        assert_eq!(ada.changes(), [Change::delete("cn", ["Ada L"])]);
        ada.discard();
        assert_eq!((ada.changes(), ada.is_changed()), (vec![], false));
    }

    #[test]
    fn without_an_equality_rule_all_values_are_sent() {
        let mut ada = ada();
        ada.add("photo", ["three"]);
        assert_eq!(ada.changes(), [Change::replace("photo", ["one", "two", "three"])]);
        ada.delete("photo");
        assert_eq!(ada.changes(), [Change::delete_all("photo")]);
    }

    #[test]
    fn what_was_wrong_before_is_nobodys_fault() {
        let mut ada = ada();
        assert_eq!(ada.violations(), [], "sn was not shown, and is not missed");
        ada.delete("cn").set("mail", ["x"]);
        let wrong: Vec<String> = ada.violations().iter().map(ToString::to_string).collect();
        assert_eq!(wrong, ["attribute mail is not defined"], "cn is in the name");
    }

    #[test]
    fn debug_tells_no_values() {
        let mut ada = ada();
        ada.set("sn", ["Lovelace"]);
        assert!(!format!("{ada:?}").contains("Lovelace"));
    }
}
