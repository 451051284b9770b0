//! Attributes with more values than the server hands out at once: the rest is read from the same server, to its end.

use proto::Dn;

use crate::ask::Reader;
use crate::explain::decided;
use crate::record::{Attributes, Record};
use crate::{Error, Observer};

/// Reads for one entry at most.
const ROUNDS: usize = 200;
/// Bytes that are read in addition for one entry at most.
const BYTES: usize = 16 << 20;

/// What one entry may still cost, whatever the server makes of it.
struct Budget {
    rounds: usize,
    bytes: usize,
}

impl Record {
    /// Reads what the server left out of the attributes that were asked for. What cannot be had stays missing, and
    /// [`Attributes::is_partial`] goes on telling.
    ///
    /// # Errors
    /// A read that fails.
    pub(crate) async fn complete(
        &mut self,
        asked: &[String],
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let everything = asked.iter().any(|name| name == "*" || name == "+");
        let mut budget = Budget { rounds: ROUNDS, bytes: BYTES };
        for name in self.attributes.partial() {
            if !everything && !asked.iter().any(|asked| asked.eq_ignore_ascii_case(&name)) {
                continue;
            }
            let attributes = &mut self.attributes;
            if let Err(cut) = budget.complete(&self.dn, attributes, &name, reader, server, observer).await? {
                decided(observer, "read", format!("{name} of {}", self.dn), cut);
            }
        }
        Ok(())
    }
}

impl Budget {
    /// The inner result tells why the rest cannot be had.
    async fn complete(
        &mut self,
        dn: &Dn,
        attributes: &mut Attributes,
        name: &str,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
    ) -> Result<Result<(), String>, Error> {
        while let Some(rest) = attributes.rest(name) {
            let Some(rounds) = self.rounds.checked_sub(1) else {
                return Ok(Err(format!("cut short: more than {ROUNDS} reads for one entry")));
            };
            self.rounds = rounds;
            let Some(part) = reader.read(server, dn, &[rest], observer).await? else {
                return Ok(Err("cut short: the entry is gone".to_owned()));
            };
            let size: usize = part.attributes.values(name).iter().map(Vec::len).sum();
            let Some(bytes) = self.bytes.checked_sub(size) else {
                return Ok(Err(format!("cut short: more than {BYTES} bytes for one entry")));
            };
            self.bytes = bytes;
            if let Err(error) = attributes.append(name, part.attributes) {
                return Ok(Err(format!("cut short: {error}")));
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use client::{Options, Pool};
    use directory::{Dialect, Directory, Limits};

    use super::*;
    use crate::Silent;

    /// A group with so many values in each of two attributes, on a server that hands them out one by one.
    async fn long_entry(values: usize) -> (Directory, directory::Running, Pool, Record) {
        let mut ldif = "dn: cn=long,dc=example\nobjectClass: group\ncn: long\n".to_owned();
        for number in 0..values {
            ldif += &format!("member: cn=m{number},dc=example\nuniqueMember: cn=u{number},dc=example\n");
        }
        let limits = Limits { values: 1, ..Limits::default() };
        let clock: directory::Clock = Arc::new(|| SystemTime::UNIX_EPOCH);
        let directory = Directory::builder(clock).dialect(Dialect::ActiveDirectory).limits(limits);
        let directory = directory.ldif(&ldif).expect("good LDIF").build();
        let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let running = directory.serve(listener).await;
        let pool = Pool::lazy(Options::new([running.url()]).expect("a good URL"));
        let mut reader = Reader::Service(pool.server().await.expect("it is there"));
        let dn = Dn::parse("cn=long,dc=example").unwrap();
        let both = ["member".to_owned(), "uniqueMember".to_owned()];
        let record = reader.read("", &dn, &both, &Silent).await.expect("it answers").expect("it is there");
        (directory, running, pool, record)
    }

    #[tokio::test]
    async fn only_what_was_asked_for_is_read_to_its_end() {
        let (directory, _running, pool, mut record) = long_entry(3).await;
        let mut reader = Reader::Service(pool.server().await.expect("it is there"));
        let before = directory.operations().len();
        record.complete(&["MEMBER".to_owned()], &mut reader, "", &Silent).await.unwrap();
        assert_eq!(record.attributes.values("member").len(), 3);
        assert!(record.attributes.is_partial("uniqueMember"));
        assert_eq!(directory.operations().len() - before, 2);
    }

    #[tokio::test]
    async fn one_entry_has_one_budget_however_many_attributes_it_spreads_over() {
        let (directory, _running, pool, mut record) = long_entry(ROUNDS - 50).await;
        let mut reader = Reader::Service(pool.server().await.expect("it is there"));
        let before = directory.operations().len();
        record.complete(&["*".to_owned()], &mut reader, "", &Silent).await.unwrap();
        assert_eq!(directory.operations().len() - before, ROUNDS);
        let partial = ["member", "uniqueMember"].map(|name| record.attributes.is_partial(name));
        assert_eq!(partial, [false, true]);
    }
}
