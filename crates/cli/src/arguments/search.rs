//! What may be typed after `search`: the flags of `ldapsearch`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::{Extensions, Target};

/// -s
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Scope {
    #[value(alias = "baseObject")]
    Base,
    #[value(alias = "oneLevel")]
    One,
    #[value(alias = "subtree")]
    Sub,
    /// Everything below the base, without the base
    #[value(alias = "subordinate")]
    Children,
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
    #[command(flatten)]
    pub(crate) general: Extensions,
    /// Base of the search; else the configuration's
    #[arg(short = 'b', value_name = "DN")]
    pub(crate) base: Option<String>,
    /// Scope of the search
    #[arg(short = 's', value_name = "SCOPE", default_value = "sub", ignore_case = true)]
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
    /// Search extension: [!]pr=SIZE[/noprompt], [!]sss=[-]ATTR[:RULE][/..], [!]vlv=BEFORE/AFTER(/OFFSET/COUNT|:VALUE),
    /// [!]mv=FILTER, [!]subentries[=true|false], [!]sync=ro[/COOKIE]|rp[/COOKIE][/LIMIT], [!]deref=ATTR:ATTR[,..][;..],
    /// [!]domainScope, !dontUseCopy, [!]accountUsability, [!]ps=TYPES/ONLY/CHANGES, !dirSync=FLAGS/SIZE[/COOKIE],
    /// [!]extendedDn=FLAG, [!]showDeleted, [!]serverNotif, [!]OID[=:TEXT|=::BASE64]; "!" makes it critical
    #[arg(short = 'E', value_name = "EXTENSION")]
    pub(crate) search_extensions: Vec<String>,
    /// LDIF version 1; -LL: without comments; -LLL: without the version line
    #[arg(short = 'L', action = ArgAction::Count)]
    pub(crate) ldif: u8,
    /// Sort the entries by an attribute once all are there; by their names for ""
    #[arg(short = 'S', value_name = "ATTRIBUTE")]
    pub(crate) sort: Option<String>,
    /// Search once for each line of a file ("-": standard input, behind the line that --password-stdin reads); it stands in
    /// the filter where %s does
    #[arg(short = 'f', value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Go on after a search of -f that failed; the status is the last failure's
    #[arg(short = 'c')]
    pub(crate) go_on: bool,
    /// Add each entry's user friendly name
    #[arg(short = 'u')]
    pub(crate) friendly: bool,
    /// Write values that are not printable to temporary files; -tt: all values
    #[arg(short = 't', action = ArgAction::Count)]
    pub(crate) to_files: u8,
    /// Folder for temporary files; else $TMPDIR, /tmp
    #[arg(short = 'T', value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// What the URLs of temporary files begin with; else file:// and the folder
    #[arg(short = 'F', value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// Show what would be asked, and ask nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// Chase referrals, which is not done: they are printed
    #[arg(short = 'C', hide = true)]
    pub(crate) chase: bool,
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
