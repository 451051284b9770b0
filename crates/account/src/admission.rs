//! From a person whom the directory admits to an account: steps 11 to 16, shared by login and look-up.
//!
//! Rows of the seeds that are decided here, and the tests that hold them:
//!
//! | row | what it says | held by |
//! |---|---|---|
//! | R051 | a field is an attribute's first value; one that is gone is cleared | `a_field_takes_the_first_value_and_a_list_all`, `a_profile_follows_the_directory` |
//! | R052 | what is read of an entry is kept, secrets are not | `what_was_read_of_a_person_stays_with_the_account_until_the_next_look` |
//! | R053 | a flag is always set, and any expression | `flags_and_groups_follow_where_the_profile_stays`, `expressions_nest_freely` |
//! | R054 | a second target: lists, and what an application makes of it all | `an_application_may_change_what_is_kept` |
//! | R055 | a profile may stay; flags, groups and look-ups follow | `a_profile_stays_where_that_is_chosen_but_not_for_look_ups` |
//! | R056 | nobody new, told after the right password | `whether_somebody_is_new_is_told_after_the_right_password_only`, `strangers_stay_outside_where_that_is_chosen` |
//! | R057 | who somebody is says the directory's key; names lead there | `a_namesake_of_another_directory_is_nobody_s_account`, `an_account_is_named_as_here_or_as_in_its_directory_where_that_is_clear` |
//! | R058 | groups give permissions, by DN or by a name that is one group's | `groups_give_permissions_by_name_and_dn_where_that_is_chosen`, `a_name_that_two_groups_have_gives_nothing` |
//! | R059 | what is remembered of groups, and never an outage | `neither_an_outage_nor_half_a_list_is_remembered` |
//! | R060 | local groups follow exactly, or fail the login | `every_group_is_made_and_followed_exactly_at_each_login_and_look_up`, `only_the_named_groups_follow_and_the_others_stay_as_they_are`, `groups_in_groups_are_flattened`, `groups_that_cannot_be_read_whole_fail_the_login_and_take_nothing_away`, `a_store_that_fails_while_groups_are_mirrored_leaves_everything_as_it_was` |
//! | R061 | all but these | `all_but_the_named_groups_follow` |
//! | R062 | people from elsewhere have permissions and no local groups | `who_was_signed_in_elsewhere_has_permissions_and_no_session_and_no_local_groups`, `who_comes_from_elsewhere_is_in_no_local_group` |
//!
//! There is no local password that could be usable: nothing here can hold one (`no_password_is_in_the_store`).

use std::time::Duration;

use auth::{Denial, Observer, Person, Proven, Reason, Step};
use tokio::time::Instant;

use crate::accounts::{Accounts, Current};
use crate::event::{Event, Task};
use crate::hook::{Profile, Refusal};
use crate::settings::DirectorySettings;
use crate::store::{
    Admission, Admit, Admitted, AttemptId, Audit, Facts, Mirror, Occasion, StartSession, StoreError,
};
use crate::{Account, Attributes, Error, Group, LocalGroup, Time, UserId};

