//! The state of an account: first from the answer to its bind, then from the attributes of its entry.
//!
//! Vendor texts are read under their preset alone: another server may say the same words about something else. What is
//! "proved" follows from what servers do: Active Directory gives its sub-codes 530-533, 701 and 773 only after the right
//! password, but 775 (locked) also to wrong ones; the password policy control says "expired" only after the right
//! password, but "locked" to anybody.

use std::time::{Duration, SystemTime};

use client::BindReply;
use proto::{LdapResult, PasswordPolicyError, ResultCode};

use crate::credentials::deceives;
use crate::person::Attributes;
use crate::{Denial, Error, Reason, Vendor, Warning};

/// What a bind said.
#[derive(Debug)]
pub(crate) enum Bound {
    /// The password was right and the server let the person in.
    Proved(Vec<Warning>),
    Refused(Denial),
}

/// Reads the answer to a person's bind. Result 0 alone is success: a referral, or anything else that servers send
/// instead, is not.
pub(crate) fn of_reply(vendor: Vendor, reply: &BindReply) -> Result<Bound, Error> {
    let result = &reply.result;
    let policy = reply.policy();
    let said = policy.as_ref().and_then(|policy| policy.error);
    let detail = || {
        let policy = said.map(|error| format!(", password policy: {error:?}")).unwrap_or_default();
        format!("the server answered {}{policy}", told(result))
    };
    let refused = |reason: Reason, proved: bool| {
        let denial = Denial::of(reason).with_detail(detail());
        Ok(Bound::Refused(if proved { denial.after_proof() } else { denial.after_bind() }))
    };

    if result.code == ResultCode::SUCCESS {
        let grace = policy.as_ref().and_then(|policy| policy.grace_logins);
        return match said {
            Some(PasswordPolicyError::ChangeAfterReset) => refused(Reason::PasswordMustChange, true),
            Some(PasswordPolicyError::AccountLocked) => refused(Reason::AccountLocked, false),
            Some(PasswordPolicyError::PasswordExpired) if grace.is_none() => {
                refused(Reason::PasswordExpired, true)
            }
            _ if netscape_expired(vendor, reply) => refused(Reason::PasswordMustChange, true),
            _ => Ok(Bound::Proved(warnings(vendor, reply))),
        };
    }
    if result.code == ResultCode::INVALID_CREDENTIALS {
        let (reason, proved) = match said {
            Some(PasswordPolicyError::AccountLocked) => (Reason::AccountLocked, false),
            Some(PasswordPolicyError::PasswordExpired) => (Reason::PasswordExpired, true),
            Some(PasswordPolicyError::ChangeAfterReset) => (Reason::PasswordMustChange, true),
            _ => vendor_cause(vendor, result.code, &result.message).unwrap_or((Reason::WrongPassword, false)),
        };
        return refused(reason, proved);
    }
    if let Some((reason, proved)) = vendor_cause(vendor, result.code, &result.message) {
        return refused(reason, proved);
    }
    match result.code {
        // There is no such entry (any more), or none that a password belongs to.
        ResultCode::NO_SUCH_OBJECT => refused(Reason::UnknownUser, false),
        ResultCode::INAPPROPRIATE_AUTHENTICATION => refused(Reason::WrongPassword, false),
        ResultCode::CONFIDENTIALITY_REQUIRED
        | ResultCode::STRONGER_AUTH_REQUIRED
        | ResultCode::AUTH_METHOD_NOT_SUPPORTED
        | ResultCode::INVALID_DN_SYNTAX => Err(Error::configuration(detail())),
        code if code.is_referral() => {
            Err(Error::directory(format!("{}: a referral proves nothing", detail())))
        }
        _ => Err(Error::directory(detail())),
    }
}

/// A result for the operator: the server's own words cut, and freed of what would garble a log or a terminal.
pub(crate) fn told(result: &LdapResult) -> String {
    let words: String = result.message.chars().filter(|character| !deceives(*character)).take(300).collect();
    if words.is_empty() { result.code.to_string() } else { format!("{}: {words}", result.code) }
}

