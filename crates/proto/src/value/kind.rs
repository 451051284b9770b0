//! What an attribute's values are: by its name, where it is well known, and by its syntax.

use super::{Value, form};

/// What values are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Text, UTF-8 and not empty (RFC 4517 section 3.3.6).
    Text,
    /// ASCII text, which may be empty (section 3.3.15).
    Ia5,
    /// Digits and spaces (section 3.3.23).
    Numeric,
    /// Letters, digits and a few signs (section 3.3.29).
    Printable,
    /// Two letters (section 3.3.4).
    Country,
    /// A telephone number (section 3.3.31).
    Telephone,
    /// A number of any size (section 3.3.16).
    Integer,
    /// `TRUE` or `FALSE` (section 3.3.3).
    Boolean,
    /// A point in time with a year of four digits (section 3.3.13).
    GeneralizedTime,
    /// A point in time with a year of two digits (section 3.3.34).
    UtcTime,
    /// A UUID as text (RFC 4530).
    Uuid,
    /// A GUID as 16 bytes, as Active Directory has it.
    Guid,
    /// A security identifier as bytes.
    Sid,
    /// A point in time as a number: 100 nanoseconds since 1601.
    FileTime,
    /// A length of time as a number: 100 nanoseconds, negative.
    Interval,
    /// Lines between dollar signs (RFC 4517 section 3.3.28).
    PostalAddress,
    /// A distinguished name (section 3.3.9).
    Dn,
    /// A distinguished name, and bits that tell it from its namesakes (section 3.3.21).
    NameAndUid,
    /// Bytes that belong to a name, as Active Directory has them: `B:8:0A0B0C0D:cn=x`.
    DnWithBinary,
    /// A text that belongs to a name: `S:5:admin:cn=x`.
    DnWithString,
    /// An object identifier or a name that stands for one (section 3.3.26).
    Oid,
    /// Bits: `'0101'B` (section 3.3.2).
    Bits,
    /// Bytes that are no text: pictures, certificates, keys.
    Octets,
    /// Nothing is known: text where it is UTF-8, else bytes.
    Any,
}

impl Kind {
    /// What values of this syntax are; [`Kind::Any`] for one that is not known.
    ///
    /// ```
    /// use ldapgate_proto::value::Kind;
    /// assert_eq!(Kind::of_syntax("1.3.6.1.4.1.1466.115.121.1.27"), Kind::Integer);
    /// ```
    pub fn of_syntax(oid: &str) -> Kind {
        if let Some(number) = oid.strip_prefix("1.3.6.1.4.1.1466.115.121.1.") {
            return of_rfc_syntax(number);
        }
        match oid {
            "1.3.6.1.1.16.1" => Kind::Uuid,
            "1.2.840.113556.1.4.903" => Kind::DnWithBinary,
            "1.2.840.113556.1.4.904" => Kind::DnWithString,
            "1.2.840.113556.1.4.905" | "1.2.840.113556.1.4.1362" => Kind::Text,
            "1.2.840.113556.1.4.906" => Kind::Integer,
            "1.2.840.113556.1.4.907" | "1.2.840.113549.1.8.1.1" => Kind::Octets,
            // Certificates and their like by component (RFC 4523).
            _ if oid.starts_with("1.3.6.1.1.15.") => Kind::Text,
            _ => Kind::Any,
        }
    }

    /// What the values of a well-known attribute are, whatever its syntax says: Active Directory keeps GUIDs and security
    /// identifiers as bytes and times as numbers. Options do not matter.
    ///
    /// ```
    /// use ldapgate_proto::value::Kind;
    /// assert_eq!(Kind::of_attribute("OBJECTGUID"), Some(Kind::Guid));
    /// assert_eq!(Kind::of_attribute("description"), None);
    /// ```
    pub fn of_attribute(name: &str) -> Option<Kind> {
        let name = name.split(';').next().unwrap_or(name);
        let found =
            |(_, names): &&(Kind, &[&str])| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        WELL_KNOWN.iter().find(found).map(|(kind, _)| *kind)
    }

    /// Is this a value of the kind?
    pub fn accepts(self, value: &[u8]) -> bool {
        form::read(self, value).is_some()
    }

    /// The value as this kind; one that is not of it is text or bytes, and [`Value::fits`] says so.
    pub fn read(self, value: &[u8]) -> Value<'_> {
        Value::new(self, value)
    }

    /// What one value is called: "whole number", "distinguished name".
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Ia5 => "ASCII text",
            Kind::Numeric => "text of digits and spaces",
            Kind::Printable => "text of printable letters",
            Kind::Country => "code of a country",
            Kind::Telephone => "telephone number",
            Kind::Integer => "whole number",
            Kind::Boolean => "TRUE or FALSE",
            Kind::GeneralizedTime => "generalized time",
            Kind::UtcTime => "UTC time",
            Kind::Uuid => "UUID",
            Kind::Guid => "GUID of 16 bytes",
            Kind::Sid => "security identifier",
            Kind::FileTime => "time of Active Directory",
            Kind::Interval => "interval of Active Directory",
            Kind::PostalAddress => "postal address",
            Kind::Dn => "distinguished name",
            Kind::NameAndUid => "distinguished name with a UID",
            Kind::DnWithBinary => "distinguished name with bytes",
            Kind::DnWithString => "distinguished name with a text",
            Kind::Oid => "object identifier",
            Kind::Bits => "bit string",
            Kind::Octets => "byte string",
            Kind::Any => "value",
        }
    }
}

