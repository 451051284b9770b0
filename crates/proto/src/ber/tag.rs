use std::fmt;

/// The one octet that says what an element is: class, form and number.
///
/// ```
/// use ldapgate_proto::ber::Tag;
///
/// assert_eq!(Tag::context(3).constructed(), Tag(0xa3));
/// assert_eq!(Tag::SEQUENCE.to_string(), "0x30");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u8);

impl Tag {
    /// BOOLEAN
    pub const BOOLEAN: Tag = Tag(0x01);
    /// INTEGER
    pub const INTEGER: Tag = Tag(0x02);
    /// OCTET STRING, which is also every kind of LDAPString
    pub const OCTETS: Tag = Tag(0x04);
    /// NULL
    pub const NULL: Tag = Tag(0x05);
    /// ENUMERATED
    pub const ENUMERATED: Tag = Tag(0x0a);
    /// SEQUENCE and SEQUENCE OF
    pub const SEQUENCE: Tag = Tag(0x30);
    /// SET OF
    pub const SET: Tag = Tag(0x31);

    /// A primitive tag of the context class; `number` is at most 30.
    pub const fn context(number: u8) -> Tag {
        Tag(0x80 | (number & 0x1f))
    }

    /// A primitive tag of the application class; `number` is at most 30.
    pub const fn application(number: u8) -> Tag {
        Tag(0x40 | (number & 0x1f))
    }

    /// The same tag in constructed form, whose content is a series of elements.
    pub const fn constructed(self) -> Tag {
        Tag(self.0 | 0x20)
    }

    /// Is the content a series of elements?
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}
