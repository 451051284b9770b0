//! Who loses their place in the directory loses a running session; and nobody does because the directory says too little.

mod hidden;

use std::time::Duration;

use testkit::http::Visitor;
use testkit::world::BASE;
use tokio::time::Instant;

use crate::gateway::Gateway;
use crate::installation::{Installation, Keeper, signed_in};
use crate::two_gateways::{is_known, is_refused_within, on_both_stores};

on_both_stores!(
    who_leaves_the_required_group_is_signed_out_at_both_gateways_at_once,
    who_comes_into_a_denied_group_is_signed_out_at_once,
    who_is_deleted_is_signed_out_at_once,
    whose_account_ends_is_signed_out_at_once,
    nobody_is_signed_out_while_the_directory_is_away,
);

/// How long a session may outlive what its person lost.
const AT_ONCE: Duration = Duration::from_secs(2);
/// People who are signed in.
const SAILORS: usize = 8;

/// A group that is required and one that is denied; nothing but the watch looks at anybody.
const WATCHED: &str = r#"
[directory.access]
require = "cn=crew,ou=groups,dc=example,dc=com"
deny = "cn=brig,ou=groups,dc=example,dc=com"

[session]
refresh = "1h"

[sync]
watch = true

[metrics]
listen = "127.0.0.1:0"
"#;

/// The same, with people looked at again all the time.
const REFRESHED: &str = r#"
[directory.access]
require = "cn=crew,ou=groups,dc=example,dc=com"
deny = "cn=brig,ou=groups,dc=example,dc=com"

[session]
refresh = "1s"

[sync]
watch = true

[metrics]
listen = "127.0.0.1:0"
"#;

/// An installation with everybody signed in, by turns at two gateways.
struct Ship {
    installation: Installation,
    one: Gateway,
    other: Gateway,
    sessions: Vec<Visitor>,
}

impl Ship {
    async fn start(keeper: Keeper, settings: &str) -> Self {
        let installation = Installation::with_entries(keeper, &crew(), settings).await;
        let (one, other) = installation.two_gateways().await;
        let mut sessions = Vec::new();
        for number in 0..SAILORS {
            let gateway = [&one, &other][number % 2];
            sessions.push(signed_in(gateway, &format!("sailor{number}"), "Sail-Sea-1").await);
        }
        let ship = Self { installation, one, other, sessions };
        ship.is_watched().await;
        ship
    }

    fn gateways(&self) -> [&Gateway; 2] {
        [&self.one, &self.other]
    }

    /// Makes changes in the directory.
    fn administer(&self, changes: &str) {
        self.installation.directory.administer(changes);
    }

    /// Takes somebody out of the group that is required.
    fn dismiss(&self, number: usize) {
        self.administer(&format!(
            "dn: cn=crew,ou=groups,{BASE}\nchangetype: modify\ndelete: member\nmember: {}\n",
            dn(number)
        ));
    }

    /// This one is refused at both gateways within a time from now on.
    async fn loses(&self, number: usize, limit: Duration) {
        is_refused_within(limit, &self.sessions[number], &self.gateways()).await;
    }

    /// Everybody but these is signed in, at both gateways.
    async fn everybody_stays(&self, but: &[usize]) {
        for (_, session) in self.sessions.iter().enumerate().filter(|(number, _)| !but.contains(number)) {
            is_known(session, &self.gateways()).await;
        }
    }

    /// Waits until one of the gateways is told of changes as they happen.
    async fn is_watched(&self) {
        self.shows("revalidation_watch{directory=\"main\",state=\"live\"} 1.0", 1).await;
    }

