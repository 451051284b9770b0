/// How what follows a bind is protected by the mechanism itself, apart from TLS (RFC 4752 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Not at all: the right choice inside TLS, where Active Directory takes no other.
    None,
    /// Signed: a change on the way is found, but whoever listens reads everything.
    Integrity,
    /// Signed and encrypted.
    Confidentiality,
}
