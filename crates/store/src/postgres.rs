//! PostgreSQL: a pool, and an ear for what other processes change.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use account::store::Stirred;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions, PgSslMode};
use sqlx::{Connection as _, Row as _};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::database::{Database, PATIENCE};
use crate::error::{OpenError, is_out_of_reach};
use crate::migrate::{self, Migrated};

/// Connections of one process, at most. Commands take milliseconds.
const CONNECTIONS: u32 = 10;
/// A connection that lay idle for longer is asked whether it still lives.
const DOUBTFUL: Duration = Duration::from_secs(2);
/// What is sent when an account changed, see `audit::note_change`.
const CHANNEL: &str = "ldapgate_change";
/// A setting that a connection to the server itself begins with. Poolers do not pass it on, and through them nobody may
/// listen: the server would tell a connection that is somebody else's a moment later, who cannot make sense of it.
const DIRECT: (&str, &str) = ("ldapgate.listens", "directly");
/// How long it is not listened after the connection was lost, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// What a URL may say after its question mark, but for `notify`.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Connects, and brings the tables up to date.
pub(crate) async fn open(
    url: &str,
    stirred: &Arc<Stirred>,
) -> Result<(Database, Option<Listener>, Migrated), OpenError> {
    let Address { options, listens, told } = Address::from_url(url)?;
    // A pool would try for as long as it may; at the start whoever runs it wants to know at once.
    let first = match timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Ok(connected) => connected.map_err(|error| refused(&told, error))?,
        Err(late) => return Err(OpenError::Unreachable { store: told, source: late.into() }),
    };
    let _ = first.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                Ok(meta.idle_for < DOUBTFUL
                    || matches!(timeout(DOUBTFUL, connection.ping()).await, Ok(Ok(()))))
            })
        })
        .connect_lazy_with(options.clone());
    let database = Database::Postgres(pool);
    let migrated = migrate::run(&database, &told).await?;
    let listener = listens.then(|| Listener::start(options, Arc::clone(stirred)));
    Ok((database, listener, migrated))
}

/// Whether a URL of PostgreSQL lets passwords' worth of data cross a network in clear text: not when it stays on the
/// machine, nor when TLS is required.
pub(crate) fn is_in_the_clear(url: &str) -> Result<bool, OpenError> {
    let Address { options, .. } = Address::from_url(url)?;
    let encrypted =
        matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    let host = options.get_host().trim_matches(['[', ']']);
    let local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    Ok(!encrypted && !local)
}

/// A URL of PostgreSQL, understood.
pub(crate) struct Address {
    pub(crate) options: PgConnectOptions,
    /// `notify=off` says no.
    listens: bool,
    /// For people: server and database.
    pub(crate) told: String,
}

impl Address {
    pub(crate) fn from_url(url: &str) -> Result<Self, OpenError> {
        let malformed = |what: String| OpenError::Malformed { what };
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut listens = true;
        let mut kept = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name, value) {
                ("notify", "on") => listens = true,
                ("notify", "off") => listens = false,
                ("notify", _) => return Err(malformed("notify is on or off".to_owned())),
                (known, _) if PARAMETERS.contains(&known) => {
                    kept.push(parameter);
                }
                (other, _) if other.chars().all(|c| c.is_ascii_alphanumeric() || "_-[]".contains(c)) => {
                    return Err(malformed(format!("there is no parameter {other:?}")));
                }
                // Perhaps a part of the password, which stays untold.
                _ => {
                    return Err(malformed(
                        "what follows the ? are no parameters; in a password ? is written %3F".to_owned(),
                    ));
                }
            }
        }
        let mut options = PgConnectOptions::from_str(&format!("{place}?{}", kept.join("&")))
            .map_err(|error| malformed(root(&error)))?
            // PgBouncer refuses to pass it on, and no number here is a fraction.
            .extra_float_digits(None);
        if options.get_application_name().is_none() {
            options = options.application_name("ldapgate");
        }
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let told = format!("postgres://{place}/{database}");
        Ok(Self { options, listens, told })
    }
}

/// The innermost words of an error: the outer ones may repeat the URL.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Why the first connection was not made.
pub(crate) fn refused(told: &str, error: sqlx::Error) -> OpenError {
    let store = told.to_owned();
    let code = error.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned);
    let hint = match code.as_deref() {
        Some("28P01" | "28000") => "look at user and password in store.url, and at the server's pg_hba.conf",
        Some("3D000") => "there is no such database; create it, owned by this user",
        Some("42501") => "this user may not connect to the database; grant it that",
        // PgBouncer says everything with this one.
        Some("08P01") => "look at user, password and database in store.url, and at the server's log",
        _ if is_tls(&error) => return OpenError::Tls { store, source: error.into() },
        _ if is_out_of_reach(&error) => return OpenError::Unreachable { store, source: error.into() },
        _ => "look at its log",
    };
    OpenError::Refused { store, hint, source: error.into() }
}

/// A certificate that is not to be trusted arrives as data that is not valid.
fn is_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Listens for other processes' changes until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(JoinHandle<()>);

impl Listener {
    fn start(options: PgConnectOptions, stirred: Arc<Stirred>) -> Self {
        let options = options.options([DIRECT]);
        Self(tokio::spawn(async move {
            let mut again = AGAIN.0;
            loop {
                match connect(&options).await {
                    Ok(Some(listener)) => {
                        again = AGAIN.0;
                        listen(listener, &stirred).await;
                        tracing::info!(
                            "the store's word of other gateways' changes was lost; they are asked for"
                        );
                    }
                    Ok(None) => {
                        return tracing::info!(
                            "a pooler stands before the store, so other gateways' changes are asked for, not heard of"
                        );
                    }
                    Err(error) => {
                        tracing::debug!(%error, "not listening for other gateways' changes");
                        again = AGAIN.1.min(again * 2);
                    }
                }
                tokio::time::sleep(again).await;
            }
        }))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection that listens; `None`: this is not the server itself.
async fn connect(options: &PgConnectOptions) -> Result<Option<PgListener>, sqlx::Error> {
    let alone = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let alone = alone.acquire_timeout(PATIENCE).connect_lazy_with(options.clone());
    let mut listener = match PgListener::connect_with(&alone).await {
        Ok(listener) => listener,
        Err(error) if is_unsupported(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    listener.eager_reconnect(false);
    let asked = sqlx::raw_sql("select coalesce(current_setting('ldapgate.listens', true), '')");
    let found: String = asked.fetch_one(&mut listener).await?.try_get(0)?;
    if found != DIRECT.1 {
        return Ok(None);
    }
    listener.listen(CHANNEL).await?;
    Ok(Some(listener))
}

/// "unsupported startup parameter", which PgBouncer says of what it does not pass on.
fn is_unsupported(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some("08P01") && error.message().contains("startup parameter")
    })
}

/// Listens for as long as the connection lasts.
async fn listen(mut listener: PgListener, stirred: &Stirred) {
    tracing::debug!("listening for other gateways' changes");
    // Whatever was sent before this has been missed.
    stirred.stir();
    while let Ok(Some(_)) = listener.try_recv().await {
        stirred.stir();
    }
}
