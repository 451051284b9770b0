//! Tokens in the hands of applications and people.

use std::time::Duration;

use ldapgate_account::store::SecretBytes;
use ldapgate_account::{OldKeys, Origin, PersonalTokens, Settings};

use crate::world::{Server, World, directories, until};

fn legacy() -> Settings {
    let mut settings = Settings::default();
    settings.token.legacy = true;
    settings.token.secret = Some(SecretBytes::new(b"not so secret".to_vec()));
    settings
}

#[tokio::test]
async fn a_token_says_who_somebody_is_until_it_ends() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let token = world.accounts.issue_token(&alice, None, &Origin::default()).await.unwrap();
    let checked = world.accounts.check_token(&format!("{}:", token.text)).await.unwrap();
    assert_eq!(checked.map(|account| account.id), Some(alice.id));
    let elsewhere = world.replica().await.check_token(&token.text).await.unwrap();
    assert_eq!(elsewhere.map(|account| account.id), Some(alice.id), "every process has the same key");
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.accounts.check_token(&token.text).await.unwrap(), None);
}

#[tokio::test]
async fn a_forged_token_costs_no_query() {
    let world = World::start().await;
    let other = World::with(legacy(), |_| {}).await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let token = world.accounts.issue_token(&alice, None, &Origin::default()).await.unwrap();
    let forged = format!("{}x", token.text);
    let before = world.store.asked();
    for text in
        ["", ":", "a.b.c", &forged, "ldg_short", include_str!("../fixtures/flask-ldap-auth.token").trim()]
    {
        assert_eq!(world.accounts.check_token(text).await.unwrap(), None, "{text}");
        assert_eq!(world.accounts.check_personal(text).await.unwrap(), None, "{text}");
    }
    assert_eq!(world.store.asked(), before);
    assert_eq!(other.accounts.check_token("").await.unwrap(), None);
}

#[tokio::test]
async fn revoking_an_account_kills_its_tokens() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let token = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    let personal = world.accounts.issue_personal(&alice, None, None, &origin).await.unwrap();
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_some());
    world.accounts.revoke(alice.id, None, PersonalTokens::Keep, &origin).await.unwrap();
    assert_eq!(world.accounts.check_token(&token.text).await.unwrap(), None);
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_some());
    world.accounts.revoke(alice.id, None, PersonalTokens::Drop, &origin).await.unwrap();
    assert_eq!(world.accounts.check_personal(&personal.text).await.unwrap(), None);
}

#[tokio::test]
async fn one_signed_token_is_revoked_by_its_id_in_every_process() {
    let world = World::start().await;
    let replica = world.replica().await;
    let following = tokio::spawn({
        let replica = replica.clone();
        async move { replica.follow().await }
    });
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let one = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    let other = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    assert!(replica.check_token(&one.text).await.unwrap().is_some());
    let id = one.id.unwrap();
    let listed = world.accounts.signed_tokens(alice.id).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|token| token.id == id && token.username == "alice"));

    assert!(!world.accounts.revoke_token(None, "0.unknown", &origin).await.unwrap());
    assert!(world.accounts.revoke_token(None, &id, &origin).await.unwrap());
    assert!(!world.accounts.revoke_token(None, &id, &origin).await.unwrap(), "it is gone");
    assert_eq!(world.accounts.check_token(&one.text).await.unwrap(), None);
    until(async || replica.check_token(&one.text).await.unwrap().is_none()).await;
    following.abort();
    for accounts in [&world.accounts, &replica] {
        assert!(accounts.check_token(&other.text).await.unwrap().is_some(), "the other goes on");
    }
    assert_eq!(world.accounts.signed_tokens(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_good_token_that_was_checked_a_moment_ago_costs_no_query() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let token = world.accounts.issue_token(&alice, None, &Origin::default()).await.unwrap();
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_some());
    let before = world.store.asked();
    for _ in 0..50 {
        assert!(world.accounts.check_token(&token.text).await.unwrap().is_some());
    }
    assert_eq!(world.store.asked(), before);
}

