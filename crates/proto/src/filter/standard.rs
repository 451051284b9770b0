//! The rules of attributes that directories of people usually have.

use super::{Matching, Rule};
use crate::dn::canonical;

/// The rules of the usual schemas (core, cosine, inetOrgPerson, nis, password policy, Active Directory, FreeIPA). An
/// attribute that is not listed is text whose case does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardRules;

impl Matching for StandardRules {
    fn rule(&self, attribute: &str) -> Rule {
        let kind = attribute.split(';').next().unwrap_or_default();
        // Every name of the list is in lower case.
        let name = canonical(kind);
        LISTED.iter().find(|(_, names)| names.contains(&&*name)).map_or(Rule::CaseIgnore, |(rule, _)| *rule)
    }
}

const LISTED: &[(Rule, &[&str])] = &[
    (
        Rule::Dn,
        &[
            "aliasedobjectname",
            "creatorsname",
            "directreports",
            "distinguishedname",
            "entrydn",
            "manager",
            "managedby",
            "member",
            "memberof",
            "modifiersname",
            "namingcontexts",
            "nsroledn",
            "owner",
            "pwdpolicysubentry",
            "roleoccupant",
            "secretary",
            "seealso",
            "subschemasubentry",
            "uniquemember",
        ],
    ),
    (
        Rule::Integer,
        &[
            "accountexpires",
            "badpasswordtime",
            "badpwdcount",
            "gidnumber",
            "grouptype",
            "lastlogon",
            "lastlogontimestamp",
            "lockouttime",
            "primarygroupid",
            "pwdage",
            "pwdfailurecountinterval",
            "pwdlastset",
            "pwdlockoutduration",
            "pwdmaxage",
            "pwdmaxfailure",
            "samaccounttype",
            "shadowexpire",
            "shadowflag",
            "shadowinactive",
            "shadowlastchange",
            "shadowmax",
            "shadowmin",
            "shadowwarning",
            "uidnumber",
            "useraccountcontrol",
            "usnchanged",
            "usncreated",
        ],
    ),
    (Rule::Boolean, &["hassubordinates", "nsaccountlock", "pwdlockout", "pwdmustchange", "pwdreset"]),
    (Rule::Telephone, &["facsimiletelephonenumber", "homephone", "mobile", "pager", "telephonenumber"]),
    (
        Rule::Time,
        &[
            "createtimestamp",
            "krblastpwdchange",
            "krbpasswordexpiration",
            "krbprincipalexpiration",
            "modifytimestamp",
            "pwdaccountlockedtime",
            "pwdchangedtime",
            "pwdfailuretime",
            "pwdgraceusetime",
            "pwdlastsuccess",
            "whenchanged",
            "whencreated",
        ],
    ),
    (Rule::CaseExact, &["homedirectory", "labeleduri", "loginshell", "memberuid"]),
    (
        Rule::Octet,
        &[
            "jpegphoto",
            "nspasswordhistory",
            "objectguid",
            "objectsid",
            "photo",
            "pwdhistory",
            "sidhistory",
            "thumbnailphoto",
            "usercertificate",
            "userpassword",
            "usersmimecertificate",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_name_alias_and_option() {
        for (attribute, rule) in [
            ("memberOf", Rule::Dn),
            ("2.5.4.31", Rule::Dn),
            ("memberUid", Rule::CaseExact),
            ("uidNumber", Rule::Integer),
            ("nsAccountLock", Rule::Boolean),
            ("userCertificate;binary", Rule::Octet),
            ("mobileTelephoneNumber", Rule::Telephone),
            ("pwdAccountLockedTime", Rule::Time),
            ("cn", Rule::CaseIgnore),
            ("whatever", Rule::CaseIgnore),
            ("", Rule::CaseIgnore),
        ] {
            assert_eq!(StandardRules.rule(attribute), rule, "{attribute}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case_and_has_no_name_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for name in LISTED.iter().flat_map(|(_, names)| *names) {
            assert!(seen.insert(*name), "{name}");
            assert_eq!(canonical(name), *name);
            assert_eq!(name.to_ascii_lowercase(), *name);
        }
    }
}
