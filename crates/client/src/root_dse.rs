//! What a server says of itself (RFC 4512 section 5.1).

use std::fmt;

use proto::value::GeneralizedTime;
use proto::{Entry, oid};

use crate::{Connection, Error, Pool};

/// Everything that is not operational, everything that is (RFC 3673), and by name what servers leave out of both.
const ATTRIBUTES: [&str; 14] = [
    "*",
    "+",
    "namingContexts",
    "defaultNamingContext",
    "altServer",
    "supportedLDAPVersion",
    "supportedControl",
    "supportedExtension",
    "supportedFeatures",
    "supportedCapabilities",
    "supportedSASLMechanisms",
    "subschemaSubentry",
    "vendorName",
    "vendorVersion",
];

/// The root DSE: what a server says of itself. What it does not say is empty or `None`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (_running, url) = testkit::example::serve().await?;
/// use ldapgate_client::{Connection, Options, Vendor};
///
/// let connection = Connection::open(&Options::new([url])?).await?;
/// let root = connection.root_dse().await?;
/// assert_eq!(root.naming_contexts().collect::<Vec<_>>(), ["dc=example,dc=com"]);
/// assert!(root.supports_version(3) && root.supports_extension("1.3.6.1.4.1.4203.1.11.3"));
/// assert!(root.supports_control("1.2.840.113556.1.4.319"), "paged results");
/// assert_eq!(root.vendor(), Vendor::Other);
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RootDse {
    entry: Entry,
}

/// Whose server it seems to be, by what it says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vendor {
    /// OpenLDAP's slapd.
    OpenLdap,
    /// 389 Directory Server, Red Hat's, or FreeIPA's.
    Ds389,
    /// Microsoft's Active Directory.
    ActiveDirectory,
    /// Microsoft's directory without a domain: AD LDS, once ADAM.
    ActiveDirectoryLds,
    /// Samba as a domain controller.
    Samba,
    /// Apache Directory Server.
    ApacheDs,
    /// OpenDJ and ForgeRock's or Ping's directories that came from it.
    OpenDj,
    /// Oracle's or Sun's directories.
    Oracle,
    /// NetIQ's, once Novell's, eDirectory.
    EDirectory,
    /// IBM's directory.
    Ibm,
    /// Somebody else's, or it does not say.
    Other,
}

/// How new a domain behaves (MS-ADTS section 6.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionalLevel(pub u32);

impl Connection {
    /// Asks the server what it is and what it can; a new question each time. A server that hides this from whoever asks
    /// says nothing, which is no error.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`].
    pub async fn root_dse(&self) -> Result<RootDse, Error> {
        let entry = self.read("", &ATTRIBUTES).await?;
        Ok(RootDse::from(entry.unwrap_or_else(|| Entry::builder("").build())))
    }
}

impl Pool {
    /// Asks one of the servers what it is and what it can.
    ///
    /// # Errors
    ///
    /// As [`Connection::root_dse`] and [`Pool::connection`].
    pub async fn root_dse(&self) -> Result<RootDse, Error> {
        self.connection().await?.root_dse().await
    }
}

impl From<Entry> for RootDse {
    /// Takes an entry that was read already.
    fn from(entry: Entry) -> RootDse {
        RootDse { entry }
    }
}

impl RootDse {
    /// The entry itself, with everything that is not named below.
    ///
    /// ```
    /// use ldapgate_client::{Entry, RootDse};
    ///
    /// let root = RootDse::from(Entry::builder("").attribute("configContext", ["cn=config"]).build());
    /// assert_eq!(root.entry().text("configContext"), Some("cn=config"));
    /// ```
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The names below which its entries are.
    pub fn naming_contexts(&self) -> impl Iterator<Item = &str> {
        self.entry.texts("namingContexts")
    }

    /// Where to search when nothing else is known: what Active Directory and 389 Directory Server call so, else the only
    /// naming context.
    ///
    /// ```
    /// # use ldapgate_client::{Entry, RootDse};
    /// let root = RootDse::from(Entry::builder("").attribute("namingContexts", ["dc=example,dc=com"]).build());
    /// assert_eq!(root.default_naming_context(), Some("dc=example,dc=com"));
    /// ```
    pub fn default_naming_context(&self) -> Option<&str> {
        let only = || {
            let mut all = self.naming_contexts().filter(|name| !name.is_empty());
            all.next().filter(|_| all.next().is_none())
        };
        self.entry.text("defaultNamingContext").or_else(only)
    }

