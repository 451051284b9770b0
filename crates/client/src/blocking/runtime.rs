//! The thread behind the blocking client, and how a caller waits.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle};
use tokio::task::unconstrained;

use crate::Error;

/// The one runtime of the process; it is never stopped, and idle while nobody calls.
static SHARED: Mutex<Option<Handle>> = Mutex::new(None);

/// The way to it.
#[derive(Clone)]
pub(super) struct Runtime(Handle);

impl Runtime {
    /// The runtime, started when it was not yet.
    pub(super) fn shared() -> Result<Runtime, Error> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = &*shared {
            return Ok(Runtime(handle.clone()));
        }
        let failed = |source| Error::Thread { source };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let work = move || runtime.block_on(pending::<()>());
        thread::Builder::new().name("ldapgate-client".to_owned()).spawn(work).map_err(failed)?;
        *shared = Some(handle.clone());
        Ok(Runtime(handle))
    }

    /// Waits here for what goes on there.
    ///
    /// The future is polled on the caller's thread and may borrow from it; sockets, timers and connections' tasks belong to the
    /// runtime's thread. Other than the runtime's own `block_on` this may be called inside of another runtime, too.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.0.enter();
        // A budget of the runtime around us would never be filled again while we wait.
        let mut future = pin!(unconstrained(future));
        let waker = Waker::from(Arc::new(Sleeper(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            thread::park();
        }
    }
}

/// A thread that waits. Woken before it sleeps, it does not fall asleep.
struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    #[test]
    fn timers_ring_and_borrowed_things_can_be_used() {
        let runtime = Runtime::shared().unwrap();
        let text = String::from("borrowed");
        let borrowed = runtime.wait(async {
            sleep(Duration::from_millis(1)).await;
            text.as_str()
        });
        assert_eq!(borrowed, "borrowed");
        let late = runtime.wait(async { timeout(Duration::from_millis(1), pending::<()>()).await });
        assert!(late.is_err());
    }

    #[test]
    fn a_wait_within_a_wait_comes_to_an_end() {
        let runtime = Runtime::shared().unwrap();
        let inner = runtime.clone();
        let waited = runtime.wait(async move {
            sleep(Duration::from_millis(1)).await;
            let late = inner.wait(async { timeout(Duration::from_millis(1), pending::<()>()).await });
            sleep(Duration::from_millis(1)).await;
            late.is_err()
        });
        assert!(waited);
    }

    #[tokio::test]
    async fn the_budget_of_a_runtime_around_does_not_stop_it() {
        let runtime = Runtime::shared().unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..1000).for_each(|number| sender.send(number).unwrap());
        for number in 0..1000 {
            assert_eq!(runtime.wait(receiver.recv()), Some(number));
        }
    }
}
