//! An account that too many wrong passwords have locked, opened again by an administrator.

use proto::{Change, ResultCode};

use crate::{Connection, Error};

/// How a directory keeps in mind that an account is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lockout {
    /// Active Directory and Samba: `lockoutTime`.
    ActiveDirectory,
    /// 389 Directory Server: `passwordRetryCount`, `retryCountResetTime` and `accountUnlockTime`. Accounts that were switched
    /// off by `nsAccountLock` stay so.
    Ds389,
    /// OpenLDAP's password policy: `pwdAccountLockedTime`, and with it the failures that led there.
    OpenLdap,
}

impl Connection {
    /// Unlocks an account, as an administrator does, and has the server forget the wrong passwords that led there; one that
    /// is not locked stays as it is.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::Lockout;
    ///
    /// connection.unlock(Lockout::OpenLdap, "uid=ada,ou=people,dc=example,dc=com").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    pub async fn unlock(&self, lockout: Lockout, dn: &str) -> Result<(), Error> {
        match self.modify(dn, lockout.undone()).await {
            // What is to be deleted is not there: it is not locked.
            Err(Error::Refused { result, .. }) if result.code == ResultCode::NO_SUCH_ATTRIBUTE => Ok(()),
            done => done.map(drop),
        }
    }
}

impl Lockout {
    fn undone(self) -> Vec<Change> {
        // To replace by nothing is to delete what may not be there (RFC 4511 section 4.6).
        let gone = |attribute| Change::replace(attribute, [""; 0]);
        match self {
            Lockout::ActiveDirectory => vec![Change::replace("lockoutTime", ["0"])],
            Lockout::Ds389 => {
                ["passwordRetryCount", "retryCountResetTime", "accountUnlockTime"].map(gone).to_vec()
            }
            // Deleted, and not replaced by nothing: only then the failures go with it.
            Lockout::OpenLdap => vec![Change::delete_all("pwdAccountLockedTime")],
        }
    }
}
