use super::{
    AddRequest, BindRequest, CompareRequest, ExtendedRequest, MessageId, ModifyDnRequest, ModifyRequest,
    Operation, SearchRequest, abandon, delete, unbind,
};
use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};
use crate::extended::{Cancel, FastBind, StartTls, WhoAmI};

/// What a client may ask (the requests among the `protocolOp` of RFC 4511 section 4.1.1).
#[derive(Debug)]
pub enum Request {
    /// To be taken for somebody.
    Bind(BindRequest),
    /// To end the connection.
    Unbind,
    /// For entries.
    Search(SearchRequest),
    /// To change an entry.
    Modify(ModifyRequest),
    /// To add an entry.
    Add(AddRequest),
    /// To delete the entry of this name.
    Delete(String),
    /// To rename or move an entry.
    ModifyDn(ModifyDnRequest),
    /// Whether an attribute has a value.
    Compare(CompareRequest),
    /// To give up the operation of this id.
    Abandon(MessageId),
    /// Something that another document defines.
    Extended(ExtendedRequest),
}

const BIND: Tag = Tag::application(0).constructed();
const SEARCH: Tag = Tag::application(3).constructed();
const MODIFY: Tag = Tag::application(6).constructed();
const ADD: Tag = Tag::application(8).constructed();
const MODIFY_DN: Tag = Tag::application(12).constructed();
const COMPARE: Tag = Tag::application(14).constructed();
const EXTENDED: Tag = Tag::application(23).constructed();

impl Request {
    /// The operation in a word or two, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Request::Bind(_) => "bind",
            Request::Unbind => "unbind",
            Request::Search(_) => "search",
            Request::Modify(_) => "modify",
            Request::Add(_) => "add",
            Request::Delete(_) => "delete",
            Request::ModifyDn(_) => "modify dn",
            Request::Compare(_) => "compare",
            Request::Abandon(_) => "abandon",
            Request::Extended(_) => "extended",
        }
    }

    /// Could this change the directory? Of extended operations all do but those that are known not to.
    pub fn may_write(&self) -> bool {
        match self {
            Request::Modify(_) | Request::Add(_) | Request::Delete(_) | Request::ModifyDn(_) => true,
            Request::Extended(request) => {
                ![StartTls::OID, WhoAmI::OID, Cancel::OID, FastBind::OID].contains(&request.oid.as_str())
            }
            Request::Bind(_)
            | Request::Unbind
            | Request::Search(_)
            | Request::Compare(_)
            | Request::Abandon(_) => false,
        }
    }

    /// May the operation that starts with this tag carry a password?
    pub(crate) fn may_be_secret(tag: Tag) -> bool {
        matches!(tag, BIND | EXTENDED | MODIFY | ADD)
    }
}

impl Operation for Request {
    fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Request, Error> {
        let Some(tag) = reader.peek() else { return Err(reader.error(ErrorKind::Missing(BIND))) };
        Ok(match tag {
            BIND => Request::Bind(BindRequest::read(&mut reader.enter(tag)?)?),
            unbind::UNBIND => unbind::read(reader).map(|()| Request::Unbind)?,
            SEARCH => Request::Search(SearchRequest::read(&mut reader.enter(tag)?, limits)?),
            MODIFY => Request::Modify(ModifyRequest::read(&mut reader.enter(tag)?)?),
            ADD => Request::Add(AddRequest::read(&mut reader.enter(tag)?)?),
            delete::DELETE => Request::Delete(delete::read(reader)?),
            MODIFY_DN => Request::ModifyDn(ModifyDnRequest::read(&mut reader.enter(tag)?)?),
            COMPARE => Request::Compare(CompareRequest::read(&mut reader.enter(tag)?)?),
            abandon::ABANDON => Request::Abandon(abandon::read(reader)?),
            EXTENDED => Request::Extended(ExtendedRequest::read(&mut reader.enter(tag)?)?),
            found => return Err(reader.error(ErrorKind::Unknown { what: "request", found })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Request::Bind(request) => writer.constructed(BIND, |writer| request.write(writer)),
            Request::Unbind => unbind::write(writer),
            Request::Search(request) => writer.constructed(SEARCH, |writer| request.write(writer)),
            Request::Modify(request) => writer.constructed(MODIFY, |writer| request.write(writer)),
            Request::Add(request) => writer.constructed(ADD, |writer| request.write(writer)),
            Request::Delete(dn) => delete::write(dn, writer),
            Request::ModifyDn(request) => writer.constructed(MODIFY_DN, |writer| request.write(writer)),
            Request::Compare(request) => writer.constructed(COMPARE, |writer| request.write(writer)),
            Request::Abandon(id) => abandon::write(*id, writer),
            Request::Extended(request) => writer.constructed(EXTENDED, |writer| request.write(writer)),
        }
    }

    fn is_secret(&self) -> bool {
        matches!(self, Request::Bind(_) | Request::Extended(_) | Request::Modify(_) | Request::Add(_))
    }
}
