//! Entries of some classes.

use std::sync::Arc;

use proto::schema::{ClassAttributes, Violation};
use proto::{Controls, Entry, Filter, LdapResult, Schema};

use super::TypedEntry;
use crate::search::one_entry;
use crate::stream::End;
use crate::{Connection, Error, Found, Search, SearchStream};

/// Active Directory's classes have attributes that it makes up for one entry at a time and refuses, or takes long, for many
/// (MS-ADTS section 3.1.1.4.5).
const FOR_ONE_ENTRY: [&str; 6] = [
    "tokenGroups",
    "tokenGroupsGlobalAndUniversal",
    "tokenGroupsNoGCAcceptable",
    "msds-memberOfTransitive",
    "msds-memberTransitive",
    "msds-tokenGroupNames",
];

/// Reads entries that belong to some classes, and asks for exactly the attributes that these have to have and may have,
/// each with all its values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (_running, url) = testkit::example::serve().await?;
/// use ldapgate_client::{Connection, Filter, Options};
///
/// let connection = Connection::open(&Options::new([url])?).await?;
/// let people = connection.reader(["inetOrgPerson"]).await?.below("dc=example,dc=com");
/// let found = people.clone().matching(Filter::present("uid")).search().await?;
/// assert_eq!(found.entries[0].value("surname").map(|value| value.to_string()).as_deref(), Some("Lovelace"));
/// assert!(found.truncated.is_none());
///
/// let ada = people.get("uid=ada,dc=example,dc=com").await?.expect("she is there");
/// assert!(ada.entry().has("cn"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Reader {
    connection: Connection,
    schema: Arc<Schema>,
    classes: Vec<String>,
    allowed: ClassAttributes,
    more: Vec<String>,
    filter: Option<Filter>,
    search: Search,
}

/// All that a [`Reader`] found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TypedFound {
    /// The entries.
    pub entries: Vec<TypedEntry>,
    /// Where else to look: the URLs of each continuation reference that was not followed.
    pub references: Vec<Vec<String>>,
    /// There would have been more: a limit was reached, the server's or the reader's own.
    pub truncated: Option<LdapResult>,
    /// What came with the last answer, paging aside.
    pub controls: Controls,
}

/// A [`Reader`]'s entries, one after the other.
#[derive(Debug)]
pub struct TypedStream {
    found: SearchStream,
    schema: Arc<Schema>,
    asked: Arc<[String]>,
}

impl Connection {
    /// A reader of entries that belong to all of these classes. Without a base it looks below the root, which most servers
    /// refuse: choose one.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when a class is not defined; otherwise as [`Connection::schema`].
    pub async fn reader(
        &self,
        classes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Reader, Error> {
        let classes: Vec<String> = classes.into_iter().map(Into::into).collect();
        let schema = self.schema().await?;
        let allowed = schema.attributes_of(classes.iter().map(String::as_str));
        if !allowed.unknown.is_empty() {
            return Err(unknown(&schema, &allowed));
        }
        let search = Search::below("");
        Ok(Reader {
            connection: self.clone(),
            schema,
            classes,
            allowed,
            more: Vec::new(),
            filter: None,
            search,
        })
    }
}

impl Reader {
    /// Look at the base and everything below it.
    #[must_use]
    pub fn below(self, base: impl Into<String>) -> Reader {
        Reader { search: Search::below(base), ..self }
    }

    /// Look at the entries directly below the base.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # let connection = ldapgate_client::Connection::open(&ldapgate_client::Options::new([url])?).await?;
    /// let people = connection.reader(["person"]).await?.one("dc=example,dc=com").and_attributes(["memberOf"]);
    /// assert!(people.attributes().contains(&"sn".to_owned()) && people.classes().must.contains(&"cn".to_owned()));
    /// let mut found = people.stream();
    /// while let Some(person) = found.next().await? {
    ///     assert_eq!(person.dn(), "uid=ada,dc=example,dc=com");
    /// }
    /// assert!(found.finish().await?.truncated.is_none());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn one(self, base: impl Into<String>) -> Reader {
        Reader { search: Search::one(base), ..self }
    }

