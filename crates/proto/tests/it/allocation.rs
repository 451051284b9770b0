//! What reading costs.

use bytes::BytesMut;
use ldapgate_proto::{
    Bytes, ClientSession, Controls, Dn, Entry, Event, Filter, Limits, Message, MessageId, Request, Response,
    Scope, SearchRequest,
};
use std::hint::black_box;

/// Fifteen values in nine attributes, one of them long.
fn entry() -> Entry {
    let photo = vec![0xff; 20_000];
    Entry::builder("uid=ada,ou=people,dc=example,dc=com")
        .attribute("objectClass", ["top", "person", "organizationalPerson", "inetOrgPerson"])
        .attribute("uid", ["ada"])
        .attribute("cn", ["Ada Lovelace"])
        .attribute("sn", ["Lovelace"])
        .attribute("givenName", ["Ada"])
        .attribute("mail", ["ada@example.com", "lovelace@example.com"])
        .attribute("memberOf", ["cn=a,dc=example,dc=com", "cn=b,dc=example,dc=com", "cn=c,dc=example,dc=com"])
        .attribute("entryUUID", ["8a1f5d3e-0000-4000-8000-000000000000"])
        .attribute("jpegPhoto", [&photo])
        .build()
}

fn frame(id: u32) -> Bytes {
    let operation = Response::SearchEntry(entry());
    Message { id: MessageId(id), operation, controls: Controls::default() }.encode()
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(black_box(entry().compact())));
    assert!(counted.count_total > 0);
}

#[test]
fn decoding_an_entry_of_15_values_allocates_nothing() {
    assert_eq!(entry().attributes().map(|attribute| attribute.values().count()).sum::<usize>(), 15);
    // A piece of a read buffer, as a session hands it over.
    let mut buffer = BytesMut::from(&frame(1)[..]);
    let frame = buffer.split().freeze();
    let limits = Limits::client();
    let mut decoded = None;
    let counted = allocation_counter::measure(|| {
        decoded = Message::<Response>::decode(black_box(&frame), &limits).ok();
    });
    assert_eq!(counted.count_total, 0);
    assert_eq!(decoded.map(|message| message.operation), Some(Response::SearchEntry(entry())));
}

#[test]
fn looking_at_an_entry_and_cloning_it_allocates_nothing() {
    let Response::SearchEntry(entry) = Message::decode(&frame(1), &Limits::client()).unwrap().operation
    else {
        panic!("an entry was encoded");
    };
    let entry = entry.compact();
    let _made_shared = entry.clone();
    let mut seen = 0;
    let counted = allocation_counter::measure(|| {
        let entry = black_box(&entry).clone();
        seen += entry.dn().len();
        seen += entry.attributes().flat_map(|attribute| attribute.values()).map(<[u8]>::len).sum::<usize>();
        seen += entry.texts("MEMBEROF").count();
        seen += usize::from(entry.has("nothing"));
        seen += entry.first("jpegphoto").map_or(0, <[u8]>::len);
    });
    assert!(seen > 40_000);
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_session_allocates_nothing_for_an_entry_after_the_buffer() {
    let mut session = ClientSession::new(Limits::client());
    let search = SearchRequest::new("dc=example,dc=com", Scope::Subtree, Filter::present("uid"));
    let (id, _) = session.send(&Request::Search(search), &Controls::default()).unwrap();
    let mut buffer = BytesMut::with_capacity(200_000);
    for _ in 0..3 {
        buffer.extend_from_slice(&frame(id.0));
    }
    let first = session.receive(&mut buffer).unwrap();
    let mut rest = [None, None];
    let counted = allocation_counter::measure(|| {
        for event in &mut rest {
            *event = session.receive(&mut buffer).ok().flatten();
        }
    });
    assert_eq!(counted.count_total, 0);
    for event in rest.into_iter().chain([first]) {
        let Some(Event::Response { response: Response::SearchEntry(read), last: false, .. }) = event else {
            panic!("three entries were sent");
        };
        assert_eq!(read, entry());
    }
}

#[test]
fn parsing_a_name_allocates_once_for_a_part_and_five_times_for_the_whole() {
    for (parts, text) in [(2, "dc=example,dc=com"), (4, "uid=ada,ou=People,dc=example,dc=com")] {
        let mut name = None;
        let counted = allocation_counter::measure(|| name = Dn::parse(black_box(text)).ok());
        assert_eq!(name.map(|name| name.rdns().len()), Some(parts));
        assert_eq!(counted.count_total, parts as u64 + 5);
    }
}

#[test]
fn cloning_and_comparing_names_allocates_nothing() {
    let (ada, base) =
        (Dn::parse("UID=Ada,dc=example,dc=com").unwrap(), Dn::parse("dc=Example,dc=com").unwrap());
    let mut holds = false;
    let counted = allocation_counter::measure(|| {
        let clone = black_box(&ada).clone();
        holds = clone == ada && clone.is_below(&base) && clone > base;
    });
    assert!(holds);
    assert_eq!(counted.count_total, 0);
}
