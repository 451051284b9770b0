//! Bytes to values and back, without a network: what the libraries' codecs cost by themselves.
//!
//! `ldap3` keeps its codec to itself; what it does is put together here from its public parts, and favours it: its own
//! copies each message once more.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use ldap3::asn1::{
    ASNTag as _, Boolean, Enumerated, Integer, OctetString, PL, Sequence, Tag, TagClass, parse_tag, write,
};
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{LdapDerefAliases, LdapMsg, LdapOp, LdapSearchRequest, LdapSearchScope};
use proto::message::encode;
use proto::{
    ClientSession, Controls, Event, Filter, MessageId, Request, Response, Scope, SearchRequest, ber::Limits,
};
use tokio_util::codec::{Decoder as _, Encoder as _};

/// Where the captured answers are.
pub(crate) const CAPTURED: &str = "entries.ber";
/// The id of the search that was captured; another would be an answer to nothing.
#[allow(dead_code, reason = "whoever counts allocations captures nothing")]
pub(crate) const CAPTURED_ID: u32 = 1;

/// What is read from a socket at once.
const READ: usize = 16 * 1024;
/// Requests encoded.
const REQUESTS: usize = 100_000;
/// Clauses of the long filter, and how often it is parsed and encoded.
const CLAUSES: usize = 1_000;
const FILTERS: usize = 200;
const BASE: &str = "ou=people,dc=example,dc=com";
const USUAL: &str = "(&(objectClass=inetOrgPerson)(|(uid=p000001)(mail=p000001@example.com)))";
const ATTRIBUTES: [&str; 5] = ["uid", "cn", "sn", "mail", "memberOf"];

/// What one run does; it tells how much it has done, to be compared.
pub(crate) type Run = Box<dyn FnOnce() -> anyhow::Result<usize>>;

/// Makes everything ready that is not to be measured.
pub(crate) fn prepare(word: &str, folder: &Path) -> anyhow::Result<Run> {
    let (what, library) = word.split_once('-').context("a codec's row")?;
    Ok(match (what, library) {
        ("decode", "ours") => with_bytes(folder, decode_ours)?,
        ("decode", "ldap3") => with_bytes(folder, decode_ldap3)?,
        ("decode", "ldap3_proto") => with_bytes(folder, decode_ldap3_proto)?,
        ("encode", library) => encoder(library, USUAL.to_owned(), REQUESTS)?,
        ("filter", library) => encoder(library, long_filter(), FILTERS)?,
        _ => bail!("there is no codec {word}"),
    })
}

fn with_bytes(folder: &Path, decode: fn(&[u8]) -> anyhow::Result<usize>) -> anyhow::Result<Run> {
    let bytes = fs::read(folder.join(CAPTURED))?;
    Ok(Box::new(move || decode(&bytes)))
}

/// Each decoder is fed as from a socket, and every value is looked at.
fn decode_ours(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut session = ClientSession::new(Limits::client());
    let search = SearchRequest::new(BASE, Scope::Subtree, Filter::present("uid"));
    session.send(&Request::Search(search), &Controls::default())?;
    let (mut buffer, mut seen) = (BytesMut::new(), 0);
    for piece in bytes.chunks(READ) {
        buffer.reserve(READ);
        buffer.extend_from_slice(piece);
        while let Some(event) = session.receive(&mut buffer)? {
            if let Event::Response { response: Response::SearchEntry(entry), .. } = event {
                seen += entry.dn().len();
                seen += entry.attributes().flat_map(|a| a.values()).map(<[u8]>::len).sum::<usize>();
            }
        }
    }
    Ok(seen)
}

fn decode_ldap3(bytes: &[u8]) -> anyhow::Result<usize> {
    let (mut buffer, mut seen) = (BytesMut::new(), 0);
    for piece in bytes.chunks(READ) {
        buffer.extend_from_slice(piece);
        while let Ok((rest, message)) = parse_tag(&buffer) {
            let used = buffer.len() - rest.len();
            let PL::C(mut parts) = message.payload else { bail!("no message") };
            drop(buffer.split_to(used));
            let operation = parts.pop().context("an operation")?;
            if operation.id != 4 {
                continue;
            }
            let entry = ldap3::SearchEntry::construct(ldap3::ResultEntry::new(operation));
            seen += entry.dn.len();
            seen += entry.attrs.values().flatten().map(String::len).sum::<usize>();
            seen += entry.bin_attrs.values().flatten().map(Vec::len).sum::<usize>();
        }
    }
    Ok(seen)
}

