//! SASL binds (RFC 4513 section 5.2): PLAIN, and SCRAM-SHA-256 for passwords that are stored in clear text.

use std::sync::Arc;

use bytes::Bytes;
use proto::sasl::{ChannelBinding, SaslError, ScramHash, ScramServer, nonce};
use proto::{Filter, Password, ResultCode};
use ring::rand::{SecureRandom as _, SystemRandom};
use tls::Bindings;

use super::bind::{Bound, admit, refused, simple};
use super::refuse;
use crate::account_state;
use crate::directory::Shared;
use crate::tree::{Id, Node, Tree};

/// What the root DSE offers; the last only where there is TLS to bind to.
pub(super) const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
/// What RFC 7677 asks for at least.
const ITERATIONS: u32 = 4096;

/// A SCRAM exchange that waits for the client's proof.
#[derive(Debug)]
pub(crate) struct Exchange {
    mechanism: String,
    scram: ScramServer,
}

/// One step, and what was kept of the one before.
pub(super) async fn step(
    shared: &Arc<Shared>,
    mechanism: String,
    said: Option<Bytes>,
    begun: Option<Exchange>,
    bindings: Option<&Bindings>,
) -> Bound {
    let said = said.unwrap_or_default();
    match (mechanism.as_str(), begun) {
        ("PLAIN", _) => plain(shared, &said).await,
        ("SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS", Some(begun)) if begun.mechanism == mechanism => {
            last(shared, begun.scram, &said).await
        }
        ("SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS", _) => first(mechanism, &said, bindings),
        _ => refused(refuse(ResultCode::AUTH_METHOD_NOT_SUPPORTED, "PLAIN and SCRAM-SHA-256 are supported")),
    }
}

/// RFC 4616.
async fn plain(shared: &Arc<Shared>, said: &[u8]) -> Bound {
    let mut parts = said.splitn(3, |octet| *octet == 0).map(std::str::from_utf8);
    let (Some(Ok(authzid)), Some(Ok(user)), Some(Ok(password))) = (parts.next(), parts.next(), parts.next())
    else {
        return refused(refuse(ResultCode::INVALID_CREDENTIALS, "this is no PLAIN message"));
    };
    let Ok(password) = Password::new(password) else {
        return refused(refuse(ResultCode::INVALID_CREDENTIALS, ""));
    };
    if !authzid.is_empty() {
        return refused(nobody_else());
    }
    let name = named(&shared.tree(), user).map(|node| node.dn.as_str().to_owned());
    match name {
        Some(name) => simple(shared, &name, password).await,
        None => unknown(shared),
    }
}

/// RFC 5802: the client's name, answered with salt and iterations, whether somebody has that name or not.
fn first(mechanism: String, said: &[u8], bindings: Option<&Bindings>) -> Bound {
    let mut random = [0; 34];
    if SystemRandom::new().fill(&mut random).is_err() {
        return refused(refuse(ResultCode::OTHER, "there is no randomness"));
    }
    let (salt, fresh) = random.split_at(16);
    let mut scram = ScramServer::new(ScramHash::Sha256, salt, ITERATIONS, nonce(fresh));
    if let Some(exporter) = bindings.and_then(|bindings| bindings.exporter) {
        scram = scram.bound(ChannelBinding::tls_exporter(exporter));
    }
    match scram.first(said) {
        Ok(_) if !scram.authzid().is_empty() => refused(nobody_else()),
        Ok(challenge) => {
            let going_on = refused(refuse(ResultCode::SASL_BIND_IN_PROGRESS, ""));
            let exchange = Some(Exchange { mechanism, scram });
            Bound { exchange, credentials: Some(challenge.into()), ..going_on }
        }
        Err(error) => refused(told(&error)),
    }
}

/// The client's proof, answered with the server's.
async fn last(shared: &Arc<Shared>, mut scram: ScramServer, said: &Bytes) -> Bound {
    let stored = {
        let tree = shared.tree();
        let node = named(&tree, scram.user());
        node.and_then(|node| Some((node.id, clear(&tree, node)?)))
    };
    // Nobody proves a password that nobody has; it is looked at all the same.
    let (id, password) = stored.unwrap_or((Id::MAX, Bytes::from_static(b"\0")));
    if let Some(standing) = standing_before(shared, id) {
        return Bound { standing, ..refused(proto::LdapResult::success()) };
    }
    let said = said.clone();
    // Thousands of hashes, on a thread of their own.
    let judged = tokio::task::spawn_blocking(move || scram.last(&said, &password)).await;
    match judged {
        Ok(Ok(Some(proof))) if id != Id::MAX => {
            let bound = admit(shared, id);
            Bound { credentials: Some(proof.into()), ..bound }
        }
        Ok(Err(error)) => refused(told(&error)),
        _ => Bound {
            standing: account_state::to_a_wrong_password(shared.settings.dialect),
            ..refused(proto::LdapResult::success())
        },
    }
}

fn standing_before(shared: &Shared, id: Id) -> Option<account_state::Standing> {
    let tree = shared.tree();
    let node = tree.get(id)?;
    account_state::before_comparing(shared.settings.dialect, &tree.view(node), shared.now())
}

/// The one entry whose `uid`, else whose `cn`, is the name.
fn named<'t>(tree: &'t Tree, name: &str) -> Option<&'t Node> {
    ["uid", "cn"].iter().find_map(|attribute| {
        let filter = Filter::equal(*attribute, name);
        let candidates = tree.candidates(&filter)?;
        let matches =
            |node: &&Node| filter.evaluate(&tree.view(node), &proto::filter::StandardRules) == Some(true);
        let mut found = candidates.iter().filter_map(|id| tree.get(*id)).filter(matches);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    })
}

/// The first password that is stored as it is.
fn clear(tree: &Tree, node: &Node) -> Option<Bytes> {
    let view = tree.view(node);
    view.passwords().iter().find(|stored| !stored.is_empty() && !stored.starts_with(b"{")).cloned()
}

fn unknown(shared: &Shared) -> Bound {
    let standing = account_state::to_an_unknown_name(shared.settings.dialect);
    Bound { standing, ..refused(proto::LdapResult::success()) }
}

fn nobody_else() -> proto::LdapResult {
    refuse(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "nobody may act as somebody else")
}

fn told(error: &SaslError) -> proto::LdapResult {
    refuse(ResultCode::INVALID_CREDENTIALS, error.to_string())
}
