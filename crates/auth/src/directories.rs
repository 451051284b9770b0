//! Several directories in order: which is asked for a name, and what a person may do there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use client::Pool;
use futures_util::future::join_all;
use proto::Dn;

use crate::ask::Reader;
use crate::explain::{decided, decided_of_typed};
use crate::locate::{Located, Name};
use crate::remember::Remembered;
use crate::settings::SettingsError;
use crate::{
    Denial, Error, Group, Observer, PasswordChange, Person, Reason, Rule, Settings, Username, groups,
};

/// Tells the time: accounts expire by it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// An answer of the directory. That it could not be asked is an [`Error`].
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// This is it.
    Yes(T),
    /// No, and why.
    No(Denial),
}

/// May this person enter?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Admitted,
    /// No, and why.
    Refused(Denial),
}

/// The configured directories, in order. Clones share them.
///
/// One login at one of them:
///
/// ```no_run
/// use ldapgate_auth::{Answer, Credentials, Directories, Error, Fold, Proven, Silent, Verdict};
///
/// async fn may_enter(directories: &Directories, name: &str, password: String) -> Result<Option<Proven>, Error> {
///     let Ok(typed) = Credentials::parse(name, password, Fold::Lower) else { return Ok(None) };
///     let Answer::Yes(located) = directories.locate(&typed.username, &Silent).await? else { return Ok(None) };
///     let Answer::Yes(proof) = located.prove(&typed.password, &Silent).await? else { return Ok(None) };
///     let person = proof.person(&Silent).await?;
///     Ok(match directories.judge(&person, &Silent) {
///         Verdict::Admitted => Some(person),
///         Verdict::Refused(_) => None,
///     })
/// }
/// ```
#[derive(Clone)]
pub struct Directories(Arc<[Arc<Directory>]>);

/// One of them.
pub(crate) struct Directory {
    pub(crate) settings: Settings,
    pub(crate) pool: Pool,
    /// What is read of a person.
    pub(crate) attributes: Vec<String>,
    /// Every group that something depends on, each once.
    pub(crate) rule_groups: Vec<Dn>,
    /// What is known of its groups, kept between logins.
    pub(crate) known: groups::Known,
    pub(crate) clock: Clock,
    pub(crate) remembered: Remembered,
}

impl Directories {
    /// Takes the directories in the order in which they are asked.
    ///
    /// A pool's servers are taken for ones that know every group of their directory. A global catalogue of Active Directory
    /// (ports 3268 and 3269) knows the members of universal groups only: with it `require`, `deny` and a flag with `not` are
    /// judged on a part of the groups, and whoever is denied may get in. Where `ldapgate` reads the configuration it refuses
    /// that; whoever builds a pool here has to leave such servers out.
    ///
    /// # Errors
    /// Settings that cannot work: none at all, one name or domain twice, a rule about another directory's group, a
    /// template that would try one person's password on another's account.
    pub fn new(directories: Vec<(Settings, Pool)>, clock: Clock) -> Result<Directories, SettingsError> {
        check_together(directories.iter().map(|(settings, _)| settings).collect())?;
        let made = directories.into_iter().map(|(settings, pool)| {
            let attributes = settings.attributes_read();
            let rule_groups = settings.rule_groups().into_iter().cloned().collect();
            let (known, remembered) = (groups::Known::new(), Remembered::new(settings.cache));
            let clock = clock.clone();
            Arc::new(Directory { settings, pool, attributes, rule_groups, known, clock, remembered })
        });
        Ok(Directories(made.collect()))
    }

