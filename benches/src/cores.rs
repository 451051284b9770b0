//! Which core has what: servers one, clients the other.

use std::thread;

use anyhow::Context as _;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use testkit::postgres::Postgres;
use testkit::process;

/// The core of the servers.
pub(crate) const SERVERS: &str = "0";
/// The core of the clients.
pub(crate) const CLIENTS: &str = "1";

/// A command line's first words: what follows them runs on the clients' core.
pub(crate) fn on_clients_core() -> [String; 3] {
    [process::find("taskset", "util-linux"), "-c".to_owned(), CLIENTS.to_owned()]
}

/// A PostgreSQL on the servers' core: processes inherit the core of the thread that starts them.
pub(crate) fn postgres() -> anyhow::Result<Postgres> {
    let starting = thread::spawn(|| {
        let mut servers = CpuSet::new();
        servers.set(SERVERS.parse()?)?;
        sched_setaffinity(Pid::from_raw(0), &servers).context("the servers' core cannot be had")?;
        Ok(Postgres::start())
    });
    starting.join().map_err(|_| anyhow::anyhow!("PostgreSQL does not start"))?
}
