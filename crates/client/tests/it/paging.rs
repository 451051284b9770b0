//! Searches in pages, their limits, and readers that take their time.

use std::time::Duration;

use ldapgate_client::{Connection, Error, Search, SearchAnswer, SearchStream};
use proto::message::{Request, Response};
use proto::{Control, Controls, Entry, LdapResult, MessageId, PagedResults, ResultCode};
use tokio::time::timeout;

use crate::peer::{Peer, connected, local};

fn page_of(controls: &Controls) -> PagedResults {
    PagedResults::parse(&controls.get(PagedResults::OID).expect("a page was asked for")).unwrap()
}

/// Answers a page with these entries and this cookie.
async fn answer(peer: &mut Peer, id: MessageId, entries: &[&str], cookie: &'static str) {
    for dn in entries {
        peer.entry(id, dn).await;
    }
    let control = PagedResults { size: 0, cookie: cookie.into() }.to_control();
    peer.reply_with(id, Response::SearchDone(LdapResult::success()), vec![control]).await;
}

async fn name(stream: &mut SearchStream) -> Option<String> {
    stream.next().await.unwrap().map(|entry| entry.dn().to_owned())
}

fn everything() -> Search {
    Search::below("dc=x").page_size(Some(2))
}

#[tokio::test(start_paused = true)]
async fn a_page_is_asked_for_when_the_page_before_was_taken() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(everything());
    peer.hears_nothing().await;

    let (first, id) = tokio::join!(name(&mut stream), async {
        let (id, _, controls) = peer.search().await;
        assert_eq!(page_of(&controls), PagedResults { size: 2, cookie: Default::default() });
        answer(&mut peer, id, &["cn=a", "cn=b"], "more").await;
        id
    });
    assert_eq!(first.as_deref(), Some("cn=a"));
    peer.hears_nothing().await;
    assert_eq!(name(&mut stream).await.as_deref(), Some("cn=b"));
    peer.hears_nothing().await;

    let (third, ()) = tokio::join!(name(&mut stream), async {
        let (next, _, controls) = peer.search().await;
        assert!(next > id);
        assert_eq!(&page_of(&controls).cookie[..], b"more");
        answer(&mut peer, next, &["cn=c"], "").await;
    });
    assert_eq!(third.as_deref(), Some("cn=c"));
    assert_eq!(name(&mut stream).await, None);
    let end = stream.finish().await.unwrap();
    assert!(end.truncated.is_none() && end.result.is_success());
    assert!(end.controls.is_empty(), "paging is the stream's own business");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_its_time_holds_up_nobody_else() {
    let (connection, mut peer) = connected(&local()).await;
    let mut slow = connection.stream(everything());
    let (first, ()) = tokio::join!(name(&mut slow), async {
        let (id, ..) = peer.search().await;
        answer(&mut peer, id, &["cn=a", "cn=b"], "more").await;
    });
    assert_eq!(first.as_deref(), Some("cn=a"));
    // The reader sleeps on its second entry; hours later others are served, and then it goes on.
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(3600)).await;
        let (read, ()) = tokio::join!(connection.read("cn=other", &[]), async {
            let (id, ..) = peer.search().await;
            peer.entry(id, "cn=other").await;
            peer.done(id).await;
        });
        assert!(read.unwrap().is_some());
    }
    assert_eq!(name(&mut slow).await.as_deref(), Some("cn=b"));
}

