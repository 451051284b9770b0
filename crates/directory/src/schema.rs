//! What is known about attributes and object classes. It names and sorts; it forbids nothing that it does not know.

use std::collections::HashMap;
use std::sync::LazyLock;

use proto::oid::is_oid;
use proto::value::Kind;

/// What is known about an attribute type.
#[derive(Debug)]
pub(crate) struct AttributeType {
    /// Object identifier, dotted.
    pub(crate) oid: &'static str,
    /// Its names, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// Returned only when asked for by name or by `+` (RFC 4512 section 3.4).
    pub(crate) operational: bool,
    /// At most one value.
    pub(crate) single: bool,
    /// Written by the server alone (NO-USER-MODIFICATION).
    pub(crate) frozen: bool,
    /// Never returned, compared or matched.
    pub(crate) secret: bool,
    /// A subtype of `name`.
    pub(crate) names_things: bool,
}

const fn user(oid: &'static str, names: &'static [&'static str]) -> AttributeType {
    AttributeType {
        oid,
        names,
        operational: false,
        single: false,
        frozen: false,
        secret: false,
        names_things: false,
    }
}

/// An attribute an administrator may write, such as a lock.
const fn state(oid: &'static str, names: &'static [&'static str]) -> AttributeType {
    AttributeType { operational: true, ..user(oid, names).single() }
}

/// An attribute the server writes.
const fn server(oid: &'static str, names: &'static [&'static str]) -> AttributeType {
    AttributeType { operational: true, frozen: true, ..user(oid, names) }
}

const fn secret(oid: &'static str, names: &'static [&'static str]) -> AttributeType {
    AttributeType { secret: true, ..user(oid, names) }
}

impl AttributeType {
    const fn single(self) -> Self {
        Self { single: true, ..self }
    }

    const fn naming(self) -> Self {
        Self { names_things: true, ..self }
    }
}

static TYPES: &[AttributeType] = &[
    user("2.5.4.0", &["objectClass"]),
    user("2.5.4.3", &["cn", "commonName"]).naming(),
    user("2.5.4.4", &["sn", "surname"]).naming(),
    user("2.5.4.5", &["serialNumber"]),
    user("2.5.4.6", &["c", "countryName"]).single().naming(),
    user("2.5.4.7", &["l", "localityName"]).naming(),
    user("2.5.4.8", &["st", "stateOrProvinceName"]).naming(),
    user("2.5.4.9", &["street", "streetAddress"]),
    user("2.5.4.10", &["o", "organizationName"]).naming(),
    user("2.5.4.11", &["ou", "organizationalUnitName"]).naming(),
    user("2.5.4.12", &["title"]).naming(),
    user("2.5.4.13", &["description"]),
    user("2.5.4.15", &["businessCategory"]),
    user("2.5.4.16", &["postalAddress"]),
    user("2.5.4.17", &["postalCode"]),
    user("2.5.4.18", &["postOfficeBox"]),
    user("2.5.4.20", &["telephoneNumber"]),
    user("2.5.4.23", &["facsimileTelephoneNumber", "fax"]),
    user("2.5.4.31", &["member"]),
    user("2.5.4.32", &["owner"]),
    user("2.5.4.34", &["seeAlso"]),
    user("2.5.4.41", &["name"]),
    user("2.5.4.42", &["givenName", "gn"]).naming(),
    user("2.5.4.43", &["initials"]).naming(),
    user("2.5.4.44", &["generationQualifier"]).naming(),
    user("2.5.4.50", &["uniqueMember"]),
    user("0.9.2342.19200300.100.1.1", &["uid", "userid"]),
    user("0.9.2342.19200300.100.1.3", &["mail", "rfc822Mailbox"]),
    user("0.9.2342.19200300.100.1.6", &["roomNumber"]),
    user("0.9.2342.19200300.100.1.10", &["manager"]),
    user("0.9.2342.19200300.100.1.20", &["homePhone", "homeTelephoneNumber"]),
    user("0.9.2342.19200300.100.1.21", &["secretary"]),
    user("0.9.2342.19200300.100.1.25", &["dc", "domainComponent"]).single(),
    user("0.9.2342.19200300.100.1.41", &["mobile", "mobileTelephoneNumber"]),
    user("0.9.2342.19200300.100.1.42", &["pager", "pagerTelephoneNumber"]),
    user("0.9.2342.19200300.100.1.60", &["jpegPhoto"]),
    user("2.16.840.1.113730.3.1.1", &["carLicense"]),
    user("2.16.840.1.113730.3.1.2", &["departmentNumber"]),
    user("2.16.840.1.113730.3.1.3", &["employeeNumber"]).single(),
    user("2.16.840.1.113730.3.1.4", &["employeeType"]),
    user("2.16.840.1.113730.3.1.34", &["ref"]),
    user("2.16.840.1.113730.3.1.39", &["preferredLanguage"]).single(),
    user("2.16.840.1.113730.3.1.241", &["displayName"]).single(),
    user("1.3.6.1.4.1.250.1.57", &["labeledURI"]),
    user("1.3.6.1.1.1.1.0", &["uidNumber"]).single(),
    user("1.3.6.1.1.1.1.1", &["gidNumber"]).single(),
    user("1.3.6.1.1.1.1.2", &["gecos"]).single(),
    user("1.3.6.1.1.1.1.3", &["homeDirectory"]).single(),
    user("1.3.6.1.1.1.1.4", &["loginShell"]).single(),
    user("1.3.6.1.1.1.1.5", &["shadowLastChange"]).single(),
    user("1.3.6.1.1.1.1.6", &["shadowMin"]).single(),
    user("1.3.6.1.1.1.1.7", &["shadowMax"]).single(),
    user("1.3.6.1.1.1.1.8", &["shadowWarning"]).single(),
    user("1.3.6.1.1.1.1.9", &["shadowInactive"]).single(),
    user("1.3.6.1.1.1.1.10", &["shadowExpire"]).single(),
    user("1.3.6.1.1.1.1.11", &["shadowFlag"]).single(),
    user("1.3.6.1.1.1.1.12", &["memberUid"]),
    user("1.2.840.113556.1.4.2", &["objectGUID"]).single(),
    user("1.2.840.113556.1.4.8", &["userAccountControl"]).single(),
    user("1.2.840.113556.1.4.96", &["pwdLastSet"]).single(),
    user("1.2.840.113556.1.4.146", &["objectSid"]).single(),
    user("1.2.840.113556.1.4.159", &["accountExpires"]).single(),
    user("1.2.840.113556.1.4.221", &["sAMAccountName"]).single(),
    user("1.2.840.113556.1.4.98", &["primaryGroupID"]).single(),
    user("1.2.840.113556.1.4.750", &["groupType"]).single(),
    server("1.2.840.113556.1.4.1301", &["tokenGroups"]),
    server("1.2.840.113556.1.4.1464", &["supportedCapabilities"]),
    user("1.2.840.113556.1.4.656", &["userPrincipalName"]).single(),
    user("1.2.840.113556.1.4.662", &["lockoutTime"]).single(),
    user("1.2.840.113556.1.4.782", &["objectCategory"]).single(),
    // Stored, it is what Active Directory returns unasked; computed, the tree treats it as operational.
    user("1.2.840.113556.1.2.102", &["memberOf"]),
    secret("2.5.4.35", &["userPassword"]),
    secret("1.3.6.1.4.1.4203.1.3.4", &["authPassword"]),
    secret("1.2.840.113556.1.4.90", &["unicodePwd"]),
    secret("1.2.840.113556.1.4.55", &["dBCSPwd"]),
    secret("1.2.840.113556.1.4.125", &["supplementalCredentials"]),
    secret("1.3.6.1.4.1.7165.2.1.24", &["sambaLMPassword"]),
    secret("1.3.6.1.4.1.7165.2.1.25", &["sambaNTPassword"]),
    secret("1.3.6.1.4.1.7165.2.1.54", &["sambaPasswordHistory"]),
    secret("2.16.840.1.113719.1.301.4.39.1", &["krbPrincipalKey"]),
    secret("2.16.840.1.113730.3.8.18.2.1", &["ipaNTHash"]),
    secret("1.3.6.1.4.1.4203.1.12.2.3.0.31", &["olcRootPW"]),
    secret("1.3.6.1.4.1.42.2.27.8.1.20", &["pwdHistory"]),
    state("1.3.6.1.4.1.42.2.27.8.1.16", &["pwdChangedTime"]),
    state("1.3.6.1.4.1.42.2.27.8.1.17", &["pwdAccountLockedTime"]),
    AttributeType { single: false, ..state("1.3.6.1.4.1.42.2.27.8.1.19", &["pwdFailureTime"]) },
    AttributeType { single: false, ..state("1.3.6.1.4.1.42.2.27.8.1.21", &["pwdGraceUseTime"]) },
    state("1.3.6.1.4.1.42.2.27.8.1.22", &["pwdReset"]),
    state("1.3.6.1.4.1.42.2.27.8.1.23", &["pwdPolicySubentry"]),
    state("2.16.840.1.113730.3.1.610", &["nsAccountLock"]),
    server("2.16.840.1.113730.3.1.542", &["nsUniqueId"]).single(),
    server("2.5.18.1", &["createTimestamp"]).single(),
    server("2.5.18.2", &["modifyTimestamp"]).single(),
    server("2.5.18.3", &["creatorsName"]).single(),
    server("2.5.18.4", &["modifiersName"]).single(),
    server("2.5.18.9", &["hasSubordinates"]).single(),
    server("2.5.18.10", &["subschemaSubentry"]).single(),
    server("2.5.21.9", &["structuralObjectClass"]).single(),
    server("1.3.6.1.1.16.4", &["entryUUID"]).single(),
    server("1.3.6.1.1.20", &["entryDN"]).single(),
    server("2.5.21.5", &["attributeTypes"]),
    server("1.3.6.1.4.1.1466.101.120.5", &["namingContexts"]),
    server("1.3.6.1.4.1.1466.101.120.7", &["supportedExtension"]),
    server("1.3.6.1.4.1.1466.101.120.13", &["supportedControl"]),
    server("1.3.6.1.4.1.1466.101.120.14", &["supportedSASLMechanisms"]),
    server("1.3.6.1.4.1.1466.101.120.15", &["supportedLDAPVersion"]),
    server("1.3.6.1.4.1.4203.1.3.5", &["supportedFeatures"]),
    server("1.3.6.1.1.4", &["vendorName"]).single(),
    server("1.3.6.1.1.5", &["vendorVersion"]).single(),
];

/// By lower-case name and by OID.
static BY_NAME: LazyLock<HashMap<String, &'static AttributeType>> = LazyLock::new(|| {
    let pairs = |kind: &'static AttributeType| {
        let names = kind.names.iter().map(move |name| (name.to_ascii_lowercase(), kind));
        names.chain([(kind.oid.to_owned(), kind)])
    };
    TYPES.iter().flat_map(pairs).collect()
});

/// All known attribute types as RFC 4512 section 4.1.2 writes them, for the subschema entry.
pub(crate) fn attribute_types() -> impl Iterator<Item = String> {
    TYPES.iter().map(|kind| {
        let names: Vec<String> = kind.names.iter().map(|name| format!("'{name}'")).collect();
        let syntax = syntax(kind.names[0]);
        let single = if kind.single { " SINGLE-VALUE" } else { "" };
        let frozen = if kind.frozen { " NO-USER-MODIFICATION" } else { "" };
        let usage = if kind.operational { " USAGE directoryOperation" } else { "" };
        format!("( {} NAME ( {} ) SYNTAX {syntax}{single}{frozen}{usage} )", kind.oid, names.join(" "))
    })
}

/// The syntax of a known attribute (RFC 4517), for the subschema entry alone: values are taken as they come.
fn syntax(name: &str) -> &'static str {
    match Kind::of_attribute(name) {
        Some(Kind::Dn) => "1.3.6.1.4.1.1466.115.121.1.12",
        Some(Kind::NameAndUid) => "1.3.6.1.4.1.1466.115.121.1.34",
        Some(Kind::Integer | Kind::FileTime | Kind::Interval) => "1.3.6.1.4.1.1466.115.121.1.27",
        Some(Kind::GeneralizedTime) => "1.3.6.1.4.1.1466.115.121.1.24",
        Some(Kind::Boolean) => "1.3.6.1.4.1.1466.115.121.1.7",
        Some(Kind::Uuid) => "1.3.6.1.1.16.1",
        Some(Kind::Guid | Kind::Sid | Kind::Octets) => "1.3.6.1.4.1.1466.115.121.1.40",
        _ => "1.3.6.1.4.1.1466.115.121.1.15",
    }
}

