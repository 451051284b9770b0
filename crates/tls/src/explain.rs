//! A failed handshake in words: what is wrong, and what to do.

use std::io;
use std::time::{Duration, SystemTime};

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use crate::certificate::list;
use crate::verify::Refused;
use crate::{Certificate, Error, HandshakeFault as Fault, Version, date};

/// What the client asked for.
pub(crate) struct Asked<'a> {
    pub(crate) name: &'a ServerName<'static>,
    pub(crate) min_version: Version,
    pub(crate) has_identity: bool,
}

/// Why the client gave up.
pub(crate) fn client(asked: &Asked<'_>, error: &io::Error) -> Error {
    let host = asked.name.to_str().into_owned();
    let refused = library(error).and_then(refused);
    let (fault, problem, advice) = match (refused, library(error)) {
        (Some(refused), _) => refusal(refused, &host),
        (None, Some(error)) => protocol(asked, error),
        (None, None) => transport(error),
    };
    let certificate = refused.and_then(|refused| refused.certificate.clone()).map(Box::new);
    Error::Handshake { host, fault, problem, certificate, advice }
}

/// Why the server gave up.
pub(crate) fn server(error: io::Error) -> Error {
    use rustls::Error as Tls;
    let problem = match library(&error) {
        Some(Tls::InvalidMessage(InvalidMessage::InvalidContentType)) => "it does not speak TLS".to_owned(),
        Some(Tls::AlertReceived(alert)) => match is_about_certificate(*alert) {
            true => format!("it does not accept this server's certificate ({alert:?})"),
            false => format!("it refused ({alert:?})"),
        },
        Some(Tls::PeerIncompatible(reason)) => format!("nothing in common ({reason:?})"),
        Some(Tls::NoCertificatesPresented) => "it presented no certificate".to_owned(),
        Some(other) => other.to_string(),
        None if is_close(&error) => "it closed the connection".to_owned(),
        None => "the connection broke".to_owned(),
    };
    Error::Accept { problem, source: error }
}

/// An alert after the handshake: with TLS 1.3 a server judges the client's certificate only then.
pub(crate) fn established(error: io::Error) -> io::Error {
    let Some(rustls::Error::AlertReceived(alert)) = library(&error) else { return error };
    let problem = match alert {
        AlertDescription::CertificateRequired => "it requires a client certificate".to_owned(),
        alert if is_about_certificate(*alert) => format!("it does not accept our certificate ({alert:?})"),
        alert => format!("{alert:?}"),
    };
    io::Error::new(error.kind(), Error::Alert { problem })
}

fn library(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn refused(error: &rustls::Error) -> Option<&Refused> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

type Explained = (Fault, String, String);

fn explained(fault: Fault, problem: impl Into<String>, advice: impl Into<String>) -> Explained {
    (fault, problem.into(), advice.into())
}

/// The server's certificate was refused.
fn refusal(refused: &Refused, host: &str) -> Explained {
    use CertificateError as Bad;
    let rustls::Error::InvalidCertificate(reason) = &refused.reason else {
        return unacceptable(&refused.reason.to_string());
    };
    // A signature by a key that is too short is reported as a bad one.
    if let (Bad::BadSignature, Some((subject, bits))) = (reason, &refused.weak_key) {
        return explained(
            Fault::Unacceptable,
            format!("the RSA key of {subject} has {bits} bits, which can be broken"),
            "issue that certificate anew with a key of RSA 2048, P-256 or better",
        );
    }
    match reason {
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            wrong_host(refused.certificate.as_ref(), host)
        }
        Bad::ExpiredContext { time, not_after } => {
            let which = whose(refused.certificate.as_ref().and_then(|own| own.not_after), *not_after);
            let (end, now) = (show(*not_after), show(*time));
            explained(
                Fault::Expired,
                format!("{which} expired on {end} (it is {now} here)"),
                "renew the certificate on the server; when the time here is wrong, set this machine's clock",
            )
        }
        Bad::NotValidYetContext { time, not_before } => {
            let which = whose(refused.certificate.as_ref().and_then(|own| own.not_before), *not_before);
            let (start, now) = (show(*not_before), show(*time));
            explained(
                Fault::NotYetValid,
                format!("{which} is not valid before {start} (it is {now} here)"),
                "check this machine's clock and the one of the machine that issued the certificate",
            )
        }
        Bad::Expired => explained(Fault::Expired, "a certificate expired", "renew it on the server"),
        Bad::NotValidYet => {
            explained(Fault::NotYetValid, "a certificate is not valid yet", "check this machine's clock")
        }
        Bad::UnknownIssuer | Bad::BadSignature => unknown_issuer(refused),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => explained(
            Fault::Unacceptable,
            "the certificate was not issued for servers (extended key usage)",
            "issue one with the usage serverAuth",
        ),
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => explained(
            Fault::Unacceptable,
            "a certificate is signed in a way that is no longer accepted, such as SHA-1",
            "issue it anew with SHA-256 and a key of RSA 2048, P-256 or better",
        ),
        other if other.to_string().contains("CaUsedAsEndEntity") => explained(
            Fault::Unacceptable,
            "the server uses an authority's certificate (CA:TRUE) as its own",
            "issue a certificate for the server, or name this very certificate in ca_files to trust it alone",
        ),
        other => unacceptable(&other.to_string()),
    }
}

fn unacceptable(reason: &str) -> Explained {
    explained(
        Fault::Unacceptable,
        format!("the certificate is not acceptable: {reason}"),
        "issue a new certificate for the server",
    )
}