fn ids(accounts: &ldapgate_account::Accounts) -> Vec<String> {
    let keys = accounts.jwks()["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn tokens_of_the_old_key_are_taken_while_one_may_last() {
    let world = World::start().await;
    let replica = world.replica().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let day = Some(Duration::from_secs(24 * 3600));
    let old = world.accounts.issue_token(&alice, day, &origin).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    let rotated = world.accounts.rotate_token_key(OldKeys::Overlap, &origin).await.unwrap();
    assert_ne!(ids(&world.accounts)[0], rotated.id, "it is shown before it signs");
    assert_eq!(ids(&world.accounts)[1], rotated.id);

    world.clock.advance(Duration::from_secs(10));
    let following = tokio::spawn({
        let replica = replica.clone();
        async move { replica.follow().await }
    });
    until(async || ids(&replica)[0] == rotated.id).await;
    following.abort();
    let new = replica.issue_token(&alice, None, &origin).await.unwrap();
    for accounts in [&world.accounts, &replica, &world.replica().await] {
        for token in [&old, &new] {
            assert!(accounts.check_token(&token.text).await.unwrap().is_some());
        }
    }
    world.clock.advance(Duration::from_secs(24 * 3600 + 600));
    let later = world.replica().await;
    assert_eq!(ids(&later), [rotated.id], "no token of the old one can last that long");
}

#[tokio::test]
async fn a_key_that_somebody_else_may_have_is_dropped_with_its_tokens() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let old = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    let rotated = world.accounts.rotate_token_key(OldKeys::Drop, &origin).await.unwrap();
    assert_eq!((ids(&world.accounts), rotated.old_until), (vec![rotated.id], None));
    assert_eq!(world.accounts.check_token(&old.text).await.unwrap(), None);
    let new = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    assert!(world.replica().await.check_token(&new.text).await.unwrap().is_some());
}

#[tokio::test]
async fn another_key_file_leaves_the_old_one_s_tokens_good() {
    let file = |byte: u8| {
        // RFC 8410 section 7: version 1, without the public half.
        let start = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let mut settings = Settings::default();
        settings.token.key = Some(SecretBytes::new([&start[..], &[byte; 32]].concat()));
        settings
    };
    let world = World::with(file(1), |_| {}).await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let old = world.accounts.issue_token(&alice, None, &origin).await.unwrap();
    let before = ids(&world.accounts);
    let refused = world.accounts.rotate_token_key(OldKeys::Overlap, &origin).await.unwrap_err();
    assert_eq!(refused.fault(), ldapgate_account::Fault::Configuration);

    let directories = directories(vec![world.server.entry("main", |_| {})]);
    world.accounts.reconfigure(file(2), directories).await.unwrap();
    let after = ids(&world.accounts);
    assert_eq!((after.len(), &after[1]), (2, &before[0]), "its public half is remembered");
    assert!(world.accounts.check_token(&old.text).await.unwrap().is_some());
    let told = world.accounts.audit_after(0, None, 100).await.unwrap();
    assert!(told.iter().any(|record| record.audit.event == "token_key_changed"), "{told:#?}");
    world.accounts.rotate_token_key(OldKeys::Drop, &origin).await.unwrap();
    assert_eq!(ids(&world.accounts), after[..1]);
    assert_eq!(world.accounts.check_token(&old.text).await.unwrap(), None);
}

#[tokio::test]
async fn tokens_of_the_old_kind_are_made_and_read_where_that_is_chosen() {
    let world = World::with(legacy(), |_| {}).await;
    let made_elsewhere = include_str!("../fixtures/flask-ldap-auth.token").trim();
    assert_eq!(world.accounts.check_token(made_elsewhere).await.unwrap(), None, "nobody is known yet");
    let alice = world.granted("alice", "alice-secret").await.account;
    let checked = world.accounts.check_token(made_elsewhere).await.unwrap();
    assert_eq!(checked.map(|account| account.id), Some(alice.id));
    let ours = world.accounts.issue_token(&alice, None, &Origin::default()).await.unwrap();
    assert_eq!(ours.text, made_elsewhere);
    world.accounts.revoke(alice.id, None, PersonalTokens::Keep, &Origin::default()).await.unwrap();
    assert_eq!(world.accounts.check_token(made_elsewhere).await.unwrap(), None);
}

