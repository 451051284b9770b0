//! The numbers of a running engine as OpenMetrics text. The rooms count; here the counts get their names. No user name and no
//! DN is ever a label, and every label but those of directories and their servers has a fixed set of values.

use std::fmt::Error;
use std::time::{Duration, SystemTime};

use account::{Checks, Counts, Hold, Ready, RevalidationState, Watching};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use client::{FailureKind, Metrics, ServerMetrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::engine::Engine;

/// What OpenMetrics text is called.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/metrics` and nothing else.
pub(crate) fn routes(engine: Engine) -> Router {
    Router::new().route("/metrics", get(show)).with_state(engine)
}

async fn show(State(engine): State<Engine>) -> Response {
    match text(engine.snapshot().await) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Everything that is shown, at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) started: SystemTime,
    pub(crate) ready: Ready,
    pub(crate) counts: Counts,
    /// By the directory's name.
    pub(crate) pools: Vec<(String, Metrics)>,
    /// How looking at people again goes in this process.
    pub(crate) people: Vec<RevalidationState>,
    /// The brakes that hold, whichever replica found out.
    pub(crate) holds: Vec<Hold>,
}

fn text(snapshot: Snapshot) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("ldapgate");
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        self.about(&mut page)?;
        self.logins(&mut page)?;
        self.sessions(&mut page)?;
        self.health(&mut page)?;
        self.revalidation(&mut page)?;
        self.servers(&mut page)
    }
}

impl Snapshot {
    fn about(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let mut build = page.begin("build", "This program", MetricType::Info)?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        let started = seconds(self.started);
        page.gauge("start_time_seconds", "When it started, in seconds since 1970", [(NONE, started)])
    }

    fn logins(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let Counts { granted, denied, failed, login_times, .. } = &self.counts;
        let granted = [(("granted", ""), *granted)].into_iter();
        let denied = denied.iter().map(|(reason, count)| (("denied", reason.as_str()), *count));
        let failed = failed.iter().map(|(fault, count)| (("error", fault.as_str()), *count));
        let all = granted.chain(denied).chain(failed);
        let all = all.map(|((outcome, reason), count)| ([("outcome", outcome), ("reason", reason)], count));
        page.counter("logins", "Logins by what came of them, and why", all)?;
        let mut seconds =
            page.begin("login_seconds", "How long logins took until their answer", MetricType::Histogram)?;
        histogram(&mut seconds, login_times.sum, &login_times.buckets)
    }

    fn sessions(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let Counts { sessions_started, sessions_ended, session_checks, token_checks, .. } = &self.counts;
        page.counter("sessions_started", "Sessions that logins started", [(NONE, *sessions_started)])?;
        let ended = "Sessions that somebody ended here; not those that ran out";
        page.counter("sessions_ended", ended, [(NONE, *sessions_ended)])?;
        for (name, help, checks) in [
            ("session_checks", "Cookies of sessions that were shown", session_checks),
            ("token_checks", "Tokens that were shown", token_checks),
        ] {
            let Checks { good, bad, failed } = *checks;
            let results = [("good", good), ("bad", bad), ("error", failed)];
            page.counter(name, help, results.map(|(result, count)| ([("result", result)], count)))?;
        }
        Ok(())
    }

    fn health(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let up = |word: &str| f64::from(u8::from(word == "ok"));
        page.gauge("store_up", "The store answers", [(NONE, up(self.ready.store))])?;
        let errors = "Questions that the store did not answer";
        page.counter("store_errors", errors, [(NONE, self.counts.store_errors)])?;
        let directories = self.ready.directory.iter();
        let directories = directories.map(|(name, word)| ([("directory", name.as_str())], up(word)));
        page.gauge("directory_up", "A server of the directory answers", directories)?;
        let missing = self.people.iter();
        let missing =
            missing.map(|of| ([("directory", of.directory.as_str())], of.missing_groups.len() as f64));
        page.gauge("missing_groups", "Groups that the configuration names and that are not there", missing)
    }

    fn revalidation(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let each = || self.people.iter().map(|of| ([("directory", of.directory.as_str())], of));
        let hold = |of: &RevalidationState| {
            let here = of.held.as_ref();
            self.holds.iter().find(|hold| hold.directory == of.directory).or(here).cloned()
        };
        let held = each().map(|(labels, of)| (labels, f64::from(u8::from(hold(of).is_some()))));
        page.gauge(
            "revalidation_held",
            "The brake holds: too many would lose access, so that nobody does",
            held,
        )?;
        let would = each().map(|(labels, of)| (labels, hold(of).map_or(0.0, |hold| hold.would_lose as f64)));
        page.gauge("revalidation_would_lose", "How many would lose access if the brake did not hold", would)?;
        let failing = each().map(|(labels, of)| (labels, f64::from(u8::from(of.failing_since.is_some()))));
        page.gauge(
            "revalidation_failing",
            "People could not be looked at again, the last time that was tried",
            failing,
        )?;
        let success = each().filter_map(|(labels, of)| Some((labels, seconds(of.last_success?.into()))));
        let help = "When people were last looked at, in seconds since 1970; nothing before the first time";
        page.gauge("revalidation_last_success_seconds", help, success)?;
        let failures = each().map(|(labels, of)| (labels, of.failures));
        page.counter("revalidation_failures", "Tries to look at people again that failed", failures)?;
        let refreshed = each().map(|(labels, of)| (labels, of.refreshed));
        page.counter("revalidation_refreshed", "People who were looked at again", refreshed)?;
        let ended = each().map(|(labels, of)| (labels, of.ended));
        page.counter("revalidation_ended", "People whose access was ended", ended)?;
        let states = [Watching::Off, Watching::Connecting, Watching::Live, Watching::Polling];
        let watch = self.people.iter().flat_map(|of| {
            let is = move |state: Watching| f64::from(u8::from(of.watch == state));
            states.map(|state| ([("directory", of.directory.as_str()), ("state", state.as_str())], is(state)))
        });
        page.gauge("revalidation_watch", "1 for the state that watching the directory is in", watch)
    }

