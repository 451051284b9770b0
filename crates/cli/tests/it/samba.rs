//! What Active Directory alone has: several forms of a name, and binding by a bind name; and StartTLS against Samba.

use serde_json::json;

use crate::gateway::login;
use crate::live::Live;

const DOMAINS: &str = "domains = [\"EXAMPLE\", \"example.com\"]";

#[tokio::test(flavor = "multi_thread")]
async fn samba_knows_every_form_of_a_name() {
    let live = Live::samba().await;
    let config = live.configure_directory(DOMAINS);
    let (bob, _) = login(&config, "bob", "Blue-Boat-22");
    for form in ["bob@example.com", "BOB@Example.COM", "EXAMPLE\\bob", "example\\Bob", "bob@example.test"] {
        let (document, status) = login(&config, form, "Blue-Boat-22");
        assert_eq!((&document["id"], status), (&bob["id"], 0), "{form}: {document}");
    }
    for stranger in ["OTHER\\bob", "bob@other.example"] {
        let (document, _) = login(&config, stranger, "Blue-Boat-22");
        assert_eq!(document["reason"], "unknown_user", "{stranger}: {document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_takes_a_bind_name_and_the_entry_is_found_afterwards() {
    let live = Live::samba().await;
    let template = format!("{DOMAINS}\n[directory.user]\ndn_template = \"{{username}}@example.com\"");
    let config = live.configure_directory(&template);
    let (document, status) = login(&config, "EXAMPLE\\carol", "Green-Garden-33");
    assert_eq!((&document["username"], status), (&json!("carol"), 0), "{document}");
    assert_eq!(login(&config, "carol", "wrong").0["reason"], "wrong_password");
    // Samba says the same of a name that nobody has; Windows does not.
    assert_eq!(login(&config, "nobody", "Green-Garden-33").0["reason"], "wrong_password");
    assert_eq!(login(&config, "mustchange", "Must-Mango-15").0["reason"], "password_must_change");
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_is_asked_over_start_tls_too() {
    let live = Live::samba().await;
    let config = live.configure_directory("start_tls = true");
    let plain = std::fs::read_to_string(&config).expect("the configuration was written");
    std::fs::write(&config, plain.replace("ldaps://", "ldap://")).expect("the folder is writable");
    assert_eq!(login(&config, "bob", "Blue-Boat-22").0["outcome"], "granted");
    let clear = std::fs::read_to_string(&config).expect("the configuration was written");
    std::fs::write(&config, clear.replace("ca_files", "# ca_files")).expect("the folder is writable");
    let (document, status) = login(&config, "bob", "Blue-Boat-22");
    assert_eq!((&document["fault"], status), (&json!("directory"), 3), "an unknown authority: {document}");
}
