use super::{Control, MOST_ITEMS, read_list};
use crate::Filter;
use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};

/// Matched values (RFC 3876): of each entry only the values that match one of these filters come back.
///
/// A filter here is one comparison: the control has no `&`, `|` or `!`, so it is made from one, or from an `|` of several.
///
/// ```
/// use ldapgate_proto::Filter;
/// use ldapgate_proto::control::MatchedValues;
///
/// let mail = Filter::parse("(|(mail=*@example.com)(telephoneNumber=+49*))").expect("it is a filter");
/// let matched = MatchedValues::new(mail).expect("it is an | of comparisons");
/// assert_eq!(matched.filters().len(), 2);
/// assert_eq!(MatchedValues::parse(&matched.to_control())?, matched);
/// assert!(MatchedValues::new(!Filter::present("mail")).is_err());
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedValues {
    filters: Vec<Filter>,
}

/// A filter that is more than an `|` of comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("matched values know single comparisons only, without &, ! and :dn")]
pub struct NotSimple;

impl MatchedValues {
    /// The control's OID.
    pub const OID: &'static str = "1.2.826.0.1.3344810.2.3";

    /// Values that match this comparison, or one of these.
    ///
    /// # Errors
    ///
    /// When it is more than that.
    pub fn new(filter: Filter) -> Result<MatchedValues, NotSimple> {
        let filters = match filter {
            Filter::Or(filters) => filters,
            one => vec![one],
        };
        if !filters.iter().all(is_simple) {
            return Err(NotSimple);
        }
        Ok(MatchedValues { filters })
    }

    /// The comparisons.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// The control that asks for this. Not critical: a server without it sends all values.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer
            .constructed(Tag::SEQUENCE, |writer| self.filters.iter().for_each(|filter| filter.write(writer)));
        Control::new(MatchedValues::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing, malformed, of more than 1024 filters, or has one that is no single comparison; the offset
    /// counts within the value.
    pub fn parse(control: &Control) -> Result<MatchedValues, Error> {
        let filters = read_list(control.enter(Tag::SEQUENCE)?, MOST_ITEMS, read_simple)?;
        Ok(MatchedValues { filters })
    }
}

fn read_simple(list: &mut Reader<'_>) -> Result<Filter, Error> {
    // One level: what nests is refused before it is read.
    let limits = Limits { max_depth: 1, ..Limits::server() };
    let at = list.offset();
    let filter = Filter::read(list, &limits)?;
    if !is_simple(&filter) {
        return Err(Error::new(ErrorKind::Invalid("a filter that is no single comparison"), at));
    }
    Ok(filter)
}

fn is_simple(filter: &Filter) -> bool {
    match filter {
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => false,
        Filter::Extensible { dn_attributes, .. } => !dn_attributes,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn parse(value: &'static [u8]) -> Result<MatchedValues, Error> {
        MatchedValues::parse(&Control::new(MatchedValues::OID, Some(Bytes::from_static(value))))
    }

    #[test]
    fn it_has_the_bytes_that_ldapsearch_sends() {
        let bytes = b"\x30\x12\x87\x04mail\xa4\x0a\x04\x03uid\x30\x03\x80\x01a";
        let matched = MatchedValues::new(Filter::parse("(|(mail=*)(uid=a*))").unwrap()).unwrap();
        assert_eq!(matched.to_control().value.as_deref(), Some(&bytes[..]));
        assert_eq!(parse(bytes), Ok(matched));
    }

    #[test]
    fn every_kind_of_comparison_comes_back_and_nothing_else_is_taken() {
        for text in ["(a=b)", "(a=b*)", "(a>=1)", "(a<=1)", "(a=*)", "(a~=b)", "(a:2.5.13.2:=b)", "(|)"] {
            let matched = MatchedValues::new(Filter::parse(text).unwrap()).expect(text);
            assert_eq!(MatchedValues::parse(&matched.to_control()), Ok(matched), "{text}");
        }
        for text in ["(&(a=b))", "(!(a=b))", "(|(|(a=b)))", "(a:dn:=b)"] {
            assert_eq!(MatchedValues::new(Filter::parse(text).unwrap()), Err(NotSimple), "{text}");
        }
        assert!(parse(b"\x30\x05\xa2\x03\x87\x01a").is_err(), "a negation");
        assert!(parse(b"\x30\x02\xa0\x00").is_err(), "an empty and");
        assert!(parse(b"\x30\x0b\xa9\x09\x82\x01a\x83\x01b\x84\x01\xff").is_err(), "the DN's attributes");
    }
}