    /// Waits until so many gateways show this line among their metrics.
    async fn shows(&self, line: &str, gateways: usize) {
        let (line, deadline) = (format!("ldapgate_{line}"), Instant::now() + Duration::from_secs(60));
        loop {
            let mut pages = Vec::new();
            for gateway in self.gateways() {
                pages.push(gateway.metrics().await);
            }
            if pages.iter().filter(|page| page.lines().any(|shown| shown == line)).count() >= gateways {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{gateways} gateways do not show {line}:\n{}",
                pages.join("\n")
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until one of the gateways has said so since it started.
    async fn says(&self, what: &str) {
        self.says_times(what, 1).await;
    }

    /// The same, for what is said again and again.
    async fn says_times(&self, what: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let said = || format!("{}\n{}", self.one.said(), self.other.said());
        while said().matches(what).count() < times {
            assert!(Instant::now() < deadline, "nobody says {what:?} {times} times:\n{}", said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the directory was searched so many times more.
    async fn searches(&self, more: usize) {
        let searches = || self.installation.directory.log_lines(" SRCH base=").len();
        let (enough, deadline) = (searches() + more, Instant::now() + Duration::from_secs(30));
        while searches() < enough {
            assert!(Instant::now() < deadline, "nobody is looked at");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn who_leaves_the_required_group_is_signed_out_at_both_gateways_at_once(keeper: Keeper) {
    let ship = Ship::start(keeper, WATCHED).await;
    ship.dismiss(0);
    ship.loses(0, AT_ONCE).await;
    ship.dismiss(1);
    ship.loses(1, AT_ONCE).await;
    ship.everybody_stays(&[0, 1]).await;
    let login = ship.one.api_login("sailor0", "Sail-Sea-1").await;
    assert_eq!(login.status, 401, "{}", login.body);
}

async fn who_comes_into_a_denied_group_is_signed_out_at_once(keeper: Keeper) {
    let ship = Ship::start(keeper, WATCHED).await;
    ship.administer(&format!(
        "dn: cn=brig,ou=groups,{BASE}\nchangetype: modify\nadd: member\nmember: {}\n",
        dn(3)
    ));
    ship.loses(3, AT_ONCE).await;
    ship.everybody_stays(&[3]).await;
}

async fn who_is_deleted_is_signed_out_at_once(keeper: Keeper) {
    let ship = Ship::start(keeper, WATCHED).await;
    ship.administer(&format!("dn: {}\nchangetype: delete\n", dn(2)));
    ship.loses(2, AT_ONCE).await;
    ship.everybody_stays(&[2]).await;
}

async fn whose_account_ends_is_signed_out_at_once(keeper: Keeper) {
    let ship = Ship::start(keeper, WATCHED).await;
    let ends = |number, end: &str| {
        ship.administer(&format!(
            "dn: {}\nchangetype: modify\nreplace: pwdEndTime\npwdEndTime: {end}\n",
            dn(number)
        ));
    };
    ends(5, "20990101000000Z");
    ends(4, "20200101000000Z");
    ship.loses(4, AT_ONCE).await;
    ship.everybody_stays(&[4]).await;
}

async fn nobody_is_signed_out_while_the_directory_is_away(keeper: Keeper) {
    let mut ship = Ship::start(keeper, REFRESHED).await;
    ship.installation.directory.stop();
    ship.says("everything stays as it is").await;
    ship.everybody_stays(&[]).await;
    ship.installation.directory.resume().await;
    ship.searches(6).await;
    ship.everybody_stays(&[]).await;
    ship.dismiss(6);
    ship.loses(6, Duration::from_secs(10)).await;
    ship.everybody_stays(&[6]).await;
}

fn dn(number: usize) -> String {
    format!("uid=sailor{number},ou=people,{BASE}")
}

/// The crew, and the group that nobody is in yet.
fn crew() -> String {
    let mut text = String::new();
    for number in 0..SAILORS {
        text.push_str(&format!(
            "\ndn: {}\nobjectClass: inetOrgPerson\nuid: sailor{number}\ncn: sailor{number}\nsn: sailor{number}\n\
             userPassword: Sail-Sea-1\n",
            dn(number)
        ));
    }
    for (group, members) in [("crew", SAILORS), ("brig", 0)] {
        text.push_str(&format!(
            "\ndn: cn={group},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {group}\nmember: uid=nobody,{BASE}\n"
        ));
        (0..members).for_each(|number| text.push_str(&format!("member: {}\n", dn(number))));
    }
    text
}
