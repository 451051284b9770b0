//! The state of an account: first from the answer to its bind, then from the attributes of its entry.
//!
//! Vendor texts are read under their preset alone: another server may say the same words about something else. What is
//! "proved" follows from what servers do: Active Directory gives its sub-codes 530-533, 701 and 773 only after the right
//! password, but 775 (locked) also to wrong ones; the password policy control says "expired" only after the right
//! password (FreeIPA excepted), but "locked" to anybody; 389-ds and FreeIPA say "disabled" before they compare the
//! password. `docs/account-states.md` has it all as tables, which tests hold true against the servers.
//!
//! Reading order: `reply` judges what a server answers to a bind, `entry` what the entry says, `change` what is answered to a
//! new password.

mod change;
mod entry;
mod reply;

pub(crate) use change::{By, Taken, of_change};
pub(crate) use entry::{Moment, attributes, is_final, of_entry};
pub(crate) use reply::{Bound, of_reply, told};
