use super::Control;
use crate::ber::{Error, Tag, Writer};

/// Session tracking (draft-wahl-ldap-session): for whom a request is made, so that the server's log can tell. The server
/// believes it or not; it grants nothing.
///
/// ```
/// use ldapgate_proto::control::SessionTracking;
///
/// let tracking = SessionTracking {
///     source_ip: "192.0.2.7".to_owned(),
///     source_name: "wiki.example.com".to_owned(),
///     format: SessionTracking::USERNAME.to_owned(),
///     identifier: "ada".to_owned(),
/// };
/// assert_eq!(SessionTracking::parse(&tracking.to_control())?, tracking);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionTracking {
    /// The address that the session comes from; may be empty.
    pub source_ip: String,
    /// The application's host or name; may be empty.
    pub source_name: String,
    /// What kind of identifier it is, as an OID.
    pub format: String,
    /// The session's or the user's identifier.
    pub identifier: String,
}

impl SessionTracking {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.21008.108.63.1";

    /// The identifier is a RADIUS `Acct-Session-Id`.
    pub const RADIUS_SESSION: &'static str = "1.3.6.1.4.1.21008.108.63.1.1";
    /// The identifier is a RADIUS `Acct-Multi-Session-Id`.
    pub const RADIUS_MULTI_SESSION: &'static str = "1.3.6.1.4.1.21008.108.63.1.2";
    /// The identifier is a user's name.
    pub const USERNAME: &'static str = "1.3.6.1.4.1.21008.108.63.1.3";

    /// The control that says this. Never critical (the draft's section 2).
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            for text in [&self.source_ip, &self.source_name, &self.format, &self.identifier] {
                writer.octets(Tag::OCTETS, text);
            }
        });
        Control::new(SessionTracking::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SessionTracking, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let mut text = |what| Ok(content.text(Tag::OCTETS, what)?.to_owned());
        let tracking = SessionTracking {
            source_ip: text("source address")?,
            source_name: text("source name")?,
            format: text("format")?,
            identifier: text("session identifier")?,
        };
        content.finish()?;
        Ok(tracking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_has_the_bytes_that_ldapsearch_sends() {
        let tracking = SessionTracking {
            source_ip: "127.0.0.1".to_owned(),
            source_name: "vm".to_owned(),
            format: SessionTracking::USERNAME.to_owned(),
            identifier: "u".to_owned(),
        };
        let bytes = b"\x30\x30\x04\x09127.0.0.1\x04\x02vm\x04\x1c1.3.6.1.4.1.21008.108.63.1.3\x04\x01u";
        assert_eq!(tracking.to_control().value.as_deref(), Some(&bytes[..]));
    }

    proptest! {
        #[test]
        fn every_session_comes_back(texts in proptest::array::uniform4(".{0,150}")) {
            let [source_ip, source_name, format, identifier] = texts;
            let tracking = SessionTracking { source_ip, source_name, format, identifier };
            prop_assert_eq!(SessionTracking::parse(&tracking.to_control()), Ok(tracking));
        }
    }
}
