//! The least there is: one guarded page. `ldapgate.toml` says where the directory is.

use axum::{Router, routing::get};
use ldapgate::{Config, CurrentUser, Engine};

async fn hello(user: CurrentUser) -> String {
    format!("hello, {}", user.username)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::find(None, &std::env::vars().collect())?;
    let engine = Engine::start(&config).await?;
    let guarded = Router::new().route("/", get(hello)).layer(engine.login_required());
    let listener = tokio::net::TcpListener::bind(config.listen()).await?;
    engine.serve_only(listener, guarded.merge(engine.login_routes()), std::future::pending()).await?;
    Ok(())
}
