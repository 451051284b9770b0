use crate::ber;
use crate::message::MessageId;

/// Why a session cannot go on, or why it does not take a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The peer sent bytes that are no message.
    #[error("the peer sent a malformed message")]
    Malformed(#[source] ber::Error),
    /// The server answered what was never asked.
    #[error("the server answered message {0}, which was never sent")]
    UnknownId(MessageId),
    /// The server answered with something that is no answer to the request.
    #[error("the server answered a {request} request, message {id}, with a {response} response")]
    WrongResponse {
        /// The request's id.
        id: MessageId,
        /// What was asked.
        request: &'static str,
        /// What was answered.
        response: &'static str,
    },
    /// The server sent something else than a notice without being asked.
    #[error("the server sent a {0} response that nobody asked for")]
    UnaskedResponse(&'static str),
    /// Bytes followed the answer to (or the request for) StartTLS in the clear: somebody may have put them there.
    #[error("{0} bytes in the clear followed StartTLS")]
    ClearTextAfterStartTls(usize),
    /// The client used the id 0 or the id of a request that is not yet answered.
    #[error("the client used the message id {0}, which is not free")]
    BadRequestId(MessageId),
    /// The client sends faster than it is answered.
    #[error("more than {0} requests wait for their answer")]
    TooManyRequests(usize),
    /// The request exceeds [`Limits::max_request`](crate::Limits::max_request).
    #[error("request of {length} bytes exceeds the limit of {limit}")]
    RequestTooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A bind or StartTLS while other requests wait for their answer, or anything while one of these does.
    #[error("a {request} request cannot be sent while {outstanding} others wait for their answer")]
    NotAlone {
        /// What was to be sent.
        request: &'static str,
        /// How many wait.
        outstanding: usize,
    },
    /// Unbind and abandon are calls of their own.
    #[error("a {0} request is sent by a call of its own")]
    NotARequest(&'static str),
    /// A bind of several steps is not over: only its next step can be sent (RFC 4511 section 4.2.1).
    #[error("a {request} request cannot be sent before the SASL bind is over")]
    BindInProgress {
        /// What was to be sent.
        request: &'static str,
    },
    /// A bind with a name and without a password, which many servers answer with success (RFC 4513 section 5.1.2).
    #[error("a bind with a name needs a password")]
    NoPassword,
    /// The connection has used up all 2147483647 ids.
    #[error("the connection has used up its message ids")]
    IdsUsedUp,
    /// The session is over: after unbind, a notice of disconnection or an error.
    #[error("the session is over")]
    Closed,
}

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The other end broke the protocol; the connection is of no more use.
    Peer,
    /// The caller asked for what is not allowed; the session goes on.
    Caller,
}

impl SessionError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            SessionError::Malformed(_)
            | SessionError::UnknownId(_)
            | SessionError::WrongResponse { .. }
            | SessionError::UnaskedResponse(_)
            | SessionError::ClearTextAfterStartTls(_)
            | SessionError::BadRequestId(_)
            | SessionError::TooManyRequests(_) => Fault::Peer,
            SessionError::RequestTooLong { .. }
            | SessionError::NotAlone { .. }
            | SessionError::BindInProgress { .. }
            | SessionError::NotARequest(_)
            | SessionError::NoPassword
            | SessionError::IdsUsedUp
            | SessionError::Closed => Fault::Caller,
        }
    }

    /// The byte of the frame that is wrong, when it is about bytes.
    pub fn offset(&self) -> Option<usize> {
        match self {
            SessionError::Malformed(error) => Some(error.offset),
            _ => None,
        }
    }
}

impl From<ber::Error> for SessionError {
    fn from(error: ber::Error) -> SessionError {
        SessionError::Malformed(error)
    }
}