    /// The forest's first domain (Active Directory).
    ///
    /// ```
    /// # use ldapgate_client::{Entry, FunctionalLevel, RootDse};
    /// let root = RootDse::from(
    ///     Entry::builder("")
    ///         .attribute("rootDomainNamingContext", ["DC=example,DC=com"])
    ///         .attribute("configurationNamingContext", ["CN=Configuration,DC=example,DC=com"])
    ///         .attribute("schemaNamingContext", ["CN=Schema,CN=Configuration,DC=example,DC=com"])
    ///         .attribute("domainFunctionality", ["7"])
    ///         .attribute("highestCommittedUSN", ["4416"])
    ///         .attribute("dnsHostName", ["dc1.example.com"])
    ///         .attribute("currentTime", ["20261126154011.0Z"])
    ///         .build(),
    /// );
    /// assert_eq!(root.root_domain_naming_context(), Some("DC=example,DC=com"));
    /// assert_eq!(root.configuration_naming_context(), Some("CN=Configuration,DC=example,DC=com"));
    /// assert_eq!(root.schema_naming_context(), Some("CN=Schema,CN=Configuration,DC=example,DC=com"));
    /// assert_eq!(root.domain_level().map(|level| level.to_string()).as_deref(), Some("Windows Server 2016"));
    /// assert_eq!((root.forest_level(), root.controller_level()), (None, None));
    /// assert_eq!(root.highest_committed_usn(), Some(4416));
    /// assert_eq!(root.dns_host_name(), Some("dc1.example.com"));
    /// assert_eq!(root.current_time().map(|time| time.to_string()).as_deref(), Some("20261126154011Z"));
    /// assert_eq!((root.server_name(), root.is_synchronized(), root.is_global_catalog_ready()), (None, None, None));
    /// ```
    pub fn root_domain_naming_context(&self) -> Option<&str> {
        self.entry.text("rootDomainNamingContext")
    }

    /// Where the forest's configuration is (Active Directory).
    pub fn configuration_naming_context(&self) -> Option<&str> {
        self.entry.text("configurationNamingContext")
    }

    /// Where the forest's schema is (Active Directory).
    pub fn schema_naming_context(&self) -> Option<&str> {
        self.entry.text("schemaNamingContext")
    }

    /// The entry that holds the schema: [`Connection::schema`] reads it.
    pub fn subschema_subentry(&self) -> Option<&str> {
        self.entry.text("subschemaSubentry")
    }

    /// URLs of other servers for when this one is gone.
    ///
    /// ```
    /// # use ldapgate_client::{Entry, RootDse};
    /// let root = RootDse::from(
    ///     Entry::builder("")
    ///         .attribute("altServer", ["ldap://b.example.com"])
    ///         .attribute("supportedFeatures", ["1.3.6.1.4.1.4203.1.5.1"])
    ///         .attribute("supportedCapabilities", ["1.2.840.113556.1.4.800"])
    ///         .attribute("supportedSASLMechanisms", ["GSSAPI"])
    ///         .attribute("vendorName", ["389 Project"])
    ///         .attribute("vendorVersion", ["389-Directory/2.3.1 B2025.016.1616"])
    ///         .build(),
    /// );
    /// assert_eq!(root.alt_servers().count(), 1);
    /// assert!(root.supports_feature("1.3.6.1.4.1.4203.1.5.1") && root.features().count() == 1);
    /// assert!(root.supports_capability("1.2.840.113556.1.4.800") && root.capabilities().count() == 1);
    /// assert!(root.supports_mechanism("gssapi") && root.sasl_mechanisms().count() == 1);
    /// assert!(root.vendor_name() == Some("389 Project") && root.vendor_version().is_some());
    /// assert_eq!((root.versions().count(), root.controls().count(), root.extensions().count()), (0, 0, 0));
    /// assert_eq!(root.subschema_subentry(), None);
    /// ```
    pub fn alt_servers(&self) -> impl Iterator<Item = &str> {
        self.entry.texts("altServer")
    }

