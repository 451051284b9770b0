//! Operations made again after a failure, writes only when asked to

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use directory::{Fault, Kind};
use ldapgate_client::{Change, Connection, Error, Options, Pool, Restartable, Retry, Search};
use proto::{Filter, ResultCode};
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::world::{BASE, LDIF};
use tokio::time::Instant;

use crate::peer::{Peer, local};
use crate::pool::{Site, password, reader};

fn hasty() -> Retry {
    Retry::default().pauses(Duration::from_millis(1), Duration::from_millis(5))
}

/// The same directory by way of one connection and by way of a pool.
async fn both(site: &Site, retry: &Retry) -> [Restartable; 2] {
    let single = Restartable::open(site.options(), retry.clone()).await.unwrap();
    [single, Restartable::pool(Pool::lazy(site.options()), retry.clone())]
}

fn change() -> Vec<Change> {
    vec![Change::replace("description", ["changed"])]
}

#[tokio::test]
async fn memory_reads_are_made_again_on_a_fresh_connection_bound_as_before() {
    let site = Site::start().await;
    for directory in both(&site, &hasty()).await {
        for (kind, times) in [(Kind::Search, 2), (Kind::Compare, 2), (Kind::Extended, 2)] {
            site.directory.faults().next(kind, times, Fault::Close);
            match kind {
                Kind::Search => assert!(directory.read(BASE, &["dc"]).await.unwrap().is_some()),
                Kind::Compare => assert!(directory.compare(BASE, "dc", "example").await.unwrap()),
                _ => assert!(directory.who_am_i().await.unwrap().contains("cn=reader")),
            }
        }
        site.directory.faults().next(Kind::Search, 1, Fault::unavailable());
        let people = Search::below(BASE).matching(Filter::present("uid"));
        assert!(directory.search(&people).await.unwrap().entries.len() > 3);
        site.directory.faults().next(Kind::Search, 10, Fault::Close);
        assert!(directory.read(BASE, &["dc"]).await.unwrap().is_some(), "as often as the time allows");
    }
    for directory in both(&site, &hasty().attempts(3)).await {
        site.directory.faults().next(Kind::Search, 3, Fault::Close);
        let error = directory.read(BASE, &["dc"]).await.unwrap_err();
        assert!(matches!(&error, Error::Closed { sent: true, .. }), "three attempts and no more: {error:?}");
    }
}

#[tokio::test]
async fn memory_a_write_that_may_have_been_done_is_sent_again_only_when_asked_to() {
    let site = Site::start().await;
    let group = format!("cn=staff,ou=groups,{BASE}");
    for directory in both(&site, &hasty()).await {
        site.directory.clear_operations();
        site.directory.faults().next(Kind::Modify, 1, Fault::Close);
        let error = directory.modify(&group, change()).await.unwrap_err();
        assert!(matches!(&error, Error::Closed { sent: true, .. }), "{error:?}");
        assert_eq!(site.count(Kind::Modify), 1);
    }
    for directory in both(&site, &hasty().writes()).await {
        site.directory.clear_operations();
        site.directory.faults().next(Kind::Modify, 1, Fault::Close);
        directory.modify(&group, change()).await.unwrap();
        assert_eq!(site.count(Kind::Modify), 2);
    }
}

#[tokio::test]
async fn memory_a_call_of_two_writes_is_not_made_again_once_one_was_sent() {
    let site = Site::start().await;
    let group = &format!("cn=staff,ou=groups,{BASE}");
    for (retry, expected) in [(hasty(), 1), (hasty().attempts(3).writes(), 3)] {
        for directory in both(&site, &retry).await {
            site.directory.clear_operations();
            let two = |connection: Connection| async move {
                connection.modify(group, change()).await?;
                connection.close().await;
                connection.modify(group, change()).await
            };
            let error = directory.writing(two).await.unwrap_err();
            assert!(matches!(&error, Error::Closed { sent: false, .. }), "{error:?}");
            assert_eq!(site.count(Kind::Modify), expected, "{retry:?}");
        }
    }
    let attempts = &AtomicU32::new(0);
    for directory in both(&site, &hasty()).await {
        site.directory.clear_operations();
        attempts.store(0, Ordering::Relaxed);
        let none = |connection: Connection| async move {
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                connection.close().await;
            }
            connection.modify(group, change()).await
        };
        directory.writing(none).await.unwrap();
        assert_eq!(site.count(Kind::Modify), 1, "what was not sent is sent on another connection");
    }
}

#[tokio::test]
async fn memory_a_refusal_is_final() {
    let site = Site::start().await;
    for directory in both(&site, &hasty().writes()).await {
        site.directory.clear_operations();
        let error = directory.delete(&format!("cn=nobody,{BASE}")).await.unwrap_err();
        assert_eq!(error.result().unwrap().code, ResultCode::NO_SUCH_OBJECT);
        assert_eq!(site.count(Kind::Delete), 1);
    }
}