#[tokio::test]
async fn a_server_without_paging_answers_with_everything_at_once() {
    let (connection, mut peer) = connected(&local()).await;
    let (found, ()) = tokio::join!(async { connection.search(&everything()).await }, async {
        let (id, _, controls) = peer.search().await;
        assert!(!controls.get(PagedResults::OID).unwrap().critical);
        for dn in ["cn=a", "cn=b", "cn=c"] {
            peer.entry(id, dn).await;
        }
        peer.done(id).await;
    });
    let found = found.unwrap();
    assert_eq!(found.entries.len(), 3);
    assert!(found.truncated.is_none());
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_found_out() {
    let (connection, mut peer) = connected(&local()).await;
    let server = tokio::spawn(async move {
        while let Some(message) = peer.try_request().await {
            if let Request::Search(_) = message.operation {
                answer(&mut peer, message.id, &["cn=a", "cn=b"], "again").await;
            }
        }
    });
    let error = connection.search(&everything()).await.unwrap_err();
    assert!(matches!(&error, Error::PagingLoop { .. }), "{error:?}");
    drop(connection);
    server.await.unwrap();
}

#[tokio::test]
async fn a_cookie_that_never_changes_is_no_fault_while_the_entries_do() {
    let (connection, mut peer) = connected(&local()).await;
    let (found, ()) = tokio::join!(async { connection.search(&everything()).await }, async {
        for (entries, cookie) in [(["cn=a", "cn=b"], "0"), (["cn=c", "cn=d"], "0"), (["cn=e", "cn=f"], "")] {
            let (id, ..) = peer.search().await;
            answer(&mut peer, id, &entries, cookie).await;
        }
    });
    assert_eq!(found.unwrap().entries.len(), 6);
}

#[tokio::test]
async fn a_limit_of_the_servers_is_a_fact_and_no_failure() {
    let (connection, mut peer) = connected(&local()).await;
    for code in
        [ResultCode::SIZE_LIMIT_EXCEEDED, ResultCode::TIME_LIMIT_EXCEEDED, ResultCode::ADMIN_LIMIT_EXCEEDED]
    {
        let (found, ()) = tokio::join!(async { connection.search(&everything()).await }, async {
            let (id, ..) = peer.search().await;
            peer.entry(id, "cn=a").await;
            peer.reply(id, Response::SearchDone(LdapResult::new(code, "enough"))).await;
        });
        let found = found.unwrap();
        assert_eq!(found.entries.len(), 1);
        assert_eq!(found.truncated.unwrap().code, code);
    }
}

#[tokio::test]
async fn the_searchs_own_limit_is_told_when_there_is_more() {
    let (connection, mut peer) = connected(&local()).await;
    // Five are wanted, two a page: the last page asks for one more than is missing.
    let (found, sizes) = tokio::join!(async { connection.search(&everything().limit(5)).await }, async {
        let mut sizes = Vec::new();
        for entries in [["cn=a", "cn=b"], ["cn=c", "cn=d"], ["cn=e", "cn=f"]] {
            let (id, search, controls) = peer.search().await;
            assert_eq!(search.size_limit, 0, "counted by the client");
            sizes.push(page_of(&controls).size);
            answer(&mut peer, id, &entries, if entries[0] == "cn=e" { "" } else { "more" }).await;
        }
        sizes
    });
    let found = found.unwrap();
    assert_eq!((found.entries.len(), sizes), (5, vec![2, 2, 2]));
    assert_eq!(found.truncated.unwrap().code, ResultCode::SIZE_LIMIT_EXCEEDED);
}

#[tokio::test]
async fn a_limit_that_is_just_enough_is_not_truncated() {
    let (connection, mut peer) = connected(&local()).await;
    let (found, ()) =
        tokio::join!(async { connection.search(&Search::below("dc=x").limit(2)).await }, async {
            let (id, search, controls) = peer.search().await;
            assert_eq!(search.size_limit, 2);
            assert!(controls.is_empty(), "one page is enough");
            peer.entry(id, "cn=a").await;
            peer.entry(id, "cn=b").await;
            peer.done(id).await;
        });
    let found = found.unwrap();
    assert_eq!(found.entries.len(), 2);
    assert!(found.truncated.is_none());
}

#[tokio::test]
async fn a_server_that_ignores_the_limit_is_cut_off() {
    let (connection, mut peer) = connected(&local()).await;
    let (found, ()) =
        tokio::join!(async { connection.search(&Search::below("dc=x").limit(2)).await }, async {
            let (id, ..) = peer.search().await;
            for dn in ["cn=a", "cn=b", "cn=c"] {
                peer.entry(id, dn).await;
            }
            assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
        });
    let found = found.unwrap();
    assert_eq!(found.entries.len(), 2);
    assert!(found.truncated.is_some());
}

#[tokio::test]
async fn references_are_collected_and_not_followed() {
    let (connection, mut peer) = connected(&local()).await;
    let elsewhere = vec!["ldap://elsewhere.example.com/dc=y".to_owned()];
    let (found, ()) = tokio::join!(async { connection.search(&everything()).await }, async {
        let (id, ..) = peer.search().await;
        peer.reply(id, Response::SearchReference(elsewhere.clone())).await;
        peer.done(id).await;
    });
    assert_eq!(found.unwrap().references, [elsewhere]);
}

/// A connection whose searches may let 2000 bytes wait.
async fn narrow() -> (Connection, Peer) {
    connected(&local().max_bytes(2000).page_size(0)).await
}

#[tokio::test]
async fn references_that_are_read_as_answers_are_limited_too() {
    let (connection, mut peer) = narrow().await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let server = async {
        let (id, ..) = peer.search().await;
        for number in 0..30 {
            let url = format!("ldap://elsewhere.example.com/{}", "x".repeat(70));
            let controls = if number % 2 == 0 { vec![] } else { vec![Control::new("1.2.3", None)] };
            peer.reply_with(id, Response::SearchReference(vec![url]), controls).await;
        }
    };
    let reader = async {
        let mut read = 0;
        loop {
            match stream.next_answer().await {
                Ok(answer) => assert!(answer.is_some(), "there is an error first"),
                Err(error) => return (read, error),
            }
            read += 1;
        }
    };
    let ((read, error), ()) = tokio::join!(reader, server);
    assert!(matches!(&error, Error::TooLarge { limit: 2000, .. }), "{error:?}");
    assert!((5..20).contains(&read), "{read}");
    assert!(stream.next_answer().await.unwrap().is_none());
}

#[tokio::test]
async fn a_search_that_outgrows_its_limit_is_abandoned_and_others_go_on() {
    let (connection, mut peer) = narrow().await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let (first, id) = tokio::join!(stream.next(), async {
        let (id, ..) = peer.search().await;
        // More than the reader takes.
        for _ in 0..10 {
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(400)]).build();
            peer.reply(id, Response::SearchEntry(big)).await;
        }
        id
    });
    first.unwrap();
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
    let error = loop {
        match stream.next().await {
            Ok(entry) => assert!(entry.is_some(), "the loss is told"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, Error::TooLarge { limit: 2000, .. }), "{error:?}");
    assert!(stream.next().await.unwrap().is_none(), "there is nothing after an error");
    assert!(stream.finish().await.is_err(), "and its end is no good end");

    let (read, ()) = tokio::join!(connection.read("cn=b", &[]), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=b").await;
        peer.done(id).await;
    });
    assert!(read.unwrap().is_some());
}

