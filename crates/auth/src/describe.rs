//! Looks a person up without a password: facts without a proof.

use crate::ask::Reader;
use crate::directories::{Answer, Directory};
use crate::groups::Roster;
use crate::locate::{Located, Target};
use crate::person::{Facts, Person};
use crate::record::Record;
use crate::state::{self, Moment};
use crate::{Denial, Error, Observer, Reason, groups};

impl Located {
    /// Looks the person up without a password: facts without a proof, from which no session can be made.
    ///
    /// The refusal is `account_disabled`, `account_expired` or `unknown_user`; a lock or the password's age is told by
    /// [`Person::hindrance`].
    ///
    /// # Errors
    /// The directory cannot be reached, or answers what it should not.
    #[tracing::instrument(name = "auth.describe", level = "debug", skip_all)]
    pub async fn describe(self, observer: &dyn Observer) -> Result<Answer<Person>, Error> {
        let mut located = self;
        let mut tries = located.directory.tries();
        loop {
            match located.look_up(observer).await {
                Ok(answer) => return Ok(answer),
                Err(error) => match located.start_over(error, &mut tries, observer).await? {
                    Answer::Yes(again) => located = again,
                    Answer::No(denial) => return Ok(Answer::No(denial)),
                },
            }
        }
    }

    async fn look_up(&self, observer: &dyn Observer) -> Result<Answer<Person>, Error> {
        let (directory, server) = (&self.directory, self.server.url());
        let mut reader = Reader::Service(self.server.clone());
        let found = match &self.target {
            Target::Entry(record) => Answer::Yes(record.clone()),
            Target::Name(dn) => match reader.read(server, dn, &directory.attributes, observer).await? {
                Some(record) => Answer::Yes(record),
                None => Answer::No(Denial::of(Reason::UnknownUser).with_detail("there is no such entry")),
            },
            Target::BindName(name) => directory.find_principal(&mut reader, server, name, observer).await?,
        };
        let record = match found {
            Answer::Yes(record) => record,
            Answer::No(denial) => return Ok(Answer::No(denial)),
        };
        directory.person_of(record, &mut reader, server, observer, None).await
    }
}

impl Directory {
    /// What an entry says of somebody who is looked up: the person, or why they are out. The groups are
    /// those of a roster, where there is one.
    pub(crate) async fn person_of(
        &self,
        mut record: Record,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
        roster: Option<&Roster>,
    ) -> Result<Answer<Person>, Error> {
        let identity = record.identity(&self.settings)?;
        let hindrance = self.judge_state(&record, Moment::LookUp, observer);
        if let Some(denial) = hindrance.as_ref().filter(|denial| state::is_final(denial)) {
            return Ok(Answer::No(denial.clone()));
        }
        record.complete(&self.attributes, reader, server, observer).await?;
        let membership = match roster {
            Some(roster) => groups::of_roster(self, &record, reader, server, roster).await?,
            None => self.fresh_groups_of(&record, &identity, reader, server, observer).await?,
        };
        let facts = Facts { record, identity, membership, warnings: Vec::new(), hindrance };
        Ok(Answer::Yes(Person::new(&self.settings, facts)))
    }
}
