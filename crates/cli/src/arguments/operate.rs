//! `session`, `token` and `audit`: what the store holds of people between logins.

use std::time::Duration;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List the sessions that are alive, of everybody or of one account
    List {
        /// Only this account's
        user: Option<String>,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// End one session, or everything an account was given
    Revoke(SessionRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct SessionRevoke {
    /// The session, as `session list` names it
    #[arg(value_name = "ID", required_unless_present = "user", conflicts_with = "user")]
    pub(crate) id: Option<String>,
    /// Every session and every signed token of this account
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Its personal access tokens too
    #[arg(long, requires = "user")]
    pub(crate) tokens: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Issue a personal access token, which is shown once
    Issue(TokenIssue),
    /// List personal access tokens that are good, of everybody or of one account
    List {
        /// Only this account's
        user: Option<String>,
        /// Signed tokens of the token endpoint instead
        #[arg(long)]
        signed: bool,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Take one token back, a personal one or a signed one
    Revoke {
        /// The token, as `token list` names it; of a signed token its claim "jti"
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Make a new key for signed tokens; tokens of the old one stay good until they end
    Rotate {
        /// Forget the old key at once, because somebody else may have it: tokens that it signed are none
        #[arg(long)]
        now: bool,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenIssue {
    /// Whose: an account of the store
    pub(crate) user: String,
    /// What it is for, as its owner sees it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How long it lasts, as in "30d"; else until it is revoked
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) expires: Option<Duration>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Go on with what is recorded from now on, by whichever gateway or command
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only about this person
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// The last so many records; without any of these the last 100, and the last 10 with --follow
    #[arg(long, value_name = "N", group = "which")]
    pub(crate) last: Option<u32>,
    /// Every record of so long ago or later, as in "12h"
    #[arg(long, value_name = "D", value_parser = duration, group = "which")]
    pub(crate) since: Option<Duration>,
    /// Every record there is
    #[arg(long, group = "which")]
    pub(crate) all: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    ldapgate::duration(text)
}
