//! The engine: everything between a configuration and a listener, wired together.
//!
//! `Pool` per directory -> [`auth::Directories`] -> the store -> [`Accounts`] -> [`Gate`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use account::{Accounts, Ambient};
use auth::Directories;
use axum::Router;
use client::Pool;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use web::{Gate, LoginOptional, LoginRequired, ServeOptions};

use crate::ambient;
use crate::config::{Config, ConfigErrors, Fixed};
use crate::error::Error;
use crate::metrics::{self, Snapshot};
#[cfg(feature = "sqlite")]
use crate::upkeep::unopened;

/// A running installation: directories, store, accounts and the gate before them. Clones share it; the last one that is dropped ends
/// what goes on in the background.
///
/// It starts when no directory can be reached, too: sign-in is an error until one answers.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    accounts: Accounts,
    gate: Gate,
    /// What a reload cannot change.
    fixed: Fixed,
    warnings: Vec<String>,
    /// Where the store is, without a secret.
    store: String,
    started: SystemTime,
    /// Where metrics are shown at the moment.
    metrics: Mutex<Option<SocketAddr>>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    tls: Option<tls::ServerTls>,
    live: Mutex<Live>,
}

/// What a reload replaces.
struct Live {
    pools: Vec<(String, Pool)>,
    web: web::Settings,
    follow: Option<Background>,
    /// Looks at people again.
    revalidate: Option<Background>,
}

/// A task that ends with its engine, or when another takes its place.
struct Background(JoinHandle<()>);

impl Engine {
    /// Starts with the system's clock and randomness.
    ///
    /// # Errors
    /// Settings that cannot work together, a file that can no longer be used, a store that cannot be opened. A directory that
    /// cannot be reached is no error.
    pub async fn start(config: &Config) -> Result<Engine, Error> {
        Self::start_with(config, ambient::system()).await
    }

