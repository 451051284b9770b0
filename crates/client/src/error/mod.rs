//! What can go wrong, named by who must act: the caller, the peer, or the directory's keeper.

mod closed;
mod failures;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use proto::sasl::SaslError;
use proto::session::SessionError;
use proto::url::UrlErrorKind;
use proto::{Controls, LdapResult, PasswordPolicy, ResultCode, Url, UrlError};

use crate::bind::read_policy;

pub use closed::Closed;
pub use failures::Failures;

/// Any error, boxed: what a secret's source may return.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failed call. A server's "no" to a bind is not one of these: it is an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The caller's.
    /// A URL cannot be read.
    #[error("{url:?} is no LDAP URL{}", meant(.url, .source))]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: UrlError,
    },
    /// No URL was given.
    #[error("no server is named: give at least one URL")]
    NoUrl,
    /// A domain cannot be looked for in the DNS.
    #[error("LDAP servers of {domain:?} cannot be looked for: {problem}")]
    Domain {
        /// What was given.
        domain: String,
        /// Why not.
        problem: &'static str,
    },
    /// The thread behind the blocking client cannot be started.
    #[error("the blocking client cannot start its thread")]
    Thread {
        /// What the system says.
        source: io::Error,
    },
    /// The source of the service account's secret failed.
    #[error("the secret of {dn} cannot be read")]
    Secret {
        /// The service account.
        dn: String,
        /// What its source says.
        source: BoxError,
    },
    /// A password would travel in clear text.
    #[error(
        "a simple bind to {url} would send the password in clear text: use ldaps:// or StartTLS, or allow clear text"
    )]
    Cleartext {
        /// The server.
        url: String,
    },
    /// A SASL mechanism that shows the password, or lets a listener try passwords, in clear text.
    #[error(
        "{mechanism} to {url} would show the secret to a listener, or let one guess it: use ldaps:// or StartTLS, or allow clear text"
    )]
    ClearSasl {
        /// The server.
        url: String,
        /// The mechanism.
        mechanism: String,
    },
    /// The server has no SASL mechanism for a name and a password that could be used on this connection.
    #[error(
        "{url} offers no SASL mechanism for a name and a password that is safe on this connection; it offers {}",
        listed(.offered)
    )]
    NoMechanism {
        /// The server.
        url: String,
        /// What it offers, by its root entry.
        offered: Vec<String>,
    },
    /// A SASL exchange cannot begin, or broke off; a server that did not prove itself is such a one.
    #[error("the {mechanism} bind to {url} failed")]
    Sasl {
        /// The server.
        url: String,
        /// The mechanism.
        mechanism: String,
        /// What went wrong.
        source: SaslError,
    },
    /// A new password would travel in clear text, which nothing allows.
    #[error("a new password would travel to {url} in clear text: use ldaps:// or StartTLS")]
    ClearPassword {
        /// The server.
        url: String,
    },
    /// A password that is not UTF-8, for a directory that takes text only.
    #[error("the password is not UTF-8 text")]
    PasswordText,
    /// A write on a connection whose options say that it only reads.
    #[error("the {operation} request could change the directory, and the connection to {url} only reads")]
    ReadOnly {
        /// The server.
        url: String,
        /// The operation.
        operation: &'static str,
    },
    /// A simple bind without a name, which servers take for an anonymous one (RFC 4513 section 5.1.2).
    #[error("a simple bind needs a name: an anonymous bind is a call of its own")]
    NoName,
    /// A person's connection was asked to read before the person was proved.
    #[error("nobody has bound on this connection yet: bind first, then read as that person")]
    NotBound,
    /// A bind on a look-up connection: it would change who everybody else on it is.
    #[error("the connection to {url} is shared by look-ups: people are proved on connections of their own")]
    Shared {
        /// The server.
        url: String,
    },
    /// A value cannot be written as an entry.
    #[error("this cannot be an entry")]
    Entry {
        /// What is wrong with it.
        #[from]
        source: crate::WriteError,
    },
    /// StartTLS on a connection that is encrypted already.
    #[error("the connection to {url} is encrypted already")]
    AlreadyEncrypted {
        /// The server.
        url: String,
    },
    /// The request cannot be sent as it is, or not now.
    #[error("the {operation} request cannot be sent")]
    Request {
        /// The operation.
        operation: &'static str,
        /// Why not.
        source: SessionError,
    },

    /// The schema does not allow a request, and the options say to ask it: nothing was sent.
    #[error("the schema does not allow the {operation} request{}: {}", about(dn), crate::schema::told(.violations))]
    Schema {
        /// The operation.
        operation: &'static str,
        /// The entry's name; empty where it is not about one entry.
        dn: String,
        /// Everything that is wrong with it.
        violations: Vec<proto::schema::Violation>,
    },

    // The peer's, or of the way to it.
    /// The DNS names no server.
    #[error("no LDAP server of {domain} is found in the DNS: {problem}")]
    Discovery {
        /// The domain.
        domain: String,
        /// What the DNS says, or that it says nothing.
        problem: String,
    },
    /// The host's name has no address.
    #[error("the host name {host:?} cannot be resolved: check the URL and the resolver")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// No address of the server accepts a connection.
    #[error("cannot connect to {url}: check that the server runs and that no firewall is between")]
    Connect {
        /// The server.
        url: String,
        /// What the last address tried says.
        source: io::Error,
    },
    /// The TLS handshake failed, or TLS could not be set up.
    #[error("no TLS with {url}")]
    Tls {
        /// The server.
        url: String,
        /// What is wrong, and what to do.
        source: Box<tls::Error>,
    },
    /// Name, connection and TLS together took too long.
    #[error("{url} could not be reached within {limit:?}: {stage} took too long")]
    ConnectTimeout {
        /// The server.
        url: String,
        /// What was going on: "the host name's resolution", "the connection", "the TLS handshake".
        stage: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// One operation took too long.
    #[error("{url} did not answer the {operation} request within {limit:?}")]
    Timeout {
        /// The server.
        url: String,
        /// The operation.
        operation: &'static str,
        /// The limit.
        limit: Duration,
        /// The request may have reached the server.
        sent: bool,
    },
    /// The connection ended before the answer came.
    #[error("the connection to {url} ended before the {operation} request was answered")]
    Closed {
        /// The server.
        url: String,
        /// The operation.
        operation: &'static str,
        /// The request may have reached the server.
        sent: bool,
        /// Why it ended.
        source: Arc<Closed>,
    },
    /// An answer of the wrong kind.
    #[error("{url} answered the {operation} request with something else")]
    Unexpected {
        /// The server.
        url: String,
        /// The operation.
        operation: &'static str,
    },
    /// A server that failed a moment ago is left alone for a while.
    #[error("{url} does not work: it is tried again in {}", rounded(*retry))]
    Down {
        /// The server.
        url: String,
        /// Time until the next try.
        retry: Duration,
        /// How it failed.
        source: Arc<Error>,
    },
    /// No server of the list works.
    #[error("none of the {} servers works", .failures.len())]
    AllDown {
        /// One failure for each server that was tried.
        #[source]
        failures: Failures,
    },
    /// Every proving connection was in use for the whole time of waiting.
    #[error("all {connections} proving connections to {url} were in use for {limit:?}")]
    Busy {
        /// The server.
        url: String,
        /// How many there are.
        connections: usize,
        /// How long was waited.
        limit: Duration,
    },

    // The directory's keeper's.
    /// The server names no schema for an entry, or shows nothing of it to whoever asks.
    #[error("{url} shows no schema for {dn:?}: bind as somebody who may read it")]
    NoSchema {
        /// The server.
        url: String,
        /// The entry, empty for the server's own.
        dn: String,
    },
    /// The directory refused an operation.
    #[error("{url} refused the {operation} request{}: {}", about(dn), told(.result))]
    Refused {
        /// The server.
        url: String,
        /// The operation.
        operation: &'static str,
        /// The entry that it was about, for a search its base; empty where there is none.
        dn: String,
        /// The answer.
        result: Box<LdapResult>,
        /// What came with it.
        controls: Controls,
    },
    /// The directory refused the service account. A pool does not ask again for a while, so as not to lock the
    /// account.
    #[error(
        "{url} refused the service account {dn}: {}; check its name and secret{}",
        told(.result), next_try(.retry)
    )]
    ServiceBind {
        /// The server that refused.
        url: String,
        /// The service account.
        dn: String,
        /// The answer.
        result: Box<LdapResult>,
        /// Time until a pool's next try; `None` for a connection of its own, which is not tried again.
        retry: Option<Duration>,
    },
    /// A search's answers outgrew their limit.
    #[error(
        "the search below {base:?} outgrew {limit} bytes: narrow its filter, ask for less, or raise the limit"
    )]
    TooLarge {
        /// The search's base.
        base: String,
        /// The limit.
        limit: usize,
    },
    /// Not all values of an attribute can be had, though they were asked for.
    #[error("{url} does not hand out all values of {attribute} of {dn:?}")]
    CutShort {
        /// The server.
        url: String,
        /// The entry.
        dn: String,
        /// The attribute.
        attribute: String,
    },
    /// A referral was followed, always as nobody, and led nowhere.
    #[error("the referral to {url}, which was asked as nobody, led nowhere")]
    Referral {
        /// Where it led.
        url: String,
        /// What went wrong there.
        source: Box<Error>,
    },
    /// A referral leads back to where it came from.
    #[error("the referral to {url} leads back to where it came from")]
    ReferralLoop {
        /// Where it leads.
        url: String,
    },
    /// Referrals lead on and on.
    #[error("the referral to {url} was not followed: {limit} is the limit for one operation")]
    TooManyReferrals {
        /// Where it leads.
        url: String,
        /// The limit, on hops in a row or on references in all.
        limit: u32,
    },
    /// The server sends the same page again and again.
    #[error("{url} repeats a page of the search below {base:?}: turn paging off for this server")]
    PagingLoop {
        /// The server.
        url: String,
        /// The search's base.
        base: String,
    },
}

