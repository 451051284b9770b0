//! One person: found, proved, in which groups, and whether they may enter. It asks as a login does and writes nothing:
//! no account, no session, no count of wrong passwords.

use std::sync::Arc;

use account::Store;
use account::store::{CounterKey, Limit, LimitQuery, Link, Linked};
use auth::{Answer, Denial, Directories, Located, Person, Reason, Silent, Trace, Username, Verdict};
use client::Password;

use super::report::{Finding, Report, begin};
use super::store::chain;

/// Whom to ask for, and with what.
pub(super) struct Asked<'a> {
    pub(super) directories: &'a Directories,
    pub(super) settings: &'a account::Settings,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) user: &'a str,
    pub(super) password: Option<String>,
}

/// What came of a person.
pub(super) struct Seen {
    pub(super) directory: String,
    pub(super) dn: String,
}

impl Asked<'_> {
    /// Searches, binds, reads and judges; says who it was.
    pub(super) async fn examine(mut self, report: &mut Report) -> Option<Seen> {
        let located = self.search(report).await?;
        let seen = Seen { directory: located.directory().to_owned(), dn: located.dn().to_owned() };
        let again = self.locate(&Silent).await;
        let bound = self.bind(report, located).await;
        let begun = begin("user_groups", self.user);
        let (person, denied) = match (bound, again) {
            (Bound::Person(person), _) => (Ok(Answer::Yes(*person)), None),
            (Bound::Not, Some(located)) => (located.describe(&Silent).await, None),
            (Bound::Denied(denial), Some(located)) => (located.describe(&Silent).await, Some(denial)),
            _ => return Some(seen),
        };
        match person {
            Err(error) => {
                report.end(begun, of_error(&error));
            }
            Ok(Answer::No(denial)) => {
                report.end(begun, Finding::skipped(told(&denial), ""));
                report.note("decision", self.user, refused(&denied.unwrap_or(denial)));
            }
            Ok(Answer::Yes(person)) => {
                report.end(begun, groups(&person));
                let begun = begin("decision", self.user);
                let finding = match denied {
                    Some(denial) => refused(&denial),
                    None => self.decide(&person).await,
                };
                report.end(begun, finding);
            }
        }
        Some(seen)
    }

    async fn search(&self, report: &mut Report) -> Option<Located> {
        let begun = begin("user_search", self.user);
        let username = match Username::parse(self.user, self.settings.login.fold) {
            Ok(username) => username,
            Err(denial) => {
                report.end(begun, refused(&denial));
                return None;
            }
        };
        let trace = Trace::new();
        let answer = self.directories.locate(&username, &trace).await;
        let asked = trace.steps().into_iter().filter(|step| step.server.is_some()).map(|step| step.what);
        let asked: Vec<String> = asked.collect();
        match answer {
            Ok(Answer::Yes(located)) => {
                report.end(begun, Finding::ok(format!("{} in {}", located.dn(), located.directory())));
                return Some(located);
            }
            Ok(Answer::No(denial)) => {
                let finding = refused(&denial);
                report.end(begun, if asked.is_empty() { finding } else { finding.seeing(asked.join("; ")) });
            }
            Err(error) => report.end(begun, of_error(&error)),
        }
        None
    }

    async fn locate(&self, observer: &dyn auth::Observer) -> Option<Located> {
        let username = Username::parse(self.user, self.settings.login.fold).ok()?;
        match self.directories.locate(&username, observer).await {
            Ok(Answer::Yes(located)) => Some(located),
            _ => None,
        }
    }

    /// One bind and no other, and none at all where a login would not make one.
    async fn bind(&mut self, report: &mut Report, located: Located) -> Bound {
        let begun = begin("user_bind", located.dn());
        let Some(password) = self.password.take() else {
            let advice =
                "give the password by -y FILE, -w TEXT or --password-stdin, or run this on a terminal";
            report.end(begun, Finding::skipped("no password was given", advice));
            return Bound::Not;
        };
        if let Some(why) = self.throttled(&located).await {
            report.end(begun, why);
            return Bound::Not;
        }
        let password = match Password::new(password) {
            Ok(password) => password,
            Err(error) => {
                report.end(begun, Finding::failed(error.to_string(), "give a password that is not empty"));
                return Bound::Not;
            }
        };
        match located.prove(&password, &Silent).await {
            Err(error) => {
                report.end(begun, of_error(&error));
                Bound::Failed
            }
            Ok(Answer::No(denial)) => {
                report.end(begun, refused(&denial));
                Bound::Denied(denial)
            }
            Ok(Answer::Yes(proof)) => {
                report.end(begun, Finding::ok("the password is right"));
                match proof.person(&Silent).await {
                    Ok(person) => Bound::Person(Box::new(person.into_person())),
                    Err(error) => {
                        report.note("user_groups", self.user, of_error(&error));
                        Bound::Failed
                    }
                }
            }
        }
    }

    /// Somebody who is throttled is not tried: the directory could be about to lock them.
    async fn throttled(&self, located: &Located) -> Option<Finding> {
        let throttle = self.settings.login.throttle;
        let store = self.store.as_ref().filter(|_| throttle.person > 0)?;
        let key = CounterKey::person(located.directory(), located.key());
        let limit = Limit { key, most: throttle.person };
        let at = ldapgate::system_time().into();
        match store.blocked_until(LimitQuery { limit, window: throttle.window, at }).await {
            Ok(None) => None,
            Ok(Some(until)) => Some(Finding::warning(
                format!("too many wrong passwords were given: no bind is made until {}", until.rounded()),
                format!("wait, or run: ldapgate block clear {}", self.user),
            )),
            Err(error) => {
                Some(Finding::failed(chain(&error), "mend the store: without it nobody can sign in"))
            }
        }
    }

    /// The rules of the directory, and what the store says against it.
    async fn decide(&self, person: &Person) -> Finding {
        if let Verdict::Refused(denial) = self.directories.judge(person, &Silent) {
            return refused(&denial);
        }
        let may_enter = || Finding::ok(format!("{} may enter", person.username()));
        let finding = match person.hindrance() {
            Some(denial) => refused(denial),
            None => may_enter(),
        };
        let Some(store) = &self.store else { return finding.seeing_also("nothing is known in the store") };
        let settings = self.settings.directories.get(person.directory()).cloned().unwrap_or_default();
        let link = Link {
            directory: person.directory().to_owned(),
            external_id: person.id().to_owned(),
            local_name: settings.local_name.of(person.username()),
        };
        match store.link(link).await {
            Err(error) => finding.failing(chain(&error), "mend the store: without it nobody can sign in"),
            Ok(Linked::Known(account)) if account.disabled => finding.failing(
                format!("the account {} is disabled here", account.local_name),
                format!("run: ldapgate user enable {}", account.local_name),
            ),
            Ok(Linked::Known(account)) => {
                finding.seeing_also(&format!("known here as {}", account.local_name))
            }
            Ok(Linked::New) if !settings.create_users => {
                let denial = Denial::of(Reason::NoNewUsers);
                finding.failing(told(&denial), advice(denial.reason()))
            }
            Ok(Linked::New) => finding.seeing_also("not yet known here"),
            Ok(Linked::Taken { by, .. }) => finding.but(
                format!("the name {} belongs to {} of {}", by.local_name, by.external_id, by.directory),
                advice(Reason::DuplicateAccount),
            ),
        }
    }
}

