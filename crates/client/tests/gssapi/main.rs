//! The client and Kerberos: apart from the others since the system's library must be there, and because it looks into the
//! environment for tickets. Each test starts servers, and then itself again with the variables that it is about.
//!
//! `cargo test -p ldapgate-client --features gssapi,ntlm --test gssapi`

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod again;
mod live;
