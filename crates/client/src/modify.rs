//! Add, modify, delete and modify DN (RFC 4511 sections 4.6 to 4.9).

use bytes::Bytes;
use proto::control::TreeDelete;
use proto::message::{AddRequest, ModifyDnRequest, ModifyRequest, Request};
use proto::{Change, Controls, Rdn};

use crate::connection::Operation;
use crate::{Connection, Error, Reply};

/// A new place for an entry.
#[derive(Debug, Clone)]
pub struct Rename {
    rdn: Rdn,
    keep_old: bool,
    superior: Option<String>,
}

impl Rename {
    /// A new name in the same place; the old name's values go.
    pub fn to(rdn: Rdn) -> Rename {
        Rename { rdn, keep_old: false, superior: None }
    }

    /// Keep the old name's values as plain values.
    #[must_use]
    pub fn keeping_old_values(mut self) -> Rename {
        self.keep_old = true;
        self
    }

    /// Move the entry below another one.
    #[must_use]
    pub fn below(mut self, superior: impl Into<String>) -> Rename {
        self.superior = Some(superior.into());
        self
    }

    pub(crate) fn request(&self, dn: &str) -> ModifyDnRequest {
        ModifyDnRequest {
            dn: dn.to_owned(),
            new_rdn: self.rdn.to_string(),
            delete_old_rdn: !self.keep_old,
            new_superior: self.superior.clone(),
        }
    }
}

impl Connection {
    /// Adds an entry.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let group = [("objectClass", vec!["device"]), ("cn", vec!["printer"])];
    /// connection.add("cn=printer,dc=example,dc=com", group).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    #[tracing::instrument(name = "ldap.add", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn add<N: Into<String>, V: Into<Bytes>>(
        &self,
        dn: &str,
        attributes: impl IntoIterator<Item = (N, Vec<V>)>,
    ) -> Result<Reply, Error> {
        let attributes = attributes
            .into_iter()
            .map(|(name, values)| (name.into(), values.into_iter().map(Into::into).collect()))
            .collect();
        self.write("add", Request::Add(AddRequest { dn: dn.to_owned(), attributes }), Controls::default())
            .await
    }

    /// Changes an entry's attributes: all changes, in their order, or none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Change, Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let changes = vec![Change::add("mail", ["ada@example.com"]), Change::replace("sn", ["King"])];
    /// let reply = connection.modify("uid=ada,dc=example,dc=com", changes).await?;
    /// assert!(reply.result.is_success());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    #[tracing::instrument(name = "ldap.modify", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn modify(&self, dn: &str, changes: Vec<Change>) -> Result<Reply, Error> {
        self.write(
            "modify",
            Request::Modify(ModifyRequest { dn: dn.to_owned(), changes }),
            Controls::default(),
        )
        .await
    }

    /// Deletes an entry that has none below it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let refused = connection.delete("dc=example,dc=com").await;
    /// assert!(refused.is_err(), "there are people below it");
    /// connection.delete("uid=ada,dc=example,dc=com").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    #[tracing::instrument(name = "ldap.delete", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn delete(&self, dn: &str) -> Result<Reply, Error> {
        self.write("delete", Request::Delete(dn.to_owned()), Controls::default()).await
    }

    /// Deletes an entry and everything below it, in one step (draft-armijo-ldap-treedelete). Active Directory, Samba and a
    /// few others can.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// connection.delete_tree("ou=closed,dc=example,dc=com").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with unavailableCriticalExtension (12) where the server cannot; otherwise as
    /// [`Connection::delete`].
    pub async fn delete_tree(&self, dn: &str) -> Result<Reply, Error> {
        self.with_controls([TreeDelete.into()]).delete(dn).await
    }

    /// Renames or moves an entry.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// # use ldapgate_client::{Dn, Rename, Connection, Options, Password};
    /// # let connection = Connection::open(&Options::new([url])?).await?;
    /// # connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    /// let countess = Dn::parse("uid=countess")?.rdns()[0].clone();
    /// connection.rename("uid=ada,dc=example,dc=com", &Rename::to(countess)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every answer but success; otherwise as every call.
    #[tracing::instrument(name = "ldap.modify_dn", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn rename(&self, dn: &str, rename: &Rename) -> Result<Reply, Error> {
        self.write("modify DN", Request::ModifyDn(rename.request(dn)), Controls::default()).await
    }

    /// One change with controls of its own, judged before it is sent where the options ask for that.
    pub(crate) async fn write(
        &self,
        name: &'static str,
        request: Request,
        controls: Controls,
    ) -> Result<Reply, Error> {
        self.check(&request).await?;
        self.perform(Operation::new(name, request, controls)).await
    }
}