enum Bound {
    Person(Box<Person>),
    Denied(Denial),
    /// No bind was made.
    Not,
    /// The directory did not answer.
    Failed,
}

fn groups(person: &Person) -> Finding {
    const FEW: usize = 10;
    let names: Vec<&str> = person.groups().iter().map(|group| group.name.as_str()).collect();
    let shown = names.iter().take(FEW).copied().collect::<Vec<_>>().join(", ");
    let seen = match names.len() {
        0 => "none".to_owned(),
        count @ ..=FEW => format!("{count}: {shown}"),
        count => format!("{count}: {shown} and {} more", count - FEW),
    };
    match person.groups_complete() {
        true => Finding::ok(seen),
        false => Finding::warning(
            "the server cut the list of groups short",
            "raise its limits for the service account",
        )
        .seeing(seen),
    }
}

fn refused(denial: &Denial) -> Finding {
    Finding::failed(told(denial), advice(denial.reason()))
}

fn told(denial: &Denial) -> String {
    match denial.detail() {
        "" => denial.reason().as_str().to_owned(),
        detail => format!("{}: {detail}", denial.reason()),
    }
}

fn of_error(error: &auth::Error) -> Finding {
    let mut cause = error.to_string();
    for line in error.causes().iter().filter(|line| !line.is_empty()) {
        if !cause.contains(line.as_str()) {
            cause.push_str(": ");
            cause.push_str(line);
        }
    }
    let advice = match error.fault() {
        auth::Fault::Directory => "see what the steps above say of the servers",
        auth::Fault::Configuration => "mend the configuration of the directory",
        auth::Fault::Internal => "run it again with -vv, and report this",
    };
    Finding::failed(cause, advice)
}

fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownUser => {
            "check the name, user.base, user.match and user.filter; login USER --explain shows each search"
        }
        Reason::AmbiguousUser => {
            "narrow user.filter or user.match until one entry is left, or name the domain"
        }
        Reason::WrongPassword => "check the password; wrong ones count at the directory",
        Reason::AccountLocked => "unlock the account at the directory",
        Reason::AccountDisabled | Reason::AccountExpired => {
            "ask whoever keeps the directory to let the account in again"
        }
        Reason::PasswordExpired | Reason::PasswordMustChange => {
            "change the password, at /password or at the directory"
        }
        Reason::NotInRequiredGroup => {
            "add the person to a group that access.require names, or change the rule"
        }
        Reason::InDeniedGroup => {
            "take the person out of the group that access.deny names, or change the rule"
        }
        Reason::NoNewUsers => "set create_users = true, or make the account first: ldapgate user USER",
        Reason::DuplicateAccount => "if it is the same person, run: ldapgate user relink USER --id ID",
        Reason::LogonHours | Reason::LogonWorkstation | Reason::LogonNotAllowed => {
            "ask whoever keeps the directory to allow this login"
        }
        _ => "see login USER --explain",
    }
}
