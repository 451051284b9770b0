/// Why an exchange cannot go on. No variant carries a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The server's message breaks the mechanism's rules.
    #[error("the server's {mechanism} message is malformed: {what}")]
    Malformed {
        /// The mechanism.
        mechanism: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A challenge after the last one, or success before it.
    #[error("the server's {mechanism} message came out of turn: {what}")]
    OutOfTurn {
        /// The mechanism.
        mechanism: &'static str,
        /// What came.
        what: &'static str,
    },
    /// The server did not prove that it knows the secret: it may not be the one it seems to be.
    #[error("the server did not prove itself by {mechanism}: {what}")]
    NotProved {
        /// The mechanism.
        mechanism: &'static str,
        /// What is missing or wrong.
        what: &'static str,
    },
    /// The server says in the mechanism's own words why it refuses.
    #[error("the server refuses by {mechanism}: {reason}")]
    Refused {
        /// The mechanism.
        mechanism: &'static str,
        /// Its words, cut and freed of control characters.
        reason: String,
    },
    /// What the server asks for is beyond what this side does, or costs more than it gives.
    #[error("{mechanism} cannot go on: {what}")]
    Unsupported {
        /// The mechanism.
        mechanism: &'static str,
        /// What is asked for.
        what: &'static str,
    },
    /// The name, the password or the token cannot be sent by this mechanism.
    #[error("{mechanism} cannot carry the {what}")]
    Unfit {
        /// The mechanism.
        mechanism: &'static str,
        /// Which of them, and why: "user name: it holds a NUL".
        what: &'static str,
    },
    /// A library that the mechanism stands on, such as Kerberos, failed.
    #[error("{mechanism} failed: {reason}")]
    Library {
        /// The mechanism.
        mechanism: &'static str,
        /// The library's words.
        reason: String,
    },
    /// The mechanism cannot be used here, as it was configured or built.
    #[error("{0}")]
    Configuration(String),
}

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslFault {
    /// The other end broke the rules, or did not prove itself.
    Peer,
    /// The server said no.
    Refusal,
    /// The caller, or its configuration.
    Caller,
}

impl SaslError {
    /// Who must act.
    pub fn fault(&self) -> SaslFault {
        match self {
            SaslError::Malformed { .. } | SaslError::OutOfTurn { .. } | SaslError::NotProved { .. } => {
                SaslFault::Peer
            }
            SaslError::Refused { .. } => SaslFault::Refusal,
            SaslError::Unsupported { .. }
            | SaslError::Unfit { .. }
            | SaslError::Library { .. }
            | SaslError::Configuration(_) => SaslFault::Caller,
        }
    }
}
