use super::{Control, MOST_ITEMS, read_list};
use crate::Entry;
use crate::ber::{Error, ErrorKind, Tag, Writer};

/// The tag of a SearchResultEntry. Some servers send it as the SEQUENCE that it is inside.
const ENTRY: Tag = Tag::application(4).constructed();

macro_rules! read_entry {
    ($(#[$doc:meta])* $name:ident, $oid:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name {
            /// Which attributes; none means all that users set, as in a search.
            pub attributes: Vec<String>,
        }

        impl $name {
            /// The control's OID, in the request and in the answer.
            pub const OID: &'static str = $oid;

            /// These attributes of the entry.
            pub fn of(attributes: impl IntoIterator<Item = impl Into<String>>) -> $name {
                $name { attributes: attributes.into_iter().map(Into::into).collect() }
            }

            /// The control that asks for this. Not critical: a server without it does the operation and shows nothing.
            pub fn to_control(&self) -> Control {
                Control::new($name::OID, Some(selection(&self.attributes)))
            }

            /// Reads the value of a request's control; its OID is not looked at.
            ///
            /// # Errors
            ///
            /// When the value is missing, malformed, or longer than 1024 names; the offset counts within the value.
            pub fn parse(control: &Control) -> Result<$name, Error> {
                Ok($name { attributes: read_selection(control)? })
            }

            /// The answer's control.
            pub fn response(entry: &Entry) -> Control {
                Control::new($name::OID, Some(written(entry)))
            }

            /// The entry in the answer's control; its OID is not looked at.
            ///
            /// # Errors
            ///
            /// When the value is missing or no entry; the offset counts within the value.
            pub fn entry(control: &Control) -> Result<Entry, Error> {
                read(control)
            }
        }

        impl From<$name> for Control {
            fn from(asked: $name) -> Control {
                asked.to_control()
            }
        }
    };
}

read_entry! {
    /// Pre-read (RFC 4527): the answer to a modify, delete or modify DN shows the entry as it was before.
    ///
    /// ```
    /// use ldapgate_proto::{Entry, control::PreRead};
    ///
    /// let asked = PreRead::of(["mail"]);
    /// assert_eq!(PreRead::parse(&asked.to_control())?, asked);
    ///
    /// let entry = Entry::builder("uid=ada").attribute("mail", ["ada@example.com"]).build();
    /// assert_eq!(PreRead::entry(&PreRead::response(&entry))?, entry);
    /// # Ok::<(), ldapgate_proto::ber::Error>(())
    /// ```
    PreRead, "1.3.6.1.1.13.1"
}

read_entry! {
    /// Post-read (RFC 4527): the answer to an add, modify or modify DN shows the entry as it is afterwards, with what the
    /// server itself has put there.
    ///
    /// ```
    /// use ldapgate_proto::control::PostRead;
    ///
    /// let asked = PostRead::of(["entryUUID", "modifyTimestamp"]);
    /// assert_eq!(PostRead::parse(&asked.to_control())?, asked);
    /// # Ok::<(), ldapgate_proto::ber::Error>(())
    /// ```
    PostRead, "1.3.6.1.1.13.2"
}

fn selection(attributes: &[String]) -> bytes::Bytes {
    let mut writer = Writer::new();
    writer.constructed(Tag::SEQUENCE, |writer| {
        attributes.iter().for_each(|name| writer.octets(Tag::OCTETS, name));
    });
    writer.finish()
}

fn read_selection(control: &Control) -> Result<Vec<String>, Error> {
    read_list(control.enter(Tag::SEQUENCE)?, MOST_ITEMS, |list| {
        Ok(list.text(Tag::OCTETS, "attribute")?.to_owned())
    })
}

fn written(entry: &Entry) -> bytes::Bytes {
    let mut writer = Writer::new();
    writer.constructed(ENTRY, |writer| entry.write(writer));
    writer.finish()
}

fn read(control: &Control) -> Result<Entry, Error> {
    let mut outer = control.content(ENTRY)?;
    let at = outer.offset();
    let (tag, content) = outer.any()?;
    if ![ENTRY, Tag::SEQUENCE].contains(&tag) {
        return Err(Error::new(ErrorKind::UnexpectedTag { expected: ENTRY, found: tag }, at));
    }
    outer.finish()?;
    Entry::read(&content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn entry(value: &'static [u8]) -> Result<Entry, Error> {
        PostRead::entry(&Control::new(PostRead::OID, Some(Bytes::from_static(value))))
    }

    #[test]
    fn requests_have_the_bytes_that_ldapsearch_sends() {
        let value = PreRead::of(["cn", "sn"]).to_control().value;
        assert_eq!(value.as_deref(), Some(&b"\x30\x08\x04\x02cn\x04\x02sn"[..]));
        assert_eq!(PostRead::of([""; 0]).to_control().value.as_deref(), Some(&b"\x30\x00"[..]));
    }

    #[test]
    fn an_entry_is_read_under_either_tag() {
        let expected = Entry::builder("cn=a").attribute("sn", ["b"]).build();
        assert_eq!(
            entry(b"\x64\x13\x04\x04cn=a\x30\x0b\x30\x09\x04\x02sn\x31\x03\x04\x01b"),
            Ok(expected.clone())
        );
        assert_eq!(entry(b"\x30\x13\x04\x04cn=a\x30\x0b\x30\x09\x04\x02sn\x31\x03\x04\x01b"), Ok(expected));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for wrong in [
            &b""[..],
            b"\x64\x00",
            b"\x65\x04\x04\x00\x30\x00",
            b"\x64\x04\x04\x00\x30\x00\x00",
            b"\x64\x04\x04\x00\x30\x7f",
        ] {
            assert!(entry(wrong).is_err(), "{wrong:x?}");
        }
        assert!(PreRead::entry(&Control::new(PreRead::OID, None)).is_err());
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let many = PreRead::of(vec!["a"; MOST_ITEMS + 1]).to_control();
        assert_eq!(PreRead::parse(&many).unwrap_err().kind, ErrorKind::TooManyElements { limit: MOST_ITEMS });
    }

    proptest! {
        #[test]
        fn entries_come_back(dn in ".{0,40}", values in proptest::collection::vec(".{0,200}", 0..5)) {
            let entry = Entry::builder(dn).attribute("cn;lang-en", &values).build();
            prop_assert_eq!(PreRead::entry(&PreRead::response(&entry)), Ok(entry.clone()));
            let names = PostRead::of(values);
            prop_assert_eq!(PostRead::parse(&names.to_control()), Ok(names));
        }
    }
}
