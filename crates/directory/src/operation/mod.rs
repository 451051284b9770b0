//! The operations of RFC 4511, one file each: they decide and change, and wait for nothing.

mod add;
mod bind;
mod compare;
mod control;
mod delete;
mod extended;
mod modify;
mod modify_dn;
mod new_password;
mod plan;
mod root;
mod sasl;
mod search;
mod selection;
mod sort;

use proto::message::{BindResponse, ExtendedResponse, Request, Response};
use proto::{Controls, Dn, LdapResult, ResultCode, StartTls};

pub(crate) use bind::bind;
pub(crate) use control::Recognised;
pub(crate) use modify::is_own_password;
pub(crate) use new_password::{PasswordAnswer, is_unicode_pwd, modify_password, modify_unicode_pwd};
pub(crate) use root::SUBSCHEMA;
pub(crate) use sasl::Exchange;
pub(crate) use search::{Pages, Search};

use crate::Kind;
use crate::directory::Shared;
use crate::tree::{Attributes, Id, Node, Tree};

/// Who speaks on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    /// Bound as this entry; when it is deleted they are anonymous again.
    Entry(Id),
}

/// Anything but success.
type Refusal = LdapResult;

/// Does a compare, add, modify, delete, modify DN or extended operation.
pub(crate) fn perform(
    shared: &Shared,
    who: Identity,
    request: &Request,
    controls: &Recognised,
) -> (Response, Controls) {
    let done = match request {
        Request::Add(request) => add::add(shared, who, request, controls),
        Request::Modify(request) => modify::modify(shared, who, request, controls),
        Request::Delete(dn) => delete::delete(shared, who, dn, controls),
        Request::ModifyDn(request) => modify_dn::modify_dn(shared, who, request, controls),
        Request::Compare(request) => {
            let result = compare::compare(&shared.tree(), request, controls);
            return (Response::Compare(result.unwrap_or_else(|refusal| refusal)), Controls::default());
        }
        Request::Extended(request) => {
            let response = extended::extended(&shared.tree(), who, request);
            return (Response::Extended(response), Controls::default());
        }
        _ => Err(refuse(ResultCode::OTHER, "not an operation of this kind")),
    };
    match done {
        Ok(controls) => (answer(kind(request), LdapResult::success()), controls),
        Err(refusal) => (answer(kind(request), refusal), Controls::default()),
    }
}

/// What kind of operation a request is.
pub(crate) fn kind(request: &Request) -> Kind {
    match request {
        Request::Bind(_) => Kind::Bind,
        Request::Unbind => Kind::Unbind,
        Request::Search(_) => Kind::Search,
        Request::Modify(_) => Kind::Modify,
        Request::Add(_) => Kind::Add,
        Request::Delete(_) => Kind::Delete,
        Request::ModifyDn(_) => Kind::ModifyDn,
        Request::Compare(_) => Kind::Compare,
        Request::Abandon(_) => Kind::Abandon,
        Request::Extended(request) if request.oid == StartTls::OID => Kind::StartTls,
        Request::Extended(_) => Kind::Extended,
    }
}

/// A result as the last answer to an operation of a kind.
pub(crate) fn answer(kind: Kind, result: LdapResult) -> Response {
    match kind {
        Kind::Bind => Response::Bind(BindResponse::new(result)),
        Kind::Search => Response::SearchDone(result),
        Kind::Modify => Response::Modify(result),
        Kind::Add => Response::Add(result),
        Kind::Delete => Response::Delete(result),
        Kind::ModifyDn => Response::ModifyDn(result),
        Kind::Compare => Response::Compare(result),
        Kind::StartTls => Response::Extended(StartTls::response(result)),
        Kind::Extended | Kind::Connect | Kind::Unbind | Kind::Abandon => {
            Response::Extended(ExtendedResponse::new(result))
        }
    }
}

