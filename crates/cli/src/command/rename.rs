//! `rename`: another name or another place for entries, as `ldapmodrdn` gives them.

use anyhow::anyhow;
use client::Connection;
use proto::ModifyDnRequest;
use proto::ldif::{ChangeRecord, ChangeType};

use super::outcome::{Change, Outcomes};
use super::{Context, delete, extension, ldap, result_text};
use crate::arguments::Rename;
use crate::command::ldap::Failure;
use crate::exit::Exit;
use crate::output::printable;

/// Renames; the status is the last failure's.
pub(crate) async fn run(context: &Context, rename: Rename) -> Exit {
    match move_about(context, &rename).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn move_about(context: &Context, rename: &Rename) -> Result<Exit, Failure> {
    let controls = extension::controls(&rename.extensions)?;
    let connection = ldap::connect(context, &rename.target).await?.connection.with_controls(controls);
    let mut tool = Tool {
        outcomes: Outcomes::new(rename.json),
        verbose: context.voice.is_verbose(),
        connection: &connection,
        rename,
    };
    let mut pairs = pairs(rename)?;
    while let Some(pair) = pairs.next()? {
        tool.one(&pair).await;
        if tool.outcomes.has_failed() && (!rename.go_on || connection.is_closed()) {
            break;
        }
    }
    connection.close().await;
    Ok(tool.outcomes.finish())
}

struct Pair {
    dn: String,
    rdn: String,
    line: usize,
}

/// Where the names come from.
struct Pairs {
    given: Option<Pair>,
    lines: Option<delete::Names<'static>>,
}

fn pairs(rename: &Rename) -> anyhow::Result<Pairs> {
    if let (Some(dn), Some(rdn)) = (&rename.dn, &rename.rdn) {
        let given = Pair { dn: dn.clone(), rdn: rdn.clone(), line: 0 };
        return Ok(Pairs { given: Some(given), lines: None });
    }
    Ok(Pairs { given: None, lines: Some(delete::lines(rename.file.as_deref())?) })
}

impl Pairs {
    fn next(&mut self) -> anyhow::Result<Option<Pair>> {
        let Some(lines) = &mut self.lines else { return Ok(self.given.take()) };
        let mut line = || lines.next().transpose();
        let Some((number, dn)) = line()? else { return Ok(None) };
        let (_, rdn) = line()?.ok_or_else(|| anyhow!("line {number}: a new name is missing for {dn}"))?;
        Ok(Some(Pair { dn, rdn, line: number }))
    }
}

struct Tool<'t> {
    outcomes: Outcomes,
    verbose: bool,
    connection: &'t Connection,
    rename: &'t Rename,
}

impl Tool<'_> {
    async fn one(&mut self, pair: &Pair) {
        let Pair { dn, rdn, line } = pair;
        if self.verbose {
            let old = if self.rename.remove_old { "delete" } else { "keep" };
            self.outcomes.say(&format!("Renaming \"{}\"", printable(dn)));
            self.outcomes.say(&format!("\tnew rdn=\"{}\" ({old} old rdn)", printable(rdn)));
            if let Some(superior) = &self.rename.superior {
                self.outcomes.say(&format!("\tnew parent=\"{}\"", printable(superior)));
            }
        }
        let change = Change { kind: "rename", dn, line: *line };
        if self.rename.dry_run {
            self.outcomes.planned(&change);
            return;
        }
        // As it is typed: whether it is a name is for the server to say.
        let request = ModifyDnRequest {
            dn: dn.clone(),
            new_rdn: rdn.clone(),
            delete_old_rdn: self.rename.remove_old,
            new_superior: self.rename.superior.clone(),
        };
        match self.connection.apply(&ChangeRecord::from(ChangeType::ModifyDn(request))).await {
            Ok(reply) => {
                if self.verbose {
                    self.outcomes.say(&result_text::report("Rename Result", &reply.result));
                }
                self.outcomes.done(&change, &reply);
            }
            Err(error) => {
                if let Some(result) = error.result() {
                    self.outcomes.say(&result_text::report("Rename Result", result));
                }
                self.outcomes.failed(&change, None, error);
            }
        }
    }
}
