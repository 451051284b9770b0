//! Active Directory's rule for chains: the server itself follows groups in groups, to any depth and through circles.

use proto::filter::IN_CHAIN;
use proto::oid::ACTIVE_DIRECTORY_2008;
use proto::value::Sid;
use proto::{Dn, Filter, Scope};

use super::kind;
use super::walk::{Walk, as_it_is};
use crate::Error;

impl Walk<'_> {
    /// All groups by the server's own rule. False when it has none.
    pub(super) async fn by_chain(&mut self) -> Result<bool, Error> {
        if !self.follows_chains().await? {
            return Ok(false);
        }
        let directory = self.directory;
        let clauses = self.chains().await?;
        let hits = self.everywhere(&clauses, &as_it_is).await?;
        self.note(hits);
        for group in &directory.rule_groups {
            if !self.is_answered(group) && self.holds(group, &clauses).await? {
                self.found.insert(group.clone(), None);
            }
        }
        Ok(true)
    }

    /// Is it at least Windows Server 2008, which has the rule? Asked for once. A server without it would not refuse the rule
    /// but find nothing, and a deny would let everybody through.
    pub(super) async fn follows_chains(&mut self) -> Result<bool, Error> {
        let known = &self.directory.known;
        if let Some(follows) = known.follows_chains.get() {
            return Ok(*follows);
        }
        let root = self.reader.read_root(self.server, "supportedCapabilities", self.observer).await?;
        let follows = root
            .is_some_and(|root| root.texts("supportedCapabilities").any(|oid| oid == ACTIVE_DIRECTORY_2008));
        Ok(*known.follows_chains.get_or_init(|| follows))
    }

    /// What a group matches that has this person, at any depth. No chain passes through the primary group, which lists
    /// nobody whose primary group it is.
    pub(super) async fn chains(&mut self) -> Result<Vec<Filter>, Error> {
        let mut clauses = vec![through(&self.record.dn)];
        if let Some(primary) = kind::primary_group(self.record) {
            clauses.push(of_identifier(&primary));
            clauses.extend(self.place_of(primary).await?.as_ref().map(through));
        }
        Ok(clauses)
    }

    /// Where a primary group lies, be it shown or not; asked for once in a while.
    async fn place_of(&mut self, sid: Sid) -> Result<Option<Dn>, Error> {
        let directory = self.directory;
        let now = (directory.clock)();
        if let Some(place) = directory.known.places.recall(&sid, now) {
            return Ok(place);
        }
        let base = &directory.settings.base;
        let hits = self.query(base, Scope::Subtree, of_identifier(&sid), 1).await?;
        let place = hits.records.into_iter().map(|record| record.dn).next();
        self.complete &= place.is_some() || !hits.truncated;
        self.keep(&directory.known.places, sid, place.clone(), now);
        Ok(place)
    }
}

/// The group with this identifier.
pub(super) fn of_identifier(sid: &Sid) -> Filter {
    Filter::equal(kind::SID, sid.to_wire())
}

fn through(member: &Dn) -> Filter {
    Filter::extensible("member", IN_CHAIN, member.as_str())
}
