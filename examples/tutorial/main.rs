//! The tutorial's login page before an upload form, as a whole application.
//!
//! The login form and the page that says what went wrong are ldapgate's `/login`, token against forged forms
//! included. The application has its start page, the page after a successful login, and `/upload`, which nobody reaches
//! by typing its address. Where the directory is stands in `ldapgate.toml`, not here.
//!
//! ```sh
//! ldapgate directory crates/directory/demo.ldif --listen 127.0.0.1:3890 &
//! cargo run -p ldapgate-examples --bin tutorial -- examples/tutorial/ldapgate.toml
//! ```

use std::path::PathBuf;

use axum::Router;
use axum::extract::Form;
use axum::response::{Html, Redirect};
use axum::routing::get;
use ldapgate::{Config, CurrentUser, Engine};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let config = Config::find(file.as_deref(), &std::env::vars().collect())?;
    let engine = Engine::start(&config).await?;
    let listener = tokio::net::TcpListener::bind(config.listen()).await?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    engine.serve_only(listener, application(&engine), stop).await?;
    engine.shutdown().await;
    Ok(())
}

/// Open pages, guarded pages, and ldapgate's own.
fn application(engine: &Engine) -> Router {
    let open = Router::new().route("/", get(start)).layer(engine.login_optional());
    let guarded = Router::new()
        .route("/success", get(success))
        .route("/upload", get(upload_form).post(upload))
        .layer(engine.login_required());
    open.merge(guarded).merge(engine.login_routes())
}

/// The start page is for everybody and still knows who is there.
async fn start(user: Option<CurrentUser>) -> Html<String> {
    match user {
        None => page("Welcome", r#"<p><a href="/login?next=/success">Sign in</a></p>"#),
        Some(user) => {
            let body = r#"<p><a href="/upload">Upload something</a> or <a href="/logout">sign out</a></p>"#;
            page(&format!("Welcome back, {}", name(&user)), body)
        }
    }
}

/// Where `/login?next=/success` leads.
async fn success(user: CurrentUser) -> Html<String> {
    let groups: String =
        user.groups.iter().map(|group| format!("<li>{}</li>", escape(&group.name))).collect();
    let body = format!(
        r#"<p>You are in these groups:</p><ul>{groups}</ul><p><a href="/upload">Upload something</a></p>"#
    );
    page(&format!("You are signed in, {}", name(&user)), &body)
}

async fn upload_form(user: CurrentUser) -> Html<String> {
    let body = r#"<form method="post"><label>Text <input name="text" required></label> <button>Upload</button></form>"#;
    page(&format!("Upload as {}", name(&user)), body)
}

async fn upload(
    user: CurrentUser,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Html<String>, Redirect> {
    let text = fields.iter().find(|(field, _)| field == "text").map_or("", |(_, text)| text);
    if text.is_empty() {
        return Err(Redirect::to("/upload"));
    }
    let body = format!("<p>{} characters from {}.</p>", text.chars().count(), escape(&user.username));
    Ok(page("Thank you", &body))
}

/// The first name, where the directory told one.
fn name(user: &CurrentUser) -> &str {
    user.fields.get("first_name").unwrap_or(&user.username)
}

fn page(title: &str, body: &str) -> Html<String> {
    let title = escape(title);
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    ))
}

/// What people and directories say is text, never markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
