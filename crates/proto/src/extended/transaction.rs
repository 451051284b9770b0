use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};
use crate::message::{ExtendedRequest, ExtendedResponse, LdapResult, MessageId};
use crate::{Control, Controls};
use bytes::Bytes;

/// More updates than one transaction has.
const MOST_UPDATES: usize = 1024;

/// A transaction's identifier (RFC 5805 section 3.1), given by the server with [`StartTransaction`]'s answer.
///
/// ```
/// use ldapgate_proto::extended::{StartTransaction, Transaction};
///
/// let transaction = StartTransaction::transaction(&StartTransaction::response(&Transaction::new("17")))?;
/// let control = transaction.to_control();
/// assert_eq!((control.oid.as_str(), control.critical), (Transaction::OID, true));
/// assert_eq!(Transaction::parse(&control)?, transaction);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The server's own bytes.
    pub identifier: Bytes,
}

/// Starts a transaction (RFC 5805 section 2.1).
#[derive(Debug, Clone, Copy)]
pub struct StartTransaction;

/// Ends a transaction (RFC 5805 section 2.3): all of its updates are done, or none.
///
/// ```
/// use ldapgate_proto::extended::{EndTransaction, Transaction};
///
/// let commit = EndTransaction::commit(Transaction::new("17"));
/// assert_eq!(EndTransaction::parse(&commit.request())?, commit);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndTransaction {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Which one.
    pub transaction: Transaction,
}

/// What becomes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its updates are done.
    Commit,
    /// Its updates are forgotten.
    Abort,
}

/// The answer to [`EndTransaction`] (RFC 5805 section 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The update that failed, by its request's number; the answer's result is that update's.
    pub failed: Option<MessageId>,
    /// What the updates' own answers would have carried.
    pub controls: Vec<(MessageId, Controls)>,
}

/// The server's word, unasked, that it has given a transaction up (RFC 5805 section 2.4).
#[derive(Debug, Clone, Copy)]
pub struct AbortedTransaction;

impl Transaction {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.1.21.2";

    /// The transaction of this identifier.
    pub fn new(identifier: impl Into<Bytes>) -> Transaction {
        Transaction { identifier: identifier.into() }
    }

    /// The transaction specification control (RFC 5805 section 2.2), which makes an update part of it; always critical.
    pub fn to_control(&self) -> Control {
        Control::new(Transaction::OID, Some(self.identifier.clone())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing.
    pub fn parse(control: &Control) -> Result<Transaction, Error> {
        from_value(&control.value)
    }
}

impl StartTransaction {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.1.21.1";

    /// Asks for it.
    pub fn request() -> ExtendedRequest {
        ExtendedRequest { oid: StartTransaction::OID.to_owned(), value: None }
    }

    /// Answers with a transaction.
    pub fn response(transaction: &Transaction) -> ExtendedResponse {
        let value = Some(transaction.identifier.clone());
        ExtendedResponse { value, ..ExtendedResponse::new(LdapResult::success()) }
    }

    /// The transaction in an answer. Look at the result first.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub fn transaction(response: &ExtendedResponse) -> Result<Transaction, Error> {
        from_value(&response.value)
    }
}

impl EndTransaction {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.1.21.3";

    /// All updates are to be done.
    pub fn commit(transaction: Transaction) -> EndTransaction {
        EndTransaction { outcome: Outcome::Commit, transaction }
    }

    /// All updates are to be forgotten.
    pub fn abort(transaction: Transaction) -> EndTransaction {
        EndTransaction { outcome: Outcome::Abort, transaction }
    }