impl Error {
    pub(crate) fn domain(domain: &str, problem: &'static str) -> Error {
        Error::Domain { domain: domain.to_owned(), problem }
    }

    /// The same refusal, with the name of the entry that was asked for.
    pub(crate) fn about(mut self, name: &str) -> Error {
        if let Error::Refused { dn, .. } = &mut self {
            name.clone_into(dn);
        }
        self
    }

    /// The request may have reached the server: what it asked for may have been done.
    pub fn sent(&self) -> bool {
        match self {
            Error::Timeout { sent, .. } | Error::Closed { sent, .. } => *sent,
            Error::Refused { .. }
            | Error::Unexpected { .. }
            | Error::TooLarge { .. }
            | Error::CutShort { .. }
            | Error::Referral { .. }
            | Error::ReferralLoop { .. }
            | Error::TooManyReferrals { .. }
            | Error::PagingLoop { .. } => true,
            _ => false,
        }
    }

    /// The server could not be reached, or could not serve: another server, or a later try, may do better.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Error::Discovery { .. }
            | Error::Resolve { .. }
            | Error::Connect { .. }
            | Error::Tls { .. }
            | Error::ConnectTimeout { .. }
            | Error::Timeout { .. }
            | Error::Closed { .. }
            | Error::Down { .. }
            | Error::AllDown { .. }
            | Error::Busy { .. } => true,
            Error::Refused { result, .. } => is_trouble(result.code),
            _ => false,
        }
    }

    /// The directory's answer, when there was one.
    pub fn result(&self) -> Option<&LdapResult> {
        match self {
            Error::Refused { result, .. } | Error::ServiceBind { result, .. } => Some(result),
            Error::Closed { source, .. } => match &**source {
                Closed::Notice(result) => Some(result),
                _ => None,
            },
            _ => None,
        }
    }

    /// What the server's password policy objects to, when it refused something with an objection that can be read. It says
    /// so to those who ask with [`PasswordPolicy::request`].
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), Box<dyn std::error::Error>> {
    /// use ldapgate_client::Change;
    /// use ldapgate_client::control::PasswordPolicy;
    ///
    /// let asking = connection.with_controls([PasswordPolicy::request()]);
    /// let change = vec![Change::replace("userPassword", ["short"])];
    /// if let Err(refusal) = asking.modify("uid=ada,dc=example,dc=com", change).await {
    ///     println!("{refusal}: {:?}", refusal.policy());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn policy(&self) -> Option<PasswordPolicy> {
        match self {
            Error::Refused { controls, .. } => read_policy(controls),
            _ => None,
        }
    }

    /// What lies behind this error, outermost first, one line each; the error's own text is not among them.
    pub fn causes(&self) -> Vec<String> {
        if let Error::AllDown { failures } = self {
            return failures.lines();
        }
        chain(self)
    }
}

