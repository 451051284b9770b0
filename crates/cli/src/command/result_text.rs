//! Results as OpenLDAP's tools print them.

use std::borrow::Cow;

use proto::{LdapResult, ResultCode};

use crate::output::printable;

/// The words of a result code, with which the tools' users are familiar.
pub(crate) fn words(code: ResultCode) -> Cow<'static, str> {
    let text = match code.0 {
        0 => "Success",
        1 => "Operations error",
        2 => "Protocol error",
        3 => "Time limit exceeded",
        4 => "Size limit exceeded",
        5 => "Compare False",
        6 => "Compare True",
        7 => "Authentication method not supported",
        8 => "Strong(er) authentication required",
        9 => "Partial results and referral received",
        10 => "Referral",
        11 => "Administrative limit exceeded",
        12 => "Critical extension is unavailable",
        13 => "Confidentiality required",
        14 => "SASL bind in progress",
        16 => "No such attribute",
        17 => "Undefined attribute type",
        18 => "Inappropriate matching",
        19 => "Constraint violation",
        20 => "Type or value exists",
        21 => "Invalid syntax",
        32 => "No such object",
        33 => "Alias problem",
        34 => "Invalid DN syntax",
        35 => "Entry is a leaf",
        36 => "Alias dereferencing problem",
        48 => "Inappropriate authentication",
        49 => "Invalid credentials",
        50 => "Insufficient access",
        51 => "Server is busy",
        52 => "Server is unavailable",
        53 => "Server is unwilling to perform",
        54 => "Loop detected",
        64 => "Naming violation",
        65 => "Object class violation",
        66 => "Operation not allowed on non-leaf",
        67 => "Operation not allowed on RDN",
        68 => "Already exists",
        69 => "Cannot modify object class",
        70 => "Results too large",
        71 => "Operation affects multiple DSAs",
        76 => "Virtual List View error",
        80 => "Other (e.g., implementation specific) error",
        118 => "Cancelled",
        119 => "No Operation to Cancel",
        120 => "Too Late to Cancel",
        121 => "Cannot Cancel",
        122 => "Assertion Failed",
        123 => "Proxied Authorization Denied",
        4096 => "Content Sync Refresh Required",
        16654 => "No Operation (X)",
        other => return Cow::Owned(format!("Unknown error ({other})")),
    };
    Cow::Borrowed(text)
}

/// `No such object (32)`.
pub(crate) fn named(code: ResultCode) -> String {
    format!("{} ({})", words(code), code.0)
}

/// What the server adds to the code, each with the tools' name for it: where the name ends that exists, its own words, and
/// where to go instead.
pub(crate) fn details(result: &LdapResult) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    if !result.matched_dn.is_empty() {
        details.push(("matched DN", printable(&result.matched_dn)));
    }
    if !result.message.is_empty() {
        details.push(("additional info", printable(result.message.trim_end())));
    }
    details.extend(result.referrals.iter().map(|url| ("referral", printable(url))));
    details
}

/// `ldap_add: No such object (32)`, and the details indented below it.
pub(crate) fn failure(call: &str, result: &LdapResult) -> String {
    let details = details(result).into_iter().map(|(name, text)| format!("\n\t{name}: {text}"));
    format!("{call}: {}{}", named(result.code), details.collect::<String>())
}

/// `Rename Result: No such object (32)`, and the details in lines of their own.
pub(crate) fn report(what: &str, result: &LdapResult) -> String {
    let details = details(result).into_iter().map(|(name, text)| {
        let (first, rest) = name.split_at(1);
        format!("\n{}{rest}: {text}", first.to_ascii_uppercase())
    });
    format!("{what}: {}{}", named(result.code), details.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_read_as_openldap_s_tools_print_them() {
        let mut result = LdapResult::new(ResultCode(32), "nothing\u{1b}");
        result.matched_dn = "dc=example,dc=com".into();
        assert_eq!(
            failure("ldap_add", &result),
            "ldap_add: No such object (32)\n\tmatched DN: dc=example,dc=com\n\tadditional info: nothing\\u{1b}"
        );
        assert_eq!(
            report("Rename Result", &result),
            "Rename Result: No such object (32)\nMatched DN: dc=example,dc=com\nAdditional info: nothing\\u{1b}"
        );
        assert_eq!(words(ResultCode(4711)), "Unknown error (4711)");
    }
}
