//! Logins: the decision and the sign-in beside a bare loop and django-auth-ldap.
//!
//! Reading order: [`ours`], [`bare`] and `django_login.py` are what is measured, [`worker`] how, [`report`] what is said
//! about it.

mod bare;
mod ours;
mod record;
mod report;
pub(crate) mod worker;

use anyhow::{Context as _, bail};

use self::report::Report;
use self::worker::{Kind, Row};
use crate::USAGE;
use crate::slapd::Slapd;
use crate::world::{self, Size};

/// Logins under way at once.
const CONCURRENCY: [usize; 3] = [1, 8, 32];

/// How often each row has its turn; its best one is told, since machines are seldom quiet.
const ROUNDS: usize = 5;

/// Starts the server, measures each kind at each concurrency, and prints the table.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let (size, kinds) = read(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        eprintln!("loading {} people and {} groups", size.people, world::groups());
        let slapd = Slapd::start(&size).await?;
        let postgres = worker::postgres(&kinds)?;
        let database = postgres.as_ref().map(|(_, url)| url.as_str());
        let mut workers = Vec::new();
        for kind in kinds {
            for concurrency in CONCURRENCY {
                eprintln!("warming up: {}, {concurrency} at once", kind.title());
                let row = Row { kind, concurrency, logins: kind.logins(&size) };
                workers.push(row.start(&slapd, database, &size).await.with_context(|| kind.title())?);
            }
        }
        let mut report = Report::default();
        for round in 1..=ROUNDS {
            eprintln!("round {round} of {ROUNDS}");
            for worker in &mut workers {
                report.add(worker.row(), worker.measure(&slapd).await?);
            }
        }
        print!("{report}");
        Ok(())
    })
}

fn read(arguments: &[&str]) -> anyhow::Result<(Size, Vec<Kind>)> {
    let (mut size, mut kinds) = (Size::default(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().context(USAGE)?.parse::<usize>().context(USAGE);
        match *argument {
            "--people" => size.people = number()?,
            "--logins" => size.logins = number()?,
            word => match Kind::named(word) {
                Some(kind) => kinds.push(kind),
                None => bail!(USAGE),
            },
        }
    }
    size.check()?;
    Ok((size, if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds }))
}