    /// Only entries that match besides.
    #[must_use]
    pub fn matching(self, filter: Filter) -> Reader {
        Reader { filter: Some(filter), ..self }
    }

    /// Ask for more attributes: operational ones belong to no class.
    #[must_use]
    pub fn and_attributes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Reader {
        self.more.extend(names.into_iter().map(Into::into));
        self
    }

    /// What is asked for, page size, limits and controls as the caller likes; its base, scope, filter and attributes are
    /// the reader's.
    ///
    /// ```
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// let few = connection.reader(["person"]).await?.below("dc=example,dc=com").with(|search| search.limit(10));
    /// # let _ = few;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with(self, change: impl FnOnce(Search) -> Search) -> Reader {
        let search = change(self.search);
        Reader { search, ..self }
    }

    /// What the schema says of the classes.
    pub fn classes(&self) -> &ClassAttributes {
        &self.allowed
    }

    /// The attributes that are asked for.
    pub fn attributes(&self) -> Vec<String> {
        let for_one = |name: &String| FOR_ONE_ENTRY.iter().any(|other| other.eq_ignore_ascii_case(name));
        let everything = self.allowed.anything.then(|| "*".to_owned());
        let known = self.allowed.must.iter().chain(&self.allowed.may).filter(|name| !for_one(name));
        everything.into_iter().chain(known.cloned()).chain(self.more.iter().cloned()).collect()
    }

    /// Searches, and collects what is found.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`].
    pub async fn search(&self) -> Result<TypedFound, Error> {
        let asked: Arc<[String]> = self.attributes().into();
        let Found { entries, references, truncated, controls } =
            self.connection.search(self.question(&asked)).await?;
        let entries = entries.into_iter().map(|entry| self.typed(entry, &asked)).collect();
        Ok(TypedFound { entries, references, truncated, controls })
    }

    /// Searches, entry by entry.
    pub fn stream(&self) -> TypedStream {
        let asked: Arc<[String]> = self.attributes().into();
        let found = self.connection.stream(self.question(&asked));
        TypedStream { found, schema: self.schema.clone(), asked }
    }

    /// Reads one entry; `None` when there is none of this name, or it does not belong to the classes.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`].
    pub async fn get(&self, dn: &str) -> Result<Option<TypedEntry>, Error> {
        let asked: Arc<[String]> = self.attributes().into();
        let search = Search::read(dn)
            .matching(self.filter())
            .attributes(asked.iter().map(String::as_str))
            .whole_values();
        let found = one_entry(self.connection.stream(search)).await?;
        Ok(found.map(|entry| self.typed(entry, &asked)))
    }

    fn question(&self, asked: &Arc<[String]>) -> Search {
        self.search
            .clone()
            .matching(self.filter())
            .attributes(asked.iter().map(String::as_str))
            .whole_values()
    }

    fn filter(&self) -> Filter {
        let classes = self.classes.iter().map(|class| Filter::equal("objectClass", class.as_str()));
        let all = classes.chain(self.filter.clone()).reduce(|one, other| one & other);
        all.unwrap_or_else(|| Filter::present("objectClass"))
    }

    fn typed(&self, entry: Entry, asked: &Arc<[String]>) -> TypedEntry {
        TypedEntry::of(entry, self.schema.clone(), asked.clone())
    }
}

impl TypedStream {
    /// The next entry; `None` when there is none left.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`].
    pub async fn next(&mut self) -> Result<Option<TypedEntry>, Error> {
        let found = self.found.next().await?;
        Ok(found.map(|entry| TypedEntry::of(entry, self.schema.clone(), self.asked.clone())))
    }

    /// How it ended.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::finish`].
    pub async fn finish(self) -> Result<End, Error> {
        self.found.finish().await
    }
}

fn unknown(schema: &Schema, allowed: &ClassAttributes) -> Error {
    let violations = allowed.unknown.iter().map(|class| Violation::UnknownClass {
        class: class.clone(),
        similar: schema
            .similar_names(class)
            .into_iter()
            .find(|name| schema.object_class(name).is_some())
            .map(str::to_owned),
    });
    Error::Schema { operation: "search", dn: String::new(), violations: violations.collect() }
}
