//! What the SASL flags of an LDAP tool ask for.

use anyhow::{Context as _, anyhow, bail};
use client::{Protection, Sasl};
use proto::Password;

use crate::arguments::{SaslFlags, Target};
use crate::secret;

/// Mechanisms that take no password of ours.
const WITHOUT_PASSWORD: [&str; 3] = ["EXTERNAL", "ANONYMOUS", "GSSAPI"];

/// The SASL bind that the flags ask for; `None` when they ask for a simple bind or for none.
pub(super) fn of_target(target: &Target) -> anyhow::Result<Option<Sasl>> {
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
    let sasl = dress(sasl, flags, &properties);
    let needs_password = flags
        .mechanism
        .as_ref()
        .is_none_or(|name| !WITHOUT_PASSWORD.iter().any(|without| without.eq_ignore_ascii_case(name)));
    // Without a password GSS-SPNEGO takes a ticket.
    let spnego = flags.mechanism.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("GSS-SPNEGO"));
    if !needs_password || (spnego && !target.gives_password()) {
        return Ok(Some(sasl));
    }
    if flags.user.is_none() && !flags.is_bearer() {
        bail!("this mechanism needs -U: whose password is it?");
    }
    let password = match secret::of_target(target)? {
        Some(password) => password,
        None if flags.quiet => {
            bail!("no password, and -Q says not to ask: use -y FILE, -w TEXT or --password-stdin")
        }
        None => secret::of_bind()?,
    };
    let password = Password::new(password).context("this password cannot be used for a SASL bind")?;
    Ok(Some(sasl.password(password)))
}

fn dress(sasl: Sasl, flags: &SaslFlags, properties: &Properties) -> Sasl {
    let mut sasl = sasl;
    if let Some(user) = &flags.user {
        sasl = sasl.user(user);
    }
    if let Some(authzid) = &flags.authzid {
        sasl = sasl.authzid(authzid);
    }
    if let Some(realm) = &flags.realm {
        sasl = sasl.realm(realm);
    }
    if let Some(protection) = properties.protection {
        sasl = sasl.protection(protection);
    }
    if properties.without_plain { sasl.without_plain() } else { sasl }
}

/// `-O`: what a mechanism must not do, and the layer it has to bring.
#[derive(Debug, Default)]
struct Properties {
    without_plain: bool,
    without_anonymous: bool,
    protection: Option<Protection>,
}

impl Properties {
    fn read(flags: &SaslFlags) -> anyhow::Result<Properties> {
        let mut properties = Properties::default();
        let (mut least, mut most) = (0, u32::MAX);
        for property in flags.properties.iter().flat_map(|text| text.split(',')) {
            let number =
                |text: &str| text.parse::<u32>().with_context(|| format!("-O {property}: not a number"));
            match property.split_once('=').unwrap_or((property, "")) {
                ("none", "") => properties = Properties::default(),
                ("noplain", "") => properties.without_plain = true,
                ("noanonymous", "") => properties.without_anonymous = true,
                ("minssf", text) => least = number(text)?,
                ("maxssf", text) => most = number(text)?,
                _ => bail!(
                    "-O {property} is not known; there are none, noplain, noanonymous, minssf=FACTOR and maxssf=FACTOR"
                ),
            }
        }
        if least > most {
            bail!("-O minssf={least},maxssf={most} leaves nothing");
        }
        properties.protection = match (least, most) {
            (0, u32::MAX) => None,
            (_, 0) => Some(Protection::None),
            (_, 1) => Some(Protection::Integrity),
            (0, _) => None,
            _ => Some(Protection::Confidentiality),
        };
        Ok(properties)
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
        for (text, protection) in [
            ("none", None),
            ("minssf=0,maxssf=256", None),
            ("maxssf=0", Some(Protection::None)),
            ("minssf=1,maxssf=1", Some(Protection::Integrity)),
            ("minssf=56", Some(Protection::Confidentiality)),
        ] {
            assert_eq!(read(text).expect(text).protection, protection, "{text}");
        }
        for text in ["nodict", "noplain=1", "minssf", "minssf=x", "minssf=2,maxssf=1", ""] {
            assert!(read(text).is_err(), "{text}");
        }
        let strict = read("noplain,noanonymous").expect("two words");
        assert!(strict.allow("plain").is_err() && strict.allow("ANONYMOUS").is_err());
        assert!(strict.allow("SCRAM-SHA-256").is_ok());
    }
}
