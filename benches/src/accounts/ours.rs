//! Checks of sessions as every guarded request makes them.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use ldapgate::{Engine, Origin, Outcome, SignIn};

use super::worker::Stores;
use crate::engine;
use crate::turns::Client;
use crate::world::{PASSWORD, Size, name};

/// Few enough to be remembered all the time.
pub(crate) const REMEMBERED: usize = 400;
/// More than the engine remembers (10,000 in `account/src/cache.rs`, and then it forgets them all): who looks at them one after the
/// other finds none of them remembered, and each look is a query.
const SESSIONS: usize = 12_000;
/// Logins under way while the sessions are made.
const AT_ONCE: usize = 16;

/// Starts the sessions that all rows of a store check, through the one door there is, and writes down their cookies.
pub(crate) async fn sign_in(stores: &Stores, store: &str, size: &Size) -> anyhow::Result<()> {
    let engine = engine::start_at(stores.at, &stores.url, &stores.folder, store).await?;
    let people: Arc<[String]> = size.signing_in().map(name).collect();
    let lanes: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            tokio::spawn(some(engine.clone(), Arc::clone(&people), (lane..SESSIONS).step_by(AT_ONCE)))
        })
        .collect();
    let mut cookies = Vec::with_capacity(SESSIONS);
    for lane in lanes {
        cookies.extend(lane.await??);
    }
    fs::write(stores.cookies(store), cookies.join("\n"))?;
    engine.shutdown().await;
    Ok(())
}

async fn some(
    engine: Engine,
    people: Arc<[String]>,
    logins: impl Iterator<Item = usize>,
) -> anyhow::Result<Vec<String>> {
    let mut cookies = Vec::new();
    for n in logins {
        let (name, origin) = (&people[n % people.len()], Origin::default());
        let how = SignIn { session: true, ..SignIn::default() };
        match engine.accounts().sign_in(name, PASSWORD.to_owned(), &origin, how).await {
            Outcome::Granted(signed_in) => cookies.push(signed_in.session.context("a session")?.cookie),
            Outcome::Denied(denied) => bail!("{}", denied.denial),
            Outcome::Failed { message, causes, .. } => bail!("{message}: {}", causes.join(": ")),
        }
    }
    Ok(cookies)
}

/// `Accounts::session`, while the engine follows what changes in the store.
#[derive(Clone)]
pub(crate) struct Check {
    engine: Engine,
    cookies: Arc<[String]>,
}

impl Check {
    pub(crate) async fn open(stores: &Stores, store: &str, cookies: Vec<String>) -> anyhow::Result<Self> {
        let engine = engine::start_at(stores.at, &stores.url, &stores.folder, store).await?;
        Ok(Self { engine, cookies: cookies.into() })
    }
}

impl Client for Check {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        self.engine.accounts().session(&self.cookies[n]).await?.context("a session that is over")?;
        Ok(())
    }
}
