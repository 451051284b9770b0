//! A new password: by the password modify operation (RFC 3062) or, as Active Directory has it, by `unicodePwd`.
//!
//! What a new one has to be like is said by [`PasswordRules`]; how a refusal is worded, by the [`Dialect`].

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use proto::message::{Change, ChangeOp, ExtendedResponse, ModifyRequest, Response};
use proto::value::{FileTime, GeneralizedTime};
use proto::{ExtendedRequest, LdapResult, Password, PasswordModify, PasswordPolicyError, ResultCode};

use super::bind::is_right;
use super::{Identity, Refusal, must_change, name, refuse, writer};
use crate::account_state::active_directory;
use crate::builder::{Dialect, PasswordRules};
use crate::directory::Shared;
use crate::password;
use crate::tree::{Attribute, Attributes, Id, View, owned};

/// What becomes of a new password, and what the password policy says to it.
pub(crate) struct PasswordAnswer {
    pub(crate) response: Response,
    pub(crate) policy: Option<PasswordPolicyError>,
}

/// Why a new password is not taken.
enum Objection {
    /// The old one is not right.
    WrongOld,
    TooShort,
    InHistory,
    TooYoung,
    Locked,
    Refused(Refusal),
}

impl From<Refusal> for Objection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Does the password modify operation.
pub(crate) async fn modify_password(
    shared: &Arc<Shared>,
    who: Identity,
    request: &ExtendedRequest,
) -> PasswordAnswer {
    let (result, policy) = match read_and_change(shared, who, request).await {
        Ok(()) => (LdapResult::success(), None),
        Err(objection) => objection.words(shared.settings.dialect),
    };
    PasswordAnswer { response: Response::Extended(ExtendedResponse::new(result)), policy }
}

/// Changes `unicodePwd`.
pub(crate) async fn modify_unicode_pwd(
    shared: &Arc<Shared>,
    who: Identity,
    request: &ModifyRequest,
) -> PasswordAnswer {
    let (result, policy) = match read_unicode_pwd(shared, who, request).await {
        Ok(()) => (LdapResult::success(), None),
        Err(objection) => objection.words(shared.settings.dialect),
    };
    PasswordAnswer { response: Response::Modify(result), policy }
}

/// Whether a modify is about `unicodePwd`, which only Active Directory takes for a password.
pub(crate) fn is_unicode_pwd(shared: &Shared, request: &ModifyRequest) -> bool {
    let about = |change: &Change| change.attribute.eq_ignore_ascii_case("unicodePwd");
    shared.settings.dialect == Dialect::ActiveDirectory && request.changes.iter().any(about)
}

async fn read_and_change(
    shared: &Arc<Shared>,
    who: Identity,
    request: &ExtendedRequest,
) -> Result<(), Objection> {
    let PasswordModify { user, old, new } = PasswordModify::parse(request)
        .map_err(|error| refuse(ResultCode::PROTOCOL_ERROR, error.to_string()))?;
    if who == Identity::Anonymous {
        let text = "only authenticated users may change passwords";
        return Err(refuse(ResultCode::STRONGER_AUTH_REQUIRED, text).into());
    }
    let Some(new) = new else {
        return Err(refuse(ResultCode::UNWILLING_TO_PERFORM, "this server makes no passwords").into());
    };
    let user = user.as_deref().map(|user| user.strip_prefix("dn:").unwrap_or(user));
    let id = find(shared, who, user)?;
    change(shared, who, id, old, new).await
}

async fn read_unicode_pwd(
    shared: &Arc<Shared>,
    who: Identity,
    request: &ModifyRequest,
) -> Result<(), Objection> {
    let id = find(shared, who, Some(&request.dn))?;
    match &request.changes[..] {
        [delete, add] if (delete.op, add.op) == (ChangeOp::Delete, ChangeOp::Add) => {
            change(shared, who, id, Some(unicode_pwd(delete)?), unicode_pwd(add)?).await
        }
        // A reset needs a right of its own, which nobody has here.
        _ => {
            Err(refuse(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "a password is changed by delete and add")
                .into())
        }
    }
}

