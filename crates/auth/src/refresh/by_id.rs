//! Some people by their stable keys, many at once.

use client::Server;
use futures_util::future::BoxFuture;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use proto::value::Guid;
use proto::{Dn, Filter, Scope};

use super::place::{Place, places};
use super::sight::{Sight, ambiguous};
use crate::ask::{self, Query, Reader};
use crate::directories::Directory;
use crate::explain::decided;
use crate::record::{Record, id_value};
use crate::{Directories, Error, Observer};

/// So many keys stand in one filter.
const BATCH: usize = 50;
/// So many people's groups are asked for at once. Each person's are asked for by a filter of their own, because the answer
/// to one filter for all would have to bring the members of every group along to tell whose it is: 100,000 of them for one
/// of 50 people.
pub(super) const AT_ONCE: usize = 32;

impl Directories {
    /// Do people read their own entries and groups (`bind_as_user`)? Then the service account may not see what counts, and
    /// nothing is to be judged on its word.
    pub fn reads_as_person(&self, directory: &str) -> bool {
        self.directory(directory).is_ok_and(|directory| directory.settings.user.bind_as_user)
    }

    /// What is seen of the people with these stable keys, in the order of the keys, by the service account. For up to 50
    /// people it takes a few round trips, whatever the number of their groups. All of it is one server's word; one that
    /// fails half-way is asked for nothing, and the next is asked from the beginning.
    ///
    /// ```no_run
    /// # use ldapgate_auth::{Directories, Error, Sight, Silent, Verdict};
    /// # async fn example(directories: &Directories, ids: &[String]) -> Result<(), Error> {
    /// for (id, sight) in directories.people_by_id("main", ids, &Silent).await? {
    ///     if let Sight::There(person) = sight
    ///         && directories.judge(&person, &Silent) == Verdict::Admitted
    ///     {
    ///         println!("{id} is {}", person.username());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The directory is not configured or cannot be asked, or one of the bases is not there: nothing is known of anybody.
    #[tracing::instrument(name = "auth.refresh", level = "debug", skip_all, fields(directory, people = ids.len()))]
    pub async fn people_by_id(
        &self,
        directory: &str,
        ids: &[String],
        observer: &dyn Observer,
    ) -> Result<Vec<(String, Sight)>, Error> {
        let directory = self.directory(directory)?;
        let mut tries = directory.tries();
        loop {
            tries -= 1;
            let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
            let call = Call { directory, server: &server, observer };
            match call.all(ids).await {
                Err(error) if error.restart() && tries > 0 => {
                    decided(observer, "choose", format_args!("another server than {}", server.url()), &error);
                    directory.pool.report_dead(&server);
                }
                answer => return answer,
            }
        }
    }
}

/// Questions to one server.
struct Call<'a> {
    directory: &'a Directory,
    server: &'a Server,
    observer: &'a dyn Observer,
}

/// Somebody who is asked for.
struct Wanted {
    id: String,
    /// The key as the directory compares it.
    value: Vec<u8>,
    hit: Hit,
}

enum Hit {
    Nothing,
    Entry(Box<Record>),
    Told(Sight),
}

