//! What the SASL flags of an LDAP tool ask for.

use anyhow::{Context as _, anyhow, bail};
use client::{Connection, Protection, Sasl};
use proto::Password;

use crate::arguments::{SaslFlags, Target};
use crate::secret;

/// Mechanisms that take no password of ours.
const WITHOUT_PASSWORD: [&str; 3] = ["EXTERNAL", "ANONYMOUS", "GSSAPI"];

/// Mechanisms that can seal by themselves.
const SEALING: [&str; 3] = ["GSSAPI", "GSS-SPNEGO", "NTLM"];

/// What TLS counts as, and a socket of this machine, when strength is asked for: as in OpenLDAP.
const TLS_STRENGTH: u32 = 256;
const SOCKET_STRENGTH: u32 = 71;

/// What a mechanism's own sealing counts as. The key may well be a longer one, but nobody tells.
const SEALING_STRENGTH: u32 = 56;

/// A bind that the flags ask for, but for what the connection decides.
pub(super) struct Wanted {
    sasl: Sasl,
    /// It can seal what follows the bind.
    seals: bool,
    properties: Properties,
}

impl Wanted {
    /// The bind on this connection. Nothing was sent when it would be weaker than `-O minssf` asks for.
    pub(super) fn over(&self, connection: &Connection) -> anyhow::Result<Sasl> {
        let outside = match connection.is_encrypted() {
            true => TLS_STRENGTH,
            false if is_socket(connection.url()) => SOCKET_STRENGTH,
            false => 0,
        };
        let protection = self
            .properties
            .protection(outside, self.seals)
            .with_context(|| format!("nothing was sent to {}", connection.url()))?;
        let sasl = self.sasl.clone();
        Ok(match protection {
            Some(protection) => sasl.protection(protection),
            None => sasl,
        })
    }
}

fn is_socket(url: &str) -> bool {
    url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("ldapi:"))
}

/// The SASL bind that the flags ask for; `None` when they ask for a simple bind or for none.
pub(super) fn of_target(target: &Target) -> anyhow::Result<Option<Wanted>> {
    let flags = &target.sasl;
    if !flags.are_given() {
        return Ok(None);
    }
    if target.simple {
        bail!("-x asks for a simple bind, and -Y, -U, -X, -R, -O and -I for a SASL bind: one of them");
    }
    let properties = Properties::read(flags)?;
    let sasl = match (&flags.mechanism, &flags.user) {
        (Some(name), _) => {
            properties.allow(name)?;
            Sasl::named(name).ok_or_else(|| anyhow!("-Y {name}: this mechanism is not known"))?
        }
        (None, Some(user)) => Sasl::strongest_for(user),
        (None, None) => {
            bail!("a SASL bind needs -Y, the mechanism, or -U, a name to choose the strongest mechanism for")
        }
    };
    let is = |names: &[&str]| {
        flags.mechanism.as_ref().is_some_and(|name| names.iter().any(|one| one.eq_ignore_ascii_case(name)))
    };
    // Without a password GSS-SPNEGO takes a ticket.
    let needs_password = !is(&WITHOUT_PASSWORD) && (!is(&["GSS-SPNEGO"]) || target.gives_password());
    let names = Names::of(flags, needs_password)?;
    if needs_password && names.user.is_none() && !flags.is_bearer() {
        bail!("this mechanism needs -U: whose password is it?");
    }
    let mut sasl = dress(sasl, flags, names, &properties);
    if needs_password {
        sasl = sasl.password(password(target)?);
    }
    Ok(Some(Wanted { sasl, seals: is(&SEALING), properties }))
}

fn password(target: &Target) -> anyhow::Result<Password> {
    let password = match secret::of_target(target)? {
        Some(password) => password,
        None if target.sasl.quiet => {
            bail!("no password, and -Q says not to ask: use -y FILE, -w TEXT or --password-stdin")
        }
        None => secret::of_bind()?,
    };
    Password::new(password).context("this password cannot be used for a SASL bind")
}

/// Who binds, and as whom.
struct Names {
    user: Option<String>,
    authzid: Option<String>,
}

impl Names {
    /// By the flags; with -I those that are missing are asked for where somebody can answer.
    fn of(flags: &SaslFlags, needs_user: bool) -> anyhow::Result<Names> {
        let ask = |question| secret::line(question).map(|line| Some(line).filter(|line| !line.is_empty()));
        let asked = flags.interactive && secret::can_ask();
        let authzid = match &flags.authzid {
            None if asked => ask("Please enter your authorization name: ")?,
            given => given.clone(),
        };
        let user = match &flags.user {
            None if asked && needs_user && !flags.is_bearer() => {
                ask("Please enter your authentication name: ")?
            }
            given => given.clone(),
        };
        Ok(Names { user, authzid })
    }
}

