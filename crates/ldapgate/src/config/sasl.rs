//! `[directory.sasl]`: a service account that signs in by other means than a DN and a password.

use client::Sasl;

use super::read::{Found, Secret, Section};

const MECHANISMS: &[&str] = &[
    "EXTERNAL",
    "PLAIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
    "OAUTHBEARER",
    "GSSAPI",
    "GSS-SPNEGO",
    "NTLM",
];

/// What a mechanism has to be given, and what it has no use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    Useless,
}

/// What else of the directory's section matters here.
pub(super) struct Around {
    /// `bind_password`, which is the mechanism's secret.
    pub(super) secret: Option<Found<Secret>>,
    /// Somebody is seen at the other end: by a client certificate, or over `ldapi`.
    pub(super) is_seen: bool,
}

/// Reads the section; `None` without a mechanism, or with a wrong one.
pub(super) fn read(section: Section<'_>, around: Around) -> Option<Sasl> {
    let mechanism = section.text("mechanism", "");
    let [user, authzid, realm] = ["user", "authzid", "realm"].map(|key| section.text(key, ""));
    let keytab = section.text("keytab", "");
    let sheet = section.sheet();
    if !keytab.value.is_empty() {
        sheet.not_yet(
            &keytab.place,
            "sasl.keytab, instead of which the environment's KRB5_CLIENT_KTNAME names the file,",
        );
    }
    section.mark_not_yet(&["keytab"]);
    if mechanism.value.is_empty() {
        let keys = [("user", &user), ("authzid", &authzid), ("realm", &realm)];
        if let Some((key, word)) = keys.iter().find(|(_, word)| !word.value.is_empty()) {
            sheet.wrong(&word.place, format!("sasl.{key} needs sasl.mechanism"));
        }
        section.finish();
        return None;
    }
    let account = check(&section, &mechanism, [user, authzid, realm], around);
    section.finish();
    account
}

fn check(
    section: &Section<'_>,
    mechanism: &Found<String>,
    [user, authzid, realm]: [Found<String>; 3],
    around: Around,
) -> Option<Sasl> {
    let (sheet, place) = (section.sheet(), &mechanism.place);
    let Some(name) = MECHANISMS.iter().find(|name| name.eq_ignore_ascii_case(&mechanism.value)) else {
        section.no_such_word("mechanism", mechanism, MECHANISMS.iter().copied());
        return None;
    };
    let Some(sasl) = Sasl::named(name) else {
        sheet.wrong(place, format!("mechanism {name:?} is not in this build"));
        return None;
    };
    let kerberos = *name == "GSSAPI" || (*name == "GSS-SPNEGO" && around.secret.is_none());
    if kerberos && !cfg!(feature = "gssapi") {
        sheet.wrong(
            place,
            format!("mechanism {name:?}: Kerberos is not in this build: it needs the one with GSSAPI"),
        );
        return None;
    }
    if matches!(*name, "NTLM" | "GSS-SPNEGO") && !kerberos && !cfg!(feature = "ntlm") {
        sheet.wrong(place, format!("mechanism {name:?}: NTLM is not in this build"));
        return None;
    }
    let [needs_user, needs_secret, needs_authzid, needs_realm] = needs(name, kerberos);
    for (key, found, need) in [
        ("sasl.user", (!user.value.is_empty()).then_some(&user.place), needs_user),
        ("bind_password", around.secret.as_ref().map(|secret| &secret.place), needs_secret),
        ("sasl.authzid", (!authzid.value.is_empty()).then_some(&authzid.place), needs_authzid),
        ("sasl.realm", (!realm.value.is_empty()).then_some(&realm.place), needs_realm),
    ] {
        match (found, need) {
            (None, Need::Required) => sheet.wrong(place, format!("mechanism {name:?} needs {key}")),
            (Some(place), Need::Useless) => {
                sheet.wrong(place, format!("mechanism {name:?} has no use for {key}"));
            }
            _ => {}
        }
    }
    if *name == "EXTERNAL" && !around.is_seen {
        let message = "mechanism \"EXTERNAL\" needs tls.client_cert, or URLs that begin with ldapi://";
        sheet.wrong(place, message);
    }
    let [user, authzid, realm] = [user, authzid, realm].map(|found| found.value);
    let mut sasl = sasl.user(user).authzid(authzid);
    if !realm.is_empty() {
        sasl = sasl.realm(realm);
    }
    // The secret is read anew at each bind.
    if let Some(secret) = around.secret.map(|secret| secret.value) {
        sasl = sasl.reading(move || secret.read().map_err(Into::into));
    }
    Some(sasl)
}

/// Of `user`, `bind_password`, `authzid` and `realm`.
fn needs(mechanism: &str, kerberos: bool) -> [Need; 4] {
    use Need::{Optional, Required, Useless};
    match mechanism {
        "EXTERNAL" => [Useless, Useless, Optional, Useless],
        "CRAM-MD5" => [Required, Required, Useless, Useless],
        "DIGEST-MD5" => [Required, Required, Optional, Optional],
        "OAUTHBEARER" => [Optional, Required, Optional, Useless],
        "GSSAPI" => [Optional, Useless, Optional, Optional],
        "GSS-SPNEGO" if kerberos => [Optional, Useless, Useless, Optional],
        "GSS-SPNEGO" | "NTLM" => [Required, Required, Useless, Useless],
        _ => [Required, Required, Optional, Useless],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_knows_every_mechanism() {
        for name in MECHANISMS {
            let sasl = Sasl::named(name).unwrap_or_else(|| panic!("{name} is none of the client's"));
            assert_eq!(format!("{sasl:?}"), format!("Sasl({name:?})"));
        }
    }
}
