//! Writing down instead of sending: requests as LDIF change records (RFC 2849), for review, for `ldapmodify`, for later.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use proto::control::TreeDelete;
use proto::ldif::{ChangeRecord, ChangeType, Writer};
use proto::message::{AddRequest, ModifyRequest};
use proto::value::is_secret;
use proto::{Change, Control};
use serde::Serialize;

use crate::write::{changed, named};
use crate::{Rename, WriteError};

/// What becomes of a password in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// The request is refused, and nothing of it is written.
    Refuse,
    /// Its attribute is left out.
    LeaveOut,
    /// It is written, readable for whoever reads the output: base64 hides nothing.
    Write,
}

/// Has the write calls of a [`Connection`](crate::Connection), and writes what they would send as LDIF change records, which
/// `ldapmodify` and [`Connection::apply`](crate::Connection::apply) read. Clones write to the same output.
///
/// Nobody answers: that a change is possible shows when it is applied. A new password by `modify_password` or
/// `change_password` is no LDIF, and has no call here; one that is an attribute's value is refused unless
/// [`secrets`](Recorder::secrets) says otherwise.
///
/// ```
/// use ldapgate_client::{Change, Recorder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = Recorder::new(Vec::new());
/// directory.modify("uid=ada,dc=example,dc=com", vec![Change::replace("mail", ["ada@example.com"])]).await?;
/// directory.delete("uid=bob,dc=example,dc=com").await?;
///
/// let ldif = directory.into_inner().expect("there is no clone");
/// let expected = "dn: uid=ada,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: ada@example.com\n-\n\n\
///                 dn: uid=bob,dc=example,dc=com\nchangetype: delete\n\n";
/// assert_eq!(String::from_utf8(ldif)?, expected);
/// # Ok(())
/// # }
/// ```
pub struct Recorder<W> {
    writer: Arc<Mutex<Writer<W>>>,
    controls: Vec<Control>,
    secrets: Secrets,
    form: Form,
}

/// What new entries are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Changes,
    Content,
}

impl<W: Write> Recorder<W> {
    /// Writes to anything that can be written to; what a file takes is its own affair: buffer and flush it yourself.
    pub fn new(out: W) -> Self {
        let writer = Arc::new(Mutex::new(Writer::new(out)));
        Recorder { writer, controls: Vec::new(), secrets: Secrets::Refuse, form: Form::Changes }
    }

    /// For `slapadd`, which reads new entries without `changetype:` and nothing else: every other request, and every
    /// control, is an error then.
    #[must_use]
    pub fn for_slapadd(self) -> Self {
        Recorder { form: Form::Content, ..self }
    }

    /// What becomes of passwords; without this they are refused.
    #[must_use]
    pub fn secrets(self, secrets: Secrets) -> Self {
        Recorder { secrets, ..self }
    }

    /// Another handle, whose every record has these controls.
    #[must_use]
    pub fn with_controls(&self, controls: impl IntoIterator<Item = Control>) -> Self {
        Recorder { controls: controls.into_iter().collect(), ..self.clone() }
    }

    /// Records a new entry.
    ///
    /// # Errors
    ///
    /// A password where none may be, what LDIF cannot say, and what the output says.
    pub async fn add<N: Into<String>, V: Into<Bytes>>(
        &self,
        dn: &str,
        attributes: impl IntoIterator<Item = (N, Vec<V>)>,
    ) -> Result<(), RecordError> {
        let mut kept = Vec::new();
        for (name, values) in attributes {
            let name = name.into();
            if self.keeps(dn, &name)? {
                kept.push((name, values.into_iter().map(Into::into).collect()));
            }
        }
        self.write(ChangeType::Add(AddRequest { dn: dn.to_owned(), attributes: kept }))
    }

    /// Records a new entry that is a struct with a field `dn`.
    ///
    /// # Errors
    ///
    /// When the struct cannot be an entry; otherwise as [`add`](Recorder::add).
    pub async fn add_entry<T: Serialize + ?Sized>(&self, entry: &T) -> Result<(), RecordError> {
        let (dn, attributes) = named(entry)?;
        self.add(&dn, attributes).await
    }

    /// Records changes of an entry's attributes.
    ///
    /// # Errors
    ///
    /// As [`add`](Recorder::add).
    pub async fn modify(&self, dn: &str, changes: Vec<Change>) -> Result<(), RecordError> {
        let mut kept = Vec::new();
        for change in changes {
            if self.keeps(dn, &change.attribute)? {
                kept.push(change);
            }
        }
        self.write(ChangeType::Modify(ModifyRequest { dn: dn.to_owned(), changes: kept }))
    }

    /// Records what changed in a struct with a field `dn`; without a change nothing is written.
    ///
    /// # Errors
    ///
    /// When a struct cannot be an entry; otherwise as [`add`](Recorder::add).
    pub async fn modify_entry<T: Serialize + ?Sized>(
        &self,
        before: &T,
        after: &T,
    ) -> Result<(), RecordError> {
        let (dn, changes) = changed(before, after)?;
        if changes.is_empty() {
            return Ok(());
        }
        self.modify(&dn, changes).await
    }

