//! A new password: by the password modify operation (RFC 3062), or by Active Directory's `unicodePwd`.

use std::fmt;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use proto::control::PasswordPolicy;
use proto::extended::PasswordModify;
use proto::message::{Change, ChangeOp, ModifyRequest, Request, Response};
use proto::{Control, Controls, LdapResult, Password};

use crate::bind::read_policy;
use crate::connection::Operation;
use crate::{Connection, Error};

const UNICODE_PWD: &str = "unicodePwd";

/// How a directory takes a new password for an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordMethod {
    /// The password modify operation (RFC 3062): OpenLDAP, 389 Directory Server, FreeIPA, lldap and others.
    PasswordModify,
    /// Active Directory's: the old `unicodePwd` deleted and the new one added in one modify, which is how the server
    /// knows a change from a reset.
    UnicodePwd,
}

/// What the server said to a new password. "No" is an answer like any other.
#[non_exhaustive]
pub struct PasswordReply {
    /// The result; success alone means that the new password is good from now on.
    pub result: LdapResult,
    /// What came with it.
    pub controls: Controls,
    /// The password that the server made, when it was asked to make one.
    pub generated: Option<Password>,
}

impl PasswordReply {
    /// An answer without a password of the server's, for tests of what is made of it.
    ///
    /// ```
    /// use ldapgate_client::{LdapResult, PasswordReply};
    ///
    /// assert!(PasswordReply::new(LdapResult::success(), []).is_success());
    /// ```
    pub fn new(result: LdapResult, controls: impl IntoIterator<Item = Control>) -> PasswordReply {
        PasswordReply { result, controls: controls.into_iter().collect(), generated: None }
    }

    /// Is the new password good from now on?
    pub fn is_success(&self) -> bool {
        self.result.is_success()
    }

    /// What the server's password policy objects to, when it says something that can be read.
    pub fn policy(&self) -> Option<PasswordPolicy> {
        read_policy(&self.controls)
    }
}

/// A password that the server made stays out of logs.
impl fmt::Debug for PasswordReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordReply")
            .field("result", &self.result)
            .field("controls", &self.controls)
            .field("generated", &self.generated.is_some())
            .finish()
    }
}

impl Connection {
    /// The password modify operation (RFC 3062), with what the server's password policy says to it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{PasswordModify, Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let modify = PasswordModify { new: Some(Password::new("difference")?), ..PasswordModify::default() };
    /// assert!(connection.modify_password(&modify).await?.is_success(), "of whoever is bound");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ClearPassword`] before anything is sent when somebody could listen, whatever the options allow for binds:
    /// TLS, loopback or `ldapi` it has to be. Otherwise as every call; a refusal is none.
    #[tracing::instrument(name = "ldap.modify_password", level = "debug", skip_all, fields(url = self.url(), user = modify.user))]
    pub async fn modify_password(&self, modify: &PasswordModify) -> Result<PasswordReply, Error> {
        let answer = self.tell_password("password modify", Request::Extended(modify.request())).await?;
        match answer.response {
            Response::Extended(response) => {
                let generated = PasswordModify::generated(&response);
                let generated = generated.map_err(|_| self.unexpected("password modify"))?;
                Ok(PasswordReply { result: response.result, controls: answer.controls, generated })
            }
            _ => Err(self.unexpected("password modify")),
        }
    }

    /// Changes a password: the server compares the old one before it takes the new one, whoever is bound.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{PasswordMethod, Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let (wrong, new) = (Password::new("guess")?, Password::new("difference")?);
    /// let method = PasswordMethod::PasswordModify;
    /// let reply = connection.change_password(method, "uid=ada,dc=example,dc=com", &wrong, &new).await?;
    /// assert!(!reply.is_success());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Connection::modify_password`].
    pub async fn change_password(
        &self,
        method: PasswordMethod,
        dn: &str,
        old: &Password,
        new: &Password,
    ) -> Result<PasswordReply, Error> {
        match method {
            PasswordMethod::PasswordModify => {
                let (old, new) = (Some(old.duplicate()), Some(new.duplicate()));
                self.modify_password(&PasswordModify { user: Some(dn.to_owned()), old, new }).await
            }
            PasswordMethod::UnicodePwd => {
                let changes = vec![unicode_pwd(ChangeOp::Delete, old)?, unicode_pwd(ChangeOp::Add, new)?];
                self.modify_unicode_pwd(dn, changes).await
            }
        }
    }

    /// Sets a password without the old one, as an administrator does. It proves nothing about who asks: to let people
    /// change their own, use [`Connection::change_password`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// use ldapgate_client::{Connection, Options, Password, PasswordMethod};
    ///
    /// let connection = Connection::open(&Options::new([url])?).await?;
    /// connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let new = Password::new("difference")?;
    /// let reply = connection.reset_password(PasswordMethod::PasswordModify, "uid=ada,dc=example,dc=com", &new).await?;
    /// assert!(reply.is_success());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Connection::modify_password`].
    pub async fn reset_password(
        &self,
        method: PasswordMethod,
        dn: &str,
        new: &Password,
    ) -> Result<PasswordReply, Error> {
        match method {
            PasswordMethod::PasswordModify => {
                let (user, new) = (Some(dn.to_owned()), Some(new.duplicate()));
                self.modify_password(&PasswordModify { user, old: None, new }).await
            }
            PasswordMethod::UnicodePwd => {
                self.modify_unicode_pwd(dn, vec![unicode_pwd(ChangeOp::Replace, new)?]).await
            }
        }
    }

    #[tracing::instrument(name = "ldap.modify", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    async fn modify_unicode_pwd(&self, dn: &str, changes: Vec<Change>) -> Result<PasswordReply, Error> {
        let request = Request::Modify(ModifyRequest { dn: dn.to_owned(), changes });
        let answer = self.tell_password("modify", request).await?;
        match answer.response {
            Response::Modify(result) => {
                Ok(PasswordReply { result, controls: answer.controls, generated: None })
            }
            _ => Err(self.unexpected("modify")),
        }
    }

    async fn tell_password(
        &self,
        name: &'static str,
        request: Request,
    ) -> Result<crate::driver::Answer, Error> {
        if !self.shared.state.private.load(Ordering::Acquire) {
            return Err(Error::ClearPassword { url: self.url().to_owned() });
        }
        let controls = Controls::from(PasswordPolicy::request());
        let answer = self.call(Operation::new(name, request, controls)).await?;
        if let Some(result) = answer.response.result() {
            tracing::debug!(code = %result.code, "answered");
        }
        Ok(answer)
    }
}

fn unicode_pwd(op: ChangeOp, password: &Password) -> Result<Change, Error> {
    let value: Bytes = password.to_unicode_pwd().ok_or(Error::PasswordText)?;
    Ok(Change { op, attribute: UNICODE_PWD.to_owned(), values: vec![value] })
}
