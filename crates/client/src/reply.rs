//! The answer to an operation that changes something.

use proto::control::{PasswordPolicy, PostRead, PreRead};
use proto::{Control, Controls, Entry, LdapResult, ber};

use crate::bind::read_policy;

/// A successful answer to an add, modify, delete or modify DN; every other answer is an
/// [`Error::Refused`](crate::Error::Refused).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The result: success, perhaps with the server's own words.
    pub result: LdapResult,
    /// What came with it.
    pub controls: Controls,
}

impl Reply {
    /// The entry as it was before (RFC 4527), when it was asked for and can be read.
    pub fn pre_read(&self) -> Option<Entry> {
        self.entry(PreRead::OID, PreRead::entry)
    }

    /// The entry as it is now (RFC 4527), when it was asked for and can be read.
    pub fn post_read(&self) -> Option<Entry> {
        self.entry(PostRead::OID, PostRead::entry)
    }

    /// What the server's password policy says, when it says something that can be read. What it objects to comes with the
    /// refusal: [`Error::policy`](crate::Error::policy).
    pub fn policy(&self) -> Option<PasswordPolicy> {
        read_policy(&self.controls)
    }

    fn entry(&self, oid: &str, read: impl Fn(&Control) -> Result<Entry, ber::Error>) -> Option<Entry> {
        let read = read(&self.controls.get(oid)?);
        read.inspect_err(|error| tracing::debug!(%error, oid, "the entry in a control cannot be read")).ok()
    }
}
