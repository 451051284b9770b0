use super::{SessionError, whole_frame};
use crate::ber::Limits;
use crate::control::Controls;
use crate::extended::{NoticeOfDisconnection, StartTls};
use crate::message::scan::scan;
use crate::message::{
    Authentication, BindRequest, BindResponse, Entry, ExtendedResponse, LdapResult, Message, MessageId,
    Request, Response, ResultCode, encode, open,
};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// A client's side of a connection.
///
/// The caller writes what [`send`](ClientSession::send) returns, appends what it reads to a buffer, and calls
/// [`receive`](ClientSession::receive) until that returns `None`.
#[derive(Debug)]
pub struct ClientSession {
    limits: Limits,
    /// The id issued last; 0 before the first.
    last_id: u32,
    /// What is waited for. An id at most the last issued that is not in here is a late answer.
    outstanding: BTreeMap<u32, Kind>,
    /// The server has answered a bind with saslBindInProgress: nothing but another bind may follow.
    binding: bool,
    closed: bool,
}

/// What a server said.
#[derive(Debug)]
pub enum Event {
    /// An answer.
    Response {
        /// To this request.
        id: MessageId,
        /// The answer.
        response: Response,
        /// What came with it.
        controls: Controls,
        /// Nothing more will come for this request.
        last: bool,
    },
    /// The server's last words. The session is over.
    Disconnected(LdapResult),
    /// A notice of another kind.
    Unsolicited(ExtendedResponse),
}

/// What was asked, which tells what may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bind,
    Search,
    Modify,
    Add,
    Delete,
    ModifyDn,
    Compare,
    Extended,
    StartTls,
}

const LAST_ID: u32 = i32::MAX as u32;

impl ClientSession {
    /// A connection on which nothing was sent yet.
    pub fn new(limits: Limits) -> ClientSession {
        ClientSession { limits, last_id: 0, outstanding: BTreeMap::new(), binding: false, closed: false }
    }

    /// Gives the request an id and the bytes to write.
    ///
    /// Bind and StartTLS are sent alone: nothing may wait for its answer before, and nothing is sent until they are
    /// answered (RFC 4511 sections 4.2.1 and 4.14.1). While a bind of several steps is in progress only its next step may
    /// be sent, or another bind, which ends it.
    ///
    /// # Errors
    ///
    /// When that rule is broken, when the request is too long, is an unbind or abandon, which have calls of their own,
    /// when the ids are used up, or when the session is over. All but the last two leave the session as it was.
    pub fn send(
        &mut self,
        request: &Request,
        controls: &Controls,
    ) -> Result<(MessageId, Bytes), SessionError> {
        if self.closed {
            return Err(SessionError::Closed);
        }
        let kind = Kind::of(request)?;
        if self.binding && kind != Kind::Bind {
            return Err(SessionError::BindInProgress { request: request.kind() });
        }
        let alone = self.outstanding.values().any(|waiting| waiting.is_alone());
        if alone || (kind.is_alone() && !self.outstanding.is_empty()) {
            let outstanding = self.outstanding.len();
            return Err(SessionError::NotAlone { request: request.kind(), outstanding });
        }
        if self.last_id == LAST_ID {
            return Err(SessionError::IdsUsedUp);
        }
        let id = MessageId(self.last_id + 1);
        let frame = encode(id, request, controls);
        if frame.len() > self.limits.max_request {
            return Err(SessionError::RequestTooLong { length: frame.len(), limit: self.limits.max_request });
        }
        self.last_id = id.0;
        self.outstanding.insert(id.0, kind);
        Ok((id, frame))
    }