    /// Versions of the protocol.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.entry.texts("supportedLDAPVersion").filter_map(|version| version.trim().parse().ok())
    }

    /// OIDs of controls, each once; [`proto::oid`] has names for them.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.oids("supportedControl")
    }

    /// OIDs of extended operations, each once.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.oids("supportedExtension")
    }

    /// OIDs of features (RFC 3674), each once.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.oids("supportedFeatures")
    }

    /// OIDs of Active Directory's capabilities, each once.
    pub fn capabilities(&self) -> impl Iterator<Item = &str> {
        self.oids("supportedCapabilities")
    }

    /// Names of SASL mechanisms. Which of them work can depend on TLS, and on who asks.
    pub fn sasl_mechanisms(&self) -> impl Iterator<Item = &str> {
        self.entry.texts("supportedSASLMechanisms")
    }

    /// Does the server know this version of the protocol?
    pub fn supports_version(&self, version: u32) -> bool {
        self.versions().any(|known| known == version)
    }

    /// Does the server say that it knows this control?
    pub fn supports_control(&self, oid: &str) -> bool {
        self.controls().any(|known| known == oid)
    }

    /// Does the server say that it knows this extended operation?
    pub fn supports_extension(&self, oid: &str) -> bool {
        self.extensions().any(|known| known == oid)
    }

    /// Does the server say that it has this feature?
    pub fn supports_feature(&self, oid: &str) -> bool {
        self.features().any(|known| known == oid)
    }

    /// Does the server say that it has this capability?
    pub fn supports_capability(&self, oid: &str) -> bool {
        self.capabilities().any(|known| known == oid)
    }

    /// Does the server offer this SASL mechanism?
    pub fn supports_mechanism(&self, name: &str) -> bool {
        self.sasl_mechanisms().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Who made the server, as it says itself (RFC 3045).
    pub fn vendor_name(&self) -> Option<&str> {
        self.entry.text("vendorName")
    }

    /// Which version it is, as it says itself (RFC 3045).
    pub fn vendor_version(&self) -> Option<&str> {
        self.entry.text("vendorVersion")
    }

    /// Whose server it seems to be: a guess, for messages and for defaults, never for what is allowed.
    pub fn vendor(&self) -> Vendor {
        let name = self.vendor_name().unwrap_or_default().to_ascii_lowercase();
        let version = self.vendor_version().unwrap_or_default().to_ascii_lowercase();
        let says = |word: &str| name.contains(word) || version.contains(word);
        let is_class =
            |class: &str| self.entry.texts("objectClass").any(|own| own.eq_ignore_ascii_case(class));
        if says("samba") {
            return Vendor::Samba;
        }
        if self.supports_capability(oid::ACTIVE_DIRECTORY_LDS) {
            return Vendor::ActiveDirectoryLds;
        }
        if self.supports_capability(oid::ACTIVE_DIRECTORY) {
            return Vendor::ActiveDirectory;
        }
        if is_class("OpenLDAProotDSE") || says("openldap") {
            return Vendor::OpenLdap;
        }
        let known = [
            ("389", Vendor::Ds389),
            ("red hat", Vendor::Ds389),
            ("apache software", Vendor::ApacheDs),
            ("apacheds", Vendor::ApacheDs),
            ("opendj", Vendor::OpenDj),
            ("forgerock", Vendor::OpenDj),
            ("ping identity", Vendor::OpenDj),
            ("oracle", Vendor::Oracle),
            ("sun microsystems", Vendor::Oracle),
            ("novell", Vendor::EDirectory),
            ("netiq", Vendor::EDirectory),
            ("international business machines", Vendor::Ibm),
            ("ibm", Vendor::Ibm),
        ];
        known.iter().find(|(word, _)| says(word)).map_or(Vendor::Other, |(_, vendor)| *vendor)
    }

    /// How new the domain behaves (Active Directory).
    pub fn domain_level(&self) -> Option<FunctionalLevel> {
        self.number("domainFunctionality").map(FunctionalLevel)
    }

    /// How new the forest behaves (Active Directory).
    pub fn forest_level(&self) -> Option<FunctionalLevel> {
        self.number("forestFunctionality").map(FunctionalLevel)
    }

    /// How new this controller is (Active Directory).
    pub fn controller_level(&self) -> Option<FunctionalLevel> {
        self.number("domainControllerFunctionality").map(FunctionalLevel)
    }

    /// The number of the last change on this controller (Active Directory). Each controller counts for itself.
    pub fn highest_committed_usn(&self) -> Option<u64> {
        self.number("highestCommittedUSN")
    }

    /// The controller's host name (Active Directory).
    pub fn dns_host_name(&self) -> Option<&str> {
        self.entry.text("dnsHostName")
    }

    /// The controller's entry in the configuration (Active Directory).
    pub fn server_name(&self) -> Option<&str> {
        self.entry.text("serverName")
    }

    /// Has the controller caught up with the others since it started (Active Directory)?
    pub fn is_synchronized(&self) -> Option<bool> {
        self.entry.text("isSynchronized").map(|text| text == "TRUE")
    }

    /// Is the controller a global catalogue, and ready as one (Active Directory)?
    pub fn is_global_catalog_ready(&self) -> Option<bool> {
        self.entry.text("isGlobalCatalogReady").map(|text| text == "TRUE")
    }

    /// The server's clock (Active Directory).
    pub fn current_time(&self) -> Option<GeneralizedTime> {
        self.entry.text("currentTime").and_then(|text| text.parse().ok())
    }

    fn number<T: std::str::FromStr>(&self, attribute: &str) -> Option<T> {
        self.entry.text(attribute).and_then(|text| text.trim().parse().ok())
    }

    /// Samba repeats itself.
    fn oids(&self, attribute: &str) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::HashSet::new();
        self.entry.texts(attribute).filter(move |oid| seen.insert(*oid))
    }
}

