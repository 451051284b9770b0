use super::{Control, read_list};
use crate::ResultCode;
use crate::ber::{Error, Tag, Writer};

/// More keys than anybody sorts by.
const MOST_KEYS: usize = 32;
const RULE: Tag = Tag::context(0);
const REVERSE: Tag = Tag::context(1);
const ATTRIBUTE: Tag = Tag::context(0);

/// Server-side sorting (RFC 2891): a search's entries come in an order.
///
/// ```
/// use ldapgate_proto::control::{ServerSideSort, SortKey};
///
/// let sort = ServerSideSort::by(SortKey::ascending("sn")).then(SortKey::descending("givenName"));
/// assert_eq!(ServerSideSort::parse(&sort.to_control())?, sort);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerSideSort {
    /// By what, the first key first.
    pub keys: Vec<SortKey>,
}

/// One attribute to sort by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The attribute. Entries without it come last.
    pub attribute: String,
    /// The ordering rule's name or OID; the attribute's own when there is none.
    pub rule: Option<String>,
    /// The largest first?
    pub reverse: bool,
}

/// The server's answer to [`ServerSideSort`], with the search's last answer.
///
/// ```
/// use ldapgate_proto::ResultCode;
/// use ldapgate_proto::control::SortResult;
///
/// let unknown = SortResult { code: ResultCode::NO_SUCH_ATTRIBUTE, attribute: Some("shoeSize".to_owned()) };
/// assert_eq!(SortResult::parse(&unknown.to_control())?, unknown);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortResult {
    /// Success: the entries were sorted.
    pub code: ResultCode,
    /// The attribute that could not be sorted by.
    pub attribute: Option<String>,
}

impl ServerSideSort {
    /// The control's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.473";

    /// By this.
    pub fn by(key: SortKey) -> ServerSideSort {
        ServerSideSort { keys: vec![key] }
    }

    /// Where those before are equal, by this.
    #[must_use]
    pub fn then(mut self, key: SortKey) -> ServerSideSort {
        self.keys.push(key);
        self
    }

    /// The control that asks for this. Not critical: a server that cannot sort answers in its own order, and
    /// [`SortResult`] tells.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| self.keys.iter().for_each(|key| key.write(writer)));
        Control::new(ServerSideSort::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing, malformed, or of more than 32 keys; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<ServerSideSort, Error> {
        Ok(ServerSideSort { keys: read_list(control.enter(Tag::SEQUENCE)?, MOST_KEYS, SortKey::read)? })
    }
}

impl SortKey {
    /// The smallest first.
    pub fn ascending(attribute: impl Into<String>) -> SortKey {
        SortKey { attribute: attribute.into(), rule: None, reverse: false }
    }

    /// The largest first.
    pub fn descending(attribute: impl Into<String>) -> SortKey {
        SortKey { reverse: true, ..SortKey::ascending(attribute) }
    }

    /// By another rule than the attribute's own.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> SortKey {
        self.rule = Some(rule.into());
        self
    }

    fn write(&self, writer: &mut Writer) {
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.octets(Tag::OCTETS, &self.attribute);
            if let Some(rule) = &self.rule {
                writer.octets(RULE, rule);
            }
            // The default, false, is left out (RFC 4511 section 5.1).
            if self.reverse {
                writer.boolean(REVERSE, true);
            }
        });
    }

    fn read(list: &mut crate::ber::Reader<'_>) -> Result<SortKey, Error> {
        let mut content = list.enter(Tag::SEQUENCE)?;
        let attribute = content.text(Tag::OCTETS, "attribute")?.to_owned();
        let rule = match content.enter_if(RULE)? {
            Some(rule) => Some(rule.as_text("ordering rule")?.to_owned()),
            None => None,
        };
        let reverse = if content.is_empty() { false } else { content.boolean(REVERSE)? };
        content.finish()?;
        Ok(SortKey { attribute, rule, reverse })
    }
}

impl SortResult {
    /// The control's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.474";

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::ENUMERATED, i64::from(self.code.0));
            if let Some(attribute) = &self.attribute {
                writer.octets(ATTRIBUTE, attribute);
            }
        });
        Control::new(SortResult::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SortResult, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let code = ResultCode(content.unsigned(Tag::ENUMERATED, "sort result")?);
        let attribute = match content.enter_if(ATTRIBUTE)? {
            Some(attribute) => Some(attribute.as_text("attribute")?.to_owned()),
            None => None,
        };
        content.finish()?;
        Ok(SortResult { code, attribute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::ErrorKind;
    use bytes::Bytes;
    use proptest::prelude::*;

    #[test]
    fn keys_have_the_bytes_that_ldapsearch_sends() {
        let sort = ServerSideSort::by(SortKey::ascending("sn"));
        assert_eq!(sort.to_control().value.as_deref(), Some(&b"\x30\x06\x30\x04\x04\x02sn"[..]));
        let sort = ServerSideSort::by(SortKey::ascending("sn").rule("2.5.13.3"))
            .then(SortKey::descending("givenName"));
        let bytes = b"\x30\x20\x30\x0e\x04\x02sn\x80\x082.5.13.3\x30\x0e\x04\tgivenName\x81\x01\xff";
        assert_eq!(sort.to_control().value.as_deref(), Some(&bytes[..]));
    }

    #[test]
    fn a_result_names_the_attribute_or_none() {
        let parse = |value: &'static [u8]| {
            SortResult::parse(&Control::new(SortResult::OID, Some(Bytes::from_static(value))))
        };
        let sorted = SortResult { code: ResultCode::SUCCESS, attribute: None };
        assert_eq!(parse(b"\x30\x03\x0a\x01\x00"), Ok(sorted));
        let code = ResultCode::INAPPROPRIATE_MATCHING;
        let attribute = Some("sn".to_owned());
        assert_eq!(parse(b"\x30\x07\x0a\x01\x12\x80\x02sn"), Ok(SortResult { code, attribute }));
        assert!(parse(b"\x30\x03\x0a\x01\xff").is_err(), "a negative code");
        assert!(parse(b"\x30\x00").is_err());
    }

    #[test]
    fn keys_without_end_are_refused() {
        let sort = ServerSideSort { keys: vec![SortKey::ascending("a"); MOST_KEYS + 1] };
        let error = ServerSideSort::parse(&sort.to_control()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooManyElements { limit: MOST_KEYS });
    }

    proptest! {
        #[test]
        fn every_order_comes_back(keys in proptest::collection::vec((".{0,20}", proptest::option::of(".{0,20}"), any::<bool>()), 0..5)) {
            let keys = keys.into_iter().map(|(attribute, rule, reverse)| SortKey { attribute, rule, reverse }).collect();
            let sort = ServerSideSort { keys };
            prop_assert_eq!(ServerSideSort::parse(&sort.to_control()), Ok(sort));
        }

        #[test]
        fn every_result_comes_back(code in 0..=i32::MAX as u32, attribute in proptest::option::of(".{0,20}")) {
            let result = SortResult { code: ResultCode(code), attribute };
            prop_assert_eq!(SortResult::parse(&result.to_control()), Ok(result));
        }
    }
}
