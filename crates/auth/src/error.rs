//! Failures: who has to act, what happened, and the causes below it. The client's own error never leaves as a type.

use std::error::Error as StdError;
use std::fmt;

use crate::denial::Reached;

/// The decision could not be made. A refusal is a [`Denial`](crate::Denial) and never comes this way.
#[derive(Debug)]
pub struct Error {
    fault: Fault,
    message: String,
    /// Another server may do better, as far as it may still be asked.
    restart: bool,
    reached: Reached,
    changing: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The directory cannot be reached, or answers what it should not.
    Directory,
    /// The configuration does not fit the directory.
    Configuration,
    /// Ours.
    Internal,
}

impl Error {
    /// Who has to act.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The causes below the message, outermost first.
    pub fn causes(&self) -> Vec<String> {
        // The client's error tells several servers' failures apart, which a chain of sources cannot.
        if let Some(error) = self.source.as_deref().and_then(|source| source.downcast_ref::<client::Error>())
        {
            return std::iter::once(error.to_string()).chain(error.causes()).collect();
        }
        std::iter::successors(self.source(), |cause| (*cause).source()).map(ToString::to_string).collect()
    }

    /// Was a person's bind written, or may it have been, before this went wrong? Then the attempt counts: nobody knows
    /// whether the password was right.
    pub fn bound(&self) -> bool {
        self.reached >= Reached::Bound
    }

    /// Was the password right before this went wrong? Then the attempt is no guess.
    pub fn proved(&self) -> bool {
        self.reached == Reached::Proved
    }

    /// Was a new password written, or may it have been, before this went wrong? Then nobody knows which one is good.
    pub fn may_have_changed(&self) -> bool {
        self.changing
    }

    /// May the login start over on another server? Only while no bind was written.
    pub(crate) fn restart(&self) -> bool {
        self.restart && self.reached == Reached::Nothing
    }

    /// Did the directory say that the entry asked for is not there?
    pub(crate) fn is_absence(&self) -> bool {
        self.answer().is_some_and(|result| result.code == proto::ResultCode::NO_SUCH_OBJECT)
    }

    /// Did the directory say that it does not show this, or has no such thing?
    pub(crate) fn is_withheld(&self) -> bool {
        use proto::ResultCode;
        let withheld = [
            ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
            ResultCode::NO_SUCH_ATTRIBUTE,
            ResultCode::UNDEFINED_ATTRIBUTE_TYPE,
        ];
        self.answer().is_some_and(|result| withheld.contains(&result.code))
    }

    /// Did a server that is well answer, and with something else than what was asked for?
    pub(crate) fn is_refusal(&self) -> bool {
        self.answer().is_some() && !self.restart()
    }

    /// Did the server give up because it was too much?
    pub(crate) fn is_limit(&self) -> bool {
        use proto::ResultCode;
        let limits = [
            ResultCode::SIZE_LIMIT_EXCEEDED,
            ResultCode::TIME_LIMIT_EXCEEDED,
            ResultCode::ADMIN_LIMIT_EXCEEDED,
        ];
        self.answer().is_some_and(|result| limits.contains(&result.code))
    }

    /// Is it about what was read, and not about the asking? Then the same question about somebody else may do better.
    pub(crate) fn is_about_content(&self) -> bool {
        self.source.is_none() && self.fault != Fault::Internal
    }

    /// The server's own answer, where there was one.
    fn answer(&self) -> Option<&proto::LdapResult> {
        let error = self.source.as_deref().and_then(|source| source.downcast_ref::<client::Error>());
        error.and_then(client::Error::result)
    }

    pub(crate) fn directory(message: impl Into<String>) -> Error {
        let message = message.into();
        Error {
            fault: Fault::Directory,
            message,
            restart: false,
            reached: Reached::Nothing,
            changing: false,
            source: None,
        }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Error {
        Error { fault: Fault::Configuration, ..Error::directory(message) }
    }

    /// An application's own kind of groups failed; a failure of ours that it passes on stays what it is.
    pub(crate) fn application(message: impl Into<String>, error: Box<dyn StdError + Send + Sync>) -> Error {
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(source) => {
                Error { fault: Fault::Internal, source: Some(source), ..Error::directory(message) }
            }
        }
    }

    /// A look-up failed: asking another server for the same thing does no harm.
    pub(crate) fn looking(message: impl Into<String>, error: client::Error) -> Error {
        // A server whose connections are all in use is not gone, and the next one would not be better for it.
        let restart = error.is_unreachable() && !matches!(error, client::Error::Busy { .. });
        let fault = if is_ours_to_mend(&error) { Fault::Configuration } else { Fault::Directory };
        Error { fault, restart, source: Some(Box::new(error)), ..Error::directory(message) }
    }

    /// A person's bind failed: once it may have been written it is never sent again elsewhere.
    pub(crate) fn binding(message: impl Into<String>, error: client::Error) -> Error {
        let reached = if error.sent() { Reached::Bound } else { Reached::Nothing };
        let restart = error.is_unreachable();
        Error { restart, reached, ..Error::looking(message, error) }
    }

    /// A change failed: once it may have been written nobody knows what became of it, and it is never sent again.
    pub(crate) fn changing(message: impl Into<String>, error: client::Error) -> Error {
        let changing = error.sent();
        Error { changing, ..Error::looking(message, error) }
    }

    /// The same failure once a bind was written: starting over is no longer allowed.
    pub(crate) fn after_bind(self) -> Error {
        Error { reached: self.reached.max(Reached::Bound), ..self }
    }

    /// The same failure once a bind had succeeded.
    pub(crate) fn after_proof(self) -> Error {
        Error { reached: Reached::Proved, ..self }
    }
}

/// A base that is not there, a refused service account, a password that would travel in clear text.
fn is_ours_to_mend(error: &client::Error) -> bool {
    use client::Error::{
        ClearPassword, ClearSasl, Cleartext, NoMechanism, NoName, NoUrl, Sasl, Secret, ServiceBind, Url,
    };
    use proto::ResultCode;
    let refused = error.result().is_some_and(|result| {
        matches!(result.code, ResultCode::NO_SUCH_OBJECT | ResultCode::INVALID_DN_SYNTAX)
    });
    refused
        || matches!(
            error,
            ClearPassword { .. }
                | ClearSasl { .. }
                | NoMechanism { .. }
                | Sasl { .. }
                | Cleartext { .. }
                | NoName
                | NoUrl
                | Secret { .. }
                | ServiceBind { .. }
                | Url { .. }
        )
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