fn dress(sasl: Sasl, flags: &SaslFlags, names: Names, properties: &Properties) -> Sasl {
    let mut sasl = sasl;
    if let Some(user) = names.user {
        sasl = sasl.user(user);
    }
    if let Some(authzid) = names.authzid {
        sasl = sasl.authzid(authzid);
    }
    if let Some(realm) = &flags.realm {
        sasl = sasl.realm(realm);
    }
    if properties.without_plain { sasl.without_plain() } else { sasl }
}

/// `-O`: what a mechanism must not do, and the layer it has to bring.
#[derive(Debug)]
struct Properties {
    without_plain: bool,
    without_anonymous: bool,
    least: u32,
    most: u32,
}

impl Default for Properties {
    fn default() -> Properties {
        Properties { without_plain: false, without_anonymous: false, least: 0, most: u32::MAX }
    }
}

impl Properties {
    fn read(flags: &SaslFlags) -> anyhow::Result<Properties> {
        let mut properties = Properties::default();
        for property in flags.properties.iter().flat_map(|text| text.split(',')) {
            let number =
                |text: &str| text.parse::<u32>().with_context(|| format!("-O {property}: not a number"));
            match property.split_once('=').unwrap_or((property, "")) {
                ("none", "") => properties = Properties::default(),
                ("noplain", "") => properties.without_plain = true,
                ("noanonymous", "") => properties.without_anonymous = true,
                ("minssf", text) => properties.least = number(text)?,
                ("maxssf", text) => properties.most = number(text)?,
                _ => bail!(
                    "-O {property} is not known; there are none, noplain, noanonymous, minssf=FACTOR and maxssf=FACTOR"
                ),
            }
        }
        let Properties { least, most, .. } = properties;
        if least > most {
            bail!("-O minssf={least},maxssf={most} leaves nothing");
        }
        Ok(properties)
    }

    /// The layer that a mechanism has to bring; `None` for what fits. `outside` is the connection's strength without one.
    fn protection(&self, outside: u32, seals: bool) -> anyhow::Result<Option<Protection>> {
        let Properties { least, most, .. } = *self;
        let strongest = outside.max(if seals { SEALING_STRENGTH } else { 0 });
        if least > strongest {
            bail!(
                "-O minssf={least}: the connection and the mechanism give {strongest}; ldaps:// or -ZZ give {TLS_STRENGTH}"
            );
        }
        let is_enough = least <= outside;
        // TLS already is one layer.
        Ok(match most.saturating_sub(outside) {
            0 => Some(Protection::None),
            1 => Some(Protection::Integrity),
            _ if is_enough => None,
            _ => Some(Protection::Confidentiality),
        })
    }

    /// May this mechanism be used?
    fn allow(&self, mechanism: &str) -> anyhow::Result<()> {
        if self.without_plain && mechanism.eq_ignore_ascii_case("PLAIN") {
            bail!("-O noplain does not allow -Y {mechanism}");
        }
        if self.without_anonymous && mechanism.eq_ignore_ascii_case("ANONYMOUS") {
            bail!("-O noanonymous does not allow -Y {mechanism}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Properties> {
        let properties = vec![text.to_owned()];
        Properties::read(&SaslFlags { properties, ..SaslFlags::default() })
    }

    #[test]
    fn properties_mean_what_openldap_s_mean() {
        use Protection::{Confidentiality, Integrity};
        for (text, outside, seals, expected) in [
            ("none", 0, true, Some(None)),
            ("minssf=0,maxssf=256", 0, false, Some(None)),
            ("maxssf=0", 0, true, Some(Some(Protection::None))),
            ("minssf=1,maxssf=1", 0, true, Some(Some(Integrity))),
            ("maxssf=1", TLS_STRENGTH, true, Some(Some(Protection::None))),
            ("minssf=56", 0, true, Some(Some(Confidentiality))),
            ("minssf=57", 0, true, None),
            ("minssf=1", 0, false, None),
            ("minssf=256,none", 0, false, Some(None)),
            ("minssf=71", SOCKET_STRENGTH, false, Some(None)),
            ("minssf=72", SOCKET_STRENGTH, false, None),
            // Active Directory takes no layer inside TLS, and none is needed.
            ("minssf=56", TLS_STRENGTH, true, Some(None)),
            ("minssf=256", TLS_STRENGTH, false, Some(None)),
            ("minssf=257", TLS_STRENGTH, true, None),
        ] {
            let properties = read(text).expect(text);
            assert_eq!(properties.protection(outside, seals).ok(), expected, "{text} {outside} {seals}");
        }
        for text in ["nodict", "noplain=1", "minssf", "minssf=x", "minssf=2,maxssf=1", ""] {
            assert!(read(text).is_err(), "{text}");
        }
        let strict = read("noplain,noanonymous").expect("two words");
        assert!(strict.allow("plain").is_err() && strict.allow("ANONYMOUS").is_err());
        assert!(strict.allow("SCRAM-SHA-256").is_ok());
    }
}
