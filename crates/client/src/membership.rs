//! Who is in a group: added and removed so that doing it twice is doing it once.

use std::collections::HashSet;

use bytes::Bytes;
use proto::ResultCode;
use proto::control::PermissiveModify;
use proto::message::{Change, ChangeOp};

use crate::{Connection, Error};

/// Members in one request; servers take more, but not all of them many more.
const MOST_MEMBERS: usize = 500;

/// A group, and the attribute that lists its members.
///
/// A name alone is a group that lists names in `member`, as `groupOfNames` and Active Directory's groups do.
///
/// ```
/// use ldapgate_client::Group;
///
/// let unique = Group::new("cn=staff,ou=groups,dc=example,dc=com").listing("uniqueMember");
/// let posix = Group::new("cn=users,ou=groups,dc=example,dc=com").listing("memberUid");
/// # let _ = (unique, posix);
/// ```
#[derive(Debug, Clone)]
pub struct Group {
    dn: String,
    attribute: String,
}

impl Group {
    /// The group of this name.
    pub fn new(dn: impl Into<String>) -> Group {
        Group { dn: dn.into(), attribute: "member".to_owned() }
    }

    /// Members are listed in another attribute than `member`.
    #[must_use]
    pub fn listing(mut self, attribute: impl Into<String>) -> Group {
        self.attribute = attribute.into();
        self
    }
}

impl<T: Into<String>> From<T> for Group {
    fn from(dn: T) -> Group {
        Group::new(dn)
    }
}

impl Connection {
    /// Sees to it that these are in the group, whether or not they were before.
    ///
    /// Each 500 of them are one request, and servers that refuse a request for one member that is there already get more
    /// and smaller ones. When it fails, some may have been added; calling it again is safe.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// connection.add_to_group("cn=staff,dc=example,dc=com", ["uid=ada,dc=example,dc=com"]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every other refusal; otherwise as every call.
    pub async fn add_to_group<M: Into<String>>(
        &self,
        group: impl Into<Group>,
        members: impl IntoIterator<Item = M>,
    ) -> Result<(), Error> {
        self.change_members(ChangeOp::Add, group.into(), names(members)).await
    }

    /// Sees to it that these are not in the group, whether or not they were before; otherwise as
    /// [`Connection::add_to_group`].
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// connection.remove_from_group("cn=staff,dc=example,dc=com", ["uid=ada,dc=example,dc=com"]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every other refusal, as where a `groupOfNames` would lose its last member; otherwise as every
    /// call.
    pub async fn remove_from_group<M: Into<String>>(
        &self,
        group: impl Into<Group>,
        members: impl IntoIterator<Item = M>,
    ) -> Result<(), Error> {
        self.change_members(ChangeOp::Delete, group.into(), names(members)).await
    }

    async fn change_members(&self, op: ChangeOp, group: Group, members: Vec<Bytes>) -> Result<(), Error> {
        // Active Directory and OpenLDAP then say nothing about what is so already; others do not know the control.
        let connection = self.with_controls([PermissiveModify.into()]);
        let mut parts: Vec<&[Bytes]> = members.chunks(MOST_MEMBERS).rev().collect();
        while let Some(part) = parts.pop() {
            let change = Change { op, attribute: group.attribute.clone(), values: part.to_vec() };
            match connection.modify(&group.dn, vec![change]).await {
                Ok(_) => {}
                Err(error) => match told(op, &error) {
                    // One of them is; nobody says which.
                    Told::SoAlready | Told::Perhaps if part.len() > 1 => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                    Told::SoAlready => {}
                    Told::Perhaps if !self.is_member(&group, &part[0]).await? => {}
                    Told::Perhaps | Told::Otherwise => return Err(error),
                },
            }
        }
        Ok(())
    }

    async fn is_member(&self, group: &Group, member: &Bytes) -> Result<bool, Error> {
        match self.compare(&group.dn, &group.attribute, member).await {
            Err(Error::Refused { result, .. }) if result.code == ResultCode::NO_SUCH_ATTRIBUTE => Ok(false),
            compared => compared,
        }
    }
}

/// What a refusal says.
enum Told {
    SoAlready,
    /// One of the refusals that a server has for several things.
    Perhaps,
    Otherwise,
}

/// Active Directory says entryAlreadyExists of a member that is there, and unwillingToPerform of one that is not; Samba says
/// the latter of one that once was, whatever the control says.
fn told(op: ChangeOp, error: &Error) -> Told {
    let Error::Refused { result, .. } = error else { return Told::Otherwise };
    match (op, result.code) {
        (ChangeOp::Add, ResultCode::ATTRIBUTE_OR_VALUE_EXISTS | ResultCode::ENTRY_ALREADY_EXISTS)
        | (ChangeOp::Delete, ResultCode::NO_SUCH_ATTRIBUTE) => Told::SoAlready,
        (ChangeOp::Delete, ResultCode::UNWILLING_TO_PERFORM) => Told::Perhaps,
        _ => Told::Otherwise,
    }
}

/// Each once: a request that names one twice is refused.
fn names<M: Into<String>>(members: impl IntoIterator<Item = M>) -> Vec<Bytes> {
    let mut seen = HashSet::new();
    members
        .into_iter()
        .map(|member| Bytes::from(member.into()))
        .filter(|member| seen.insert(member.clone()))
        .collect()
}
