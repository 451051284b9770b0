//! One domain's servers, remembered for as long as the DNS says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Record, Service, servers};
use crate::Error;
use crate::options::Address;

/// What a time to live is taken for at least and at most.
const TTL: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(60 * 60));
/// Until the next try after the DNS failed.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// A domain, and what was found of it. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Discovery {
    domain: Arc<str>,
    #[cfg_attr(not(feature = "srv"), expect(dead_code, reason = "nobody is asked"))]
    name_servers: Arc<[SocketAddr]>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    memory: Mutex<Memory>,
    /// Held by who asks the DNS: the others wait for the answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Memory {
    found: Option<Arc<[Address]>>,
    /// The last failure, told again until the next try.
    problem: Option<String>,
    /// When to ask again.
    due: Option<Instant>,
}

/// What one question brought: records and their shortest time to live, or a problem in words.
pub(super) type Answer = Result<(Vec<Record>, Duration), Problem>;

#[cfg_attr(not(feature = "srv"), expect(dead_code, reason = "nobody asks"))]
pub(super) enum Problem {
    /// The DNS knows of no such service.
    Nothing,
    /// The DNS did not answer.
    Failed(String),
}

enum Known {
    Fresh(Arc<[Address]>),
    /// To be used, and asked for again meanwhile.
    Stale(Arc<[Address]>),
    Failed(String),
    Nothing,
}

impl Discovery {
    pub(crate) fn new(domain: &str) -> Discovery {
        Discovery { domain: domain.into(), name_servers: Arc::default(), shared: Arc::default() }
    }

    /// Asks these and not the system's; what was known is forgotten.
    pub(crate) fn asking(&self, name_servers: Vec<SocketAddr>) -> Discovery {
        Discovery { domain: self.domain.clone(), name_servers: name_servers.into(), shared: Arc::default() }
    }

    /// The servers, best first: as long as nothing changes, the very same slice. What is known but old is given at
    /// once, and asked for again in the background.
    pub(crate) async fn servers(&self, limit: Duration) -> Result<Arc<[Address]>, Error> {
        match self.known() {
            Known::Fresh(found) => Ok(found),
            Known::Stale(found) => {
                self.refresh(limit);
                Ok(found)
            }
            Known::Failed(problem) => Err(self.error(problem)),
            Known::Nothing => {
                let _one_at_a_time = self.shared.asking.lock().await;
                match self.known() {
                    Known::Fresh(found) | Known::Stale(found) => Ok(found),
                    Known::Failed(problem) => Err(self.error(problem)),
                    Known::Nothing => self.ask(limit).await,
                }
            }
        }
    }

    fn refresh(&self, limit: Duration) {
        let discovery = self.clone();
        tokio::spawn(async move {
            let Ok(_one_at_a_time) = discovery.shared.asking.try_lock() else { return };
            if let Known::Stale(_) = discovery.known() {
                // A failure is remembered, and what was found before stays in use.
                drop(discovery.ask(limit).await);
            }
        });
    }

    async fn ask(&self, limit: Duration) -> Result<Arc<[Address]>, Error> {
        let answer = match tokio::time::timeout(limit, self.look_up()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("the DNS did not answer within {limit:?}")),
        };
        let now = Instant::now();
        let mut memory = self.memory();
        match answer {
            Ok((found, ttl)) => {
                memory.due = Some(now + ttl.clamp(TTL.0, TTL.1));
                memory.problem = None;
                let same = memory.found.as_ref().filter(|known| are_same(known, &found));
                let found = same.cloned().unwrap_or_else(|| found.into());
                tracing::debug!(domain = &*self.domain, servers = found.len(), ?ttl, "servers found");
                memory.found = Some(found.clone());
                Ok(found)
            }
            Err(problem) => {
                tracing::warn!(domain = &*self.domain, problem, "no servers found");
                memory.due = Some(now + PAUSE);
                memory.problem = Some(problem.clone());
                Err(self.error(problem))
            }
        }
    }

    async fn look_up(&self) -> Result<(Vec<Address>, Duration), String> {
        let mut reasons = Vec::new();
        for service in [Service::Ldaps, Service::Ldap] {
            let (records, ttl) = match self.records(service).await {
                Ok(answer) => answer,
                Err(Problem::Nothing) => continue,
                // A name server that chokes on one name may know the other; StartTLS is as good as ldaps.
                Err(Problem::Failed(reason)) => {
                    reasons.push(reason);
                    continue;
                }
            };
            match servers(&self.domain, service, records, crate::connect::random_to) {
                Ok(found) => return Ok((found, ttl)),
                Err(reason) => reasons.push(reason),
            }
        }
        reasons.dedup();
        Err(match reasons.is_empty() {
            true => "there are neither _ldaps._tcp nor _ldap._tcp records".to_owned(),
            false => reasons.join("; "),
        })
    }

    #[cfg(feature = "srv")]
    async fn records(&self, service: Service) -> Answer {
        super::lookup::records(&service.name(&self.domain), &self.name_servers).await
    }

    /// [`Options`](crate::Options) take no domain without the feature.
    #[cfg(not(feature = "srv"))]
    async fn records(&self, _service: Service) -> Answer {
        Err(Problem::Nothing)
    }

    fn known(&self) -> Known {
        let memory = self.memory();
        let due = memory.due.is_none_or(|due| due <= Instant::now());
        match (&memory.found, &memory.problem) {
            (Some(found), _) if due => Known::Stale(found.clone()),
            (Some(found), _) => Known::Fresh(found.clone()),
            (None, Some(problem)) if !due => Known::Failed(problem.clone()),
            (None, _) => Known::Nothing,
        }
    }

    fn error(&self, problem: String) -> Error {
        Error::Discovery { domain: self.domain.to_string(), problem }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.shared.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Are they the same servers in the same tiers? Then the order that was drawn before stays.
fn are_same(known: &[Address], found: &[Address]) -> bool {
    let sorted = |addresses: &[Address]| {
        let mut all: Vec<(u32, String)> =
            addresses.iter().map(|address| (address.tier, address.text.clone())).collect();
        all.sort();
        all
    };
    sorted(known) == sorted(found)
}
