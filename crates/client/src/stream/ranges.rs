//! Attributes with more values than the server hands out at once, read to their end (MS-ADTS section 3.1.1.3.1.3.3).

use std::collections::HashMap;

use bytes::Bytes;
use proto::message::Attribute;
use proto::{Controls, Entry, Range};

use crate::{Connection, Error};

/// Reads for one entry at most.
const ROUNDS: u32 = 10_000;

/// An entry of which some values are missing.
pub(super) struct Partial {
    dn: String,
    attributes: Vec<Gathered>,
    /// How many of them, from the first on, are known to be whole.
    whole: usize,
    controls: Controls,
    /// Where it came from.
    pub(super) connection: Connection,
    rounds: u32,
    bytes: usize,
}

struct Gathered {
    name: String,
    values: Vec<Bytes>,
    /// Which of its values are there; `None`: they have to be asked for from the beginning on.
    held: Option<Range>,
}

const WHOLE: Range = Range { first: 0, last: None };

impl Partial {
    /// `Err` gives a whole entry back.
    pub(super) fn new(
        entry: Entry,
        controls: Controls,
        connection: &Connection,
    ) -> Result<Partial, (Entry, Controls)> {
        if !entry.attributes().any(|attribute| Range::split(attribute.name()).is_some()) {
            return Err((entry, controls));
        }
        let mut partial = Partial {
            dn: entry.dn().to_owned(),
            attributes: Vec::new(),
            whole: 0,
            controls,
            connection: connection.clone(),
            rounds: 0,
            bytes: entry.size(),
        };
        let mut places = HashMap::new();
        for attribute in entry.attributes() {
            let (name, range) = Range::split(attribute.name()).unwrap_or((attribute.name(), WHOLE));
            partial.begin(&mut places, name, range, values(&attribute));
        }
        Ok(partial)
    }

    /// What is to be asked for next: the entry, and an attribute's description.
    pub(super) fn wanted(&self) -> Option<(&str, String)> {
        let attribute = self.attributes[self.whole..].iter().find(|attribute| attribute.rest().is_some())?;
        Some((&self.dn, attribute.rest()?.of(&attribute.name)))
    }

    /// Takes what was asked for; `limit` is on the bytes of the whole entry.
    pub(super) fn join(&mut self, part: Option<Entry>, limit: usize) -> Result<(), Error> {
        let Partial { dn, attributes, whole, connection, rounds, bytes, .. } = self;
        let rest = &mut attributes[*whole..];
        let Some(place) = rest.iter().position(|attribute| attribute.rest().is_some()) else {
            return Ok(());
        };
        *whole += place;
        let attribute = &mut rest[place];
        *rounds += 1;
        *bytes += part.as_ref().map_or(0, Entry::size);
        if *bytes > limit {
            return Err(Error::TooLarge { base: dn.clone(), limit });
        }
        let joined = part.filter(|_| *rounds <= ROUNDS).and_then(|part| attribute.join(&part));
        joined.ok_or_else(|| Error::CutShort {
            url: connection.url().to_owned(),
            dn: dn.clone(),
            attribute: attribute.name.clone(),
        })
    }

    pub(super) fn whole(self) -> (Entry, Controls) {
        let entry = self.attributes.iter().fold(Entry::builder(self.dn), |entry, attribute| {
            entry.attribute(&attribute.name, &attribute.values)
        });
        (entry.build(), self.controls)
    }

    /// `places` are those of the attributes by their names in lower case.
    fn begin(&mut self, places: &mut HashMap<String, usize>, name: &str, range: Range, values: Vec<Bytes>) {
        let mut begun = Gathered { name: name.to_owned(), values: Vec::new(), held: None };
        begun.start(range, values);
        let place = *places.entry(name.to_ascii_lowercase()).or_insert(self.attributes.len());
        match self.attributes.get_mut(place) {
            // Active Directory sends the attribute without values beside the one with a range.
            Some(known) if known.values.is_empty() => *known = begun,
            Some(_) if begun.values.is_empty() => {}
            _ => self.attributes.push(begun),
        }
    }
}

impl Gathered {
    /// The first part; one from the middle is of no use.
    fn start(&mut self, range: Range, values: Vec<Bytes>) -> Option<()> {
        if range.first == 0
            && range.last.is_none_or(|last| values.len().checked_sub(1) == usize::try_from(last).ok())
        {
            self.held = Some(range);
            self.values = values;
            return Some(());
        }
        None
    }

    fn rest(&self) -> Option<Range> {
        self.held.map_or(Some(WHOLE), Range::rest)
    }

    /// `None`: the server did not send what follows.
    fn join(&mut self, part: &Entry) -> Option<()> {
        let (next, values) = part.attributes().find_map(|attribute| {
            let (name, range) = Range::split(attribute.name()).unwrap_or((attribute.name(), WHOLE));
            let mine = name.eq_ignore_ascii_case(&self.name)
                && (range != WHOLE || attribute.values().next().is_some());
            mine.then(|| (range, values(&attribute)))
        })?;
        let Some(held) = self.held else { return self.start(next, values) };
        self.held = Some(held.joined(self.values.len(), next, values.len()).ok()?);
        self.values.extend(values);
        Some(())
    }
}

/// Copies, because they outlive the frame that they came in.
fn values(attribute: &Attribute<'_>) -> Vec<Bytes> {
    attribute.values().map(Bytes::copy_from_slice).collect()
}