    /// Starts with another clock or randomness.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_with(config: &Config, ambient: Ambient) -> Result<Engine, Error> {
        let engine = Self::open(config, ambient).await?;
        engine.live().revalidate = Some(Background::run({
            let accounts = engine.accounts().clone();
            async move { accounts.revalidate().await }
        }));
        Ok(engine)
    }

    /// Starts for one command: it hears of what changes in the store, and leaves looking at people again to programs that
    /// go on.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_for_command(config: &Config) -> Result<Engine, Error> {
        Self::open(config, ambient::system()).await
    }

    async fn open(config: &Config, ambient: Ambient) -> Result<Engine, Error> {
        let (pools, directories) = directories(config, &ambient)?;
        let settings =
            config.account_settings().map_err(|error| Error::because("token.secret_key_file", error))?;
        let store = open_store(config.store_url()).await?;
        let accounts = Accounts::open(settings, directories, store, ambient.clone()).await?;
        let gate = Gate::new(config.web_settings(), accounts.clone())?;
        let follow = Some(Background::run({
            let accounts = accounts.clone();
            async move { accounts.follow().await }
        }));
        let live = Mutex::new(Live { pools, web: config.web_settings(), follow, revalidate: None });
        let (fixed, tls, warnings) = (config.fixed(), config.listener_tls(), config.warnings().to_vec());
        let reloading = tokio::sync::Mutex::default();
        let (store, started, metrics) = (config.store_place(), ambient.clock.now(), Mutex::default());
        let inner = Inner { accounts, gate, fixed, warnings, store, started, metrics, reloading, tls, live };
        Ok(Self(Arc::new(inner)))
    }

    /// People, sessions, tokens, and the one sign-in.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Pages, guards and the API.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Every path of the gateway, for a server of its own; a router that is merged with it has neither `/` nor a fallback.
    pub fn routes(&self) -> Router {
        self.0.gate.routes()
    }

    /// The paths that an application merges with its own: sign in and out, tokens, `/api/`. `/` stays the application's.
    pub fn login_routes(&self) -> Router {
        self.0.gate.embedded_routes()
    }

    /// A layer that lets only people who are signed in through.
    #[must_use]
    pub fn login_required(&self) -> LoginRequired {
        self.0.gate.login_required()
    }

    /// A layer that lets everybody through, so that handlers can take an `Option<CurrentUser>`.
    #[must_use]
    pub fn login_optional(&self) -> LoginOptional {
        self.0.gate.login_optional()
    }

    /// The connections to a directory (`None`: the first).
    #[must_use]
    pub fn pool(&self, directory: Option<&str>) -> Option<Pool> {
        let live = self.live();
        let found = live.pools.iter().find(|(name, _)| directory.is_none_or(|wanted| wanted == name));
        found.map(|(_, pool)| pool.clone())
    }

    /// Serves the gateway and an application's routes on one listener until `shutdown` is ready and the requests under way are done.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn serve(
        &self,
        listener: TcpListener,
        application: impl Into<Option<Router>>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let application = application.into().unwrap_or_default().layer(self.login_optional());
        self.serve_only(listener, self.routes().merge(application), shutdown).await
    }

    /// Serves exactly these routes, with the gateway's limits and its certificate: for applications that merge
    /// [`Engine::login_routes`] with their own. What is dangerous in the configuration is told to the log first.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn serve_only(
        &self,
        listener: TcpListener,
        routes: Router,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        self.tell_what_is_served();
        tell_warnings(&self.0.warnings);
        let metrics = self.show_metrics().await?;
        let options = ServeOptions { tls: self.0.tls.clone(), ..ServeOptions::default() };
        let served = web::serve(listener, routes, options.until(shutdown)).await;
        if let Some(metrics) = metrics {
            metrics.end().await;
        }
        served
    }

    /// `/metrics` and nothing else, in OpenMetrics text: for an application that has a listener of its own for it. Whoever
    /// reads it learns the names of servers and how many people sign in. With `metrics.listen` [`Engine::serve`] shows it
    /// by itself.
    pub fn metrics_routes(&self) -> Router {
        metrics::routes(self.clone())
    }

    /// Where metrics are shown at the moment: `metrics.listen` while [`Engine::serve`] runs, with the port that was really
    /// bound.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        *self.metrics()
    }

    /// Opens the metrics' own listener, where there is to be one and there is none yet.
    async fn show_metrics(&self) -> io::Result<Option<Showing>> {
        let Some(address) = self.0.fixed.metrics.filter(|_| self.metrics_address().is_none()) else {
            return Ok(None);
        };
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot listen on {address} (metrics.listen): {error}"))
        };
        let listener = TcpListener::bind(address).await.map_err(named)?;
        let bound = listener.local_addr()?;
        *self.metrics() = Some(bound);
        tracing::info!("metrics are shown at http://{bound}/metrics");
        let routes = self.metrics_routes();
        let task = Background::run(async move {
            if let Err(error) = web::serve(listener, routes, ServeOptions::default()).await {
                tracing::error!(%error, "metrics are no longer shown");
            }
        });
        Ok(Some(Showing { engine: self.clone(), task: Some(task) }))
    }

    /// The numbers of this moment. The store and the directories are asked for a sign of life.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        let ready = self.accounts().ready().await;
        // Where the store is down, what this process knows of its holds is all there is.
        let holds = self.accounts().holds().await.unwrap_or_default();
        let live = self.live();
        let pools = live.pools.iter().map(|(name, pool)| (name.clone(), pool.metrics())).collect();
        let (counts, people) = (self.accounts().counts(), self.accounts().revalidation());
        Snapshot { started: self.0.started, ready, counts, pools, people, holds }
    }

    fn tell_what_is_served(&self) {
        let live = self.live();
        let directories: Vec<String> =
            live.pools.iter().map(|(name, pool)| format!("{name} ({})", pool.urls().join(" "))).collect();
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            store = self.0.store,
            directories = directories.join(", "),
            "starting"
        );
    }

    fn metrics(&self) -> MutexGuard<'_, Option<SocketAddr>> {
        self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new configuration: for the requests that come from now on. Returns the keys whose change needs a restart; their
    /// old value stays.
    ///
    /// # Errors
    /// When the new one cannot work; the running one stays.
    pub async fn reload(&self, config: &Config) -> Result<Vec<String>, Error> {
        let _one_at_a_time = self.0.reloading.lock().await;
        let (pools, directories) = directories(config, self.0.accounts.ambient())?;
        let settings =
            config.account_settings().map_err(|error| Error::because("token.secret_key_file", error))?;
        let before = self.live().web.clone();
        let mut restart = config.restart_needed(&self.0.fixed);
        restart.extend(self.0.gate.swap(config.web_settings())?.into_iter().map(str::to_owned));
        if let Err(error) = self.0.accounts.reconfigure(settings, directories).await {
            // They were good a moment ago, so there is nothing in them to refuse.
            let _ = self.0.gate.swap(before);
            return Err(error.into());
        }
        let mut live = self.live();
        live.pools = pools;
        live.web = config.web_settings();
        Ok(restart)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the configuration again at each SIGHUP: `load` reads, [`Engine::reload`] takes it. A bad one is told to the log, and the
    /// running one stays. Listens from this call on; the future never ends: run it in a task of its own.
    pub fn reload_on_hangup(
        &self,
        load: impl Fn() -> Result<Config, ConfigErrors> + Send + Sync + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let engine = self.clone();
        let hangups = signal(SignalKind::hangup());
        let load = Arc::new(load);
        async move {
            let mut hangups = match hangups {
                Ok(hangups) => hangups,
                Err(error) => {
                    return tracing::error!(%error, "cannot listen for SIGHUP: only a restart reads the configuration again");
                }
            };
            while hangups.recv().await.is_some() {
                let load = Arc::clone(&load);
                // Files are read where a slow disk holds up no request.
                match tokio::task::spawn_blocking(move || load()).await {
                    Ok(Ok(config)) => engine.reload_and_tell(&config).await,
                    Ok(Err(errors)) => {
                        tracing::error!("the new configuration is bad, the running one stays:\n{errors}");
                    }
                    Err(error) => {
                        tracing::error!(%error, "reading the new configuration failed, the running one stays");
                    }
                }
            }
        }
    }

    async fn reload_and_tell(&self, config: &Config) {
        match self.reload(config).await {
            Ok(restart) => {
                tell_warnings(config.warnings());
                if restart.is_empty() {
                    tracing::info!("configuration reloaded");
                } else {
                    tracing::warn!("configuration reloaded; restart needed for {}", restart.join(", "));
                }
            }
            Err(error) => {
                let error = error.chain();
                tracing::error!("the new configuration does not work, the running one stays: {error}");
            }
        }
    }

    /// Ends what goes on in the background. Requests that are still served get their answers.
    pub async fn shutdown(&self) {
        let tasks = {
            let mut live = self.live();
            [live.follow.take(), live.revalidate.take()]
        };
        for task in tasks.into_iter().flatten() {
            task.end().await;
        }
        self.0.accounts.stop_revalidating().await;
        self.0.accounts.finish().await;
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("fixed", &self.0.fixed).finish_non_exhaustive()
    }
}

