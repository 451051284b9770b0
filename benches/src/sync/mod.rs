//! A sync of the whole directory by the program itself: the first, one more when nothing has changed, and one when a hundredth has;
//! beside it a plain read of the same people.
//!
//! Reading order: [`run`] is what is measured and how, [`report`] what is said about it.

mod report;
mod run;

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use testkit::postgres::Postgres;
use testkit::process;

use self::report::Report;
use self::run::{Expected, Row, Settings, Store};
use crate::USAGE;
use crate::client::worker::Place;
use crate::cores;
use crate::slapd::Slapd;
use crate::world::{self, Size};

pub(crate) use self::run::worker;

/// How often each row has its turn, each time with an empty store.
const ROUNDS: usize = 3;

/// Starts the servers, measures the rows, and prints the table.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let asked = Asked::read(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        eprintln!("loading {} people and {} groups", asked.size.people, world::groups() + 1);
        let slapd = Slapd::start(&asked.size).await?;
        let postgres = asked.stores.contains(&Store::Postgres).then(cores::postgres).transpose()?;
        let place = Place {
            url: format!("ldap://127.0.0.1:{}", slapd.plain_port()),
            folder: slapd.folder().to_owned(),
            people: asked.size.people,
            program: asked.program.clone(),
        };
        let mut report = Report::default();
        for round in 0..asked.rounds {
            eprintln!("round {} of {}", round + 1, asked.rounds);
            for (row, measured) in run::limits(&slapd, &place).await? {
                report.add(row, measured);
            }
            for (nth, store) in asked.stores.iter().enumerate() {
                let url = fresh(*store, round, &slapd, postgres.as_ref())?;
                let settings = Settings::write(&place, &url)?;
                let all = asked.size.people;
                let sync = |expected| run::sync(&slapd, &place, &settings, expected);
                let expected = Expected { created: all, ..Expected::default() };
                report.add(Row::First(*store), sync(expected).await?);
                let expected = Expected { unchanged: all, ..Expected::default() };
                report.add(Row::Again(*store), sync(expected).await?);
                let updated = change(&place, round * asked.stores.len() + nth)?;
                let expected = Expected { updated, unchanged: all - updated, ..Expected::default() };
                report.add(Row::Changed(*store), sync(expected).await?);
            }
        }
        print!("{report}");
        Ok(())
    })
}

/// The URL of a store with nothing in it.
fn fresh(store: Store, round: usize, slapd: &Slapd, postgres: Option<&Postgres>) -> anyhow::Result<String> {
    match store {
        Store::Sqlite => Ok(format!("sqlite:{}", slapd.folder().join(format!("sync-{round}.db")).display())),
        Store::Postgres => Ok(postgres.context("PostgreSQL runs")?.database()),
    }
}

/// Changes a hundredth of the people; answers how many that are.
fn change(place: &Place, time: usize) -> anyhow::Result<usize> {
    let (changes, changed) = world::changes(place.people, time);
    let arguments = ["-x", "-H", &place.url, "-D", world::WRITER, "-w", world::PASSWORD];
    let done = process::run("ldapmodify", "ldap-utils", &arguments, &changes);
    ensure!(done.status == 0, "ldapmodify: {}", done.stderr);
    Ok(changed)
}

struct Asked {
    size: Size,
    rounds: usize,
    program: PathBuf,
    stores: Vec<Store>,
}

impl Asked {
    fn read(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut asked = Asked {
            size: Size { everybody: true, ..Size::default() },
            rounds: ROUNDS,
            program: concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dist/ldapgate").into(),
            stores: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next().context(USAGE);
            match *argument {
                "--people" => asked.size.people = next()?.parse().context(USAGE)?,
                "--rounds" => asked.rounds = next()?.parse().context(USAGE)?,
                "--program" => asked.program = next()?.into(),
                "sqlite" => asked.stores.push(Store::Sqlite),
                "postgres" => asked.stores.push(Store::Postgres),
                _ => bail!(USAGE),
            }
        }
        if asked.stores.is_empty() {
            asked.stores = vec![Store::Sqlite, Store::Postgres];
        }
        asked.size.check()?;
        ensure!(asked.program.exists(), "{} is missing: build it", asked.program.display());
        Ok(asked)
    }
}