/// Causes that only a vendor's own words tell, and whether they prove the password.
fn vendor_cause(vendor: Vendor, code: ResultCode, message: &str) -> Option<(Reason, bool)> {
    let text = message.to_ascii_lowercase();
    match (vendor, code) {
        (Vendor::ActiveDirectory, ResultCode::INVALID_CREDENTIALS) => {
            sub_code(message).and_then(active_directory)
        }
        // "Account inactivated. Contact system administrator." comes before the password is compared; "Account (Kerberos
        // principal) is expired" likewise.
        (Vendor::Ds389 | Vendor::FreeIpa, ResultCode::UNWILLING_TO_PERFORM) => match () {
            () if text.contains("inactivated") => Some((Reason::AccountDisabled, false)),
            () if text.contains("expired") => Some((Reason::AccountExpired, false)),
            () => None,
        },
        // "Exceed password retry limit. Please try later."
        (Vendor::Ds389 | Vendor::FreeIpa, ResultCode::CONSTRAINT_VIOLATION)
            if text.contains("retry limit") =>
        {
            Some((Reason::AccountLocked, false))
        }
        // Servers that keep the state themselves and say it after the right password.
        (
            Vendor::OpenLdap | Vendor::Rfc2307 | Vendor::Rfc2307bis | Vendor::Custom,
            ResultCode::UNWILLING_TO_PERFORM,
        ) => match text.as_str() {
            "account disabled" => Some((Reason::AccountDisabled, true)),
            "account expired" => Some((Reason::AccountExpired, true)),
            _ => None,
        },
        _ => None,
    }
}

/// `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1`: the number after "data".
fn sub_code(message: &str) -> Option<u32> {
    let (_, after) = message.split_once(" data ")?;
    let digits = after.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    u32::from_str_radix(digits, 16).ok()
}

fn active_directory(code: u32) -> Option<(Reason, bool)> {
    Some(match code {
        0x525 => (Reason::UnknownUser, false),
        0x52e => (Reason::WrongPassword, false),
        0x530 => (Reason::LogonHours, true),
        0x531 => (Reason::LogonWorkstation, true),
        0x532 => (Reason::PasswordExpired, true),
        0x533 => (Reason::AccountDisabled, true),
        0x534 | 0x568 | 0x569 => (Reason::LogonNotAllowed, false),
        0x701 => (Reason::AccountExpired, true),
        0x773 => (Reason::PasswordMustChange, true),
        0x775 => (Reason::AccountLocked, false),
        _ => return None,
    })
}

/// 389-ds and FreeIPA without the newer control: the password is expired, nothing but a change is allowed.
const NETSCAPE_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// The same servers: it expires in so many seconds, as text.
const NETSCAPE_EXPIRING: &str = "2.16.840.1.113730.3.4.5";

fn netscape_expired(vendor: Vendor, reply: &BindReply) -> bool {
    matches!(vendor, Vendor::Ds389 | Vendor::FreeIpa) && reply.controls.get(NETSCAPE_EXPIRED).is_some()
}

fn warnings(vendor: Vendor, reply: &BindReply) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(policy) = reply.policy() {
        let expires =
            policy.expires_in.map(|seconds| Warning::PasswordExpires { seconds: u64::from(seconds) });
        let grace = policy.grace_logins.map(|remaining| Warning::GraceLogins { remaining });
        warnings.extend(expires.into_iter().chain(grace));
    }
    if warnings.is_empty() && matches!(vendor, Vendor::Ds389 | Vendor::FreeIpa) {
        let value = reply.controls.get(NETSCAPE_EXPIRING).and_then(|control| control.value);
        let seconds = value.and_then(|value| std::str::from_utf8(&value).ok()?.trim().parse().ok());
        warnings.extend(seconds.map(|seconds| Warning::PasswordExpires { seconds }));
    }
    warnings
}

/// The attributes that [`of_entry`] judges by; operational ones have to be asked for by name.
pub(crate) fn attributes(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::OpenLdap | Vendor::Custom => &["pwdAccountLockedTime", "pwdReset", "nsAccountLock"],
        Vendor::Rfc2307 | Vendor::Rfc2307bis => &[
            "pwdAccountLockedTime",
            "pwdReset",
            "nsAccountLock",
            "shadowExpire",
            "shadowLastChange",
            "shadowMax",
        ],
        Vendor::Ds389 => &["nsAccountLock", "accountUnlockTime", "passwordExpirationTime"],
        Vendor::FreeIpa => &["nsAccountLock", "krbPrincipalExpiration", "krbPasswordExpiration"],
        Vendor::ActiveDirectory => &[
            "userAccountControl",
            "accountExpires",
            "pwdLastSet",
            "lockoutTime",
            "msDS-User-Account-Control-Computed",
        ],
        Vendor::Lldap => &[],
    }
}

