//! What the client can do, each shown on the servers that can do it: one file a capability, whose first line is its
//! row in the book's table of peers; a test's name begins with the peer it ran against.

mod changes;
mod metrics;
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
#[cfg(feature = "ntlm")]
mod sicily;
#[cfg(feature = "srv")]
mod srv;
mod tls_files;
