//! What a server's certificates say of the weeks to come, and what is accepted that should not be.

use std::time::{Duration, SystemTime};

use client::Probe;
use client::tls::{Certificate, ClientSettings, Peer};

use super::report::Finding;
use super::words;

/// A certificate that ends within this is told of.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is seen of a connection that is encrypted.
pub(super) async fn examine(
    peer: &Peer,
    probe: &Probe,
    settings: &ClientSettings,
    now: SystemTime,
) -> Finding {
    let finding = judge(peer, now);
    if !settings.danger_accept_invalid_certificates {
        return finding;
    }
    let strictly = match refusal(probe, settings).await {
        Some(why) => format!("; checked, this one would be refused: {why}"),
        None => "; this one would be accepted by the check, too".to_owned(),
    };
    finding.but(
        format!("any certificate is accepted, so that whoever is in between reads every password{strictly}"),
        "set danger_accept_invalid_certificates = false, and name the authority in ca_files",
    )
}

fn judge(peer: &Peer, now: SystemTime) -> Finding {
    let Some(own) = peer.certificates.first() else {
        return Finding::ok(format!("{}, a certificate that cannot be read", peer.protocol));
    };
    let finding = Finding::ok(format!("{}, {own}", peer.protocol));
    let ends = peer.certificates.iter().filter_map(|shown| Some((shown, shown.not_after?)));
    match ends.min_by_key(|(_, end)| *end) {
        Some((first, end)) => told_of_end(finding, own, first, end, now),
        None => finding,
    }
}

fn told_of_end(
    finding: Finding,
    own: &Certificate,
    first: &Certificate,
    end: SystemTime,
    now: SystemTime,
) -> Finding {
    let which = match first == own {
        true => "the certificate".to_owned(),
        false => format!("the authority's certificate {}", first.subject),
    };
    match end.duration_since(now) {
        Err(_) => finding.but(format!("{which} has expired"), "renew it on the server"),
        Ok(left) if left < SOON => {
            let days = left.as_secs() / (24 * 60 * 60);
            finding.but(
                format!("{which} expires in {days} days; from then on nobody can sign in"),
                "renew it on the server",
            )
        }
        Ok(_) => finding,
    }
}

/// Why the certificate would be refused if it were checked; nothing is said to the server but the handshake.
async fn refusal(probe: &Probe, settings: &ClientSettings) -> Option<String> {
    let strict = ClientSettings { danger_accept_invalid_certificates: false, ..settings.clone() };
    let tls = match strict.load() {
        Ok(tls) => tls,
        Err(error) => return Some(error.to_string()),
    };
    let options = probe.options().clone().anonymous().tls(tls);
    let connection = match client::Connection::open(&options).await {
        Ok(connection) => connection,
        Err(error) => return Some(words::explained(&error).0),
    };
    connection.close().await;
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::report::Outcome;

    #[test]
    fn the_first_certificate_of_the_chain_to_end_is_told_of_a_month_before() {
        let day = Duration::from_secs(24 * 60 * 60);
        let now = SystemTime::UNIX_EPOCH + 20_000 * day;
        let ends = |days: u32| Certificate {
            subject: format!("CN={days}"),
            common_name: None,
            names: vec!["localhost".to_owned()],
            not_before: None,
            not_after: Some(now + days * day),
            issuer: "CN=a".to_owned(),
            self_signed: false,
        };
        let seen = |own: u32, above: u32| {
            let shown = [ends(own), ends(above)];
            let finding = told_of_end(
                Finding::ok(""),
                &shown[0],
                &shown[usize::from(above < own)],
                now + own.min(above) * day,
                now,
            );
            (finding.outcome, format!("{finding:?}"))
        };
        assert_eq!(seen(31, 400).0, Outcome::Ok);
        let (outcome, text) = seen(29, 400);
        assert!(outcome == Outcome::Warning && text.contains("the certificate expires in 29 days"), "{text}");
        let (outcome, text) = seen(400, 3);
        assert!(
            outcome == Outcome::Warning && text.contains("authority's certificate CN=3 expires in 3"),
            "{text}"
        );
        let gone = told_of_end(Finding::ok(""), &ends(1), &ends(1), now - day, now);
        assert!(format!("{gone:?}").contains("has expired"), "{gone:?}");
    }
}