/// RFC 4517 section 3.3, and those of RFC 2252 that servers still name.
fn of_rfc_syntax(number: &str) -> Kind {
    match number {
        "4" | "5" | "8" | "9" | "10" | "23" | "28" | "40" | "49" => Kind::Octets,
        "6" => Kind::Bits,
        "7" => Kind::Boolean,
        "11" => Kind::Country,
        "12" => Kind::Dn,
        "15" => Kind::Text,
        "24" => Kind::GeneralizedTime,
        "26" => Kind::Ia5,
        "27" => Kind::Integer,
        "34" => Kind::NameAndUid,
        "36" => Kind::Numeric,
        "38" => Kind::Oid,
        "41" => Kind::PostalAddress,
        "44" => Kind::Printable,
        "50" => Kind::Telephone,
        "53" => Kind::UtcTime,
        _ => Kind::Any,
    }
}

/// Active Directory's (MS-ADA1 to MS-ADA3), and operational ones of everybody's, of use where the schema was not read.
const WELL_KNOWN: &[(Kind, &[&str])] = &[
    (
        Kind::Guid,
        &[
            "objectGUID",
            "schemaIDGUID",
            "attributeSecurityGUID",
            "invocationId",
            "parentGUID",
            "mS-DS-ConsistencyGuid",
            "msExchMailboxGuid",
            "msExchArchiveGUID",
            "netbootGUID",
            "siteGUID",
            "msDS-OptionalFeatureGUID",
            "msDFSR-ContentSetGuid",
            "msDFSR-ReplicationGroupGuid",
            "msDS-AzObjectGuid",
            "currMachineId",
        ],
    ),
    (
        Kind::Sid,
        &[
            "objectSid",
            "sIDHistory",
            "securityIdentifier",
            "tokenGroups",
            "tokenGroupsGlobalAndUniversal",
            "tokenGroupsNoGCAcceptable",
            "mS-DS-CreatorSID",
            "msExchMasterAccountSid",
            "msDS-QuotaTrustee",
        ],
    ),
    (
        Kind::FileTime,
        &[
            "pwdLastSet",
            "accountExpires",
            "lockoutTime",
            "badPasswordTime",
            "lastLogon",
            "lastLogonTimestamp",
            "lastLogoff",
            "creationTime",
            "msDS-UserPasswordExpiryTimeComputed",
            "msDS-LastSuccessfulInteractiveLogonTime",
            "msDS-LastFailedInteractiveLogonTime",
            "msDS-Cached-Membership-Time-Stamp",
            "lastSetTime",
            "priorSetTime",
            "lSACreationTime",
            "ms-Mcs-AdmPwdExpirationTime",
            "msLAPS-PasswordExpirationTime",
            "msDS-ApproximateLastLogonTimeStamp",
        ],
    ),
    (
        Kind::Interval,
        &[
            "maxPwdAge",
            "minPwdAge",
            "lockoutDuration",
            "lockOutObservationWindow",
            "forceLogoff",
            "msDS-MaximumPasswordAge",
            "msDS-MinimumPasswordAge",
            "msDS-LockoutDuration",
            "msDS-LockoutObservationWindow",
        ],
    ),
    (
        Kind::GeneralizedTime,
        &[
            "createTimestamp",
            "modifyTimestamp",
            "whenCreated",
            "whenChanged",
            "currentTime",
            "dSCorePropagationData",
            "pwdChangedTime",
            "pwdAccountLockedTime",
            "pwdFailureTime",
            "pwdGraceUseTime",
            "pwdLastSuccess",
            "authTimestamp",
            "passwordExpirationTime",
            "passwordExpWarned",
            "retryCountResetTime",
            "accountUnlockTime",
            "lastLoginTime",
        ],
    ),
    (Kind::Uuid, &["entryUUID"]),
    (Kind::Boolean, &["hasSubordinates", "isDeleted", "isSynchronized", "isGlobalCatalogReady", "pwdReset"]),
    (
        Kind::Integer,
        &[
            "uSNCreated",
            "uSNChanged",
            "highestCommittedUSN",
            "userAccountControl",
            "groupType",
            "sAMAccountType",
            "primaryGroupID",
            "instanceType",
            "systemFlags",
            "badPwdCount",
            "logonCount",
            "uidNumber",
            "gidNumber",
            "domainFunctionality",
            "forestFunctionality",
            "domainControllerFunctionality",
            "numSubordinates",
            "msDS-User-Account-Control-Computed",
            "supportedLDAPVersion",
        ],
    ),
    (
        Kind::Dn,
        &[
            "member",
            "memberOf",
            "owner",
            "manager",
            "directReports",
            "distinguishedName",
            "entryDN",
            "creatorsName",
            "modifiersName",
            "subschemaSubentry",
            "namingContexts",
            "defaultNamingContext",
            "objectCategory",
            "seeAlso",
        ],
    ),
    (Kind::NameAndUid, &["uniqueMember"]),
    (
        Kind::Octets,
        &[
            "nTSecurityDescriptor",
            "jpegPhoto",
            "thumbnailPhoto",
            "userCertificate",
            "userPassword",
            "unicodePwd",
        ],
    ),
    (Kind::DnWithBinary, &["wellKnownObjects", "otherWellKnownObjects"]),
];