    /// The next thing the server said, or `None` when `buffer` holds no whole message yet. What is read is taken off
    /// the buffer; late answers, to what was abandoned, are taken off and not told.
    ///
    /// # Errors
    ///
    /// When the server broke the protocol; a message that would be too long is refused by its header alone. The
    /// session is then over.
    pub fn receive(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, SessionError> {
        if self.closed {
            return Ok(None);
        }
        let received = self.next_event(buffer);
        self.closed |= matches!(received, Err(_) | Ok(Some(Event::Disconnected(_))));
        received
    }

    /// Gives a request up: no more of its answers will be told. Returns the bytes to write, which are none when the
    /// request is not waited for, or is a bind or StartTLS: these cannot be abandoned (RFC 4511 section 4.11), only
    /// closing the connection ends them.
    pub fn abandon(&mut self, id: MessageId) -> Bytes {
        let can_be = self.outstanding.get(&id.0).is_some_and(|kind| !kind.is_alone());
        if self.closed || !can_be {
            return Bytes::new();
        }
        self.outstanding.remove(&id.0);
        if self.last_id == LAST_ID {
            return Bytes::new();
        }
        self.last_id += 1;
        encode(MessageId(self.last_id), &Request::Abandon(id), &Controls::default())
    }

    /// The last bytes to write. The session is over.
    pub fn unbind(&mut self) -> Bytes {
        self.closed = true;
        self.outstanding.clear();
        let id = MessageId(self.last_id.saturating_add(1).min(LAST_ID));
        encode(id, &Request::Unbind, &Controls::default())
    }

    /// How many requests wait for their last answer.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Is the session over?
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn next_event(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, SessionError> {
        while let Some(length) = whole_frame(buffer, &self.limits)? {
            if let Some(scanned) = scan(&buffer[..length], &self.limits)
                && self.outstanding.get(&scanned.id) == Some(&Kind::Search)
            {
                let entry = Entry::scanned(buffer.split_to(length).freeze(), &scanned);
                let (id, controls) = (MessageId(scanned.id), Controls::default());
                let response = Response::SearchEntry(entry);
                return Ok(Some(Event::Response { id, response, controls, last: false }));
            }
            let frame = buffer.split_to(length).freeze();
            let (id, _) = open(&frame, &self.limits)?;
            if id.0 > self.last_id {
                return Err(SessionError::UnknownId(id));
            }
            if id.0 != 0 && !self.outstanding.contains_key(&id.0) {
                continue;
            }
            let message = Message::<Response>::decode(&frame, &self.limits)?;
            return if id.0 == 0 { notice(message) } else { self.answer(message, buffer.len()) }.map(Some);
        }
        Ok(None)
    }

    fn answer(&mut self, message: Message<Response>, following: usize) -> Result<Event, SessionError> {
        let Message { id, operation: response, controls } = message;
        let Some(&kind) = self.outstanding.get(&id.0) else { return Err(SessionError::UnknownId(id)) };
        let response = if kind.allows(&response) { response } else { kind.put_right(response) };
        if !kind.allows(&response) {
            return Err(SessionError::WrongResponse { id, request: kind.name(), response: response.kind() });
        }
        let last = response.is_last();
        if let Response::Bind(bind) = &response {
            self.binding = bind.result.code == ResultCode::SASL_BIND_IN_PROGRESS;
        }
        if last {
            self.outstanding.remove(&id.0);
        }
        let tls_starts = kind == Kind::StartTls && response.result().is_some_and(LdapResult::is_success);
        if tls_starts && following > 0 {
            return Err(SessionError::ClearTextAfterStartTls(following));
        }
        Ok(Event::Response { id, response, controls, last })
    }
}

/// Unsolicited notification (RFC 4511 section 4.4).
fn notice(message: Message<Response>) -> Result<Event, SessionError> {
    match message.operation {
        Response::Extended(notice) if NoticeOfDisconnection::is(&notice) => {
            Ok(Event::Disconnected(notice.result))
        }
        Response::Extended(notice) => Ok(Event::Unsolicited(notice)),
        other => Err(SessionError::UnaskedResponse(other.kind())),
    }
}

impl Kind {
    fn of(request: &Request) -> Result<Kind, SessionError> {
        Ok(match request {
            Request::Bind(BindRequest { authentication: Authentication::Unauthenticated, .. }) => {
                return Err(SessionError::NoPassword);
            }
            Request::Bind(_) => Kind::Bind,
            Request::Search(_) => Kind::Search,
            Request::Modify(_) => Kind::Modify,
            Request::Add(_) => Kind::Add,
            Request::Delete(_) => Kind::Delete,
            Request::ModifyDn(_) => Kind::ModifyDn,
            Request::Compare(_) => Kind::Compare,
            Request::Extended(request) if request.oid == StartTls::OID => Kind::StartTls,
            Request::Extended(_) => Kind::Extended,
            Request::Unbind | Request::Abandon(_) => return Err(SessionError::NotARequest(request.kind())),
        })
    }

    /// Must nothing else wait for its answer at the same time?
    fn is_alone(self) -> bool {
        matches!(self, Kind::Bind | Kind::StartTls)
    }

    fn allows(self, response: &Response) -> bool {
        match response {
            Response::Bind(_) => self == Kind::Bind,
            Response::SearchEntry(_) | Response::SearchReference(_) | Response::SearchDone(_) => {
                self == Kind::Search
            }
            Response::Modify(_) => self == Kind::Modify,
            Response::Add(_) => self == Kind::Add,
            Response::Delete(_) => self == Kind::Delete,
            Response::ModifyDn(_) => self == Kind::ModifyDn,
            Response::Compare(_) => self == Kind::Compare,
            Response::Extended(_) => matches!(self, Kind::Extended | Kind::StartTls),
            Response::Intermediate(_) => !self.is_alone(),
        }
    }

    /// Samba refuses whatever carries a critical control that it does not know by an extended response: the refusal is taken
    /// for what it means. A success of the wrong kind stays wrong.
    fn put_right(self, response: Response) -> Response {
        let result = match response {
            Response::Extended(refusal) if !refusal.result.is_success() => refusal.result,
            other => return other,
        };
        match self {
            Kind::Bind => Response::Bind(BindResponse::new(result)),
            Kind::Search => Response::SearchDone(result),
            Kind::Modify => Response::Modify(result),
            Kind::Add => Response::Add(result),
            Kind::Delete => Response::Delete(result),
            Kind::ModifyDn => Response::ModifyDn(result),
            Kind::Compare => Response::Compare(result),
            Kind::Extended | Kind::StartTls => Response::Extended(ExtendedResponse::new(result)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Bind => "bind",
            Kind::Search => "search",
            Kind::Modify => "modify",
            Kind::Add => "add",
            Kind::Delete => "delete",
            Kind::ModifyDn => "modify dn",
            Kind::Compare => "compare",
            Kind::Extended => "extended",
            Kind::StartTls => "StartTLS",
        }
    }
}
