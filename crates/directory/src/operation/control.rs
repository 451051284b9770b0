//! Controls (RFC 4511 section 4.1.11): the known ones read, an unknown critical one refused.

use proto::control::{
    Assertion, DontUseCopy, ManageDsaIt, PagedResults, PasswordPolicy, PermissiveModify, PostRead, PreRead,
    ServerSideSort, SortKey, Subentries, TreeDelete,
};
use proto::filter::StandardRules;
use proto::{Control, Controls, Filter, ResultCode, Scope, ber};

use super::selection::Selection;
use super::{Refusal, refuse};
use crate::Kind;
use crate::directory::Shared;
use crate::tree::{Node, Tree};

/// The controls the root DSE lists.
pub(crate) const SUPPORTED: [&str; 11] = [
    Assertion::OID,
    DontUseCopy::OID,
    ManageDsaIt::OID,
    PagedResults::OID,
    PasswordPolicy::OID,
    PermissiveModify::OID,
    PostRead::OID,
    PreRead::OID,
    ServerSideSort::OID,
    Subentries::OID,
    TreeDelete::OID,
];

/// What the controls of a request ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recognised {
    pub(crate) paged: Option<PagedResults>,
    /// The password policy's view of things is wanted in the answer.
    pub(crate) policy: bool,
    /// An entry that is a referral is to be treated as any other.
    pub(crate) manage_dsa_it: bool,
    /// What must be true of the entry.
    pub(crate) assertion: Option<Filter>,
    /// What of the entry is to be shown as it was, and as it is.
    pub(crate) pre_read: Option<PreRead>,
    pub(crate) post_read: Option<PostRead>,
    /// The order of a search's entries, and whether any other will do.
    pub(crate) sort: Option<(Vec<SortKey>, Demand)>,
    pub(crate) subentries: Option<Subentries>,
    /// Everything below goes, too.
    pub(crate) tree_delete: bool,
    /// A change that changes nothing is no error.
    pub(crate) permissive: bool,
}

/// How much a control matters to whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    Critical,
    IfPossible,
}

impl Recognised {
    /// Reads the controls of a request of a kind.
    pub(crate) fn read(kind: Kind, controls: &Controls) -> Result<Self, Refusal> {
        let mut recognised = Self::default();
        for control in controls.iter() {
            recognised.take(kind, &control)?;
        }
        Ok(recognised)
    }

    fn take(&mut self, kind: Kind, control: &Control) -> Result<(), Refusal> {
        match control.oid.as_str() {
            PagedResults::OID if kind == Kind::Search => {
                once(&mut self.paged, PagedResults::parse(control), "paged results")
            }
            PasswordPolicy::OID if kind != Kind::StartTls => set(&mut self.policy),
            ManageDsaIt::OID if takes_manage_dsa_it(kind) => set(&mut self.manage_dsa_it),
            Assertion::OID if takes_assertion(kind) => {
                let filter = Assertion::parse(control).map(|assertion| assertion.filter);
                once(&mut self.assertion, filter, "assertion")
            }
            PreRead::OID if matches!(kind, Kind::Modify | Kind::Delete | Kind::ModifyDn) => {
                once(&mut self.pre_read, PreRead::parse(control), "pre-read")
            }
            PostRead::OID if matches!(kind, Kind::Add | Kind::Modify | Kind::ModifyDn) => {
                once(&mut self.post_read, PostRead::parse(control), "post-read")
            }
            ServerSideSort::OID if kind == Kind::Search => {
                let demand = if control.critical { Demand::Critical } else { Demand::IfPossible };
                let sort = ServerSideSort::parse(control).map(|sort| (sort.keys, demand));
                once(&mut self.sort, sort, "sort")
            }
            Subentries::OID if kind == Kind::Search => {
                once(&mut self.subentries, Subentries::parse(control), "subentries")
            }
            TreeDelete::OID if kind == Kind::Delete => set(&mut self.tree_delete),
            PermissiveModify::OID if kind == Kind::Modify => set(&mut self.permissive),
            // There is one copy only.
            DontUseCopy::OID if matches!(kind, Kind::Search | Kind::Compare) => Ok(()),
            // Nobody answers these two, so their controls cannot be refused either.
            _ if matches!(kind, Kind::Unbind | Kind::Abandon) => Ok(()),
            oid if control.critical => {
                let text = format!("the critical control {oid} is not known for this operation");
                Err(refuse(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, text))
            }
            _ => Ok(()),
        }
    }

    /// Refuses when what was asserted of an entry is not so (RFC 4528).
    pub(super) fn check_assertion(&self, tree: &Tree, node: &Node) -> Result<(), Refusal> {
        let Some(filter) = &self.assertion else { return Ok(()) };
        let filter = super::plan::canonical(filter.clone());
        if filter.evaluate(&tree.view(node), &StandardRules) == Some(true) {
            return Ok(());
        }
        Err(refuse(ResultCode::ASSERTION_FAILED, "what was asserted of the entry is not so"))
    }

    /// The entry as it is, for the answer to an operation that will change it (RFC 4527).
    pub(super) fn read_before(
        &self,
        shared: &Shared,
        tree: &Tree,
        node: &Node,
    ) -> Result<Option<Control>, Refusal> {
        let Some(asked) = &self.pre_read else { return Ok(None) };
        let selection = Selection::new(&asked.attributes, Scope::Base, &shared.settings)?;
        Ok(Some(PreRead::response(&selection.show(&tree.view(node), false))))
    }

    /// The entry as it is, for the answer to an operation that has changed it (RFC 4527).
    pub(super) fn read_after(
        &self,
        shared: &Shared,
        tree: &Tree,
        node: Option<&Node>,
    ) -> Result<Option<Control>, Refusal> {
        let (Some(asked), Some(node)) = (&self.post_read, node) else { return Ok(None) };
        let selection = Selection::new(&asked.attributes, Scope::Base, &shared.settings)?;
        Ok(Some(PostRead::response(&selection.show(&tree.view(node), false))))
    }
}

fn set(flag: &mut bool) -> Result<(), Refusal> {
    *flag = true;
    Ok(())
}

fn once<T>(slot: &mut Option<T>, read: Result<T, ber::Error>, name: &str) -> Result<(), Refusal> {
    let problem = match read {
        Ok(value) if slot.is_none() => {
            *slot = Some(value);
            return Ok(());
        }
        Ok(_) => "there twice",
        Err(_) => "malformed",
    };
    Err(refuse(ResultCode::PROTOCOL_ERROR, format!("the {name} control is {problem}")))
}

fn takes_manage_dsa_it(kind: Kind) -> bool {
    matches!(kind, Kind::Search | Kind::Compare | Kind::Add | Kind::Modify | Kind::Delete | Kind::ModifyDn)
}

/// An entry that is added is not there yet: asserting something of it is not supported.
fn takes_assertion(kind: Kind) -> bool {
    matches!(kind, Kind::Search | Kind::Compare | Kind::Modify | Kind::Delete | Kind::ModifyDn)
}
