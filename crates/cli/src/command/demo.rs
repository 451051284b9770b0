//! `serve --demo`: an embedded directory with example people, a store in a temporary file, the gateway and a sample
//! application. It reads no configuration file and leaves nothing behind.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use directory::{DEMO, Directory, Running, demo_people};
use ldapgate::Config;

use super::Context;
use crate::exit::Exit;
use crate::output;
use crate::telemetry;

/// Serves the demonstration until it is asked to stop.
pub(crate) async fn serve(context: &Context) -> Result<Exit, Exit> {
    // A terminal that is closed ends the demonstration, and its folder goes too.
    let stop = super::serve::asked_to_stop_or_hung_up();
    let folder = tempfile::Builder::new()
        .prefix("ldapgate-demo-")
        .tempdir()
        .context("cannot make a temporary folder")
        .map_err(fault)?;
    let directory = embedded_directory().await.map_err(fault)?;
    let text = configuration(&directory.url(), folder.path());
    let config = Config::parse(&text, Path::new("demo.toml"), &context.environment).map_err(|errors| {
        output::note(&errors.to_string());
        Exit::USAGE
    })?;
    telemetry::start(context.voice, config.log_level(), config.log_json());
    let engine = super::serve::start(&config).await?;
    let listener = super::serve::listen(&config).await?;
    let port = listener.local_addr().map_or(config.listen().port(), |address| address.port());
    let application = super::sample::routes(&engine);
    output::line(&welcome(port, &directory.url()));
    let served = super::serve::until_stopped(engine, listener, application, stop).await;
    directory.stop().await;
    drop(folder);
    served
}

fn fault(error: anyhow::Error) -> Exit {
    output::complain(&error);
    Exit::FAULT
}

async fn embedded_directory() -> anyhow::Result<Running> {
    let directory =
        Directory::builder(Arc::new(ldapgate::system_time)).ldif(DEMO).context("the example people")?.build();
    let listener = Directory::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    Ok(directory.serve(listener).await)
}

/// What a person would write into `ldapgate.toml` for the embedded directory.
fn configuration(url: &str, folder: &Path) -> String {
    let store = folder.join("demo.db");
    format!(
        r#"
[directory]
preset = "openldap"
url = "{url}"
base = "dc=example,dc=com"
bind_dn = "cn=reader,ou=services,dc=example,dc=com"
bind_password = "Reader-Reed-10"

[directory.groups]
nested = true

[directory.access]
deny = "cn=suspended,ou=groups,dc=example,dc=com"

[directory.profile]
fields = {{ first_name = "givenName", last_name = "sn", email = "mail" }}
flags = {{ is_staff = "cn=staff,ou=groups,dc=example,dc=com" }}

[directory.permissions]
from_groups = true

[permissions]
staff = ["reports.view"]
uploaders = ["files.upload"]

[store]
url = "sqlite:{store}"

[http]
listen = "127.0.0.1:8080"
"#,
        store = store.display()
    )
}

fn welcome(port: u16, directory: &str) -> String {
    let people = demo_people();
    let width = people.iter().map(|person| person.name.chars().count()).max().unwrap_or(0);
    let passwords = people.iter().map(|person| person.password.chars().count()).max().unwrap_or(0);
    let (name, password) = people.first().map_or(("", ""), |person| (person.name, person.password));
    let rows: Vec<String> = people
        .iter()
        .map(|person| format!("  {:<width$}  {:<passwords$}  {}", person.name, person.password, person.about))
        .collect();
    format!(
        "ldapgate demonstration: nothing here outlives this process (Ctrl-C ends it)

  application   http://localhost:{port}/app/
  gateway       http://localhost:{port}/
  directory     {directory}  (base dc=example,dc=com)

  user name, password
{rows}

Try:
  open http://localhost:{port}/app/upload, sign in as alice, and land on the page you asked for
  curl -u {name}:{password} -X POST http://localhost:{port}/auth/request-token
  ldapsearch -x -LLL -H {directory} -b dc=example,dc=com '(uid=alice)'
",
        rows = rows.join("\n")
    )
}
