//! A search, answer by answer: for who has to see everything in the server's order.

use proto::message::{IntermediateResponse, Response};
use proto::{Controls, Entry, LdapResult};

use super::{SearchStream, Source, State};
use crate::Error;
use crate::driver::Item;

/// One answer to a search, with what accompanied it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SearchAnswer {
    /// What was found.
    Entry(Entry, Controls),
    /// Where else to look: the URLs of a continuation reference, which is not followed.
    Reference(Vec<String>, Controls),
    /// What some controls make a server say in between.
    Intermediate(IntermediateResponse, Controls),
    /// The end of a page, or of the search where it has none.
    PageEnd(LdapResult, Controls),
}

impl SearchStream {
    /// The next answer in the order in which they came; `None` behind the last page. Continuation references that are not
    /// followed are told here, so that [`SearchStream::finish`] has none of them, and values are as each entry has them.
    /// Where references are followed, the end of the search is told once, when all is done. Safe to be dropped and called
    /// again.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`].
    ///
    /// ```no_run
    /// # async fn example(mut found: ldapgate_client::SearchStream) -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::SearchAnswer;
    ///
    /// while let Some(answer) = found.next_answer().await? {
    ///     match answer {
    ///         SearchAnswer::Entry(entry, _) => println!("{}", entry.dn()),
    ///         SearchAnswer::Reference(urls, _) => println!("{urls:?}"),
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_answer(&mut self) -> Result<Option<SearchAnswer>, Error> {
        let answer = self.answer().await.map_err(|error| self.source.told(error));
        if answer.is_err() {
            self.state = State::Failed;
        }
        answer
    }

    async fn answer(&mut self) -> Result<Option<SearchAnswer>, Error> {
        loop {
            let item = match &mut self.state {
                State::Ended(_) | State::Failed => return Ok(None),
                State::Asking(_) => {
                    self.ask().await?;
                    continue;
                }
                State::Reading(page) => page.items.next().await,
            };
            let (response, controls) = match item {
                Some(Item::Entry(entry)) => (Response::SearchEntry(entry), Controls::default()),
                Some(Item::Reference(urls, size)) => {
                    self.count_reference(size)?;
                    (Response::SearchReference(urls), Controls::default())
                }
                Some(Item::Controlled(said, size)) => {
                    match said.0 {
                        Response::SearchReference(_) => self.count_reference(size)?,
                        // Not counted, for it can go on for days; but what was told is not told again.
                        _ => self.reference_bytes = self.reference_bytes.max(1),
                    }
                    *said
                }
                Some(Item::TooMuch) => return Err(self.too_large()),
                Some(Item::Done(done)) => match *done {
                    Ok((result, controls)) => {
                        let end = SearchAnswer::PageEnd(result.clone(), controls.clone());
                        self.end_page(result, controls)?;
                        match (&self.state, &self.source) {
                            // The search goes on elsewhere.
                            (State::Asking(None), _) => continue,
                            (State::Ended(end), Source::Referred(_)) => {
                                let (result, controls) = (end.result.clone(), end.controls.clone());
                                return Ok(Some(SearchAnswer::PageEnd(result, controls)));
                            }
                            _ => return Ok(Some(end)),
                        }
                    }
                    Err(error) => {
                        self.try_again(error)?;
                        continue;
                    }
                },
                // The task that owned the socket is gone without a word.
                None => return Err(self.gone()),
            };
            match response {
                Response::SearchEntry(entry) => {
                    let found = self.found(entry, controls);
                    return Ok(found.map(|(entry, controls)| SearchAnswer::Entry(entry, controls)));
                }
                Response::SearchReference(urls) => {
                    if self.follows(&urls)? {
                        continue;
                    }
                    return Ok(Some(SearchAnswer::Reference(urls, controls)));
                }
                Response::Intermediate(said) => return Ok(Some(SearchAnswer::Intermediate(said, controls))),
                _ => {}
            }
        }
    }
}
