//! A warm pool opens nothing new, and a server that goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use testkit::http::Visitor;
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure};

against_both!(
    a_login_on_a_warm_pool_opens_no_connection,
    a_server_that_stops_is_an_error_and_its_return_is_noticed,
);

async fn a_login_on_a_warm_pool_opens_no_connection(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    for _ in 0..3 {
        assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    }
    let (connections, requests) = (world.connections(), world.requests());
    for _ in 0..20 {
        assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    }
    assert_eq!(world.connections(), connections, "the server saw no new connection");
    let each = (world.requests() - requests) as f64 / 20.0;
    assert!(
        (each - 4.0).abs() < f64::EPSILON,
        "search, bind, two levels of groups; the server saw {each} requests a login"
    );
}

async fn a_server_that_stops_is_an_error_and_its_return_is_noticed(peer: Peer) {
    let mut world = World::start(peer).await;
    let more = format!("connect_timeout = \"1s\"\n{USUAL}\n[login]\ndeadline = \"3s\"");
    let gateway = Gateway::start(&configure(&world, &more)).await;
    let ended = Arc::new(AtomicBool::new(false));
    let (granted, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let people: Vec<_> = (0..4)
        .map(|_| {
            let (url, ended, granted, failed) =
                (gateway.url.clone(), ended.clone(), granted.clone(), failed.clone());
            tokio::spawn(async move {
                let body = serde_json::json!({"username": "alice", "password": "Red-Apple-11"});
                while !ended.load(Ordering::Relaxed) {
                    let answer = Visitor::of(&url).json("/api/login", &body).await;
                    match answer.status {
                        200 => granted.fetch_add(1, Ordering::Relaxed),
                        503 => failed.fetch_add(1, Ordering::Relaxed),
                        other => panic!(
                            "neither granted nor an error: {other} {}; {:?}",
                            answer.body,
                            (granted.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
                        ),
                    };
                }
            })
        })
        .collect();
    reach(&granted, 4, "logins before the outage").await;
    world.stop().await;
    reach(&failed, 4, "errors during the outage").await;
    assert_eq!(gateway.program().get("/readyz").await.status, 200, "people who are signed in stay served");
    world.resume().await;
    let before = granted.load(Ordering::Relaxed);
    reach(&granted, before + 8, "logins after the outage").await;
    ended.store(true, Ordering::Relaxed);
    for person in people {
        person.await.expect("nobody was told that the right password is wrong");
    }
}

async fn reach(count: &AtomicUsize, goal: usize, what: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(45);
    while count.load(Ordering::Relaxed) < goal {
        assert!(tokio::time::Instant::now() < deadline, "too few {what}: {}", count.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
