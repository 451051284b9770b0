//! The only place where a password becomes a proof.

use std::ops::Deref;
use std::sync::Arc;

use client::{BindReply, Proving};
use proto::Password;
use proto::filter::Rule as Matching;

use crate::ask::Reader;
use crate::directories::{Answer, Directory};
use crate::explain::{Asking, decided, decided_of_typed};
use crate::locate::{Asker, Located, Name, PRINCIPAL, Target};
use crate::person::{Facts, Person};
use crate::record::{Identity, Record};
use crate::state::{self, Bound, Moment};
use crate::{Denial, Error, Observer, Warning};

/// A password was right: a bind with it was written on this login's own connection, and its result was 0. It cannot be
/// made otherwise, and is consumed by [`Proof::person`].
pub struct Proof {
    directory: Arc<Directory>,
    server: client::Server,
    /// The person's own connection, where the person reads.
    own: Option<Proving>,
    record: Record,
    identity: Identity,
    warnings: Vec<Warning>,
}

/// A [`Person`] whose password was right: what a session may be started for. Only [`Proof::person`] makes one; nothing
/// that was looked up becomes one:
///
/// ```compile_fail
/// # use ldapgate_auth::{Person, Proven};
/// fn start_session(person: Proven) {}
/// fn looked_up(person: Person) { start_session(person) }
/// ```
///
/// ```compile_fail
/// # use ldapgate_auth::{Person, Proven};
/// fn looked_up(person: Person) -> Proven { Proven(person) }
/// ```
///
/// The way back is open, since facts are facts:
///
/// ```
/// # use ldapgate_auth::{Person, Proven};
/// fn start_session(person: Proven) {}
/// fn proved(person: Proven) { start_session(person) }
/// fn facts(person: Proven) -> Person { person.into_person() }
/// ```
#[derive(Debug)]
pub struct Proven(Person);

/// A bind that was answered, on whichever server.
pub(crate) struct Tried {
    pub(crate) located: Located,
    pub(crate) own: Proving,
    pub(crate) reply: BindReply,
}

impl Located {
    /// Proves the password by a bind, and judges the account's state: first by the server's answer, then by the entry.
    ///
    /// While no bind was written the login may start over on another server of the same directory; afterwards never.
    ///
    /// # Errors
    /// The directory cannot be reached, or answers what it should not. A wrong password is no error.
    #[tracing::instrument(name = "auth.prove", level = "debug", skip_all)]
    pub async fn prove(self, password: &Password, observer: &dyn Observer) -> Result<Answer<Proof>, Error> {
        match self.try_bind(password, observer).await? {
            Answer::Yes(Tried { located, own, reply }) => located.judge(own, reply, observer).await,
            Answer::No(denial) => Ok(Answer::No(denial)),
        }
    }

    /// Binds on the first server that answers.
    pub(crate) async fn try_bind(
        self,
        password: &Password,
        observer: &dyn Observer,
    ) -> Result<Answer<Tried>, Error> {
        let mut located = self;
        let mut tries = located.directory.tries();
        loop {
            match located.bind(password, observer).await {
                Ok((own, reply)) => return Ok(Answer::Yes(Tried { located, own, reply })),
                Err(error) => match located.start_over(error, &mut tries, observer).await? {
                    Answer::Yes(again) => located = again,
                    Answer::No(denial) => return Ok(Answer::No(denial)),
                },
            }
        }
    }

    /// Reads what the bind was answered, and goes on where the person was let in.
    pub(crate) async fn judge(
        self,
        own: Proving,
        reply: BindReply,
        observer: &dyn Observer,
    ) -> Result<Answer<Proof>, Error> {
        let settings = &self.directory.settings;
        match state::of_reply(settings.vendor, &reply).map_err(Error::after_bind)? {
            Bound::Refused(denial) => {
                match self.was_searched() {
                    true => decided(observer, "state", self.dn(), &denial),
                    false => decided_of_typed(observer, "state", self.dn(), &denial),
                }
                Ok(Answer::No(settings.offer_change(denial, &reply)))
            }
            Bound::Proved(warnings) => {
                let directory = self.directory.clone();
                let settled = self.settle(own, warnings, observer).await.map_err(Error::after_proof)?;
                Ok(match settled {
                    Answer::No(denial) => Answer::No(directory.settings.offer_change(denial, &reply)),
                    proved => proved,
                })
            }
        }
    }

    pub(crate) async fn bind(
        &self,
        password: &Password,
        observer: &dyn Observer,
    ) -> Result<(Proving, BindReply), Error> {
        // Nothing was written before there is a connection to write on.
        let mut own = self.server.prove().await.map_err(|error| self.directory.unreachable(error))?;
        let asking =
            Asking::started(observer, "prove", self.server.url(), format_args!("bind {:?}", self.dn()))
                .of_typed(!self.was_searched());
        match own.bind(self.dn(), password).await {
            Ok(reply) => {
                asking.ended(state::told(&reply.result));
                Ok((own, reply))
            }
            Err(error) => {
                asking.ended(&error);
                Err(Error::binding(format!("the bind of {} was not answered", self.shown()), error))
            }
        }
    }