/// When the entry is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The server has just let the person in: what it judges itself it has judged, and a lock that has run out may
    /// still stand in the entry.
    AfterBind,
    /// There was no bind.
    LookUp,
}

/// The first thing in the entry that stands in the way; what ends an account comes before what passes.
pub(crate) fn of_entry(
    vendor: Vendor,
    entry: &Attributes,
    now: SystemTime,
    moment: Moment,
) -> Option<Denial> {
    let facts = Facts { vendor, entry, now };
    let found = facts.disabled().or_else(|| facts.expired()).or_else(|| facts.locked(moment));
    let (reason, detail) = found.or_else(|| facts.password(moment))?;
    Some(Denial::of(reason).with_detail(detail))
}

/// Does this end an account, so that a person who is signed in is no longer welcome? A lock or an old password does not.
pub(crate) fn is_final(denial: &Denial) -> bool {
    matches!(denial.reason(), Reason::AccountDisabled | Reason::AccountExpired)
}

struct Facts<'a> {
    vendor: Vendor,
    entry: &'a Attributes,
    now: SystemTime,
}

type Finding = Option<(Reason, String)>;

impl Facts<'_> {
    fn disabled(&self) -> Finding {
        let found = |detail: &str| Some((Reason::AccountDisabled, detail.to_owned()));
        match self.vendor {
            Vendor::ActiveDirectory if self.number("userAccountControl")? & 0x2 != 0 => {
                found("userAccountControl says ACCOUNTDISABLE")
            }
            Vendor::ActiveDirectory | Vendor::Lldap => None,
            // No server means anything else by this attribute.
            _ if self.is_true("nsAccountLock") => found("nsAccountLock is true"),
            _ => None,
        }
    }

    fn expired(&self) -> Finding {
        let found = |attribute: &str| Some((Reason::AccountExpired, format!("{attribute} has passed")));
        match self.vendor {
            // 100 ns since 1601; 0 and the largest number are never (MS-ADTS 2.2).
            Vendor::ActiveDirectory => match self.number("accountExpires")? {
                0 | i64::MAX => None,
                ticks if filetime(ticks)? <= self.now => found("accountExpires"),
                _ => None,
            },
            Vendor::FreeIpa if self.time("krbPrincipalExpiration")? <= self.now => {
                found("krbPrincipalExpiration")
            }
            // Days since 1970 (shadow(5)); negative is never.
            Vendor::Rfc2307 | Vendor::Rfc2307bis => match self.number("shadowExpire")? {
                days if days >= 0 && self.today() >= days => found("shadowExpire"),
                _ => None,
            },
            _ => None,
        }
    }

    fn locked(&self, moment: Moment) -> Finding {
        let found = |detail: String| Some((Reason::AccountLocked, detail));
        match self.vendor {
            Vendor::OpenLdap | Vendor::Custom | Vendor::Rfc2307 | Vendor::Rfc2307bis => {
                let since = self.entry.text("pwdAccountLockedTime")?;
                // draft-behera section 5.3.3: this value is a lock by hand, which never runs out.
                if moment == Moment::AfterBind && since != "000001010000Z" {
                    return None;
                }
                found(format!("pwdAccountLockedTime is {since}"))
            }
            _ if moment == Moment::AfterBind => None,
            Vendor::ActiveDirectory => {
                match self.number("msDS-User-Account-Control-Computed") {
                    Some(bits) if bits & 0x10 != 0 => found("the server computes LOCKOUT".to_owned()),
                    Some(_) => None,
                    // Whether this lock has run out depends on a policy that is not in the entry.
                    None if self.number("lockoutTime")? != 0 => found("lockoutTime is set".to_owned()),
                    None => None,
                }
            }
            Vendor::Ds389 if self.time("accountUnlockTime")? > self.now => {
                found("accountUnlockTime has not passed".to_owned())
            }
            _ => None,
        }
    }

    fn password(&self, moment: Moment) -> Finding {
        match self.vendor {
            Vendor::OpenLdap | Vendor::Custom => self.reset(),
            Vendor::Rfc2307 | Vendor::Rfc2307bis => self.reset().or_else(|| self.shadow()),
            Vendor::ActiveDirectory if moment == Moment::LookUp => self.active_directory_password(),
            Vendor::FreeIpa if self.time("krbPasswordExpiration")? <= self.now => {
                Some((Reason::PasswordExpired, "krbPasswordExpiration has passed".to_owned()))
            }
            // After a bind the server has judged it, and may have let a grace login pass.
            Vendor::Ds389 if moment == Moment::LookUp && self.time("passwordExpirationTime")? <= self.now => {
                Some((Reason::PasswordExpired, "passwordExpirationTime has passed".to_owned()))
            }
            _ => None,
        }
    }

    fn reset(&self) -> Finding {
        self.is_true("pwdReset").then(|| (Reason::PasswordMustChange, "pwdReset is true".to_owned()))
    }

    /// shadow(5): changed on day 0 has to be changed; older than the maximum is expired.
    fn shadow(&self) -> Finding {
        let changed = self.number("shadowLastChange")?;
        if changed == 0 {
            return Some((Reason::PasswordMustChange, "shadowLastChange is 0".to_owned()));
        }
        let maximum = self.number("shadowMax").filter(|days| (0..99_999).contains(days))?;
        let too_old = changed > 0 && self.today() > changed.saturating_add(maximum);
        too_old.then(|| (Reason::PasswordExpired, "older than shadowMax".to_owned()))
    }

    fn active_directory_password(&self) -> Finding {
        let computed = self.number("msDS-User-Account-Control-Computed").unwrap_or_default();
        let never_expires = self.number("userAccountControl").unwrap_or_default() & 0x1_0000 != 0;
        if self.number("pwdLastSet") == Some(0) && !never_expires {
            return Some((Reason::PasswordMustChange, "pwdLastSet is 0".to_owned()));
        }
        let expired = computed & 0x80_0000 != 0;
        expired.then(|| (Reason::PasswordExpired, "the server computes PASSWORD_EXPIRED".to_owned()))
    }

    fn number(&self, attribute: &str) -> Option<i64> {
        self.entry.text(attribute)?.trim().parse().ok()
    }

    fn is_true(&self, attribute: &str) -> bool {
        self.entry.texts(attribute).any(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn time(&self, attribute: &str) -> Option<SystemTime> {
        generalized_time(self.entry.text(attribute)?)
    }

    fn today(&self) -> i64 {
        let since = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs() / 86_400).unwrap_or(i64::MAX)
    }
}

