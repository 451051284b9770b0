//! What may be typed after `search`: the flags of `ldapsearch`.

use clap::{ArgAction, Args, ValueEnum};

use super::Target;

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

fn limit(text: &str) -> Result<u32, String> {
    match text {
        "none" => Ok(0),
        "max" => Ok(i32::MAX as u32),
        _ => text.parse().map_err(|_| format!("{text:?} is no number, \"none\" or \"max\"")),
    }
}
