//! Changes as they happen: synchronisation, persistent search, DirSync, cancel and notifications, from a scripted peer.

use std::time::Duration;

use ldapgate_client::{Cancelled, Closed, ContentSync, DirSyncSearch, Error, Search, SyncEvent};
use proto::control::{
    ChangeKind, DirSync, DirSyncReply, EntryChangeNotification, EntryState, PersistentSearch, SyncDone,
    SyncInfo, SyncMode, SyncRequest, SyncState,
};
use proto::extended::Cancel;
use proto::message::{ExtendedResponse, Request, Response};
use proto::value::Guid;
use proto::{Control, Controls, Entry, LdapResult, MessageId, ResultCode};
use tokio::time::Instant;

use crate::peer::{Peer, connected, local};

fn uuid(last: u8) -> Guid {
    let mut octets = [0; 16];
    octets[15] = last;
    Guid::from_octets(&octets).unwrap()
}

fn state(state: EntryState, last: u8, cookie: Option<&'static str>) -> Vec<Control> {
    vec![SyncState { state, uuid: uuid(last), cookie: cookie.map(Into::into) }.to_control()]
}

fn entry(dn: &str) -> Response {
    Response::SearchEntry(Entry::builder(dn).attribute("cn", ["x"]).build())
}

async fn info(peer: &mut Peer, id: MessageId, info: SyncInfo) {
    peer.reply(id, Response::Intermediate(info.to_response())).await;
}

fn persisting() -> ContentSync {
    ContentSync::refresh_and_persist(Search::below("dc=x"))
}

/// A synchronisation whose refresh is over at once.
async fn refreshed(peer: &mut Peer) -> MessageId {
    let (id, ..) = peer.search().await;
    info(peer, id, SyncInfo::RefreshDelete { cookie: None, refresh_done: true }).await;
    id
}

