//! A name server that says what the test says, by UDP on loopback (RFC 1035 section 4).
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// One SRV record: priority, weight, port, target.
pub(crate) type Srv = (u16, u16, u16, String);

/// What is answered to a name.
#[derive(Clone)]
pub(crate) enum Zone {
    Records(u32, Vec<Srv>),
    /// Response code 2.
    ServerFailure,
    Silence,
}

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    zones: HashMap<String, Zone>,
    asked: Vec<String>,
}

impl NameServer {
    pub(crate) async fn start() -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let task = tokio::spawn(serve(socket, shared.clone()));
        NameServer { address, shared, task }
    }

    /// From now on a name is answered so.
    pub(crate) fn says(&self, name: &str, zone: Zone) {
        self.shared.lock().unwrap().zones.insert(name.to_owned(), zone);
    }

    /// The names that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, shared: Arc<Mutex<Shared>>) {
    let mut packet = [0; 1024];
    while let Ok((length, from)) = socket.recv_from(&mut packet).await {
        let query = &packet[..length];
        let (name, end) = question(query);
        let zone = {
            let mut shared = shared.lock().unwrap();
            shared.asked.push(name.clone());
            shared.zones.get(&name).cloned()
        };
        let (code, records) = match zone {
            Some(Zone::Silence) => continue,
            Some(Zone::ServerFailure) => (2, Vec::new()),
            Some(Zone::Records(ttl, records)) => (0, records.iter().map(|srv| record(ttl, srv)).collect()),
            None => (3, Vec::new()),
        };
        let mut reply = query[..2].to_vec();
        reply.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
        reply.extend(&query[12..end]);
        reply.extend(records.concat());
        drop(socket.send_to(&reply, from).await);
    }
}

/// The name that is asked for in lower case, and where the question ends.
fn question(query: &[u8]) -> (String, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    (labels.join("."), at + 5)
}

fn record(ttl: u32, (priority, weight, port, target): &Srv) -> Vec<u8> {
    let mut data = Vec::new();
    for number in [priority, weight, port] {
        data.extend(number.to_be_bytes());
    }
    for label in target.split('.').filter(|label| !label.is_empty()) {
        data.push(u8::try_from(label.len()).unwrap());
        data.extend(label.as_bytes());
    }
    data.push(0);
    // A pointer to the question's name, the type SRV, the class IN.
    let mut record = vec![0xc0, 12, 0, 33, 0, 1];
    record.extend(ttl.to_be_bytes());
    record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend(data);
    record
}