/// The object classes of RFC 4512, 4519, 4524, 2307 and 2798 that its entries mostly have, for the subschema entry alone: an
/// entry may have any.
pub(crate) const OBJECT_CLASSES: [&str; 16] = [
    "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
    "( 1.3.6.1.4.1.1466.101.120.111 NAME 'extensibleObject' SUP top AUXILIARY )",
    "( 2.5.6.4 NAME 'organization' SUP top STRUCTURAL MUST o MAY ( description $ l $ st $ street $ telephoneNumber ) )",
    "( 2.5.6.5 NAME 'organizationalUnit' SUP top STRUCTURAL MUST ou MAY ( description $ l $ st $ street $ telephoneNumber ) )",
    "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword $ telephoneNumber $ seeAlso $ description ) )",
    "( 2.5.6.7 NAME 'organizationalPerson' SUP person STRUCTURAL MAY ( title $ street $ postOfficeBox $ postalCode $ \
     postalAddress $ ou $ st $ l $ facsimileTelephoneNumber ) )",
    "( 2.16.840.1.113730.3.2.2 NAME 'inetOrgPerson' SUP organizationalPerson STRUCTURAL MAY ( businessCategory $ carLicense $ \
     departmentNumber $ displayName $ employeeNumber $ employeeType $ givenName $ homePhone $ initials $ jpegPhoto $ \
     labeledURI $ mail $ manager $ mobile $ o $ pager $ preferredLanguage $ roomNumber $ secretary $ uid ) )",
    "( 2.5.6.9 NAME 'groupOfNames' SUP top STRUCTURAL MUST ( member $ cn ) MAY ( businessCategory $ seeAlso $ owner $ ou $ o $ \
     description ) )",
    "( 2.5.6.17 NAME 'groupOfUniqueNames' SUP top STRUCTURAL MUST ( uniqueMember $ cn ) MAY ( businessCategory $ seeAlso $ \
     owner $ ou $ o $ description ) )",
    "( 2.5.6.11 NAME 'applicationProcess' SUP top STRUCTURAL MUST cn MAY ( seeAlso $ ou $ l $ description ) )",
    "( 0.9.2342.19200300.100.4.5 NAME 'account' SUP top STRUCTURAL MUST uid MAY ( description $ seeAlso $ l $ o $ ou ) )",
    "( 0.9.2342.19200300.100.4.13 NAME 'domain' SUP top STRUCTURAL MUST dc MAY ( description $ l $ o $ st $ street $ \
     telephoneNumber $ userPassword ) )",
    "( 0.9.2342.19200300.100.4.19 NAME 'simpleSecurityObject' SUP top AUXILIARY MUST userPassword )",
    "( 1.3.6.1.4.1.1466.344 NAME 'dcObject' SUP top AUXILIARY MUST dc )",
    "( 1.3.6.1.1.1.2.0 NAME 'posixAccount' SUP top AUXILIARY MUST ( cn $ uid $ uidNumber $ gidNumber $ homeDirectory ) MAY ( \
     userPassword $ loginShell $ gecos $ description ) )",
    "( 1.3.6.1.1.1.2.2 NAME 'posixGroup' SUP top AUXILIARY MUST ( cn $ gidNumber ) MAY ( userPassword $ memberUid $ \
     description ) )",
];

