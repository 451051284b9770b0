//! Channel bindings: what only the two ends of one TLS connection know of it, for authentication above to hold on to.

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use crate::der::{self, Der};

/// The channel bindings of an established connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bindings {
    /// `tls-exporter` (RFC 9266). Under TLS 1.3 alone: TLS 1.2 needs the extended master secret for it, and the TLS
    /// library does not tell whether that was agreed on.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 section 4): the hash of the server's certificate. `None` for a signature algorithm
    /// that names no hash, such as Ed25519, for which nothing is defined.
    pub server_end_point: Option<Vec<u8>>,
}

const LABEL: &[u8] = b"EXPORTER-Channel-Binding";

impl Bindings {
    pub(crate) fn of_client(connection: &rustls::ClientConnection) -> Bindings {
        let server = connection.peer_certificates().and_then(<[_]>::first);
        Bindings {
            exporter: exporter(connection.protocol_version(), |out| {
                connection.export_keying_material(out, LABEL, Some(&[])).is_ok()
            }),
            server_end_point: server.and_then(|certificate| server_end_point(certificate)),
        }
    }

    /// A server's own certificate is not kept by its connection: it gives the exporter alone.
    pub(crate) fn of_server(connection: &rustls::ServerConnection) -> Bindings {
        let exporter = exporter(connection.protocol_version(), |out| {
            connection.export_keying_material(out, LABEL, Some(&[])).is_ok()
        });
        Bindings { exporter, server_end_point: None }
    }
}

fn exporter(
    version: Option<rustls::ProtocolVersion>,
    export: impl FnOnce(&mut [u8; 32]) -> bool,
) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let exported = version == Some(rustls::ProtocolVersion::TLSv1_3) && export(&mut out);
    exported.then_some(out)
}

/// The hash of a certificate's DER by the hash of its signature algorithm; SHA-256 in place of MD5 and SHA-1.
pub(crate) fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let mut certificate = Der::new(certificate).enter(der::SEQUENCE)?;
    certificate.expect(der::SEQUENCE)?;
    let mut algorithm = certificate.enter(der::SEQUENCE)?;
    by_algorithm(algorithm.expect(der::OID)?, algorithm)
}

/// The hash that a signature algorithm's OID names, or its parameters.
fn by_algorithm(oid: &[u8], parameters: Der<'_>) -> Option<Hash> {
    // 1.2.840.113549.1.1, PKCS #1 (RFC 8017), and 1.2.840.10045.4, ECDSA (RFC 5758).
    const PKCS_1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    const PSS: &[u8] = &[10];
    if let Some(rest) = oid.strip_prefix(PKCS_1) {
        return match rest {
            [4 | 5 | 11] => Some(Hash::Sha256),
            [12] => Some(Hash::Sha384),
            [13] => Some(Hash::Sha512),
            [14] => Some(Hash::Sha224),
            PSS => by_pss(parameters),
            _ => None,
        };
    }
    match oid.strip_prefix(ECDSA)? {
        [1] | [3, 2] => Some(Hash::Sha256),
        [3, 1] => Some(Hash::Sha224),
        [3, 3] => Some(Hash::Sha384),
        [3, 4] => Some(Hash::Sha512),
        _ => None,
    }
}

/// RSASSA-PSS (RFC 4055 section 3.1): the hash is its first parameter, SHA-1 when that is left out.
fn by_pss(mut parameters: Der<'_>) -> Option<Hash> {
    const HASH: u8 = 0xa0;
    // 2.16.840.1.101.3.4.2, the SHA-2 family, and 1.3.14.3.2.26, SHA-1.
    const SHA_2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let mut parameters = parameters.enter(der::SEQUENCE)?;
    if parameters.tag() != Some(HASH) {
        return Some(Hash::Sha256);
    }
    let oid = parameters.enter(HASH)?.enter(der::SEQUENCE)?.expect(der::OID)?;
    if oid == SHA_1 {
        return Some(Hash::Sha256);
    }
    match oid.strip_prefix(SHA_2)? {
        [1] => Some(Hash::Sha256),
        [2] => Some(Hash::Sha384),
        [3] => Some(Hash::Sha512),
        [4] => Some(Hash::Sha224),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of a certificate as is looked at: an empty body and a signature algorithm.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
        let mut content = vec![0x30, 0, 0x30, length(algorithm)];
        content.extend_from_slice(algorithm);
        [&[0x30, length(&content)], &content[..]].concat()
    }

    #[test]
    fn the_hash_is_the_signature_algorithms_and_at_least_sha_256() {
        let pkcs_1 = |last: u8| {
            [&[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last][..], &[5, 0]].concat()
        };
        let ecdsa = |last: u8| vec![0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last];
        let sha_384 = [0xa0, 15, 0x30, 13, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 2, 5, 0];
        let pss = [&pkcs_1(10)[..11], &[0x30, 17], &sha_384].concat();
        let pss_default = [&pkcs_1(10)[..11], &[0x30, 0]].concat();
        for (algorithm, expected) in [
            (pkcs_1(4), Some(Hash::Sha256)),
            (pkcs_1(5), Some(Hash::Sha256)),
            (pkcs_1(11), Some(Hash::Sha256)),
            (pkcs_1(12), Some(Hash::Sha384)),
            (pkcs_1(13), Some(Hash::Sha512)),
            (pkcs_1(14), Some(Hash::Sha224)),
            (pkcs_1(1), None),
            (ecdsa(2), Some(Hash::Sha256)),
            (ecdsa(3), Some(Hash::Sha384)),
            (ecdsa(4), Some(Hash::Sha512)),
            (pss, Some(Hash::Sha384)),
            (pss_default, Some(Hash::Sha256)),
            // Ed25519.
            (vec![0x06, 3, 0x2b, 0x65, 0x70], None),
        ] {
            assert_eq!(signature_hash(&certificate(&algorithm)), expected, "{algorithm:02x?}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_binding() {
        for bytes in [&b""[..], &[0x30], &[0x30, 0x80], &[0x30, 2, 0x30, 0], &[0xff; 40]] {
            assert_eq!(server_end_point(bytes), None);
        }
    }

    #[test]
    fn the_whole_certificate_is_hashed() {
        let bytes = certificate(&[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 2]);
        assert_eq!(server_end_point(&bytes), Some(Sha256::digest(&bytes).to_vec()));
    }
}
