//! SASL GSSAPI (RFC 4752): Kerberos by the system's library, which finds tickets, keys and realms as its configuration
//! and environment say.

mod layer;
mod negotiated;
mod offer;

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use cross_krb5::{ClientCtx, InitiateFlags, K5Ctx, PendingClientCtx, Step};
use proto::sasl::{Mechanism, Protection, SaslError, SecurityLayer, Spnego};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::layer::{Layer, Order};
use self::negotiated::Negotiated;
use self::offer::Offer;

const NAME: &str = "GSSAPI";
/// Threads that may wait for key distribution centres; the library gives up on its own some time after we did.
static WAITING: Semaphore = Semaphore::const_new(8);

/// Whom to talk to, as whom, and how.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `ldap/HOST`, with `@REALM` where it is not the default one.
    pub(crate) service: String,
    /// Whose tickets are used, where there are several.
    pub(crate) principal: Option<String>,
    /// Whom to act as; empty for oneself.
    pub(crate) authorization: String,
    pub(crate) protection: Protection,
    pub(crate) channel_binding: Option<Vec<u8>>,
}

impl Request {
    /// The mechanism `GSSAPI`, once there is a ticket for the service. It blocks for `limit` at most.
    ///
    /// # Errors
    ///
    /// [`SaslError::Library`] with the library's words: no ticket, an expired one, a service that is not known; or when it
    /// took longer than `limit`.
    pub(crate) fn gssapi(self, limit: Duration) -> Result<Gssapi, SaslError> {
        let (context, token) = self.clone().initiate(limit)?;
        Ok(Gssapi { request: self, state: State::Initiated { context, token } })
    }

    /// The mechanism `GSS-SPNEGO` around Kerberos. It blocks for `limit` at most. Signing brings sealing with it: MIT's
    /// library always asks the server for both, and Samba then takes nothing that is not sealed.
    ///
    /// # Errors
    ///
    /// As [`Request::gssapi`]; and without protection, which cannot be negotiated with this library.
    pub(crate) fn spnego(self, limit: Duration) -> Result<Spnego<Negotiated>, SaslError> {
        if self.protection == Protection::None {
            let what = "Kerberos without a layer of its own; GSSAPI can";
            return Err(SaslError::Unsupported { mechanism: "GSS-SPNEGO", what });
        }
        let sealing = Request { protection: Protection::Confidentiality, ..self };
        let (context, token) = sealing.initiate(limit)?;
        Ok(Spnego::new(Negotiated::new(context, token)))
    }

    /// Gets a ticket for the service. The library reads files and asks key distribution centres, each for as long as it
    /// likes, in a thread that is left behind when it takes too long: a runtime that ends would wait for one of its own.
    fn initiate(self, limit: Duration) -> Result<Initiated, SaslError> {
        let permit = WAITING.try_acquire().map_err(|_| failed(&"too many wait for Kerberos already"))?;
        let (reply, answer) = mpsc::sync_channel(1);
        let ask = move || {
            drop(reply.send(self.ask()));
            drop(permit);
        };
        let thread = std::thread::Builder::new().name("kerberos".to_owned()).spawn(ask);
        thread.map_err(|error| failed(&format!("no thread for Kerberos: {error}")))?;
        answer.recv_timeout(limit).unwrap_or_else(|_| Err(failed(&format!("no ticket within {limit:?}"))))
    }

    fn ask(self) -> Result<Initiated, SaslError> {
        let flags = match self.protection {
            Protection::Confidentiality => InitiateFlags::empty(),
            Protection::None | Protection::Integrity => InitiateFlags::DISABLE_CONFIDENTIALITY,
        };
        let (principal, binding) = (self.principal.as_deref(), self.channel_binding.as_deref());
        let (context, token) =
            ClientCtx::new(flags, principal, &self.service, binding).map_err(|error| failed(&error))?;
        Ok((context, Zeroizing::new(token.to_vec())))
    }
}

/// A context, and what it says first.
type Initiated = (PendingClientCtx, Zeroizing<Vec<u8>>);

/// The client's side of one exchange, its first token at hand.
pub(crate) struct Gssapi {
    request: Request,
    state: State,
}

enum State {
    Initiated { context: PendingClientCtx, token: Zeroizing<Vec<u8>> },
    Waiting(PendingClientCtx),
    Established(ClientCtx),
    Taken(Option<Layer>),
    Over,
}

impl Gssapi {
    fn step(&mut self, context: PendingClientCtx, token: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        match context.step(token).map_err(|error| failed(&error))? {
            Step::Continue((context, answer)) => {
                self.state = State::Waiting(context);
                Ok(Zeroizing::new(answer.to_vec()))
            }
            Step::Finished((context, answer)) => {
                self.state = State::Established(context);
                Ok(Zeroizing::new(answer.map(|answer| answer.to_vec()).unwrap_or_default()))
            }
        }
    }

    fn take_layer(&mut self, mut context: ClientCtx, offer: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let protection = self.request.protection;
        let order = Order::after(offer);
        let plain = unwrapped(&mut context, offer)?;
        let taken = Offer::read(&plain)?.take(protection, &self.request.authorization)?;
        let answer = context.wrap(false, &taken.answer).map_err(|error| failed(&error))?;
        let layer = match (protection, order) {
            (Protection::None, _) => None,
            (_, Some(order)) => Some(Layer::new(context, protection, taken.max_plain, order)),
            (_, None) => {
                let what = "the order of frames cannot be checked with this old kind of key";
                return Err(SaslError::Unsupported { mechanism: NAME, what });
            }
        };
        self.state = State::Taken(layer);
        Ok(Zeroizing::new(answer.to_vec()))
    }
}

impl Mechanism for Gssapi {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        let State::Initiated { context, token } = std::mem::replace(&mut self.state, State::Over) else {
            return Err(out_of_turn("a second beginning"));
        };
        self.state = State::Waiting(context);
        Ok(Some(token))
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Waiting(context) => self.step(context, challenge),
            State::Established(context) => self.take_layer(context, challenge),
            State::Initiated { .. } | State::Taken(_) | State::Over => Err(out_of_turn("another challenge")),
        }
    }

    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        if server_credentials.is_some_and(|credentials| !credentials.is_empty()) {
            return Err(malformed("something comes with success"));
        }
        match self.state {
            State::Taken(_) => Ok(()),
            _ => Err(out_of_turn("success before a layer was agreed on")),
        }
    }

    fn layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        match &mut self.state {
            State::Taken(layer) => layer.take().map(|layer| Box::new(layer) as Box<dyn SecurityLayer>),
            _ => None,
        }
    }

    /// Tickets may be seen; without a layer the connection could be taken over by whoever can change what it carries.
    fn needs_encryption(&self) -> bool {
        self.request.protection == Protection::None
    }
}

/// What a frame holds. MIT's library writes into the frame that it is given, which is therefore a copy.
fn unwrapped(context: &mut ClientCtx, frame: &[u8]) -> Result<Bytes, SaslError> {
    let copy = frame.to_vec();
    let plain = context.unwrap(&copy).map_err(|error| failed(&error))?;
    Ok(Bytes::copy_from_slice(&plain))
}

fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { mechanism: NAME, what }
}

fn out_of_turn(what: &'static str) -> SaslError {
    SaslError::OutOfTurn { mechanism: NAME, what }
}

/// The library's words, which name principals and files but no keys. They must be read in the thread that failed.
fn failed(error: &impl std::fmt::Display) -> SaslError {
    let reason = format!("{error:#}").chars().filter(|character| !character.is_control()).take(500).collect();
    SaslError::Library { mechanism: NAME, reason }
}
