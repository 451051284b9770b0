//! The demonstration's sample application: an open page at `/app/`, a guarded one at `/app/upload`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use ldapgate::{CurrentUser, Engine, Permission, Require};

/// Who may upload: the demonstration's configuration gives it to the group `uploaders`.
struct Upload;
impl Permission for Upload {
    const NAME: &'static str = "files.upload";
}

/// The application's routes; this is all an application has to write.
pub(crate) fn routes(engine: &Engine) -> Router {
    let guarded = Router::new().route("/app/upload", get(upload).post(take)).layer(engine.login_required());
    Router::new().route("/app/", get(home)).merge(guarded)
}

async fn home(user: Option<CurrentUser>) -> Html<String> {
    let who = match user {
        Some(user) => format!("<p>You are <strong>{}</strong>.</p>", escape(&user.username)),
        None => "<p>You are not signed in.</p>".to_owned(),
    };
    Html(page(
        "Sample application",
        &format!(
            "{who}<p><a href=\"/app/upload\">Upload page</a> (guarded)</p><p><a href=\"/\">My account</a></p>"
        ),
    ))
}

async fn upload(user: CurrentUser) -> Html<String> {
    let form = match user.permissions.iter().any(|permission| permission == Upload::NAME) {
        true => "<form method=\"post\"><button type=\"submit\">Upload nothing in particular</button></form>",
        false => "<p>You may look, but not upload: that takes a member of the group uploaders.</p>",
    };
    let groups: String =
        user.groups.iter().map(|group| format!("<li>{}</li>", escape(&group.name))).collect();
    Html(page(
        "Upload",
        &format!(
            "<p>Welcome, <strong>{}</strong>. Only people who signed in see this page.</p>{form}<p>Your groups:</p><ul>{groups}</ul>\
             <p><a href=\"/app/\">Back</a></p>",
            escape(&user.username)
        ),
    ))
}

/// Everybody without the permission gets 403.
async fn take(user: Require<Upload>) -> Html<String> {
    Html(page(
        "Thank you",
        &format!("<p>Thank you for nothing, <strong>{}</strong>.</p>", escape(&user.username)),
    ))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title></head>\n<body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}
