//! Logins as this project does them.

use std::sync::Arc;

use anyhow::{bail, ensure};
use auth::{Answer, Credentials, Directories, Fold, Silent, Verdict};
use ldapgate::{Engine, Origin, Outcome, SignIn};

use super::worker::{Place, Somebody};
use crate::engine;
use crate::turns::Client;
use crate::world::PASSWORD;

/// The decision alone.
#[derive(Clone)]
pub(crate) struct Decision {
    directories: Directories,
    people: Arc<[Somebody]>,
    // Whoever drops it ends what goes on in the background.
    _engine: Engine,
}

/// The sign-in that every door uses, with a session.
#[derive(Clone)]
pub(crate) struct SigningIn {
    engine: Engine,
    people: Arc<[Somebody]>,
}

impl Decision {
    pub(crate) async fn start(place: &Place) -> anyhow::Result<Decision> {
        Decision::at(&place.url, place).await
    }

    /// With the directory at a URL of the caller's.
    pub(crate) async fn at(url: &str, place: &Place) -> anyhow::Result<Decision> {
        let engine = engine::start(url, &place.folder, &place.store).await?;
        Ok(Decision {
            directories: engine.accounts().directories(),
            people: place.people.as_slice().into(),
            _engine: engine,
        })
    }
}

impl Client for Decision {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        let Ok(typed) = Credentials::parse(&self.people[n].name, PASSWORD.to_owned(), Fold::Lower) else {
            bail!("{} cannot be typed", self.people[n].name);
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
        Ok(SigningIn {
            engine: engine::start(&place.url, &place.folder, &place.store).await?,
            people: place.people.as_slice().into(),
        })
    }
}

impl Client for SigningIn {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        let how = SignIn { session: true, ..SignIn::default() };
        let origin = Origin::default();
        let Somebody { name, groups } = &self.people[n];
        match self.engine.accounts().sign_in(name, PASSWORD.to_owned(), &origin, how).await {
            Outcome::Granted(signed_in) => {
                let account = &signed_in.account;
                let is_mirrored = account.local_group_names().eq(groups);
                ensure!(is_mirrored, "{name} is in {:?} and not in {groups:?}", account.local_groups);
                Ok(())
            }
            Outcome::Denied(denied) => bail!("{}", denied.denial),
            Outcome::Failed { message, causes, .. } => bail!("{message}: {}", causes.join(": ")),
        }
    }
}
