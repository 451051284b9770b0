//! `doctor`: everything a login depends on, step by step, each with its cause and what to do.
//!
//! It asks every server of every directory by itself, as the configured account and nobody else, and writes nothing. No wrong
//! password is tried twice: not the service account's, and one bind at most is made as the person.
//!
//! Reading order: this file walks, [`report`] prints, [`server`] goes from a name to the service account's bind, [`people`]
//! looks at what that account sees, [`person`] at one person.

mod certificate;
mod lockout;
mod people;
mod person;
mod report;
mod revalidation;
mod server;
mod store;
mod words;

use std::collections::BTreeMap;

use account::PermissionKey;
use auth::Directories;
use client::Pool;
use ldapgate::Config;

use self::report::{Finding, Report, begin};
use self::server::{Directory, Server, Way};
use super::Context;
use crate::arguments::Doctor;
use crate::exit::Exit;
use crate::output;
use crate::secret;
use crate::telemetry;

/// Looks, prints, and says by the status whether all is well.
pub(crate) async fn run(context: &Context, doctor: Doctor) -> Exit {
    telemetry::start(context.voice, "off", false);
    let mut report = Report::new(doctor.json);
    let config = match Config::find(context.config.as_deref(), &context.environment) {
        Ok(config) => config,
        Err(errors) => {
            let named = context.config.as_ref().map(|path| path.display().to_string());
            for problem in errors.problems() {
                let finding =
                    Finding::failed(problem.to_string(), "mend it; config check says whether all is well");
                report.note("configuration", named.as_deref().unwrap_or_default(), finding);
            }
            report.finish();
            return Exit::USAGE;
        }
    };
    let password = match password(&doctor) {
        Ok(password) => password,
        Err(exit) => return exit,
    };
    match examine(&mut report, &config, doctor.user.as_deref(), password).await {
        Ok(reachable) => {
            let failed = report.has_failed();
            report.finish();
            match (reachable, failed) {
                (false, _) => Exit::FAULT,
                (true, true) => Exit::REFUSED,
                (true, false) => Exit::DONE,
            }
        }
        Err(error) => {
            let advice = "mend the configuration: it cannot be used as it is";
            report.note("configuration", place(&config), Finding::failed(store::chain(&error), advice));
            report.finish();
            Exit::USAGE
        }
    }
}

fn password(doctor: &Doctor) -> Result<Option<String>, Exit> {
    let Some(user) = &doctor.user else {
        let source = &doctor.password;
        if source.file.is_some() || source.text.is_some() || source.password_stdin {
            output::note("ldapgate: a password needs a USER: whose is it?");
            return Err(Exit::USAGE);
        }
        return Ok(None);
    };
    secret::of_person_if_any(&doctor.password, user).map_err(|error| {
        output::complain(&error);
        Exit::USAGE
    })
}

/// What is known of one directory.
struct Looked {
    settings: auth::Settings,
    servers: Vec<Server>,
    /// The service account was refused: it is not tried again.
    refused: bool,
}

/// Goes through everything. Answers whether the store and every directory can be reached.
async fn examine(
    report: &mut Report,
    config: &Config,
    user: Option<&str>,
    password: Option<String>,
) -> Result<bool, ldapgate::Error> {
    let warnings = config.warnings().iter();
    let good = Finding::ok(format!("good; directories: {}", config.directories().join(", ")));
    let finding = warnings.fold(good, |finding, warning| finding.but(warning.as_str(), ""));
    report.note("configuration", place(config), finding);
    let accounts = config.settings_of_accounts()?;
    let found = store::examine(report, config).await;
    let mut reachable = !matches!(found, store::Found::Down);
    let mut all = Vec::new();
    for settings in config.directory_settings() {
        let looked = directory(report, config, settings).await?;
        reachable &= !looked.servers.is_empty() || looked.refused;
        if let Some(server) = looked.servers.first() {
            people::examine(report, &looked.settings, server).await;
            lockout::examine(report, &looked.settings, server, accounts.login.throttle).await;
        }
        all.push(looked);
    }
    names(report, &all, &accounts).await;
    if let store::Found::Open(store) = &found {
        revalidation::examine(report, &**store, &config.directories(), accounts.sync).await;
    }
    if let Some(user) = user {
        let store = if let store::Found::Open(store) = found { Some(store) } else { None };
        match all.iter().find(|looked| looked.servers.is_empty()) {
            Some(broken) => {
                let why = format!("the directory {} cannot be asked", broken.settings.name);
                report.note(
                    "user_search",
                    user,
                    Finding::skipped(why, "mend what the steps above say of it"),
                );
            }
            None => {
                let directories = directories(config)?;
                let asked =
                    person::Asked { directories: &directories, settings: &accounts, store, user, password };
                if let Some(seen) = asked.examine(report).await {
                    on_every_server(report, &all, user, &seen).await;
                }
            }
        }
    }
    for server in all.into_iter().flat_map(|looked| looked.servers) {
        server.connection.close().await;
    }
    Ok(reachable)
}