/// Answers that speak of the server's state and not of the request.
pub(crate) fn is_trouble(code: ResultCode) -> bool {
    [ResultCode::BUSY, ResultCode::UNAVAILABLE].contains(&code)
}

/// Answers to a bind that say nothing about the account.
pub(crate) fn is_passing(code: ResultCode) -> bool {
    is_trouble(code) || [ResultCode::OPERATIONS_ERROR, ResultCode::OTHER].contains(&code)
}

/// The URL that may have been meant by a host without a scheme.
fn meant(url: &str, problem: &UrlError) -> String {
    let meant = format!("ldap://{url}");
    let is_host = problem.kind() == UrlErrorKind::Scheme && !url.contains("//") && Url::parse(&meant).is_ok();
    if is_host { format!("; was {meant:?} meant?") } else { String::new() }
}

/// A result in one line: the code's name, where it leads, how far the name was found, and the server's own words.
pub(crate) fn told(result: &LdapResult) -> String {
    let mut text = result.code.to_string();
    if result.code.is_referral() && !result.referrals.is_empty() {
        text += &elsewhere(&result.referrals);
    }
    let matched = plain(&result.matched_dn);
    if !matched.is_empty() {
        text += &format!(", the nearest entry is {matched:?}");
    }
    match plain(&result.message).as_str() {
        "" => text,
        words => format!("{text}: {words}"),
    }
}

