//! The gateway's engine, as an application would start it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use ldapgate::{Ambient, Clock, Config, Engine, Entropy};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::world;

/// An engine on the world, whose certificates are in `folder`.
pub(crate) async fn start(url: &str, folder: &Path, store: &str) -> anyhow::Result<Engine> {
    Ok(Engine::start(&config(url, folder, store)?).await?)
}

/// The same, whose clock stands still.
pub(crate) async fn start_at(
    at: SystemTime,
    url: &str,
    folder: &Path,
    store: &str,
) -> anyhow::Result<Engine> {
    let ambient = Ambient { clock: Arc::new(Standing(at)), entropy: Arc::new(System) };
    Ok(Engine::start_with(&config(url, folder, store)?, ambient).await?)
}

fn config(url: &str, folder: &Path, store: &str) -> anyhow::Result<Config> {
    let text = world::config(url, &folder.join("ca.crt"), store);
    Ok(Config::parse(&text, Path::new("bench.toml"), &BTreeMap::new())?)
}

struct Standing(SystemTime);

impl Clock for Standing {
    fn now(&self) -> SystemTime {
        self.0
    }
}

struct System;

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        SystemRandom::new().fill(buffer).expect("the system has randomness");
    }
}
