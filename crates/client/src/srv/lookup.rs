//! The question to the DNS, asked by hickory.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use super::Record;
use super::discovery::{Answer, Problem};

/// Records that are looked at of one answer.
const MOST: usize = 256;

/// Asks the system's name servers, or these.
///
/// The resolver is made anew each time, which is seldom: so a change of the system's configuration is seen, and no task is
/// left behind in a runtime that may end.
pub(super) async fn records(name: &str, name_servers: &[SocketAddr]) -> Answer {
    let failed = |reason: String| Problem::Failed(reason);
    let mut builder = match name_servers.is_empty() {
        true => TokioResolver::builder_tokio().map_err(|error| failed(error.to_string()))?,
        false => TokioResolver::builder_with_config(asking(name_servers), TokioRuntimeProvider::default()),
    };
    // What is remembered, and for how long, is decided by the caller.
    builder.options_mut().cache_size = 0;
    let resolver = builder.build().map_err(|error| failed(error.to_string()))?;
    let lookup = match resolver.srv_lookup(name).await {
        Ok(lookup) => lookup,
        Err(error) if error.is_no_records_found() => return Err(Problem::Nothing),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut ttl = u32::MAX;
    let mut records = Vec::new();
    for answer in lookup.answers().iter().take(MOST) {
        let RData::SRV(srv) = &answer.data else { continue };
        ttl = ttl.min(answer.ttl);
        records.push(Record {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii().trim_end_matches('.').to_ascii_lowercase(),
        });
    }
    if records.is_empty() {
        return Err(Problem::Nothing);
    }
    Ok((records, Duration::from_secs(ttl.into())))
}

fn asking(name_servers: &[SocketAddr]) -> ResolverConfig {
    let at = |server: &SocketAddr| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.to_vec())
    };
    ResolverConfig::from_parts(None, Vec::new(), name_servers.iter().map(at).collect())
}