/// Who is to be taken in, and why. A session needs a [`Proven`]: none can be started for somebody looked up.
pub(crate) enum Coming<'p> {
    /// Looked up: whatever stands against them here, the account is refreshed.
    LookUp(&'p Person),
    /// Authenticated by something else: as a login, but no local groups follow.
    External(&'p Person),
    Login {
        person: &'p Proven,
        /// When the login began.
        began: Time,
        /// The session to start, if the door wants one.
        session: Option<StartSession>,
        /// The attempt to give back, if one was reserved.
        attempt: Option<AttemptId>,
    },
}

/// Why somebody is not.
pub(crate) enum Refused {
    Denied(Denial),
    Failed(Error),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Accounts {
    /// Links, asks the application, and writes everything in one transaction.
    pub(crate) async fn take_in(
        &self,
        current: &Current,
        coming: Coming<'_>,
        audit: Audit,
        observer: &dyn Observer,
    ) -> Result<Account, Refused> {
        let (person, enters) = (coming.person(), !matches!(coming, Coming::LookUp(_)));
        let settings = current.directory(person.directory());
        let configured = settings.local_name.of(person.username());
        let local_name =
            self.local_name(person.directory(), person.username(), configured).map_err(Refused::Failed)?;
        let (known, retire) = self.link(current, person, &local_name, observer).await?;
        may_enter(known.as_ref(), &settings, enters).map_err(Refused::Denied)?;

        let keep_profile = enters && !settings.update_on_login;
        let mirror = match &coming {
            Coming::External(_) => Mirror::Off,
            Coming::LookUp(_) | Coming::Login { .. } => settings.mirror.clone(),
        };
        can_be_mirrored(person, &mirror).map_err(Refused::Failed)?;
        let facts = facts(person, local_name, current.permissions(person));
        let profile = profile(&facts, known.as_ref(), keep_profile);
        let profile = self.ask_hooks(profile, observer).await?;

        let task = coming.task();
        let started = Instant::now();
        let admit = Admit {
            at: self.0.ambient.now(),
            new_id: UserId::from_random(self.0.ambient.random()),
            facts: agreed(facts, profile),
            keep_profile,
            create: settings.create_users,
            mirror,
            occasion: coming.occasion(),
            retire,
            audit,
        };
        let admitted = self.0.store.admit(Box::new(admit)).await?;
        let denied = |reason| Err(Refused::Denied(Denial::of(reason)));
        let Admission { account, created, retired } = match admitted {
            Admitted::Yes(admission) => *admission,
            Admitted::Disabled => return denied(Reason::AccountDisabled),
            Admitted::Overtaken => {
                let why =
                    "everything it was given was taken back meanwhile: a login that begins now is none of it";
                let what = "the account changed while the login was under way";
                return Err(Refused::Failed(Error::internal(what, why)));
            }
            Admitted::Unknown => return denied(Reason::NoNewUsers),
            Admitted::Taken => return denied(Reason::DuplicateAccount),
        };
        self.0.cache.forget(&[account.id]);
        if let Some(retired) = retired {
            self.0.cache.forget(&[retired]);
            tracing::warn!(
                local_name = account.local_name,
                account = %retired,
                "the account that had this name is retired: its person is gone from the directory"
            );
        }
        self.0.crier.call(|| Event::Populated { task, account: Box::new(account.clone()), created });
        let result = if created { "created" } else { "updated" };
        tell(observer, "store", &account.local_name, result, started.elapsed());
        Ok(account)
    }

    /// What is kept of somebody who is looked at again: the directory's word, and what the application makes of it.
    pub(crate) async fn facts(
        &self,
        current: &Current,
        person: &Person,
        known: Option<&Account>,
        keep_profile: bool,
        observer: &dyn Observer,
    ) -> Result<Facts, Refused> {
        let settings = current.directory(person.directory());
        let configured = settings.local_name.of(person.username());
        let local_name =
            self.local_name(person.directory(), person.username(), configured).map_err(Refused::Failed)?;
        let facts = facts(person, local_name, current.permissions(person));
        let profile = self.ask_hooks(profile(&facts, known, keep_profile), observer).await?;
        Ok(agreed(facts, profile))
    }

    async fn ask_hooks(&self, mut profile: Profile, observer: &dyn Observer) -> Result<Profile, Refused> {
        for hook in self.hooks() {
            let started = Instant::now();
            let answer = hook.admit(&mut profile).await;
            let result = match &answer {
                Ok(()) => "admitted".to_owned(),
                Err(Refusal::Refused(why)) => format!("refused: {why}"),
                Err(Refusal::Failed(error)) => error.to_string(),
            };
            tell(observer, "application", &profile.username, &result, started.elapsed());
            answer.map_err(|refusal| match refusal {
                Refusal::Refused(why) => {
                    Refused::Denied(Denial::of(Reason::RefusedByApplication).with_detail(why))
                }
                Refusal::Failed(error) => {
                    Refused::Failed(Error::internal("the application did not decide", error))
                }
            })?;
        }
        Ok(profile)
    }
}

impl Coming<'_> {
    pub(crate) fn person(&self) -> &Person {
        match self {
            Self::LookUp(person) | Self::External(person) => person,
            Self::Login { person, .. } => person,
        }
    }

    pub(crate) fn task(&self) -> Task {
        match self {
            Self::LookUp(_) => Task::Populate,
            Self::External(_) => Task::Permissions,
            Self::Login { .. } => Task::Authenticate,
        }
    }

    fn occasion(self) -> Occasion {
        match self {
            Self::LookUp(_) => Occasion::LookUp,
            Self::External(_) => Occasion::External,
            Self::Login { began, session, attempt, .. } => Occasion::Login { began, session, attempt },
        }
    }
}

/// Tells one step to whoever explains the decision.
pub(crate) fn tell(observer: &dyn Observer, step: &'static str, what: &str, result: &str, took: Duration) {
    observer.step(Step { step, what: what.to_owned(), server: None, took, result: result.to_owned() });
}

/// Steps 12 and 13: whether who was linked may enter.
fn may_enter(known: Option<&Account>, settings: &DirectorySettings, enters: bool) -> Result<(), Denial> {
    match known {
        Some(account) if account.disabled && enters => {
            Err(Denial::of(Reason::AccountDisabled).with_detail("disabled in the store"))
        }
        None if !settings.create_users => {
            Err(Denial::of(Reason::NoNewUsers).with_detail("not in the store, and create_users is off"))
        }
        _ => Ok(()),
    }
}

/// Local groups follow a whole list alone: what a list that was cut short leaves out would be taken away, and the login would
/// go on with less than the person has. Groups that cannot be local groups are left out, which the operator hears of.
fn can_be_mirrored(person: &Person, mirror: &Mirror) -> Result<(), Error> {
    if *mirror == Mirror::Off {
        return Ok(());
    }
    if !person.groups_complete() {
        return Err(Error::Incomplete { dn: person.dn().to_owned() });
    }
    let unfit = groups(person)
        .into_iter()
        .filter(|group| mirror.manages(&group.name) && LocalGroup::of(group).is_none());
    for Group { name, dn } in unfit {
        tracing::warn!(
            username = person.username(),
            ?name,
            dn,
            "a group has a name that no local group can have"
        );
    }
    Ok(())
}

/// What the directory said.
fn facts(person: &Person, local_name: String, permissions: Vec<String>) -> Facts {
    Facts {
        directory: person.directory().to_owned(),
        external_id: person.id().to_owned(),
        username: person.username().to_owned(),
        local_name,
        dn: person.dn().to_owned(),
        attributes: attributes(person),
        fields: person.fields().clone(),
        lists: person.lists().clone(),
        flags: person.flags().clone(),
        groups: groups(person),
        permissions,
    }
}

/// What the application sees: the directory's fields and lists, or those of the account that stay.
fn profile(facts: &Facts, known: Option<&Account>, keep: bool) -> Profile {
    let Facts { directory, external_id, username, dn, attributes, flags, groups, permissions, .. } =
        facts.clone();
    let (fields, lists) = match known.filter(|_| keep) {
        Some(account) => (account.fields.clone(), account.lists.clone()),
        None => (facts.fields.clone(), facts.lists.clone()),
    };
    let known = known.is_some();
    Profile {
        directory,
        username,
        external_id,
        dn,
        attributes,
        groups,
        known,
        fields,
        lists,
        flags,
        permissions,
    }
}

/// What is kept: what the application made of it, where it has a say.
fn agreed(facts: Facts, profile: Profile) -> Facts {
    let Profile { fields, lists, flags, mut permissions, .. } = profile;
    permissions.sort();
    permissions.dedup();
    Facts { fields, lists, flags, permissions, ..facts }
}

fn attributes(person: &Person) -> Attributes {
    let (kept, left_out) = Attributes::kept(person.attributes());
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        tracing::info!(
            username = person.username(),
            names,
            "attributes too large to be kept with the account"
        );
    }
    kept
}

fn groups(person: &Person) -> Vec<Group> {
    let group = |group: &auth::Group| Group { name: group.name.clone(), dn: group.dn.as_str().to_owned() };
    let mut groups: Vec<_> = person.groups().iter().map(group).collect();
    groups.sort();
    groups
}
