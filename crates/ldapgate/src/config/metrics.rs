//! `[metrics]`: where the numbers for Prometheus are shown.

use std::net::SocketAddr;

use super::read::Section;

/// The address of the metrics' own listener; `None`: there is none.
pub(super) fn read(section: Section<'_>) -> Option<SocketAddr> {
    let listen = section.text("listen", "");
    let mut address = None;
    if !listen.value.is_empty() {
        match listen.value.parse::<SocketAddr>() {
            Ok(parsed) => address = Some(parsed),
            Err(_) => super::http::no_address(section.sheet(), "listen", &listen),
        }
    }
    if address.is_some_and(|address| !address.ip().to_canonical().is_loopback()) {
        let warning = "metrics on an address that others can reach: whoever asks learns the names of servers, how many people \
                       sign in and how many are refused";
        section.sheet().warn(&listen.place, warning);
    }
    section.finish();
    address
}
