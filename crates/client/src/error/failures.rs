//! Several servers, and how each of them failed.

use std::fmt;

use super::{Error, chain};

/// One failure for each server tried, in their order.
#[derive(Debug)]
pub struct Failures(Vec<Error>);

impl Failures {
    /// How many servers were tried.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Was no server tried?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The failures.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }

    /// One server's failure is the whole truth; several are told together.
    pub(crate) fn into_error(mut failures: Vec<Error>) -> Error {
        match failures.len() {
            1 => failures.remove(0),
            _ => Error::AllDown { failures: Failures(failures) },
        }
    }

    /// One line for each failure, its causes included.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |error: &Error| {
            let causes = chain(error);
            if causes.is_empty() { error.to_string() } else { format!("{error}: {}", causes.join(": ")) }
        };
        self.0.iter().map(line).collect()
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("; "))
    }
}

impl std::error::Error for Failures {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn several_servers_failures_are_told_one_a_line() {
        let down = |host: &str| Error::Connect {
            url: format!("ldap://{host}"),
            source: io::Error::from(io::ErrorKind::ConnectionRefused),
        };
        let error = Failures::into_error(vec![down("a"), down("b")]);
        assert_eq!(error.to_string(), "none of the 2 servers works");
        assert_eq!(error.causes().len(), 2);
        assert!(error.causes()[0].starts_with("cannot connect to ldap://a"), "{:?}", error.causes());
        assert!(error.causes()[0].ends_with("connection refused"), "{:?}", error.causes());
    }
}
