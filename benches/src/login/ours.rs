//! Logins as this project does them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use auth::{Answer, Credentials, Directories, Fold, Silent, Verdict};
use ldapgate::{Config, Engine, Origin, Outcome, SignIn};

use super::worker::{Client, Place};
use crate::world::{PASSWORD, config};

/// The decision alone.
#[derive(Clone)]
pub(crate) struct Decision {
    directories: Directories,
    names: Vec<String>,
    // Whoever drops it ends what goes on in the background.
    _engine: Engine,
}

/// The sign-in that every door uses, with a session.
#[derive(Clone)]
pub(crate) struct SigningIn {
    engine: Engine,
    names: Vec<String>,
}

impl Decision {
    pub(crate) async fn start(place: &Place) -> anyhow::Result<Decision> {
        Decision::at(&place.url, place).await
    }

    /// With the directory at a URL of the caller's.
    pub(crate) async fn at(url: &str, place: &Place) -> anyhow::Result<Decision> {
        let engine = engine(url, place, "memory:").await?;
        Ok(Decision {
            directories: engine.accounts().directories(),
            names: place.names.clone(),
            _engine: engine,
        })
    }
}

impl Client for Decision {
    async fn login(&mut self, n: usize) -> anyhow::Result<()> {
        let Ok(typed) = Credentials::parse(&self.names[n], PASSWORD.to_owned(), Fold::Lower) else {
            bail!("{} cannot be typed", self.names[n]);
        };
        let located = match self.directories.locate(&typed.username, &Silent).await? {
            Answer::Yes(located) => located,
            Answer::No(denial) => bail!("{denial}"),
        };
        let proof = match located.prove(&typed.password, &Silent).await? {
            Answer::Yes(proof) => proof,
            Answer::No(denial) => bail!("{denial}"),
        };
        let person = proof.person(&Silent).await?;
        match self.directories.judge(&person, &Silent) {
            Verdict::Admitted => Ok(()),
            Verdict::Refused(denial) => bail!("{denial}"),
        }
    }
}

impl SigningIn {
    pub(crate) async fn start(place: &Place) -> anyhow::Result<SigningIn> {
        let store = format!("sqlite:{}", place.folder.join("ldapgate.db").display());
        Ok(SigningIn { engine: engine(&place.url, place, &store).await?, names: place.names.clone() })
    }
}

impl Client for SigningIn {
    async fn login(&mut self, n: usize) -> anyhow::Result<()> {
        let how = SignIn { session: true, ..SignIn::default() };
        let origin = Origin::default();
        match self.engine.accounts().sign_in(&self.names[n], PASSWORD.to_owned(), &origin, how).await {
            Outcome::Granted(_) => Ok(()),
            Outcome::Denied(denied) => bail!("{}", denied.denial),
            Outcome::Failed { message, causes, .. } => bail!("{message}: {}", causes.join(": ")),
        }
    }
}

async fn engine(url: &str, place: &Place, store: &str) -> anyhow::Result<Engine> {
    let text = config(url, &place.folder.join("ca.crt"), store);
    let config = Config::parse(&text, Path::new("bench.toml"), &BTreeMap::new())?;
    Ok(Engine::start(&config).await?)
}