#[tokio::test]
async fn a_reader_that_keeps_up_has_no_limit() {
    let (connection, mut peer) = narrow().await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let mut id = None;
    for _ in 0..50 {
        let (entry, ()) = tokio::join!(stream.next(), async {
            if id.is_none() {
                id = Some(peer.search().await.0);
            }
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(1000)]).build();
            peer.reply(id.unwrap(), Response::SearchEntry(big)).await;
        });
        assert!(entry.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_is_collected_has_a_limit() {
    let (connection, mut peer) = narrow().await;
    let server = tokio::spawn(async move {
        let (id, ..) = peer.search().await;
        for _ in 0..10 {
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(400)]).build();
            peer.reply(id, Response::SearchEntry(big)).await;
            tokio::task::yield_now().await;
        }
        peer
    });
    let error = connection.search(&Search::below("dc=x")).await.unwrap_err();
    assert!(matches!(&error, Error::TooLarge { .. }), "{error:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn dropping_a_stream_abandons_its_page() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(everything());
    let (first, id) = tokio::join!(name(&mut stream), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        id
    });
    assert!(first.is_some());
    drop(stream);
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
}

#[tokio::test]
async fn dropping_a_stream_between_pages_tells_the_server_that_no_more_are_wanted() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(everything());
    let (first, ()) = tokio::join!(name(&mut stream), async {
        let (id, ..) = peer.search().await;
        answer(&mut peer, id, &["cn=a"], "more").await;
    });
    assert!(first.is_some());
    // The end of the first page is seen when the next entry is asked for; that call is given up.
    assert!(timeout(Duration::ZERO, stream.next()).await.is_err());
    drop(stream);
    let (id, _, controls) = peer.search().await;
    let page = page_of(&controls);
    if page.size == 0 {
        assert_eq!(&page.cookie[..], b"more");
    } else {
        // The request for the second page was out already, so it is abandoned.
        assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
    }
}

#[tokio::test]
async fn a_stream_can_move_between_tasks_and_next_can_be_given_up() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(Search::below("dc=x"));
    assert!(timeout(Duration::ZERO, stream.next()).await.is_err());
    let reader = tokio::spawn(async move {
        let mut names = Vec::new();
        while let Some(dn) = name(&mut stream).await {
            names.push(dn);
        }
        (names, stream.finish().await)
    });
    drop(connection);
    let (id, ..) = peer.search().await;
    peer.entry(id, "cn=a").await;
    peer.done(id).await;
    let (names, end) = reader.await.unwrap();
    assert_eq!(names, ["cn=a"]);
    assert!(end.unwrap().result.is_success());
    peer.is_left().await;
}

