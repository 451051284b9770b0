//! `/healthz` and `/readyz`.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn alive_is_alive() {
    let world = World::new().await;
    let answer = world.visitor().get("/healthz").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "alive": true })));
}

#[tokio::test]
async fn a_gateway_whose_directory_answers_is_ready() {
    let world = World::new().await;
    let answer = world.visitor().get("/readyz").await;
    assert_eq!(answer.json(), json!({ "ready": true, "directory": { "main": "ok" }, "store": "ok" }));
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_directory_that_is_lost_later_leaves_the_signed_in_served() {
    let mut world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    world.directory_goes_away().await;
    let answer = world.visitor().get("/readyz").await;
    assert_eq!(
        answer.json(),
        json!({ "ready": true, "directory": { "main": "unreachable" }, "store": "ok" })
    );
    assert_eq!(answer.status, 200);
    assert_eq!(browser.get("/app/upload").await.body, "upload for alice");
}

#[tokio::test]
async fn a_directory_that_never_answered_is_not_ready() {
    let mut world = World::new().await;
    world.directory_goes_away().await;
    let answer = world.visitor().get("/readyz").await;
    assert_eq!((answer.status, &answer.json()["ready"]), (503, &json!(false)));
}
