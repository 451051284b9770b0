use super::{SessionError, next_frame};
use crate::ber::Limits;
use crate::control::Controls;
use crate::extended::{NoticeOfDisconnection, StartTls};
use crate::message::{LdapResult, Message, MessageId, Request, Response, encode, operation_tag};
use bytes::{Bytes, BytesMut};
use std::collections::HashSet;
use zeroize::{Zeroize, Zeroizing};

/// A server's side of a connection.
///
/// The caller appends what it reads to a buffer, calls [`receive`](ServerSession::receive) until that returns `None`,
/// and writes what [`reply`](ServerSession::reply) returns.
#[derive(Debug)]
pub struct ServerSession {
    limits: Limits,
    /// Requests that wait for their last answer.
    outstanding: HashSet<u32>,
    /// The bind or StartTLS among them; nothing is read before it is answered.
    alone: Option<u32>,
    closed: bool,
}

impl ServerSession {
    /// A connection on which nothing was received yet.
    pub fn new(limits: Limits) -> ServerSession {
        ServerSession { limits, outstanding: HashSet::new(), alone: None, closed: false }
    }

    /// The next request, or `None` when `buffer` holds no whole one yet. What is read is taken off the buffer, and
    /// where it may have held a password it is overwritten.
    ///
    /// A bind waits until everything before it was answered or given up, which is the caller's to see to
    /// ([`outstanding`](ServerSession::outstanding)). While a bind or StartTLS waits for its answer nothing more is read (RFC 4511 section 4.2.1). After an unbind
    /// nothing is.
    ///
    /// # Errors
    ///
    /// When the client broke the protocol; a message that would be too long is refused by its header alone. The
    /// session is then over, but for a [`notice`](ServerSession::notice).
    pub fn receive(&mut self, buffer: &mut BytesMut) -> Result<Option<Message<Request>>, SessionError> {
        if self.closed {
            return Ok(None);
        }
        let received = self.next_request(buffer);
        self.closed |= received.is_err();
        received
    }

    /// The bytes of an answer: none when the request was abandoned or has had its last answer, for then nothing more
    /// may be sent.
    pub fn reply(&mut self, id: MessageId, response: &Response, controls: &Controls) -> Bytes {
        if !self.outstanding.contains(&id.0) {
            return Bytes::new();
        }
        if response.is_last() {
            self.outstanding.remove(&id.0);
            self.alone = self.alone.filter(|&alone| alone != id.0);
        }
        encode(id, response, controls)
    }

    /// The bytes of a notice of disconnection, the last that are written. The session is over.
    pub fn notice(&mut self, result: LdapResult) -> Bytes {
        self.closed = true;
        self.outstanding.clear();
        let notice = Response::Extended(NoticeOfDisconnection::response(result));
        encode(MessageId(0), &notice, &Controls::default())
    }

    /// How many requests wait for their last answer.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Does the request still wait for an answer? A long search asks this to learn that it was abandoned.
    pub fn is_outstanding(&self, id: MessageId) -> bool {
        self.outstanding.contains(&id.0)
    }

    /// Is the session over?
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn next_request(&mut self, buffer: &mut BytesMut) -> Result<Option<Message<Request>>, SessionError> {
        if self.alone.is_some() {
            // What the client sends meanwhile is kept for later, but not without end.
            let limit = self.limits.max_outstanding;
            return if buffer.len() > self.limits.max_frame {
                Err(SessionError::TooManyRequests(limit))
            } else {
                Ok(None)
            };
        }
        let Some(frame) = next_frame(buffer, &self.limits)? else { return Ok(None) };
        let message = self.decode(frame)?;
        self.admit(&message, buffer.len())?;
        Ok(Some(message))
    }

    /// Reads a frame. One that may hold a password is moved to memory that is overwritten when it is no longer used.
    fn decode(&self, mut frame: BytesMut) -> Result<Message<Request>, SessionError> {
        if !may_hold_a_password(&frame) {
            return Ok(Message::decode(&frame.freeze(), &self.limits)?);
        }
        Ok(Message::decode(&move_secret(&mut frame), &self.limits)?)
    }

    fn admit(&mut self, message: &Message<Request>, following: usize) -> Result<(), SessionError> {
        let id = message.id;
        if id.0 == 0 || self.outstanding.contains(&id.0) {
            return Err(SessionError::BadRequestId(id));
        }
        match &message.operation {
            Request::Unbind => {
                self.closed = true;
                self.outstanding.clear();
                return Ok(());
            }
            Request::Abandon(abandoned) => {
                self.outstanding.remove(&abandoned.0);
                return Ok(());
            }
            Request::Extended(request) if request.oid == StartTls::OID => {
                if following > 0 {
                    return Err(SessionError::ClearTextAfterStartTls(following));
                }
                self.alone = Some(id.0);
            }
            Request::Bind(_) => self.alone = Some(id.0),
            _ => {}
        }
        if self.outstanding.len() == self.limits.max_outstanding {
            return Err(SessionError::TooManyRequests(self.limits.max_outstanding));
        }
        self.outstanding.insert(id.0);
        Ok(())
    }
}

fn may_hold_a_password(frame: &[u8]) -> bool {
    operation_tag(frame).is_some_and(Request::may_be_secret)
}

fn move_secret(frame: &mut BytesMut) -> Bytes {
    let moved = Bytes::from_owner(Zeroizing::new(frame.to_vec()));
    frame.as_mut().zeroize();
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{BindRequest, ModifyRequest, Password};

    fn frame(request: &Request) -> BytesMut {
        BytesMut::from(&encode(MessageId(1), request, &Controls::default())[..])
    }

    #[test]
    fn the_read_buffer_keeps_nothing_of_a_bind() {
        let bind = Request::Bind(BindRequest::simple("cn=x", Password::new("secret").unwrap()));
        let mut frame = frame(&bind);
        assert!(may_hold_a_password(&frame));
        let before = frame.clone();
        assert_eq!(move_secret(&mut frame), before);
        assert!(frame.iter().all(|&octet| octet == 0));
    }

    #[test]
    fn only_what_may_carry_a_password_is_moved() {
        let modify = ModifyRequest { dn: String::new(), changes: Vec::new() };
        for request in [Request::Extended(StartTls::request()), Request::Modify(modify)] {
            assert!(may_hold_a_password(&frame(&request)));
        }
        assert!(!may_hold_a_password(&frame(&Request::Unbind)));
        assert!(!may_hold_a_password(&frame(&Request::Delete(String::new()))));
        for cut in [&[][..], &[0x30], &[0x30, 0x7f, 0x02, 0x7f], &[0x30, 0x02, 0x02, 0x00]] {
            assert!(!may_hold_a_password(cut));
        }
    }
}
