//! Attributes that a server hands out in parts.

use std::sync::Arc;
use std::time::SystemTime;

use directory::{Dialect, Directory, Limits, Running};
use ldapgate_client::{Connection, Error, Options, Pool, Search};
use proto::Entry;
use proto::message::Response;

use crate::peer::{Peer, connected, local};

/// A group with so many members, on a server that hands out two at once.
async fn group(members: usize) -> (Running, Options) {
    let mut ldif = "dn: cn=long,dc=example\nobjectClass: group\ncn: long\nsn: short\n".to_owned();
    for number in 0..members {
        ldif += &format!("member: cn=m{number},dc=example\n");
    }
    let limits = Limits { values: 2, ..Limits::default() };
    let directory = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH))
        .dialect(Dialect::ActiveDirectory)
        .limits(limits);
    let directory = directory.ldif(ldif).unwrap().build();
    let running = directory.serve(Directory::listen(([127, 0, 0, 1], 0).into()).await.unwrap()).await;
    let options = Options::new([running.url()]).unwrap();
    (running, options)
}

#[tokio::test]
async fn parts_are_told_unless_the_whole_is_asked_for() {
    for members in [1, 2, 3, 7, 8] {
        let (_running, options) = group(members).await;
        let pool = Pool::open(options).await.unwrap();
        let search = Search::below("dc=example").matching(proto::Filter::equal("cn", "long"));
        let whole = pool.search(search.clone().whole_values()).await.unwrap();
        let entry = &whole.entries[0];
        let names: Vec<&str> = entry.attributes().map(|attribute| attribute.name()).collect();
        assert_eq!(names.iter().filter(|name| name.starts_with("member")).count(), 1, "{names:?}");
        let values: Vec<&str> = entry.texts("member").collect();
        let expected: Vec<String> = (0..members).map(|number| format!("cn=m{number},dc=example")).collect();
        assert_eq!(values, expected);
        assert_eq!(entry.text("sn"), Some("short"));
        if members > 2 {
            let part = pool.search(search).await.unwrap();
            assert!(part.entries[0].has("member;range=0-1") && !part.entries[0].has("member;range=0-*"));
        }
    }
}

#[tokio::test]
async fn a_part_from_the_middle_becomes_the_whole_too() {
    let (_running, options) = group(5).await;
    let connection = Connection::open(&options).await.unwrap();
    let search = Search::read("cn=long,dc=example").attributes(["member;range=2-3"]).whole_values();
    let found = connection.search(search).await.unwrap();
    assert_eq!(found.entries[0].values("member").count(), 5);
}

#[tokio::test]
async fn a_stream_can_be_left_and_taken_up_in_the_middle_of_an_entry() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(Search::below("dc=x").whole_values());
    tokio::select! {
        biased;
        _ = stream.next() => panic!("the rest is missing"),
        () = async {
            let (id, ..) = peer.search().await;
            part(&mut peer, id, "member;range=0-0").await;
            peer.done(id).await;
            peer.search().await;
        } => {}
    }
    let (entry, ()) = tokio::join!(stream.next(), async {
        // What was asked before is given up, and asked again.
        loop {
            let message = peer.request().await;
            let proto::Request::Search(search) = message.operation else { continue };
            assert_eq!(
                (search.base.as_str(), search.attributes.as_slice()),
                ("cn=a", &["member;range=1-*".to_owned()][..])
            );
            part(&mut peer, message.id, "member;range=1-*").await;
            peer.done(message.id).await;
            return;
        }
    });
    assert_eq!(entry.unwrap().unwrap().values("member").count(), 2);
    assert!(stream.next().await.unwrap().is_none());
}

async fn part(peer: &mut Peer, id: proto::MessageId, attribute: &str) {
    let entry = Entry::builder("cn=a").attribute(attribute, ["x"]).build();
    peer.reply(id, Response::SearchEntry(entry)).await;
}

#[tokio::test]
async fn a_server_that_repeats_itself_or_lies_is_found_out() {
    for (first, then) in [
        ("member;range=0-0", "member;range=0-0"),
        ("member;range=0-0", "member;range=2-*"),
        ("member;range=0-0", "member;range=1-9"),
        ("member;range=0-0", "other"),
        ("member;range=0-4294967295", "member;range=0-4294967295"),
        ("member;range=7-*", "member;range=7-*"),
        ("member;range=0-7", "member;range=0-7"),
    ] {
        let (connection, mut peer) = connected(&local()).await;
        let server = tokio::spawn(async move {
            let (id, ..) = peer.search().await;
            part(&mut peer, id, first).await;
            loop {
                let (id, ..) = peer.search().await;
                part(&mut peer, id, then).await;
                peer.done(id).await;
            }
        });
        let mut stream = connection.stream(Search::below("dc=x").whole_values());
        let error = stream.next().await.unwrap_err();
        assert!(
            matches!(&error, Error::CutShort { attribute, .. } if attribute == "member"),
            "{first}: {error:?}"
        );
        server.abort();
    }
}

#[tokio::test]
async fn values_without_end_are_too_many() {
    let (connection, mut peer) = connected(&local().max_bytes(10_000)).await;
    let server = tokio::spawn(async move {
        let (id, ..) = peer.search().await;
        part(&mut peer, id, "member;range=0-0").await;
        peer.done(id).await;
        for number in 1.. {
            let (id, ..) = peer.search().await;
            part(&mut peer, id, &format!("member;range={number}-{number}")).await;
            peer.done(id).await;
        }
    });
    let mut stream = connection.stream(Search::below("dc=x").whole_values());
    let error = stream.next().await.unwrap_err();
    assert!(matches!(&error, Error::TooLarge { .. }), "{error:?}");
    server.abort();
}