    /// After the bind: the entry, who it is, and whether anything in it stands in the way.
    async fn settle(
        self,
        own: Proving,
        warnings: Vec<Warning>,
        observer: &dyn Observer,
    ) -> Result<Answer<Proof>, Error> {
        let Located { directory, server, name, target, .. } = self;
        let bind_as_user = directory.settings.user.bind_as_user;
        let mut own = bind_as_user.then_some(own);
        let record = match (target, own.take()) {
            (Target::Entry(record), None) => record,
            (target, person) => {
                let mut reader = match person {
                    Some(own) => Reader::Person(own),
                    None => Reader::Service(server.clone()),
                };
                let found = directory.entry_of(target, &mut reader, server.url(), &name, observer).await?;
                if let Reader::Person(person) = reader {
                    own = Some(person);
                }
                match found {
                    Answer::Yes(record) => record,
                    Answer::No(denial) => return Ok(Answer::No(denial.after_proof())),
                }
            }
        };
        let identity = record.identity(&directory.settings)?;
        let in_grace = warnings.iter().any(|warning| matches!(warning, Warning::GraceLogins { .. }));
        let moment = if in_grace { Moment::AfterGraceLogin } else { Moment::AfterBind };
        if let Some(denial) = directory.judge_state(&record, moment, observer) {
            return Ok(Answer::No(denial.after_proof()));
        }
        Ok(Answer::Yes(Proof { directory, server, own, record, identity, warnings }))
    }
}

impl Proof {
    /// The person whose password was right, with groups. Whether they may enter is
    /// [`Directories::judge`](crate::Directories::judge)'s to say.
    ///
    /// # Errors
    /// The groups cannot be read; never is the login moved to another server for it.
    #[tracing::instrument(name = "auth.person", level = "debug", skip_all)]
    pub async fn person(self, observer: &dyn Observer) -> Result<Proven, Error> {
        let Proof { directory, server, own, mut record, identity, warnings } = self;
        let mut reader = match own {
            Some(own) => Reader::Person(own),
            None => Reader::Service(server.clone()),
        };
        record
            .complete(&directory.attributes, &mut reader, server.url(), observer)
            .await
            .map_err(Error::after_proof)?;
        let membership = directory.groups_of(&record, &identity, &mut reader, server.url(), observer).await;
        let membership = membership.map_err(Error::after_proof)?;
        let facts = Facts { record, identity, membership, warnings, hindrance: None };
        Ok(Proven(Person::new(&directory.settings, facts)))
    }

    /// The name of the directory.
    pub fn directory(&self) -> &str {
        &self.directory.settings.name
    }

    /// The stable key within the directory.
    pub fn id(&self) -> &str {
        &self.identity.id
    }

    /// The canonical name.
    pub fn username(&self) -> &str {
        &self.identity.username
    }
}

impl Proven {
    /// The facts alone: the proof is given up.
    pub fn into_person(self) -> Person {
        self.0
    }
}

impl Deref for Proven {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.0
    }
}

impl Directory {
    /// Reads the entry of whoever has just bound.
    pub(crate) async fn entry_of(
        &self,
        target: Target,
        reader: &mut Reader,
        server: &str,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Record>, Error> {
        if self.settings.user.refresh_dn_after_bind {
            return self.real_entry_of(target, reader, server, name, observer).await;
        }
        let dn = match target {
            Target::Entry(record) => record.dn,
            Target::Name(dn) => dn,
            Target::BindName(principal) => {
                return self.find_principal(reader, server, &principal, observer).await;
            }
        };
        match reader.read(server, &dn, &self.attributes, observer).await? {
            Some(record) => Ok(Answer::Yes(record)),
            None => Err(Error::configuration(format!("{dn} could bind, but its entry cannot be read"))),
        }
    }

    /// Searches for the person's entry by the typed name; a bind name has to be the entry's own.
    async fn real_entry_of(
        &self,
        target: Target,
        reader: &mut Reader,
        server: &str,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Record>, Error> {
        let found = self.find(Asker::Reader(reader), server, name, observer).await?;
        let (Answer::Yes(record), Target::BindName(principal)) = (&found, &target) else {
            return Ok(found);
        };
        let values = record.attributes.values(PRINCIPAL);
        if values.iter().any(|value| Matching::CaseIgnore.equal(value, principal.as_bytes()) == Some(true)) {
            return Ok(found);
        }
        Err(Error::directory(format!(
            "{principal} could bind, but {} carries another {PRINCIPAL}",
            record.dn
        )))
    }

    /// Judges the entry's own attributes.
    pub(crate) fn judge_state(
        &self,
        record: &Record,
        moment: Moment,
        observer: &dyn Observer,
    ) -> Option<Denial> {
        let denial = state::of_entry(self.settings.vendor, &record.attributes, (self.clock)(), moment);
        match &denial {
            Some(denial) => decided(observer, "state", &record.dn, denial),
            None => decided(observer, "state", &record.dn, "nothing stands in the way"),
        }
        denial
    }
}