impl Background {
    fn run(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }

    /// Ends it, and waits until what it held is free.
    async fn end(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The metrics' own listener, as long as it is there.
struct Showing {
    engine: Engine,
    task: Option<Background>,
}

impl Showing {
    /// Ends it, and waits until its address is free.
    async fn end(mut self) {
        if let Some(task) = self.task.take() {
            task.end().await;
        }
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        *self.engine.metrics() = None;
    }
}

/// Tells the log what is allowed and yet dangerous.
fn tell_warnings(warnings: &[String]) {
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
}

type Pools = Vec<(String, Pool)>;

/// A pool for each directory, none of them opened yet.
fn directories(config: &Config, ambient: &Ambient) -> Result<(Pools, Directories), Error> {
    let connections = config.connections()?;
    let pools: Pools = connections.into_iter().map(|(name, options)| (name, Pool::lazy(options))).collect();
    let together = config.auth_settings().into_iter().zip(pools.iter().map(|(_, pool)| pool.clone()));
    let clock = Arc::clone(&ambient.clock);
    let directories = Directories::new(together.collect(), Arc::new(move || clock.now()))?;
    Ok((pools, directories))
}

/// Opens the configured store.
#[cfg(feature = "sqlite")]
pub(crate) async fn open_store(url: &str) -> Result<Arc<dyn account::Store>, Error> {
    store::open(url).await.map_err(|error| unopened(url, error))
}

/// Without a database there is memory alone.
#[cfg(not(feature = "sqlite"))]
pub(crate) async fn open_store(url: &str) -> Result<Arc<dyn account::Store>, Error> {
    match url {
        "memory:" => Ok(Arc::new(account::MemoryStore::new())),
        _ => Err(Error::Configuration {
            what: format!(
                "store.url {:?}: this program was built without the feature \"sqlite\"",
                crate::config::hidden(url)
            ),
            source: None,
        }),
    }
}
