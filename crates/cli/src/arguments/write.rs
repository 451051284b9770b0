//! What may be typed after the tools that change entries, or compare one: OpenLDAP's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::Target;

/// Controls that go with each request.
#[derive(Debug, Args)]
pub(crate) struct Extensions {
    /// General extension: [!]assert=FILTER, [!]authzid=ID, [!]manageDSAit, [!]noop, ppolicy, [!]postread[=ATTRS],
    /// [!]preread[=ATTRS], [!]relax, [!]sessiontracking[=NAME], [!]OID[=:TEXT|=::BASE64]; "!" makes it critical
    #[arg(short = 'e', value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
    /// Treat referral objects as ordinary entries (ManageDsaIT); -MM: critical
    #[arg(short = 'M', action = ArgAction::Count)]
    pub(crate) manage_dsa_it: u8,
}

impl Extensions {
    /// Those of a tool that has `-e` and no `-M`.
    pub(crate) fn without_m(extensions: &[String]) -> Extensions {
        Extensions { extensions: extensions.to_vec(), manage_dsa_it: 0 }
    }
}

/// `add` and `modify`: changes that are read as LDIF.
#[derive(Debug, Args)]
pub(crate) struct Modify {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// Read the LDIF from a file; without it from standard input
    #[arg(short = 'f', value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A record without "changetype:" is a new entry, as `add` always takes it
    #[arg(short = 'a')]
    pub(crate) add: bool,
    /// Go on after a failure; the status is the last one's
    #[arg(short = 'c')]
    pub(crate) go_on: bool,
    /// Show what would be done, and connect to nobody
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// Write what failed to a file, each with its error as a comment
    #[arg(short = 'S', value_name = "FILE")]
    pub(crate) skipped: Option<PathBuf>,
    /// Begin at this line: records that begin before it are passed over
    #[arg(short = 'j', value_name = "LINE")]
    pub(crate) from_line: Option<usize>,
    /// Read values of the form "attribute:< file:///path" from these files
    #[arg(long)]
    pub(crate) allow_files: bool,
    /// Modify extension: there is none that is known
    #[arg(short = 'E', value_name = "EXTENSION", hide = true)]
    pub(crate) modify_extensions: Vec<String>,
    /// Replace values; what "replace:" in the LDIF says, taken for the sake of habit
    #[arg(short = 'r', hide = true)]
    pub(crate) replace: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// Read the names from a file, one a line; without it and without names from standard input
    #[arg(short = 'f', value_name = "FILE", conflicts_with = "names")]
    pub(crate) file: Option<PathBuf>,
    /// Go on after a failure; the status is the last one's
    #[arg(short = 'c')]
    pub(crate) go_on: bool,
    /// Connect and bind, and delete nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// Delete everything below the entries too, the lowest first
    #[arg(short = 'r')]
    pub(crate) recursive: bool,
    /// Look for what is below an entry in pieces of this size
    #[arg(short = 'z', value_name = "ENTRIES", requires = "recursive")]
    pub(crate) size_limit: Option<u32>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Names of the entries
    #[arg(value_name = "DN")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// Read pairs of lines from a file, a name and the new first part of it; without it and without names from standard
    /// input
    #[arg(short = 'f', value_name = "FILE", conflicts_with = "dn")]
    pub(crate) file: Option<PathBuf>,
    /// Go on after a failure; the status is the last one's
    #[arg(short = 'c')]
    pub(crate) go_on: bool,
    /// Connect and bind, and rename nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// Remove the values of the old name from the entry
    #[arg(short = 'r')]
    pub(crate) remove_old: bool,
    /// Move the entries below this one
    #[arg(short = 's', value_name = "DN")]
    pub(crate) superior: Option<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Name of the entry
    #[arg(requires = "rdn")]
    pub(crate) dn: Option<String>,
    /// The new first part of its name, such as cn=new
    pub(crate) rdn: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// Compare extension: !dontUseCopy
    #[arg(short = 'E', value_name = "EXTENSION")]
    pub(crate) compare_extensions: Vec<String>,
    /// Print nothing; the status says it
    #[arg(short = 'z')]
    pub(crate) silent: bool,
    /// Connect and bind, and compare nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Name of the entry
    pub(crate) dn: String,
    /// What it may have: attribute:value, or attribute::base64
    #[arg(value_name = "ATTRIBUTE:VALUE")]
    pub(crate) assertion: String,
}
