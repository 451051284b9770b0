//! `passwd`: a new password for an entry, as `ldappasswd` sets it (RFC 3062); on Active Directory by `unicodePwd`.

use anyhow::{Context as _, anyhow, bail};
use client::{Connection, PasswordMethod, PasswordReply};
use proto::{Dn, Password, PasswordModify, oid};
use serde_json::json;

use super::ldap::{self, Failure};
use super::{Context, extension};
use crate::arguments::{Extensions, Passwd};
use crate::exit::Exit;
use crate::output;
use crate::secret;

/// Changes a password; the status is 1 when it is refused, and the result code when the bind is.
pub(crate) async fn run(context: &Context, passwd: Passwd) -> Exit {
    match change(context, &passwd).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn change(context: &Context, passwd: &Passwd) -> Result<Exit, Failure> {
    let controls = extension::controls(&Extensions::without_m(&passwd.extensions))?;
    let old = secret::of_change(&passwd.old_password(), "Old password: ")?.map(usable).transpose()?;
    let new = secret::of_change(&passwd.new_password(), "New password: ")?.map(usable).transpose()?;
    let session = ldap::connect(context, &passwd.target).await?;
    if passwd.dry_run {
        return Ok(Exit::DONE);
    }
    let connection = session.connection.with_controls(controls);
    let reply = match is_active_directory(&session.connection).await {
        true => {
            let new = new.context("Active Directory makes no passwords: add -s, -S or -T")?;
            set_unicode_pwd(&connection, &entry(passwd)?, old.as_ref(), &new).await?
        }
        false => {
            let modify = PasswordModify { user: passwd.user.clone(), old, new };
            connection.modify_password(&modify).await?
        }
    };
    session.connection.close().await;
    tell(passwd, &reply)
}

fn usable(password: String) -> anyhow::Result<Password> {
    Password::new(password).context("this password cannot be used")
}

/// A server that does not say is none; it may well refuse to be asked before a password is changed.
async fn is_active_directory(connection: &Connection) -> bool {
    connection.root_dse().await.is_ok_and(|root| root.supports_capability(oid::ACTIVE_DIRECTORY))
}

/// The entry that is meant; Active Directory needs its name, and does not say who is bound in a form that names it.
fn entry(passwd: &Passwd) -> anyhow::Result<String> {
    let named = passwd.user.as_deref().or(passwd.target.bind_dn.as_deref());
    match named.map(Dn::parse) {
        Some(Ok(dn)) if !dn.is_root() => Ok(dn.as_str().to_owned()),
        _ => bail!("whose password? Active Directory needs the DN of the entry"),
    }
}

async fn set_unicode_pwd(
    connection: &Connection,
    dn: &str,
    old: Option<&Password>,
    new: &Password,
) -> Result<PasswordReply, client::Error> {
    match old {
        Some(old) => connection.change_password(PasswordMethod::UnicodePwd, dn, old, new).await,
        None => connection.reset_password(PasswordMethod::UnicodePwd, dn, new).await,
    }
}

fn tell(passwd: &Passwd, reply: &PasswordReply) -> Result<Exit, Failure> {
    let generated =
        reply.generated.as_ref().map(|password| String::from_utf8_lossy(password.expose()).into_owned());
    let policy = reply.policy().and_then(|policy| policy.error);
    // As ldappasswd, which gives the code for a refused bind only.
    let exit = if reply.is_success() { Exit::DONE } else { Exit::REFUSED };
    if passwd.json {
        output::document(&json!({
            "code": reply.result.code.0,
            "result": reply.result.code.name(),
            "message": reply.result.message,
            "policy": policy.map(|error| error.name()),
            "generated": generated,
        }));
        return Ok(exit);
    }
    if !reply.is_success() {
        let mut text = format!("the new password is refused: {}", reply.result.code);
        if !reply.result.message.is_empty() {
            text.push_str(&format!(": {}", output::printable(reply.result.message.trim())));
        }
        if let Some(error) = policy {
            text.push_str(&format!(" (password policy: {error})"));
        }
        return Err(Failure::new(anyhow!(text), exit));
    }
    if let Some(generated) = generated {
        output::line(&format!("New password: {}", output::printable(&generated)));
    }
    Ok(exit)
}