#[tokio::test]
async fn memory_nobody_can_bind_on_it() {
    let site = Site::start().await;
    for directory in both(&site, &hasty()).await {
        let bind = |connection: Connection| async move { connection.bind("cn=x", &password()).await };
        let error = directory.reading(bind).await.unwrap_err();
        assert!(matches!(&error, Error::Shared { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn memory_a_refused_service_account_is_not_tried_again() {
    let site = Site::start().await;
    let wrong =
        ldapgate_client::Simple::new(testkit::world::READER, ldapgate_client::Password::new("no").unwrap());
    let options = Options::new([site.url()]).unwrap().bind(wrong);
    let error = Restartable::open(options, hasty()).await.unwrap_err();
    assert!(matches!(&error, Error::ServiceBind { .. }), "{error:?}");
    assert_eq!(site.count(Kind::Bind), 1);
}

#[tokio::test]
async fn memory_a_stream_begins_again_before_its_first_entry_and_never_after_it() {
    let site = Site::start().await;
    let people = Search::below(BASE).matching(Filter::present("uid")).page_size(Some(1));
    for directory in both(&site, &hasty()).await {
        site.directory.clear_operations();
        site.directory.faults().next(Kind::Search, 2, Fault::Close);
        let mut stream = directory.stream(&people);
        assert!(stream.next().await.unwrap().is_some());
        assert_eq!(site.count(Kind::Search), 3);
        site.directory.faults().next(Kind::Search, 1, Fault::Close);
        let error = stream.next().await.unwrap_err();
        assert!(matches!(&error, Error::Closed { .. }), "{error:?}");
        assert!(stream.next().await.unwrap().is_none(), "the error was told");
        assert_eq!(site.count(Kind::Search), 4, "the page was asked for once");

        let whole = directory.stream(&people).finish().await.unwrap();
        assert!(whole.result.is_success() && whole.truncated.is_none());
    }
}

#[tokio::test]
async fn memory_the_deadline_is_for_everything_together() {
    const LIMIT: Duration = Duration::from_millis(500);
    // A server that accepts and says nothing.
    let (client, server) = tokio::io::duplex(1024);
    let connection = Connection::over(client, &local()).await.unwrap();
    let _peer = Peer::new(server);
    let site = Site::start().await;
    let retry = Retry::default().deadline(LIMIT).attempts(100);
    let pool = Pool::open(site.options()).await.unwrap();
    let directory = Restartable::pool(pool, retry);
    let began = Instant::now();
    let asked = Arc::new(AtomicUsize::new(0));
    let silent = |_: Connection| {
        let (connection, asked) = (connection.clone(), Arc::clone(&asked));
        async move {
            asked.fetch_add(1, Ordering::Relaxed);
            connection.read("cn=a", &[]).await
        }
    };
    let error = directory.reading(silent).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { sent: true, limit, .. } if *limit == LIMIT), "{error:?}");
    assert!(began.elapsed() >= LIMIT);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "its answer was waited for");
}

#[tokio::test]
async fn openldap_may_be_away_for_a_while() {
    let authority = Authority::new("Example Test CA");
    let mut server = OpenLdap::start(&LDIF, &authority, Flaw::None).await;
    let options = Options::new([server.ldap_url()]).unwrap().bind(reader());
    let retry = Retry::default();
    let single = Restartable::open(options.clone(), retry.clone()).await.unwrap();
    let pooled = Restartable::pool(Pool::open(options).await.unwrap(), retry);
    for directory in [single, pooled] {
        assert!(directory.read(BASE, &["dc"]).await.unwrap().is_some());
        server.stop();
        let asking = tokio::spawn({
            let directory = directory.clone();
            async move { (directory.read(BASE, &["dc"]).await, directory.who_am_i().await) }
        });
        server.resume().await;
        let (found, identity) = asking.await.unwrap();
        assert!(found.unwrap().is_some());
        assert!(identity.unwrap().contains("cn=reader"), "bound again as before");
    }
}

#[tokio::test]
async fn openldap_gets_a_write_that_never_left_once_and_only_once() {
    let authority = Authority::new("Example Test CA");
    let mut server = OpenLdap::start(&LDIF, &authority, Flaw::None).await;
    let secret = ldapgate_client::Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let options =
        Options::new([server.ldap_url()]).unwrap().bind(ldapgate_client::Simple::new(ADMINISTRATOR, secret));
    let directory = Restartable::open(options, hasty()).await.unwrap();
    server.stop();
    server.resume().await;
    directory.modify(&format!("ou=people,{BASE}"), change()).await.unwrap();
    assert_eq!(server.log_lines(" MOD dn=").len(), 1);
}