fn unicode_pwd(change: &Change) -> Result<Password, Refusal> {
    let password = match &change.values[..] {
        [value] if change.attribute.eq_ignore_ascii_case("unicodePwd") => Password::from_unicode_pwd(value),
        _ => None,
    };
    password.ok_or_else(|| {
        refuse(ResultCode::UNWILLING_TO_PERFORM, "00002035: one quoted UTF-16 value is needed")
    })
}

/// Whose password is meant, if the one who asks may change it at all.
fn find(shared: &Shared, who: Identity, user: Option<&str>) -> Result<Id, Refusal> {
    let tree = shared.tree();
    writer(shared, &tree, who)?;
    let id = match (user, who) {
        (Some(user), _) => {
            let dn = name(user)?;
            tree.find(&dn).ok_or_else(|| refuse(ResultCode::NO_SUCH_OBJECT, ""))?.id
        }
        (None, Identity::Entry(id)) => id,
        (None, Identity::Anonymous) => return Err(refuse(ResultCode::NO_SUCH_OBJECT, "")),
    };
    if must_change(&tree, who) && who != Identity::Entry(id) {
        return Err(refuse(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "the password must be changed first"));
    }
    Ok(id)
}

async fn change(
    shared: &Arc<Shared>,
    who: Identity,
    id: Id,
    old: Option<Password>,
    new: Password,
) -> Result<(), Objection> {
    let stored = {
        let tree = shared.tree();
        let node = tree.get(id).ok_or_else(|| refuse(ResultCode::NO_SUCH_OBJECT, ""))?;
        let view = tree.view(node);
        if shared.settings.dialect == Dialect::ActiveDirectory && active_directory::is_locked(&view) {
            return Err(Objection::Locked);
        }
        view.passwords().to_vec()
    };
    let known = old.as_ref().map(|old| owned(old.expose()));
    if let Some(old) = old
        && !is_right(shared, stored.clone(), old).await
    {
        return Err(Objection::WrongOld);
    }
    let (now, timestamp) = (shared.now(), shared.timestamp());
    let mut tree = shared.tree_mut();
    let by = writer(shared, &tree, who)?;
    let node = tree.get(id).ok_or_else(|| refuse(ResultCode::NO_SUCH_OBJECT, ""))?;
    let view = tree.view(node);
    if view.passwords() != stored {
        return Err(refuse(ResultCode::BUSY, "somebody else has just changed this password").into());
    }
    object(&shared.settings.password_rules, &view, &new, known.as_deref(), now)?;
    let mut attributes = node.attributes.clone();
    store(&mut attributes, &new, known, now, &timestamp);
    attributes.set("modifyTimestamp", &timestamp);
    attributes.set("modifiersName", &by);
    tree.replace(id, attributes);
    Ok(())
}

/// Judges a new password by the rules.
fn object(
    rules: &PasswordRules,
    entry: &View<'_>,
    new: &Password,
    old: Option<&[u8]>,
    now: SystemTime,
) -> Result<(), Objection> {
    let reset = entry.text("pwdreset").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let age = changed(entry).and_then(|changed| now.duration_since(changed).ok());
    if !reset && age.is_some_and(|age| age < rules.youngest) {
        return Err(Objection::TooYoung);
    }
    if String::from_utf8_lossy(new.expose()).chars().count() < rules.shortest {
        return Err(Objection::TooShort);
    }
    let remembered = entry.node().attributes.plain("pwdhistory");
    let mut remembered = remembered.iter().rev().take(rules.remembered).map(|value| &value[..]);
    let present = old.filter(|_| rules.remembered > 0);
    if present == Some(new.expose()) || remembered.any(|value| password::matches(value, new.expose())) {
        return Err(Objection::InHistory);
    }
    Ok(())
}

