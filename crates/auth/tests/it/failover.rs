//! One login talks to one server; it may start over on the next one only while no bind was written.

use client::Pool;
use directory::{Fault as Trouble, Kind};
use ldapgate_auth::{Answer, Credentials, Directories, Fault, Fold, Located, Silent};

use crate::world::{PEOPLE, READER, World, admitted, clock, failed, openldap, options};

fn over(servers: &[&World]) -> Directories {
    let pool = Pool::lazy(options(servers.iter().map(|world| world.url())));
    Directories::new(vec![(openldap("main"), pool)], clock()).expect("good settings")
}

async fn located(directories: &Directories, typed: &Credentials) -> Located {
    match directories.locate(&typed.username, &Silent).await.expect("a server answers") {
        Answer::Yes(located) => located,
        Answer::No(denial) => panic!("{denial}"),
    }
}

fn alice() -> Credentials {
    Credentials::parse("alice", "Red-Apple-11".to_owned(), Fold::Lower).expect("good credentials")
}

fn binds(world: &World) -> usize {
    let all = world.directory.operations();
    all.iter().filter(|operation| operation.kind == Kind::Bind && operation.dn != READER).count()
}

#[tokio::test]
async fn a_server_that_is_down_is_passed_over() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    first.stop().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(binds(&second), 1);
}

#[tokio::test]
async fn a_server_that_goes_away_during_the_search_is_passed_over() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    admitted(&directories, "alice", "Red-Apple-11").await;
    first.directory.faults().always(Kind::Search, Trouble::Close);
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((binds(&first), binds(&second)), (1, 1));
}

#[tokio::test]
async fn a_server_that_goes_away_before_the_bind_starts_the_login_over() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    let typed = alice();
    let located = located(&directories, &typed).await;
    first.stop().await;
    let answer = located.prove(&typed.password, &Silent).await;
    assert!(matches!(answer, Ok(Answer::Yes(_))));
    assert_eq!(binds(&second), 1);
    assert!(second.directory.operations().iter().any(|operation| operation.kind == Kind::Search));
}

#[tokio::test]
async fn a_bind_that_was_written_is_never_sent_again() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    admitted(&directories, "alice", "Red-Apple-11").await;
    first.directory.clear_operations();
    first.directory.faults().next(Kind::Bind, 1, Trouble::Close);
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound(), error.proved()), (Fault::Directory, true, false));
    assert_eq!((binds(&first), binds(&second)), (1, 0));
}

#[tokio::test]
async fn a_server_that_refuses_to_work_during_the_bind_is_not_asked_elsewhere() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    admitted(&directories, "alice", "Red-Apple-11").await;
    first.directory.faults().next(Kind::Bind, 1, Trouble::unavailable());
    assert!(failed(&directories, "alice", "Red-Apple-11").await.bound());
    assert_eq!(binds(&second), 0);
}

#[tokio::test]
async fn groups_are_not_read_from_another_server_after_the_bind() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    let typed = alice();
    let proof = match located(&directories, &typed).await.prove(&typed.password, &Silent).await {
        Ok(Answer::Yes(proof)) => proof,
        other => panic!("{:?}", other.map(|_| ()).err()),
    };
    first.directory.faults().always(Kind::Search, Trouble::Close);
    let error = proof.person(&Silent).await.expect_err("the server is gone");
    assert!(error.bound());
    assert_eq!(second.directory.operations(), []);
}

#[tokio::test]
async fn servers_that_disagree_about_a_name_are_an_error() {
    let other = PEOPLE
        .replace("uid: Alice", "uid: alicia")
        .replace("uid=Alice,", "uid=alicia,")
        .replace("mail: alice@example.com", "mail: alice@example.com\nmail: alice");
    let (first, second) = (World::people().await, World::with(&other).await);
    let mut settings = openldap("main");
    settings.user.matches = vec!["uid".to_owned(), "mail".to_owned()];
    settings.user.searches[0].filter = None;
    let pool = Pool::lazy(options([first.url(), second.url()]));
    let directories = Directories::new(vec![(settings, pool)], clock()).unwrap();
    let typed = Credentials::parse("alice@example.com", "Red-Apple-11".to_owned(), Fold::Lower).unwrap();
    let located = located(&directories, &typed).await;
    first.stop().await;
    let error = located.prove(&typed.password, &Silent).await.err().expect("another person is an error");
    assert!(error.to_string().contains("two people") && !error.bound());
    assert_eq!(binds(&second), 0);
}

#[tokio::test]
async fn all_servers_down_is_an_error_with_every_cause() {
    let (first, second) = (World::people().await, World::people().await);
    let directories = over(&[&first, &second]);
    first.stop().await;
    second.stop().await;
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound()), (Fault::Directory, false));
    assert!(!error.causes().is_empty());
}

#[tokio::test]
async fn a_server_that_comes_back_serves_again() {
    let world = World::people().await;
    let directories = over(&[&world]);
    admitted(&directories, "alice", "Red-Apple-11").await;
    // The connections die, the server stays.
    world.directory.faults().next(Kind::Search, 1, Trouble::Close);
    admitted(&directories, "alice", "Red-Apple-11").await;
}
