//! `audit`: the record, and what is added to it.

use std::time::Duration;

use account::store::{Audit as Recorded, AuditEnd, AuditQuery, AuditRecord};
use account::{Accounts, Error, document};

use super::Context;
use super::answer::Answer;
use super::serve::asked_to_stop_or_hung_up;
use crate::arguments::Audit;
use crate::exit::Exit;
use crate::output;

/// So many records are read of the store at once.
const PAGE: u32 = 1000;
/// How often the store is asked for new ones.
const ASK_EVERY: Duration = Duration::from_millis(400);

/// Prints the record.
pub(crate) async fn run(context: &Context, audit: Audit) -> Exit {
    shown(context, audit).await.unwrap_or_else(|exit| exit)
}

async fn shown(context: &Context, audit: Audit) -> Result<Exit, Exit> {
    let stop = asked_to_stop_or_hung_up();
    let answer = Answer::new(context, audit.json);
    let engine = answer.engine(context).await?;
    let mut reader = Reader::new(engine.accounts().clone(), &audit);
    let shown = async {
        if let Some(name) = &audit.user {
            reader.of(name).await?;
        }
        let going_on = reader.show(&audit).await?;
        if going_on == Printed::Yes && audit.follow {
            reader.follow().await;
        }
        Ok(())
    };
    let exit = tokio::select! {
        shown = shown => match shown {
            Ok(()) => Exit::DONE,
            Err(error) => answer.fail(error),
        },
        () = stop => Exit::DONE,
        () = output::nobody_reads(), if audit.follow => Exit::DONE,
    };
    engine.shutdown().await;
    Ok(exit)
}

/// Whether a line was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Printed {
    Yes,
    /// Whoever read has gone away.
    No,
}

struct Reader {
    accounts: Accounts,
    json: bool,
    username: Option<String>,
    /// The last record that was looked at.
    number: i64,
}

impl Reader {
    fn new(accounts: Accounts, audit: &Audit) -> Self {
        Self { accounts, json: audit.json, username: audit.user.clone(), number: 0 }
    }

    /// The record has the directory's name for a person.
    async fn of(&mut self, name: &str) -> Result<(), Error> {
        if let Some(account) = self.accounts.account_called(name).await? {
            self.username = Some(account.username);
        }
        Ok(())
    }

    fn query(&self) -> AuditQuery {
        AuditQuery { after: self.number, username: self.username.clone(), ..AuditQuery::default() }
    }

    /// What is there already.
    async fn show(&mut self, audit: &Audit) -> Result<Printed, Error> {
        let accounts = self.accounts.clone();
        let now = accounts.ambient().now();
        let since = audit.since.map(|ago| now.before(ago));
        if !audit.all && since.is_none() {
            let usual = if audit.follow { 10 } else { 100 };
            let limit = audit.last.unwrap_or(usual);
            let newest = AuditQuery { limit: 1, end: AuditEnd::Newest, ..AuditQuery::default() };
            let last = accounts.audit_records(newest).await?.first().map_or(0, |record| record.number);
            let query = AuditQuery { limit, end: AuditEnd::Newest, ..self.query() };
            let records = accounts.audit_records(query).await?;
            // With a name the last one shown may be long ago.
            self.number = last;
            return Ok(self.print(&records));
        }
        loop {
            let query = AuditQuery { since, limit: PAGE, ..self.query() };
            let records = accounts.audit_records(query).await?;
            if self.print(&records) == Printed::No {
                return Ok(Printed::No);
            }
            if records.len() < PAGE as usize {
                return Ok(Printed::Yes);
            }
        }
    }

    /// What is added, whoever adds it. A store that does not answer for a while is asked again.
    async fn follow(&mut self) {
        let mut silent = false;
        loop {
            let query = AuditQuery { limit: PAGE, ..self.query() };
            match self.accounts.audit_records(query).await {
                Ok(records) => {
                    silent = false;
                    if self.print(&records) == Printed::No {
                        return;
                    }
                }
                Err(error) if !silent => {
                    output::complain(&anyhow::Error::from(error).context("asking again"));
                    silent = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn print(&mut self, records: &[AuditRecord]) -> Printed {
        for record in records {
            let text = if self.json { document::audit(record).to_string() } else { line(&record.audit) };
            if !output::taken(&text) {
                return Printed::No;
            }
            self.number = self.number.max(record.number);
        }
        Printed::Yes
    }
}

/// `2026-01-01T00:00:00Z login alice: denied, wrong_password, from 192.0.2.1; why (request 1)`
fn line(audit: &Recorded) -> String {
    let mut text = format!("{} {}", audit.at.rounded(), audit.event);
    if let Some(username) = &audit.username {
        text.push(' ');
        text.push_str(username);
    }
    let from = audit.address.as_ref().map(|address| format!("from {address}"));
    let by =
        audit.address.is_none().then(|| audit.agent.as_ref().map(|agent| format!("by {agent}"))).flatten();
    let told = [audit.outcome.clone(), audit.reason.clone(), from, by];
    let told: Vec<String> = told.into_iter().flatten().collect();
    if !told.is_empty() {
        text.push_str(": ");
        text.push_str(&told.join(", "));
    }
    if let Some(detail) = &audit.detail {
        text.push_str("; ");
        text.push_str(detail);
    }
    if let Some(request) = &audit.request_id {
        text.push_str(&format!(" (request {request})"));
    }
    output::printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_for_people() {
        let audit = Recorded {
            at: account::Time::from_seconds(0),
            event: "login".to_owned(),
            username: Some("alice".to_owned()),
            outcome: Some("denied".to_owned()),
            reason: Some("wrong_password".to_owned()),
            address: Some("192.0.2.1".to_owned()),
            agent: Some("Browser".to_owned()),
            detail: Some("a\nb".to_owned()),
            request_id: Some("r1".to_owned()),
            ..Recorded::default()
        };
        let told =
            "1970-01-01T00:00:00Z login alice: denied, wrong_password, from 192.0.2.1; a\\nb (request r1)";
        assert_eq!(line(&audit), told);
        let audit = Recorded {
            event: "revoked".to_owned(),
            agent: Some("the command line (uid 0)".to_owned()),
            ..Recorded::default()
        };
        assert_eq!(line(&audit), "1970-01-01T00:00:00Z revoked: by the command line (uid 0)");
    }
}
