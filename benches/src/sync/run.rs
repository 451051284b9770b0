//! Runs the program once and reads what it has spent, and what the server has counted.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use tokio::time::Instant;

use crate::client::job::{self, Job};
use crate::client::worker::{self, Place, Spent, seconds};
use crate::cores::on_clients_core;
use crate::slapd::Slapd;
use crate::world;

/// Where the accounts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// A plain read of the same people by our client, in pages.
    Read,
    /// The same by ldapsearch.
    Ldapsearch,
    /// Into an empty store.
    First(Store),
    /// When nothing has changed.
    Again(Store),
    /// When a hundredth has.
    Changed(Store),
}

/// What was measured in one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) spent: Spent,
    /// Binds and searches.
    pub(crate) requests: u64,
}

/// What a sync is to come to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
}

/// As the program says it.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, unchanged } = self;
        write!(
            f,
            "applied: create {created}, update {updated}, move 0, disable 0, remove 0; unchanged {unchanged}"
        )
    }
}

/// A configuration file.
pub(crate) struct Settings(PathBuf);

impl Settings {
    /// How the program is told of the world and a store.
    pub(crate) fn write(place: &Place, store: &str) -> anyhow::Result<Self> {
        let file = place.folder.join("sync.toml");
        fs::write(&file, world::config(&place.url, &place.folder.join("ca.crt"), store))?;
        Ok(Self(file))
    }
}

/// The rows that are limits.
pub(crate) async fn limits(slapd: &Slapd, place: &Place) -> anyhow::Result<Vec<(Row, Measured)>> {
    let mut rows = Vec::new();
    for (row, word) in [(Row::Read, "search-ours"), (Row::Ldapsearch, "tool-ldapsearch")] {
        let is_this = |job: &Job| job.word == word;
        let job = job::ALL.into_iter().find(is_this).context("a job of the client's")?;
        rows.push((row, counted(slapd, || worker::measure(job, place)).await?));
    }
    Ok(rows)
}

/// One `ldapgate sync`.
pub(crate) async fn sync(
    slapd: &Slapd,
    place: &Place,
    settings: &Settings,
    expected: Expected,
) -> anyhow::Result<Measured> {
    counted(slapd, || {
        let [taskset, flag, core] = on_clients_core();
        let output = Command::new(taskset)
            .args([flag, core])
            .arg(std::env::current_exe()?)
            .arg("sync-worker")
            .arg(&place.program)
            .arg(&settings.0)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the sync failed");
        let told = String::from_utf8(output.stdout)?;
        let (numbers, summary) = told.split_once('\n').context("two lines")?;
        ensure!(summary.trim() == expected.to_string(), "{:?} and not {expected}", summary.trim());
        let numbers: Vec<f64> = numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [user, whole, wall, peak] = numbers[..] else { bail!("the worker says {told:?}") };
        Ok(Spent { user, whole, wall, peak: peak as u64 })
    })
    .await
}

async fn counted(slapd: &Slapd, run: impl FnOnce() -> anyhow::Result<Spent>) -> anyhow::Result<Measured> {
    let before = slapd.counters().await?;
    let spent = tokio::task::block_in_place(run)?;
    let after = slapd.counters().await?;
    Ok(Measured { spent, requests: after.requests - before.requests })
}

/// The process on the clients' core, which has one child: what that has spent is what all its children have. The plan goes
/// into a file.
pub(crate) fn worker(arguments: &[&str]) -> anyhow::Result<()> {
    let [program, settings] = arguments else { bail!("a worker is started by `sync`") };
    let plan = Path::new(settings).with_extension("plan");
    let out = fs::File::create(&plan)?;
    let began = Instant::now();
    let status = Command::new(program)
        .args(["--config", settings, "--quiet", "sync"])
        .env_remove("LDAPGATE_CONFIG")
        .stdout(out)
        .status()
        .with_context(|| format!("{program} cannot be started"))?;
    let wall = began.elapsed().as_secs_f64();
    ensure!(status.success(), "{program} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (user, whole) = seconds(&usage);
    println!("{user} {whole} {wall} {}", usage.max_rss());
    println!("{}", fs::read_to_string(plan)?.lines().next_back().unwrap_or_default());
    Ok(())
}
