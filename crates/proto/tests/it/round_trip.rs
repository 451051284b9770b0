//! Whatever is written is read as the same.

use crate::values;
use ldapgate_proto::{Authentication, Limits, Message, Request, Response};
use proptest::prelude::*;

/// The password is not printed: it is compared by itself, everything else by its text and its octets.
fn password(message: &Message<Request>) -> Option<&[u8]> {
    let Request::Bind(bind) = &message.operation else { return None };
    let Authentication::Simple(password) = &bind.authentication else { return None };
    Some(password.expose())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_response_is_read_as_it_was_written(message in values::response()) {
        let read = Message::<Response>::decode(&message.encode(), &Limits::client());
        prop_assert_eq!(read, Ok(message));
    }

    #[test]
    fn every_request_is_read_as_it_was_written(message in values::request()) {
        let frame = message.encode();
        let read = Message::<Request>::decode(&frame, &Limits::server()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(format!("{read:?}"), format!("{message:?}"));
        prop_assert_eq!(password(&read), password(&message));
        prop_assert_eq!(read.encode(), frame);
    }

    #[test]
    fn controls_are_told_in_their_order(message in values::response()) {
        let read = Message::<Response>::decode(&message.encode(), &Limits::client());
        let read: Vec<_> = read.into_iter().flat_map(|read| read.controls.iter().collect::<Vec<_>>()).collect();
        prop_assert_eq!(read, message.controls.iter().collect::<Vec<_>>());
    }
}
