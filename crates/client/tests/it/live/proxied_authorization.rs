//! Proxied authorization, RFC 4370

use ldapgate_client::control::ProxiedAuthorization;
use ldapgate_client::{Change, ResultCode};
use testkit::equipped::{PROXY, PROXY_PASSWORD};
use testkit::openldap::{ADMINISTRATOR, OpenLdap};

use super::administrator::{self, bound, person, unit};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
const BOB: &str = "uid=bob,ou=people,dc=example,dc=com";

#[tokio::test]
async fn openldap_lets_the_proxy_act_as_people_and_as_nobody_else() {
    let server = OpenLdap::equipped().await;
    let proxy = bound(&server.ldap_url(), PROXY, PROXY_PASSWORD).await;
    let alice = proxy.with_controls([ProxiedAuthorization::dn(ALICE).into()]);
    assert_eq!(alice.who_am_i().await.unwrap(), format!("dn:{ALICE}"));
    assert!(alice.read(ALICE, &["uid"]).await.unwrap().is_some());
    assert!(alice.read(BOB, &["uid"]).await.unwrap().is_none(), "she sees herself alone");
    assert!(proxy.read(BOB, &["uid"]).await.unwrap().is_some(), "the proxy itself sees everybody");

    let nobody = proxy.with_controls([ProxiedAuthorization::anonymous().into()]);
    assert_eq!(nobody.who_am_i().await.unwrap(), "");
    let administrator = proxy.with_controls([ProxiedAuthorization::dn(ADMINISTRATOR).into()]);
    let error = administrator.who_am_i().await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::AUTHORIZATION_DENIED);
}

#[tokio::test]
async fn ds389_judges_a_change_by_the_rights_of_whom_it_is_made_for() {
    let (_, manager) = administrator::ds389().await;
    let base = unit(&manager, "proxied").await;
    let carol = person(&manager, &base, "carol", &[]).await;
    let change = || vec![Change::replace("title", ["x"])];
    let alice = manager.with_controls([ProxiedAuthorization::dn(ALICE).into()]);
    let error = alice.modify(&carol, change()).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
    manager.modify(&carol, change()).await.unwrap();
}
