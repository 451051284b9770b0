//! The client's failures as cause and advice. Most of the words are the client's own and those of the TLS room.

use client::Error;
use client::proto::ResultCode;

use super::report::Finding;

/// A failed step.
pub(super) fn failed(error: &Error) -> Finding {
    let (cause, advice) = explained(error);
    Finding::failed(cause, advice)
}

/// What is wrong, and what to do.
pub(super) fn explained(error: &Error) -> (String, String) {
    let (cause, advice) = match error {
        Error::Resolve { host, source } => (
            format!("the host name {host:?} cannot be resolved: {source}"),
            "check the name in url, and the name servers of this machine (/etc/resolv.conf, /etc/hosts)",
        ),
        Error::Discovery { .. } => {
            (told(error), "check the domain in url, and that its DNS has _ldaps._tcp or _ldap._tcp records")
        }
        Error::Connect { source, .. } => (
            format!("no connection: {source}"),
            match source.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    "check that the server runs and that the port in url is the one it listens on (389, ldaps 636)"
                }
                std::io::ErrorKind::NotFound => {
                    "check the path of the socket in url, and that the server runs"
                }
                std::io::ErrorKind::PermissionDenied => "let the user that ldapgate runs as open the socket",
                _ => "check that the server runs, the network and firewalls between here and there",
            },
        ),
        Error::ConnectTimeout { .. } => (
            told(error),
            "check firewalls between here and there, which often swallow packets; or raise connect_timeout",
        ),
        Error::Tls { source, .. } => return of_tls(source),
        Error::Refused { operation: "StartTLS", .. } => (
            told(error),
            "use ldaps:// if the server has it, or give the server a certificate: it does not offer StartTLS",
        ),
        Error::ServiceBind { result, .. } => (told(error), of_service(result.code)),
        Error::Cleartext { .. } | Error::ClearSasl { .. } => {
            (told(error), "use an ldaps:// URL or start_tls = true")
        }
        Error::Secret { .. } => {
            (told(error), "check that the file of bind_password_file is there and can be read")
        }
        Error::NoMechanism { .. } => (told(error), "choose one of the mechanisms that the server offers"),
        Error::Sasl { .. } => (told(error), "check sasl.mechanism, the user and the secret"),
        _ => (told(error), of_code(error)),
    };
    (cause, advice.to_owned())
}

/// The error and its causes in a line; of a text that is repeated, one.
pub(super) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in error.causes() {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn of_tls(error: &client::tls::Error) -> (String, String) {
    match error {
        client::tls::Error::Handshake { problem, certificate, advice, .. } => {
            let presented = certificate.as_deref().map(|shown| format!("; it presented {shown}"));
            (format!("{problem}{}", presented.unwrap_or_default()), advice.clone())
        }
        other => (other.to_string(), "check [directory.tls]".to_owned()),
    }
}

fn of_service(code: ResultCode) -> &'static str {
    match code {
        ResultCode::INVALID_CREDENTIALS => {
            "check bind_dn and the password in bind_password_file; it was tried once and at no other server, so that the account is not locked"
        }
        ResultCode::CONFIDENTIALITY_REQUIRED | ResultCode::STRONGER_AUTH_REQUIRED => {
            "the server wants encryption: use an ldaps:// URL or start_tls = true"
        }
        ResultCode::INVALID_DN_SYNTAX => "bind_dn is no DN that this server takes",
        ResultCode::NO_SUCH_OBJECT => "bind_dn names no entry of this server",
        ResultCode::UNWILLING_TO_PERFORM | ResultCode::CONSTRAINT_VIOLATION => {
            "ask whoever keeps the directory whether the account is locked or disabled"
        }
        _ => "look into the server's log, which says more",
    }
}

fn of_code(error: &Error) -> &'static str {
    match error.result().map(|result| result.code) {
        Some(ResultCode::NO_SUCH_OBJECT) => {
            "check base: no entry of that name is shown to the service account"
        }
        Some(ResultCode::INSUFFICIENT_ACCESS_RIGHTS) => "give the service account the right to read there",
        Some(ResultCode::SIZE_LIMIT_EXCEEDED | ResultCode::ADMIN_LIMIT_EXCEEDED) => {
            "raise the limits of the service account at the server, or keep page_size below them"
        }
        Some(ResultCode::TIME_LIMIT_EXCEEDED) => "index the attributes that are searched for at the server",
        Some(ResultCode::OPERATIONS_ERROR | ResultCode::INAPPROPRIATE_AUTHENTICATION) => {
            "the server wants a bind first: set bind_dn and bind_password_file"
        }
        Some(ResultCode::CONFIDENTIALITY_REQUIRED | ResultCode::STRONGER_AUTH_REQUIRED) => {
            "the server wants encryption: use an ldaps:// URL or start_tls = true"
        }
        Some(ResultCode::REFERRAL) => {
            "base lies on another server: use that one's URL, or referrals = \"follow\""
        }
        Some(ResultCode::BUSY | ResultCode::UNAVAILABLE) => {
            "the server is overloaded or going down: try again"
        }
        _ if error.is_unreachable() => "check that the server is well, and raise timeout if it is only slow",
        _ => "look into the server's log, which says more",
    }
}