    /// Records that an entry goes.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub async fn delete(&self, dn: &str) -> Result<(), RecordError> {
        self.write(ChangeType::Delete(dn.to_owned()))
    }

    /// Records that an entry goes with everything below it, which only some servers can do in one step: the record has
    /// the tree delete control.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub async fn delete_tree(&self, dn: &str) -> Result<(), RecordError> {
        let controls = self.controls.iter().cloned().chain([TreeDelete.into()]);
        self.with_controls(controls).delete(dn).await
    }

    /// Records an entry's new name or place.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub async fn rename(&self, dn: &str, rename: &Rename) -> Result<(), RecordError> {
        self.write(ChangeType::ModifyDn(rename.request(dn)))
    }

    /// The output, from the last handle.
    pub fn into_inner(self) -> Option<W> {
        let writer = Arc::into_inner(self.writer)?;
        Some(writer.into_inner().unwrap_or_else(PoisonError::into_inner).into_inner())
    }

    /// May this attribute be written?
    fn keeps(&self, dn: &str, attribute: &str) -> Result<bool, RecordError> {
        match self.secrets {
            _ if !is_secret(attribute) => Ok(true),
            Secrets::Write => Ok(true),
            Secrets::LeaveOut => Ok(false),
            Secrets::Refuse => {
                Err(RecordError::Secret { dn: dn.to_owned(), attribute: attribute.to_owned() })
            }
        }
    }

    fn write(&self, change: ChangeType) -> Result<(), RecordError> {
        // What a panic of another handle's output left behind is at worst half a record, which its reader will tell.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match (self.form, &change) {
            (Form::Changes, _) => {
                writer.change(&ChangeRecord { change, controls: self.controls.clone(), line: 0 })
            }
            (Form::Content, ChangeType::Add(add)) if self.controls.is_empty() => writer.addition(add),
            (Form::Content, _) => return Err(RecordError::NoContent),
        };
        written.map_err(RecordError::Output)
    }
}

impl<W> Clone for Recorder<W> {
    fn clone(&self) -> Self {
        Recorder { writer: self.writer.clone(), controls: self.controls.clone(), ..*self }
    }
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

/// Why a request was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A password would be written.
    #[error("{attribute} of {dn:?} is a secret: say what becomes of it with Recorder::secrets")]
    Secret {
        /// Whose.
        dn: String,
        /// Which.
        attribute: String,
    },
    /// A struct cannot be an entry.
    #[error("this cannot be an entry")]
    Entry(#[from] WriteError),
    /// What `slapadd` does not read.
    #[error("slapadd reads new entries without controls, and no other change")]
    NoContent,
    /// The output cannot be written, or LDIF cannot say it.
    #[error("the record cannot be written")]
    Output(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with_a_password(secrets: Secrets) -> (Result<(), RecordError>, String) {
        let recorder = Recorder::new(Vec::new()).secrets(secrets);
        let mut done = recorder.add("cn=a", [("cn", vec!["a"]), ("UserPassword;x-a", vec!["secret"])]).await;
        if done.is_ok() {
            done = recorder.modify("cn=a", vec![Change::replace("unicodePwd", ["secret"])]).await;
        }
        (done, String::from_utf8(recorder.into_inner().unwrap()).unwrap())
    }

    #[tokio::test]
    async fn secrets_are_handled_knowingly() {
        let (refused, text) = with_a_password(Secrets::Refuse).await;
        assert_eq!(text, "");
        let error = refused.unwrap_err().to_string();
        assert!(
            error.starts_with(r#"UserPassword;x-a of "cn=a" is a secret"#) && !error.contains("=secret"),
            "{error}"
        );
        let (done, text) = with_a_password(Secrets::LeaveOut).await;
        assert!(done.is_ok());
        assert_eq!(text, "dn: cn=a\nchangetype: add\ncn: a\n\ndn: cn=a\nchangetype: modify\n\n");
        let (done, text) = with_a_password(Secrets::Write).await;
        assert!(done.is_ok() && text.contains("unicodePwd: secret\n"), "{text}");
    }

    #[tokio::test]
    async fn a_password_is_one_by_every_name() {
        for attribute in
            ["clearPassword", "unixUserPassword", "msLAPS-Password", "2.5.4.35", "olcRootPW;x-old"]
        {
            let recorder = Recorder::new(Vec::new());
            let done = recorder.modify("cn=a", vec![Change::replace(attribute, ["secret"])]).await;
            assert!(matches!(done, Err(RecordError::Secret { .. })), "{attribute}: {done:?}");
            assert!(recorder.into_inner().unwrap().is_empty(), "{attribute}");
        }
    }

    #[tokio::test]
    async fn slapadd_gets_new_entries_alone() {
        let recorder = Recorder::new(Vec::new()).for_slapadd();
        recorder.add("cn=a", [("cn", vec!["a"])]).await.unwrap();
        assert!(matches!(recorder.delete("cn=a").await, Err(RecordError::NoContent)));
        let control = Control { oid: "1.2.3".into(), critical: false, value: None };
        assert!(recorder.with_controls([control]).add("cn=b", [("cn", vec!["b"])]).await.is_err());
        assert_eq!(recorder.into_inner().unwrap(), b"dn: cn=a\ncn: a\n\n");
    }

    #[tokio::test]
    async fn what_ldif_cannot_say_is_an_error_and_leaves_nothing() {
        let recorder = Recorder::new(Vec::new());
        let error = recorder.add("cn=a", [("c\nn", vec!["a"])]).await.unwrap_err();
        assert!(matches!(error, RecordError::Output(_)), "{error:?}");
        assert!(recorder.clone().into_inner().is_none(), "another handle is there");
        assert!(recorder.into_inner().unwrap().is_empty());
    }
}
