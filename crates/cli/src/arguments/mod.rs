//! What may be typed: every command, flag and argument, as the contract and OpenLDAP's tools name them.

mod ldap;
mod operate;
mod search;
mod server;
mod store;
mod write;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub(crate) use ldap::{ChangeSource, Passwd, SaslFlags, Target, Whoami};
pub(crate) use operate::{Audit, Session, SessionRevoke, Token, TokenIssue};
pub(crate) use search::{Deref, Scope, Search};
pub(crate) use server::{Info, Schema};
pub(crate) use store::{Migrate, Store, StoreCopy};
pub(crate) use write::{Compare, Delete, Extensions, Modify, Rename};

/// LDAP sign-in for web applications: gateway, diagnostics and LDAP tools.
#[derive(Debug, Parser)]
#[command(name = "ldapgate", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    /// Configuration file; else $LDAPGATE_CONFIG, ./ldapgate.toml, /etc/ldapgate/ldapgate.toml
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Say more on standard error, and show long lists whole; twice: everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say nothing on standard error but failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway
    Serve(Serve),
    /// Make one login decision, with everything a web login does except the session
    Login(Login),
    /// Look a person up without a password, and what the store holds
    User(User),
    /// Local groups, and what their members may do
    #[command(subcommand)]
    Group(Group),
    /// What a person may do, whatever their groups give
    #[command(subcommand)]
    Permission(Permission),
    /// Who is throttled after too many wrong passwords
    #[command(subcommand)]
    Block(Block),
    /// Who is signed in, and ending that
    #[command(subcommand)]
    Session(Session),
    /// Personal access tokens, signed tokens, and the key that signs
    #[command(subcommand)]
    Token(Token),
    /// What was recorded of sign-ins and of everything an operator does
    Audit(Audit),
    /// Look at everything a login depends on, step by step, and say what to do
    Doctor(Doctor),
    /// Bring the store up to date, which serve does too
    Migrate(Migrate),
    /// What is done to a store as a whole
    #[command(subcommand)]
    Store(Store),
    /// Validate the configuration, or show its effective values
    #[command(subcommand)]
    Config(Config),
    /// Search a directory; flags as in ldapsearch
    Search(Box<Search>),
    /// Ask a directory who it takes us for; flags as in ldapwhoami
    Whoami(Box<Whoami>),
    /// Add entries from LDIF; flags as in ldapadd
    Add(Box<Modify>),
    /// Change entries as LDIF says; flags as in ldapmodify
    Modify(Box<Modify>),
    /// Delete entries; flags as in ldapdelete
    Delete(Box<Delete>),
    /// Give entries another name or another place; flags as in ldapmodrdn
    Rename(Box<Rename>),
    /// Ask whether an entry has a value; flags as in ldapcompare
    Compare(Box<Compare>),
    /// Set a new password for an entry; flags as in ldappasswd
    Passwd(Box<Passwd>),
    /// Show what a directory server says of itself: versions, naming contexts, controls, mechanisms
    Info(Box<Info>),
    /// Show a directory's schema, or one attribute or class of it with what it inherits
    Schema(Box<Schema>),
    /// Bring the store in line with the directories; prints the plan
    Sync(Sync),
    /// Run the in-memory LDAP server, for tests and demonstrations
    Directory(Directory),
    /// Ask a running gateway whether it is ready; for containers
    Health(Health),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// An embedded directory with example people, a temporary store and a sample application at /app/; reads no
    /// configuration file
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Only print what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// End the access of as many people as it takes, past sync.max_change
    #[arg(long)]
    pub(crate) force: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a person's password comes from; without any of these it is asked for on the terminal.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct PasswordSource {
    /// Read the password from a file; one trailing newline is dropped
    #[arg(short = 'y', value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The password itself; other users of this machine can see it
    #[arg(short = 'w', value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Read one line from standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The user name as a person would type it
    pub(crate) user: String,
    /// Show every step and every LDAP operation
    #[arg(long)]
    pub(crate) explain: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) password: PasswordSource,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Look for this person, too; with a password make one bind as them
    pub(crate) user: Option<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) password: PasswordSource,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct User {
    #[command(subcommand)]
    pub(crate) action: Option<UserAction>,
    #[command(flatten)]
    pub(crate) show: Option<UserShow>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Look a person up without a password, creating or refreshing the account
    Show(UserShow),
    /// List the accounts of the store
    List {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Shut an account out, whatever the directory says; its sessions and tokens end
    Disable(UserNamed),
    /// Let an account in again
    Enable(UserNamed),
    /// Drop an account with its sessions and tokens; who may still enter gets a fresh one
    Remove(UserNamed),
    /// Give an account another id of its directory, because the person's entry was made anew; its sessions and tokens end
    Relink(UserRelink),
}

/// An account of the store.
#[derive(Debug, Args)]
pub(crate) struct UserNamed {
    /// The account's name in the store, or in its directory where that is clear
    pub(crate) user: String,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserRelink {
    #[command(flatten)]
    pub(crate) named: UserNamed,
    /// The id that the person's entry has now, as `user` and `login` show it
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserShow {
    /// The user name as a person would type it
    pub(crate) user: String,
    /// Show every step and every LDAP operation
    #[arg(long)]
    pub(crate) explain: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// List local groups with their members and what these may do
    List {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Let the members of a local group do something
    Grant(Grants),
    /// Take back what a local group was granted
    Revoke(Grants),
}

#[derive(Debug, Args)]
pub(crate) struct Grants {
    /// Its name, its DN, or a directory's name, a colon and the DN
    pub(crate) group: String,
    /// What its members may do, such as reports.view
    #[arg(required = true, value_name = "PERM")]
    pub(crate) permissions: Vec<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Permission {
    /// Let a person do something
    Grant(UserGrants),
    /// Take back what a person was granted; what their groups give stays
    Revoke(UserGrants),
}

#[derive(Debug, Args)]
pub(crate) struct UserGrants {
    /// The account's name in the store, or in its directory where that is clear
    pub(crate) user: String,
    /// What they may do, such as reports.view
    #[arg(required = true, value_name = "PERM")]
    pub(crate) permissions: Vec<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Block {
    /// List the people and addresses that are throttled now
    List {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Forget the wrong passwords of a person or an address
    Clear {
        /// The user name as a person would type it, or an address
        #[arg(value_name = "USER|ADDRESS")]
        who: String,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Report every error of the configuration, and what to beware of
    Check,
    /// Print the effective values and where each comes from, secrets hidden
    Show {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// LDIF files to load, in order
    #[arg(required = true, value_name = "FILE.ldif")]
    pub(crate) files: Vec<PathBuf>,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Address for ldaps
    #[arg(long, value_name = "ADDR", requires = "cert")]
    pub(crate) ldaps: Option<SocketAddr>,
    /// Server certificate, PEM; with it StartTLS is offered too
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Refuse every change
    #[arg(long)]
    pub(crate) read_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Where the gateway listens; else the configuration's http.listen
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn user_takes_a_name_or_an_action() {
        let named = Arguments::try_parse_from(["ldapgate", "user", "alice", "--json"]).unwrap();
        assert!(matches!(
            named.command,
            Command::User(User { action: None, show: Some(UserShow { json: true, .. }) })
        ));
        let listed = Arguments::try_parse_from(["ldapgate", "user", "list"]).unwrap();
        assert!(matches!(listed.command, Command::User(User { action: Some(UserAction::List { .. }), .. })));
    }

    #[test]
    fn search_takes_the_flags_of_ldapsearch() {
        let line = [
            "ldapgate", "search", "-x", "-LLL", "-ZZ", "-H", "ldap://h", "-D", "cn=a", "-w", "p", "-b",
            "dc=e", "-s", "one", "(uid=a)", "cn", "mail",
        ];
        let Command::Search(search) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("no search")
        };
        assert_eq!((search.ldif, search.target.start_tls, search.words.len()), (3, 2, 3));
    }
}
