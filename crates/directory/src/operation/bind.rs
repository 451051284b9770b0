//! Bind (RFC 4511 section 4.2, RFC 4513 section 5).

use std::sync::Arc;

use bytes::Bytes;
use proto::message::{Authentication, BindRequest};
use proto::{Dn, Filter, LdapResult, Password, ResultCode};
use tls::Bindings;

use super::sasl::{self, Exchange};
use super::{Identity, refuse};
use crate::account_state::{self, Standing};
use crate::directory::Shared;
use crate::password;
use crate::tree::{Id, Node, Tree};

/// Stored passwords of one entry that are tried.
const TRIED: usize = 8;

/// What became of a bind.
pub(crate) struct Bound {
    pub(crate) who: Identity,
    pub(crate) standing: Standing,
    /// What a SASL mechanism's server side says.
    pub(crate) credentials: Option<Bytes>,
    /// What is to be remembered until the next step.
    pub(crate) exchange: Option<Exchange>,
}

/// Checks a bind. It waits for nothing but its own computing, which slow schemes do on a thread of their own.
pub(crate) async fn bind(
    shared: &Arc<Shared>,
    request: BindRequest,
    begun: Option<Exchange>,
    bindings: Option<&Bindings>,
) -> Bound {
    if request.version != 3 {
        return refused(refuse(ResultCode::PROTOCOL_ERROR, "only LDAP version 3 is spoken"));
    }
    match request.authentication {
        Authentication::Anonymous => refused(LdapResult::success()),
        // RFC 4513 section 5.1.2: taken for a proof by careless clients, so not even begun.
        Authentication::Unauthenticated => {
            refused(refuse(ResultCode::UNWILLING_TO_PERFORM, "a name without a password proves nothing"))
        }
        Authentication::Simple(password) => simple(shared, &request.name, password).await,
        Authentication::Sasl { mechanism, credentials } => {
            sasl::step(shared, mechanism, credentials, begun, bindings).await
        }
        Authentication::Sicily { .. } => {
            refused(refuse(ResultCode::AUTH_METHOD_NOT_SUPPORTED, "this way to bind is not supported"))
        }
    }
}

pub(super) async fn simple(shared: &Arc<Shared>, name: &str, password: Password) -> Bound {
    let dialect = shared.settings.dialect;
    let nobody = |standing| Bound { standing, ..refused(LdapResult::success()) };
    let (id, stored, before) = {
        let tree = shared.tree();
        match find(&tree, name) {
            Ok(Some(node)) => {
                let entry = tree.view(node);
                let before = account_state::before_comparing(dialect, &entry, shared.now());
                (node.id, entry.passwords().to_vec(), before)
            }
            Ok(None) => return nobody(account_state::to_an_unknown_name(dialect)),
            Err(refusal) => return refused(refusal),
        }
    };
    if let Some(standing) = before {
        return nobody(standing);
    }
    if !is_right(shared, stored, password).await {
        return nobody(account_state::to_a_wrong_password(dialect));
    }
    admit(shared, id)
}

/// Who has proved the password comes in, unless something is the matter with the account.
pub(super) fn admit(shared: &Shared, id: Id) -> Bound {
    let dialect = shared.settings.dialect;
    let tree = shared.tree();
    let standing = match tree.get(id) {
        Some(node) => account_state::to_the_right_password(dialect, &tree.view(node), shared.now()),
        None => account_state::to_an_unknown_name(dialect),
    };
    let is_in = standing.result.code == ResultCode::SUCCESS;
    let who = if is_in { Identity::Entry(id) } else { Identity::Anonymous };
    Bound { who, standing, credentials: None, exchange: None }
}

/// The entry a bind names: by DN, or as Active Directory allows by `userPrincipalName` or `DOMAIN\sAMAccountName`.
fn find<'t>(tree: &'t Tree, name: &str) -> Result<Option<&'t Node>, LdapResult> {
    let error = match Dn::parse(name) {
        Ok(dn) => return Ok(tree.find(&dn)),
        Err(error) => error,
    };
    let (attribute, value) = match name.split_once('\\') {
        Some((_, account)) => ("samaccountname", account),
        None if name.contains('@') => ("userprincipalname", name),
        None => return Err(refuse(ResultCode::INVALID_DN_SYNTAX, error.to_string())),
    };
    let filter = Filter::equal(attribute, value);
    let Some(candidates) = tree.candidates(&filter) else { return Ok(None) };
    let mut found = candidates
        .iter()
        .filter_map(|id| tree.get(*id))
        .filter(|node| filter.evaluate(&tree.view(node), &proto::filter::StandardRules) == Some(true));
    let first = found.next();
    Ok(first.filter(|_| found.next().is_none()))
}

/// Whether a password is one of the stored ones.
pub(super) async fn is_right(shared: &Arc<Shared>, stored: Vec<Bytes>, password: Password) -> bool {
    let slow = stored.iter().take(TRIED).any(|stored| password::is_slow(stored));
    let check = move || stored.iter().take(TRIED).any(|stored| password::matches(stored, password.expose()));
    if !slow {
        return check();
    }
    let Ok(_permit) = Arc::clone(&shared.hashing).acquire_owned().await else { return false };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

/// Nobody is bound.
pub(super) fn refused(result: LdapResult) -> Bound {
    let standing = Standing { result, ..Standing::default() };
    Bound { who: Identity::Anonymous, standing, credentials: None, exchange: None }
}
