//! Controls (RFC 4511 section 4.1.11): those that are known, each a type, and how a handle carries them along.

pub use proto::control::*;

use crate::Connection;

impl Connection {
    /// A handle of the same connection whose every operation carries these controls, after those of this handle. Abandon,
    /// unbind and StartTLS, which no control is meant for, carry none.
    ///
    /// Where an operation has a control of the same kind of its own, as a paged search has, its own one is sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (_running, url) = testkit::example::serve().await?;
    /// use ldapgate_client::control::{Assertion, PostRead, PreRead};
    /// use ldapgate_client::{Change, Connection, Filter, Options, Password};
    ///
    /// let connection = Connection::open(&Options::new([url])?).await?;
    /// connection.bind("uid=ada,dc=example,dc=com", &Password::new("analytical")?).await?;
    ///
    /// let unchanged = Assertion::that(Filter::equal("cn", "Ada Lovelace"));
    /// let careful = connection.with_controls([unchanged.into(), PreRead::of(["cn"]).into(), PostRead::of(["cn"]).into()]);
    /// let reply = careful.modify("uid=ada,dc=example,dc=com", vec![Change::replace("cn", ["Ada King"])]).await?;
    /// assert_eq!(reply.pre_read().expect("it was asked for").text("cn"), Some("Ada Lovelace"));
    /// assert_eq!(reply.post_read().expect("it was asked for").text("cn"), Some("Ada King"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_controls(&self, controls: impl IntoIterator<Item = Control>) -> Connection {
        let controls = controls.into_iter().collect();
        Connection { controls: beside(&self.controls, controls), ..self.clone() }
    }

    /// The handle that carries none.
    pub(crate) fn without_controls(&self) -> Connection {
        Connection { controls: Controls::default(), ..self.clone() }
    }
}

/// Both, without those of the first for which the second has one of the kind.
pub(crate) fn beside(along: &Controls, own: Controls) -> Controls {
    if along.is_empty() {
        return own;
    }
    let along = along.iter().filter(|control| own.get(&control.oid).is_none());
    along.chain(own.iter()).collect()
}
