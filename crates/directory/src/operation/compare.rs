//! Compare (RFC 4511 section 4.10).

use proto::filter::{Matching as _, StandardRules};
use proto::message::CompareRequest;
use proto::{LdapResult, ResultCode};

use super::{Recognised, Refusal, attribute, name, refuse, target};
use crate::tree::Tree;

/// Compares a value; the answer is `compareTrue (6)` or `compareFalse (5)`.
pub(super) fn compare(
    tree: &Tree,
    request: &CompareRequest,
    controls: &Recognised,
) -> Result<LdapResult, Refusal> {
    let node = target(tree, &name(&request.dn)?, controls)?;
    controls.check_assertion(tree, node)?;
    let wanted = attribute(&request.attribute)?.description;
    if wanted.is_secret() {
        // An answer would be an oracle for guessing passwords without binding.
        return Err(refuse(
            ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
            "passwords are not compared: bind instead",
        ));
    }
    let rule = StandardRules.rule(&wanted.kind);
    let view = tree.view(node);
    let canonical = wanted.canonical();
    let mut values = view.find(&canonical).peekable();
    if values.peek().is_none() {
        return Err(refuse(ResultCode::NO_SUCH_ATTRIBUTE, ""));
    }
    let (mut same, mut defined) = (false, false);
    for value in values {
        let answer = rule.equal(value, &request.value);
        same |= answer == Some(true);
        defined |= answer.is_some();
    }
    match (same, defined) {
        (true, _) => Ok(LdapResult::new(ResultCode::COMPARE_TRUE, "")),
        (false, true) => Ok(LdapResult::new(ResultCode::COMPARE_FALSE, "")),
        (false, false) => Err(refuse(ResultCode::INVALID_ATTRIBUTE_SYNTAX, "")),
    }
}
