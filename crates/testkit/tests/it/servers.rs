//! The servers hold the world.

use ldapgate_testkit::process;
use ldapgate_testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

fn search(url: &str, filter: &str) -> process::Finished {
    let arguments = ["-x", "-LLL", "-H", url, "-D", READER, "-w", READER_PASSWORD, "-b", BASE, filter, "uid"];
    process::run("ldapsearch", "ldap-utils", &arguments, "")
}

async fn holds_the_world(peer: Peer) {
    let mut world = World::start(peer).await;
    let before = world.connections();
    let found = search(&world.ldap_url(), "(uid=alice)");
    assert_eq!(found.status, 0, "{}", found.stderr);
    assert_eq!(found.stdout, "dn: uid=alice,ou=people,dc=example,dc=com\nuid: alice\n\n");
    assert_eq!(world.connections(), before + 1);

    world.stop().await;
    assert_ne!(search(&world.ldap_url(), "(uid=alice)").status, 0, "a stopped server does not answer");
    world.resume().await;
    assert_eq!(search(&world.ldap_url(), "(uid=alice)").status, 0);
}

#[tokio::test]
async fn openldap_holds_the_world_stops_and_comes_back() {
    holds_the_world(Peer::OpenLdap).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_holds_the_world_stops_and_comes_back() {
    holds_the_world(Peer::Memory).await;
}
