//! What the exit status says.

use std::process::ExitCode;

/// The status of a command, as the manual has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Granted, found, healthy, done.
    pub(crate) const DONE: Exit = Exit(0);
    /// Denied, not found, refused, something is wrong.
    pub(crate) const REFUSED: Exit = Exit(1);
    /// The command line or the configuration is not right.
    pub(crate) const USAGE: Exit = Exit(2);
    /// The directory or the store cannot be reached, or we are at fault.
    pub(crate) const FAULT: Exit = Exit(3);
    /// An LDAP tool got no answer from a server.
    pub(crate) const BEFORE_AN_ANSWER: Exit = Exit(255);

    /// An LDAP tool was given LDIF that cannot be read: what OpenLDAP's tools make of their parameter error, -9.
    pub(crate) const UNREADABLE: Exit = Exit(247);

    /// The status of an LDAP tool: the result code, as OpenLDAP's tools give it.
    pub(crate) fn of_result(code: proto::ResultCode) -> Exit {
        Exit(u8::try_from(code.0).unwrap_or(u8::MAX))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_codes_that_do_not_fit_a_status_become_255() {
        assert_eq!(Exit::of_result(proto::ResultCode(49)), Exit(49));
        assert_eq!(Exit::of_result(proto::ResultCode(4096)), Exit::BEFORE_AN_ANSWER);
    }
}