/// Every server of a directory, in the order in which they are asked.
async fn directory(
    report: &mut Report,
    config: &Config,
    settings: auth::Settings,
) -> Result<Looked, ldapgate::Error> {
    let name = Some(settings.name.as_str());
    let (options, tls) = (config.client_options(name)?, config.tls_settings(name)?);
    let domain = config.urls(name)?.iter().find(|url| url.starts_with("srv:")).cloned();
    let has_service_account = config.has_service_account(name)?;
    let begun = begin("srv", domain.as_deref().unwrap_or_default());
    let probes = options.probes().await;
    if domain.is_some() {
        report.end(
            begun,
            match &probes {
                Ok(probes) => Finding::ok(server::listed(probes.iter().map(client::Probe::url))),
                Err(error) => words::failed(error),
            },
        );
    }
    let (mut servers, mut refused) = (Vec::new(), None);
    let now = ldapgate::system_time();
    let directory = Directory { settings: &settings, tls: &tls, has_service_account, now };
    for probe in probes.unwrap_or_default() {
        match directory.examine(report, &probe, refused.as_deref()).await {
            Way::Works(server) => servers.push(*server),
            Way::Down => {}
            Way::Refused => refused = refused.or_else(|| Some(probe.url().to_owned())),
        }
    }
    Ok(Looked { settings, servers, refused: refused.is_some() })
}

/// A name in `[permissions]` gives something only while one group bears it.
async fn names(report: &mut Report, all: &[Looked], accounts: &account::Settings) {
    let used = accounts.directories.values().any(|directory| directory.from_groups);
    let names = accounts.permissions.keys().filter_map(|key| match key {
        PermissionKey::Name(name) if used => Some(name.as_str()),
        _ => None,
    });
    if all.iter().any(|looked| looked.servers.is_empty()) {
        return;
    }
    for name in names {
        let begun = begin("permissions", name);
        let mut found = Vec::new();
        let mut failed = None;
        for Looked { settings, servers, .. } in all {
            let Some(server) = servers.first() else { continue };
            match people::groups_called(settings, &server.connection, name).await {
                Ok(groups) => found.extend(groups),
                Err(error) => failed = Some(words::failed(&error)),
            }
        }
        let advice = "name the group by its DN in [permissions]";
        report.end(
            begun,
            match (failed, found.as_slice()) {
                (Some(failed), _) => failed,
                (None, []) => Finding::failed("no group has this name: it gives nobody anything", advice),
                (None, [one]) => Finding::ok(one.as_str()),
                (None, several) => {
                    let cause = format!("{} groups have this name: it gives nobody anything", several.len());
                    Finding::failed(cause, advice).seeing(server::listed(several))
                }
            },
        );
    }
}

/// A replica that is behind does not know everybody yet.
async fn on_every_server(report: &mut Report, all: &[Looked], user: &str, seen: &person::Seen) {
    let Some(looked) = all.iter().find(|looked| looked.settings.name == seen.directory) else { return };
    if looked.servers.len() < 2 || looked.settings.user.bind_as_user || client::Dn::parse(&seen.dn).is_err() {
        return;
    }
    for server in &looked.servers {
        let begun = begin("user_everywhere", server.connection.url());
        let finding = match server.connection.read(&seen.dn, &["1.1"]).await {
            Ok(Some(_)) => Finding::ok(format!("knows {user}")),
            Ok(None) => Finding::warning(
                format!("{} is not there, or the service account may not see it on this server", seen.dn),
                "look after the replication between the servers",
            ),
            Err(error) => words::failed(&error),
        };
        report.end(begun, finding);
    }
}

fn directories(config: &Config) -> Result<Directories, ldapgate::Error> {
    let mut pools = BTreeMap::new();
    for settings in config.directory_settings() {
        let options = config.client_options(Some(&settings.name))?;
        pools.insert(settings.name.clone(), Pool::lazy(options));
    }
    let both = config.directory_settings().into_iter();
    let both = both.filter_map(|settings| pools.remove(&settings.name).map(|pool| (settings, pool)));
    Ok(Directories::new(both.collect(), std::sync::Arc::new(ldapgate::system_time))?)
}

fn place(config: &Config) -> String {
    config.path().map_or_else(|| "the environment".to_owned(), |path| path.display().to_string())
}
