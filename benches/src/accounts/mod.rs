//! Checks of sessions: what a request of somebody who is signed in costs, from memory and from the store, beside the least that any of it
//! could cost.
//!
//! Reading order: [`ours`] and [`limits`] are what is measured, [`worker`] how, [`report`] what is said about it.

mod limits;
mod ours;
mod report;
mod worker;

use anyhow::{Context as _, bail};
use ldapgate::system_time;

use self::report::Report;
use self::worker::{Kind, Row, Stores};
use crate::USAGE;
use crate::cores;
use crate::slapd::Slapd;
use crate::world::Size;

pub(crate) use self::worker::main as worker;

/// Checks under way at once.
const CONCURRENCY: [usize; 3] = [1, 8, 32];
/// How often each row has its turn; its best one is told, since machines are seldom quiet.
const ROUNDS: usize = 5;
/// Sessions need people to belong to, and no more than these.
const PEOPLE: usize = 4_000;
/// In a round that asks the store; those from memory do [`Kind::checks`] more.
const CHECKS: usize = 10_000;

/// Starts the servers, signs people in, measures each kind at each concurrency, and prints the table.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let (checks, kinds) = read(arguments)?;
    let size = Size { people: PEOPLE, ..Size::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let slapd = Slapd::start(&size).await?;
        let postgres = cores::postgres()?;
        let stores = Stores {
            url: slapd.secure_url(),
            folder: slapd.folder().to_owned(),
            sqlite: format!("sqlite:{}", slapd.folder().join("ldapgate.db").display()),
            postgres: postgres.database(),
            at: system_time(),
        };
        for store in [&stores.sqlite, &stores.postgres] {
            eprintln!("signing in: {}", store.split(':').next().unwrap_or_default());
            ours::sign_in(&stores, store, &size).await?;
        }
        let mut workers = Vec::new();
        for kind in kinds {
            for concurrency in CONCURRENCY {
                eprintln!("warming up: {}, {concurrency} at once", kind.title());
                let row = Row { kind, concurrency, checks: kind.checks(checks) };
                workers.push((row, row.start(&stores).await.with_context(|| kind.title())?));
            }
        }
        let mut report = Report::default();
        for round in 1..=ROUNDS {
            eprintln!("round {round} of {ROUNDS}");
            for (row, worker) in &mut workers {
                report.add(*row, worker.measure().await?);
            }
        }
        print!("{report}");
        Ok(())
    })
}

fn read(arguments: &[&str]) -> anyhow::Result<(usize, Vec<Kind>)> {
    let (mut checks, mut kinds) = (CHECKS, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (*argument, Kind::named(argument)) {
            ("--checks", _) => checks = arguments.next().context(USAGE)?.parse().context(USAGE)?,
            (_, Some(kind)) => kinds.push(kind),
            _ => bail!(USAGE),
        }
    }
    anyhow::ensure!(checks > 0, "something must be checked");
    Ok((checks, if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds }))
}
