//! What the attributes of an entry say about its account.

use std::time::SystemTime;

use proto::value::{FileTime, GeneralizedTime};

use crate::record::Attributes;
use crate::{Denial, Reason, Vendor};

/// The attributes that [`of_entry`] judges by; operational ones have to be asked for by name.
pub(crate) fn attributes(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::OpenLdap | Vendor::Custom => {
            &["pwdAccountLockedTime", "pwdEndTime", "pwdReset", "nsAccountLock"]
        }
        Vendor::Rfc2307 | Vendor::Rfc2307bis => &[
            "pwdAccountLockedTime",
            "pwdEndTime",
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
    /// The same, although the password is too old: the server had a login to spare.
    AfterGraceLogin,
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
            Vendor::ActiveDirectory => {
                let expires = FileTime::from_ticks(self.number("accountExpires")?);
                let passed = !expires.is_never() && expires.to_system_time()? <= self.now;
                passed.then(|| found("accountExpires"))?
            }
            Vendor::FreeIpa if self.time("krbPrincipalExpiration")? <= self.now => {
                found("krbPrincipalExpiration")
            }
            // The end of an account in draft-behera-10. OpenLDAP heeds it only where a policy with pwdLockout holds for the person.
            _ if self.has_ended() => found("pwdEndTime"),
            // Days since 1970; negative is never. shadow(5) advises against 0, which is read as never here and as the
            // first day of 1970 there: it shuts out.
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
                if moment != Moment::LookUp && since != "000001010000Z" {
                    return None;
                }
                found(format!("pwdAccountLockedTime is {since}"))
            }
            _ if moment != Moment::LookUp => None,
            Vendor::ActiveDirectory => {
                match self.number("msDS-User-Account-Control-Computed") {
                    Some(bits) if bits & 0x10 != 0 => found("the server computes LOCKOUT".to_owned()),
                    Some(_) => None,
                    // Whether this lock has run out depends on a policy that is not in the entry.
                    None if self.number("lockoutTime")? != 0 => found("lockoutTime is set".to_owned()),
                    None => None,
                }
            }
            // 1970 is for good.
            Vendor::Ds389 => match self.time("accountUnlockTime")? {
                SystemTime::UNIX_EPOCH => found("accountUnlockTime is never".to_owned()),
                time if time > self.now => found("accountUnlockTime has not passed".to_owned()),
                _ => None,
            },
            _ => None,
        }
    }

    fn password(&self, moment: Moment) -> Finding {
        match self.vendor {
            Vendor::OpenLdap | Vendor::Custom => self.reset(),
            Vendor::Rfc2307 | Vendor::Rfc2307bis => self.reset().or_else(|| self.shadow()),
            Vendor::ActiveDirectory if moment == Moment::LookUp => self.active_directory_password(),
            // Its server lets an old password pass by default: Kerberos alone refuses it.
            Vendor::FreeIpa if moment != Moment::AfterGraceLogin => {
                let passed = self.time("krbPasswordExpiration")? <= self.now;
                passed.then(|| (Reason::PasswordExpired, "krbPasswordExpiration has passed".to_owned()))
            }
            // After a bind the server has judged it.
            Vendor::Ds389 if moment == Moment::LookUp => match self.time("passwordExpirationTime")? {
                SystemTime::UNIX_EPOCH => {
                    Some((Reason::PasswordMustChange, "passwordExpirationTime is 1970".to_owned()))
                }
                time if time <= self.now => {
                    Some((Reason::PasswordExpired, "passwordExpirationTime has passed".to_owned()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn has_ended(&self) -> bool {
        let follows_the_draft =
            matches!(self.vendor, Vendor::OpenLdap | Vendor::Custom | Vendor::Rfc2307 | Vendor::Rfc2307bis);
        follows_the_draft && self.time("pwdEndTime").is_some_and(|time| time <= self.now)
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
        let time: GeneralizedTime = self.entry.text(attribute)?.parse().ok()?;
        Some(time.to_system_time())
    }

    fn today(&self) -> i64 {
        let since = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs() / 86_400).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-11-24T00:00:00Z, day 20781.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(20_781 * 86_400)
    }

    fn judged(vendor: Vendor, moment: Moment, entry: &[(&str, &[&str])]) -> Option<Reason> {
        of_entry(vendor, &Attributes::of(entry), now(), moment).map(|denial| denial.reason())
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
    fn a_grace_login_of_freeipa_is_let_in_and_an_old_password_is_not() {
        let old: &[(&str, &[&str])] = &[("krbPasswordExpiration", &["20200101000000Z"])];
        assert_eq!(judged(Vendor::FreeIpa, Moment::AfterBind, old), Some(Reason::PasswordExpired));
        assert_eq!(judged(Vendor::FreeIpa, Moment::AfterGraceLogin, old), None);
        let ended: &[(&str, &[&str])] = &[("krbPrincipalExpiration", &["20200101000000Z"])];
        assert_eq!(judged(Vendor::FreeIpa, Moment::AfterGraceLogin, ended), Some(Reason::AccountExpired));
    }

    #[test]
    fn an_end_of_draft_behera_has_passed_or_has_not() {
        for moment in [Moment::AfterBind, Moment::LookUp] {
            let judge = |time: &str| judged(Vendor::OpenLdap, moment, &[("pwdEndTime", &[time])]);
            assert_eq!(judge("20261123235959Z"), Some(Reason::AccountExpired));
            assert_eq!(judge("20261124000001Z"), None);
        }
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
        assert_eq!(judge(&[("shadowExpire", &["0"])]), Some(Reason::AccountExpired));
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
        assert_eq!(ds389(&[("accountUnlockTime", &["19700101000000Z"])]), Some(Reason::AccountLocked));
        assert_eq!(ds389(&[("passwordExpirationTime", &["20200101000000Z"])]), Some(Reason::PasswordExpired));
        assert_eq!(
            ds389(&[("passwordExpirationTime", &["19700101000000Z"])]),
            Some(Reason::PasswordMustChange)
        );
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
}
