use super::{BindResponse, Entry, ExtendedResponse, IntermediateResponse, LdapResult, Operation, search};
use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};

/// What a server may answer (the responses among the `protocolOp` of RFC 4511 section 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// To a bind.
    Bind(BindResponse),
    /// An entry that a search found.
    SearchEntry(Entry),
    /// URLs where a search goes on.
    SearchReference(Vec<String>),
    /// The end of a search.
    SearchDone(LdapResult),
    /// To a modify.
    Modify(LdapResult),
    /// To an add.
    Add(LdapResult),
    /// To a delete.
    Delete(LdapResult),
    /// To a modify DN.
    ModifyDn(LdapResult),
    /// To a compare.
    Compare(LdapResult),
    /// To an extended request, or to nothing.
    Extended(ExtendedResponse),
    /// Something before the last answer.
    Intermediate(IntermediateResponse),
}

const BIND: Tag = Tag::application(1).constructed();
const SEARCH_ENTRY: Tag = Tag::application(4).constructed();
const SEARCH_DONE: Tag = Tag::application(5).constructed();
const MODIFY: Tag = Tag::application(7).constructed();
const ADD: Tag = Tag::application(9).constructed();
const DELETE: Tag = Tag::application(11).constructed();
const MODIFY_DN: Tag = Tag::application(13).constructed();
const COMPARE: Tag = Tag::application(15).constructed();
const SEARCH_REFERENCE: Tag = Tag::application(19).constructed();
const EXTENDED: Tag = Tag::application(24).constructed();
const INTERMEDIATE: Tag = Tag::application(25).constructed();

impl Response {
    /// How the operation ended; `None` when more will come.
    pub fn result(&self) -> Option<&LdapResult> {
        match self {
            Response::Bind(response) => Some(&response.result),
            Response::Extended(response) => Some(&response.result),
            Response::SearchDone(result)
            | Response::Modify(result)
            | Response::Add(result)
            | Response::Delete(result)
            | Response::ModifyDn(result)
            | Response::Compare(result) => Some(result),
            Response::SearchEntry(_) | Response::SearchReference(_) | Response::Intermediate(_) => None,
        }
    }

    /// Does it end its operation?
    pub fn is_last(&self) -> bool {
        self.result().is_some()
    }

    /// The response in a word or two, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Response::Bind(_) => "bind",
            Response::SearchEntry(_) => "search entry",
            Response::SearchReference(_) => "search reference",
            Response::SearchDone(_) => "search done",
            Response::Modify(_) => "modify",
            Response::Add(_) => "add",
            Response::Delete(_) => "delete",
            Response::ModifyDn(_) => "modify dn",
            Response::Compare(_) => "compare",
            Response::Extended(_) => "extended",
            Response::Intermediate(_) => "intermediate",
        }
    }
}

impl Operation for Response {
    fn read(reader: &mut Reader<'_>, _limits: &Limits) -> Result<Response, Error> {
        let at = reader.offset();
        if reader.is_empty() {
            return Err(reader.error(ErrorKind::Missing(SEARCH_DONE)));
        }
        let (tag, mut content) = reader.any()?;
        let content = &mut content;
        Ok(match tag {
            BIND => Response::Bind(BindResponse::read(content)?),
            SEARCH_ENTRY => Response::SearchEntry(Entry::read(content)?),
            SEARCH_REFERENCE => Response::SearchReference(search::read_reference(content)?),
            SEARCH_DONE => Response::SearchDone(LdapResult::read(content)?),
            MODIFY => Response::Modify(LdapResult::read(content)?),
            ADD => Response::Add(LdapResult::read(content)?),
            DELETE => Response::Delete(LdapResult::read(content)?),
            MODIFY_DN => Response::ModifyDn(LdapResult::read(content)?),
            COMPARE => Response::Compare(LdapResult::read(content)?),
            EXTENDED => Response::Extended(ExtendedResponse::read(content)?),
            INTERMEDIATE => Response::Intermediate(IntermediateResponse::read(content)?),
            found => return Err(Error::new(ErrorKind::Unknown { what: "response", found }, at)),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let mut wrap = |tag, write: &dyn Fn(&mut Writer)| writer.constructed(tag, |writer| write(writer));
        match self {
            Response::Bind(response) => wrap(BIND, &|writer| response.write(writer)),
            Response::SearchEntry(entry) => wrap(SEARCH_ENTRY, &|writer| entry.write(writer)),
            Response::SearchReference(urls) => {
                wrap(SEARCH_REFERENCE, &|writer| search::write_reference(urls, writer));
            }
            Response::SearchDone(result) => wrap(SEARCH_DONE, &|writer| result.write(writer)),
            Response::Modify(result) => wrap(MODIFY, &|writer| result.write(writer)),
            Response::Add(result) => wrap(ADD, &|writer| result.write(writer)),
            Response::Delete(result) => wrap(DELETE, &|writer| result.write(writer)),
            Response::ModifyDn(result) => wrap(MODIFY_DN, &|writer| result.write(writer)),
            Response::Compare(result) => wrap(COMPARE, &|writer| result.write(writer)),
            Response::Extended(response) => wrap(EXTENDED, &|writer| response.write(writer)),
            Response::Intermediate(response) => wrap(INTERMEDIATE, &|writer| response.write(writer)),
        }
    }

    fn is_secret(&self) -> bool {
        // A new password that the server made (RFC 3062).
        matches!(self, Response::Extended(_))
    }
}
