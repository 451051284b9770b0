//! How a row is measured: by a process of its own on the clients' core, once, which tells what it has spent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use testkit::process;
use tokio::runtime::{Builder, Runtime};

use super::job::Job;
use super::search::Pace;
use super::{calls, codec, search};
use crate::cores::on_clients_core;
use crate::world::{BASE, PASSWORD, READER};

/// Entries in a page, as the client's options have it.
const PAGE: Option<u32> = Some(500);

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    pub(crate) people: usize,
    /// The `ldapgate` to be measured.
    pub(crate) program: PathBuf,
}

/// What one run has spent: seconds, and KiB at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spent {
    pub(crate) user: f64,
    pub(crate) whole: f64,
    pub(crate) wall: f64,
    pub(crate) peak: u64,
}

/// Runs a row once.
pub(crate) fn measure(job: Job, place: &Place) -> anyhow::Result<Spent> {
    let told = told(std::env::current_exe()?.as_path(), &["client-worker", job.word], place)?;
    let numbers: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [user, whole, wall, peak] = numbers[..] else { bail!("the worker says {told:?}") };
    Ok(Spent { user, whole, wall, peak: peak as u64 })
}

/// How often a row allocates, counted by a program of its own, since counting costs time.
pub(crate) fn allocations(job: Job, place: &Place) -> anyhow::Result<u64> {
    let program = std::env::current_exe()?.with_file_name("allocations");
    ensure!(program.exists(), "{} is missing: build the benches, then run", program.display());
    Ok(told(&program, &[job.word], place)?.trim().parse()?)
}

fn told(program: &Path, words: &[&str], place: &Place) -> anyhow::Result<String> {
    let [taskset, flag, core] = on_clients_core();
    let output = Command::new(taskset)
        .args([flag, core])
        .arg(program)
        .args(words)
        .arg(&place.url)
        .arg(&place.folder)
        .arg(place.people.to_string())
        .arg(&place.program)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{words:?} failed");
    Ok(String::from_utf8(output.stdout)?)
}

/// The process on the clients' core.
#[allow(clippy::disallowed_methods, reason = "wall time is what is measured")]
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let [word, url, folder, people, program] = arguments else { bail!("a worker is started by `client`") };
    let place = Place {
        url: (*url).to_owned(),
        folder: folder.into(),
        people: people.parse()?,
        program: program.into(),
    };
    let began = Instant::now();
    let (who, before) = if word.starts_with("tool-") {
        tool(word, &place)?;
        (UsageWho::RUSAGE_CHILDREN, None)
    } else if let Ok(run) = codec::prepare(word, &place.folder) {
        let before = getrusage(UsageWho::RUSAGE_SELF)?;
        run()?;
        (UsageWho::RUSAGE_SELF, Some(before))
    } else {
        let before = getrusage(UsageWho::RUSAGE_SELF)?;
        library(word, &place)?;
        (UsageWho::RUSAGE_SELF, Some(before))
    };
    let wall = began.elapsed().as_secs_f64();
    let after = getrusage(who)?;
    let (user, whole) = seconds(&after);
    let (user_before, whole_before) = before.as_ref().map_or((0.0, 0.0), seconds);
    let peak = if before.is_some() { high_water()? } else { u64::try_from(after.max_rss())? };
    println!("{} {} {wall} {peak}", user - user_before, whole - whole_before);
    Ok(())
}

fn library(word: &str, place: &Place) -> anyhow::Result<usize> {
    let runtime = runtime(word)?;
    runtime.block_on(async {
        match word {
            "search-ours" | "search-ours-threads" => search::ours(place, PAGE, Pace::Fast).await,
            "search-ours-whole" => search::ours(place, None, Pace::Fast).await,
            "search-ours-collect" => search::ours_collected(place).await,
            "search-ldap3" | "search-ldap3-threads" => search::ldap3(place, false, Pace::Fast).await,
            "search-ldap3-paged" => search::ldap3(place, true, Pace::Fast).await,
            "search-ldap3-collect" => search::ldap3_collected(place).await,
            "slow-ours" => search::ours(place, PAGE, Pace::Slow).await,
            "slow-ours-whole" => search::ours(place, None, Pace::Slow).await,
            "slow-ldap3" => search::ldap3(place, false, Pace::Slow).await,
            "slow-ldap3-paged" => search::ldap3(place, true, Pace::Slow).await,
            "compare-ours" => calls::compares_ours(place).await,
            "compare-ldap3" => calls::compares_ldap3(place).await,
            "bind-ours" => calls::binds_ours(place).await,
            "bind-ldap3" => calls::binds_ldap3(place).await,
            _ => bail!("there is no row {word}"),
        }
    })
}

/// One thread, which costs both libraries less than several, unless the row is about several.
fn runtime(word: &str) -> anyhow::Result<Runtime> {
    let mut builder =
        if word.ends_with("-threads") { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    Ok(builder.enable_all().build()?)
}

/// A program that prints everybody, into nothing.
fn tool(word: &str, place: &Place) -> anyhow::Result<()> {
    let mut command = match word {
        "tool-ldapsearch" => Command::new(process::find("ldapsearch", "ldap-utils")),
        _ => {
            let mut command = Command::new(&place.program);
            command.arg("search");
            command
        }
    };
    let base = format!("ou=people,{BASE}");
    let status = command
        .args(["-x", "-LLL", "-H", &place.url, "-D", READER, "-w", PASSWORD, "-b", &base])
        .arg("(objectClass=inetOrgPerson)")
        .env_remove("LDAPGATE_CONFIG")
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{word} cannot be started"))?;
    ensure!(status.success(), "{word} ended with {status}");
    Ok(())
}

/// User time and all of it, in seconds.
pub(crate) fn seconds(usage: &Usage) -> (f64, f64) {
    let user = usage.user_time().num_microseconds() as f64 / 1e6;
    (user, user + usage.system_time().num_microseconds() as f64 / 1e6)
}

/// The most memory this process has had, in KiB (proc(5), `VmHWM`).
fn high_water() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
