//! `[metrics]`: its room comes later; only "off" is taken.

use std::net::SocketAddr;

use super::read::Section;

pub(super) fn read(section: Section<'_>) {
    let listen = section.text("listen", "");
    if !listen.value.is_empty() {
        match listen.value.parse::<SocketAddr>() {
            Ok(_) => section.sheet().not_yet(&listen.place, "metrics.listen"),
            Err(_) => super::http::no_address(section.sheet(), "listen", &listen),
        }
    }
    section.mark_not_yet(&["listen"]);
    section.finish();
}
