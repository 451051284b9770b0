//! `-e` and `-M`: names of controls, as OpenLDAP's tools have them, to controls.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use client::control::{
    Assertion, DontUseCopy, ManageDsaIt, PasswordPolicy, PostRead, PreRead, ProxiedAuthorization, Relax,
    SessionTracking,
};
use proto::oid::is_oid;
use proto::{Control, Filter};

use crate::arguments::Extensions;

/// OpenLDAP's no-operation control (draft-zeilenga-ldap-noop).
pub(crate) const NO_OPERATION: &str = "1.3.6.1.4.1.4203.666.5.2";

/// The controls that the flags ask for.
pub(crate) fn controls(extensions: &Extensions) -> anyhow::Result<Vec<Control>> {
    let mut controls =
        extensions.extensions.iter().map(|text| general(text)).collect::<Result<Vec<_>, _>>()?;
    match extensions.manage_dsa_it {
        0 => {}
        1 => controls.push(ManageDsaIt.into()),
        _ => controls.push(Control::from(ManageDsaIt).critical()),
    }
    Ok(controls)
}

/// `-E` of `compare`.
pub(crate) fn of_compare(text: &str) -> anyhow::Result<Control> {
    match text.strip_prefix('!') {
        Some("dontUseCopy") => Ok(Control::from(DontUseCopy).critical()),
        _ => bail!("-E {text} is not known; there is !dontUseCopy, which has to be critical"),
    }
}

fn general(text: &str) -> anyhow::Result<Control> {
    let (critical, name, parameter) = split(text);
    let mut control = named(name, parameter).with_context(|| format!("-e {text}"))?;
    // As the flag says it, whatever the type thinks best; but nobody acts as somebody else by being ignored (RFC 4370
    // section 3).
    control.critical = critical || control.oid == ProxiedAuthorization::OID;
    Ok(control)
}

/// `[!]NAME[=VALUE]`: is it critical, which is it, and what does it say?
pub(crate) fn split(text: &str) -> (bool, &str, Option<&str>) {
    let (critical, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
    match text.split_once('=') {
        Some((name, value)) => (critical, name, Some(value)),
        None => (critical, text, None),
    }
}

fn named(name: &str, parameter: Option<&str>) -> anyhow::Result<Control> {
    let attributes = || parameter.unwrap_or_default().split(',').filter(|name| !name.is_empty());
    match (name.to_ascii_lowercase().as_str(), parameter) {
        ("assert", Some(filter)) => {
            let filter = Filter::parse(filter).context("the assertion is no filter")?;
            Ok(Assertion::that(filter).into())
        }
        ("authzid", Some(identity)) => authorization(identity),
        ("managedsait", None) => Ok(ManageDsaIt.into()),
        ("noop", None) => Ok(Control::new(NO_OPERATION, None)),
        ("ppolicy", None) => Ok(PasswordPolicy::request()),
        ("postread", _) => Ok(PostRead::of(attributes()).into()),
        ("preread", _) => Ok(PreRead::of(attributes()).into()),
        ("relax", None) => Ok(Relax.into()),
        ("sessiontracking", name) => Ok(session(name.unwrap_or_default())),
        (oid, value) if oid.starts_with(|c: char| c.is_ascii_digit()) => raw(oid, value),
        _ => bail!("not known, or without what it needs, or with what it does not take"),
    }
}

/// An authorization identity (RFC 4513 section 5.2.1.8).
fn authorization(identity: &str) -> anyhow::Result<Control> {
    let proxied = match identity.split_once(':') {
        _ if identity.is_empty() => ProxiedAuthorization::anonymous(),
        Some(("dn", dn)) => ProxiedAuthorization::dn(dn),
        Some(("u", name)) => ProxiedAuthorization::user(name),
        _ => bail!("an identity is dn:NAME, u:NAME or nothing"),
    };
    Ok(proxied.into())
}

/// For the server's log: who is at work.
fn session(name: &str) -> Control {
    let tracking = SessionTracking {
        source_ip: String::new(),
        source_name: "ldapgate".to_owned(),
        format: SessionTracking::USERNAME.to_owned(),
        identifier: name.to_owned(),
    };
    tracking.into()
}

/// `OID`, `OID=:text` or `OID=::base64`.
pub(crate) fn raw(oid: &str, value: Option<&str>) -> anyhow::Result<Control> {
    if !is_oid(oid) {
        bail!("{oid:?} is no OID");
    }
    let value = match value {
        None => None,
        Some(value) => match (value.strip_prefix("::"), value.strip_prefix(':')) {
            (Some(encoded), _) => {
                let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
                Some(decoded.context("the value is not base64")?)
            }
            (None, Some(text)) => Some(text.as_bytes().to_vec()),
            (None, None) => bail!("a value is =:TEXT or =::BASE64"),
        },
    };
    Ok(Control::new(oid, value.map(Into::into)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> anyhow::Result<Vec<Control>> {
        let extensions = texts.iter().map(|text| (*text).to_owned()).collect();
        controls(&Extensions { extensions, manage_dsa_it: 0 })
    }

    #[test]
    fn an_extension_is_a_criticality_a_name_and_perhaps_a_value() {
        for (text, expected) in [
            ("a", (false, "a", None)),
            ("!a", (true, "a", None)),
            ("a=", (false, "a", Some(""))),
            ("!a=b=!c", (true, "a", Some("b=!c"))),
            ("!!a", (true, "!a", None)),
            ("", (false, "", None)),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn controls_are_named_as_openldap_s_tools_name_them() {
        for (text, oid, critical) in [
            ("!assert=(cn=a)", "1.3.6.1.1.12", true),
            ("assert=(cn=a=b)", "1.3.6.1.1.12", false),
            ("!authzid=u:ada", "2.16.840.1.113730.3.4.18", true),
            ("authzid=", "2.16.840.1.113730.3.4.18", true),
            ("!authzid=dn:cn=ada,dc=example,dc=com", "2.16.840.1.113730.3.4.18", true),
            ("!manageDSAit", "2.16.840.1.113730.3.4.2", true),
            ("managedsait", "2.16.840.1.113730.3.4.2", false),
            ("!noop", NO_OPERATION, true),
            ("ppolicy", "1.3.6.1.4.1.42.2.27.8.5.1", false),
            ("preread", "1.3.6.1.1.13.1", false),
            ("!postread=cn,sn", "1.3.6.1.1.13.2", true),
            ("!relax", "1.3.6.1.4.1.4203.666.5.12", true),
            ("sessiontracking=ada", "1.3.6.1.4.1.21008.108.63.1", false),
            ("!1.2.840.113556.1.4.805", "1.2.840.113556.1.4.805", true),
        ] {
            let control = read(&[text]).unwrap_or_else(|error| panic!("{text}: {error:#}")).remove(0);
            assert_eq!((control.oid.as_str(), control.critical), (oid, critical), "{text}");
        }
        let values = ["1.2.3", "1.2.3=:text", "1.2.3=::dGV4dA==", "1.2.3=:"]
            .map(|text| read(&[text]).unwrap().remove(0).value);
        assert_eq!(values, [None, Some("text".into()), Some("text".into()), Some("".into())]);
    }

    #[test]
    fn what_is_no_control_is_told() {
        for text in
            ["foo", "assert", "assert=(", "authzid=ada", "noop=1", "1.2.x", "1..2", "1.2=x", "1.2=::!", "!"]
        {
            let error = read(&[text]).expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(of_compare("dontUseCopy").is_err() && of_compare("!dontUseCopy").unwrap().critical);
    }
}