/// Whether somebody must change their password before anything else.
pub(crate) fn must_change(tree: &Tree, who: Identity) -> bool {
    let Identity::Entry(id) = who else { return false };
    let value = tree.get(id).and_then(|node| tree.view(node).text("pwdreset"));
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn refuse(code: ResultCode, message: impl Into<String>) -> Refusal {
    LdapResult::new(code, message)
}

fn name(text: &str) -> Result<Dn, Refusal> {
    Dn::parse(text).map_err(|error| refuse(ResultCode::INVALID_DN_SYNTAX, error.to_string()))
}

/// The entry that an operation is about.
fn target<'t>(tree: &'t Tree, dn: &Dn, controls: &Recognised) -> Result<&'t Node, Refusal> {
    if let Some(node) = tree.find(dn) {
        return match referral(tree, node, controls) {
            Some(urls) => Err(refer(urls)),
            None => Ok(node),
        };
    }
    Err(missing(tree, dn, controls))
}

/// What is said about a name that has no entry: where the directory ends, or who knows more (RFC 3296 section 5).
fn missing(tree: &Tree, dn: &Dn, controls: &Recognised) -> Refusal {
    let matched = tree.matched(dn);
    let above = Dn::parse(&matched).ok().and_then(|dn| tree.find(&dn));
    if let Some(urls) = above.and_then(|above| referral(tree, above, controls)) {
        return refer(urls);
    }
    LdapResult { matched_dn: matched, ..refuse(ResultCode::NO_SUCH_OBJECT, "") }
}

fn refer(referrals: Vec<String>) -> Refusal {
    LdapResult { referrals, ..refuse(ResultCode::REFERRAL, "") }
}

/// The URLs of an entry that stands for another server's part of the tree, unless it is asked about itself.
fn referral(tree: &Tree, node: &Node, controls: &Recognised) -> Option<Vec<String>> {
    if controls.manage_dsa_it
        || !node.attributes.classes().any(|class| class.eq_ignore_ascii_case("referral"))
    {
        return None;
    }
    let urls: Vec<String> = tree
        .view(node)
        .find("ref")
        .filter_map(|value| std::str::from_utf8(value).ok())
        .map(str::to_owned)
        .collect();
    (!urls.is_empty()).then_some(urls)
}

/// Whether this person may write, and under which name the change is recorded.
fn writer(shared: &Shared, tree: &Tree, who: Identity) -> Result<String, Refusal> {
    if shared.settings.read_only {
        return Err(refuse(ResultCode::UNWILLING_TO_PERFORM, "the directory is read-only"));
    }
    let node = match who {
        Identity::Anonymous => None,
        Identity::Entry(id) => tree.get(id),
    };
    let denied =
        || refuse(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "bind as an entry of the directory to write");
    node.map(|node| node.dn.as_str().to_owned()).ok_or_else(denied)
}

/// What must hold for every entry that is written.
fn check_entry(attributes: &Attributes) -> Result<(), Refusal> {
    if attributes.plain("objectclass").is_empty() {
        return Err(refuse(ResultCode::OBJECT_CLASS_VIOLATION, "an entry needs an objectClass"));
    }
    match attributes
        .0
        .iter()
        .find(|attribute| attribute.description.is_single() && attribute.values.len() > 1)
    {
        Some(many) => {
            Err(refuse(ResultCode::CONSTRAINT_VIOLATION, format!("{} has one value only", many.name)))
        }
        None => Ok(()),
    }
}

/// Whether a client may write an attribute at all.
fn check_writable(tree: &Tree, attribute: &crate::tree::Attribute) -> Result<(), Refusal> {
    let computed = attribute.description.kind == "memberof" && tree.owns_member_of();
    if attribute.description.is_frozen() || computed {
        let text = format!("{} is written by the server", attribute.name);
        return Err(refuse(ResultCode::CONSTRAINT_VIOLATION, text));
    }
    Ok(())
}

fn attribute(name: &str) -> Result<crate::tree::Attribute, Refusal> {
    crate::tree::Attribute::parse(name).ok_or_else(|| {
        refuse(ResultCode::UNDEFINED_ATTRIBUTE_TYPE, format!("{name:?} is not an attribute description"))
    })
}
