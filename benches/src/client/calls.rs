//! Many small operations: compares side by side on one connection, binds on several.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use proto::Password;

use super::search::{connect, connect_ldap3};
use super::worker::Place;
use crate::world::{PASSWORD, READER, dn, name};

const COMPARES: usize = 20_000;
const AT_ONCE: usize = 64;
const BINDS: usize = 4_000;
const CONNECTIONS: usize = 8;

pub(crate) async fn compares_ours(place: &Place) -> anyhow::Result<usize> {
    let (connection, next, people) = (connect(place).await?, Arc::new(AtomicUsize::new(0)), place.people);
    all(AT_ONCE, |_| {
        let (connection, next) = (connection.clone(), next.clone());
        async move {
            while let Some(n) = take(&next, COMPARES) {
                let n = n % people;
                ensure!(connection.compare(&dn(n), "uid", name(n)).await?, "{n} is somebody else");
            }
            Ok(())
        }
    })
    .await
}

pub(crate) async fn compares_ldap3(place: &Place) -> anyhow::Result<usize> {
    let (ldap, next, people) = (connect_ldap3(place).await?, Arc::new(AtomicUsize::new(0)), place.people);
    all(AT_ONCE, |_| {
        let (mut ldap, next) = (ldap.clone(), next.clone());
        async move {
            while let Some(n) = take(&next, COMPARES) {
                let n = n % people;
                ensure!(ldap.compare(&dn(n), "uid", name(n)).await?.equal()?, "{n} is somebody else");
            }
            Ok(())
        }
    })
    .await
}

pub(crate) async fn binds_ours(place: &Place) -> anyhow::Result<usize> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect(place).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    all(CONNECTIONS, |at| {
        let (connection, next) = (connections[at].clone(), next.clone());
        async move {
            let password = Password::new(PASSWORD)?;
            while take(&next, BINDS).is_some() {
                ensure!(connection.bind(READER, &password).await?.is_success(), "the bind was refused");
            }
            Ok(())
        }
    })
    .await
}

pub(crate) async fn binds_ldap3(place: &Place) -> anyhow::Result<usize> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect_ldap3(place).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    all(CONNECTIONS, |at| {
        let (mut ldap, next) = (connections[at].clone(), next.clone());
        async move {
            while take(&next, BINDS).is_some() {
                ldap.simple_bind(READER, PASSWORD).await?.success()?;
            }
            Ok(())
        }
    })
    .await
}

fn take(next: &AtomicUsize, of: usize) -> Option<usize> {
    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < of)
}

/// Lets so many work at the same time.
async fn all<F>(count: usize, work: impl Fn(usize) -> F) -> anyhow::Result<usize>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|at| tokio::spawn(work(at))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(count)
}