/// When the password was last changed, as far as the entry says.
fn changed(entry: &View<'_>) -> Option<SystemTime> {
    if let Some(time) = entry.text("pwdchangedtime") {
        return Some(time.parse::<GeneralizedTime>().ok()?.to_system_time());
    }
    let set = FileTime::parse(entry.text("pwdlastset")?).ok()?;
    (!set.is_never()).then(|| set.to_system_time()).flatten()
}

fn store(attributes: &mut Attributes, new: &Password, old: Option<Bytes>, now: SystemTime, timestamp: &str) {
    let history = Attribute::parse("pwdHistory");
    if let (Some(old), Some(history)) = (old, history) {
        attributes.merge(history, [&old]);
    }
    attributes.set("userPassword", new.expose());
    attributes.0.retain(|attribute| attribute.description.kind != "pwdreset");
    attributes.set("pwdChangedTime", timestamp);
    let control = std::str::from_utf8(attributes.plain("useraccountcontrol").first().map_or(&[], |v| v));
    let Ok(control) = control.unwrap_or_default().parse::<i64>() else { return };
    attributes.set("userAccountControl", (control & !active_directory::PASSWORD_EXPIRED).to_string());
    if let Some(now) = FileTime::from_system_time(now) {
        attributes.set("pwdLastSet", now.ticks().to_string());
    }
}

impl Objection {
    /// The server's words for it.
    fn words(self, dialect: Dialect) -> (LdapResult, Option<PasswordPolicyError>) {
        let violation = |text: &str| refuse(ResultCode::CONSTRAINT_VIOLATION, text);
        if let Self::Refused(refusal) = self {
            return (refusal, None);
        }
        match dialect {
            Dialect::ActiveDirectory => (violation(self.active_directory()), None),
            Dialect::Ds389 | Dialect::FreeIpa => match self.policy() {
                Some(PasswordPolicyError::TooShort) => {
                    (violation("Failed to update password\n"), Some(PasswordPolicyError::InsufficientQuality))
                }
                Some(policy) => (violation("Failed to update password\n"), Some(policy)),
                None => (refuse(ResultCode::INVALID_CREDENTIALS, "Invalid oldPasswd value.\n"), None),
            },
            Dialect::OpenLdap | Dialect::Lldap => match self.policy() {
                Some(PasswordPolicyError::TooShort) => {
                    (violation("Password fails quality checking policy"), self.policy())
                }
                Some(PasswordPolicyError::InHistory) => {
                    (violation("Password is in history of old passwords"), self.policy())
                }
                Some(policy) => (violation("Password is too young to change"), Some(policy)),
                None => (refuse(ResultCode::UNWILLING_TO_PERFORM, "unwilling to verify old password"), None),
            },
        }
    }

    fn policy(&self) -> Option<PasswordPolicyError> {
        match self {
            Self::TooShort => Some(PasswordPolicyError::TooShort),
            Self::InHistory => Some(PasswordPolicyError::InHistory),
            Self::TooYoung => Some(PasswordPolicyError::TooYoung),
            Self::WrongOld | Self::Locked | Self::Refused(_) => None,
        }
    }

    /// Samba's words, with the codes of Active Directory in front.
    fn active_directory(&self) -> &'static str {
        match self {
            Self::TooShort => {
                "0000052D: Constraint violation - check_password_restrictions: the password is too short."
            }
            Self::InHistory => {
                "0000052D: Constraint violation - check_password_restrictions: the password was already used (in history)!"
            }
            Self::TooYoung => {
                "0000052D: Constraint violation - check_password_restrictions: password is too young to change!"
            }
            Self::Locked => "00000775: Password change not permitted, account locked out!",
            Self::WrongOld | Self::Refused(_) => {
                "00000056: check_password_restrictions: The old password specified doesn't match!"
            }
        }
    }
}
