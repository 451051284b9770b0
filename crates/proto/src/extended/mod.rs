//! Extended operations, one file each.

mod cancel;
mod fast_bind;
mod notice_of_disconnection;
mod password_modify;
mod start_tls;
mod transaction;
mod who_am_i;

pub use cancel::Cancel;
pub use fast_bind::FastBind;
pub use notice_of_disconnection::NoticeOfDisconnection;
pub use password_modify::PasswordModify;
pub use start_tls::StartTls;
pub use transaction::{AbortedTransaction, EndTransaction, Ended, Outcome, StartTransaction, Transaction};
pub use who_am_i::WhoAmI;
