use super::Control;
use crate::ResultCode;
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use bytes::Bytes;

const BY_OFFSET: Tag = Tag::context(0).constructed();
const BY_VALUE: Tag = Tag::context(1);

/// Virtual list view (draft-ietf-ldapext-ldapv3-vlv): a window into a sorted result, such as the rows that a table shows. It
/// goes with [`ServerSideSort`](super::ServerSideSort).
///
/// ```
/// use ldapgate_proto::control::{VirtualListView, ViewTarget};
///
/// let view = VirtualListView::around(ViewTarget::Offset { offset: 21, count: 0 }, 0, 19);
/// assert_eq!(VirtualListView::parse(&view.to_control())?, view);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VirtualListView {
    /// So many entries before the target.
    pub before: u32,
    /// So many entries after the target.
    pub after: u32,
    /// Where the window is.
    pub target: ViewTarget,
    /// What the server gave with its last answer.
    pub context: Option<Bytes>,
}

/// The entry that a view is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ViewTarget {
    /// By its place.
    Offset {
        /// The first entry is 1.
        offset: u32,
        /// How many the client believes there are; 0: it does not know.
        count: u32,
    },
    /// The first whose sort key is not before this value.
    NotBefore(Bytes),
}

/// The server's answer to [`VirtualListView`], with the search's last answer.
///
/// ```
/// use ldapgate_proto::ResultCode;
/// use ldapgate_proto::control::VirtualListViewResult;
///
/// let result = VirtualListViewResult { position: 21, count: 300, code: ResultCode::SUCCESS, context: None };
/// assert_eq!(VirtualListViewResult::parse(&result.to_control())?, result);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VirtualListViewResult {
    /// The target's place.
    pub position: u32,
    /// How many entries there are.
    pub count: u32,
    /// How it ended.
    pub code: ResultCode,
    /// To be sent with the next request.
    pub context: Option<Bytes>,
}

impl VirtualListView {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.9";

    /// The target, with so many entries before and after it.
    pub fn around(target: ViewTarget, before: u32, after: u32) -> VirtualListView {
        VirtualListView { before, after, target, context: None }
    }

    /// The control that asks for this. Critical: everything is no answer to a question for a window.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, i64::from(self.before));
            writer.integer(Tag::INTEGER, i64::from(self.after));
            match &self.target {
                ViewTarget::Offset { offset, count } => writer.constructed(BY_OFFSET, |writer| {
                    writer.integer(Tag::INTEGER, i64::from(*offset));
                    writer.integer(Tag::INTEGER, i64::from(*count));
                }),
                ViewTarget::NotBefore(value) => writer.octets(BY_VALUE, value),
            }
            self.context.iter().for_each(|context| writer.octets(Tag::OCTETS, context));
        });
        Control::new(VirtualListView::OID, Some(writer.finish())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<VirtualListView, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let before = content.unsigned(Tag::INTEGER, "entries before")?;
        let after = content.unsigned(Tag::INTEGER, "entries after")?;
        let at = content.offset();
        let (tag, inner) = content.any()?;
        let target = match tag {
            BY_OFFSET => read_offset(inner)?,
            BY_VALUE => ViewTarget::NotBefore(inner.rest_shared()),
            found => return Err(Error::new(ErrorKind::Unknown { what: "target of a view", found }, at)),
        };
        let context = content.enter_if(Tag::OCTETS)?.map(|context| context.rest_shared());
        content.finish()?;
        Ok(VirtualListView { before, after, target, context })
    }
}

fn read_offset(mut content: Reader<'_>) -> Result<ViewTarget, Error> {
    let offset = content.unsigned(Tag::INTEGER, "offset")?;
    let count = content.unsigned(Tag::INTEGER, "content count")?;
    content.finish()?;
    Ok(ViewTarget::Offset { offset, count })
}

impl VirtualListViewResult {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.10";

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, i64::from(self.position));
            writer.integer(Tag::INTEGER, i64::from(self.count));
            writer.integer(Tag::ENUMERATED, i64::from(self.code.0));
            self.context.iter().for_each(|context| writer.octets(Tag::OCTETS, context));
        });
        Control::new(VirtualListViewResult::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<VirtualListViewResult, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let position = content.unsigned(Tag::INTEGER, "target position")?;
        let count = content.unsigned(Tag::INTEGER, "content count")?;
        let code = ResultCode(content.unsigned(Tag::ENUMERATED, "view result")?);
        let context = content.enter_if(Tag::OCTETS)?.map(|context| context.rest_shared());
        content.finish()?;
        Ok(VirtualListViewResult { position, count, code, context })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_targets_have_the_bytes_that_ldapsearch_sends() {
        let view = VirtualListView::around(ViewTarget::Offset { offset: 3, count: 4 }, 1, 2);
        let bytes = b"\x30\x0e\x02\x01\x01\x02\x01\x02\xa0\x06\x02\x01\x03\x02\x01\x04";
        assert_eq!(view.to_control().value.as_deref(), Some(&bytes[..]));
        let view = VirtualListView::around(ViewTarget::NotBefore("ab".into()), 1, 2);
        let bytes = b"\x30\x0a\x02\x01\x01\x02\x01\x02\x81\x02ab";
        assert_eq!(view.to_control().value.as_deref(), Some(&bytes[..]));
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        for value in [
            "",
            "\x30\x06\x02\x01\x01\x02\x01\x02",
            "\x30\x08\x02\x01\x01\x02\x01\x02\x02\x00",
            "\x30\x0a\x02\x01\x01\x02\x01\x02\x04\x02ab",
        ] {
            assert!(VirtualListView::parse(&Control::new("", Some(value.into()))).is_err(), "{value:?}");
            assert!(
                VirtualListViewResult::parse(&Control::new("", Some(value.into()))).is_err(),
                "{value:?}"
            );
        }
    }

    fn number() -> impl Strategy<Value = u32> {
        0..=i32::MAX as u32
    }

    fn octets() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
    }

    fn target() -> impl Strategy<Value = ViewTarget> {
        let offset = (number(), number());
        prop_oneof![
            offset.prop_map(|(offset, count)| ViewTarget::Offset { offset, count }),
            octets().prop_map(ViewTarget::NotBefore)
        ]
    }

    proptest! {
        #[test]
        fn every_view_comes_back(before in number(), after in number(), target in target(), context in proptest::option::of(octets())) {
            let view = VirtualListView { before, after, target, context };
            prop_assert_eq!(VirtualListView::parse(&view.to_control()), Ok(view));
        }

        #[test]
        fn every_result_comes_back(position in number(), count in number(), code in number(), context in proptest::option::of(octets())) {
            let result = VirtualListViewResult { position, count, code: ResultCode(code), context };
            prop_assert_eq!(VirtualListViewResult::parse(&result.to_control()), Ok(result));
        }
    }
}
