//! What the directory had to say to the person at a login, as it is kept with the session.

use std::time::Duration;

use auth::Warning;
use serde::{Deserialize, Serialize};

use crate::Time;

/// A warning that keeps its meaning while time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoredWarning {
    /// The password expires.
    PasswordExpires {
        /// When.
        at: Time,
    },
    /// The password has expired; the server lets it pass a few times more.
    GraceLogins {
        /// So many after that login.
        remaining: u32,
    },
}

impl StoredWarning {
    /// What was said at that time.
    #[must_use]
    pub fn said(warning: Warning, at: Time) -> Self {
        match warning {
            Warning::PasswordExpires { seconds } => {
                Self::PasswordExpires { at: at.after(Duration::from_secs(seconds)) }
            }
            Warning::GraceLogins { remaining } => Self::GraceLogins { remaining },
        }
    }

    /// What there is to say by now: of the seconds those that are left.
    #[must_use]
    pub fn by(self, now: Time) -> Warning {
        match self {
            Self::PasswordExpires { at } => Warning::PasswordExpires { seconds: at.since(now).as_secs() },
            Self::GraceLogins { remaining } => Warning::GraceLogins { remaining },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_seconds_those_are_told_that_are_left() {
        let kept = StoredWarning::said(Warning::PasswordExpires { seconds: 60 }, Time::from_seconds(100));
        for (now, seconds) in [(100, 60), (130, 30), (160, 0), (1000, 0)] {
            assert_eq!(kept.by(Time::from_seconds(now)), Warning::PasswordExpires { seconds });
        }
    }
}
