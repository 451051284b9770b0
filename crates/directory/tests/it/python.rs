//! python-ldap, the library most of the field is built on.

use testkit::process::run;

use crate::support::Server;

const SCRIPT: &str = include_str!("python.py");

#[tokio::test(flavor = "multi_thread")]
async fn python_ldap_can_do_everything() {
    let server = Server::demo().await;
    let done = run("python3", "python3-ldap", &["-", &server.running.url()], SCRIPT);
    assert_eq!((done.status, done.stdout.as_str()), (0, "all done\n"), "{}", done.stderr);
    let counters = server.directory.counters();
    assert_eq!((counters.renames, counters.deletes, counters.compares), (1, 2, 2));
}
