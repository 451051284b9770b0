//! The least that a check could cost: a MAC over what the cookie holds and one look into a map, or one row by its key.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use ring::hmac;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{ColumnIndex, Row, ValueRef as _};

use crate::turns::Client;

/// As many connections as the store has for reading.
const SQLITE_CONNECTIONS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;

/// Every column of a session and of its account.
const SELECT: &str =
    "select * from session join account on account.id = session.account where session.digest = $1";

type Digest = [u8; SHA256_OUTPUT_LEN];

/// A MAC, a digest, a look into a map.
#[derive(Clone)]
pub(crate) struct Seal(Arc<Sealed>);

struct Sealed {
    key: hmac::Key,
    cookies: Vec<String>,
    sessions: Mutex<HashMap<Digest, Arc<str>>>,
}

impl Seal {
    pub(crate) fn new(sessions: usize) -> anyhow::Result<Self> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let ids: Vec<Digest> = (0..sessions).map(|n| sha256(&n.to_be_bytes())).collect();
        let cookies = ids.iter().map(|id| {
            let tag = hmac::sign(&key, id);
            format!("{}.{}", URL_SAFE_NO_PAD.encode(id), URL_SAFE_NO_PAD.encode(tag))
        });
        let cookies = cookies.collect();
        let sessions = ids.iter().map(|id| (sha256(id), Arc::from("somebody"))).collect();
        Ok(Self(Arc::new(Sealed { key, cookies, sessions: Mutex::new(sessions) })))
    }
}

impl Client for Seal {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        let (id, tag) = self.0.cookies[n].split_once('.').context("a dot")?;
        let (id, tag) = (URL_SAFE_NO_PAD.decode(id)?, URL_SAFE_NO_PAD.decode(tag)?);
        hmac::verify(&self.0.key, &id, &tag).map_err(|_| anyhow::anyhow!("a forged cookie"))?;
        let sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&sha256(&id)).context("a session")?;
        Ok(())
    }
}

/// One row by its key.
#[derive(Clone)]
pub(crate) struct Select {
    pool: Pool,
    digests: Arc<[Digest]>,
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Select {
    pub(crate) async fn open(store: &str, cookies: &[String]) -> anyhow::Result<Self> {
        let digests: Vec<Digest> = cookies.iter().map(|cookie| key(cookie)).collect::<Result<_, _>>()?;
        Ok(Self { pool: Pool::open(store).await?, digests: digests.into() })
    }
}

impl Client for Select {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        let key = self.digests[n].to_vec();
        match &self.pool {
            Pool::Sqlite(pool) => look_at(&sqlx::query(SELECT).bind(key).fetch_one(pool).await?),
            Pool::Postgres(pool) => look_at(&sqlx::query(SELECT).bind(key).fetch_one(pool).await?),
        }
    }
}

impl Pool {
    async fn open(store: &str) -> anyhow::Result<Self> {
        if store.starts_with("postgres:") {
            let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).test_before_acquire(false);
            return Ok(Self::Postgres(pool.connect(store).await?));
        }
        let options = SqliteConnectOptions::from_str(store)?.read_only(true);
        let pool = SqlitePoolOptions::new().max_connections(SQLITE_CONNECTIONS).test_before_acquire(false);
        Ok(Self::Sqlite(pool.connect_with(options).await?))
    }
}

fn look_at<R: Row>(row: &R) -> anyhow::Result<()>
where
    usize: ColumnIndex<R>,
{
    for column in 0..row.len() {
        let _ = row.try_get_raw(column)?.is_null();
    }
    Ok(())
}

/// What a session is kept under.
fn key(cookie: &str) -> anyhow::Result<Digest> {
    let (id, _tag) = cookie.split_once('.').context("a cookie has a dot")?;
    Ok(sha256(&URL_SAFE_NO_PAD.decode(id)?))
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; SHA256_OUTPUT_LEN];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