fn wrong_host(certificate: Option<&Certificate>, host: &str) -> Explained {
    let Some(certificate) = certificate else { return unacceptable("it is for another host") };
    if certificate.names.is_empty() {
        let name = match &certificate.common_name {
            Some(name) => format!("only the common name {name}, which is not looked at"),
            None => "no name at all".to_owned(),
        };
        return explained(
            Fault::WrongHost,
            format!("the certificate carries {name}"),
            format!("issue one whose subjectAltName holds {host} (RFC 9525)"),
        );
    }
    let advice = match certificate.names.iter().find(|name| !name.contains('*')) {
        Some(name) => format!(
            "use one of its names in the URL, set server_name = \"{name}\" if that is the server meant, or issue a \
             certificate for {host}"
        ),
        None => format!("use a name that fits in the URL, or issue a certificate for {host}"),
    };
    let names = list(&certificate.names);
    explained(Fault::WrongHost, format!("the certificate is not for {host} but for {names}"), advice)
}

fn unknown_issuer(refused: &Refused) -> Explained {
    let issuer = refused.certificate.as_ref().map_or("an unknown authority", |own| own.issuer.as_str());
    let self_signed = refused.certificate.as_ref().is_some_and(|own| own.self_signed);
    if refused.nothing_trusted {
        return explained(
            Fault::NothingTrusted,
            "no authority is trusted: the system has no CA certificates and none are configured",
            "install the package ca-certificates, or name the authority's file in ca_files",
        );
    }
    if refused.knows_name_of_issuer {
        return explained(
            Fault::UnknownIssuer,
            format!("an authority named {issuer} is trusted, but its key did not sign this certificate"),
            "the authority was probably made anew: get its present certificate into ca_files",
        );
    }
    if self_signed {
        return explained(
            Fault::SelfSigned,
            "the certificate is self-signed, and not one of those that are trusted",
            "put this certificate into ca_files after comparing it with the server's own file, or have an authority \
             issue one",
        );
    }
    let chain = match refused.intermediates {
        0 => ", and let the server send its intermediate certificates if it has any (it sent none)",
        _ => "",
    };
    explained(
        Fault::UnknownIssuer,
        format!("nobody who is trusted here signed the certificate; {issuer} did"),
        format!("put the certificate of that authority, or of the one above it, into ca_files{chain}"),
    )
}

/// TLS itself failed.
fn protocol(asked: &Asked<'_>, error: &rustls::Error) -> Explained {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            explained(
                Fault::NoTls,
                "what answers there does not speak TLS",
                "check the port: ldaps is usually 636; a server on 389 wants ldap:// with start_tls",
            )
        }
        Tls::AlertReceived(AlertDescription::ProtocolVersion)
        | Tls::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => old_protocol(asked.min_version),
        Tls::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity)
        | Tls::PeerIncompatible(_) => explained(
            Fault::Refused,
            "the server and this program have no way of encryption in common",
            "let the server allow TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20: RSA key exchange, DHE and CBC \
             alone are not supported; check, too, that it has a certificate and key configured",
        ),
        Tls::AlertReceived(AlertDescription::UnrecognisedName) => explained(
            Fault::WrongHost,
            "the server says that it is not this host",
            "use the name that the server goes by, or set server_name",
        ),
        Tls::AlertReceived(alert) if is_about_certificate(*alert) => match asked.has_identity {
            true => explained(
                Fault::ClientCertificate,
                format!("the server does not accept our client certificate ({alert:?})"),
                "check dates and issuer of client_cert, and which authorities the server trusts",
            ),
            false => explained(
                Fault::ClientCertificate,
                format!("the server wants a client certificate ({alert:?})"),
                "set client_cert and client_key",
            ),
        },
        Tls::AlertReceived(alert) => explained(
            Fault::Refused,
            format!("the server refused ({alert:?})"),
            "look into the server's log, which says why",
        ),
        other => explained(
            Fault::Broken,
            format!("the server does not keep to the protocol ({other})"),
            "check that nothing between here and the server changes the connection",
        ),
    }
}

fn old_protocol(min_version: Version) -> Explained {
    let (wanted, advice) = match min_version {
        Version::Tls12 => (
            "TLS 1.2 or 1.3",
            "update the server, or switch TLS 1.2 on there: TLS 1.0 and 1.1 are not supported (RFC 8996)",
        ),
        Version::Tls13 => ("TLS 1.3", "update the server, or allow TLS 1.2 with min_version"),
    };
    explained(Fault::OldProtocol, format!("the server does not speak {wanted}"), advice)
}

/// The connection under TLS failed.
fn transport(error: &io::Error) -> Explained {
    if is_close(error) {
        return explained(
            Fault::Closed,
            "the server closed the connection during the handshake",
            "check the port (ldaps is usually 636, a server on 389 wants ldap:// with start_tls), that the server has a \
             certificate configured, and that it allows TLS 1.2 with ECDHE and AES-GCM or TLS 1.3 (old Windows servers \
             hang up without a word)",
        );
    }
    explained(
        Fault::Broken,
        format!("the connection broke during the handshake ({error})"),
        "check the network between here and the server",
    )
}

fn is_close(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe
    )
}

fn is_about_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::CertificateRequired
    )
}

/// Is the date that failed the server's own certificate's, or one of its authorities'?
fn whose(own: Option<SystemTime>, failed: UnixTime) -> &'static str {
    match own == Some(system(failed)) {
        true => "the certificate",
        false => "the certificate of an authority in the chain",
    }
}

fn show(time: UnixTime) -> String {
    date::show(system(time))
}

fn system(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}