impl Call<'_> {
    async fn all(&self, ids: &[String]) -> Result<Vec<(String, Sight)>, Error> {
        let mut all = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            // Not spelled out in the type of whoever waits: the compiler gives up on types this deep.
            let sights: BoxFuture<'_, Result<Vec<(String, Sight)>, Error>> = Box::pin(self.batch(batch));
            all.extend(sights.await?);
        }
        for (id, sight) in &all {
            decided(self.observer, "refresh", id, sight.word());
        }
        Ok(all)
    }

    async fn batch(&self, ids: &[String]) -> Result<Vec<(String, Sight)>, Error> {
        let mut wanted: Vec<Wanted> = ids.iter().map(|id| self.wanted(id)).collect();
        let places = places(&self.directory.settings);
        let asked = places.iter().map(|place| self.search(place, &wanted, &self.directory.attributes));
        for found in try_join_all(asked).await? {
            self.sort_in(&mut wanted, found, |record| Hit::Entry(Box::new(record)));
        }
        if wanted.iter().any(Wanted::is_missed) {
            for found in self.anywhere(&wanted).await? {
                self.sort_in(&mut wanted, found, |_| Hit::Told(Sight::NotMatched));
            }
        }
        let sights = wanted.into_iter().map(|wanted| self.sight(wanted));
        stream::iter(sights).buffered(AT_ONCE).try_collect().await
    }

    fn wanted(&self, id: &str) -> Wanted {
        let attribute = &self.directory.settings.user.id_attribute;
        let (value, hit) = match id_value(attribute, id) {
            Some(value) => (value, Hit::Nothing),
            None => (Vec::new(), Hit::Told(Sight::Unreadable(format!("{id:?} is no {attribute}")))),
        };
        Wanted { id: id.to_owned(), value, hit }
    }

    /// Whoever the configured searches do not find may be somewhere else, or narrowed away.
    async fn anywhere(&self, wanted: &[Wanted]) -> Result<Vec<Found>, Error> {
        let settings = &self.directory.settings;
        let key = [settings.user.id_attribute.clone()];
        let whole = Place { base: settings.base.clone(), scope: Scope::Subtree, filter: None };
        match self.search(&whole, wanted, &key).await {
            Ok(found) => return Ok(vec![found]),
            // The service account need not be allowed to look there.
            Err(error) if error.is_refusal() => {}
            Err(error) => return Err(error),
        }
        let widened =
            settings.user.searches.iter().map(|search| Place { base: search.base.clone(), ..whole.clone() });
        let widened: Vec<Place> = widened.collect();
        try_join_all(widened.iter().map(|place| self.search(place, wanted, &key))).await
    }

    /// Asks one place for everybody who was not found yet. What the server gives up, or answers with an entry that makes no
    /// sense, is asked again in halves, so that one entry spoils one answer.
    async fn search(&self, place: &Place, wanted: &[Wanted], attributes: &[String]) -> Result<Found, Error> {
        let missed: Vec<&Wanted> = wanted.iter().filter(|wanted| wanted.is_missed()).collect();
        let mut found = Found::default();
        let mut open = vec![missed.as_slice()];
        while let Some(part) = open.pop().filter(|part| !part.is_empty()) {
            let attribute = &self.directory.settings.user.id_attribute;
            let keys = part.iter().map(|wanted| Filter::equal(attribute, &wanted.value));
            let query = Query {
                step: "refresh",
                base: &place.base,
                scope: place.scope,
                filter: place.narrowed(Filter::any(keys)),
                attributes,
                limit: 0,
            };
            let trouble = match ask::search(self.server, query, self.observer).await {
                Ok(hits) if !hits.truncated => {
                    found.records.extend(hits.records);
                    continue;
                }
                Ok(_) => "the server cut the answer short".to_owned(),
                Err(error) if error.is_about_content() => error.to_string(),
                Err(error) => return Err(error),
            };
            match part {
                [one] => found.trouble.push((one.id.clone(), trouble)),
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    open.extend([first, second]);
                }
            }
        }
        Ok(found)
    }

    /// Gives each entry to whom it belongs.
    fn sort_in(&self, wanted: &mut [Wanted], found: Found, hit: impl Fn(Record) -> Hit) {
        let settings = &self.directory.settings;
        for (id, trouble) in found.trouble {
            wanted.iter_mut().filter(|wanted| wanted.id == id).for_each(|wanted| {
                wanted.hit = Hit::Told(Sight::Unreadable(trouble.clone()));
            });
        }
        let mut strays = Vec::new();
        for record in found.records {
            let values = record.attributes.values(&settings.user.id_attribute);
            let holds = |wanted: &&mut Wanted| values.iter().any(|value| wanted.is_meant_by(value));
            let mut owners: Vec<&mut Wanted> = wanted.iter_mut().filter(holds).collect();
            if owners.is_empty() {
                strays.push(record.dn.clone());
            }
            let written = record.id(settings).map_err(|error| error.to_string());
            for owner in &mut owners {
                owner.take(&record, &written, &hit);
            }
        }
        // By a comparison of its own the server took an entry for one of these: none of them can be called missing.
        if let Some(stray) = strays.first() {
            for wanted in wanted.iter_mut().filter(|wanted| wanted.is_missed()) {
                let what = format!("the server also answered with {stray}, which was not asked for");
                wanted.hit = Hit::Told(Sight::Unreadable(what));
            }
        }
    }

    async fn sight(&self, wanted: Wanted) -> Result<(String, Sight), Error> {
        let sight = match wanted.hit {
            Hit::Nothing => Sight::Missing,
            Hit::Told(sight) => sight,
            Hit::Entry(record) => {
                let mut reader = Reader::Service(self.server.clone());
                let seen =
                    self.directory.sight_of(*record, &mut reader, self.server.url(), self.observer, None);
                Box::pin(seen).await?
            }
        };
        Ok((wanted.id, sight))
    }
}

/// What one place answered.
#[derive(Default)]
struct Found {
    records: Vec<Record>,
    /// Keys for which it gave no good answer.
    trouble: Vec<(String, String)>,
}

impl Wanted {
    fn is_missed(&self) -> bool {
        matches!(self.hit, Hit::Nothing)
    }

    /// Servers compare most keys without regard to case; bytes that are no text have none.
    fn is_meant_by(&self, value: &[u8]) -> bool {
        let is_text = std::str::from_utf8(&self.value).is_ok();
        value == self.value || is_text && value.eq_ignore_ascii_case(&self.value)
    }

    /// Takes an entry that has the key; `written` is the key as the entry writes it.
    fn take(&mut self, record: &Record, written: &Result<String, String>, hit: &impl Fn(Record) -> Hit) {
        if let Some(known) = self.place().filter(|known| **known != record.dn) {
            self.hit = Hit::Told(ambiguous(&self.id, known, &record.dn));
            return;
        }
        if !self.is_missed() {
            return;
        }
        self.hit = match written {
            Ok(id) if is_same(id, &self.id) => hit(record.clone()),
            Ok(id) => Hit::Told(Sight::Unreadable(format!("{} now writes its key as {id}", record.dn))),
            Err(why) => Hit::Told(Sight::Unreadable(why.clone())),
        };
    }

    fn place(&self) -> Option<&Dn> {
        match &self.hit {
            Hit::Entry(record) => Some(&record.dn),
            _ => None,
        }
    }
}

/// UUIDs are one in whatever case they are written.
fn is_same(id: &str, other: &str) -> bool {
    id == other || id.parse::<Guid>().is_ok() && id.eq_ignore_ascii_case(other)
}
