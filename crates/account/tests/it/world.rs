//! A small world: one directory of three people, and accounts over it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth::Vendor;
use client::{Options, Pool};
use directory::{Builder, Directory, Kind, Running};
use ldapgate_account::store::Mirror;
use ldapgate_account::{
    Accounts, Ambient, Clock, Directories, DirectorySettings, Entropy, Origin, Outcome, PermissionKey,
    Settings, SignIn, SignedIn,
};
use proto::Dn;

use crate::watched::Watched;

pub(crate) const PEOPLE: &str = "\
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice Adams
sn: Adams
givenName: Alice
mail: alice@example.com
telephoneNumber: 1
telephoneNumber: 2
userPassword: alice-secret

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob Brown
sn: Brown
userPassword: bob-secret

dn: uid=carol,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: carol
cn: Carol Clark
sn: Clark
shadowExpire: 1
userPassword: carol-secret

dn: cn=staff,dc=example,dc=com
objectClass: groupOfNames
cn: staff
member: uid=alice,ou=people,dc=example,dc=com

dn: cn=writers,dc=example,dc=com
objectClass: groupOfNames
cn: writers
member: uid=alice,ou=people,dc=example,dc=com
member: uid=bob,ou=people,dc=example,dc=com
";

/// A clock that moves when it is told to, and random bytes that are the same at each run.
pub(crate) struct Still {
    now: Mutex<SystemTime>,
    drawn: AtomicU64,
}

impl Still {
    pub(crate) fn new() -> Arc<Self> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Arc::new(Self { now: Mutex::new(now), drawn: AtomicU64::new(0) })
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }

    pub(crate) fn ambient(self: &Arc<Self>) -> Ambient {
        Ambient { clock: Arc::clone(self) as Arc<dyn Clock>, entropy: Arc::clone(self) as Arc<dyn Entropy> }
    }
}

impl Clock for Still {
    fn now(&self) -> SystemTime {
        *self.now.lock().unwrap()
    }
}

impl Entropy for Still {
    fn fill(&self, buffer: &mut [u8]) {
        for bytes in buffer.chunks_mut(8) {
            let mixed = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            bytes.copy_from_slice(&mixed.to_be_bytes()[..bytes.len()]);
        }
    }
}

/// An LDAP server in memory, on a free port.
pub(crate) struct Server {
    pub(crate) directory: Directory,
    running: Running,
}

impl Server {
    pub(crate) async fn start(ldif: &str) -> Self {
        let clock = Still::new();
        Self::of(Directory::builder(Arc::new(move || clock.now())).ldif(ldif).unwrap()).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let directory = builder.build();
        let listener = Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let running = directory.serve(listener).await;
        Self { directory, running }
    }

    /// As one directory of a list, with the given change of its settings.
    pub(crate) fn entry(
        &self,
        name: &str,
        change: impl FnOnce(&mut auth::Settings),
    ) -> (auth::Settings, Pool) {
        let base = Dn::parse("dc=example,dc=com").unwrap();
        let mut settings = auth::Settings::preset(name, Vendor::OpenLdap, base);
        settings.fields = [("first_name", "givenName"), ("email", "mail")].map(owned).into();
        settings.lists = [("phones", "telephoneNumber")].map(owned).into();
        change(&mut settings);
        (settings, self.pool(Duration::from_secs(2)))
    }

    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    /// Waits so long for each answer.
    pub(crate) fn pool(&self, timeout: Duration) -> Pool {
        Pool::lazy(Options::new([self.url()]).unwrap().timeout(timeout))
    }

    /// The people whose passwords were tried, in order.
    pub(crate) fn binds(&self) -> Vec<String> {
        let operations = self.directory.operations().into_iter();
        operations.filter(|operation| operation.kind == Kind::Bind).map(|operation| operation.dn).collect()
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: Arc<Still>,
    pub(crate) store: Arc<Watched>,
    pub(crate) accounts: Accounts,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default(), |_| {}).await
    }

    pub(crate) async fn with(settings: Settings, change: impl FnOnce(&mut auth::Settings)) -> Self {
        let server = Server::start(PEOPLE).await;
        let directories = directories(vec![server.entry("main", change)]);
        Self::over(server, directories, settings).await
    }

    pub(crate) async fn over(server: Server, directories: Directories, settings: Settings) -> Self {
        let (clock, store) = (Still::new(), Arc::new(Watched::default()));
        let accounts = open(&clock, &store, directories, settings).await;
        Self { server, clock, store, accounts }
    }

    /// A second process over the same store.
    pub(crate) async fn replica(&self) -> Accounts {
        let directories = directories(vec![self.server.entry("main", |_| {})]);
        open(&self.clock, &self.store, directories, Settings::default()).await
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Outcome {
        self.sign_in_from(username, password, &Origin::default()).await
    }

    pub(crate) async fn sign_in_from(&self, username: &str, password: &str, origin: &Origin) -> Outcome {
        let how = SignIn { session: true, ..SignIn::default() };
        self.accounts.sign_in(username, password.to_owned(), origin, how).await
    }

    pub(crate) async fn granted(&self, username: &str, password: &str) -> SignedIn {
        granted(self.sign_in(username, password).await)
    }

    pub(crate) async fn cookie(&self) -> String {
        self.granted("alice", "alice-secret").await.session.unwrap().cookie
    }
}

pub(crate) fn directories(list: Vec<(auth::Settings, Pool)>) -> Directories {
    let clock = Still::new();
    Directories::new(list, Arc::new(move || clock.now())).unwrap()
}

async fn open(
    clock: &Arc<Still>,
    store: &Arc<Watched>,
    directories: Directories,
    settings: Settings,
) -> Accounts {
    let store = Arc::clone(store) as Arc<dyn ldapgate_account::Store>;
    Accounts::open(settings, directories, store, clock.ambient()).await.unwrap()
}

pub(crate) fn granted(outcome: Outcome) -> SignedIn {
    match outcome {
        Outcome::Granted(signed_in) => *signed_in,
        other => panic!("not granted: {other:?}"),
    }
}

/// What `[permissions]` gives the staff, and local groups that follow.
pub(crate) fn generous() -> Settings {
    let main = DirectorySettings { from_groups: true, mirror: Mirror::All, ..DirectorySettings::default() };
    Settings {
        directories: BTreeMap::from([("main".to_owned(), main)]),
        permissions: BTreeMap::from([(
            PermissionKey::Name("staff".to_owned()),
            vec!["reports.view".to_owned()],
        )]),
        ..Settings::default()
    }
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it becomes so within ten seconds");
}

/// The reason of a denial.
pub(crate) fn reason(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Denied(denied) => denied.denial.reason().as_str(),
        other => panic!("not denied: {other:?}"),
    }
}

pub(crate) fn from(address: &str) -> Origin {
    Origin { address: Some(address.parse().unwrap()), ..Origin::default() }
}

pub(crate) fn group(name: &str) -> Dn {
    Dn::parse(&format!("cn={name},dc=example,dc=com")).unwrap()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
