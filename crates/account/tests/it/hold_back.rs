//! An answer that needed no bind comes no sooner than one that did.

use std::time::Duration;

use directory::{Fault, Kind};
use tokio::time::Instant;

use crate::world::{World, reason};

#[tokio::test]
async fn an_unknown_name_is_answered_as_slowly_as_a_wrong_password() {
    let world = World::start().await;
    let bind = Duration::from_millis(200);
    world.server.directory.faults().always(Kind::Bind, Fault::Delay(bind));
    for _ in 0..2 {
        assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    }
    for (name, why) in [("nobody", "unknown_user"), ("a\u{202e}b", "bad_username")] {
        let asked = Instant::now();
        assert_eq!(reason(&world.sign_in(name, "wrong").await), why);
        assert!(asked.elapsed() >= bind, "{name} was answered after {:?}", asked.elapsed());
    }
    assert_eq!(world.server.binds().len(), 2);
}

#[tokio::test]
async fn right_passwords_say_nothing_of_how_long_a_refusal_takes() {
    let (world, slow) = (World::start().await, Duration::from_millis(1500));
    world.server.directory.faults().next(Kind::Bind, 1, Fault::Delay(slow));
    world.granted("alice", "alice-secret").await;
    world.sign_in("alice", "wrong").await;
    let asked = Instant::now();
    world.sign_in("nobody", "wrong").await;
    assert!(asked.elapsed() < slow, "{:?}", asked.elapsed());
}