    /// The name to count a person by whom no directory knows: without a domain that is configured, as every spelling of
    /// somebody known leads to one name.
    pub fn bare_name<'n>(&self, username: &'n Username) -> &'n str {
        let configured = |typed: &str| {
            self.0.iter().flat_map(|directory| &directory.settings.domains).any(|domain| same(domain, typed))
        };
        match username.split() {
            Some((name, typed)) if configured(typed) => name.trim(),
            _ => username.folded(),
        }
    }

    /// What to type so that exactly this directory is asked for somebody: the name alone where there is but one directory,
    /// else with the first of the directory's domains. `None` where it has no domain, since a namesake in a directory
    /// before it would be meant.
    pub fn name_to_type(&self, directory: &str, username: &str) -> Option<String> {
        if self.0.len() == 1 {
            return Some(username.to_owned());
        }
        let directory = self.0.iter().find(|known| known.settings.name == directory)?;
        let domain = directory.settings.domains.first()?;
        Some(format!("{username}@{domain}"))
    }

    /// Can passwords be changed here at all, in one directory or another?
    pub fn can_change_passwords(&self) -> bool {
        self.0.iter().any(|directory| directory.settings.password_change != PasswordChange::Off)
    }

    /// The directories' names, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|directory| directory.settings.name.clone()).collect()
    }

    /// Finds who is meant: in the directory that the name's domain says, or in the first that knows the name.
    ///
    /// # Errors
    /// A directory that cannot be reached before somebody is found is never stepped over: a namesake further down must
    /// not get in.
    #[tracing::instrument(name = "auth.locate", level = "debug", skip_all)]
    pub async fn locate(
        &self,
        username: &Username,
        observer: &dyn Observer,
    ) -> Result<Answer<Located>, Error> {
        let mut unknown = Denial::of(Reason::UnknownUser).with_detail("no directory is asked for this name");
        for (directory, name) in self.candidates(username) {
            decided_of_typed(
                observer,
                "choose",
                username.as_typed(),
                format_args!("asking {}", directory.settings.name),
            );
            if name.username.is_empty() {
                return Ok(Answer::No(
                    Denial::of(Reason::BadUsername).with_detail("only a domain was typed"),
                ));
            }
            match directory.locate(&name, observer).await? {
                Answer::No(denial) if denial.reason() == Reason::UnknownUser => unknown = denial,
                answer => return Ok(answer),
            }
        }
        decided_of_typed(observer, "locate", username.as_typed(), &unknown);
        Ok(Answer::No(unknown))
    }

    /// Judges a person by the rules of their directory: deny first, then require. It asks nobody, and a refusal claims no
    /// proof: whoever judges a [`Proven`](crate::Proven) adds [`Denial::after_proof`].
    pub fn judge(&self, person: &Person, observer: &dyn Observer) -> Verdict {
        let Some(directory) = self.0.iter().find(|directory| directory.settings.name == person.directory())
        else {
            let denial = Denial::of(Reason::UnknownUser).with_detail("the directory is no longer configured");
            return Verdict::Refused(denial);
        };
        let settings = &directory.settings;
        let holds = |step: &'static str, rule: &Rule| {
            let holds = rule.holds(&|group| person.is_in(group));
            decided(observer, step, rule, if holds { "holds" } else { "does not hold" });
            holds
        };
        if let Some(rule) = settings.deny.as_ref().filter(|rule| holds("deny", rule)) {
            return Verdict::Refused(Denial::of(Reason::InDeniedGroup).with_detail(rule.to_string()));
        }
        if let Some(rule) = settings.require.as_ref().filter(|rule| !holds("require", rule)) {
            return Verdict::Refused(Denial::of(Reason::NotInRequiredGroup).with_detail(rule.to_string()));
        }
        for (flag, value) in person.flags() {
            decided(observer, "flags", flag, value);
        }
        Verdict::Admitted
    }

    /// Groups that rules name and the directory does not have: they have no members, which the operator should know.
    ///
    /// # Errors
    /// A directory that cannot be asked.
    pub async fn missing_groups(&self) -> Result<Vec<(String, Dn)>, Error> {
        let mut missing = Vec::new();
        for directory in self.0.iter() {
            if directory.rule_groups.is_empty() {
                continue;
            }
            let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
            for group in &directory.rule_groups {
                let found = server.read(group.as_str(), &["1.1"]).await;
                if found.map_err(|error| Error::looking(format!("{group} cannot be read"), error))?.is_none()
                {
                    missing.push((directory.settings.name.clone(), group.clone()));
                }
            }
        }
        Ok(missing)
    }

    /// The groups that are called `name` where one directory's groups are searched for: a name may be used in place of
    /// a group's own name in the directory only while exactly one group has it.
    ///
    /// # Errors
    /// The directory is not configured, or cannot be asked.
    pub async fn groups_named(&self, directory: &str, name: &str) -> Result<Vec<Dn>, Error> {
        let directory = self.directory(directory)?;
        let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
        groups::named(&directory.settings, name, &mut Reader::Service(server.clone()), server.url()).await
    }

    /// The directories' names and bases, in order: below its own base alone a directory speaks.
    pub fn bases(&self) -> Vec<(String, Dn)> {
        let base =
            |directory: &Arc<Directory>| (directory.settings.name.clone(), directory.settings.base.clone());
        self.0.iter().map(base).collect()
    }

    /// The group at this place, if it is one of those that one directory's searches show.
    ///
    /// # Errors
    /// The directory is not configured, or cannot be asked.
    pub async fn group_at(&self, directory: &str, dn: &Dn) -> Result<Option<Group>, Error> {
        let directory = self.directory(directory)?;
        let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
        groups::at(&directory.settings, dn, &mut Reader::Service(server.clone()), server.url()).await
    }

    pub(crate) fn directory(&self, name: &str) -> Result<&Arc<Directory>, Error> {
        let found = self.0.iter().find(|known| known.settings.name == name);
        found.ok_or_else(|| Error::configuration(format!("no directory is called {name:?}")))
    }

    /// Asks all directories at once whether they answer. Each has so long; one that hangs says nothing about another.
    pub async fn health(&self, within: Duration) -> Vec<(String, Result<(), Error>)> {
        let checks = self.0.iter().map(|directory| async move {
            let name = &directory.settings.name;
            let health = match tokio::time::timeout(within, directory.pool.check()).await {
                Ok(health) => health.map_err(|error| directory.unreachable(error)),
                Err(_) => {
                    Err(Error::directory(format!("the directory {name:?} did not answer within {within:?}")))
                }
            };
            (name.clone(), health)
        });
        join_all(checks).await
    }

    /// Who is asked, and for what: the one directory whose domain was typed, otherwise every one that is not asked for
    /// its own domains' names only.
    fn candidates(&self, username: &Username) -> Vec<(&Arc<Directory>, Name)> {
        if let Some((name, typed)) = username.split() {
            for directory in self.0.iter() {
                let domains = &directory.settings.domains;
                if let Some(domain) = domains.iter().find(|domain| same(domain, typed)) {
                    let input = username.as_typed().to_owned();
                    let name = Name { username: name.trim().to_owned(), input, domain: domain.clone() };
                    return vec![(directory, name)];
                }
            }
        }
        let for_everybody = |directory: &&Arc<Directory>| {
            let Settings { user, domains, .. } = &directory.settings;
            self.0.len() == 1 || user.template.is_none() || domains.is_empty()
        };
        self.0.iter().filter(for_everybody).map(|directory| (directory, Name::whole(username))).collect()
    }
}

