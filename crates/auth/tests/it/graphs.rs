//! Groups in groups of any shape: each way through them leads to the same ones.

use std::collections::BTreeSet;
use std::time::Duration;

use directory::{Dialect, Directory, Fault, Kind};
use ldapgate_auth::{Directories, Settings, Vendor};
use proptest::prelude::*;
use proto::value::Sid;
use proto::{Entry, LdapResult, ResultCode, ldif};

use crate::world::{World, admitted, clock, dn};

const GROUPS: usize = 9;
const BASE: &str = "dc=corp,dc=test";
const PASSWORD: &str = "Ada-Apple-1";

/// Which group is in which, and in which the person is; the last is the primary group.
#[derive(Debug, Clone)]
struct Graph {
    inside: BTreeSet<(usize, usize)>,
    direct: BTreeSet<usize>,
}

/// How the server is, and what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Token,
    Chain,
    Levels,
}

fn graph() -> impl Strategy<Value = Graph> {
    let inside = proptest::collection::btree_set((0..GROUPS, 0..GROUPS), 0..25);
    let direct = proptest::collection::btree_set(0..GROUPS - 1, 0..4);
    (inside, direct).prop_map(|(inside, direct)| Graph { inside, direct })
}

impl Graph {
    /// All groups that the person is in.
    fn closure(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut waiting: Vec<usize> = self.direct.iter().copied().chain([GROUPS - 1]).collect();
        while let Some(group) = waiting.pop() {
            if found.insert(group) {
                waiting
                    .extend(self.inside.iter().filter(|(inner, _)| *inner == group).map(|(_, outer)| *outer));
            }
        }
        found.into_iter().map(place).collect()
    }

    fn ldif(&self) -> Vec<u8> {
        let mut text = ldif::Writer::new(Vec::new());
        let person = Entry::builder(format!("cn=ada,{BASE}"))
            .attribute("objectClass", ["user"])
            .attribute("objectCategory", ["person"])
            .attribute("objectGUID", [[7; 16]])
            .attribute("objectSid", [sid(1000)])
            .attribute("primaryGroupID", [(GROUPS - 1).to_string()])
            .attribute("sAMAccountName", ["ada"])
            .attribute("userPassword", [PASSWORD]);
        let reader = Entry::builder(crate::world::READER)
            .attribute("objectClass", ["user"])
            .attribute("userPassword", ["Reader-Pass-1"]);
        for entry in [person, reader] {
            text.entry(&entry.build()).expect("memory takes what is written");
        }
        for group in 0..GROUPS {
            let groups =
                self.inside.iter().filter(|(_, outer)| *outer == group).map(|(inner, _)| place(*inner));
            let people = self.direct.contains(&group).then(|| format!("CN=Ada, {BASE}"));
            let entry = Entry::builder(place(group))
                .attribute("objectClass", ["group"])
                .attribute("groupType", ["-2147483646"])
                .attribute("objectSid", [sid(group)])
                .attribute("member", groups.chain(people));
            text.entry(&entry.build()).expect("memory takes what is written");
        }
        text.into_inner()
    }

    /// What a login finds in this way.
    async fn found(&self, way: Way) -> BTreeSet<String> {
        let dialect = if way == Way::Levels { Dialect::OpenLdap } else { Dialect::ActiveDirectory };
        let world =
            World::of(Directory::builder(clock()).dialect(dialect).ldif(self.ldif()).expect("good LDIF"))
                .await;
        let mut settings = Settings::preset("corp", Vendor::ActiveDirectory, dn(BASE));
        // Half of them lie where none are shown.
        settings.groups.searches[0].base = dn(&format!("ou=even,{BASE}"));
        settings.named = (0..GROUPS).map(|group| dn(&place(group))).collect();
        let directories = Directories::new(vec![(settings, world.pool())], clock()).expect("good settings");
        if way == Way::Chain {
            let faults = world.directory.faults();
            faults.next(Kind::Search, 1, Fault::Delay(Duration::ZERO));
            let hidden = LdapResult::new(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "");
            faults.next(Kind::Search, 1, Fault::Answer(hidden));
        }
        let person = admitted(&directories, "ada", PASSWORD).await;
        person.memberships().map(|group| group.normalized().to_owned()).collect()
    }
}

fn place(group: usize) -> String {
    let unit = if group.is_multiple_of(2) { "even" } else { "odd" };
    format!("cn=g{group},ou={unit},{BASE}")
}

fn sid(number: usize) -> Vec<u8> {
    let sid: Sid = format!("S-1-5-21-1-2-3-{number}").parse().expect("an identifier");
    sid.to_wire()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_leads_to_the_same_groups(graph in graph()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for way in [Way::Token, Way::Chain, Way::Levels] {
            prop_assert_eq!(runtime.block_on(graph.found(way)), graph.closure(), "{:?}", way);
        }
    }
}
