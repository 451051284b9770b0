//! Which of a server's mechanisms is the strongest that a name and a password can do (RFC 4513 section 5.2).

use super::ScramHash;

/// A mechanism for a name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// SCRAM, with channel binding or without.
    Scram {
        /// The hash.
        hash: ScramHash,
        /// `-PLUS`: bound to the TLS connection.
        plus: bool,
    },
    /// DIGEST-MD5.
    DigestMd5,
    /// CRAM-MD5.
    CramMd5,
    /// PLAIN.
    Plain,
}

/// Best first. What hides the password from the server goes before what shows it.
const RANKED: [Offer; 9] = [
    Offer::Scram { hash: ScramHash::Sha512, plus: true },
    Offer::Scram { hash: ScramHash::Sha256, plus: true },
    Offer::Scram { hash: ScramHash::Sha1, plus: true },
    Offer::Scram { hash: ScramHash::Sha512, plus: false },
    Offer::Scram { hash: ScramHash::Sha256, plus: false },
    Offer::Scram { hash: ScramHash::Sha1, plus: false },
    Offer::DigestMd5,
    Offer::CramMd5,
    Offer::Plain,
];

/// What the connection gives to a mechanism. The default gives nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Channel {
    /// Nobody listens. Without it only SCRAM will do, whatever the server offers or somebody on the way made of its offer.
    pub is_private: bool,
    /// There is a TLS connection to bind to.
    pub has_binding: bool,
}

/// The strongest of the mechanisms that a server names in `supportedSASLMechanisms`; `None` when none is fit.
///
/// ```
/// use ldapgate_proto::sasl::{Channel, Offer, ScramHash, strongest};
///
/// let offered = ["PLAIN", "scram-sha-256", "CRAM-MD5"];
/// let scram = Offer::Scram { hash: ScramHash::Sha256, plus: false };
/// let tls = Channel { is_private: true, has_binding: true };
/// assert_eq!(strongest(offered, tls), Some(scram));
/// assert_eq!(strongest(["PLAIN"], tls), Some(Offer::Plain));
/// assert_eq!(strongest(["PLAIN", "CRAM-MD5"], Channel::default()), None);
/// ```
pub fn strongest<'m>(offered: impl IntoIterator<Item = &'m str>, channel: Channel) -> Option<Offer> {
    let offered: Vec<&str> = offered.into_iter().collect();
    RANKED.into_iter().find(|offer| {
        let fit = match offer {
            Offer::Scram { plus, .. } => !plus || channel.has_binding,
            Offer::DigestMd5 | Offer::CramMd5 | Offer::Plain => channel.is_private,
        };
        fit && offered.iter().any(|name| name.eq_ignore_ascii_case(offer.name()))
    })
}

impl Offer {
    /// The mechanism's registered name.
    pub fn name(self) -> &'static str {
        match self {
            Offer::Scram { hash, plus: false } => hash.mechanism(),
            Offer::Scram { hash, plus: true } => hash.mechanism_plus(),
            Offer::DigestMd5 => "DIGEST-MD5",
            Offer::CramMd5 => "CRAM-MD5",
            Offer::Plain => "PLAIN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_fit_one_is_chosen() {
        let scram = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
        let mixed = ["PLAIN", "LOGIN", "GSSAPI", "EXTERNAL", "DIGEST-MD5", "CRAM-MD5", "NTLM"];
        let clear = Channel::default();
        let private = Channel { is_private: true, ..clear };
        let tls = Channel { has_binding: true, ..private };
        for (offered, channel, expected) in [
            (&scram[..], tls, Some("SCRAM-SHA-256-PLUS")),
            (&scram, private, Some("SCRAM-SHA-256")),
            (&scram, clear, Some("SCRAM-SHA-256")),
            (&mixed, tls, Some("DIGEST-MD5")),
            (&mixed, clear, None),
            (&["CRAM-MD5", "PLAIN"], private, Some("CRAM-MD5")),
            (&["PLAIN"], clear, None),
            (&["GSSAPI"], tls, None),
            (&[], tls, None),
        ] {
            let chosen = strongest(offered.iter().copied(), channel).map(Offer::name);
            assert_eq!(chosen, expected, "{offered:?}");
        }
    }
}