#[tokio::test]
async fn a_failed_search_is_an_error_whatever_came_before() {
    let (connection, mut peer) = connected(&local()).await;
    let (found, ()) = tokio::join!(async { connection.search(&everything()).await }, async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        let busy = LdapResult::new(ResultCode::BUSY, "later");
        peer.reply(id, Response::SearchDone(busy)).await;
    });
    let error = found.unwrap_err();
    assert!(error.is_unreachable());
    assert_eq!(
        error.to_string(),
        r#"ldap://localhost refused the search request for "dc=x": busy (51): later"#
    );
}

#[tokio::test]
async fn a_connection_that_serves_one_slow_reader_alone_is_read_at_its_pace() {
    let (connection, mut peer) = connected(&local().page_size(0)).await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let (first, id) = tokio::join!(stream.next(), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        id
    });
    assert!(first.unwrap().is_some());
    let flood = async {
        for _ in 0..64 {
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(64 * 1024)]).build();
            peer.reply(id, Response::SearchEntry(big)).await;
        }
        peer.done(id).await;
    };
    tokio::pin!(flood);
    assert!(
        timeout(Duration::from_millis(50), &mut flood).await.is_err(),
        "4 MiB are more than it takes unread"
    );
    let (entries, ()) = tokio::join!(
        async {
            let mut entries = 0;
            while stream.next().await.unwrap().is_some() {
                entries += 1;
            }
            entries
        },
        flood
    );
    assert_eq!(entries, 64);
}

#[tokio::test]
async fn while_a_slow_reader_is_waited_for_others_are_served() {
    let (connection, mut peer) = connected(&local().page_size(0)).await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let (first, id) = tokio::join!(stream.next(), async {
        let (id, ..) = peer.search().await;
        for _ in 0..5 {
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(60_000)]).build();
            peer.reply(id, Response::SearchEntry(big)).await;
        }
        id
    });
    assert!(first.unwrap().is_some());
    let (read, ()) = tokio::join!(connection.read("cn=b", &[]), async {
        let (other, ..) = peer.search().await;
        peer.entry(other, "cn=b").await;
        peer.done(other).await;
        peer.done(id).await;
    });
    assert!(read.unwrap().is_some());
    while stream.next().await.unwrap().is_some() {}
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_reader_takes_is_not_the_servers() {
    let (connection, mut peer) = connected(&local().page_size(0).timeout(Duration::from_secs(10))).await;
    let mut stream = connection.stream(Search::below("dc=x"));
    let server = tokio::spawn(async move {
        let (id, ..) = peer.search().await;
        for _ in 0..64 {
            let big = Entry::builder("cn=a").attribute("description", ["x".repeat(64 * 1024)]).build();
            peer.reply(id, Response::SearchEntry(big)).await;
        }
        peer.done(id).await;
        peer
    });
    let mut entries = 0;
    while stream.next().await.unwrap().is_some() {
        entries += 1;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    assert_eq!(entries, 64);
    server.await.unwrap();
}

#[tokio::test]
async fn answers_are_told_in_the_servers_order_with_the_end_of_each_page() {
    let (connection, mut peer) = connected(&local()).await;
    let mut stream = connection.stream(everything());
    let elsewhere = vec!["ldap://elsewhere.example.com/dc=y".to_owned()];
    let server = async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        peer.reply(id, Response::SearchReference(elsewhere.clone())).await;
        answer(&mut peer, id, &["cn=b"], "more").await;
        let (id, ..) = peer.search().await;
        answer(&mut peer, id, &["cn=c"], "").await;
    };
    let reader = async {
        let mut told = Vec::new();
        while let Some(answer) = stream.next_answer().await.unwrap() {
            told.push(match answer {
                SearchAnswer::Entry(entry, _) => entry.dn().to_owned(),
                SearchAnswer::Reference(urls, _) => urls.concat(),
                SearchAnswer::PageEnd(result, controls) => {
                    format!("{} {:?}", result.code, &page_of(&controls).cookie[..])
                }
                other => format!("{other:?}"),
            });
        }
        told
    };
    let (told, ()) = tokio::join!(reader, server);
    let more = format!("success (0) {:?}", b"more");
    let expected = ["cn=a", "ldap://elsewhere.example.com/dc=y", "cn=b", &more, "cn=c", "success (0) []"];
    assert_eq!(told, expected);
    assert!(stream.finish().await.unwrap().references.is_empty());
}
