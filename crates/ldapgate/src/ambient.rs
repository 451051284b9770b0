//! The system's clock and randomness: the one place where they are read. Everything below takes them as arguments.

use std::sync::Arc;
use std::time::SystemTime;

use account::{Ambient, Clock, Entropy};

/// Clock and randomness of this machine.
pub(crate) fn system() -> Ambient {
    Ambient { clock: Arc::new(System), entropy: Arc::new(System) }
}

/// The system's time of day.
#[must_use]
#[allow(clippy::disallowed_methods)] // this is the place
pub fn system_time() -> SystemTime {
    SystemTime::now()
}

/// What this process is called among others on the same store: the machine's name and the process's number.
pub(crate) fn replica() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "this machine" } else { host.trim() };
    format!("{host}, process {}", std::process::id())
}

struct System;

impl Clock for System {
    fn now(&self) -> SystemTime {
        system_time()
    }
}

impl Entropy for System {
    #[allow(clippy::disallowed_methods)] // this is the place
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system has randomness, or nothing may go on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let ambient = system();
        assert_ne!(ambient.random::<16>(), ambient.random::<16>());
        assert!(ambient.clock.now() > SystemTime::UNIX_EPOCH);
    }
}
