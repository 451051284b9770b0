//! What a mechanism may know of the connection it is used on.

use std::time::Duration;

use proto::sasl::ChannelBinding;
use tls::Bindings;

/// A kind of channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binding {
    /// `tls-exporter` (RFC 9266): under TLS 1.3.
    Exporter,
    /// `tls-server-end-point` (RFC 5929): the hash of the server's certificate.
    ServerEndPoint,
}

/// The server and the connection to it, as far as a mechanism needs them.
#[derive(Debug, Clone, Copy)]
pub struct SaslPeer<'c> {
    pub(super) host: &'c str,
    pub(super) port: u16,
    pub(super) is_encrypted: bool,
    pub(super) is_overheard: bool,
    pub(super) bindings: Option<&'c Bindings>,
    pub(super) limit: Duration,
}

impl<'c> SaslPeer<'c> {
    /// The host that the URL names; `localhost` over `ldapi`.
    pub fn host(&self) -> &'c str {
        self.host
    }

    /// The URL's port; 0 over `ldapi`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Is everything encrypted? Active Directory then refuses a layer of the mechanism's own.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// How long the bind may take; what blocks for longer is waited for in vain.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// What the TLS connection gives to bind to.
    pub fn bindings(&self) -> Option<&'c Bindings> {
        self.bindings
    }

    /// The channel binding of this kind; without one the best there is, which is the exporter's.
    pub fn channel_binding(&self, kind: Option<Binding>) -> Option<ChannelBinding> {
        let bindings = self.bindings?;
        let exporter = || bindings.exporter.map(ChannelBinding::tls_exporter);
        let end_point = || bindings.server_end_point.clone().map(ChannelBinding::tls_server_end_point);
        match kind {
            Some(Binding::Exporter) => exporter(),
            Some(Binding::ServerEndPoint) => end_point(),
            None => exporter().or_else(end_point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exporter_goes_first_and_a_kind_that_is_not_there_is_not_replaced() {
        let none = Bindings::default();
        let both = Bindings { exporter: Some([1; 32]), server_end_point: Some(vec![2; 32]) };
        let end_point = Bindings { exporter: None, ..both.clone() };
        for (bindings, kind, expected) in [
            (&both, None, Some("tls-exporter")),
            (&both, Some(Binding::ServerEndPoint), Some("tls-server-end-point")),
            (&end_point, None, Some("tls-server-end-point")),
            (&end_point, Some(Binding::Exporter), None),
            (&none, None, None),
        ] {
            let (bindings, limit) = (Some(bindings), Duration::ZERO);
            let peer =
                SaslPeer { host: "h", port: 636, is_encrypted: true, is_overheard: false, bindings, limit };
            let found = peer.channel_binding(kind);
            assert_eq!(found.as_ref().map(ChannelBinding::name), expected);
        }
    }
}