fn decode_ldap3_proto(bytes: &[u8]) -> anyhow::Result<usize> {
    let (mut codec, mut buffer, mut seen) = (LdapCodec::default(), BytesMut::new(), 0);
    for piece in bytes.chunks(READ) {
        buffer.extend_from_slice(piece);
        while let Some(message) = codec.decode(&mut buffer)? {
            if let LdapOp::SearchResultEntry(entry) = message.op {
                seen += entry.dn.len();
                seen += entry.attributes.iter().flat_map(|a| &a.vals).map(Vec::len).sum::<usize>();
            }
        }
    }
    Ok(seen)
}

/// A filter's text to the bytes of a search request, so many times.
fn encoder(library: &str, filter: String, times: usize) -> anyhow::Result<Run> {
    let one: fn(&str) -> anyhow::Result<usize> = match library {
        "ours" => encode_ours,
        "ldap3" => encode_ldap3,
        "ldap3_proto" => encode_ldap3_proto,
        _ => bail!("there is no library {library}"),
    };
    Ok(Box::new(move || {
        let mut written = 0;
        for _ in 0..times {
            written += one(black_box(&filter))?;
        }
        Ok(written)
    }))
}

fn encode_ours(filter: &str) -> anyhow::Result<usize> {
    let mut search = SearchRequest::new(BASE, Scope::Subtree, Filter::parse(filter)?);
    search.attributes = ATTRIBUTES.map(str::to_owned).into();
    Ok(encode(MessageId(1), &Request::Search(search), &Controls::default()).len())
}

fn encode_ldap3(filter: &str) -> anyhow::Result<usize> {
    let Ok(filter) = ldap3::parse_filter(filter) else { bail!("ldap3 cannot parse this filter") };
    let number = |inner| Tag::Integer(Integer { inner, ..Integer::default() });
    let word = |inner| Tag::Enumerated(Enumerated { inner, ..Enumerated::default() });
    let text = |text: &str| {
        Tag::OctetString(OctetString { inner: text.as_bytes().to_vec(), ..OctetString::default() })
    };
    let attributes = ATTRIBUTES.map(text).into();
    let search = Sequence {
        id: 3,
        class: TagClass::Application,
        inner: vec![
            text(BASE),
            word(2),
            word(0),
            number(0),
            number(0),
            Tag::Boolean(Boolean { inner: false, ..Boolean::default() }),
            filter,
            Tag::Sequence(Sequence { inner: attributes, ..Sequence::default() }),
        ],
    };
    let message = Sequence { inner: vec![number(1), Tag::Sequence(search)], ..Sequence::default() };
    let mut bytes = BytesMut::new();
    write::encode_into(&mut bytes, message.into_structure())?;
    Ok(bytes.len())
}

fn encode_ldap3_proto(filter: &str) -> anyhow::Result<usize> {
    let search = LdapSearchRequest {
        base: BASE.to_owned(),
        scope: LdapSearchScope::Subtree,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter: ldap3_proto::parse_ldap_filter_str(filter)?,
        attrs: ATTRIBUTES.map(str::to_owned).into(),
    };
    let mut bytes = BytesMut::new();
    LdapCodec::default()
        .encode(LdapMsg { msgid: 1, op: LdapOp::SearchRequest(search), ctrl: Vec::new() }, &mut bytes)?;
    Ok(bytes.len())
}

fn long_filter() -> String {
    let mut filter = String::from("(&(objectClass=inetOrgPerson)(|");
    (0..CLAUSES).for_each(|n| filter.push_str(&format!("(mail=p{n:06}@example.com)")));
    filter.push_str("))");
    filter
}