#[tokio::test]
async fn a_refresh_tells_what_was_added_and_its_cookie_and_ends() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync =
        connection.sync(ContentSync::refresh_only(Search::below("dc=x")).cookie("old").reload_hint());
    let (events, ()) = tokio::join!(
        async {
            let mut events = Vec::new();
            while let Some(event) = sync.next().await.unwrap() {
                events.push(event);
            }
            events
        },
        async {
            let (id, _, controls) = peer.search().await;
            let asked = SyncRequest::parse(&controls.get(SyncRequest::OID).unwrap()).unwrap();
            let mode = SyncMode::RefreshOnly;
            assert_eq!(asked, SyncRequest { mode, cookie: Some("old".into()), reload_hint: true });
            peer.reply_with(id, entry("cn=a"), state(EntryState::Add, 1, Some("c1"))).await;
            peer.reply_with(id, entry("cn=b"), state(EntryState::Present, 2, None)).await;
            let uuids = vec![uuid(3), uuid(4)];
            info(&mut peer, id, SyncInfo::IdSet { cookie: None, refresh_deletes: false, uuids }).await;
            let urls = Response::SearchReference(vec!["ldap://other/dc=y".into()]);
            peer.reply_with(id, urls, state(EntryState::Add, 5, None)).await;
            let done = SyncDone { cookie: Some("c2".into()), refresh_deletes: false };
            let end = Response::SearchDone(LdapResult::success());
            peer.reply_with(id, end, vec![done.to_control()]).await;
        }
    );
    let SyncEvent::Added { uuid: id, entry } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*id, entry.dn()), (uuid(1), "cn=a"));
    assert_eq!(
        events[1..],
        [
            SyncEvent::Cookie("c1".into()),
            SyncEvent::Present { uuid: uuid(2), dn: "cn=b".into() },
            SyncEvent::PresentIds(vec![uuid(3), uuid(4)]),
            SyncEvent::Referred {
                uuid: uuid(5),
                state: EntryState::Add,
                urls: vec!["ldap://other/dc=y".into()]
            },
            SyncEvent::RefreshDone { deletes: false },
            SyncEvent::Cookie("c2".into()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn changes_come_after_any_silence_and_dropping_the_stream_abandons_it() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync = connection.sync(persisting().heartbeat(None));
    let (done, id) = tokio::join!(sync.next(), refreshed(&mut peer));
    assert_eq!(done.unwrap(), Some(SyncEvent::RefreshDone { deletes: true }));
    let day = Duration::from_secs(24 * 60 * 60);
    let (changed, ()) = tokio::join!(sync.next(), async {
        tokio::time::sleep(day).await;
        peer.reply_with(id, entry("cn=a"), state(EntryState::Modify, 1, None)).await;
    });
    assert!(matches!(changed.unwrap(), Some(SyncEvent::Modified { uuid: id, .. }) if id == uuid(1)));
    let (gone, ()) = tokio::join!(sync.next(), async {
        tokio::time::sleep(day).await;
        peer.reply_with(id, entry("cn=a"), state(EntryState::Delete, 1, None)).await;
    });
    assert_eq!(gone.unwrap(), Some(SyncEvent::Deleted { uuid: uuid(1), dn: "cn=a".into() }));
    let (ids, ()) = tokio::join!(sync.next(), async {
        let uuids = vec![uuid(7)];
        info(&mut peer, id, SyncInfo::IdSet { cookie: None, refresh_deletes: true, uuids }).await;
    });
    assert_eq!(ids.unwrap(), Some(SyncEvent::DeletedIds(vec![uuid(7)])));
    drop(sync);
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
    assert!(!connection.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_has_an_end_even_when_the_server_has_none() {
    let (connection, mut peer) = connected(&local()).await;
    let began = Instant::now();
    let mut sync = connection.sync(persisting().refresh_limit(Duration::from_secs(30)));
    let server = tokio::spawn(async move {
        let (id, ..) = peer.search().await;
        loop {
            peer.reply_with(id, entry("cn=a"), state(EntryState::Add, 1, None)).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            let abandoned = tokio::time::timeout(Duration::from_millis(1), peer.request()).await;
            if abandoned.is_ok_and(|message| matches!(message.operation, Request::Abandon(_))) {
                return;
            }
        }
    });
    let error = loop {
        match sync.next().await {
            Ok(event) => assert!(event.is_some()),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&error, Error::Timeout { operation: "sync", limit, .. } if limit.as_secs() == 30),
        "{error:?}"
    );
    assert_eq!(began.elapsed().as_secs(), 30);
    server.await.unwrap();
    assert!(sync.next().await.unwrap().is_none(), "after an error there is nothing");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_in_a_refresh_is_not_waited_for() {
    let (connection, mut peer) = connected(&local().timeout(Duration::from_secs(7))).await;
    let began = Instant::now();
    let mut sync = connection.sync(persisting());
    let (error, _) = tokio::join!(async { sync.next().await.unwrap_err() }, peer.search());
    assert!(matches!(&error, Error::Timeout { sent: true, .. }), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 7);
    assert!(matches!(peer.request().await.operation, Request::Abandon(_)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_went_away_without_a_farewell_is_noticed_while_nothing_changes() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync = connection.sync(persisting().heartbeat(Some(Duration::from_secs(60))));
    let (done, _) = tokio::join!(sync.next(), refreshed(&mut peer));
    assert!(done.unwrap().is_some());
    let began = Instant::now();
    let (error, ()) = tokio::join!(async { sync.next().await.unwrap_err() }, async {
        // It answers the first question, and not the second.
        let (id, search, _) = peer.search().await;
        assert_eq!(search.base, "");
        peer.done(id).await;
        peer.search().await;
    });
    assert!(matches!(&error, Error::Timeout { operation: "search", .. }), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 60 + 60 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_looks_in_every_second_notices_it_too() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync = connection.sync(persisting());
    let (done, _) = tokio::join!(sync.next(), refreshed(&mut peer));
    assert!(done.unwrap().is_some());
    let began = Instant::now();
    let error = loop {
        match tokio::time::timeout(Duration::from_secs(1), sync.next()).await {
            Ok(event) => break event.unwrap_err(),
            Err(_) => assert!(began.elapsed().as_secs() < 100, "it is never noticed"),
        }
    };
    assert!(matches!(&error, Error::Timeout { operation: "search", .. }), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 60 + 10);
}

#[tokio::test]
async fn a_server_that_wants_a_fresh_start_says_so() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync = connection.sync(persisting().cookie("too old"));
    let (error, ()) = tokio::join!(async { sync.next().await.unwrap_err() }, async {
        let (id, ..) = peer.search().await;
        let result = LdapResult::new(ResultCode::SYNC_REFRESH_REQUIRED, "");
        peer.reply(id, Response::SearchDone(result)).await;
    });
    assert_eq!(error.result().unwrap().code, ResultCode::SYNC_REFRESH_REQUIRED);
}

#[tokio::test]
async fn an_entry_without_a_state_is_an_error_and_is_abandoned() {
    for said in [entry("cn=a"), Response::Intermediate(broken_info())] {
        let (connection, mut peer) = connected(&local()).await;
        let mut sync = connection.sync(persisting());
        let (error, id) = tokio::join!(async { sync.next().await.unwrap_err() }, async {
            let (id, ..) = peer.search().await;
            peer.reply(id, said).await;
            id
        });
        assert!(matches!(&error, Error::Unexpected { operation: "sync", .. }), "{error:?}");
        drop(sync);
        assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
    }
}

fn broken_info() -> proto::IntermediateResponse {
    let mut response = SyncInfo::NewCookie("c".into()).to_response();
    response.value = Some("\u{1}\u{7f}".into());
    response
}

#[tokio::test]
async fn a_persistent_search_tells_what_happened() {
    let (connection, mut peer) = connected(&local()).await;
    let mut changes = connection.persistent_search(Search::below("dc=x"), PersistentSearch::changes());
    let said = EntryChangeNotification {
        change: ChangeKind::ModifyDn,
        previous_dn: Some("cn=old".into()),
        change_number: Some(7),
    };
    let (changed, id) = tokio::join!(changes.next(), async {
        let (id, _, controls) = peer.search().await;
        let control = controls.get(PersistentSearch::OID).unwrap();
        assert!(control.critical);
        assert_eq!(PersistentSearch::parse(&control), Ok(PersistentSearch::changes()));
        peer.reply_with(id, entry("cn=new"), vec![said.to_control()]).await;
        id
    });
    let changed = changed.unwrap().unwrap();
    assert_eq!((changed.entry.dn(), changed.change), ("cn=new", Some(said)));
    let (there, ()) = tokio::join!(changes.next(), async { peer.reply(id, entry("cn=a")).await });
    assert!(there.unwrap().unwrap().change.is_none());
    drop(changes);
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
}

/// Answers one round of DirSync.
async fn round(peer: &mut Peer, entries: &[&str], more: bool, cookie: &'static str) -> Controls {
    let (id, _, controls) = peer.search().await;
    for dn in entries {
        peer.entry(id, dn).await;
    }
    let reply = DirSyncReply { more, cookie: cookie.into() }.to_control();
    peer.reply_with(id, Response::SearchDone(LdapResult::success()), vec![reply]).await;
    controls
}

#[tokio::test]
async fn dir_sync_goes_on_until_there_is_no_more() {
    let (connection, mut peer) = connected(&local()).await;
    let mut changes = connection.dir_sync(DirSyncSearch::new("dc=x").cookie("c0"));
    let (names, cookies) = tokio::join!(
        async {
            let mut names = Vec::new();
            while let Some(entry) = changes.next().await.unwrap() {
                names.push(entry.dn().to_owned());
            }
            names
        },
        async {
            let first = round(&mut peer, &["cn=a", "cn=b"], true, "c1").await;
            let second = round(&mut peer, &["cn=c"], true, "c2").await;
            let third = round(&mut peer, &[], false, "c3").await;
            [first, second, third]
                .map(|controls| DirSync::parse(&controls.get(DirSync::OID).unwrap()).unwrap().cookie)
        }
    );
    assert_eq!(names, ["cn=a", "cn=b", "cn=c"]);
    assert_eq!(cookies, ["c0", "c1", "c2"]);
    assert_eq!(changes.finish().await.unwrap(), "c3");
}

#[tokio::test]
async fn a_dir_sync_in_circles_is_found_out() {
    for entries in [&["cn=a"][..], &[]] {
        let (connection, mut peer) = connected(&local()).await;
        let server = tokio::spawn(async move {
            loop {
                round(&mut peer, entries, true, "again").await;
            }
        });
        let mut changes = connection.dir_sync(DirSyncSearch::new("dc=x"));
        let error = loop {
            match changes.next().await {
                Ok(entry) => assert!(entry.is_some()),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, Error::PagingLoop { .. }), "{error:?}");
        server.abort();
    }
}

/// Waits for the cancel of a search and answers both.
async fn cancels(peer: &mut Peer, id: MessageId, code: ResultCode) {
    let message = peer.request().await;
    let Request::Extended(request) = &message.operation else { panic!("{message:?}") };
    assert_eq!(Cancel::parse(request), Ok(id));
    if code == ResultCode::SUCCESS {
        peer.reply(id, Response::SearchDone(LdapResult::new(ResultCode::CANCELED, ""))).await;
    }
    peer.reply(message.id, Response::Extended(ExtendedResponse::new(LdapResult::new(code, "")))).await;
}

#[tokio::test]
async fn a_cancelled_synchronisation_is_over_when_the_server_says_so() {
    let (connection, mut peer) = connected(&local()).await;
    let mut sync = connection.sync(persisting());
    let (_, id) = tokio::join!(sync.next(), refreshed(&mut peer));
    let (cancelled, ()) = tokio::join!(sync.cancel(), cancels(&mut peer, id, ResultCode::SUCCESS));
    assert_eq!(cancelled.unwrap(), Cancelled::Stopped);
}

#[tokio::test]
async fn a_search_can_be_cancelled_and_a_refusal_abandons_it() {
    let (connection, mut peer) = connected(&local()).await;
    let mut search = connection.stream(Search::below("dc=x").page_size(None));
    let (_, id) = tokio::join!(search.next(), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        id
    });
    let (cancelled, ()) = tokio::join!(search.cancel(), cancels(&mut peer, id, ResultCode::CANNOT_CANCEL));
    let error = cancelled.unwrap_err();
    assert!(matches!(&error, Error::Refused { operation: "cancel", .. }), "{error:?}");
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));

    let mut search = connection.stream(Search::below("dc=x").page_size(None));
    let (_, id) = tokio::join!(search.next(), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        id
    });
    let (cancelled, ()) = tokio::join!(search.cancel(), async {
        peer.done(id).await;
        // The question may be on its way when the search ends.
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(50), peer.request()).await {
            let result = LdapResult::new(ResultCode::NO_SUCH_OPERATION, "");
            peer.reply(message.id, Response::Extended(ExtendedResponse::new(result))).await;
        }
    });
    assert_eq!(cancelled.unwrap(), Cancelled::Finished);
    assert_eq!(connection.stream(Search::below("dc=x")).cancel().await.unwrap(), Cancelled::Finished);
}

#[tokio::test]
async fn whoever_listens_hears_what_the_server_says_unasked() {
    let (connection, mut peer) = connected(&local()).await;
    let (mut one, mut other) = (connection.notifications(), connection.notifications());
    let notice = |oid: &str| {
        let said = ExtendedResponse {
            result: LdapResult::success(),
            oid: Some(oid.into()),
            value: Some("v".into()),
        };
        proto::message::encode(MessageId(0), &Response::Extended(said), &Controls::default())
    };
    peer.raw(&notice("1.2.3")).await;
    for listener in [&mut one, &mut other] {
        let heard = listener.next().await.unwrap();
        assert_eq!((heard.oid.as_deref(), heard.value.as_deref()), (Some("1.2.3"), Some(&b"v"[..])));
    }
    for number in 0..40 {
        peer.raw(&notice(&format!("1.2.{number}"))).await;
    }
    peer.notice(LdapResult::new(ResultCode::UNAVAILABLE, "bye")).await;
    let mut heard = Vec::new();
    while let Some(notification) = one.next().await {
        heard.push(notification.oid.unwrap());
    }
    assert_eq!(heard.last().map(String::as_str), Some("1.2.39"), "the oldest are missed, not the last");
    let error = connection.read("cn=a", &[]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Closed { source, .. } if matches!(**source, Closed::Notice(_))),
        "{error:?}"
    );
    assert!(connection.notifications().next().await.is_none());
}

#[tokio::test]
async fn entries_come_with_their_controls() {
    let (connection, mut peer) = connected(&local()).await;
    let mut found = connection.stream(Search::below("dc=x"));
    let (first, ()) = tokio::join!(found.next_with_controls(), async {
        let (id, ..) = peer.search().await;
        peer.reply_with(id, entry("cn=a"), state(EntryState::Add, 1, None)).await;
        peer.reply(id, Response::Intermediate(SyncInfo::NewCookie("c".into()).to_response())).await;
        peer.entry(id, "cn=b").await;
        peer.done(id).await;
    });
    let (first, controls) = first.unwrap().unwrap();
    assert_eq!(first.dn(), "cn=a");
    assert!(controls.get(SyncState::OID).is_some());
    let (second, controls) = found.next_with_controls().await.unwrap().unwrap();
    assert_eq!(second.dn(), "cn=b");
    assert!(controls.is_empty());
    assert!(found.next().await.unwrap().is_none());
}
