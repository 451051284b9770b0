//! Processes that take turns: each warms up on the clients' core, says so, and does a round of work whenever it is told to.
//!
//! The process that tells them reads the other's processor time before and after.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use crate::cores::on_clients_core;

/// Linux counts a process's time in hundredths of a second, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// A process that is ready to work.
pub(crate) struct Worker {
    child: Child,
    pid: u32,
    said: Lines<BufReader<ChildStdout>>,
    go: ChildStdin,
}

/// What one round took, in seconds: all of it, of the processor, and at the median and the 99th hundredth of its pieces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) half: f64,
    pub(crate) slowest: f64,
}

/// Does pieces of work, one at a time.
pub(crate) trait Client: Send + 'static {
    /// The `n`th of all different pieces.
    fn once(&mut self, n: usize) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// The beginning of a worker's command line.
pub(crate) fn command() -> Command {
    let [program, flag, core] = on_clients_core();
    let mut command = Command::new(program);
    command.args([flag, core]);
    command
}

impl Worker {
    /// Starts it and waits until it has warmed up.
    pub(crate) async fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let pid = child.id().context("the worker runs")?;
        let said = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let go = child.stdin.take().context("its input is piped")?;
        let mut worker = Self { child, pid, said, go };
        ensure!(worker.line().await? == "ready", "the worker is not ready");
        Ok(worker)
    }

    /// One round.
    pub(crate) async fn measure(&mut self) -> anyhow::Result<Took> {
        let before = spent(self.pid)?;
        self.go.write_all(b"go\n").await?;
        let told = self.line().await?;
        let cpu = spent(self.pid)? - before;
        let numbers =
            told.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>().context(told.clone())?;
        let [wall, half, slowest] = numbers[..] else { anyhow::bail!("the worker says {told:?}") };
        Ok(Took { wall, cpu, half, slowest })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        match self.said.next_line().await? {
            Some(line) => Ok(line),
            None => anyhow::bail!("the worker ended with {}", self.child.wait().await?),
        }
    }
}

/// In the worker: does each of the `different` pieces once to warm up, and a round of `count` whenever it is told to. The
/// pieces come one after the other and over again, a round going on where the last one ended.
pub(crate) async fn work<C: Client>(clients: Vec<C>, different: usize, count: usize) -> anyhow::Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let (mut clients, _) = all(clients, &next, different, different).await?;
    println!("ready");
    let mut until = different;
    for go in io::stdin().lines() {
        go?;
        next.store(until, Ordering::Relaxed);
        until += count;
        let began = Instant::now();
        let (same, mut took) = all(clients, &next, different, until).await?;
        let wall = began.elapsed();
        clients = same;
        took.sort_unstable();
        let at = |hundredths: usize| took[(took.len() * hundredths / 100).min(took.len() - 1)].as_secs_f64();
        println!("{} {} {}", wall.as_secs_f64(), at(50), at(99));
    }
    Ok(())
}

/// The pieces up to `until`, shared by all clients; returns the clients and how long each piece took.
async fn all<C: Client>(
    clients: Vec<C>,
    next: &Arc<AtomicUsize>,
    different: usize,
    until: usize,
) -> anyhow::Result<(Vec<C>, Vec<Duration>)> {
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(some(client, Arc::clone(next), different, until)))
        .collect();
    let (mut clients, mut took) = (Vec::new(), Vec::new());
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
    different: usize,
    until: usize,
) -> anyhow::Result<(C, Vec<Duration>)> {
    let mut took = Vec::new();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= until {
            return Ok((client, took));
        }
        let began = Instant::now();
        client.once(n % different).await?;
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
