//! What the page after a redirect says once: that a password was changed.
//!
//! It travels in the forms' cookie, behind the mark that forms are bound to, sealed with its time: no address gets longer for
//! it, nothing is kept for it, and where no page of ours follows it is soon worth nothing.

use std::time::Duration;

use account::Time;
use axum::http::{HeaderMap, HeaderValue};

use crate::csrf;
use crate::gate::Gate;
use crate::visit::Visit;

const PURPOSE: &str = "password-changed";
const LIFETIME: Duration = Duration::from_secs(60);

/// The forms' cookie of this browser with word of a changed password.
pub(crate) fn password_changed(gate: &Gate, visit: &Visit, headers: &HeaderMap) -> Option<HeaderValue> {
    let mark = csrf::mark(visit, headers)?;
    let sealed = gate.accounts().seal(PURPOSE, &gate.ambient().now().seconds().to_be_bytes());
    Some(visit.cookies.set_form(&format!("{mark}.{sealed}")))
}

/// Was a password changed a moment ago? Then the cookie without the word, so that it is said once.
pub(crate) fn take(gate: &Gate, visit: &Visit, headers: &HeaderMap) -> Option<HeaderValue> {
    let mark = csrf::mark(visit, headers)?;
    let (_, sealed) = visit.cookies.form(headers)?.split_once('.')?;
    let bytes = gate.accounts().unseal(PURPOSE, sealed)?;
    let changed = Time::from_seconds(i64::from_be_bytes(bytes.try_into().ok()?));
    (gate.ambient().now() < changed.after(LIFETIME)).then(|| visit.cookies.set_form(mark))
}
