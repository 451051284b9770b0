//! A gate before the demo directory, with a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use account::{Accounts, Ambient, MemoryStore};
use axum::Router;
use axum::routing::{get, post};
use client::{Options, Pool};
use directory::{DEMO, Dialect, Directory, PasswordRules, Running};
use ldapgate_web::{CurrentUser, Gate, Permission, Require, Settings, Via};
use testkit::clock::Clock;

use crate::visitor::Visitor;

/// 2026-11-24.
const NOW: u64 = 1_795_478_400;

/// A password that expires in 20 hours, one that may be used three times more, and one that may not.
const OLD_PASSWORDS: &str = "\
dn: uid=soon,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: soon
cn: Soon
sn: Soon
passwordExpirationTime: 20261124200000Z
userPassword: Soon-Sorrel-41

dn: uid=grace,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: grace
cn: Grace
sn: Grace
passwordExpirationTime: 20261001000000Z
passwordGraceLimit: 3
userPassword: Gray-Goose-42

dn: uid=late,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: late
cn: Late
sn: Late
passwordExpirationTime: 20261001000000Z
userPassword: Late-Lemon-43
";

pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) accounts: Accounts,
    pub(crate) directory: Directory,
    pub(crate) clock: Clock,
    running: Option<Running>,
}

/// What a test wants to be different.
pub(crate) struct Wishes {
    pub(crate) web: Settings,
    pub(crate) account: account::Settings,
    pub(crate) change: auth::PasswordChange,
    /// What the directory answers like.
    pub(crate) dialect: Dialect,
    /// People besides those of the demonstration.
    pub(crate) people: &'static str,
}

pub(crate) struct ViewReports;
impl Permission for ViewReports {
    const NAME: &'static str = "reports.view";
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Wishes)) -> Self {
        let clock = Clock::at(NOW);
        let mut account = account::Settings::default();
        account.token.issuer = "http://localhost".to_owned();
        account.token.audience = "http://localhost".to_owned();
        let change_password = auth::PasswordChange::default();
        let mut wishes = Wishes {
            web: Settings::default(),
            account,
            change: change_password,
            dialect: Dialect::default(),
            people: "",
        };
        change(&mut wishes);
        let tell = clock.clone();
        let tell: Arc<dyn Fn() -> SystemTime + Send + Sync> = Arc::new(move || tell.now());
        let rules = PasswordRules { shortest: 8, ..PasswordRules::default() };
        let builder = Directory::builder(Arc::clone(&tell)).dialect(wishes.dialect).password_rules(rules);
        let directory = builder.ldif(DEMO).unwrap().ldif(wishes.people).unwrap().build();
        let running = directory.serve(Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap()).await;
        let pool = Pool::lazy(Options::new([running.url()]).unwrap().connect_timeout(Duration::from_secs(2)));
        let mut settings =
            auth::Settings::preset("main", auth::Vendor::OpenLdap, "dc=example,dc=com".parse().unwrap());
        settings.password_change = wishes.change;
        let directories = auth::Directories::new(vec![(settings, pool)], tell).unwrap();
        let store = Arc::new(MemoryStore::new());
        let accounts = Accounts::open(wishes.account, directories, store, ambient(&clock)).await.unwrap();
        let gate = Gate::new(wishes.web, accounts.clone()).unwrap();
        Self { gate, accounts, directory, clock, running: Some(running) }
    }

    /// Before a directory with 389-ds's habits, where passwords expire.
    pub(crate) async fn of_old_passwords(change: auth::PasswordChange) -> Self {
        Self::with(|wishes| {
            wishes.dialect = Dialect::Ds389;
            wishes.people = OLD_PASSWORDS;
            wishes.change = change;
        })
        .await
    }

    /// Everything: the gateway, and an application with a guarded upload beside it.
    pub(crate) fn router(&self) -> Router {
        let guarded = Router::new()
            .route(
                "/app/upload",
                get(|user: CurrentUser| async move { format!("upload for {}", user.username) }),
            )
            .route(
                "/app/upload",
                post(|user: CurrentUser| async move { format!("taken from {}", user.username) }),
            )
            .route("/app/via", get(|via: Via| async move { via.as_str() }))
            .route(
                "/app/reports",
                get(|user: Require<ViewReports>| async move { format!("reports for {}", user.username) }),
            )
            .layer(self.gate.login_required());
        let open = Router::new()
            .route("/app/hello", get(hello).post(hello))
            .layer(self.gate.login_optional())
            .route("/app/forgotten", get(|user: CurrentUser| async move { user.username.clone() }));
        self.gate.routes().merge(guarded).merge(open)
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(self.router())
    }

    /// A browser whose person has typed an address.
    pub(crate) fn browser(&self) -> Visitor {
        self.visitor().with("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    }

    /// A browser that is signed in.
    pub(crate) async fn signed_in(&self, username: &str, password: &str) -> Visitor {
        let mut browser = self.browser();
        let answer = browser.sign_in(username, password).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub(crate) fn operations(&self) -> usize {
        self.directory.operations().len()
    }

    pub(crate) async fn directory_goes_away(&mut self) {
        self.running.take().expect("it runs").stop().await;
    }
}

async fn hello(user: Option<CurrentUser>) -> String {
    user.map_or_else(|| "hello, whoever you are".to_owned(), |user| format!("hello, {}", user.username))
}

fn ambient(clock: &Clock) -> Ambient {
    Ambient { clock: Arc::new(Stopped(clock.clone())), entropy: Arc::new(Counting(AtomicU64::new(1))) }
}

struct Stopped(Clock);

impl account::Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// Bytes that differ each time, the same in every run.
struct Counting(AtomicU64);

impl account::Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
        }
    }
}
