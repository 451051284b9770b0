//! Metrics, scraped as Prometheus does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ldapgate::account::Hold;
use ldapgate::account::store::SetMark;
use ldapgate::{Engine, Origin, SignIn, Time};
use testkit::http::Visitor;
use testkit::world::{BASE, Peer, World};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::engine::{configuration, sign_in, start};

/// An engine that serves, until this is dropped.
struct Serving {
    engine: Engine,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    metrics: SocketAddr,
}

impl Serving {
    async fn start(world: &World, more: &str) -> Self {
        let engine =
            start(&configuration(world, &format!("{more}\n[metrics]\nlisten = \"127.0.0.1:0\"\n"))).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = engine.clone();
        let served =
            tokio::spawn(
                async move { serving.serve(listener, None, async move { drop(stopped.await) }).await },
            );
        let deadline = Instant::now() + Duration::from_secs(10);
        let metrics = loop {
            if let Some(address) = engine.metrics_address() {
                break address;
            }
            assert!(Instant::now() < deadline && !served.is_finished(), "metrics are not shown");
            tokio::task::yield_now().await;
        };
        Self { engine, stop, served, metrics }
    }

    fn visitor(&self) -> Visitor {
        Visitor::of(&format!("http://{}", self.metrics))
    }

    /// The numbers by name and labels.
    async fn scrape(&self) -> BTreeMap<String, f64> {
        let answer = self.visitor().get("/metrics").await;
        assert_eq!(answer.status, 200);
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        read(&answer.body)
    }
}

