//! What becomes of people between logins, as the directory tells it: of some by their keys, of everybody. Nothing here
//! knows who has an account, and nothing of it ends anything: it tells what was seen.
//!
//! Reading order: [`sight`] is what is seen of one person, [`place`] where people are looked for without a name, [`by_id`]
//! looks for some of them, [`everybody`] pages through all, [`watch`] hears of changes.

mod by_id;
mod everybody;
mod place;
mod sight;
mod watch;

pub use everybody::{Everybody, Sighted};
pub use sight::Sight;
pub use watch::{Cookies, DnSet, Hint, Watch, WatchState};
