//! `[session]`: how long a sign-in lasts, and its cookie.

use std::time::Duration;

use super::read::{Section, Zero};

/// `[session]`.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    /// `None`: no box to tick.
    pub(crate) remember_me: Option<Duration>,
    /// How often the directory is asked again about who is signed in.
    pub(crate) refresh: Duration,
    pub(crate) cookie: String,
}

pub(super) fn read(section: Section<'_>) -> Session {
    let sheet = section.sheet();
    let idle = section.duration("idle", "30m", Zero::Wrong);
    let absolute = section.duration("absolute", "12h", Zero::Wrong);
    let remember_me = section.duration("remember_me", "0s", Zero::Off);
    let refresh = section.duration("refresh", "5m", Zero::Wrong);
    let cookie = section.text("cookie", "ldapgate");
    if !web::is_cookie_name(&cookie.value) {
        let message =
            format!("cookie cannot be {:?}: it is a name of letters, digits, - and _", cookie.value);
        sheet.wrong_but(&cookie.place, message, "the prefix __Host- is added by itself under https");
    }
    let domain = section.text("domain", "");
    let bare = domain.value.trim_start_matches('.');
    if !domain.value.is_empty() && !super::http::is_host_name(bare) {
        sheet.wrong(
            &domain.place,
            format!("domain cannot be {:?}: it is a host name such as \"example.com\"", domain.value),
        );
    } else if !domain.value.is_empty() {
        sheet.not_yet(&domain.place, "session.domain, the applications' cookie of forward-auth,");
    }
    section.mark_not_yet(&["domain"]);
    section.finish();
    Session {
        idle: idle.value,
        absolute: absolute.value,
        remember_me: Some(remember_me.value).filter(|duration| !duration.is_zero()),
        refresh: refresh.value,
        cookie: cookie.value,
    }
}
