use super::{Error, ErrorKind, Limits, Tag, reader};

/// A message, its operation, and what an operation puts around and below a filter.
const AROUND_A_FILTER: usize = 7;
const DEEPEST: usize = 128;

/// The length of the frame that starts at `buffered[0]`, header included; `None` as long as the header is incomplete.
///
/// Nothing but the header needs to be there: a frame that is too long is refused before any more of it is buffered.
///
/// # Errors
///
/// When no LDAP message can start like this, or when it would be longer than [`Limits::max_frame`].
pub fn frame_length(buffered: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
    let Some(&first) = buffered.first() else { return Ok(None) };
    if Tag(first) != Tag::SEQUENCE {
        let kind = ErrorKind::UnexpectedTag { expected: Tag::SEQUENCE, found: Tag(first) };
        return Err(Error::new(kind, 0));
    }
    let header = match reader::header(buffered, 0, usize::MAX) {
        Ok(header) => header,
        Err(Error { kind: ErrorKind::Truncated, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = header.content.saturating_add(header.length);
    if length > limits.max_frame {
        return Err(Error::new(ErrorKind::FrameTooLong { length, limit: limits.max_frame }, 0));
    }
    Ok(Some(length))
}

/// Walks every element of a frame: lengths add up, nothing is nested too deep, there are not too many.
///
/// # Errors
///
/// The first fault in the order of the bytes.
pub fn check(frame: &[u8], limits: &Limits) -> Result<(), Error> {
    let deepest = limits.max_depth.saturating_add(AROUND_A_FILTER).min(DEEPEST - 1);
    let mut ends = [0_usize; DEEPEST];
    ends[0] = frame.len();
    let (mut depth, mut position, mut elements) = (0, 0, 0);
    loop {
        while position == ends[depth] {
            if depth == 0 {
                return Ok(());
            }
            depth -= 1;
        }
        elements += 1;
        if elements > limits.max_elements {
            let limit = limits.max_elements;
            return Err(Error::new(ErrorKind::TooManyElements { limit }, position));
        }
        let header = reader::header(frame, position, ends[depth])?;
        let end = header.end(ends[depth], position)?;
        if !header.tag.is_constructed() {
            position = end;
            continue;
        }
        if depth == deepest {
            return Err(Error::new(ErrorKind::TooDeep { limit: limits.max_depth }, position));
        }
        depth += 1;
        ends[depth] = end;
        position = header.content;
    }
}
