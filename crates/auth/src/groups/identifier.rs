//! Active Directory's own word: the identifiers of a person's groups, which the server computes (`tokenGroups`: nested
//! groups of every scope and the primary group), compared with those of the groups that rules name.
//!
//! A token holds security groups alone. Distribution groups are known where the person is in them directly, from
//! `memberOf`; one that a rule names is asked for its members to any depth.

use std::hash::Hash;
use std::time::SystemTime;

use proto::value::Sid;
use proto::{Dn, Filter};

use super::kind::Names;
use super::known::{Identity, Shown};
use super::walk::{Walk, as_it_is};
use super::{chain, kind};
use crate::Error;
use crate::ask::Reader;
use crate::explain::decided;
use crate::remember::Memory;

const TOKEN: &str = "tokenGroups";
/// The bit of `groupType` that makes a security group (MS-ADTS section 2.2.12).
const SECURITY: i64 = 0x8000_0000;

impl Walk<'_> {
    /// False when the server does not say enough, and groups have to be walked.
    pub(super) async fn by_identifiers(&mut self) -> Result<bool, Error> {
        let sids = if self.directory.settings.groups.nested {
            match self.token().await? {
                Some(sids) => sids,
                None => return self.by_chain().await,
            }
        } else {
            kind::primary_group(self.record).into_iter().collect()
        };
        if !self.rules_by_identifier(&sids).await? {
            return Ok(false);
        }
        self.show(&sids).await?;
        Ok(true)
    }

    /// The server's own list for this person. `None` when it is not shown: everybody has at least one group.
    async fn token(&mut self) -> Result<Option<Vec<Sid>>, Error> {
        let wanted = [TOKEN.to_owned()];
        let read = self.reader.read(self.server, &self.record.dn, &wanted, self.observer).await;
        let mut record = match read {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(error) if error.is_withheld() => return Ok(None),
            Err(error) => return Err(error),
        };
        record.complete(&wanted, self.reader, self.server, self.observer).await?;
        let values = record.attributes.values(TOKEN);
        let sids: Vec<Sid> = values.iter().filter_map(|value| Sid::from_wire(value).ok()).collect();
        self.complete &= !record.attributes.is_partial(TOKEN) && sids.len() == values.len();
        decided(
            self.observer,
            "groups",
            format!("{TOKEN} of {}", record.dn),
            format!("{} groups", sids.len()),
        );
        Ok((!sids.is_empty()).then_some(sids))
    }

    /// Which groups of rules are among them.
    async fn rules_by_identifier(&mut self, sids: &[Sid]) -> Result<bool, Error> {
        let directory = self.directory;
        let mut others = Vec::new();
        for group in &directory.rule_groups {
            if self.found.contains_key(group) {
                continue;
            }
            match self.identity(group).await? {
                Some(Identity { sid: Some(sid), .. }) if sids.contains(&sid) => {
                    self.found.insert(group.clone(), None);
                }
                Some(Identity { sid, is_security }) if sid.is_none() || !is_security => others.push(group),
                _ => {}
            }
        }
        if others.is_empty() || !directory.settings.groups.nested {
            return Ok(true);
        }
        if !self.follows_chains().await? {
            return Ok(false);
        }
        let clauses = self.chains().await?;
        for group in others {
            if self.holds(group, &clauses).await? {
                self.found.insert(group.clone(), None);
            }
        }
        Ok(true)
    }

    /// What a group of a rule is; asked for once in a while.
    async fn identity(&mut self, group: &Dn) -> Result<Option<Identity>, Error> {
        let (known, now) = (&self.directory.known, (self.directory.clock)());
        if let Some(identity) = known.rules.recall(group, now) {
            return Ok(identity);
        }
        let wanted = [kind::SID.to_owned(), "groupType".to_owned()];
        let read = self.reader.read(self.server, group, &wanted, self.observer).await?;
        let identity = read.map(|record| {
            let kind = record.attributes.text("groupType").and_then(|text| text.trim().parse::<i64>().ok());
            Identity {
                sid: kind::sid_of(&record.attributes),
                is_security: kind.is_some_and(|kind| kind & SECURITY != 0),
            }
        });
        // An identifier that is not shown may be shown to the next who asks.
        if identity.is_none_or(|identity| identity.sid.is_some()) {
            self.keep(&known.rules, group.clone(), identity, now);
        }
        Ok(identity)
    }

    /// Finds the names of those groups that are shown; the server is asked for what is not known.
    async fn show(&mut self, sids: &[Sid]) -> Result<(), Error> {
        let now = (self.directory.clock)();
        let unknown = self.show_known(sids, now);
        let untold = self.untold(now);
        let mut clauses: Vec<Filter> = unknown.iter().map(chain::of_identifier).collect();
        if !untold.is_empty() {
            clauses.push(Filter::equal("member", self.record.dn.as_str()));
        }
        let before = std::mem::replace(&mut self.complete, true);
        let hits = self.everywhere(&clauses, &as_it_is).await?;
        let known = &self.directory.known;
        for hit in &hits {
            let shown = Shown { dn: hit.dn.clone(), name: hit.name.clone() };
            hit.sid.into_iter().for_each(|sid| self.keep(&known.shown, sid, Some(shown.clone()), now));
            self.keep(&known.told, hit.dn.clone(), hit.name.clone(), now);
        }
        if self.complete {
            let found = |sid: &Sid| hits.iter().any(|hit| hit.sid == Some(*sid));
            unknown.iter().filter(|sid| !found(sid)).for_each(|sid| self.keep(&known.shown, *sid, None, now));
            let told = |dn: &Dn| hits.iter().any(|hit| hit.dn == *dn);
            untold.into_iter().filter(|dn| !told(dn)).for_each(|dn| self.keep(&known.told, dn, None, now));
        }
        self.complete &= before;
        self.note(hits);
        Ok(())
    }

    /// Keeps an answer for others. What somebody cannot see with their own eyes may be there all the same: only the
    /// service account's word that something is not there is kept.
    pub(super) fn keep<Q: Clone + Eq + Hash, A: Clone>(
        &self,
        memory: &Memory<Q, Option<A>>,
        question: Q,
        answer: Option<A>,
        now: SystemTime,
    ) {
        if answer.is_some() || matches!(self.reader, Reader::Service(_)) {
            memory.keep(question, answer, 1, now);
        }
    }

    /// Notes the groups that are known, and returns the others.
    fn show_known(&mut self, sids: &[Sid], now: SystemTime) -> Vec<Sid> {
        let mut unknown = Vec::new();
        for sid in sids {
            match self.directory.known.shown.recall(sid, now) {
                Some(Some(shown)) => {
                    self.found.insert(shown.dn, shown.name);
                }
                Some(None) => {}
                None => unknown.push(*sid),
            }
        }
        unknown
    }

    /// Names the groups that the entry told of, where that is known, and returns the others.
    fn untold(&mut self, now: SystemTime) -> Vec<Dn> {
        if self.names == Names::Known {
            return Vec::new();
        }
        let mut untold = Vec::new();
        for (dn, name) in self.found.iter_mut().filter(|(_, name)| name.is_none()) {
            match self.directory.known.told.recall(dn, now) {
                Some(known) => *name = known,
                None => untold.push(dn.clone()),
            }
        }
        untold
    }
}
