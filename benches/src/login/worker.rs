//! How a row is measured: by a process that warms up by signing everybody in once, and the server's counters before and after its turn.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use testkit::postgres::Postgres;
use tokio::process::Command;

use super::{bare, ours};
use crate::slapd::Slapd;
use crate::turns::{self, Took};
use crate::world::{Size, name_and_groups};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same requests, encoded before, on two warm connections for each login under way.
    Bare,
    /// Our decision: locate, prove, person, judge.
    Decision,
    /// The whole sign-in: throttling, the decision, the store and a session.
    Sqlite,
    /// The same with another store.
    Postgres,
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
    process: turns::Worker,
}

/// What was measured in all logins of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) took: Took,
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

/// Where everything is, for the process that signs people in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) plain: u16,
    pub(crate) folder: PathBuf,
    /// The store's URL.
    pub(crate) store: String,
    /// Who signs in, and the groups of each.
    pub(crate) people: Vec<Somebody>,
}

/// Somebody who signs in.
#[derive(Debug, Clone)]
pub(crate) struct Somebody {
    pub(crate) name: String,
    /// What the local groups are to be called that mirror the directory's, sorted.
    pub(crate) groups: Vec<String>,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] =
        [Kind::Bare, Kind::Decision, Kind::Sqlite, Kind::Postgres, Kind::Django];

    pub(crate) fn named(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Kind::Bare => "bare loop",
            Kind::Decision => "ldapgate, the decision",
            Kind::Sqlite => "ldapgate, sign-in, SQLite",
            Kind::Postgres => "ldapgate, sign-in, PostgreSQL",
            Kind::Django => "django-auth-ldap, SQLite",
        }
    }

    /// Enough for a second or so.
    pub(crate) fn logins(self, size: &Size) -> usize {
        match self {
            Kind::Bare | Kind::Decision => size.logins,
            Kind::Sqlite | Kind::Postgres => size.logins / 2,
            Kind::Django => size.logins / 8,
        }
        .max(1)
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Bare => "bare",
            Kind::Decision => "decision",
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::Django => "django",
        }
    }
}

impl Row {
    /// Starts a process of its own and waits until it has warmed up.
    pub(crate) async fn start(
        self,
        slapd: &Slapd,
        postgres: Option<&str>,
        size: &Size,
    ) -> anyhow::Result<Worker> {
        let process = turns::Worker::start(self.command(slapd, postgres, size)?).await?;
        Ok(Worker { row: self, process })
    }

    fn command(self, slapd: &Slapd, postgres: Option<&str>, size: &Size) -> anyhow::Result<Command> {
        let mut command = turns::command();
        match self.kind {
            Kind::Django => command.args([
                "/usr/bin/python3",
                concat!(env!("CARGO_MANIFEST_DIR"), "/src/login/django_login.py"),
            ]),
            kind => command.arg(std::env::current_exe()?).args(["login-worker", kind.word()]),
        };
        let people: Vec<_> = size.signing_in().map(name_and_groups).collect();
        fs::write(slapd.folder().join("people"), people.join("\n"))?;
        let store = match self.kind {
            Kind::Sqlite => format!("sqlite:{}", slapd.folder().join("ldapgate.db").display()),
            Kind::Postgres => postgres.context("PostgreSQL runs")?.to_owned(),
            _ => "memory:".to_owned(),
        };
        command
            .arg(slapd.secure_url())
            .arg(slapd.plain_port().to_string())
            .arg(slapd.folder())
            .arg(store)
            .args([self.concurrency.to_string(), self.logins.to_string()]);
        Ok(command)
    }
}

impl Worker {
    pub(crate) fn row(&self) -> Row {
        self.row
    }

    /// One round of logins.
    pub(crate) async fn measure(&mut self, slapd: &Slapd) -> anyhow::Result<Measured> {
        let before = slapd.counters().await?;
        let took = self.process.measure().await?;
        let after = slapd.counters().await?;
        Ok(Measured {
            took,
            connections: after.connections - before.connections,
            requests: after.requests - before.requests,
        })
    }
}

/// A database for those kinds that need one.
pub(crate) fn postgres(kinds: &[Kind]) -> anyhow::Result<Option<(Postgres, String)>> {
    if !kinds.contains(&Kind::Postgres) {
        return Ok(None);
    }
    let postgres = crate::cores::postgres()?;
    let url = postgres.database();
    Ok(Some((postgres, url)))
}

/// The process on the clients' core.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let [kind, url, plain, folder, store, concurrency, logins] = arguments else {
        anyhow::bail!("a worker is started by `login`");
    };
    let kind = Kind::named(kind).context("no such kind")?;
    let folder = PathBuf::from(folder);
    let people = fs::read_to_string(folder.join("people"))?;
    let people = people.lines().map(Somebody::read).collect::<Result<Vec<_>, _>>()?;
    let different = people.len();
    let (url, store) = ((*url).to_owned(), (*store).to_owned());
    let place = Place { url, plain: plain.parse()?, folder, store, people };
    let (concurrency, logins) = (concurrency.parse()?, logins.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match kind {
            Kind::Bare => turns::work(bare::lanes(&place, concurrency).await?, different, logins).await,
            Kind::Decision => {
                turns::work(vec![ours::Decision::start(&place).await?; concurrency], different, logins).await
            }
            Kind::Sqlite | Kind::Postgres => {
                turns::work(vec![ours::SigningIn::start(&place).await?; concurrency], different, logins).await
            }
            Kind::Django => anyhow::bail!("Python does this one"),
        }
    })
}

impl Somebody {
    /// A line of the file that all workers read: the name, then the groups.
    fn read(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        Ok(Self { name: words.next().context("a name")?, groups: words.collect() })
    }
}
