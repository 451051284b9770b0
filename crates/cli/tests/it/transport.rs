//! TLS in every way it can go right and wrong, and the cleartext that is refused.

use testkit::certificate::{Authority, Flaw};
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{configure_url, ldapgate, login};

against_both!(
    ldaps_with_the_right_authority_works,
    start_tls_with_the_right_authority_works,
    a_certificate_for_another_host_is_refused_in_words,
    an_expired_certificate_is_refused_in_words,
    an_unknown_authority_is_refused_in_words,
    a_server_name_mends_a_certificate_for_another_host,
);

fn trusting(world: &World, more: &str) -> String {
    format!("{more}\n[directory.tls]\nca_files = [{:?}]", world.ca_file().display().to_string())
}

/// The error document of a login that cannot reach the directory, as one text.
fn refused(world: &World, url: &str, more: &str) -> String {
    let (document, status) = login(&configure_url(world, url, more), "alice", "Red-Apple-11");
    assert_eq!(
        (document["outcome"].as_str(), document["fault"].as_str(), status),
        (Some("error"), Some("directory"), 3),
        "{document}"
    );
    document.to_string()
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not said in {text}");
    }
}

async fn ldaps_with_the_right_authority_works(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure_url(&world, &world.ldaps_url(), &trusting(&world, ""));
    assert_eq!(login(&config, "alice", "Red-Apple-11").0["outcome"], "granted");
}

async fn start_tls_with_the_right_authority_works(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure_url(&world, &world.ldap_url(), &trusting(&world, "start_tls = true"));
    let (document, _) = login(&config, "alice", "Red-Apple-11");
    assert_eq!(document["outcome"], "granted", "{document}");
}

async fn a_certificate_for_another_host_is_refused_in_words(peer: Peer) {
    let world = World::with_flaw(peer, Flaw::WrongHost).await;
    for (url, more) in [(world.ldaps_url(), ""), (world.ldap_url(), "start_tls = true")] {
        let text = refused(&world, &url, &trusting(&world, more));
        says(&text, &["localhost", "ldap.wrong.example", "server_name"]);
    }
}

async fn an_expired_certificate_is_refused_in_words(peer: Peer) {
    let world = World::with_flaw(peer, Flaw::Expired).await;
    let text = refused(&world, &world.ldaps_url(), &trusting(&world, ""));
    says(&text, &["expired", "2021-01-01"]);
}

async fn an_unknown_authority_is_refused_in_words(peer: Peer) {
    let world = World::start(peer).await;
    let other = world.folder().join("other.crt");
    std::fs::write(&other, Authority::new("Somebody Else").pem()).expect("the test folder is writable");
    let more = format!("[directory.tls]\nca_files = [{:?}]", other.display().to_string());
    let text = refused(&world, &world.ldaps_url(), &more);
    says(&text, &["Example Test CA", "ca_files"]);
}

async fn a_server_name_mends_a_certificate_for_another_host(peer: Peer) {
    let world = World::with_flaw(peer, Flaw::WrongHost).await;
    let more = format!("{}\nserver_name = \"ldap.wrong.example\"", trusting(&world, ""));
    let config = configure_url(&world, &world.ldaps_url(), &more);
    assert_eq!(login(&config, "alice", "Red-Apple-11").0["outcome"], "granted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_clear_to_another_host_is_refused_before_anything_is_sent() {
    let world = World::start(Peer::Memory).await;
    // An address of the documentation range: nobody answers there, and nobody is asked.
    let config = configure_url(&world, "ldap://192.0.2.1", "");
    let checked = ldapgate(&config, &["config", "check"], "");
    let text = format!("{}{}", checked.stdout, checked.stderr);
    says(&text, &["start_tls", "allow_cleartext"]);
}
