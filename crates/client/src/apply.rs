//! Change records (RFC 2849) done over a connection, one after the other.

use std::fmt;

use proto::ldif::{ChangeRecord, ChangeType, LdifError};
use proto::message::Request;

use crate::{Connection, Error, Reply};

/// Failures that are kept; of more only the number is.
const MOST_KEPT: usize = 10_000;

/// What follows on a change that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing more is done.
    Stop,
    /// The next change is tried, as long as there is a connection.
    Continue,
}

/// What became of a list of changes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// How many were done.
    pub done: u64,
    /// How many failed.
    pub failures: u64,
    /// Those that failed; the first 10,000 of them.
    pub failed: Vec<FailedChange>,
}

/// A change that was not done.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedChange {
    /// The line of its `dn:`, or the one that could not be read; 0 for what comes from no file.
    pub line: usize,
    /// The entry's name, where it could be read.
    pub dn: Option<String>,
    /// What is wrong.
    pub error: ApplyError,
}

/// Why a change was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// It could not be read.
    #[error(transparent)]
    Ldif(#[from] LdifError),
    /// It was refused, or there is no server any more.
    #[error(transparent)]
    Request(#[from] Error),
}

impl Applied {
    /// Was everything done?
    pub fn is_complete(&self) -> bool {
        self.failures == 0
    }

    fn fail(&mut self, failed: FailedChange) {
        self.failures += 1;
        if self.failed.len() < MOST_KEPT {
            self.failed.push(failed);
        }
    }
}

impl Connection {
    /// Does one change, with the controls of its record.
    ///
    /// ```
    /// use ldapgate_client::proto::ldif::{Changes, Untyped};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # let connection = ldapgate_client::Connection::open(&ldapgate_client::Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &ldapgate_client::Password::new("analytical")?).await?;
    /// let ldif = "dn: uid=ada,dc=example,dc=com\ncontrol: 1.3.6.1.1.13.2 true:: MAYEBG1haWw=\nadd: mail\nmail: a@example.com\n";
    /// let record = Changes::new(ldif.as_bytes(), Untyped::Modify).next().expect("there is one")?;
    /// let reply = connection.apply(&record).await?;
    /// assert_eq!(reply.post_read().expect("the control asks for it").text("mail"), Some("a@example.com"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`add`](Connection::add), [`modify`](Connection::modify), [`delete`](Connection::delete) and
    /// [`rename`](Connection::rename).
    #[tracing::instrument(name = "ldap.apply", level = "debug", skip_all, fields(url = self.url(), dn = record.dn()))]
    pub async fn apply(&self, record: &ChangeRecord) -> Result<Reply, Error> {
        let name = match record.change {
            ChangeType::Add(_) => "add",
            ChangeType::Delete(_) => "delete",
            ChangeType::Modify(_) => "modify",
            ChangeType::ModifyDn(_) => "modify DN",
        };
        let controls = record.controls.iter().cloned().collect();
        self.write(name, Request::from(record.change.clone()), controls).await
    }

    /// Does changes in their order, each when the one before is done. They are taken from a
    /// `proto::ldif::Changes` one by one, so that a file of any size is not in memory; reading it is the
    /// caller's blocking call.
    ///
    /// A change that cannot be read is one that failed. Whatever `on_failure` says, nothing more is tried once the
    /// connection has ended.
    ///
    /// ```
    /// use ldapgate_client::{Connection, OnFailure, Options, proto::ldif::{Changes, Untyped}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # let password = ldapgate_client::Password::new("analytical")?;
    /// let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &password).await?;
    /// let ldif = "dn: uid=ada,dc=example,dc=com\nchangetype: modify\nadd: mail\nmail: ada@example.com\n-\n\n\
    ///             dn: uid=nobody,dc=example,dc=com\nchangetype: delete\n";
    /// let changes = Changes::new(ldif.as_bytes(), Untyped::Refuse);
    /// let applied = connection.apply_all(changes, OnFailure::Continue).await;
    /// assert_eq!((applied.done, applied.failures), (1, 1));
    /// assert!(applied.failed[0].to_string().starts_with("line 7, uid=nobody,dc=example,dc=com: "));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn apply_all(
        &self,
        changes: impl IntoIterator<Item = Result<ChangeRecord, LdifError>>,
        on_failure: OnFailure,
    ) -> Applied {
        let mut applied = Applied { done: 0, failures: 0, failed: Vec::new() };
        for change in changes {
            let failed = match change {
                Ok(record) => match self.apply(&record).await {
                    Ok(_) => {
                        applied.done += 1;
                        continue;
                    }
                    Err(error) => {
                        let dn = Some(record.dn().to_owned());
                        FailedChange { line: record.line, dn, error: error.into() }
                    }
                },
                Err(error) => FailedChange { line: error.line(), dn: None, error: error.into() },
            };
            applied.fail(failed);
            if on_failure == OnFailure::Stop || self.is_closed() {
                break;
            }
        }
        applied
    }
}

/// One line, without the cause of the error, which is its source.
impl fmt::Display for FailedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error, &self.dn) {
            (ApplyError::Ldif(error), _) => error.fmt(f),
            (error, Some(dn)) => write!(f, "line {}, {dn}: {error}", self.line),
            (error, None) => write!(f, "line {}: {error}", self.line),
        }
    }
}
