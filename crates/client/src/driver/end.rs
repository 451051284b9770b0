//! The end of a connection: everybody who waits is told, and the server where that is polite.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::{Command, Driver};
use crate::error::Closed;
use crate::metrics::FailureKind;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

impl Driver {
    pub(super) async fn finish(mut self, reason: Closed) {
        let polite = matches!(reason, Closed::Ours | Closed::Idle);
        // The reason stands before anybody can ask for it. It is set once, here.
        self.state.closed.get_or_init(|| Arc::new(reason));
        self.commands.close();
        self.state.notices.end();
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            self.count(FailureKind::Closed);
            let sent = waiting.sent.is_some();
            waiting.sink.fail(self.state.ended(waiting.operation, sent));
        }
        if let Some(upgrade) = self.upgrade.take() {
            drop(upgrade.reply.send(Err(self.state.ended("StartTLS", true))));
        }
        let mut closing = Vec::new();
        let mut command = self.held.take();
        loop {
            match command {
                Some(Command::Start(start)) => {
                    self.count(FailureKind::Closed);
                    start.sink.fail(self.state.ended(start.operation, false));
                }
                Some(Command::Close(done)) => closing.push(done),
                Some(Command::Cancel(_) | Command::Identify(..)) | None => {}
            }
            command = match self.commands.try_recv() {
                Ok(command) => Some(command),
                Err(_) => break,
            };
        }
        if polite {
            drop(timeout(FAREWELL, self.farewell()).await);
        }
        for done in closing {
            // Who asked for the end may have left.
            let _ = done.send(());
        }
    }

    /// Unbind, then the end of the stream; requests that were not begun are forgotten.
    async fn farewell(&mut self) -> io::Result<()> {
        if let Some(out) = self.outbox.front().filter(|out| out.written > 0) {
            self.stream.write_all(&out.frame[out.written..]).await?;
        }
        self.stream.write_all(&self.session.unbind()).await?;
        self.stream.shutdown().await
    }
}
