//! SASL SCRAM-SHA-1, -SHA-256 and -SHA-512 (RFC 5802, RFC 7677)

use ldapgate_client::{Connection, Options, Sasl};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;

use crate::sasl::{
    New, ds389_takes_the_right_password, openldap_refuses_what_is_wrong, openldap_takes_three_names,
    password, person_in_clear, trusting,
};

const ALL: [New; 3] = [Sasl::scram_sha_1, Sasl::scram_sha_256, Sasl::scram_sha_512];

#[tokio::test]
async fn openldap_and_the_client_prove_themselves_to_each_other() {
    for scram in ALL {
        openldap_takes_three_names(scram).await;
    }
}

#[tokio::test]
async fn openldap_refuses_a_wrong_password_and_an_unknown_name() {
    for scram in ALL {
        openldap_refuses_what_is_wrong(scram).await;
    }
}

#[tokio::test]
async fn openldap_takes_it_over_tls_too() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let sasl = Sasl::scram_sha_256("alice", password("Red-Apple-11"));
    assert!(connection.sasl_bind(sasl).await.unwrap().is_success());
}

#[tokio::test]
async fn ds389_and_the_client_prove_themselves_to_each_other() {
    let server = Ds389::shared().await;
    let somebody = person_in_clear(server, "scram");
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    let root = connection.read("", &["supportedSASLMechanisms"]).await.unwrap().unwrap();
    let offered: Vec<String> = root.texts("supportedSASLMechanisms").map(str::to_owned).collect();
    let mut shown = 0;
    for (name, scram) in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"].into_iter().zip(ALL) {
        if !offered.iter().any(|one| one == name) {
            continue;
        }
        shown += 1;
        ds389_takes_the_right_password(&connection, &somebody, scram).await;
    }
    assert!(shown > 0, "389-ds offers {offered:?}");
}