/// A referral that was not followed. One that was is an error of its own.
fn elsewhere(urls: &[String]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = urls.iter().take(MOST).map(|url| plain(url)).collect();
    let more = if urls.len() > MOST { ", .." } else { "" };
    format!(" to {}{more}, not followed (Options::referrals names the hosts that may be)", shown.join(", "))
}

/// A server's words, cut and freed of what could break the line or turn it round.
fn plain(text: &str) -> String {
    const LONGEST: usize = 300;
    let letters = text.chars().filter(|c| !turns_text(*c)).take(LONGEST);
    let words: String = letters.map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.trim().to_owned()
}

/// ` for "cn=x"`, or nothing where no entry is known.
fn about(dn: &str) -> String {
    if dn.is_empty() { String::new() } else { format!(" for {dn:?}") }
}

/// Marks that change the direction of the text around them (Unicode's `Bidi_Control`).
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// "A, B and C", cut and freed of what could break a line; "none" for none.
fn listed(names: &[String]) -> String {
    const MOST: usize = 40;
    let printable =
        |name: &String| name.chars().filter(char::is_ascii_graphic).take(MOST).collect::<String>();
    let names: Vec<String> = names.iter().take(MOST).map(printable).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn next_try(retry: &Option<Duration>) -> String {
    retry.map_or_else(String::new, |retry| format!("; the next try is in {}", rounded(retry)))
}

/// "243ms", "30s", "10min": a wait for people, who need no fractions.
fn rounded(wait: Duration) -> String {
    match wait.as_secs() {
        ..120 => format!("{wait:.0?}"),
        seconds => format!("{}min", seconds.div_ceil(60)),
    }
}

fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| error.source()).map(|error| error.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: ResultCode, message: &str) -> Error {
        Error::Refused {
            url: "ldap://a".into(),
            operation: "search",
            dn: String::new(),
            result: Box::new(LdapResult::new(code, message)),
            controls: Controls::default(),
        }
    }

    #[test]
    fn a_busy_server_counts_as_unreachable_and_a_refusal_does_not() {
        assert!(refused(ResultCode::BUSY, "").is_unreachable());
        assert!(!refused(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "").is_unreachable());
    }

    #[test]
    fn a_host_without_a_scheme_is_told_the_url_that_is_meant() {
        let said = |url: &str| {
            let source = Url::parse(url).expect_err(url);
            Error::Url { url: url.to_owned(), source }.to_string()
        };
        assert_eq!(
            said("localhost:389"),
            r#""localhost:389" is no LDAP URL; was "ldap://localhost:389" meant?"#
        );
        for other in ["http://localhost", "mailto:a b", "ldap://a b"] {
            assert_eq!(said(other), format!("{other:?} is no LDAP URL"));
        }
    }

    #[test]
    fn a_wait_is_told_without_fractions() {
        let told = |wait| {
            Error::Down { url: "ldap://a".into(), retry: wait, source: Arc::new(Error::NoUrl) }.to_string()
        };
        for (wait, words) in [
            (Duration::from_nanos(243_274_901), "in 243ms"),
            (Duration::from_nanos(29_982_934_027), "in 30s"),
            (Duration::from_secs(600), "in 10min"),
        ] {
            assert!(told(wait).ends_with(words), "{}", told(wait));
        }
    }

    #[test]
    fn a_servers_words_cannot_break_a_log_line() {
        let error = refused(ResultCode::OTHER, "one\ntwo\u{1b}[31m");
        assert_eq!(error.to_string(), "ldap://a refused the search request: other (80): one two [31m");
    }

    #[test]
    fn a_refusal_tells_what_it_is_about_and_how_far_its_name_was_found() {
        let mut result = LdapResult::new(ResultCode::NO_SUCH_OBJECT, "gone");
        result.matched_dn = "dc=example,\ndc=com\u{202e}".to_owned();
        let controls = Controls::default();
        let error = Error::Refused {
            url: "ldap://a".into(),
            operation: "delete",
            dn: String::new(),
            result: Box::new(result),
            controls,
        };
        assert_eq!(
            error.about("cn=x,dc=example,dc=com").to_string(),
            r#"ldap://a refused the delete request for "cn=x,dc=example,dc=com": noSuchObject (32), the nearest entry is "dc=example, dc=com": gone"#
        );
    }

    #[test]
    fn a_referral_that_was_not_followed_tells_where_it_leads() {
        let mut result = LdapResult::new(ResultCode::REFERRAL, "");
        result.referrals = vec!["ldap://b/dc=x".to_owned()];
        assert_eq!(
            told(&result),
            "referral (10) to ldap://b/dc=x, not followed (Options::referrals names the hosts that may be)"
        );
        result.referrals = vec!["ldap://\nb".to_owned(); 5];
        let told = told(&result);
        assert!(told.contains("to ldap:// b, ldap:// b, ldap:// b, .., not followed"), "{told}");
    }

    #[test]
    fn a_followed_referral_says_as_whom() {
        let error =
            Error::Referral { url: "ldap://b".into(), source: Box::new(refused(ResultCode::BUSY, "")) };
        assert!(error.to_string().contains("asked as nobody"), "{error}");
    }

    #[test]
    fn a_servers_words_cannot_turn_a_line_round() {
        let marks =
            "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}";
        let result = LdapResult::new(ResultCode::OTHER, format!("a{marks}b \u{5d0}"));
        assert_eq!(told(&result), "other (80): ab \u{5d0}");
    }

    #[test]
    fn the_reason_of_a_notice_is_among_the_causes() {
        let error = Error::Closed {
            url: "ldap://a".into(),
            operation: "search",
            sent: true,
            source: Arc::new(Closed::Notice(LdapResult::new(ResultCode::UNAVAILABLE, "going down"))),
        };
        assert_eq!(error.causes(), ["the server ended the connection: unavailable (52): going down"]);
        assert_eq!(error.result().map(|result| result.code), Some(ResultCode::UNAVAILABLE));
        assert!(error.sent() && error.is_unreachable());
    }
}
