//! The client beside the crates `ldap3` and `ldap3_proto`, and `ldapsearch`: codecs, searches, small operations.
//!
//! Reading order: [`job`] lists the rows, [`codec`], [`search`] and [`calls`] are what they do, [`worker`] how they are
//! measured, [`report`] what is said about it.

mod calls;
mod codec;
pub(crate) mod job;
mod report;
mod search;
pub(crate) mod worker;

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use self::report::Report;
use self::worker::Place;
use crate::USAGE;
use crate::slapd::Slapd;
use crate::world::Size;

/// How often each row has its turn.
const ROUNDS: usize = 5;

/// Starts the server, captures what the codecs are fed with, lets the rows take turns, and prints the table.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let asked = Asked::read(arguments)?;
    let jobs: Vec<_> = job::ALL.into_iter().filter(|job| job.is_wanted(&asked.words)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    eprintln!("loading {} people", asked.size.people);
    let slapd = runtime.block_on(Slapd::start(&asked.size))?;
    let place = Place {
        url: format!("ldap://127.0.0.1:{}", slapd.plain_port()),
        folder: slapd.folder().to_owned(),
        people: asked.size.people,
        program: asked.program,
    };
    runtime.block_on(search::capture(&place))?;
    let mut report = Report::default();
    for round in 1..=asked.rounds {
        eprintln!("round {round} of {}", asked.rounds);
        for job in &jobs {
            report.add(*job, worker::measure(*job, &place).with_context(|| job.word)?);
        }
    }
    for job in jobs.iter().filter(|job| job.is_codec()) {
        report.allocated(*job, worker::allocations(*job, &place)?);
    }
    print!("{report}");
    Ok(())
}

struct Asked<'a> {
    size: Size,
    rounds: usize,
    program: PathBuf,
    words: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(arguments: &[&'a str]) -> anyhow::Result<Self> {
        let mut asked = Asked {
            size: Size::default(),
            rounds: ROUNDS,
            program: concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dist/ldapgate").into(),
            words: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next().context(USAGE);
            match *argument {
                "--people" => asked.size.people = next()?.parse().context(USAGE)?,
                "--rounds" => asked.rounds = next()?.parse().context(USAGE)?,
                "--program" => asked.program = next()?.into(),
                word if word.starts_with('-') => bail!(USAGE),
                word => asked.words.push(word),
            }
        }
        asked.size.check()?;
        Ok(asked)
    }
}