    /// Asks for it.
    pub fn request(&self) -> ExtendedRequest {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            // The default, commit, is left out (RFC 4511 section 5.1).
            if self.outcome == Outcome::Abort {
                writer.boolean(Tag::BOOLEAN, false);
            }
            writer.octets(Tag::OCTETS, &self.transaction.identifier);
        });
        ExtendedRequest { oid: EndTransaction::OID.to_owned(), value: Some(writer.finish()) }
    }

    /// Reads a request; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed.
    pub fn parse(request: &ExtendedRequest) -> Result<EndTransaction, Error> {
        let mut content = only_sequence(&request.value)?;
        let commits = content.peek() != Some(Tag::BOOLEAN) || content.boolean(Tag::BOOLEAN)?;
        let transaction = Transaction::new(content.shared(Tag::OCTETS)?);
        content.finish()?;
        let outcome = if commits { Outcome::Commit } else { Outcome::Abort };
        Ok(EndTransaction { outcome, transaction })
    }
}

impl Ended {
    /// The answer with this result, which is the failed update's when there is one.
    pub fn response(&self, result: LdapResult) -> ExtendedResponse {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            if let Some(failed) = self.failed {
                writer.integer(Tag::INTEGER, i64::from(failed.0));
            }
            if self.controls.is_empty() {
                return;
            }
            writer.constructed(Tag::SEQUENCE, |writer| {
                for (id, controls) in &self.controls {
                    writer.constructed(Tag::SEQUENCE, |writer| {
                        writer.integer(Tag::INTEGER, i64::from(id.0));
                        let list = writer.begin(Tag::SEQUENCE);
                        controls.write_content(writer);
                        writer.end(list);
                    });
                }
            });
        });
        ExtendedResponse { value: Some(writer.finish()), ..ExtendedResponse::new(result) }
    }

    /// Reads the value of an answer, which is missing when there is nothing to tell.
    ///
    /// # Errors
    ///
    /// When it is malformed, tells of more than 1024 updates, or has more controls than a message may have.
    pub fn parse(response: &ExtendedResponse) -> Result<Ended, Error> {
        if response.value.is_none() {
            return Ok(Ended::default());
        }
        let mut content = only_sequence(&response.value)?;
        let failed = match content.peek() {
            Some(Tag::INTEGER) => Some(MessageId(content.unsigned(Tag::INTEGER, "message id")?)),
            _ => None,
        };
        let mut controls = Vec::new();
        if let Some(mut updates) = content.enter_if(Tag::SEQUENCE)? {
            while !updates.is_empty() {
                if controls.len() == MOST_UPDATES {
                    return Err(updates.error(ErrorKind::TooManyElements { limit: MOST_UPDATES }));
                }
                let mut update = updates.enter(Tag::SEQUENCE)?;
                let id = MessageId(update.unsigned(Tag::INTEGER, "message id")?);
                controls.push((id, Controls::read(update.enter(Tag::SEQUENCE)?, &Limits::client())?));
                update.finish()?;
            }
        }
        content.finish()?;
        Ok(Ended { failed, controls })
    }
}

impl AbortedTransaction {
    /// The notice's OID.
    pub const OID: &'static str = "1.3.6.1.1.21.4";

    /// The notice, with the reason.
    pub fn notice(transaction: &Transaction, result: LdapResult) -> ExtendedResponse {
        let value = Some(transaction.identifier.clone());
        ExtendedResponse { result, oid: Some(AbortedTransaction::OID.to_owned()), value }
    }

    /// The transaction that a notice is about; `None` when it is another notice.
    pub fn transaction(notice: &ExtendedResponse) -> Option<Transaction> {
        let about_this = notice.oid.as_deref() == Some(AbortedTransaction::OID);
        notice.value.clone().filter(|_| about_this).map(Transaction::new)
    }
}

fn from_value(value: &Option<Bytes>) -> Result<Transaction, Error> {
    let identifier = value.clone().ok_or(Error::new(ErrorKind::Missing(Tag::OCTETS), 0))?;
    Ok(Transaction { identifier })
}

