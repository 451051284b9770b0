//! Changing a password: the old one is proved by the person's bind, the account is judged, and the same server is told.

use client::{BindReply, PasswordMethod, PasswordReply};
use proto::Password;

use crate::ask::Reader;
use crate::directories::Answer;
use crate::explain::{Asking, decided, decided_of_typed};
use crate::locate::{Located, Target};
use crate::objection::{NewPassword, Objection, Unfit};
use crate::prove::{Proof, Tried};
use crate::record::Record;
use crate::state::{self, Bound, By, Moment, Taken};
use crate::{Denial, Error, Observer, PasswordChange, Settings, Vendor};

/// What a change comes to.
pub enum Change {
    /// The new password is good from now on.
    Done(Changed),
    /// The old one was right, the new one is not taken.
    Unfit(Objection),
    /// The old one is not proved, or the account stands in the way: nothing was changed.
    Denied(Denial),
}

/// A password was changed. Whether the person may enter with the new one is asked by [`Changed::prove`]: that it could be
/// changed says nothing of the account (CVE-2025-0604).
pub struct Changed(Box<Located>);

/// An old password was proved, and nothing in the account stands in the way of a new one: the server may be told.
/// [`Located::prove_for_change`] alone makes one.
pub struct Changeable {
    located: Box<Located>,
    access: Access,
    record: Option<Record>,
}

/// What the bind with the old password allows.
enum Access {
    /// The person was let in.
    Full(Reader),
    /// The person was let in, and may do nothing but change the password.
    ChangeOnly(Reader),
    /// The person was not let in although the password was right; the service account is to change it.
    Service(Reader),
}

impl Located {
    /// Changes the password: proves the old one by a bind, as a login does, judges the account, and tells the same server.
    ///
    /// Whoever is let in by their bind changes it on that connection. Who is not, because the password has expired or must
    /// be changed, can have it changed by the service account where the settings allow that: the bind's answer is the proof,
    /// and the server compares the old password once more. What may have been written is never sent again, here or elsewhere.
    ///
    /// # Errors
    /// The directory cannot be reached, or answers what it should not. [`Error::may_have_changed`] tells whether the new
    /// password may be good all the same.
    pub async fn change_password(
        self,
        old: &Password,
        new: &NewPassword,
        observer: &dyn Observer,
    ) -> Result<Change, Error> {
        match self.prove_for_change(old, observer).await? {
            Answer::Yes(changeable) => changeable.change(old, new, observer).await,
            Answer::No(denial) => Ok(Change::Denied(denial)),
        }
    }

    /// The first half of [`Located::change_password`], for whoever has a say of their own before the server is told: proves
    /// the old password and judges the account.
    ///
    /// # Errors
    /// As [`Located::prove`]: nothing was changed.
    #[tracing::instrument(name = "auth.prove", level = "debug", skip_all)]
    pub async fn prove_for_change(
        self,
        old: &Password,
        observer: &dyn Observer,
    ) -> Result<Answer<Changeable>, Error> {
        let Tried { located, own, reply } = match self.try_bind(old, observer).await? {
            Answer::Yes(tried) => tried,
            Answer::No(denial) => return Ok(Answer::No(denial)),
        };
        let settings = &located.directory.settings;
        let access = match state::of_reply(settings.vendor, &reply).map_err(Error::after_bind)? {
            Bound::Proved(_) => Access::Full(Reader::Person(own)),
            Bound::Refused(denial) => {
                match located.was_searched() {
                    true => decided(observer, "state", located.dn(), &denial),
                    false => decided_of_typed(observer, "state", located.dn(), &denial),
                }
                let denial = settings.offer_change(denial, &reply);
                match denial.offers_change() {
                    false => return Ok(Answer::No(denial)),
                    true if reply.is_success() => Access::ChangeOnly(Reader::Person(own)),
                    true => Access::Service(Reader::Service(located.server.clone())),
                }
            }
        };
        located.changeable(access, observer).await.map_err(Error::after_proof)
    }

    /// The old password is proved.
    async fn changeable(
        self,
        mut access: Access,
        observer: &dyn Observer,
    ) -> Result<Answer<Changeable>, Error> {
        let found = match self.directory.settings.password_change {
            // Nobody will be told.
            PasswordChange::Off => Answer::Yes(None),
            _ => self.entry_before(&mut access, observer).await?,
        };
        let record = match found {
            Answer::Yes(record) => record,
            Answer::No(denial) => return Ok(Answer::No(denial.after_proof())),
        };
        if let Some(denial) = record.as_ref().and_then(|record| self.obstacle(record, &access, observer)) {
            return Ok(Answer::No(denial.after_proof()));
        }
        Ok(Answer::Yes(Changeable { located: Box::new(self), access, record }))
    }

