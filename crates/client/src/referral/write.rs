//! Referrals in answer to a compare or a write.

use std::collections::HashSet;

use proto::message::{AddRequest, CompareRequest, ModifyDnRequest, ModifyRequest, Request};
use proto::{LdapResult, ResultCode};
use tokio::time::{Instant, timeout_at};

use super::{First, Referrals, Target, impersonal};
use crate::connection::Operation;
use crate::driver::Answer;
use crate::{Connection, Error};

/// Attributes that hold passwords or their like: they go to nobody but the server that the caller chose.
const SECRETS: [&str; 10] = [
    "userPassword",
    "authPassword",
    "unicodePwd",
    "dBCSPwd",
    "supplementalCredentials",
    "krbPrincipalKey",
    "sambaNTPassword",
    "sambaLMPassword",
    "nsslapd-rootpw",
    "olcRootPW",
];

/// May this request go elsewhere?
pub(crate) fn may_follow(request: &Request) -> bool {
    let secret = |attribute: &str| {
        let name = attribute.split(';').next().unwrap_or_default();
        SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
    };
    match request {
        Request::Add(add) => !add.attributes.iter().any(|(name, _)| secret(name)),
        Request::Modify(modify) => !modify.changes.iter().any(|change| secret(&change.attribute)),
        Request::Compare(compare) => !secret(&compare.attribute),
        Request::Delete(_) | Request::ModifyDn(_) => true,
        Request::Bind(_)
        | Request::Unbind
        | Request::Search(_)
        | Request::Abandon(_)
        | Request::Extended(_) => false,
    }
}

/// Follows the referral that an operation was answered with. Without a URL that may be followed, it stays the answer.
pub(crate) async fn follow(
    first: &Connection,
    referrals: &Referrals,
    operation: &Operation,
    mut answer: Answer,
) -> Result<Answer, Error> {
    let deadline = Instant::now() + referrals.limit;
    let decides = First::of(first);
    let name = name(&operation.request);
    let mut seen =
        HashSet::from([format!("{} {name}", first.shared.address.url.address()).to_ascii_lowercase()]);
    for hop in 0_u32.. {
        let Some(urls) = referral(&answer) else { break };
        let targets = referrals.allowed(urls);
        let Some(some) = targets.first().map(Target::text) else { break };
        if hop == referrals.hops {
            return Err(Error::TooManyReferrals { url: some, limit: referrals.hops });
        }
        let fresh = targets.into_iter().filter(|target| seen.insert(target.place(name))).collect::<Vec<_>>();
        let mut failure = Error::ReferralLoop { url: some };
        let mut connected = None;
        for target in fresh {
            match target.connect(&decides, deadline).await {
                Ok(connection) => {
                    connected = Some((target, connection));
                    break;
                }
                Err(error) => failure = Error::Referral { url: target.text(), source: Box::new(error) },
            }
        }
        let Some((target, connection)) = connected else { return Err(failure) };
        // Once it is sent it may have been done: there is no second alternative.
        answer = ask(&connection, &target, operation, deadline)
            .await
            .map_err(|error| Error::Referral { url: target.text(), source: Box::new(error) })?;
    }
    Ok(answer)
}

/// The operation under the name that the referral gives; a refusal is this server's.
async fn ask(
    connection: &Connection,
    target: &Target,
    operation: &Operation,
    deadline: Instant,
) -> Result<Answer, Error> {
    let request = renamed(&operation.request, target.name(name(&operation.request)))
        .ok_or_else(|| connection.unexpected(operation.name))?;
    let asked = Operation::new(operation.name, request, impersonal(&operation.controls));
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = timeout_at(deadline, connection.call_once(asked)).await.unwrap_or_else(|_| {
        let url = connection.url().to_owned();
        Err(Error::Timeout { url, operation: operation.name, limit: left, sent: true })
    })?;
    match answer.response.result() {
        Some(result) if !is_answer(result) => {
            Err(connection.refused_with(operation.name, result.clone(), answer.controls))
        }
        _ => Ok(answer),
    }
}

fn is_answer(result: &LdapResult) -> bool {
    let answers =
        [ResultCode::SUCCESS, ResultCode::COMPARE_TRUE, ResultCode::COMPARE_FALSE, ResultCode::REFERRAL];
    answers.contains(&result.code)
}

fn referral(answer: &Answer) -> Option<&[String]> {
    let result = answer.response.result().filter(|result| result.code.is_referral());
    result.map(|result| result.referrals.as_slice())
}

/// The entry that a request is about.
fn name(request: &Request) -> &str {
    match request {
        Request::Add(AddRequest { dn, .. })
        | Request::Modify(ModifyRequest { dn, .. })
        | Request::ModifyDn(ModifyDnRequest { dn, .. })
        | Request::Compare(CompareRequest { dn, .. })
        | Request::Delete(dn) => dn,
        _ => "",
    }
}

/// The same about another entry.
fn renamed(request: &Request, dn: &str) -> Option<Request> {
    let dn = dn.to_owned();
    Some(match request {
        Request::Add(add) => Request::Add(AddRequest { dn, ..add.clone() }),
        Request::Modify(modify) => Request::Modify(ModifyRequest { dn, ..modify.clone() }),
        Request::ModifyDn(rename) => Request::ModifyDn(ModifyDnRequest { dn, ..rename.clone() }),
        Request::Compare(compare) => Request::Compare(CompareRequest { dn, ..compare.clone() }),
        Request::Delete(_) => Request::Delete(dn),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Change;

    #[test]
    fn nothing_that_may_be_a_password_goes_elsewhere() {
        let modify = |attribute: &str| {
            let changes = vec![Change::replace("mail", ["a"]), Change::replace(attribute, ["x"])];
            Request::Modify(ModifyRequest { dn: "cn=a".into(), changes })
        };
        assert!(may_follow(&modify("description")));
        assert!(!may_follow(&modify("USERPASSWORD")));
        assert!(!may_follow(&modify("unicodePwd;x-a")));
        let add =
            AddRequest { dn: "cn=a".into(), attributes: vec![("userPassword".into(), vec!["x".into()])] };
        assert!(!may_follow(&Request::Add(add)));
        let compare = |attribute: &str| {
            Request::Compare(CompareRequest {
                dn: "cn=a".into(),
                attribute: attribute.into(),
                value: "x".into(),
            })
        };
        assert!(may_follow(&compare("cn")) && !may_follow(&compare("userPassword")));
        assert!(may_follow(&Request::Delete("cn=a".into())));
        assert!(!may_follow(&Request::Extended(proto::extended::WhoAmI::request())));
    }
}
