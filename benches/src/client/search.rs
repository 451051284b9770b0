//! A search of everybody, by the libraries; every value of every entry is looked at.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use client::{Connection, Options, Search, SearchStream};
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{Ldap, LdapConnAsync, Scope, SearchEntry};
use proto::{Filter, Password};

use super::worker::Place;
use crate::world::{BASE, PASSWORD, READER};

const FILTER: &str = "(objectClass=inetOrgPerson)";
/// A reader that is slow: so long a rest after so many entries.
const REST: Duration = Duration::from_millis(1);
const BETWEEN_RESTS: usize = 100;
const PAGE: i32 = 500;
/// Enough for everybody at once.
const ENOUGH: usize = 1 << 30;

/// How fast somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fast,
    Slow,
}

/// What has been seen.
#[derive(Debug, Default)]
struct Seen {
    entries: usize,
    bytes: usize,
}

impl Seen {
    async fn rest(&mut self, pace: Pace) {
        self.entries += 1;
        if pace == Pace::Slow && self.entries.is_multiple_of(BETWEEN_RESTS) {
            tokio::time::sleep(REST).await;
        }
    }

    fn check(self, place: &Place) -> anyhow::Result<usize> {
        ensure!(self.entries == place.people, "{} entries of {}", self.entries, place.people);
        Ok(self.bytes)
    }
}

/// A bound connection of ours.
pub(crate) async fn connect(place: &Place) -> anyhow::Result<Connection> {
    let options = Options::new([place.url.as_str()])?.max_bytes(ENOUGH).timeout(Duration::from_secs(120));
    let connection = Connection::open(&options).await?;
    ensure!(connection.bind(READER, &Password::new(PASSWORD)?).await?.is_success(), "the bind was refused");
    Ok(connection)
}

/// A bound connection of `ldap3`'s.
pub(crate) async fn connect_ldap3(place: &Place) -> anyhow::Result<Ldap> {
    let (connection, mut ldap) = LdapConnAsync::new(&place.url).await?;
    ldap3::drive!(connection);
    ldap.simple_bind(READER, PASSWORD).await?.success()?;
    Ok(ldap)
}

pub(crate) async fn ours(place: &Place, pages: Option<u32>, pace: Pace) -> anyhow::Result<usize> {
    let connection = connect(place).await?;
    let search = Search::below(format!("ou=people,{BASE}"))
        .matching(Filter::parse(FILTER)?)
        .page_size(pages)
        .deadline(Duration::from_secs(120));
    let mut found: SearchStream = connection.stream(search);
    let mut seen = Seen::default();
    while let Some(entry) = found.next().await? {
        seen.bytes += entry.dn().len();
        seen.bytes += entry.attributes().flat_map(|a| a.values()).map(<[u8]>::len).sum::<usize>();
        seen.rest(pace).await;
    }
    found.finish().await?;
    seen.check(place)
}

pub(crate) async fn ours_collected(place: &Place) -> anyhow::Result<usize> {
    let connection = connect(place).await?;
    let search = Search::below(format!("ou=people,{BASE}")).matching(Filter::parse(FILTER)?);
    let mut seen = Seen::default();
    for entry in connection.search(search).await?.entries {
        seen.bytes += entry.dn().len();
        seen.bytes += entry.attributes().flat_map(|a| a.values()).map(<[u8]>::len).sum::<usize>();
        seen.entries += 1;
    }
    seen.check(place)
}

pub(crate) async fn ldap3(place: &Place, paged: bool, pace: Pace) -> anyhow::Result<usize> {
    let mut ldap = connect_ldap3(place).await?;
    let mut adapters: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> = vec![Box::new(EntriesOnly::new())];
    if paged {
        adapters.push(Box::new(PagedResults::new(PAGE)));
    }
    let base = format!("ou=people,{BASE}");
    let mut found = ldap.streaming_search_with(adapters, &base, Scope::Subtree, FILTER, vec!["*"]).await?;
    let mut seen = Seen::default();
    while let Some(entry) = found.next().await? {
        look_at(&SearchEntry::construct(entry), &mut seen);
        seen.rest(pace).await;
    }
    found.finish().await.success()?;
    seen.check(place)
}

pub(crate) async fn ldap3_collected(place: &Place) -> anyhow::Result<usize> {
    let mut ldap = connect_ldap3(place).await?;
    let base = format!("ou=people,{BASE}");
    let (entries, _) = ldap.search(&base, Scope::Subtree, FILTER, vec!["*"]).await?.success()?;
    let mut seen = Seen::default();
    for entry in entries {
        look_at(&SearchEntry::construct(entry), &mut seen);
        seen.entries += 1;
    }
    seen.check(place)
}

fn look_at(entry: &SearchEntry, seen: &mut Seen) {
    seen.bytes += entry.dn.len();
    seen.bytes += entry.attrs.values().flatten().map(String::len).sum::<usize>();
    seen.bytes += entry.bin_attrs.values().flatten().map(Vec::len).sum::<usize>();
}

/// Keeps the answers to a search as they came, for the codecs to be fed with.
pub(crate) async fn capture(place: &Place) -> anyhow::Result<()> {
    use proto::{ClientSession, Controls, Request, Scope, SearchRequest, ber::Limits};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut session = ClientSession::new(Limits::client());
    let search = SearchRequest::new(format!("ou=people,{BASE}"), Scope::Subtree, Filter::parse(FILTER)?);
    // The administrator's socket needs no bind, and ids start at 1.
    let (id, frame) = session.send(&Request::Search(search), &Controls::default())?;
    ensure!(id.0 == super::codec::CAPTURED_ID, "the captured search has another id");
    let address = place.url.strip_prefix("ldap://").context("a plain URL")?;
    let mut stream = connect_plain(address).await?;
    bind_as_reader(&mut stream).await?;
    stream.write_all(&frame).await?;
    let (mut captured, mut buffer) = (Vec::new(), bytes::BytesMut::new());
    loop {
        let before = buffer.len();
        if stream.read_buf(&mut buffer).await? == 0 {
            bail!("the server hung up");
        }
        captured.extend_from_slice(&buffer[before..]);
        while let Some(event) = session.receive(&mut buffer)? {
            if let proto::Event::Response { last: true, .. } = event {
                std::fs::write(place.folder.join(super::codec::CAPTURED), &captured)?;
                return Ok(());
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a bench is a peer of its own")]
async fn connect_plain(address: &str) -> anyhow::Result<tokio::net::TcpStream> {
    Ok(tokio::net::TcpStream::connect(address).await?)
}

/// A bind in a session of its own, whose id is free again afterwards.
async fn bind_as_reader(stream: &mut tokio::net::TcpStream) -> anyhow::Result<()> {
    use proto::message::{Authentication, BindRequest, encode};
    use proto::{Controls, MessageId, Request};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let authentication = Authentication::Simple(Password::new(PASSWORD)?);
    let bind = Request::Bind(BindRequest { version: 3, name: READER.to_owned(), authentication });
    stream.write_all(&encode(MessageId(1), &bind, &Controls::default())).await?;
    let mut answer = [0_u8; 14];
    stream.read_exact(&mut answer).await?;
    ensure!(answer[9] == 0, "the bind was refused");
    Ok(())
}
