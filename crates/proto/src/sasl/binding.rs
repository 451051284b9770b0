/// A channel binding (RFC 5056): something that only the two ends of one TLS connection share, so that a proof given here
/// is of no use to somebody in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelBinding {
    pub(super) name: String,
    pub(super) data: Vec<u8>,
}

impl ChannelBinding {
    /// `tls-exporter` (RFC 9266): the 32 octets that the connection exports.
    pub fn tls_exporter(exported: impl Into<Vec<u8>>) -> ChannelBinding {
        ChannelBinding::new("tls-exporter", exported)
    }

    /// `tls-server-end-point` (RFC 5929 section 4): the hash of the server's certificate.
    pub fn tls_server_end_point(hash: impl Into<Vec<u8>>) -> ChannelBinding {
        ChannelBinding::new("tls-server-end-point", hash)
    }

    /// Any other. OpenLDAP 2.5 with `sasl-cbinding tls-endpoint` calls its binding `ldap` and puts `tls-server-end-point:`
    /// before the hash.
    ///
    /// ```
    /// use ldapgate_proto::sasl::ChannelBinding;
    /// let binding = ChannelBinding::new("ldap", *b"tls-server-end-point:...");
    /// assert_eq!(binding.name(), "ldap");
    /// ```
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> ChannelBinding {
        ChannelBinding { name: name.into(), data: data.into() }
    }

    /// Its registered name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is shared.
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}
