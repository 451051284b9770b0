//! The server's schema: read when it is first asked for, shared, and read again when it has changed.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use proto::message::Request;
use proto::schema::{self, Schema, Violation};
use proto::{Entry, Filter};

use crate::{Connection, Error, Pool, Search};

/// When a subschema entry was last changed: everybody's attribute, and 389 Directory Server's, which is a change number.
const VERSIONS: [&str; 2] = ["modifyTimestamp", "nsSchemaCSN"];
/// A server that names ever new subschema entries cannot fill the memory.
const MOST_KEPT: usize = 16;

/// Schemas that were read. Clones share them, and so do all connections that are made with the same [`Options`](crate::Options).
///
/// A schema is kept with the server and the entry that it came from, and with the time of that entry's last change; it is
/// handed out again while the server says the same time. A server that tells no such time is asked for the whole each
/// time.
#[derive(Clone, Default)]
pub struct SchemaCache {
    kept: Arc<Mutex<HashMap<Key, Kept>>>,
}

/// The server's URL and the subschema entry's name.
type Key = (String, String);

#[derive(Clone)]
struct Kept {
    version: Option<String>,
    schema: Arc<Schema>,
}

impl SchemaCache {
    /// An empty one, to be shared by pools of the same directory: [`Options::schema_cache`](crate::Options::schema_cache).
    ///
    /// ```
    /// use ldapgate_client::{Options, SchemaCache};
    ///
    /// # fn main() -> Result<(), ldapgate_client::Error> {
    /// let schemas = SchemaCache::new();
    /// let reading = Options::new(["ldaps://ldap.example.com"])?.schema_cache(schemas.clone());
    /// let writing = Options::new(["ldaps://ldap.example.com"])?.schema_cache(schemas.clone()).check_names();
    /// # let _ = (reading, writing);
    /// schemas.clear();
    /// # Ok(()) }
    /// ```
    pub fn new() -> SchemaCache {
        SchemaCache::default()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn get(&self, key: &Key) -> Option<Kept> {
        self.lock().get(key).cloned()
    }

    fn put(&self, key: Key, kept: Kept) {
        let mut all = self.lock();
        if all.len() >= MOST_KEPT && !all.contains_key(&key) {
            all.clear();
        }
        all.insert(key, kept);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Kept>> {
        // Nothing in here can be left half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SchemaCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaCache").field("kept", &self.lock().len()).finish()
    }
}

impl Connection {
    /// The server's schema. It is read when it is first asked for; afterwards it costs two short questions, where it is
    /// and whether it has changed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// use ldapgate_client::{Connection, Options};
    ///
    /// let connection = Connection::open(&Options::new([url])?).await?;
    /// let schema = connection.schema().await?;
    /// let person = schema.attributes_of(["inetOrgPerson"]);
    /// assert!(person.must.contains(&"sn".to_owned()) && person.may.contains(&"mail".to_owned()));
    /// assert!(schema.broken().is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoSchema`] when the server names no subschema entry or hides it; otherwise as [`Connection::read`].
    pub async fn schema(&self) -> Result<Arc<Schema>, Error> {
        self.schema_for("").await
    }

    /// The schema that governs an entry: a server may have several.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// let schema = connection.schema_for("uid=ada,dc=example,dc=com").await?;
    /// assert!(schema.attribute_type("mail").is_some());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Connection::schema`].
    #[tracing::instrument(name = "ldap.schema", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn schema_for(&self, dn: &str) -> Result<Arc<Schema>, Error> {
        let entry = self.read(dn, &["subschemaSubentry"]).await?;
        let named = entry.as_ref().and_then(|entry| entry.text("subschemaSubentry"));
        let Some(subschema) = named.filter(|name| !name.is_empty()) else { return Err(self.no_schema(dn)) };
        let key = (self.url().to_owned(), subschema.to_owned());
        let cache = &self.shared.options.schemas;
        if let Some(kept) = cache.get(&key)
            && kept.version.is_some()
        {
            let entry = self.subschema(subschema, &VERSIONS).await?;
            if entry.as_ref().and_then(version) == kept.version {
                return Ok(kept.schema);
            }
        }
        let wanted: Vec<&str> = schema::ATTRIBUTES.into_iter().chain(VERSIONS).collect();
        let entry = self.subschema(subschema, &wanted).await?.ok_or_else(|| self.no_schema(dn))?;
        let schema = Arc::new(Schema::from_entry(&entry));
        if schema.is_empty() {
            return Err(self.no_schema(dn));
        }
        cache.put(key, Kept { version: version(&entry), schema: schema.clone() });
        Ok(schema)
    }

    /// Judges a request by the schema, where the options ask for it.
    pub(crate) async fn check(&self, request: &Request) -> Result<(), Error> {
        let judged = matches!(request, Request::Add(_) | Request::Modify(_));
        if !self.shared.options.check_names || !judged {
            return Ok(());
        }
        // Apart from the caller's future: those who do not ask for this should not carry it about.
        let judged: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(self.judged(request));
        judged.await
    }

    /// A schema that is at hand is used as it is; before anything is refused by it, the server is asked whether it has
    /// changed.
    async fn judged(&self, request: &Request) -> Result<(), Error> {
        if let Some(schema) = self.shared.options.schemas.any_of(self.url())
            && judge(&schema, request).is_empty()
        {
            return Ok(());
        }
        // What goes along with the request is not meant for these questions.
        let violations = judge(&*self.without_controls().schema().await?, request);
        if violations.is_empty() {
            return Ok(());
        }
        let (operation, dn) = match request {
            Request::Add(add) => ("add", add.dn.clone()),
            Request::Modify(modify) => ("modify", modify.dn.clone()),
            _ => return Ok(()),
        };
        Err(Error::Schema { operation, dn, violations })
    }

    async fn subschema(&self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        // RFC 4512 section 4.4: with this filter, since some servers show the entry to no other.
        let search = Search::read(dn).matching(Filter::equal("objectClass", "subschema"));
        // Active Directory may hand out so many values at once and no more.
        let search = search.attributes(attributes.iter().copied()).whole_values().keep_referrals();
        crate::search::one_entry(self.stream(search)).await
    }

    fn no_schema(&self, dn: &str) -> Error {
        Error::NoSchema { url: self.url().to_owned(), dn: dn.to_owned() }
    }
}

impl Pool {
    /// The schema of one of the servers, shared by all connections of the pool.
    ///
    /// # Errors
    ///
    /// As [`Connection::schema`] and [`Pool::connection`].
    pub async fn schema(&self) -> Result<Arc<Schema>, Error> {
        self.connection().await?.schema().await
    }
}

impl SchemaCache {
    fn any_of(&self, url: &str) -> Option<Arc<Schema>> {
        self.lock().iter().find(|((server, _), _)| server == url).map(|(_, kept)| kept.schema.clone())
    }
}

fn judge(schema: &Schema, request: &Request) -> Vec<Violation> {
    match request {
        Request::Add(add) => schema.check_add(add),
        Request::Modify(modify) => schema.check_changes(&modify.changes),
        _ => Vec::new(),
    }
}

fn version(entry: &Entry) -> Option<String> {
    VERSIONS.iter().find_map(|name| entry.text(name)).map(str::to_owned)
}

/// Several violations in one line.
pub(crate) fn told(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