/// An attribute description (RFC 4512 section 2.5): a type and options.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// The type's usual name in lower case; of an unknown type its name in lower case.
    pub(crate) kind: String,
    /// Lower-case options, sorted.
    pub(crate) options: Vec<String>,
    /// What is known of the type.
    pub(crate) known: Option<&'static AttributeType>,
}

impl Description {
    /// Reads `cn`, `2.5.4.3` or `cn;lang-de`; `None` when it is no attribute description.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let kind = parts.next().filter(|kind| is_keystring(kind) || is_oid(kind))?.to_ascii_lowercase();
        let mut options = Vec::new();
        for option in parts {
            let fine =
                !option.is_empty() && option.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            options.push(fine.then(|| option.to_ascii_lowercase())?);
        }
        // Values are kept as octets anyway: binary transfer (RFC 4522) changes nothing here.
        options.retain(|option| option != "binary");
        options.sort_unstable();
        options.dedup();
        let known = BY_NAME.get(&kind).copied();
        let kind = known.map_or(kind, |known| known.names[0].to_ascii_lowercase());
        Some(Self { kind, options, known })
    }

    /// Type and options, the form that filters are rewritten to.
    pub(crate) fn canonical(&self) -> String {
        let mut text = self.kind.clone();
        for option in &self.options {
            text.push(';');
            text.push_str(option);
        }
        text
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.known.is_some_and(|known| known.secret)
    }

    pub(crate) fn is_operational(&self) -> bool {
        self.known.is_some_and(|known| known.operational)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.known.is_some_and(|known| known.frozen)
    }

    pub(crate) fn is_single(&self) -> bool {
        self.known.is_some_and(|known| known.single)
    }

    /// Whether this is `wanted` or a subtype of it: a more special type, or more options (RFC 4512 section 2.5.3).
    pub(crate) fn is_subtype_of(
        &self,
        wanted_kind: &str,
        mut wanted_options: impl Iterator<Item = impl AsRef<str>>,
    ) -> bool {
        let kind = self.kind == wanted_kind
            || (wanted_kind == "name" && self.known.is_some_and(|known| known.names_things));
        kind && wanted_options.all(|option| self.options.iter().any(|own| own == option.as_ref()))
    }
}

impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.options == other.options
    }
}

fn is_keystring(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Object classes and the one above each, most special first.
static ABOVE: &[(&str, &str)] = &[
    ("inetorgperson", "organizationalPerson"),
    ("user", "organizationalPerson"),
    ("computer", "user"),
    ("organizationalperson", "person"),
    ("person", "top"),
    ("organizationalunit", "top"),
    ("organization", "top"),
    ("domain", "top"),
    ("groupofnames", "top"),
    ("groupofuniquenames", "top"),
    ("groupofmembers", "top"),
    ("posixgroup", "top"),
    ("posixaccount", "top"),
    ("shadowaccount", "top"),
    ("group", "top"),
    ("account", "top"),
    ("applicationprocess", "top"),
    ("country", "top"),
    ("locality", "top"),
    ("referral", "top"),
];

/// Classes that only come on top of a structural one.
static AUXILIARY: &[&str] = &[
    "top",
    "posixaccount",
    "shadowaccount",
    "simplesecurityobject",
    "dcobject",
    "uidobject",
    "extensibleobject",
];

fn above(class: &str) -> Option<&'static str> {
    ABOVE.iter().find(|(below, _)| below.eq_ignore_ascii_case(class)).map(|(_, above)| *above)
}

/// The superclasses that an entry of these classes has without naming them.
pub(crate) fn implied_classes<'c>(named: impl Iterator<Item = &'c str> + Clone) -> Vec<&'static str> {
    let mut implied: Vec<&'static str> = Vec::new();
    for class in named.clone() {
        let mut next = above(class);
        while let Some(class) = next {
            let there = |other: &str| other.eq_ignore_ascii_case(class);
            if !named.clone().any(there) && !implied.iter().any(|other| there(other)) {
                implied.push(class);
            }
            next = above(class);
        }
    }
    implied
}

