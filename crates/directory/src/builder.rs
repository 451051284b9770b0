//! Settings, and the data to start with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tls::ServerTls;

use crate::directory::{Directory, Settings};
use crate::fault::Faults;
use crate::tree::Tree;
use crate::{LoadError, time};

/// Where the directory takes the time from. Account states and timestamps are judged by it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What one peer may cost. The defaults suit a laptop.
///
/// ```
/// let limits = ldapgate_directory::Limits { size: Some(100), ..Default::default() };
/// assert_eq!(limits.frame, 1024 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at the same time; the next one is told `busy` and closed.
    pub connections: usize,
    /// Bytes of one request.
    pub frame: usize,
    /// Requests of one connection in work at the same time; the next ones wait in the socket.
    pub outstanding: usize,
    /// Paged searches one connection may leave unfinished; the oldest is forgotten.
    pub paged: usize,
    /// How long a connection may be silent, or a peer may refuse to read.
    pub idle: Duration,
    /// How long a request, or a TLS handshake, may take to arrive in full.
    pub frame_time: Duration,
    /// Entries a search without paging may return, and the largest page. `None`: all.
    pub size: Option<u32>,
    /// Seconds a search may take. `None`: as long as the client likes.
    pub time: Option<u32>,
    /// Entries the directory may hold.
    pub entries: usize,
    /// Operations kept in the log; older ones are forgotten.
    pub log: usize,
    /// Values of one attribute handed out at once under [`Dialect::ActiveDirectory`]; the rest is asked for by range.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            frame: 1024 * 1024,
            outstanding: 256,
            paged: 16,
            idle: Duration::from_secs(15 * 60),
            frame_time: Duration::from_secs(30),
            size: None,
            time: None,
            entries: 1_000_000,
            log: 10_000,
            values: 1_500,
        }
    }
}

/// What a new password has to be like. By default anything will do that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordRules {
    /// Letters of the shortest.
    pub shortest: usize,
    /// So many passwords before it it may not be, the present one included; 0: it may be any.
    pub remembered: usize,
    /// A password that is younger is not changed, unless it was reset.
    pub youngest: Duration,
}

/// Whose habits the directory shows where servers differ: in what they answer, in what they compute, in what they leave
/// out. What is not said otherwise is alike in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenLDAP's, with its password policy.
    #[default]
    OpenLdap,
    /// Active Directory's: it computes `tokenGroups` for a base search that asks for it, follows chains of groups
    /// (1.2.840.113556.1.4.1941), and hands out long attributes by range.
    ActiveDirectory,
    /// 389 Directory Server's.
    Ds389,
    /// FreeIPA's: 389 Directory Server's with Kerberos attributes.
    FreeIpa,
    /// lldap's.
    Lldap,
}

/// A directory in the making; see [`Directory::builder`].
#[must_use]
pub struct Builder {
    settings: Settings,
    tree: Tree,
}

impl Builder {
    pub(crate) fn new(clock: Clock) -> Self {
        let settings = Settings {
            clock,
            faults: Faults::default(),
            tls: None,
            limits: Limits::default(),
            read_only: false,
            dialect: Dialect::default(),
            password_rules: PasswordRules::default(),
        };
        Self { settings, tree: Tree::default() }
    }

    /// Loads LDIF content records (RFC 2849); may be called several times.
    ///
    /// Parents that a file leaves out are made, up to the naming context: the run of `dc=` at the end of a name, or its
    /// last part. What the server would have written itself (`entryUUID`, timestamps) is kept when the file has it; else
    /// the `entryUUID` is derived from the name, so that it is the same at every start.
    ///
    /// # Errors
    /// When the text is not LDIF, a name is bad or there twice, or the entries are too many; the line is told.
    pub fn ldif(mut self, text: impl AsRef<[u8]>) -> Result<Self, LoadError> {
        let now = time::generalized((self.settings.clock)());
        self.tree.load(text.as_ref(), &now, self.settings.limits.entries)?;
        Ok(self)
    }

    /// Refuses every write with `unwillingToPerform (53)`.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.settings.read_only = read_only;
        self
    }

    /// Shows the habits of another server.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// Says what a new password has to be like when a person changes it by password modify (RFC 3062) or, with
    /// [`Dialect::ActiveDirectory`], by `unicodePwd`. A modify of `userPassword` is not judged.
    pub fn password_rules(mut self, rules: PasswordRules) -> Self {
        self.settings.password_rules = rules;
        self
    }

    /// Whether `memberOf` is computed from `member` and `uniqueMember` of the groups, for entries whose data does not
    /// say. It is by default; then it is an operational attribute, returned when it is asked for.
    pub fn member_of(mut self, computed: bool) -> Self {
        self.tree.compute_member_of(computed);
        self
    }

    /// Shares a plan of faults with the caller; [`Directory::faults`] gives it too.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.settings.faults = faults;
        self
    }

    /// Offers StartTLS, and makes [`Directory::serve_ldaps`] possible.
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.settings.tls = Some(tls);
        self
    }

    /// Sets all limits. Set them before loading large files: the number of entries is judged while loading.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// The directory, ready to serve.
    #[must_use]
    pub fn build(self) -> Directory {
        Directory::new(self.settings, self.tree)
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("limits", &self.settings.limits).finish_non_exhaustive()
    }
}
