//! What a sign-in takes from its surroundings: the time and randomness, as arguments.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::Time;

/// Tells the time of day. The system's lives in the facade; tests set theirs.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> SystemTime;
}

/// A source of unpredictable bytes, fit for keys. The system's lives in the facade.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer. A source that cannot must not return.
    fn fill(&self, buffer: &mut [u8]);
}

/// Clock and randomness together, handed to everything that needs either.
#[derive(Clone)]
pub struct Ambient {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// The present time as the store keeps it.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now().into()
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient").finish_non_exhaustive()
    }
}
