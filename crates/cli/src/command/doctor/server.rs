//! One server of a directory: from its name to the service account's bind.

use std::time::{Duration, SystemTime};

use auth::Settings;
use client::proto::extended::StartTls;
use client::proto::{Dn, Scheme};
use client::tls::ClientSettings;
use client::{Connection, Error, Probe, RootDse, Vendor};

use super::report::{Finding, Report, begin};
use super::{certificate, words};

/// A clock that is this wrong makes trouble with Kerberos, and with the times of passwords and accounts.
const CLOCK: Duration = Duration::from_secs(5 * 60);

/// A server that can be asked, and the connection to do it.
pub(super) struct Server {
    pub(super) connection: Connection,
    /// What it says of itself.
    pub(super) root: Option<RootDse>,
}

/// What came of a server.
pub(super) enum Way {
    /// It can be asked.
    Works(Box<Server>),
    /// There is no way to it, or no talking to it.
    Down,
    /// It does not take the service account.
    Refused,
}

/// What is the same for every server of a directory.
pub(super) struct Directory<'d> {
    pub(super) settings: &'d Settings,
    pub(super) tls: &'d ClientSettings,
    pub(super) has_service_account: bool,
    pub(super) now: SystemTime,
}

impl Directory<'_> {
    /// Goes step by step; the service account is not tried where a server before has refused it.
    pub(super) async fn examine(&self, report: &mut Report, probe: &Probe, refused: Option<&str>) -> Way {
        let Some(connection) = self.connect(report, probe).await else { return Way::Down };
        let before = begin("root_dse", probe.url());
        let mut root = connection.root_dse().await;
        // Some servers say nothing to nobody: they are asked again as somebody.
        let again = matches!(&root, Err(error) if error.result().is_some());
        if !again {
            let finding = self.root_dse(&root, &connection);
            let failed = finding.is_failed();
            report.end(before, finding);
            if failed {
                return Way::Down;
            }
        }
        let begun = begin("service_bind", probe.url());
        if let Some(other) = refused {
            let why = format!("{other} refused the account, and another wrong password could lock it");
            report.end(begun, Finding::skipped(why, "mend the account's name or password first"));
            return Way::Refused;
        }
        match self.bind(&connection).await {
            Ok(finding) => report.end(begun, finding),
            Err(error) => {
                report.end(begun, words::failed(&error));
                return if error.is_unreachable() { Way::Down } else { Way::Refused };
            }
        }
        if again {
            let begun = begin("root_dse", probe.url());
            root = connection.root_dse().await;
            report.end(begun, self.root_dse(&root, &connection));
        }
        Way::Works(Box::new(Server { connection, root: root.ok() }))
    }

    /// Name, connection, encryption.
    async fn connect(&self, report: &mut Report, probe: &Probe) -> Option<Connection> {
        let begun = begin("dns", probe.host().unwrap_or(probe.url()));
        let resolved = probe.resolve().await;
        report.end(
            begun,
            match &resolved {
                Err(error) => words::failed(error),
                Ok(_) if probe.scheme() == Scheme::Ldapi => {
                    Finding::skipped("a socket of this machine has no host name", "")
                }
                Ok(_) if probe.is_address() => Finding::skipped("an address needs no name server", ""),
                Ok(resolved) => Finding::ok(listed(resolved.addresses().iter().map(|address| address.ip()))),
            },
        );
        let begun = begin("tcp", probe.url());
        let reached = resolved.ok()?.reach().await;
        report.end(
            begun,
            match &reached {
                Err(error) => words::failed(error),
                Ok(reached) => {
                    let seen = reached
                        .address()
                        .map_or_else(|| "connected".to_owned(), |to| format!("connected to {to}"));
                    match reached.refused() {
                        [] => Finding::ok(seen),
                        refused => Finding::ok(format!("{seen}; not to {}", listed(refused))),
                    }
                }
            },
        );
        let begun = begin("tls", probe.url());
        let secured = reached.ok()?.secure().await;
        let connection = match secured {
            Ok(connection) => connection,
            Err(error) => {
                report.end(begun, words::failed(&error));
                return None;
            }
        };
        if probe.wants_start_tls() {
            return self.start_tls(report, probe, connection).await;
        }
        let finding = match connection.tls_peer() {
            Some(peer) => certificate::examine(peer, probe, self.tls, self.now).await,
            None if probe.is_local() => {
                Finding::skipped("nothing is encrypted, and nothing leaves this machine", "")
            }
            None => Finding::warning(
                "every password travels in clear text: anybody on the way can read it",
                "use an ldaps:// URL or start_tls = true",
            ),
        };
        report.end(begun, finding);
        if probe.scheme() == Scheme::Ldap && !probe.is_local() {
            report.note(
                "start_tls",
                probe.url(),
                Finding::skipped("start_tls is not set", "set start_tls = true"),
            );
        }
        Some(connection)
    }

    /// The operation, and the handshake that follows it.
    async fn start_tls(
        &self,
        report: &mut Report,
        probe: &Probe,
        connection: Connection,
    ) -> Option<Connection> {
        let begun = begin("start_tls", probe.url());
        let started = connection.start_tls().await;
        let error = match started {
            Ok(()) => {
                report.end(begun, Finding::ok("the server started TLS"));
                let begun = begin("tls", probe.url());
                let finding = match connection.tls_peer() {
                    Some(peer) => certificate::examine(peer, probe, self.tls, self.now).await,
                    None => Finding::failed("the connection is not encrypted", ""),
                };
                report.end(begun, finding);
                return Some(connection);
            }
            Err(error) => error,
        };
        if matches!(error, Error::Tls { .. }) {
            report.end(begun, Finding::ok("the server started TLS"));
            report.note("tls", probe.url(), words::failed(&error));
        } else {
            report.end(begun, words::failed(&error));
        }
        None
    }

    async fn bind(&self, connection: &Connection) -> Result<Finding, Error> {
        if !self.has_service_account {
            let finding = Finding::skipped("no bind_dn is set: the directory is asked as nobody", "");
            return Ok(finding.seeing("anonymous"));
        }
        connection.bind_service().await?;
        // Not every server can say it, and the bind is what counts.
        let seen = match connection.who_am_i().await {
            Ok(who) if !who.is_empty() => format!("bound as {who}"),
            _ => "bound".to_owned(),
        };
        Ok(Finding::ok(seen))
    }

    fn root_dse(&self, root: &Result<RootDse, Error>, connection: &Connection) -> Finding {
        let root = match root {
            Ok(root) => root,
            Err(error) if error.is_unreachable() => return words::failed(error),
            Err(error) => {
                let (cause, _) = words::explained(error);
                return Finding::warning(cause, "let the service account read the root entry (base \"\")");
            }
        };
        let contexts: Vec<&str> = root.naming_contexts().collect();
        let mut finding = Finding::ok(format!("{}, naming contexts {}", vendor(root), listed(&contexts)));
        let base = &self.settings.base;
        let holds = |context: &str| Dn::parse(context).is_ok_and(|context| base.is_at_or_below(&context));
        if !contexts.is_empty() && !contexts.iter().any(|context| holds(context)) {
            finding = finding.but(
                format!("base {base} lies in none of the naming contexts"),
                format!("set base to {} or below", listed(&contexts)),
            );
        }
        if let Some(preset) = other_preset(self.settings.vendor, root.vendor()) {
            finding = finding.but(
                format!("the preset does not fit: this is {}", root.vendor()),
                format!("set preset = \"{preset}\""),
            );
        }
        if !connection.is_encrypted() && root.supports_extension(StartTls::OID) {
            finding = finding.seeing_also("StartTLS is offered");
        }
        match root.current_time().map(|time| time.to_system_time()) {
            Some(time) => self.clock(finding, time),
            None => finding,
        }
    }

    fn clock(&self, finding: Finding, theirs: SystemTime) -> Finding {
        let apart = theirs.duration_since(self.now).unwrap_or_else(|before| before.duration());
        if apart < CLOCK {
            return finding;
        }
        let seconds = apart.as_secs();
        finding.but(
            format!("the server's clock and the one here are {seconds} seconds apart"),
            "let both machines take their time from the same source (NTP)",
        )
    }
}

