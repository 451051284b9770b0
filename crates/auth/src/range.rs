//! Attributes with more values than the server hands out at once: the rest is read from the same server, to its end.

use proto::Dn;

use crate::ask::Reader;
use crate::explain::decided;
use crate::record::{Attributes, Record};
use crate::{Error, Observer};

/// Reads for one attribute at most.
const ROUNDS: usize = 200;
/// Bytes of one attribute at most.
const BYTES: usize = 16 << 20;

impl Record {
    /// Reads what the server left out. What cannot be had stays missing, and [`Attributes::is_partial`] goes on telling.
    ///
    /// # Errors
    /// A read that fails.
    pub(crate) async fn complete(
        &mut self,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        for name in self.attributes.partial() {
            if let Err(cut) =
                complete(&self.dn, &mut self.attributes, &name, reader, server, observer).await?
            {
                decided(observer, "read", format!("{name} of {}", self.dn), cut);
            }
        }
        Ok(())
    }
}

/// The inner result tells why the rest cannot be had.
async fn complete(
    dn: &Dn,
    attributes: &mut Attributes,
    name: &str,
    reader: &mut Reader,
    server: &str,
    observer: &dyn Observer,
) -> Result<Result<(), String>, Error> {
    for _ in 0..ROUNDS {
        let Some(rest) = attributes.rest(name) else { return Ok(Ok(())) };
        if attributes.values(name).iter().map(Vec::len).sum::<usize>() > BYTES {
            return Ok(Err(format!("cut short: more than {BYTES} bytes")));
        }
        let Some(part) = reader.read(server, dn, &[rest], observer).await? else {
            return Ok(Err("cut short: the entry is gone".to_owned()));
        };
        if let Err(error) = attributes.append(name, part.attributes) {
            return Ok(Err(format!("cut short: {error}")));
        }
    }
    Ok(Err(format!("cut short: more than {ROUNDS} reads")))
}