/// Reads OpenMetrics text, and whatever does not belong there is a failure.
fn read(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut numbers = BTreeMap::new();
    let mut described = None;
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            described = comment.split(' ').nth(1).map(str::to_owned);
            continue;
        }
        let (name, number) = line.rsplit_once(' ').expect("a name and a number");
        let of = described.as_deref().expect("a descriptor comes first");
        assert!(name.starts_with(of), "{name} stands below {of}");
        assert!(numbers.insert(name.to_owned(), number.parse().expect("a number")).is_none(), "{name} twice");
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_follow_logins_refusals_and_an_outage() {
    let mut world = World::start(Peer::Memory).await;
    let serving = Serving::start(&world, "").await;
    let before = serving.scrape().await;
    let granted = "ldapgate_logins_total{outcome=\"granted\",reason=\"\"}";
    let wrong = "ldapgate_logins_total{outcome=\"denied\",reason=\"wrong_password\"}";
    let down = "ldapgate_logins_total{outcome=\"error\",reason=\"directory\"}";
    assert_eq!((before[granted], before[wrong], before[down]), (0.0, 0.0, 0.0), "there from the start");
    assert_eq!(
        (before["ldapgate_store_up"], before["ldapgate_directory_up{directory=\"main\"}"]),
        (1.0, 1.0)
    );

    let how = SignIn { session: true, ..SignIn::default() };
    let accounts = serving.engine.accounts();
    accounts.sign_in("alice", "Red-Apple-11".to_owned(), &Origin::default(), how).await;
    sign_in(&serving.engine, "alice", "wrong").await;
    let after = serving.scrape().await;
    assert_eq!((after[granted], after[wrong], after[down]), (1.0, 1.0, 0.0));
    assert_eq!((after["ldapgate_login_seconds_count"], after["ldapgate_sessions_started_total"]), (2.0, 1.0));
    assert_eq!(after["ldapgate_login_seconds_bucket{le=\"+Inf\"}"], 2.0);
    let server = format!("directory=\"main\",server=\"{}\"", world.ldap_url());
    assert_eq!(after[&format!("ldapgate_server_up{{{server}}}")], 1.0);
    assert!(after[&format!("ldapgate_server_round_trip_seconds_count{{{server}}}")] > 1.0, "{after:?}");

    world.stop().await;
    sign_in(&serving.engine, "alice", "Red-Apple-11").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let outage = serving.scrape().await;
        assert_eq!((outage[granted], outage[down]), (1.0, 1.0));
        // The sign of life is asked for once a second.
        if outage["ldapgate_directory_up{directory=\"main\"}"] == 0.0 {
            assert_eq!(outage["ldapgate_store_up"], 1.0);
            assert_eq!(outage[&format!("ldapgate_server_up{{{server}}}")], 0.0);
            break;
        }
        assert!(Instant::now() < deadline, "the directory stays up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let text = serving.visitor().get("/metrics").await.body;
    assert!(!text.contains("alice") && !text.contains(BASE), "nobody is a label: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_and_tokens_are_counted_by_what_they_were_worth() {
    let world = World::start(Peer::Memory).await;
    let serving = Serving::start(&world, "").await;
    let accounts = serving.engine.accounts();
    assert!(accounts.session("nonsense").await.is_ok_and(|found| found.is_none()));
    assert!(accounts.check_token("nonsense").await.is_ok_and(|found| found.is_none()));
    let numbers = serving.scrape().await;
    assert_eq!(numbers["ldapgate_session_checks_total{result=\"bad\"}"], 1.0);
    assert_eq!(numbers["ldapgate_token_checks_total{result=\"bad\"}"], 1.0);
    assert_eq!(numbers["ldapgate_token_checks_total{result=\"good\"}"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_named_and_missing_are_a_number() {
    let world = World::start(Peer::Memory).await;
    let deny = format!(
        "[directory.access]\ndeny = [\"cn=a,{BASE}\", \"cn=b,{BASE}\", \"cn=staff,ou=groups,{BASE}\"]"
    );
    let serving = Serving::start(&world, &deny).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let numbers = serving.scrape().await;
        if numbers["ldapgate_missing_groups{directory=\"main\"}"] == 2.0 {
            return;
        }
        assert!(Instant::now() < deadline, "nobody looks for the groups");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brake_that_any_replica_left_in_the_store_is_a_number() {
    let world = World::start(Peer::Memory).await;
    let serving = Serving::start(&world, "").await;
    let held = |numbers: &BTreeMap<String, f64>| {
        let of = |name: &str| numbers[&format!("ldapgate_revalidation_{name}{{directory=\"main\"}}")];
        (of("held"), of("would_lose"), of("failing"))
    };
    assert_eq!(held(&serving.scrape().await), (0.0, 0.0, 0.0));
    let hold = Hold {
        directory: "main".to_owned(),
        since: Time::from_micros(0),
        would_lose: 7,
        looked_at: 9,
        why: "too many".to_owned(),
    };
    let value = Some(serde_json::to_vec(&hold).expect("it can be written"));
    let mark = SetMark { name: "hold main".to_owned(), value };
    serving.engine.accounts().store().set_mark(mark).await.expect("the store answers");
    let numbers = serving.scrape().await;
    assert_eq!(held(&numbers), (1.0, 7.0, 0.0));
    assert_eq!(numbers["ldapgate_revalidation_watch{directory=\"main\",state=\"off\"}"], 1.0);
    assert_eq!(numbers["ldapgate_revalidation_watch{directory=\"main\",state=\"live\"}"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_there_and_the_listener_goes_with_the_gateway() {
    let world = World::start(Peer::Memory).await;
    let Serving { engine, stop, served, metrics } = {
        let serving = Serving::start(&world, "").await;
        for path in ["/", "/login", "/healthz", "/metrics/"] {
            assert_eq!(serving.visitor().get(path).await.status, 404, "{path}");
        }
        serving
    };
    let elsewhere = configuration(&world, "[metrics]\nlisten = \"127.0.0.1:1\"\n");
    assert_eq!(engine.reload(&elsewhere).await.expect("it is a good one"), ["metrics.listen"]);
    let _ = stop.send(());
    served.await.expect("it did not panic").expect("it was served");
    assert_eq!(engine.metrics_address(), None);
    assert!(tokio::net::TcpListener::bind(metrics).await.is_ok(), "the address is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_told_by_its_key() {
    let world = World::start(Peer::Memory).await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("it is bound");
    let engine = start(&configuration(&world, &format!("[metrics]\nlisten = \"{address}\"\n"))).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let error = engine.serve(listener, None, std::future::pending()).await.expect_err("it is taken");
    assert!(error.to_string().contains("metrics.listen"), "{error}");
}

#[test]
fn metrics_that_others_can_reach_are_warned_of() {
    let warnings = |listen: &str| {
        let config = crate::parse(&crate::with(&format!("[metrics]\nlisten = \"{listen}\"\n")));
        config.expect("it is a good one").warnings().join("; ")
    };
    assert_eq!(warnings("127.0.0.1:9100"), "");
    assert!(warnings("0.0.0.0:9100").contains("metrics on an address that others can reach"));
}
