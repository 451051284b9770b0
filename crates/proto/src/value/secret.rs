//! Which attributes hold secrets.

/// Hashes, keys, and passwords in clear, in the order of the names. Beside a name stands its OID where a schema gives one.
const SECRETS: [(&str, Option<&str>); 28] = [
    ("authPassword", Some("1.3.6.1.4.1.4203.1.3.4")),
    ("clearPassword", None),
    ("dBCSPwd", Some("1.2.840.113556.1.4.55")),
    ("ipaNTHash", Some("2.16.840.1.113730.3.8.18.2.1")),
    ("krbExtraData", Some("2.16.840.1.113719.1.301.4.51.1")),
    ("krbMKey", Some("2.16.840.1.113719.1.301.4.46.1")),
    ("krbPrincipalKey", Some("2.16.840.1.113719.1.301.4.39.1")),
    ("krbPwdHistory", Some("2.16.840.1.113719.1.301.4.44.1")),
    ("lmPwdHistory", Some("1.2.840.113556.1.4.160")),
    ("ms-Mcs-AdmPwd", None),
    ("msDS-ManagedPassword", Some("1.2.840.113556.1.4.2196")),
    ("msLAPS-EncryptedPassword", None),
    ("msLAPS-EncryptedPasswordHistory", None),
    ("msLAPS-Password", None),
    ("msSFU30Password", None),
    ("nsslapd-rootpw", None),
    ("ntPwdHistory", Some("1.2.840.113556.1.4.94")),
    ("olcRootPW", Some("1.3.6.1.4.1.4203.1.12.2.3.0.31")),
    ("passwordHistory", Some("2.16.840.1.113730.3.1.96")),
    ("pwdHistory", Some("1.3.6.1.4.1.42.2.27.8.1.20")),
    ("sambaLMPassword", Some("1.3.6.1.4.1.7165.2.1.24")),
    ("sambaNTPassword", Some("1.3.6.1.4.1.7165.2.1.25")),
    ("sambaPasswordHistory", Some("1.3.6.1.4.1.7165.2.1.54")),
    ("supplementalCredentials", Some("1.2.840.113556.1.4.125")),
    ("unicodePwd", Some("1.2.840.113556.1.4.90")),
    ("unixUserPassword", Some("1.2.840.113556.1.4.1910")),
    ("userPKCS12", Some("2.16.840.1.113730.3.1.216")),
    ("userPassword", Some("2.5.4.35")),
];

/// Does an attribute of this description (RFC 4512 section 2.5) hold passwords, keys or what is as good as these? Its values
/// are not for a terminal, a log, or any server but the one that was chosen. An attribute that is not known holds none.
///
/// ```
/// use ldapgate_proto::value::is_secret;
///
/// assert!(is_secret("UserPassword;x-old") && is_secret("2.5.4.35"));
/// assert!(!is_secret("userCertificate;binary"));
/// ```
pub fn is_secret(description: &str) -> bool {
    let kind = description.split(';').next().unwrap_or_default();
    SECRETS.iter().any(|(name, oid)| name.eq_ignore_ascii_case(kind) || *oid == Some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_oids_and_options_are_one_attribute() {
        for pair in SECRETS.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands before {}", pair[0].0, pair[1].0);
        }
        for (name, oid) in SECRETS {
            for kind in [Some(name), oid].into_iter().flatten() {
                assert!(is_secret(kind) && is_secret(&kind.to_uppercase()), "{kind}");
                assert!(is_secret(&format!("{kind};x-old;lang-de")), "{kind}");
                assert!(!is_secret(&format!("{kind}1")) && !is_secret(&format!("x;{kind}")), "{kind}");
            }
            assert!(oid.is_none_or(crate::oid::is_oid), "{name}");
        }
        for other in ["", ";", "cn", "2.5.4.3", "userPasswordExpiry", "pwdLastSet", "krbPrincipalName"] {
            assert!(!is_secret(other), "{other}");
        }
    }
}
