use super::Control;
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use bytes::Bytes;

/// Simple paged results (RFC 2696): a search that is answered in pages.
///
/// The same form goes both ways: the client asks for so many entries and returns the cookie of the page before, the
/// server estimates how many there are in all and gives the cookie of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagedResults {
    /// In a request the entries wanted, in a response the server's estimate of all, 0 when it has none.
    pub size: u32,
    /// Where to go on; empty in the first request and in the last response.
    pub cookie: Bytes,
}

impl PagedResults {
    /// The control's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.319";

    /// Asks for a page. Not critical: a server without paging answers with everything.
    pub fn request(size: u32, cookie: &[u8]) -> Control {
        PagedResults { size, cookie: Bytes::copy_from_slice(cookie) }.to_control()
    }

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, i64::from(self.size));
            writer.octets(Tag::OCTETS, &self.cookie);
        });
        Control { oid: PagedResults::OID.to_owned(), critical: false, value: Some(writer.finish()) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<PagedResults, Error> {
        let Some(value) = &control.value else {
            return Err(Error::new(ErrorKind::Missing(Tag::SEQUENCE), 0));
        };
        let mut content = Reader::new(value).enter(Tag::SEQUENCE)?;
        let size = content.unsigned(Tag::INTEGER, "page size")?;
        Ok(PagedResults { size, cookie: content.shared(Tag::OCTETS)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_has_these_bytes() {
        let control = PagedResults::request(500, b"");
        assert_eq!(control.value.unwrap(), &[0x30, 0x06, 0x02, 0x02, 0x01, 0xf4, 0x04, 0x00][..]);
    }

    #[test]
    fn a_cookie_comes_back_as_it_was() {
        let page = PagedResults { size: 0, cookie: Bytes::from_static(&[0, 1, 0xff]) };
        assert_eq!(PagedResults::parse(&page.to_control()), Ok(page));
    }

    #[test]
    fn a_value_that_is_missing_or_cut_is_an_error() {
        let mut control = PagedResults::request(1, b"");
        control.value = Some(Bytes::from_static(&[0x30, 0x03, 0x02, 0x01, 0x01]));
        assert_eq!(PagedResults::parse(&control), Err(Error::new(ErrorKind::Missing(Tag::OCTETS), 5)));
        control.value = None;
        assert!(PagedResults::parse(&control).is_err());
    }
}
