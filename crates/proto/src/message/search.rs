//! Search (RFC 4511 section 4.5): the request and the references; the entries are in `entry.rs`.

use crate::Filter;
use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};

/// Asks for the entries below a base that match a filter.
///
/// ```
/// use ldapgate_proto::{Filter, Scope, SearchRequest};
///
/// let search = SearchRequest {
///     size_limit: 2,
///     attributes: vec!["cn".into(), "mail".into()],
///     ..SearchRequest::new("ou=people,dc=example,dc=com", Scope::Subtree, Filter::equal("uid", "ada"))
/// };
/// assert_eq!(search.base, "ou=people,dc=example,dc=com");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// Where to begin.
    pub base: String,
    /// How far to go from there.
    pub scope: Scope,
    /// When to follow aliases.
    pub deref: Deref,
    /// At most so many entries; 0 leaves it to the server.
    pub size_limit: u32,
    /// At most so many seconds; 0 leaves it to the server.
    pub time_limit: u32,
    /// Names of attributes without their values?
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter,
    /// Which attributes; none means all that users set, `+` the operational ones, `1.1` none.
    pub attributes: Vec<String>,
}

/// How far a search goes from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The base itself.
    Base,
    /// The entries directly below the base.
    One,
    /// The base and everything below it.
    Subtree,
    /// Everything below the base without the base (draft-sermersheim-ldap-subordinate-scope).
    Subordinate,
}

/// When a search follows aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deref {
    /// Never.
    Never,
    /// Below the base, but not to find the base.
    Searching,
    /// To find the base, but not below it.
    Finding,
    /// Always.
    Always,
}

impl SearchRequest {
    /// A search without limits of its own for all attributes that users set; aliases are not followed.
    pub fn new(base: impl Into<String>, scope: Scope, filter: Filter) -> SearchRequest {
        SearchRequest {
            base: base.into(),
            scope,
            deref: Deref::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter,
            attributes: Vec::new(),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<SearchRequest, Error> {
        let base = reader.text(Tag::OCTETS, "search base")?.to_owned();
        let scope = Scope::read(reader)?;
        let deref = Deref::read(reader)?;
        let size_limit = reader.unsigned(Tag::INTEGER, "size limit")?;
        let time_limit = reader.unsigned(Tag::INTEGER, "time limit")?;
        let types_only = reader.boolean(Tag::BOOLEAN)?;
        let filter = Filter::read(reader, limits)?;
        let attributes = read_texts(reader.enter(Tag::SEQUENCE)?, "attribute")?;
        Ok(SearchRequest { base, scope, deref, size_limit, time_limit, types_only, filter, attributes })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(Tag::OCTETS, &self.base);
        writer.integer(Tag::ENUMERATED, self.scope.number());
        writer.integer(Tag::ENUMERATED, self.deref.number());
        writer.integer(Tag::INTEGER, i64::from(self.size_limit));
        writer.integer(Tag::INTEGER, i64::from(self.time_limit));
        writer.boolean(Tag::BOOLEAN, self.types_only);
        self.filter.write(writer);
        writer.constructed(Tag::SEQUENCE, |writer| {
            self.attributes.iter().for_each(|name| writer.octets(Tag::OCTETS, name));
        });
    }
}

/// SearchResultReference (RFC 4511 section 4.5.3): URLs where the search goes on.
pub(super) fn read_reference(reader: &mut Reader<'_>) -> Result<Vec<String>, Error> {
    read_texts(*reader, "reference")
}

pub(super) fn write_reference(urls: &[String], writer: &mut Writer) {
    urls.iter().for_each(|url| writer.octets(Tag::OCTETS, url));
}

fn read_texts(mut reader: Reader<'_>, what: &'static str) -> Result<Vec<String>, Error> {
    let mut texts = Vec::new();
    while !reader.is_empty() {
        texts.push(reader.text(Tag::OCTETS, what)?.to_owned());
    }
    Ok(texts)
}

impl Scope {
    fn read(reader: &mut Reader<'_>) -> Result<Scope, Error> {
        let at = reader.offset();
        match reader.integer(Tag::ENUMERATED)? {
            0 => Ok(Scope::Base),
            1 => Ok(Scope::One),
            2 => Ok(Scope::Subtree),
            3 => Ok(Scope::Subordinate),
            value => Err(Error::new(ErrorKind::OutOfRange { what: "search scope", value }, at)),
        }
    }

    fn number(self) -> i64 {
        match self {
            Scope::Base => 0,
            Scope::One => 1,
            Scope::Subtree => 2,
            Scope::Subordinate => 3,
        }
    }
}

impl Deref {
    fn read(reader: &mut Reader<'_>) -> Result<Deref, Error> {
        let at = reader.offset();
        match reader.integer(Tag::ENUMERATED)? {
            0 => Ok(Deref::Never),
            1 => Ok(Deref::Searching),
            2 => Ok(Deref::Finding),
            3 => Ok(Deref::Always),
            value => Err(Error::new(ErrorKind::OutOfRange { what: "alias rule", value }, at)),
        }
    }

    fn number(self) -> i64 {
        match self {
            Deref::Never => 0,
            Deref::Searching => 1,
            Deref::Finding => 2,
            Deref::Always => 3,
        }
    }
}
