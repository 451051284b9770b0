//! What may be typed to learn about a server.

use clap::Args;

use super::Target;

#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) target: Target,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    #[command(flatten)]
    pub(crate) target: Target,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// An attribute, class, matching rule or syntax, by name or OID; without it every definition
    pub(crate) name: Option<String>,
}