/// 100 ns since 1601-01-01; `None` where it lies outside what a clock can show.
fn filetime(ticks: i64) -> Option<SystemTime> {
    const SECONDS_TO_1970: u64 = 11_644_473_600;
    let ticks = u64::try_from(ticks).ok()?;
    let since_1601 = Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100);
    match since_1601.checked_sub(Duration::from_secs(SECONDS_TO_1970)) {
        Some(after) => SystemTime::UNIX_EPOCH.checked_add(after),
        None => Some(SystemTime::UNIX_EPOCH),
    }
}

/// RFC 4517 section 3.3.13, in UTC and with seconds or without; fractions do not matter here.
fn generalized_time(text: &str) -> Option<SystemTime> {
    let text = text.trim().strip_suffix('Z')?;
    let digits = text.split(['.', ',']).next()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 10 | 12 | 14) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i16>().ok());
    let small = |from: usize| part(from, from + 2).and_then(|part| i8::try_from(part).ok());
    let time =
        jiff::civil::DateTime::new(part(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0)
            .ok()?;
    let stamp = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(SystemTime::from(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Control, Controls};

    /// 2026-11-24T00:00:00Z, day 20781.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(20_781 * 86_400)
    }

    fn reply(code: ResultCode, message: &str, controls: Vec<Control>) -> BindReply {
        BindReply { result: LdapResult::new(code, message), controls: Controls::from(controls) }
    }

    fn policy(bytes: &'static [u8]) -> Vec<Control> {
        let oid = "1.3.6.1.4.1.42.2.27.8.5.1".to_owned();
        vec![Control { oid, critical: false, value: Some(bytes.into()) }]
    }

    fn refusal(vendor: Vendor, reply: &BindReply) -> (Reason, bool) {
        match of_reply(vendor, reply) {
            Ok(Bound::Refused(denial)) => {
                assert!(denial.bound());
                (denial.reason(), denial.proved())
            }
            other => panic!("expected a refusal, not {other:?}"),
        }
    }

    fn judged(vendor: Vendor, moment: Moment, entry: &[(&str, &[&str])]) -> Option<Reason> {
        of_entry(vendor, &Attributes::of(entry), now(), moment).map(|denial| denial.reason())
    }

    #[test]
    fn only_result_zero_is_success() {
        assert!(matches!(
            of_reply(Vendor::OpenLdap, &reply(ResultCode::SUCCESS, "", vec![])),
            Ok(Bound::Proved(warnings)) if warnings.is_empty()
        ));
        for code in
            [ResultCode::REFERRAL, ResultCode::BUSY, ResultCode::SASL_BIND_IN_PROGRESS, ResultCode(4711)]
        {
            assert!(of_reply(Vendor::OpenLdap, &reply(code, "", vec![])).is_err(), "{code}");
        }
    }

    #[test]
    fn a_49_without_a_cause_is_a_wrong_password() {
        for vendor in [Vendor::OpenLdap, Vendor::ActiveDirectory, Vendor::FreeIpa, Vendor::Lldap] {
            let reply = reply(ResultCode::INVALID_CREDENTIALS, "", vec![]);
            assert_eq!(refusal(vendor, &reply), (Reason::WrongPassword, false));
        }
    }

    #[test]
    fn active_directory_s_sub_codes_are_read_under_its_preset_only() {
        let table = [
            ("525", Reason::UnknownUser, false),
            ("52e", Reason::WrongPassword, false),
            ("530", Reason::LogonHours, true),
            ("531", Reason::LogonWorkstation, true),
            ("532", Reason::PasswordExpired, true),
            ("533", Reason::AccountDisabled, true),
            ("534", Reason::LogonNotAllowed, false),
            ("568", Reason::LogonNotAllowed, false),
            ("569", Reason::LogonNotAllowed, false),
            ("701", Reason::AccountExpired, true),
            ("773", Reason::PasswordMustChange, true),
            ("775", Reason::AccountLocked, false),
            ("999", Reason::WrongPassword, false),
        ];
        for (data, reason, proved) in table {
            let text = format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
            );
            let reply = reply(ResultCode::INVALID_CREDENTIALS, &text, vec![]);
            assert_eq!(refusal(Vendor::ActiveDirectory, &reply), (reason, proved), "{data}");
            assert_eq!(refusal(Vendor::OpenLdap, &reply), (Reason::WrongPassword, false), "{data}");
        }
    }

    #[test]
    fn a_vendor_s_words_count_under_its_own_preset_only() {
        let disabled = reply(ResultCode::UNWILLING_TO_PERFORM, "account disabled", vec![]);
        let inactivated = reply(
            ResultCode::UNWILLING_TO_PERFORM,
            "Account inactivated. Contact system administrator.",
            vec![],
        );
        assert_eq!(refusal(Vendor::OpenLdap, &disabled), (Reason::AccountDisabled, true));
        assert_eq!(refusal(Vendor::Ds389, &inactivated), (Reason::AccountDisabled, false));
        assert!(of_reply(Vendor::Lldap, &disabled).is_err());
        assert!(of_reply(Vendor::OpenLdap, &inactivated).is_err());
        let retry =
            reply(ResultCode::CONSTRAINT_VIOLATION, "Exceed password retry limit. Please try later.", vec![]);
        assert_eq!(refusal(Vendor::Ds389, &retry), (Reason::AccountLocked, false));
        assert!(of_reply(Vendor::OpenLdap, &retry).is_err());
    }

    #[test]
    fn the_password_policy_control_tells_causes_and_warnings() {
        let wrong = |bytes| reply(ResultCode::INVALID_CREDENTIALS, "", policy(bytes));
        let right = |bytes| reply(ResultCode::SUCCESS, "", policy(bytes));
        assert_eq!(
            refusal(Vendor::OpenLdap, &wrong(b"\x30\x03\x81\x01\x01")),
            (Reason::AccountLocked, false)
        );
        assert_eq!(
            refusal(Vendor::OpenLdap, &wrong(b"\x30\x03\x81\x01\x00")),
            (Reason::PasswordExpired, true)
        );
        assert_eq!(
            refusal(Vendor::OpenLdap, &right(b"\x30\x03\x81\x01\x02")),
            (Reason::PasswordMustChange, true)
        );
        let warned = |bytes| match of_reply(Vendor::OpenLdap, &right(bytes)) {
            Ok(Bound::Proved(warnings)) => warnings,
            other => panic!("expected success, not {other:?}"),
        };
        assert_eq!(warned(b"\x30\x06\xA0\x04\x80\x02\x01\xF0"), [Warning::PasswordExpires { seconds: 496 }]);
        assert_eq!(warned(b"\x30\x05\xA0\x03\x81\x01\x02"), [Warning::GraceLogins { remaining: 2 }]);
    }

    #[test]
    fn a_broken_control_is_no_cause() {
        let reply = reply(ResultCode::INVALID_CREDENTIALS, "", policy(b"\x30\x84\xff\xff\xff\xff"));
        assert_eq!(refusal(Vendor::OpenLdap, &reply), (Reason::WrongPassword, false));
    }

    #[test]
    fn the_older_controls_of_389ds_are_read_under_its_preset() {
        let control = |oid: &str, value: &'static str| {
            vec![Control { oid: oid.to_owned(), critical: false, value: Some(value.into()) }]
        };
        let expired = reply(ResultCode::SUCCESS, "", control(NETSCAPE_EXPIRED, "0"));
        assert_eq!(refusal(Vendor::Ds389, &expired), (Reason::PasswordMustChange, true));
        assert!(matches!(of_reply(Vendor::OpenLdap, &expired), Ok(Bound::Proved(_))));
        let expiring = reply(ResultCode::SUCCESS, "", control(NETSCAPE_EXPIRING, "600"));
        assert!(matches!(of_reply(Vendor::FreeIpa, &expiring),
            Ok(Bound::Proved(warnings)) if warnings == [Warning::PasswordExpires { seconds: 600 }]));
    }

    #[test]
    fn a_lock_that_may_have_run_out_counts_in_a_look_up_only() {
        let by_hand: &[(&str, &[&str])] = &[("pwdAccountLockedTime", &["000001010000Z"])];
        let by_count: &[(&str, &[&str])] = &[("pwdAccountLockedTime", &["20261123000000Z"])];
        assert_eq!(judged(Vendor::OpenLdap, Moment::AfterBind, by_hand), Some(Reason::AccountLocked));
        assert_eq!(judged(Vendor::OpenLdap, Moment::AfterBind, by_count), None);
        assert_eq!(judged(Vendor::OpenLdap, Moment::LookUp, by_count), Some(Reason::AccountLocked));
        assert_eq!(judged(Vendor::Lldap, Moment::LookUp, by_hand), None);
    }

    #[test]
    fn a_reset_password_must_be_changed() {
        let entry: &[(&str, &[&str])] = &[("pwdReset", &["TRUE"])];
        assert_eq!(judged(Vendor::OpenLdap, Moment::AfterBind, entry), Some(Reason::PasswordMustChange));
        assert_eq!(judged(Vendor::OpenLdap, Moment::AfterBind, &[("pwdReset", &["FALSE"])]), None);
    }

    #[test]
    fn shadow_dates_count_under_rfc2307_only() {
        let judge = |entry: &[(&str, &[&str])]| judged(Vendor::Rfc2307, Moment::AfterBind, entry);
        assert_eq!(judge(&[("shadowExpire", &["20781"])]), Some(Reason::AccountExpired));
        assert_eq!(judge(&[("shadowExpire", &["20782"])]), None);
        assert_eq!(judge(&[("shadowExpire", &["-1"])]), None);
        assert_eq!(judge(&[("shadowLastChange", &["0"])]), Some(Reason::PasswordMustChange));
        assert_eq!(
            judge(&[("shadowLastChange", &["20000"]), ("shadowMax", &["90"])]),
            Some(Reason::PasswordExpired)
        );
        assert_eq!(judge(&[("shadowLastChange", &["20700"]), ("shadowMax", &["90"])]), None);
        assert_eq!(judge(&[("shadowLastChange", &["1"]), ("shadowMax", &["99999"])]), None);
        assert_eq!(judged(Vendor::OpenLdap, Moment::AfterBind, &[("shadowExpire", &["1"])]), None);
    }

    #[test]
    fn active_directory_s_attributes_are_its_own() {
        let judge = |moment, entry: &[(&str, &[&str])]| judged(Vendor::ActiveDirectory, moment, entry);
        let after = |entry: &[(&str, &[&str])]| judge(Moment::AfterBind, entry);
        let looked = |entry: &[(&str, &[&str])]| judge(Moment::LookUp, entry);
        assert_eq!(after(&[("userAccountControl", &["514"])]), Some(Reason::AccountDisabled));
        assert_eq!(after(&[("userAccountControl", &["512"])]), None);
        assert_eq!(after(&[("accountExpires", &["132000000000000000"])]), Some(Reason::AccountExpired));
        for never in ["0", "9223372036854775807", "150000000000000000"] {
            assert_eq!(after(&[("accountExpires", &[never])]), None, "{never}");
        }
        assert_eq!(looked(&[("pwdLastSet", &["0"])]), Some(Reason::PasswordMustChange));
        assert_eq!(looked(&[("pwdLastSet", &["0"]), ("userAccountControl", &["66048"])]), None);
        assert_eq!(looked(&[("lockoutTime", &["132000000000000000"])]), Some(Reason::AccountLocked));
        assert_eq!(after(&[("lockoutTime", &["132000000000000000"])]), None);
        let computed: &[(&str, &[&str])] =
            &[("lockoutTime", &["1"]), ("msDS-User-Account-Control-Computed", &["0"])];
        assert_eq!(looked(computed), None);
        let expired: &[(&str, &[&str])] = &[("msDS-User-Account-Control-Computed", &["8388608"])];
        assert_eq!(looked(expired), Some(Reason::PasswordExpired));
    }

    #[test]
    fn freeipa_and_389ds_have_times_of_their_own() {
        let freeipa = |entry: &[(&str, &[&str])]| judged(Vendor::FreeIpa, Moment::AfterBind, entry);
        assert_eq!(freeipa(&[("nsAccountLock", &["TRUE"])]), Some(Reason::AccountDisabled));
        assert_eq!(
            freeipa(&[("krbPrincipalExpiration", &["20261123235959Z"])]),
            Some(Reason::AccountExpired)
        );
        assert_eq!(freeipa(&[("krbPrincipalExpiration", &["20261124000001Z"])]), None);
        assert_eq!(
            freeipa(&[("krbPasswordExpiration", &["20200101000000Z"])]),
            Some(Reason::PasswordExpired)
        );
        let ds389 = |entry: &[(&str, &[&str])]| judged(Vendor::Ds389, Moment::LookUp, entry);
        assert_eq!(ds389(&[("accountUnlockTime", &["20261125000000Z"])]), Some(Reason::AccountLocked));
        assert_eq!(ds389(&[("accountUnlockTime", &["20261123000000Z"])]), None);
        assert_eq!(ds389(&[("passwordExpirationTime", &["19700101000000Z"])]), Some(Reason::PasswordExpired));
    }

    #[test]
    fn what_ends_an_account_comes_before_what_passes() {
        let entry: &[(&str, &[&str])] = &[
            ("pwdReset", &["TRUE"]),
            ("pwdAccountLockedTime", &["000001010000Z"]),
            ("nsAccountLock", &["true"]),
        ];
        assert_eq!(judged(Vendor::OpenLdap, Moment::LookUp, entry), Some(Reason::AccountDisabled));
    }

    #[test]
    fn times_are_read_in_the_forms_servers_write() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(generalized_time("19700102000000Z"), at(86_400));
        assert_eq!(generalized_time("197001020000Z"), at(86_400));
        assert_eq!(generalized_time("19700102000000.123Z"), at(86_400));
        for bad in
            ["", "Z", "1970Z", "19701302000000Z", "1970010200000éZ", "20261124000000", "20261124000000+0100"]
        {
            assert_eq!(generalized_time(bad), None, "{bad}");
        }
    }
}
