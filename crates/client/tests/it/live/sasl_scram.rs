//! SASL SCRAM-SHA-1, -SHA-256 and -SHA-512 (RFC 5802, RFC 7677)

use ldapgate_client::{Connection, Options, Password, ResultCode, Sasl};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;

use crate::sasl::{password, person_in_clear, trusting};

type New = fn(String, Password) -> Sasl;
const ALL: [New; 3] = [Sasl::scram_sha_1, Sasl::scram_sha_256, Sasl::scram_sha_512];

#[tokio::test]
async fn openldap_and_the_client_prove_themselves_to_each_other() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    for scram in ALL {
        for (user, secret) in
            [("alice", "Red-Apple-11"), ("zoe", "Pässwörd-Ünï-44"), ("jürgen", "Gelb-Glas-55")]
        {
            let connection = Connection::open(&options).await.unwrap();
            let sasl = scram(user.to_owned(), password(secret));
            let reply = connection.sasl_bind(&sasl).await.unwrap();
            assert!(reply.is_success(), "{sasl:?}: {reply:?}");
            let name = connection.who_am_i().await.unwrap();
            assert_eq!(name, format!("dn:uid={user},ou=people,dc=example,dc=com"));
        }
    }
}

#[tokio::test]
async fn openldap_refuses_a_wrong_password_and_an_unknown_name() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    // OpenLDAP says "other" (80) of a name it does not know.
    let refusals = [ResultCode::INVALID_CREDENTIALS, ResultCode::OTHER];
    for scram in ALL {
        for (user, secret) in [("alice", "wrong"), ("nobody-at-all", "Red-Apple-11")] {
            let reply = connection.sasl_bind(scram(user.to_owned(), password(secret))).await.unwrap();
            assert!(refusals.contains(&reply.result.code), "{user}: {reply:?}");
        }
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

/// 389-ds maps names of this kind as it comes.
const SOMEBODY: &str = "dn:uid=sasl-scram,ou=people,dc=example,dc=com";

#[tokio::test]
async fn ds389_and_the_client_prove_themselves_to_each_other() {
    let server = Ds389::shared().await;
    person_in_clear(server, "scram");
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    let root = connection.read("", &["supportedSASLMechanisms"]).await.unwrap().unwrap();
    let offered: Vec<String> = root.texts("supportedSASLMechanisms").map(str::to_owned).collect();
    let mut shown = 0;
    for (name, scram) in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"].into_iter().zip(ALL) {
        if !offered.iter().any(|one| one == name) {
            continue;
        }
        shown += 1;
        let reply = connection.sasl_bind(scram(SOMEBODY.into(), password("Clear-Pass-1"))).await.unwrap();
        assert!(reply.is_success(), "{name}: {reply:?}");
        let wrong = connection.sasl_bind(scram(SOMEBODY.into(), password("wrong"))).await.unwrap();
        assert_eq!(wrong.result.code, ResultCode::INVALID_CREDENTIALS, "{name}");
    }
    assert!(shown > 0, "389-ds offers {offered:?}");
}