    fn servers(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let up = self.of_servers(|server| f64::from(u8::from(server.up)));
        page.gauge("server_up", "The server is asked; one that failed is left alone for a while", up)?;
        let waiting = self.of_servers(|server| server.proving_waiting as f64);
        page.gauge("server_waiting_logins", "Logins that wait for a connection to the server", waiting)?;
        let pending = self.of_servers(|server| server.lookups_pending as f64);
        page.gauge("server_pending_lookups", "Look-ups that wait for the server's answer", pending)?;
        let uses = |server: &ServerMetrics| {
            [
                ("lookup", server.lookups),
                ("prove_idle", server.proving_idle),
                ("prove_in_use", server.proving_in_use),
            ]
        };
        let connections = self.each().flat_map(|([directory, url], server)| {
            uses(server).map(|(used, count)| ([directory, url, ("use", used)], count as f64))
        });
        page.gauge(
            "server_connections",
            "Connections to the server that are open, by what they are for",
            connections,
        )?;
        page.counter(
            "server_connections_opened",
            "Connections opened",
            self.of_servers(|server| server.opened),
        )?;
        page.counter(
            "server_connections_closed",
            "Connections that ended",
            self.of_servers(|server| server.closed),
        )?;
        let kinds: Vec<(FailureKind, String)> =
            FailureKind::ALL.iter().map(|kind| (*kind, kind.to_string())).collect();
        let failures = self.each().flat_map(|([directory, url], server)| {
            let of = |(kind, word)| ([directory, url, ("kind", word)], server.failed(kind));
            kinds.iter().map(|(kind, word)| of((*kind, word.as_str()))).collect::<Vec<_>>()
        });
        page.counter("server_failures", "Connections and operations that failed, by how", failures)?;
        let help = "How long the server took to answer an operation";
        let mut seconds = page.begin("server_round_trip_seconds", help, MetricType::Histogram)?;
        for (labels, server) in self.each() {
            let buckets: Vec<_> = server.round_trips.buckets().collect();
            histogram(&mut seconds.encode_family(&labels)?, server.round_trips.sum, &buckets)?;
        }
        Ok(())
    }

    /// Every server of every directory, with the labels that name it.
    fn each(&self) -> impl Iterator<Item = ([(&str, &str); 2], &ServerMetrics)> {
        self.pools.iter().flat_map(|(directory, metrics)| {
            metrics.servers.iter().map(move |server| {
                ([("directory", directory.as_str()), ("server", server.url.as_str())], server)
            })
        })
    }

    fn of_servers<N>(
        &self,
        number: impl Fn(&ServerMetrics) -> N,
    ) -> impl Iterator<Item = ([(&str, &str); 2], N)> {
        self.each().map(move |(labels, server)| (labels, number(server)))
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// No label at all.
const NONE: [(&str, &str); 0] = [];

/// What is being written: a descriptor, then its numbers.
struct Page<'e>(DescriptorEncoder<'e>);

impl Page<'_> {
    fn begin<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    /// A number that never falls; the name goes without `_total`, which is added.
    fn counter<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        numbers: impl IntoIterator<Item = ([(&'l str, &'l str); N], u64)>,
    ) -> Result<(), Error> {
        let mut metric = self.begin(name, help, MetricType::Counter)?;
        for (labels, number) in numbers {
            match N {
                0 => metric.encode_counter::<NoLabelSet, _, u64>(&number, None)?,
                _ => metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&number, None)?,
            }
        }
        Ok(())
    }

    fn gauge<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        numbers: impl IntoIterator<Item = ([(&'l str, &'l str); N], f64)>,
    ) -> Result<(), Error> {
        let mut metric = self.begin(name, help, MetricType::Gauge)?;
        for (labels, number) in numbers {
            match N {
                0 => metric.encode_gauge(&number)?,
                _ => metric.encode_family(&labels)?.encode_gauge(&number)?,
            }
        }
        Ok(())
    }
}

fn histogram(
    metric: &mut MetricEncoder<'_>,
    sum: Duration,
    buckets: &[(Option<Duration>, u64)],
) -> Result<(), Error> {
    let count = buckets.iter().map(|(_, count)| count).sum();
    let bound = |bound: &Option<Duration>| bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64());
    let buckets: Vec<(f64, u64)> = buckets.iter().map(|(most, count)| (bound(most), *count)).collect();
    metric.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)
}
