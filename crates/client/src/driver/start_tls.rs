//! The handshake that follows the answer to StartTLS. Whatever goes wrong ends the connection.

use std::sync::atomic::Ordering;

use tls::ClientTls;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant, timeout_at};

use super::{Answer, Driver, Step};
use crate::error::{Closed, Error};

/// A handshake to be made.
pub(super) struct Upgrade {
    pub(super) reply: oneshot::Sender<Result<Answer, Error>>,
    pub(super) answer: Answer,
    pub(super) tls: ClientTls,
    pub(super) host: String,
    pub(super) deadline: Instant,
    pub(super) limit: Duration,
}

impl Driver {
    pub(super) async fn upgrade(&mut self, upgrade: Upgrade) -> Step {
        let Upgrade { mut reply, answer, tls, host, deadline, limit } = upgrade;
        if answer.response.result().is_none_or(|result| !result.is_success()) {
            drop(reply.send(Ok(answer)));
            return Err(Closed::NoTls);
        }
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let handshake = timeout_at(deadline, tls.connect(&host, plain));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            () = reply.closed() => return Err(Closed::GivenUp("StartTLS")),
        };
        let url = self.state.url.clone();
        let error = match outcome {
            Ok(Ok(stream)) => {
                self.state.bindings.get_or_init(|| stream.bindings());
                self.state.peer.get_or_init(|| stream.peer());
                self.stream = Box::new(stream);
                self.state.encrypted.store(true, Ordering::Release);
                self.state.private.store(true, Ordering::Release);
                drop(reply.send(Ok(answer)));
                return Ok(());
            }
            Ok(Err(source)) => Error::Tls { url, source: Box::new(source) },
            Err(_) => Error::ConnectTimeout { url, stage: "the TLS handshake", limit },
        };
        drop(reply.send(Err(error)));
        Err(Closed::NoTls)
    }
}
