//! Referrals in answer to a compare or a write.

use std::collections::HashSet;

use proto::message::{AddRequest, CompareRequest, ModifyDnRequest, ModifyRequest, Request};
use proto::value::is_secret;
use proto::{LdapResult, ResultCode};
use tokio::time::{Instant, timeout_at};

use super::{First, Referrals, Target, impersonal};
use crate::connection::Operation;
use crate::driver::Answer;
use crate::{Connection, Error};

/// May this request go elsewhere? What holds a password goes to nobody but the server that the caller chose.
pub(crate) fn may_follow(request: &Request) -> bool {
    match request {
        Request::Add(add) => !add.attributes.iter().any(|(name, _)| is_secret(name)),
        Request::Modify(modify) => !modify.changes.iter().any(|change| is_secret(&change.attribute)),
        Request::Compare(compare) => !is_secret(&compare.attribute),
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
    let there = target.name(name(&operation.request));
    let request = renamed(&operation.request, there).ok_or_else(|| connection.unexpected(operation.name))?;
    let asked = Operation::new(operation.name, request, impersonal(&operation.controls));
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = timeout_at(deadline, connection.call_once(asked)).await.unwrap_or_else(|_| {
        let url = connection.url().to_owned();
        Err(Error::Timeout { url, operation: operation.name, limit: left, sent: true })
    })?;
    match answer.response.result() {
        Some(result) if !is_answer(result) => {
            Err(connection.refused_with(operation.name, result.clone(), answer.controls).about(there))
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
pub(crate) fn name(request: &Request) -> &str {
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
        for secret in
            ["USERPASSWORD", "unicodePwd;x-a", "2.5.4.35", "ipaNTHash", "pwdHistory", "clearPassword"]
        {
            assert!(!may_follow(&modify(secret)), "{secret}");
        }
        let add = AddRequest { dn: "cn=a".into(), attributes: vec![("2.5.4.35;x".into(), vec!["x".into()])] };
        assert!(!may_follow(&Request::Add(add)));
        let compare = |attribute: &str| {
            Request::Compare(CompareRequest {
                dn: "cn=a".into(),
                attribute: attribute.into(),
                value: "x".into(),
            })
        };
        assert!(may_follow(&compare("cn")) && !may_follow(&compare("userPassword;x")));
        assert!(may_follow(&Request::Delete("cn=a".into())));
        assert!(!may_follow(&Request::Extended(proto::extended::WhoAmI::request())));
    }
}