    /// The person's entry as it is before the change; `None` where only the person could read it, and may not yet.
    async fn entry_before(
        &self,
        access: &mut Access,
        observer: &dyn Observer,
    ) -> Result<Answer<Option<Record>>, Error> {
        let mut service = Reader::Service(self.server.clone());
        let settings = &self.directory.settings;
        let reader = match (&self.target, access) {
            // Who reads themselves may be the only one who sees who they are.
            (Target::Entry(record), Access::Full(reader))
                if settings.user.bind_as_user && record.id(settings).is_err() =>
            {
                reader
            }
            (Target::Entry(record), _) => return Ok(Answer::Yes(Some(record.clone()))),
            (_, _) if !settings.user.bind_as_user => &mut service,
            (_, Access::ChangeOnly(_)) => return Ok(Answer::Yes(None)),
            (_, Access::Full(reader) | Access::Service(reader)) => reader,
        };
        let target = self.target.clone();
        let found = self.directory.entry_of(target, reader, self.server.url(), &self.name, observer).await?;
        Ok(match found {
            Answer::Yes(record) => Answer::Yes(Some(record)),
            Answer::No(denial) => Answer::No(denial),
        })
    }

    /// What in the entry stands in the way of a change; the password's own age does not.
    fn obstacle(&self, record: &Record, access: &Access, observer: &dyn Observer) -> Option<Denial> {
        let moment = match access {
            Access::Full(_) | Access::ChangeOnly(_) => Moment::AfterBind,
            Access::Service(_) => Moment::LookUp,
        };
        let denial = self.directory.judge_state(record, moment, observer)?;
        (!denial.reason().is_cured_by_a_change()).then_some(denial)
    }

    async fn ask(
        &self,
        access: &mut Access,
        dn: &str,
        old: &Password,
        new: &Password,
        observer: &dyn Observer,
    ) -> Result<PasswordReply, Error> {
        let method = match self.directory.settings.vendor {
            Vendor::ActiveDirectory => PasswordMethod::UnicodePwd,
            _ => PasswordMethod::PasswordModify,
        };
        let asking = Asking::started(
            observer,
            "change",
            self.server.url(),
            format_args!("change the password of {dn:?} as {}", access.by()),
        );
        let answer = match access.reader() {
            Reader::Person(own) => own.change_password(method, dn, old, new).await,
            Reader::Service(server) => server.change_password(method, dn, old, new).await,
        };
        match answer {
            Ok(reply) => {
                asking.ended(state::told(&reply.result));
                Ok(reply)
            }
            Err(error) => {
                asking.ended(&error);
                Err(Error::changing(format!("the password of {dn} was not changed for certain"), error))
            }
        }
    }

    /// What was found of the person's entry is out of date.
    fn without_entry(mut self) -> Located {
        if let Target::Entry(record) = self.target {
            self.target = Target::Name(record.dn);
        }
        self
    }
}

impl Changeable {
    /// The stable key of whoever it is within the directory; `None` where nobody could read it so far.
    pub fn id(&self) -> Option<String> {
        self.record.as_ref().and_then(|record| record.id(&self.located.directory.settings).ok())
    }

    /// The second half of [`Located::change_password`]: tells the server.
    ///
    /// # Errors
    /// As [`Located::change_password`].
    #[tracing::instrument(name = "auth.change_password", level = "debug", skip_all)]
    pub async fn change(
        self,
        old: &Password,
        new: &NewPassword,
        observer: &dyn Observer,
    ) -> Result<Change, Error> {
        let Changeable { located, mut access, record } = self;
        if located.directory.settings.password_change == PasswordChange::Off {
            return Ok(Change::Unfit(Objection::of(Unfit::NotAllowed).with_detail("password.change is off")));
        }
        let dn = record.as_ref().map_or(located.dn(), |record| record.dn.as_str());
        let reply = located.ask(&mut access, dn, old, new.password(), observer).await;
        let told = reply
            .and_then(|reply| state::of_change(located.directory.settings.vendor, access.by(), &reply))
            .map_err(Error::after_proof)?;
        Ok(match told {
            Taken::Yes => Change::Done(Changed(Box::new(located.without_entry()))),
            Taken::Unfit(objection) => Change::Unfit(objection),
            Taken::Denied(denial) => Change::Denied(denial),
        })
    }
}

impl Changed {
    /// Proves the new password as a login proves one, on the server that has just taken it, and judges the account's state
    /// anew.
    ///
    /// # Errors
    /// As [`Located::prove`]; never is another server asked, which may not know the new password yet.
    #[tracing::instrument(name = "auth.prove", level = "debug", skip_all)]
    pub async fn prove(self, new: &NewPassword, observer: &dyn Observer) -> Result<Answer<Proof>, Error> {
        let (own, reply) = self.0.bind(new.password(), observer).await.map_err(Error::after_proof)?;
        (*self.0).judge(own, reply, observer).await
    }
}

impl Settings {
    /// Says of a refusal whether a change of the password can be offered: it has to be the password's age alone, the bind has
    /// to have proved the password, and somebody has to be able to tell the server.
    pub(crate) fn offer_change(&self, denial: Denial, reply: &BindReply) -> Denial {
        let can_tell = match self.password_change {
            PasswordChange::Person => reply.is_success(),
            PasswordChange::Service => true,
            PasswordChange::Off => false,
        };
        match denial.reason().is_cured_by_a_change() && denial.proved() && can_tell {
            true => denial.offering_change(),
            false => denial,
        }
    }
}

impl Access {
    fn reader(&mut self) -> &mut Reader {
        match self {
            Access::Full(reader) | Access::ChangeOnly(reader) | Access::Service(reader) => reader,
        }
    }

    fn by(&self) -> By {
        match self {
            Access::Full(_) | Access::ChangeOnly(_) => By::Person,
            Access::Service(_) => By::Service,
        }
    }
}
