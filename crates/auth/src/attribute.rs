//! What an attribute's name alone says of its values.

/// Attributes that are dropped when they are read, never kept and never shown: hashes, keys, and passwords in clear.
const SECRETS: [&str; 26] = [
    "authPassword",
    "clearPassword",
    "dBCSPwd",
    "ipaNTHash",
    "krbExtraData",
    "krbMKey",
    "krbPrincipalKey",
    "krbPwdHistory",
    "lmPwdHistory",
    "ms-Mcs-AdmPwd",
    "msDS-ManagedPassword",
    "msLAPS-EncryptedPassword",
    "msLAPS-EncryptedPasswordHistory",
    "msLAPS-Password",
    "msSFU30Password",
    "ntPwdHistory",
    "passwordHistory",
    "pwdHistory",
    "sambaLMPassword",
    "sambaNTPassword",
    "sambaPasswordHistory",
    "supplementalCredentials",
    "unicodePwd",
    "unixUserPassword",
    "userPKCS12",
    "userPassword",
];

/// Is this attribute, with or without options, never read?
pub(crate) fn is_secret(attribute: &str) -> bool {
    let name = attribute.split(';').next().unwrap_or_default();
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Attributes that hold a name together with its domain: they are compared with the name as typed.
pub(crate) fn holds_domain(attribute: &str) -> bool {
    ["userPrincipalName", "mail", "krbPrincipalName"].iter().any(|name| name.eq_ignore_ascii_case(attribute))
}
