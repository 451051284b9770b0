//! Definitions as text, as RFC 4512 section 4.1 writes them.

use std::fmt::{self, Formatter};

use super::Extension;

pub(super) fn names(f: &mut Formatter<'_>, names: &[String]) -> fmt::Result {
    match names {
        [] => Ok(()),
        [name] => write!(f, " NAME '{}'", Escaped(name)),
        several => {
            f.write_str(" NAME (")?;
            several.iter().try_for_each(|name| write!(f, " '{}'", Escaped(name)))?;
            f.write_str(" )")
        }
    }
}

pub(super) fn description(f: &mut Formatter<'_>, text: Option<&str>) -> fmt::Result {
    text.map_or(Ok(()), |text| write!(f, " DESC '{}'", Escaped(text)))
}

pub(super) fn flag(f: &mut Formatter<'_>, keyword: &str, set: bool) -> fmt::Result {
    if set { write!(f, " {keyword}") } else { Ok(()) }
}

pub(super) fn oid(f: &mut Formatter<'_>, keyword: &str, oid: Option<&str>) -> fmt::Result {
    oid.map_or(Ok(()), |oid| write!(f, " {keyword} {}", Oid(oid)))
}

pub(super) fn oids(f: &mut Formatter<'_>, keyword: &str, oids: &[String]) -> fmt::Result {
    match oids {
        [] => Ok(()),
        [oid] => write!(f, " {keyword} {}", Oid(oid)),
        [first, more @ ..] => {
            write!(f, " {keyword} ( {}", Oid(first))?;
            more.iter().try_for_each(|oid| write!(f, " $ {}", Oid(oid)))?;
            f.write_str(" )")
        }
    }
}

pub(super) fn extensions(f: &mut Formatter<'_>, extensions: &[Extension]) -> fmt::Result {
    for (place, extension) in extensions.iter().enumerate() {
        write!(f, " {}", extension.name)?;
        let next = extensions.get(place + 1);
        match &extension.values[..] {
            // A word that is no keyword would be read as this one's value.
            [] if next.is_some_and(|next| !super::parse::is_keyword(&next.name)) => f.write_str(" ( )")?,
            [] => {}
            [value] => write!(f, " '{}'", Escaped(value))?,
            several => {
                f.write_str(" (")?;
                several.iter().try_for_each(|value| write!(f, " '{}'", Escaped(value)))?;
                f.write_str(" )")?;
            }
        }
    }
    Ok(())
}

/// An OID or a name: quoted only where it would not be read as one otherwise.
pub(super) struct Oid<'t>(pub(super) &'t str);

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b';');
        if self.0.bytes().all(plain) && !super::parse::is_keyword(self.0) {
            return f.write_str(self.0);
        }
        write!(f, "'{}'", Escaped(self.0))
    }
}

struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['\'', '\\']) {
            match piece.as_bytes().last() {
                Some(b'\'') => write!(f, "{}\\27", &piece[..piece.len() - 1])?,
                Some(b'\\') => write!(f, "{}\\5C", &piece[..piece.len() - 1])?,
                _ => f.write_str(piece)?,
            }
        }
        Ok(())
    }
}