fn vendor(root: &RootDse) -> String {
    let known =
        Some(root.vendor()).filter(|vendor| *vendor != Vendor::Other).map(|vendor| vendor.to_string());
    let named = root.vendor_name().map(str::to_owned);
    let name = known.or(named).unwrap_or_else(|| "a server that does not say what it is".to_owned());
    match root.vendor_version() {
        Some(version) if !version.is_empty() => format!("{name} ({version})"),
        _ => name,
    }
}

/// The preset that would fit, where the configured one is for another kind of server.
fn other_preset(preset: auth::Vendor, server: Vendor) -> Option<&'static str> {
    use auth::Vendor as Preset;
    let (fits, better): (&[Preset], _) = match server {
        Vendor::ActiveDirectory | Vendor::Samba => (&[Preset::ActiveDirectory], "active-directory"),
        Vendor::Ds389 => (&[Preset::Ds389, Preset::FreeIpa], "389ds"),
        Vendor::OpenLdap => (&[Preset::OpenLdap], "openldap"),
        _ => return None,
    };
    let general = [Preset::Custom, Preset::Rfc2307, Preset::Rfc2307bis, Preset::Lldap];
    (!fits.contains(&preset) && !general.contains(&preset)).then_some(better)
}

/// "a, b", or "none".
pub(super) fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_for_another_server_is_told_and_a_general_one_is_not() {
        assert_eq!(other_preset(auth::Vendor::OpenLdap, Vendor::Samba), Some("active-directory"));
        assert_eq!(other_preset(auth::Vendor::FreeIpa, Vendor::Ds389), None);
        assert_eq!(other_preset(auth::Vendor::Ds389, Vendor::OpenLdap), Some("openldap"));
        assert_eq!(other_preset(auth::Vendor::Rfc2307bis, Vendor::OpenLdap), None);
        assert_eq!(other_preset(auth::Vendor::OpenLdap, Vendor::Other), None);
    }
}
