//! Forms that only our own pages can send.
//!
//! Two locks, each enough for a browser of its time: the browser's own word on where a request comes from (Fetch Metadata,
//! by tower-http's layer), and a sealed token in the form that belongs to a cookie of this host. The token needs no session, so that
//! the login form has it too (login CSRF), and once there is a session it belongs to that session as well.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use crate::gate::Gate;
use crate::visit::Visit;

/// How long a form may stay open.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
const PURPOSE: &str = "form";
const MARK: usize = 32;

/// A token for one page's forms.
pub(crate) struct Issued {
    pub(crate) token: String,
    /// The cookie that it belongs to, when the browser has none yet.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Makes a token for a page shown in answer to a request with these headers.
pub(crate) fn issue(gate: &Gate, visit: &Visit, headers: &HeaderMap, session: Option<&str>) -> Issued {
    let (value, cookie) = match mark(visit, headers) {
        Some(value) => (value.to_owned(), None),
        None => {
            let value = URL_SAFE_NO_PAD.encode(gate.ambient().random::<MARK>());
            let cookie = visit.cookies.set_form(&value);
            (value, Some(cookie))
        }
    };
    // The mask makes the token look different each time, so that its length under compression tells nothing (BREACH).
    let mask = gate.ambient().random::<MARK>();
    let mut bytes = mask.to_vec();
    bytes.extend(binding(&value, session).iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    bytes.extend(gate.ambient().now().seconds().to_be_bytes());
    Issued { token: gate.accounts().seal(PURPOSE, &bytes), cookie }
}

/// Whether the token of a form that came with these headers is ours, this browser's, this session's and fresh.
pub(crate) fn is_good(
    gate: &Gate,
    visit: &Visit,
    headers: &HeaderMap,
    session: Option<&str>,
    token: &str,
) -> bool {
    let Some(value) = mark(visit, headers) else { return false };
    let Some(bytes) = gate.accounts().unseal(PURPOSE, token) else { return false };
    let Some((mask, rest)) = bytes.split_first_chunk::<MARK>() else { return false };
    let Some((masked, issued)) = rest.split_first_chunk::<MARK>() else { return false };
    let Ok(issued) = <[u8; 8]>::try_from(issued) else { return false };
    let issued = account::Time::from_seconds(i64::from_be_bytes(issued));
    let expected = binding(value, session);
    let same = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>().ct_eq(&expected);
    bool::from(same) && gate.ambient().now() < issued.after(LIFETIME)
}

/// What this browser's forms are bound to, without the word for the next page that may stand behind it.
pub(crate) fn mark<'h>(visit: &Visit, headers: &'h HeaderMap) -> Option<&'h str> {
    let mark = visit.cookies.form(headers)?.split('.').next()?;
    URL_SAFE_NO_PAD.decode(mark).is_ok_and(|bytes| bytes.len() == MARK).then_some(mark)
}

fn binding(cookie: &str, session: Option<&str>) -> [u8; MARK] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in [cookie, session.unwrap_or_default()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut mark = [0; MARK];
    mark.copy_from_slice(context.finish().as_ref());
    mark
}
