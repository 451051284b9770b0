//! `POST {token.path}/request-token`.

use std::time::Duration;

use testkit::http::{Answer, basic};

use crate::world::World;

async fn request(world: &World, username: &str, password: &str, query: &str) -> Answer {
    let path = format!("/auth/request-token{query}");
    world.visitor().with("authorization", &basic(username, password)).form(&path, &[]).await
}

async fn opens(world: &World, answer: &Answer) -> bool {
    let token = answer.json()["token"].as_str().expect("a token").trim_end_matches(':').to_owned();
    world.visitor().with("authorization", &format!("Bearer {token}")).get("/api/me").await.status == 200
}

#[tokio::test]
async fn a_right_password_gets_a_token_with_its_colon() {
    let world = World::new().await;
    let answer = request(&world, "alice", "Red-Apple-11", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert!(answer.body.starts_with("{\"token\": \"ey") && answer.body.ends_with(":\"}"), "{}", answer.body);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(opens(&world, &answer).await);
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_was_asked_for_up_to_the_limit() {
    let world = World::new().await;
    let (short, long) = (
        request(&world, "alice", "Red-Apple-11", "?token_duration=60").await,
        request(&world, "alice", "Red-Apple-11", "?token_duration=99999999&search_criteria=mail").await,
    );
    world.clock.advance(Duration::from_secs(59));
    assert!(opens(&world, &short).await);
    world.clock.advance(Duration::from_secs(2));
    assert!(!opens(&world, &short).await);
    world.clock.advance(Duration::from_secs(23 * 60 * 60));
    assert!(opens(&world, &long).await);
    world.clock.advance(Duration::from_secs(60 * 60));
    assert!(!opens(&world, &long).await);
}

#[tokio::test]
async fn nonsense_is_400_before_anybody_is_asked() {
    let world = World::new().await;
    for query in [
        "?token_duration=",
        "?token_duration=0",
        "?token_duration=-1",
        "?token_duration=soon",
        "?token_duration=nan",
    ] {
        let answer = request(&world, "alice", "Red-Apple-11", query).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("bad_request")), "{query}");
    }
    assert_eq!(world.operations(), 0);
}

#[tokio::test]
async fn everything_wrong_gets_the_same_401() {
    let world = World::new().await;
    let nothing = world.visitor().form("/auth/request-token", &[]).await;
    let bearer = world.visitor().with("authorization", "Bearer x").form("/auth/request-token", &[]).await;
    let mut answers = vec![nothing, bearer];
    for (username, password) in [
        ("alice", "wrong"),
        ("nobody", "x"),
        ("alice", ""),
        ("", ""),
        ("max", "Must-Mango-15"),
        ("diana", "Dead-Dodo-13"),
    ] {
        answers.push(request(&world, username, password, "").await);
    }
    for answer in answers {
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.body,
            "{\"error\": \"unauthorized\", \"message\": \"Please authenticate with a valid token\", \"status\": 401}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"Authentication Required\""));
        assert_eq!(answer.header("location"), Some("/auth/request-token"));
    }
}

#[tokio::test]
async fn throttling_and_an_outage_have_their_own_answers() {
    let mut world = World::new().await;
    for _ in 0..4 {
        assert_eq!(request(&world, "alice", "wrong", "").await.status, 401);
    }
    let answer = request(&world, "alice", "Red-Apple-11", "").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    world.directory_goes_away().await;
    assert_eq!(request(&world, "bob", "Blue-Boat-22", "").await.status, 503);
}

#[tokio::test]
async fn the_path_is_the_configuration_s_and_takes_posts_alone() {
    let world = World::with(|wishes| wishes.web.token_path = "/api/v1/tokens".to_owned()).await;
    let answer = world.visitor().get("/api/v1/tokens/request-token").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(world.visitor().form("/auth/request-token", &[]).await.status, 404);
    assert_eq!(
        world.visitor().get("/app/upload").await.header("location"),
        Some("/api/v1/tokens/request-token")
    );
}

#[tokio::test]
async fn a_personal_token_is_no_password_and_counts_against_nobody() {
    let world = World::new().await;
    let asked = world.operations();
    for _ in 0..6 {
        assert_eq!(request(&world, "alice", "ldg_abcdefghijklmnopqrstuvwxyz", "").await.status, 401);
    }
    assert_eq!(world.operations(), asked, "the directory never saw it");
    assert_eq!(request(&world, "alice", "Red-Apple-11", "").await.status, 200);
}

#[tokio::test]
async fn a_token_makes_no_token() {
    let world = World::new().await;
    let answer = request(&world, "alice", "Red-Apple-11", "").await;
    let token = answer.json()["token"].as_str().unwrap().trim_end_matches(':').to_owned();
    assert_eq!(request(&world, &token, "", "").await.status, 401);
    let bearer = format!("Bearer {token}");
    assert_eq!(
        world.visitor().with("authorization", &bearer).form("/auth/request-token", &[]).await.status,
        401
    );
    assert_eq!(
        world.visitor().with("authorization", &bearer).form("/tokens", &[("name", "x")]).await.status,
        401
    );
}

#[tokio::test]
async fn old_tokens_are_made_and_read_where_that_is_configured() {
    let world = World::with(|wishes| {
        wishes.account.token.legacy = true;
        wishes.account.token.secret =
            Some(account::store::SecretBytes::new(b"the old secret key of the old application".to_vec()));
    })
    .await;
    let answer = request(&world, "alice", "Red-Apple-11", "").await;
    use base64::Engine as _;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let header =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "HS512");
    assert_eq!(header["exp"].as_i64().unwrap() - header["iat"].as_i64().unwrap(), 3600);
    assert!(opens(&world, &answer).await);
}
