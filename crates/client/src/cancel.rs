//! Cancel (RFC 3909): the end of an operation, told to the server and confirmed by it.

use proto::extended::Cancel;
use proto::{LdapResult, ResultCode};
use tokio::time::{Instant, timeout_at};

use crate::connection::Guard;
use crate::driver::{Item, Items};
use crate::{Connection, Error};

/// "Cancel" in errors.
const NAME: &str = "cancel";

/// How a cancel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The server stopped the operation.
    Stopped,
    /// There was nothing to stop: the operation was not sent yet, or had ended.
    Finished,
}

/// Cancels a search, and reads what comes of it until its result.
///
/// A server that refuses is told to abandon it: the guard is dropped.
pub(crate) async fn cancel(
    connection: &Connection,
    mut items: Items,
    guard: Guard,
) -> Result<Cancelled, Error> {
    let Some(id) = guard.message_id().await else {
        guard.disarm();
        return Ok(Cancelled::Finished);
    };
    let request = Cancel::request(id);
    match connection.extended_as(NAME, Cancel::OID, request.value).await {
        Ok(_) => {}
        Err(Error::Refused { result, .. }) if had_ended(&result) => {}
        Err(error) => return Err(error),
    }
    let limit = connection.shared.options.timeout;
    let end = timeout_at(Instant::now() + limit, end_of(&mut items)).await;
    match end {
        Ok(Some(Ok(result))) => {
            guard.disarm();
            let stopped = result.code == ResultCode::CANCELED;
            Ok(if stopped { Cancelled::Stopped } else { Cancelled::Finished })
        }
        Ok(Some(Err(error))) => Err(error),
        // Nothing more will come of it.
        Ok(None) => Ok(Cancelled::Finished),
        Err(_) => {
            let url = connection.url().to_owned();
            Err(Error::Timeout { url, operation: NAME, limit, sent: true })
        }
    }
}

/// The answer that says: too late.
fn had_ended(result: &LdapResult) -> bool {
    [ResultCode::NO_SUCH_OPERATION, ResultCode::TOO_LATE].contains(&result.code)
}

async fn end_of(items: &mut Items) -> Option<Result<LdapResult, Error>> {
    loop {
        match items.next().await? {
            Item::Done(end) => return Some((*end).map(|(result, _)| result)),
            // The driver has abandoned it.
            Item::TooMuch => return None,
            _ => {}
        }
    }
}