fn only_sequence(value: &Option<Bytes>) -> Result<Reader<'_>, Error> {
    let value = value.as_ref().ok_or(Error::new(ErrorKind::Missing(Tag::SEQUENCE), 0))?;
    let mut outer = Reader::new(value);
    let content = outer.enter(Tag::SEQUENCE)?;
    outer.finish()?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResultCode;
    use crate::control::PostRead;
    use proptest::prelude::*;

    fn response(value: &'static [u8]) -> ExtendedResponse {
        let value = Some(Bytes::from_static(value));
        ExtendedResponse { value, ..ExtendedResponse::new(LdapResult::success()) }
    }

    #[test]
    fn commit_is_the_default_and_left_out() {
        let transaction = Transaction::new("tx");
        let commit = EndTransaction::commit(transaction.clone());
        assert_eq!(commit.request().value.as_deref(), Some(&b"\x30\x04\x04\x02tx"[..]));
        let abort = EndTransaction::abort(transaction);
        assert_eq!(abort.request().value.as_deref(), Some(&b"\x30\x07\x01\x01\x00\x04\x02tx"[..]));
        for asked in [commit, abort] {
            assert_eq!(EndTransaction::parse(&asked.request()), Ok(asked));
        }
        let explicit = Some(Bytes::from_static(b"\x30\x07\x01\x01\xff\x04\x02tx"));
        let explicit = ExtendedRequest { oid: String::new(), value: explicit };
        assert_eq!(EndTransaction::parse(&explicit).unwrap().outcome, Outcome::Commit);
    }

    #[test]
    fn an_answer_tells_what_failed_and_what_updates_would_have_carried() {
        assert_eq!(Ended::parse(&ExtendedResponse::new(LdapResult::success())), Ok(Ended::default()));
        assert_eq!(Ended::parse(&response(b"\x30\x00")), Ok(Ended::default()));
        let failed = Ended { failed: Some(MessageId(7)), controls: Vec::new() };
        let written = failed.response(LdapResult::new(ResultCode::NO_SUCH_OBJECT, ""));
        assert_eq!(written.value.as_deref(), Some(&b"\x30\x03\x02\x01\x07"[..]));
        assert_eq!(Ended::parse(&written), Ok(failed));
        let controls = Controls::from(PostRead::response(&crate::Entry::builder("cn=a").build()));
        let done = Ended {
            failed: None,
            controls: vec![(MessageId(3), controls.clone()), (MessageId(4), controls)],
        };
        assert_eq!(Ended::parse(&done.response(LdapResult::success())), Ok(done));
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        for wrong in [
            &b""[..],
            b"\x04\x00",
            b"\x30\x03\x02\x01\xff",
            b"\x30\x02\x30\x02",
            b"\x30\x04\x30\x02\x30\x00",
            b"\x30\x07\x30\x05\x30\x03\x02\x01\x01",
            b"\x30\x00\x00",
        ] {
            assert!(Ended::parse(&response(wrong)).is_err(), "{wrong:x?}");
        }
        assert!(StartTransaction::transaction(&ExtendedResponse::new(LdapResult::success())).is_err());
    }

    #[test]
    fn a_notice_names_its_transaction_and_another_notice_none() {
        let transaction = Transaction::new("tx");
        let result = LdapResult::new(ResultCode::ADMIN_LIMIT_EXCEEDED, "idle for too long");
        let notice = AbortedTransaction::notice(&transaction, result.clone());
        assert_eq!(AbortedTransaction::transaction(&notice), Some(transaction));
        let oid = Some("1.3.6.1.4.1.1466.20036".to_owned());
        assert_eq!(AbortedTransaction::transaction(&ExtendedResponse { oid, ..notice }), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let value = Some(Bytes::from(bytes));
            let _ = EndTransaction::parse(&ExtendedRequest { oid: String::new(), value: value.clone() });
            let _ = Ended::parse(&ExtendedResponse { value, ..ExtendedResponse::new(LdapResult::success()) });
        }

        #[test]
        fn every_identifier_comes_back(identifier in proptest::collection::vec(any::<u8>(), 0..200), aborts: bool) {
            let transaction = Transaction::new(identifier);
            prop_assert_eq!(Transaction::parse(&transaction.to_control()), Ok(transaction.clone()));
            let end = if aborts { EndTransaction::abort(transaction) } else { EndTransaction::commit(transaction) };
            prop_assert_eq!(EndTransaction::parse(&end.request()), Ok(end));
        }
    }
}
