//! What the client can do, each shown on the servers that can do it: one file a capability, whose first line is its
//! row in the book's table of peers; a test's name begins with the peer it ran against.

mod account_usability;
mod administrator;
mod assertion;
mod blocking;
mod cancel;
mod changes;
mod cursor;
mod dir_sync;
mod domain_scope;
mod dont_use_copy;
mod entries;
mod extended_dn;
mod fail_over;
mod fast_bind;
mod manage_dsa_it;
mod matched_values;
mod membership;
mod metrics;
mod notifications;
mod operations;
mod password_policy;
mod persistent_search;
mod proxied_authorization;
mod ranges;
mod read_entry;
mod referrals;
mod refused_password;
mod reset_password;
mod retry;
mod root_dse;
mod sasl_anonymous;
mod sasl_authzid;
mod sasl_cram_md5;
mod sasl_digest_md5;
mod sasl_external;
#[cfg(feature = "ntlm")]
mod sasl_gss_spnego;
mod sasl_layer;
mod sasl_oauth_bearer;
mod sasl_plain;
mod sasl_scram;
mod sasl_scram_plus;
mod sasl_service_account;
mod sasl_strongest;
mod schema;
mod sd_flags;
mod server_side_sort;
mod show_deleted;
#[cfg(feature = "ntlm")]
mod sicily;
#[cfg(feature = "srv")]
mod srv;
mod subentries;
mod sync;
mod tls_files;
mod tree_delete;
mod unknown_control;
mod unlock;

/// The in-memory directory with the world in it, and a connection to it.
async fn memory() -> (testkit::world::World, ldapgate_client::Connection) {
    let world = testkit::world::World::start(testkit::world::Peer::Memory).await;
    let options = ldapgate_client::Options::new([world.ldap_url()]).unwrap();
    let connection = ldapgate_client::Connection::open(&options).await.unwrap();
    (world, connection)
}
