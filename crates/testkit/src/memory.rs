//! The in-memory directory with the world in it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use directory::{Directory, Kind, Running};
use tls::ServerTls;

use crate::certificate::{Authority, Flaw};

/// 2026-01-01, the world's time: nothing in it depends on the day of the test.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// The in-memory directory on two loopback ports, plain (with StartTLS) and ldaps.
pub(crate) struct Memory {
    directory: Directory,
    plain: SocketAddr,
    secure: SocketAddr,
    running: Vec<Running>,
}

impl Memory {
    /// Starts a directory that holds `ldif` and shows a certificate with `flaw`.
    pub(crate) async fn start(ldif: &str, authority: &Authority, flaw: Flaw) -> Self {
        let pair = authority.server(flaw);
        let tls = ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes())
            .expect("the certificate is a certificate");
        let directory = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH + NOW))
            .tls(tls)
            .ldif(ldif)
            .expect("the world is good LDIF")
            .build();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut memory = Self { directory, plain: any, secure: any, running: Vec::new() };
        memory.resume().await;
        (memory.plain, memory.secure) = (memory.running[0].address(), memory.running[1].address());
        memory
    }

    pub(crate) fn ldap_url(&self) -> String {
        format!("ldap://localhost:{}", self.plain.port())
    }

    pub(crate) fn ldaps_url(&self) -> String {
        format!("ldaps://localhost:{}", self.secure.port())
    }

    pub(crate) fn connections(&self) -> usize {
        usize::try_from(self.directory.counters().connections).expect("a test opens few connections")
    }

    pub(crate) fn requests(&self) -> usize {
        let asked = |kind| !matches!(kind, Kind::Unbind | Kind::Abandon);
        self.directory.operations().iter().filter(|operation| asked(operation.kind)).count()
    }

    pub(crate) async fn stop(&mut self) {
        for running in self.running.drain(..) {
            running.stop().await;
        }
    }

    pub(crate) async fn resume(&mut self) {
        let plain = listen(self.plain).await;
        let secure = listen(self.secure).await;
        self.running = vec![self.directory.serve(plain).await, self.directory.serve_ldaps(secure).await];
    }
}

/// Listens on an address that may have been taken for a moment, by an outgoing connection say, since it was given up.
async fn listen(address: SocketAddr) -> tokio::net::TcpListener {
    for _ in 0..100 {
        if let Ok(listener) = Directory::listen(address).await {
            return listener;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Directory::listen(address).await.expect("the port is free")
}
