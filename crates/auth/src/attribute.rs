//! What an attribute's name alone says of its values.

/// Attributes that hold a name together with its domain: they are compared with the name as typed.
pub(crate) fn holds_domain(attribute: &str) -> bool {
    ["userPrincipalName", "mail", "krbPrincipalName"].iter().any(|name| name.eq_ignore_ascii_case(attribute))
}
