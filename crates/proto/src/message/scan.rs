//! The short way to the message that there is most of: a search's entry without controls.
//!
//! Everything is checked in one walk that allocates nothing and makes no errors: a message of another kind, or one with
//! anything odd about it, takes the long way, which accepts it or says what is wrong.

use crate::ber::Limits;

/// An entry's message that is sound as a whole; places are those of the frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) id: u32,
    /// Where the objectName starts.
    pub(crate) start: usize,
    /// Where the first attribute starts.
    pub(crate) attributes: usize,
    /// Where the last one ends, which is the end of the frame.
    pub(crate) end: usize,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEARCH_ENTRY: u8 = 0x64;

/// Looks at one whole frame.
pub(crate) fn scan(frame: &[u8], limits: &Limits) -> Option<Scanned> {
    let end = frame.len();
    let (position, message_end) = element(frame, 0, end, SEQUENCE)?;
    let (number, id_end) = element(frame, position, message_end, INTEGER)?;
    let id = message_id(&frame[number..id_end])?;
    let (start, operation_end) = element(frame, id_end, message_end, SEARCH_ENTRY)?;
    let (name, name_end) = element(frame, start, operation_end, OCTETS)?;
    let (attributes, list_end) = element(frame, name_end, operation_end, SEQUENCE)?;
    if [message_end, operation_end, list_end] != [end; 3] || !is_text(&frame[name..name_end]) {
        return None;
    }
    // The message, its id, the operation, the name and the list.
    let mut elements = 5;
    let mut position = attributes;
    while position < end {
        let (description, attribute_end) = element(frame, position, end, SEQUENCE)?;
        let (name, name_end) = element(frame, description, attribute_end, OCTETS)?;
        let (mut value, set_end) = element(frame, name_end, attribute_end, SET)?;
        if set_end != attribute_end || !is_text(&frame[name..name_end]) {
            return None;
        }
        elements += 3;
        while value < set_end {
            value = element(frame, value, set_end, OCTETS)?.1;
            elements += 1;
        }
        position = attribute_end;
    }
    if elements > limits.max_elements || frame.len() > limits.max_frame {
        return None;
    }
    Some(Scanned { id, start, attributes, end })
}

/// Where the content of the element at `position` starts and ends, when it has this tag and lies before `limit`.
#[inline]
fn element(frame: &[u8], position: usize, limit: usize, tag: u8) -> Option<(usize, usize)> {
    let head = frame.get(position..limit)?;
    let (&found, &first) = (head.first()?, head.get(1)?);
    if found != tag {
        return None;
    }
    let (content, length) = if first < 0x80 {
        (position + 2, usize::from(first))
    } else {
        let octets = usize::from(first & 0x7f);
        // More octets than a frame can need are for the long way to judge.
        if !(1..=4).contains(&octets) {
            return None;
        }
        let length = head.get(2..2 + octets)?.iter().fold(0, |length, &octet| length << 8 | u64::from(octet));
        (position + 2 + octets, usize::try_from(length).ok()?)
    };
    let end = content.checked_add(length)?;
    (end <= limit).then_some((content, end))
}

/// A number from 0 to 2147483647 of at most four octets.
fn message_id(octets: &[u8]) -> Option<u32> {
    if octets.is_empty() || octets.len() > 4 || octets[0] >= 0x80 {
        return None;
    }
    Some(octets.iter().fold(0, |id, &octet| id << 8 | u32::from(octet)))
}

#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, MessageId, Response};
    use crate::{Controls, Entry};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn frame(id: u32, entry: &Entry) -> Bytes {
        let operation = Response::SearchEntry(entry.clone());
        Message { id: MessageId(id), operation, controls: Controls::default() }.encode()
    }

    /// What the short way says, which must be what the long way says.
    fn short(frame: &Bytes) -> Option<(MessageId, Entry)> {
        let scanned = scan(frame, &Limits::client())?;
        Some((MessageId(scanned.id), Entry::scanned(frame.clone(), &scanned)))
    }

    fn long(frame: &Bytes) -> Option<(MessageId, Entry)> {
        let message = Message::<Response>::decode(frame, &Limits::client()).ok()?;
        match message.operation {
            Response::SearchEntry(entry) => Some((message.id, entry)),
            _ => None,
        }
    }

    fn ada() -> Entry {
        Entry::builder("uid=ada,dc=example,dc=com")
            .attribute("objectClass", ["top", "person"])
            .attribute("cn;lang-de", ["Jürgen"])
            .attribute("empty", [""; 0])
            .attribute("jpegPhoto", [vec![0xff_u8; 70_000]])
            .build()
    }

    #[test]
    fn an_entry_goes_the_short_way_and_is_the_same() {
        for id in [1, 0x7f, 0x80, 0x1_0000, i32::MAX as u32] {
            let frame = frame(id, &ada());
            assert_eq!(short(&frame), Some((MessageId(id), ada())));
            assert_eq!(short(&frame), long(&frame));
        }
    }

    #[test]
    fn long_lengths_as_active_directory_writes_them_go_the_short_way() {
        let frame = Bytes::from_static(
            b"\x30\x84\0\0\0\x1d\x02\x01\x02\x64\x84\0\0\0\x14\x04\x04cn=a\x30\x84\0\0\0\x08\x30\x06\x04\x02sn\x31\0",
        );
        assert_eq!(short(&frame), long(&frame));
        assert!(short(&frame).is_some_and(|(_, entry)| entry.has("sn")));
    }

    #[test]
    fn what_is_odd_is_left_to_the_long_way() {
        let whole = frame(1, &ada());
        let mut trailing = whole.to_vec();
        trailing.push(0);
        let fewer = Limits { max_elements: 5, ..Limits::client() };
        assert_eq!(scan(&trailing, &Limits::client()), None);
        assert_eq!(scan(&whole[..whole.len() - 1], &Limits::client()), None);
        assert_eq!(scan(&whole, &fewer), None);
        assert_eq!(scan(b"", &Limits::client()), None);
    }

    proptest! {
        #[test]
        fn whatever_a_byte_is_turned_into_the_short_way_accepts_nothing_that_the_long_way_refuses(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let entry = Entry::builder("cn=a").attribute("cn", ["a", "bc"]).attribute("sn", [""]).build();
            let mut bytes = frame(7, &entry).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let changed = Bytes::from(bytes.clone());
            if let Some(read) = short(&changed) {
                prop_assert_eq!(Some(read), long(&changed));
            }
            bytes.truncate(cut.index(bytes.len()));
            let cut = Bytes::from(bytes);
            if let Some(read) = short(&cut) {
                prop_assert_eq!(Some(read), long(&cut));
            }
        }
    }
}
