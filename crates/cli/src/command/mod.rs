//! One file a command.

mod answer;
mod audit;
mod bind_controls;
mod block;
mod compare;
mod config;
mod delete;
mod demo;
mod directory;
mod doctor;
mod extension;
mod group;
mod health;
mod info;
mod ldap;
mod login;
mod migrate;
mod modify;
mod option;
mod outcome;
mod pages;
mod passwd;
mod permission;
mod rename;
mod result_text;
mod sample;
mod sasl;
mod schema;
mod search;
mod serve;
mod session;
mod store;
mod sync;
mod token;
mod user;
mod whoami;

use std::collections::BTreeMap;

use account::Origin;
use ldapgate::{Config, ConfigErrors};

use crate::arguments::{Arguments, Command, Modify, Target};
use crate::exit::Exit;
use crate::output;
use crate::telemetry::{self, Voice};

/// Runs what was asked for and says how it ended.
pub(crate) async fn run(arguments: Arguments) -> Exit {
    let context = Context {
        environment: environment(),
        config: arguments.config,
        voice: Voice::new(arguments.verbose, arguments.quiet),
    };
    if let Some((tool, target)) = arguments.command.target() {
        match ldap::prepare(tool, target) {
            Ok(None) => {}
            Ok(Some(exit)) => return exit,
            Err(failure) => return failure.report(),
        }
    }
    match arguments.command {
        Command::Serve(serve) => serve::run(&context, serve.demo).await,
        Command::Login(login) => login::run(&context, login).await,
        Command::User(user) => user::run(&context, user).await,
        Command::Group(group) => group::run(&context, group).await,
        Command::Permission(permission) => permission::run(&context, permission).await,
        Command::Block(block) => block::run(&context, block).await,
        Command::Session(session) => session::run(&context, session).await,
        Command::Token(token) => token::run(&context, token).await,
        Command::Audit(audit) => audit::run(&context, audit).await,
        Command::Doctor(doctor) => Box::pin(doctor::run(&context, doctor)).await,
        Command::Migrate(migrate) => migrate::run(&context, &migrate).await,
        Command::Store(store) => store::run(&context, store).await,
        Command::Config(config) => config::run(&context, &config),
        Command::Search(search) => search::run(&context, *search).await,
        Command::Whoami(whoami) => whoami::run(&context, *whoami).await,
        Command::Add(add) => modify::run(&context, Modify { add: true, ..*add }).await,
        Command::Modify(modify) => modify::run(&context, *modify).await,
        Command::Delete(delete) => delete::run(&context, *delete).await,
        Command::Rename(rename) => rename::run(&context, *rename).await,
        Command::Compare(compare) => compare::run(&context, *compare).await,
        Command::Passwd(passwd) => passwd::run(&context, *passwd).await,
        Command::Info(info) => info::run(&context, *info).await,
        Command::Schema(schema) => schema::run(&context, *schema).await,
        Command::Sync(sync) => Box::pin(sync::run(&context, sync)).await,
        Command::Directory(directory) => directory::run(&context, directory).await,
        Command::Health(health) => health::run(&context, health).await,
        Command::Completions { shell } => pages::completions(shell),
        Command::Man => pages::manual(),
    }
}

impl Command {
    /// An LDAP tool's word and target.
    fn target(&self) -> Option<(&'static str, &Target)> {
        match self {
            Command::Search(search) => Some(("search", &search.target)),
            Command::Whoami(whoami) => Some(("whoami", &whoami.target)),
            Command::Add(add) => Some(("add", &add.target)),
            Command::Modify(modify) => Some(("modify", &modify.target)),
            Command::Delete(delete) => Some(("delete", &delete.target)),
            Command::Rename(rename) => Some(("rename", &rename.target)),
            Command::Compare(compare) => Some(("compare", &compare.target)),
            Command::Passwd(passwd) => Some(("passwd", &passwd.target)),
            Command::Info(info) => Some(("info", &info.target)),
            Command::Schema(schema) => Some(("schema", &schema.target)),
            _ => None,
        }
    }

    /// Whether the word names one of the LDAP tools, whose exit status is the result code.
    pub(crate) fn is_ldap_tool(word: &str) -> bool {
        matches!(
            word,
            "search"
                | "whoami"
                | "add"
                | "modify"
                | "delete"
                | "rename"
                | "compare"
                | "passwd"
                | "info"
                | "schema"
        )
    }
}

/// What every command may need: where the configuration is, and how loud to be.
pub(crate) struct Context {
    environment: BTreeMap<String, String>,
    config: Option<std::path::PathBuf>,
    voice: Voice,
}

impl Context {
    /// Reads the configuration; its errors are printed, all of them, and end the command.
    pub(crate) fn config(&self) -> Result<Config, ConfigErrors> {
        Config::find(self.config.as_deref(), &self.environment)
            .inspect_err(|errors| output::note(&errors.to_string()))
    }

    /// The same with the log switched on as it says.
    pub(crate) fn config_and_log(&self) -> Result<Config, ConfigErrors> {
        let config = self.config()?;
        telemetry::start(self.voice, config.log_level(), config.log_json());
        Ok(config)
    }

    /// The same for a command that does one thing: what it puts on record it need not tell the terminal as well.
    pub(crate) fn config_and_quiet_log(&self) -> Result<Config, ConfigErrors> {
        let config = self.config()?;
        telemetry::start(self.voice, &format!("{},audit=off", config.log_level()), config.log_json());
        Ok(config)
    }

    /// A variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Where a command comes from, for the record: nobody's address, and the user of the operating system that runs it.
pub(crate) fn origin() -> Origin {
    use std::os::unix::fs::MetadataExt as _;
    let user = std::fs::metadata("/proc/self").map(|process| format!(" (uid {})", process.uid()));
    Origin { agent: Some(format!("the command line{}", user.unwrap_or_default())), ..Origin::default() }
}

/// What is said where the store has no account of a name.
pub(crate) fn no_account(name: &str) -> String {
    format!("the store has no account {name:?}")
}

/// The environment as text; a variable that is not Unicode cannot be ours.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