fn same(domain: &str, typed: &str) -> bool {
    domain.to_lowercase() == typed.to_lowercase()
}

fn check_together(all: Vec<&Settings>) -> Result<(), SettingsError> {
    let (mut names, mut domains) = (BTreeSet::new(), BTreeSet::new());
    let Some(last) = all.last() else {
        return Err(SettingsError::new("", "no directory is configured"));
    };
    for settings in &all {
        settings.check()?;
        if !names.insert(&settings.name) {
            return Err(SettingsError::new(&settings.name, "two directories have this name"));
        }
        for domain in &settings.domains {
            if domain.trim().is_empty() || !domains.insert(domain.to_lowercase()) {
                return Err(SettingsError::new(
                    &settings.name,
                    format!("the domain {domain:?} is empty or named twice"),
                ));
            }
        }
        let steps_in = settings.user.template.is_some() && settings.domains.is_empty();
        if steps_in && settings.name != last.name {
            return Err(SettingsError::new(
                &settings.name,
                "a directory with a template needs domains or has to be the last: it would bind with anybody's password",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fold, UserTemplate, Vendor};
    use client::Options;

    fn settings(name: &str, domains: &[&str], template: Option<&str>) -> Settings {
        let mut settings = Settings::preset(name, Vendor::OpenLdap, Dn::parse("dc=example,dc=com").unwrap());
        settings.domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        settings.user.template = template.map(|template| UserTemplate::parse(template).unwrap());
        settings
    }

    fn directories(all: Vec<Settings>) -> Result<Directories, SettingsError> {
        let pool = || Pool::lazy(Options::new(["ldap://localhost:1"]).unwrap());
        let clock: Clock = Arc::new(|| SystemTime::UNIX_EPOCH);
        Directories::new(all.into_iter().map(|settings| (settings, pool())).collect(), clock)
    }

    fn asked(directories: &Directories, name: &str) -> Vec<(String, String, String)> {
        let username = Username::parse(name, Fold::Lower).unwrap();
        let asked = directories.candidates(&username);
        asked.into_iter().map(|(d, name)| (d.settings.name.clone(), name.username, name.domain)).collect()
    }

    fn of(directory: &str, username: &str, domain: &str) -> (String, String, String) {
        (directory.to_owned(), username.to_owned(), domain.to_owned())
    }

    const TEMPLATE: Option<&str> = Some("uid={username},dc=example,dc=com");

    #[tokio::test]
    async fn a_domain_chooses_its_directory_alone_and_any_other_domain_stays() {
        let all =
            directories(vec![settings("a", &["corp.example.com", "CORP"], None), settings("b", &[], None)])
                .unwrap();
        assert_eq!(asked(&all, "Alice@Corp.Example.com"), [of("a", "alice", "corp.example.com")]);
        assert_eq!(asked(&all, "corp\\alice"), [of("a", "alice", "CORP")]);
        let foreign = "alice@else.example";
        assert_eq!(asked(&all, foreign), [of("a", foreign, ""), of("b", foreign, "")]);
        assert_eq!(asked(&all, "alice"), [of("a", "alice", ""), of("b", "alice", "")]);
    }

    #[tokio::test]
    async fn a_template_with_domains_is_asked_for_their_names_only() {
        let all = directories(vec![settings("t", &["corp"], TEMPLATE), settings("b", &[], None)]).unwrap();
        assert_eq!(asked(&all, "alice"), [of("b", "alice", "")]);
        assert_eq!(asked(&all, "alice@corp"), [of("t", "alice", "corp")]);
    }

    #[tokio::test]
    async fn a_template_alone_or_without_domains_at_the_end_is_asked_for_everybody() {
        let alone = directories(vec![settings("t", &["corp"], TEMPLATE)]).unwrap();
        assert_eq!(asked(&alone, "alice"), [of("t", "alice", "")]);
        let last = directories(vec![settings("a", &[], None), settings("t", &[], TEMPLATE)]).unwrap();
        assert_eq!(asked(&last, "alice").len(), 2);
    }

    #[tokio::test]
    async fn a_template_without_domains_must_be_the_last() {
        let error = directories(vec![settings("t", &[], TEMPLATE), settings("b", &[], None)]).err().unwrap();
        assert_eq!(error.directory(), "t");
    }

    #[tokio::test]
    async fn names_and_domains_are_used_once() {
        assert!(directories(vec![]).is_err());
        assert!(directories(vec![settings("a", &[], None), settings("a", &[], None)]).is_err());
        assert!(directories(vec![settings("a", &["corp"], None), settings("b", &["CORP"], None)]).is_err());
    }

    #[test]
    fn what_is_read_names_operational_attributes_and_each_once() {
        let mut settings = settings("a", &[], None);
        settings.fields.insert("login".to_owned(), "UID".to_owned());
        let read = settings.attributes_read();
        assert_eq!(read.iter().filter(|name| name.eq_ignore_ascii_case("uid")).count(), 1);
        assert!(read.iter().any(|name| name == "entryUUID") && read.iter().any(|name| name == "pwdReset"));
    }
}
