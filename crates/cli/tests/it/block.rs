//! Who is throttled, on the command line.

use serde_json::Value;
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{USUAL, configure, ldapgate, login};

against_both!(who_is_throttled_is_listed_and_may_be_let_go);

async fn who_is_throttled_is_listed_and_may_be_let_go(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let block = |arguments: &[&str]| ldapgate(&config, &[&["-q", "block"], arguments].concat(), "");
    assert_eq!((block(&["list"]).stdout.as_str(), block(&["list"]).status), ("", 0));
    for _ in 0..4 {
        assert_eq!(login(&config, "Alice", "wrong").0["reason"], "wrong_password");
    }
    assert_eq!(login(&config, "alice", "Red-Apple-11").0["reason"], "throttled");

    let document: Value = serde_json::from_str(&block(&["list", "--json"]).stdout).expect("a document");
    let [alice] = document["blocks"].as_array().expect("a list").as_slice() else { panic!("{document}") };
    assert_eq!(
        (&alice["kind"], &alice["directory"], &alice["username"], &alice["address"], &alice["wrong"]),
        (&"person".into(), &"main".into(), &"alice".into(), &Value::Null, &4.into())
    );
    assert!(alice["until"].as_str() > alice["last"].as_str(), "{alice}");
    assert!(block(&["list"]).stdout.starts_with("person alice (main): 4 wrong passwords, until "));

    let nobody = block(&["clear", "192.0.2.1"]);
    assert_eq!((nobody.status, nobody.stdout.starts_with("refused: ")), (1, true), "{}", nobody.stdout);
    assert_eq!(block(&["clear", "ALICE"]).stdout, "cleared: ALICE\n");
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
}