impl fmt::Debug for RootDse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootDse").field("vendor", &self.vendor()).field("entry", &self.entry).finish()
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Vendor::OpenLdap => "OpenLDAP",
            Vendor::Ds389 => "389 Directory Server",
            Vendor::ActiveDirectory => "Active Directory",
            Vendor::ActiveDirectoryLds => "Active Directory LDS",
            Vendor::Samba => "Samba",
            Vendor::ApacheDs => "Apache Directory Server",
            Vendor::OpenDj => "OpenDJ",
            Vendor::Oracle => "Oracle",
            Vendor::EDirectory => "eDirectory",
            Vendor::Ibm => "IBM",
            Vendor::Other => "unknown",
        })
    }
}

impl fmt::Display for FunctionalLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.0 {
            0 => "2000",
            1 => "Server 2003, interim",
            2 => "Server 2003",
            3 => "Server 2008",
            4 => "Server 2008 R2",
            5 => "Server 2012",
            6 => "Server 2012 R2",
            7 => "Server 2016",
            10 => "Server 2025",
            other => return write!(f, "level {other}"),
        };
        write!(f, "Windows {version}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(attribute: &str, value: &str) -> Vendor {
        RootDse::from(Entry::builder("").attribute(attribute, [value]).build()).vendor()
    }

    #[test]
    fn the_vendor_is_guessed_by_what_the_server_says() {
        assert_eq!(vendor("objectClass", "OpenLDAProotDSE"), Vendor::OpenLdap);
        assert_eq!(vendor("vendorName", "389 Project"), Vendor::Ds389);
        assert_eq!(vendor("vendorName", "Samba Team (https://www.samba.org)"), Vendor::Samba);
        assert_eq!(vendor("supportedCapabilities", "1.2.840.113556.1.4.800"), Vendor::ActiveDirectory);
        assert_eq!(vendor("supportedCapabilities", "1.2.840.113556.1.4.1851"), Vendor::ActiveDirectoryLds);
        assert_eq!(vendor("vendorVersion", "LDAP Agent for NetIQ eDirectory 9.2"), Vendor::EDirectory);
        assert_eq!(vendor("cn", "389"), Vendor::Other);
    }

    #[test]
    fn of_several_naming_contexts_none_is_the_default() {
        let root = |contexts: &[&str]| {
            RootDse::from(Entry::builder("").attribute("namingContexts", contexts).build())
        };
        assert_eq!(root(&["dc=a", "dc=b"]).default_naming_context(), None);
        assert_eq!(root(&["", "dc=b"]).default_naming_context(), Some("dc=b"));
        assert_eq!(root(&[]).default_naming_context(), None);
    }

    #[test]
    fn what_is_said_twice_is_listed_once() {
        let root =
            RootDse::from(Entry::builder("").attribute("supportedControl", ["1.2", "1.3", "1.2"]).build());
        assert_eq!(root.controls().collect::<Vec<_>>(), ["1.2", "1.3"]);
    }

    #[test]
    fn levels_are_told_as_windows_names_them() {
        assert_eq!(FunctionalLevel(4).to_string(), "Windows Server 2008 R2");
        assert_eq!(FunctionalLevel(11).to_string(), "level 11");
    }
}
