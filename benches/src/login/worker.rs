//! How a row is measured: by a process on the clients' core, which warms up, says so, and signs people in.
//!
//! The process that asks for it lets all rows take turns, and reads the other's processor time and the server's counters before and after.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use testkit::process;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use super::{bare, ours};
use crate::slapd::Slapd;
use crate::world::Size;

/// The core of the clients.
const CORE: &str = "1";
/// Linux counts a process's time in hundredths of a second, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same requests, encoded before, on two warm connections for each login under way.
    Bare,
    /// Our decision: locate, prove, person, judge.
    Decision,
    /// The whole sign-in: throttling, the decision, the store and a session.
    SignIn,
    /// django-auth-ldap's `authenticate`.
    Django,
}

/// One row to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) concurrency: usize,
    pub(crate) logins: usize,
}

/// A process that is ready to sign people in.
pub(crate) struct Worker {
    row: Row,
    child: Child,
    pid: u32,
    said: Lines<BufReader<ChildStdout>>,
    go: ChildStdin,
}

/// What was measured in all logins of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) half: f64,
    pub(crate) slowest: f64,
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

/// Where everything is, for the process that signs people in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) plain: u16,
    pub(crate) folder: PathBuf,
    pub(crate) names: Vec<String>,
}

/// Signs people in, one at a time.
pub(crate) trait Client: Send + 'static {
    /// The `n`th of those who sign in.
    fn login(&mut self, n: usize) -> impl Future<Output = anyhow::Result<()>> + Send;
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Bare, Kind::Decision, Kind::SignIn, Kind::Django];

    pub(crate) fn named(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Kind::Bare => "bare loop",
            Kind::Decision => "ldapgate, the decision",
            Kind::SignIn => "ldapgate, sign-in with SQLite",
            Kind::Django => "django-auth-ldap with SQLite",
        }
    }

    /// Enough for a second or so.
    pub(crate) fn logins(self, size: &Size) -> usize {
        match self {
            Kind::Bare | Kind::Decision => size.logins,
            Kind::SignIn => size.logins / 2,
            Kind::Django => size.logins / 8,
        }
        .max(1)
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Bare => "bare",
            Kind::Decision => "decision",
            Kind::SignIn => "sign-in",
            Kind::Django => "django",
        }
    }
}

impl Row {
    /// Starts a process of its own and waits until it has warmed up.
    pub(crate) async fn start(self, slapd: &Slapd, size: &Size) -> anyhow::Result<Worker> {
        let mut child = self.command(slapd, size)?.spawn()?;
        let pid = child.id().context("the worker runs")?;
        let said = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let go = child.stdin.take().context("its input is piped")?;
        let mut worker = Worker { row: self, child, pid, said, go };
        ensure!(worker.line().await? == "ready", "the worker is not ready");
        Ok(worker)
    }

    fn command(self, slapd: &Slapd, size: &Size) -> anyhow::Result<Command> {
        let mut command = Command::new(process::find("taskset", "util-linux"));
        command.args(["-c", CORE]);
        match self.kind {
            Kind::Django => command.args([
                "/usr/bin/python3",
                concat!(env!("CARGO_MANIFEST_DIR"), "/src/login/django_login.py"),
            ]),
            kind => command.arg(std::env::current_exe()?).args(["worker", kind.word()]),
        };
        let names = slapd.folder().join("names");
        fs::write(&names, size.names().join("\n"))?;
        command
            .arg(slapd.secure_url())
            .arg(slapd.plain_port().to_string())
            .arg(slapd.folder())
            .args([self.concurrency.to_string(), self.logins.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        Ok(command)
    }
}

impl Worker {
    pub(crate) fn row(&self) -> Row {
        self.row
    }

    /// One round of logins.
    pub(crate) async fn measure(&mut self, slapd: &Slapd) -> anyhow::Result<Measured> {
        let (before, spent_before) = (slapd.counters().await?, spent(self.pid)?);
        self.go.write_all(b"go\n").await?;
        let told = self.line().await?;
        let (after, spent_after) = (slapd.counters().await?, spent(self.pid)?);
        let numbers =
            told.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>().context(told.clone())?;
        let [wall, half, slowest] = numbers[..] else { anyhow::bail!("the worker says {told:?}") };
        Ok(Measured {
            wall,
            half,
            slowest,
            cpu: spent_after - spent_before,
            connections: after.connections - before.connections,
            requests: after.requests - before.requests,
        })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        match self.said.next_line().await? {
            Some(line) => Ok(line),
            None => anyhow::bail!("the worker ended with {}", self.child.wait().await?),
        }
    }
}

/// The process on the clients' core.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let [kind, url, plain, folder, concurrency, logins] = arguments else {
        anyhow::bail!("a worker is started by `login`");
    };
    let kind = Kind::named(kind).context("no such kind")?;
    let folder = PathBuf::from(folder);
    let names = fs::read_to_string(folder.join("names"))?.lines().map(str::to_owned).collect();
    let place = Place { url: (*url).to_owned(), plain: plain.parse()?, folder, names };
    let (concurrency, logins) = (concurrency.parse()?, logins.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match kind {
            Kind::Bare => run(bare::lanes(&place, concurrency).await?, &place, logins).await,
            Kind::Decision => {
                run(vec![ours::Decision::start(&place).await?; concurrency], &place, logins).await
            }
            Kind::SignIn => {
                run(vec![ours::SigningIn::start(&place).await?; concurrency], &place, logins).await
            }
            Kind::Django => anyhow::bail!("Python does this one"),
        }
    })
}

/// Lets everybody sign in once to warm up, and measures a round whenever it is told to.
async fn run<C: Client>(clients: Vec<C>, place: &Place, logins: usize) -> anyhow::Result<()> {
    let people = place.names.len();
    let (mut clients, _) = all(clients, people, people).await?;
    println!("ready");
    for go in io::stdin().lines() {
        go?;
        let began = Instant::now();
        let (same, mut took) = all(clients, people, logins).await?;
        let wall = began.elapsed();
        clients = same;
        took.sort_unstable();
        let at = |hundredths: usize| took[(took.len() * hundredths / 100).min(took.len() - 1)].as_secs_f64();
        println!("{} {} {}", wall.as_secs_f64(), at(50), at(99));
    }
    Ok(())
}

/// So many logins, shared by all clients; returns the clients and how long each login took.
async fn all<C: Client>(
    clients: Vec<C>,
    people: usize,
    logins: usize,
) -> anyhow::Result<(Vec<C>, Vec<Duration>)> {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> =
        clients.into_iter().map(|client| tokio::spawn(some(client, next.clone(), people, logins))).collect();
    let (mut clients, mut took) = (Vec::new(), Vec::with_capacity(logins));
    for task in tasks {
        let (client, its) = task.await??;
        clients.push(client);
        took.extend(its);
    }
    Ok((clients, took))
}

async fn some<C: Client>(
    mut client: C,
    next: Arc<AtomicUsize>,
    people: usize,
    logins: usize,
) -> anyhow::Result<(C, Vec<Duration>)> {
    let mut took = Vec::new();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= logins {
            return Ok((client, took));
        }
        let began = Instant::now();
        client.login(n % people).await?;
        took.push(began.elapsed());
    }
}

/// Seconds of processor time that a process has spent, in user space and in the kernel (proc(5), fields 14 and 15).
fn spent(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    // The program's name stands in parentheses and may hold anything.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let (user, system) = (fields.get(11).context("no user time")?, fields.get(12).context("no system time")?);
    Ok((user.parse::<f64>()? + system.parse::<f64>()?) / TICKS)
}