/// The most special class that is not auxiliary.
pub(crate) fn structural_class<'c>(named: impl Iterator<Item = &'c str> + Clone) -> Option<&'c str> {
    let is_above = |class: &str, other: &str| {
        let mut next = above(other);
        while let Some(candidate) = next {
            if candidate.eq_ignore_ascii_case(class) {
                return true;
            }
            next = above(candidate);
        }
        false
    };
    let structural = |class: &&str| !AUXILIARY.iter().any(|auxiliary| auxiliary.eq_ignore_ascii_case(class));
    named
        .clone()
        .filter(structural)
        .find(|class| !named.clone().any(|other| is_above(class, other)))
        .or(named.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::value::is_secret;

    #[test]
    fn aliases_and_oids_are_one_attribute() {
        let canonical = |text| Description::parse(text).map(|description| description.canonical());
        assert_eq!(canonical("commonName").as_deref(), Some("cn"));
        assert_eq!(canonical("2.5.4.3;lang-EN;x-b;lang-en").as_deref(), Some("cn;lang-en;x-b"));
        assert_eq!(canonical("SAMACCOUNTNAME").as_deref(), Some("samaccountname"));
        assert_eq!(canonical("myOwn-Type").as_deref(), Some("myown-type"));
        assert_eq!(canonical("userCertificate;binary").as_deref(), Some("usercertificate"));
        for bad in ["", ";x", "cn;", "1", "1..2", "c n", "ü", "-a", "cn;ä"] {
            assert_eq!(canonical(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_never_returned_is_what_everybody_else_holds_for_secret() {
        for known in TYPES {
            for name in known.names.iter().chain([&known.oid]) {
                assert_eq!(is_secret(name), known.secret, "{name}");
            }
        }
    }

    #[test]
    fn subtypes_are_found_by_their_supertype_but_not_the_other_way() {
        let german = Description::parse("cn;lang-de").unwrap();
        let plain = Description::parse("cn").unwrap();
        let none = || std::iter::empty::<&str>();
        assert!(german.is_subtype_of("cn", none()));
        assert!(german.is_subtype_of("name", none()));
        assert!(german.is_subtype_of("cn", ["lang-de"].iter()));
        assert!(!plain.is_subtype_of("cn", ["lang-de"].iter()));
        assert!(!Description::parse("mail").unwrap().is_subtype_of("name", none()));
    }

    #[test]
    fn superclasses_are_implied_and_the_most_special_class_is_structural() {
        let classes = ["inetOrgPerson", "posixAccount", "PERSON"];
        assert_eq!(implied_classes(classes.iter().copied()), ["organizationalPerson", "top"]);
        assert_eq!(
            structural_class(["top", "person", "inetOrgPerson", "posixAccount"].into_iter()),
            Some("inetOrgPerson")
        );
        assert_eq!(structural_class(["top", "myClass"].into_iter()), Some("myClass"));
        assert_eq!(structural_class(["top"].into_iter()), Some("top"));
        assert_eq!(structural_class(std::iter::empty()), None);
    }

    #[test]
    fn no_name_stands_in_the_table_twice() {
        let all: usize = TYPES.iter().map(|kind| kind.names.len() + 1).sum();
        assert_eq!(BY_NAME.len(), all);
    }
}
