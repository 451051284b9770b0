//! `serve`: the gateway, until it is asked to stop; SIGHUP reads the configuration again.

use std::future::Future;

use anyhow::Context as _;
use axum::Router;
use ldapgate::{Config, Engine};
use tokio::signal::unix::{SignalKind, signal};

use super::Context;
use crate::exit::Exit;
use crate::output;

/// Serves what the configuration says, or the demonstration.
pub(crate) async fn run(context: &Context, demo: bool) -> Exit {
    let outcome = if demo { super::demo::serve(context).await } else { serve(context).await };
    outcome.unwrap_or_else(|exit| exit)
}

async fn serve(context: &Context) -> Result<Exit, Exit> {
    let config = context.config_and_log().map_err(|_| Exit::USAGE)?;
    let engine = start(&config).await?;
    let listener = listen(&config).await?;
    output::line(&address(&config, &listener));
    let (path, environment) = (context.config.clone(), context.environment.clone());
    let reloads = tokio::spawn(engine.reload_on_hangup(move || Config::find(path.as_deref(), &environment)));
    let served = until_stopped(engine, listener, Router::new(), asked_to_stop()).await;
    reloads.abort();
    served
}

/// Starts the engine; what fails says whose fault it is.
pub(crate) async fn start(config: &Config) -> Result<Engine, Exit> {
    Engine::start(config).await.map_err(|error| {
        let exit = if error.is_configuration() { Exit::USAGE } else { Exit::FAULT };
        output::complain(&error.into());
        exit
    })
}

/// Binds the configured address.
pub(crate) async fn listen(config: &Config) -> Result<tokio::net::TcpListener, Exit> {
    let address = config.listen();
    let bound = tokio::net::TcpListener::bind(address).await;
    let hint = "is another program using it? LDAPGATE_HTTP__LISTEN=127.0.0.1:8081 would choose another";
    bound.with_context(|| format!("cannot listen on {address} (http.listen): {hint}")).map_err(|error| {
        output::complain(&error);
        Exit::FAULT
    })
}

/// `listening on http://...`, with the port that was really bound.
fn address(config: &Config, listener: &tokio::net::TcpListener) -> String {
    let scheme = if config.tls_listener() { "https" } else { "http" };
    let bound = listener.local_addr().unwrap_or_else(|_| config.listen());
    format!("listening on {scheme}://{bound}")
}

/// Serves the gateway's own paths and `extra` until a signal ends it, letting requests under way finish.
pub(crate) async fn until_stopped(
    engine: Engine,
    listener: tokio::net::TcpListener,
    extra: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Exit, Exit> {
    let served = engine.serve(listener, extra, stop).await;
    engine.shutdown().await;
    served.map_err(|error| {
        output::complain(&error.into());
        Exit::FAULT
    })?;
    Ok(Exit::DONE)
}

/// Ends with the first SIGINT or SIGTERM.
pub(crate) fn asked_to_stop() -> impl Future<Output = ()> + Send + 'static {
    first_of([SignalKind::interrupt(), SignalKind::terminate()])
}

/// Ends with the first of these, too when the terminal goes away: for what has no configuration to read again.
pub(crate) fn asked_to_stop_or_hung_up() -> impl Future<Output = ()> + Send + 'static {
    first_of([SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])
}

fn first_of(kinds: impl IntoIterator<Item = SignalKind>) -> impl Future<Output = ()> + Send + 'static {
    // Registered now, not when first polled: a signal in between would otherwise kill.
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    async move {
        std::future::poll_fn(|context| {
            match signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }
}
