//! What goes into the record.

use auth::{Denial, Person};

use crate::accounts::Accounts;
use crate::store::{Audit, AuditQuery, AuditRecord};
use crate::{Error, Origin};

/// No text that a visitor chose is longer in the record, in bytes.
const LONGEST: usize = 256;

impl Accounts {
    /// Audit records after a number (0: from the beginning), at most so many, the oldest first; of one user name
    /// or of all.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn audit_after(
        &self,
        after: i64,
        username: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, Error> {
        let query =
            AuditQuery { after, username: username.map(str::to_owned), limit, ..AuditQuery::default() };
        Ok(self.0.store.audit(query).await?)
    }

    /// The audit records that a query asks for, the oldest first.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn audit_records(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, Error> {
        Ok(self.0.store.audit(query).await?)
    }

    /// A record of something that happens now.
    pub(crate) fn audit(&self, event: &str, origin: &Origin) -> Audit {
        Audit {
            at: self.0.ambient.now(),
            event: event.to_owned(),
            address: origin.address.map(|address| address.to_canonical().to_string()),
            agent: origin.agent.as_deref().map(shortened),
            request_id: origin.request_id.as_deref().map(shortened),
            ..Audit::default()
        }
    }
}

impl Audit {
    /// About somebody whom the directory told of.
    pub(crate) fn of(self, person: &Person) -> Self {
        let (username, directory) = (person.username().to_owned(), person.directory().to_owned());
        Self { username: Some(username), directory: Some(directory), ..self }
    }

    pub(crate) fn granted(self) -> Self {
        Self { outcome: Some("granted".to_owned()), ..self }
    }

    pub(crate) fn denied(self, denial: &Denial) -> Self {
        Self {
            outcome: Some("denied".to_owned()),
            reason: Some(denial.reason().as_str().to_owned()),
            detail: Some(denial.detail()).filter(|detail| !detail.is_empty()).map(str::to_owned),
            ..self
        }
    }

    pub(crate) fn failed(self, error: &Error) -> Self {
        let told = std::iter::once(error.to_string()).chain(error.causes());
        Self {
            outcome: Some("error".to_owned()),
            reason: Some(error.fault().as_str().to_owned()),
            detail: Some(told.collect::<Vec<_>>().join(": ")),
            ..self
        }
    }
}

/// Text from outside, cut where it grows too long for the record.
pub(crate) fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}
