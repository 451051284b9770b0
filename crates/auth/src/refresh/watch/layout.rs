//! What is watched: people where a login finds them, groups wherever they count.

use client::Search;
use proto::{Dn, Filter, Scope};

use crate::groups::Watched;
use crate::refresh::place::places;
use crate::{Settings, groups};

/// Every search that is watched.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) streams: Vec<StreamOf>,
    /// What makes an entry a group, and what is kept of it.
    pub(super) groups: Watched,
    /// The attribute that holds people's keys.
    pub(super) key: String,
}

/// One search.
#[derive(Debug, Clone)]
pub(super) struct StreamOf {
    pub(super) what: What,
    base: Dn,
    scope: Scope,
    filter: Filter,
    attributes: Vec<String>,
}

/// What an entry of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    People,
    Groups,
}

impl Layout {
    pub(super) fn of(settings: &Settings) -> Layout {
        let key = settings.user.id_attribute.clone();
        let groups = groups::watched(settings);
        let people = places(settings).into_iter().map(|place| StreamOf {
            what: What::People,
            base: place.base,
            scope: place.scope,
            filter: place.filter.unwrap_or_else(|| Filter::present(&settings.user.username_attribute)),
            attributes: vec![key.clone()],
        });
        let filter = groups.filter();
        let places = filter.iter().flat_map(|_| groups::places_of_groups(settings));
        let of_groups = places.map(|(base, scope)| StreamOf {
            what: What::Groups,
            base,
            scope,
            filter: filter.clone().unwrap_or_else(|| Filter::Or(Vec::new())),
            attributes: groups.attributes(),
        });
        Layout { streams: people.chain(of_groups).collect(), groups, key }
    }

    /// The names below which everything of it lies, each once.
    pub(super) fn bases(&self) -> Vec<Dn> {
        let mut bases: Vec<Dn> = self.streams.iter().map(|stream| stream.base.clone()).collect();
        bases.sort();
        bases.dedup();
        let all = bases.clone();
        bases.retain(|base| !all.iter().any(|other| base.is_below(other)));
        bases
    }
}

impl StreamOf {
    pub(super) fn search(&self) -> Search {
        Search::below(self.base.as_str())
            .scope(self.scope)
            .matching(self.filter.clone())
            .attributes(&self.attributes)
            .keep_referrals()
    }

    pub(super) fn base(&self) -> &Dn {
        &self.base
    }
}
