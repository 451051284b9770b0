//! A `slapd` with everything that a complete client asks of one: SASL mechanisms, client certificates, proxied
//! authorization, server-side sorting, content synchronisation, password policies, referrals.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use tokio::sync::OnceCell;

use crate::certificate::{Authority, Files, Flaw};
use crate::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use crate::process;
use crate::world::{LDIF, READER};

/// May act as anybody below `ou=people`, by proxied authorization or a SASL authorization identity.
pub const PROXY: &str = "cn=proxy,ou=services,dc=example,dc=com";
/// Its password.
pub const PROXY_PASSWORD: &str = "Proxy-Pass-2";

/// The people's database in `cn=config`.
const DATABASE: &str = "olcDatabase={1}mdb,cn=config";

/// The server, and the authority that its clients' certificates come from.
///
/// People are known to SASL by their `uid`, services by their `cn`; whoever runs the tests is the administrator by
/// EXTERNAL over `ldapi`; a client certificate `CN=alice` is `uid=alice,ou=people,dc=example,dc=com`.
pub struct Equipped {
    server: OpenLdap,
    authority: Authority,
}

impl OpenLdap {
    /// The equipped server that all tests of this process share; it ends with the process. Tests write below entries of
    /// their own and leave the people alone.
    ///
    /// # Panics
    /// When `slapd` or the SASL library's mechanisms are missing.
    pub async fn equipped() -> &'static Equipped {
        static SHARED: OnceCell<Equipped> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let mut equipped = Equipped::start().await;
                equipped.server.leave_nothing();
                equipped
            })
            .await
    }
}

impl Equipped {
    /// One of the caller's own, to be stopped, broken or reconfigured.
    ///
    /// # Panics
    /// As [`OpenLdap::equipped`].
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// One of the caller's own that holds more than the world: entries as LDIF.
    ///
    /// # Panics
    /// As [`OpenLdap::equipped`], and when `slapd` refuses the entries.
    pub async fn start_with_more(entries: &str) -> Self {
        Self::holding(&format!("{}\n{entries}", ldif()), &[]).await
    }

    /// One of the caller's own, with variables in its environment.
    pub(crate) async fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::holding(&ldif(), environment).await
    }

    async fn holding(ldif: &str, environment: &[(&str, &str)]) -> Self {
        let authority = Authority::new("Example Test CA");
        let server = OpenLdap::configured(ldif, &authority, Flaw::None, environment, settings).await;
        Self { server, authority }
    }

    /// For one that lives as long as the test process: its folder goes when the process ends.
    pub(crate) fn leave_nothing(&mut self) {
        self.server.leave_nothing();
    }

    /// Who signed the server's certificate, and signs its clients'.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The files of a certificate for the client `CN=name`.
    ///
    /// # Panics
    /// When the server's folder cannot be written.
    #[must_use]
    pub fn identity(&self, name: &str) -> Files {
        self.authority.client(name).write(self.server.folder(), &format!("client-{name}"))
    }

    /// Changes the server itself, as LDIF for `cn=config`.
    ///
    /// # Panics
    /// When the server refuses a change.
    pub fn configure(&self, changes: &str) {
        let url = self.server.ldap_url();
        let identity = ["-x", "-H", &url, "-D", "cn=config", "-w", ADMINISTRATOR_PASSWORD];
        let done = process::run("ldapmodify", "ldap-utils", &identity, changes);
        assert_eq!(done.status, 0, "slapd refused a change: {}{changes}", done.stderr);
    }
}

impl Equipped {
    /// Hides an entry and everything below it from the service account, until [`Equipped::show`] or a restart.
    ///
    /// # Panics
    /// When the server refuses the rule.
    pub fn hide(&self, dn: &str) {
        self.configure(&format!(
            "dn: {DATABASE}\nchangetype: modify\nadd: olcAccess\n\
             olcAccess: {{0}}to dn.subtree=\"{dn}\" by dn.exact=\"{READER}\" none by * break\n"
        ));
    }

    /// Takes back what [`Equipped::hide`] did last.
    ///
    /// # Panics
    /// When nothing is hidden.
    pub fn show(&self) {
        self.configure(&format!("dn: {DATABASE}\nchangetype: modify\ndelete: olcAccess\nolcAccess: {{0}}\n"));
    }
}

impl Deref for Equipped {
    type Target = OpenLdap;

    fn deref(&self) -> &OpenLdap {
        &self.server
    }
}

impl DerefMut for Equipped {
    fn deref_mut(&mut self) -> &mut OpenLdap {
        &mut self.server
    }
}

fn ldif() -> String {
    let mut text = LDIF.clone();
    write!(
        text,
        "\ndn: {PROXY}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: proxy\n\
         userPassword: {PROXY_PASSWORD}\nauthzTo: dn.children:ou=people,dc=example,dc=com\n"
    )
    .expect("text grows");
    text
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/dyngroup.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
moduleload sssvlv
moduleload syncprov
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.crt
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient try
sasl-host localhost
sasl-realm EXAMPLE.TEST
sasl-auxprops slapd
sasl-secprops noanonymous,noplain
password-hash {{CLEARTEXT}}
authz-policy to
authz-regexp "^gidNumber=[0-9]+[+]uidNumber=[0-9]+,cn=peercred,cn=external,cn=auth$" "{ADMINISTRATOR}"
authz-regexp "^uid=(reader|proxy)(@[^,]+)?(,cn=[^,]+)?,cn=[^,]+,cn=auth$" "cn=$1,ou=services,dc=example,dc=com"
authz-regexp "^uid=([^,/@]+)(@[^,]+)?(,cn=[^,]+)?,cn=[^,]+,cn=auth$" "uid=$1,ou=people,dc=example,dc=com"
authz-regexp "^cn=([^,]+)$" "uid=$1,ou=people,dc=example,dc=com"
sizelimit 500

access to dn.base="" by * read
access to dn.base="cn=Subschema" by * read

database config
rootdn cn=config
rootpw {ADMINISTRATOR_PASSWORD}

database mdb
suffix "dc=example,dc=com"
rootdn "{ADMINISTRATOR}"
rootpw {ADMINISTRATOR_PASSWORD}
directory {folder}/db
dbnosync
maxsize 1073741824
index objectClass,uid,member,memberUid,entryUUID,entryCSN eq
access to attrs=userPassword by self =xw by anonymous auth by * none
access to attrs=authzTo by * auth
# SASL reads passwords as nobody: it needs auth on the entry and on its class.
access to * by dn.children="ou=services,dc=example,dc=com" read by self read by anonymous auth by * none
overlay syncprov
overlay memberof
overlay ppolicy
ppolicy_use_lockout
overlay sssvlv
"#
    )
}