#[tokio::test]
async fn a_personal_token_is_listed_used_and_revoked() {
    let world = World::start().await;
    let (alice, bob) =
        (world.granted("alice", "alice-secret").await, world.granted("bob", "bob-secret").await);
    let origin = Origin::default();
    let issued = world
        .accounts
        .issue_personal(&alice.account, Some("laptop".to_owned()), None, &origin)
        .await
        .unwrap();
    assert!(issued.text.starts_with("ldg_") && issued.text.len() == 47, "{}", issued.text);
    let owner = world.accounts.check_personal(&issued.text).await.unwrap();
    assert_eq!(owner.map(|account| account.id), Some(alice.account.id));
    let listed = world.accounts.personal_tokens(alice.account.id).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].username.as_str(), listed[0].name.as_deref()), ("alice", Some("laptop")));
    assert_eq!((&listed[0].id, listed[0].last_used.is_some()), (&issued.id, true));
    assert!(world.accounts.personal_tokens(bob.account.id).await.unwrap().is_empty());

    assert!(!world.accounts.revoke_personal(bob.account.id, &issued.id, &origin).await.unwrap());
    assert!(world.accounts.revoke_personal(alice.account.id, &issued.id, &origin).await.unwrap());
    assert_eq!(world.accounts.check_personal(&issued.text).await.unwrap(), None);
}

#[tokio::test]
async fn a_personal_token_ends_when_it_was_to_and_with_its_account() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let hour = Some(Duration::from_secs(3600));
    let short = world.accounts.issue_personal(&alice, None, hour, &origin).await.unwrap();
    let long = world.accounts.issue_personal(&alice, None, None, &origin).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.accounts.check_personal(&short.text).await.unwrap(), None);
    assert!(world.accounts.check_personal(&long.text).await.unwrap().is_some());
    assert_eq!(world.accounts.personal_tokens(None).await.unwrap().len(), 1);
    world.accounts.disable(alice.id, &origin).await.unwrap();
    assert_eq!(world.accounts.check_personal(&long.text).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_sealed_opens_in_every_process_for_its_purpose() {
    let world = World::start().await;
    let sealed = world.accounts.seal("form", b"abc");
    let replica = world.replica().await;
    assert_eq!(replica.unseal("form", &sealed).as_deref(), Some(&b"abc"[..]));
    assert_eq!(replica.unseal("next", &sealed), None);
    assert_eq!(World::with(legacy(), |_| {}).await.accounts.jwks()["keys"][0]["kty"], "OKP");
}

#[tokio::test]
async fn a_token_by_name_does_not_follow_the_name_into_other_hands() {
    let entry = |name: &str, id: u8| {
        format!(
            "dn: uid={name},dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             entryUUID: 00000000-0000-4000-8000-00000000000{id}\nuserPassword: {name}-secret\n\n"
        )
    };
    let base = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n";
    let world = World::with(legacy(), |_| {}).await;
    let move_to = async |people: String| {
        let server = Server::start(&format!("{base}{people}")).await;
        let directories = directories(vec![server.entry("main", |_| {})]);
        world.accounts.reconfigure(legacy(), directories).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
        server
    };
    let token = async |name: &str| {
        let account = world.granted(name, &format!("{name}-secret")).await.account;
        world.accounts.issue_token(&account, None, &Origin::default()).await.unwrap().text
    };
    let whose = async |token: &str| {
        let account = world.accounts.check_token(token).await.unwrap();
        account.map(|account| account.external_id)
    };

    let _server = move_to(entry("sam", 1)).await;
    let of_sam = token("sam").await;
    assert!(whose(&of_sam).await.is_some_and(|id| id.ends_with('1')));
    let _server = move_to(entry("samuel", 1) + &entry("sam", 2)).await;
    let of_samuel = token("samuel").await;
    assert!(
        whose(&of_samuel).await.is_some_and(|id| id.ends_with('1')),
        "a new name's token is good at once"
    );
    token("sam").await;
    assert_eq!(whose(&of_sam).await, None, "the account of that name is another's, and younger");

    let _server = move_to(entry("samuel", 1) + &entry("tom", 2)).await;
    world.granted("tom", "tom-secret").await;
    let _server = move_to(entry("sam", 1)).await;
    world.granted("sam", "sam-secret").await;
    let _server = move_to(entry("sam", 1) + &entry("samuel", 2)).await;
    world.granted("samuel", "samuel-secret").await;
    assert_eq!(whose(&of_samuel).await, None, "the account of that name is another's, and older");
    assert_eq!(whose(&of_sam).await, None, "nor does it come back to life with the name");
}
