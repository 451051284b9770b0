//! What may be typed: every command, flag and argument, as the contract and OpenLDAP's tools name them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// LDAP sign-in for web applications: gateway, diagnostics and LDAP tools.
#[derive(Debug, Parser)]
#[command(name = "ldapgate", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    /// Configuration file; else $LDAPGATE_CONFIG, ./ldapgate.toml, /etc/ldapgate/ldapgate.toml
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Say more on standard error; twice: everything
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
    /// Validate the configuration, or show its effective values
    #[command(subcommand)]
    Config(Config),
    /// Search a directory; flags as in ldapsearch
    Search(Box<Search>),
    /// Ask a directory who it takes us for; flags as in ldapwhoami
    Whoami(Whoami),
    /// Set a new password for an entry; flags as in ldappasswd
    Passwd(Box<Passwd>),
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
    /// The account's name in the store
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

/// The server, the identity and the transport of an LDAP tool, as OpenLDAP's tools take them.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// LDAP URL of the server; without it the configuration's server and service account are used
    #[arg(short = 'H', value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Bind as this DN
    #[arg(short = 'D', value_name = "DN")]
    pub(crate) bind_dn: Option<String>,
    /// The bind password; other users of this machine can see it
    #[arg(short = 'w', value_name = "TEXT", conflicts_with_all = ["password_file", "prompt", "password_stdin"])]
    pub(crate) password: Option<String>,
    /// Prompt for the bind password
    #[arg(short = 'W', conflicts_with_all = ["password_file", "password_stdin"])]
    pub(crate) prompt: bool,
    /// Read the bind password from a file; one trailing newline is dropped
    #[arg(short = 'y', value_name = "FILE", conflicts_with = "password_stdin")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the bind password from standard input, one line
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Simple authentication; the only kind there is, taken for the sake of habit
    #[arg(short = 'x')]
    pub(crate) simple: bool,
    /// Protocol version; 3 is the only one there is
    #[arg(short = 'P', value_name = "VERSION", value_parser = ["3"], hide = true)]
    pub(crate) protocol: Option<String>,
    /// SASL quiet mode, taken for the sake of habit
    #[arg(short = 'Q', hide = true)]
    pub(crate) sasl_quiet: bool,
    /// StartTLS, required to succeed; -ZZ means the same
    #[arg(short = 'Z', action = ArgAction::Count)]
    pub(crate) start_tls: u8,
    /// Option: nettimeout=SECONDS, ldif-wrap=COLUMNS|no
    #[arg(short = 'o', value_name = "OPTION")]
    pub(crate) options: Vec<String>,
    /// CA certificates to trust, instead of $LDAPTLS_CACERT, $SSL_CERT_FILE or the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Which [[directory]] of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub(crate) directory: Option<String>,
    /// Send a password without encryption to a host that is not this one
    #[arg(long)]
    pub(crate) allow_cleartext: bool,
}

/// -s
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Scope {
    Base,
    One,
    Sub,
}

/// -a
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Deref {
    Never,
    Always,
    Search,
    Find,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Base of the search; else the configuration's
    #[arg(short = 'b', value_name = "DN")]
    pub(crate) base: Option<String>,
    /// Scope of the search
    #[arg(short = 's', value_name = "SCOPE", default_value = "sub")]
    pub(crate) scope: Scope,
    /// When aliases are followed
    #[arg(short = 'a', value_name = "WHEN", default_value = "never")]
    pub(crate) deref: Deref,
    /// Attribute names only, no values
    #[arg(short = 'A')]
    pub(crate) types_only: bool,
    /// Time limit in seconds, "none" or "max"
    #[arg(short = 'l', value_name = "SECONDS", value_parser = limit)]
    pub(crate) time_limit: Option<u32>,
    /// Size limit in entries, "none" or "max"
    #[arg(short = 'z', value_name = "ENTRIES", value_parser = limit)]
    pub(crate) size_limit: Option<u32>,
    /// Search extension: pr=SIZE[/noprompt] reads pages of that size
    #[arg(short = 'E', value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
    /// LDIF version 1; -LL: without comments; -LLL: without the version line
    #[arg(short = 'L', action = ArgAction::Count)]
    pub(crate) ldif: u8,
    /// Treat referral objects as ordinary entries (ManageDsaIT); -MM: critical
    #[arg(short = 'M', action = ArgAction::Count)]
    pub(crate) manage_dsa_it: u8,
    /// Show what would be asked, and ask nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// A filter (RFC 4515), then attributes; without a filter "(objectClass=*)"
    #[arg(value_name = "FILTER [ATTRIBUTE]")]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    pub(crate) target: Target,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Passwd {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The old password; other users of this machine can see it
    #[arg(short = 'a', value_name = "TEXT", conflicts_with_all = ["old_prompt", "old_file"])]
    pub(crate) old_text: Option<String>,
    /// Prompt for the old password
    #[arg(short = 'A', conflicts_with = "old_file")]
    pub(crate) old_prompt: bool,
    /// Read the old password from a file; one trailing newline is dropped
    #[arg(short = 't', value_name = "FILE")]
    pub(crate) old_file: Option<PathBuf>,
    /// The new password; other users of this machine can see it
    #[arg(short = 's', value_name = "TEXT", conflicts_with_all = ["new_prompt", "new_file"])]
    pub(crate) new_text: Option<String>,
    /// Prompt for the new password; without -s, -S and -T the server makes one
    #[arg(short = 'S', conflicts_with = "new_file")]
    pub(crate) new_prompt: bool,
    /// Read the new password from a file; one trailing newline is dropped
    #[arg(short = 'T', value_name = "FILE")]
    pub(crate) new_file: Option<PathBuf>,
    /// General extension: ppolicy, which is always asked for
    #[arg(short = 'e', value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
    /// Connect and bind, and set nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Whose password, mostly a DN; without it that of whoever binds
    pub(crate) user: Option<String>,
}

/// Where one of the two passwords of a change comes from.
pub(crate) struct ChangeSource<'a> {
    pub(crate) text: Option<&'a str>,
    pub(crate) prompt: bool,
    pub(crate) file: Option<&'a std::path::Path>,
}

impl Passwd {
    /// The old password's.
    pub(crate) fn old_password(&self) -> ChangeSource<'_> {
        let (text, file) = (self.old_text.as_deref(), self.old_file.as_deref());
        ChangeSource { text, prompt: self.old_prompt, file }
    }

    /// The new one's.
    pub(crate) fn new_password(&self) -> ChangeSource<'_> {
        let (text, file) = (self.new_text.as_deref(), self.new_file.as_deref());
        ChangeSource { text, prompt: self.new_prompt, file }
    }
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

fn limit(text: &str) -> Result<u32, String> {
    match text {
        "none" => Ok(0),
        "max" => Ok(i32::MAX as u32),
        _ => text.parse().map_err(|_| format!("{text:?} is no number, \"none\" or \"max\"")),
    }
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
