//! Controls (RFC 4511 section 4.1.11): the known ones read, an unknown critical one refused.

use proto::control::{PagedResults, PasswordPolicy};
use proto::{Controls, ResultCode};

use super::{Refusal, refuse};
use crate::Kind;

/// ManageDsaIT (RFC 3296): an entry that is a referral is to be treated as any other.
pub(crate) const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";
/// The controls the root DSE lists.
pub(crate) const SUPPORTED: [&str; 3] = [PagedResults::OID, PasswordPolicy::OID, MANAGE_DSA_IT];

/// What the controls of a request ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recognised {
    pub(crate) paged: Option<PagedResults>,
    /// The password policy's view of things is wanted in the answer.
    pub(crate) policy: bool,
    pub(crate) manage_dsa_it: bool,
}

impl Recognised {
    /// Reads the controls of a request of a kind.
    pub(crate) fn read(kind: Kind, controls: &Controls) -> Result<Self, Refusal> {
        let mut recognised = Self::default();
        for control in controls.iter() {
            match control.oid.as_str() {
                PagedResults::OID if kind == Kind::Search => {
                    let paged = PagedResults::parse(&control).map_err(|_| {
                        refuse(ResultCode::PROTOCOL_ERROR, "the paged results control is malformed")
                    })?;
                    if recognised.paged.replace(paged).is_some() {
                        return Err(refuse(
                            ResultCode::PROTOCOL_ERROR,
                            "the paged results control is there twice",
                        ));
                    }
                }
                PasswordPolicy::OID if kind != Kind::StartTls => recognised.policy = true,
                MANAGE_DSA_IT if takes_manage_dsa_it(kind) => recognised.manage_dsa_it = true,
                // Nobody answers these two, so their controls cannot be refused either.
                _ if matches!(kind, Kind::Unbind | Kind::Abandon) => {}
                oid if control.critical => {
                    let text = format!("the critical control {oid} is not known for this operation");
                    return Err(refuse(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, text));
                }
                _ => {}
            }
        }
        Ok(recognised)
    }
}

fn takes_manage_dsa_it(kind: Kind) -> bool {
    matches!(kind, Kind::Search | Kind::Compare | Kind::Add | Kind::Modify | Kind::Delete | Kind::ModifyDn)
}
