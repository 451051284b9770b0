//! Extended operations, one file each.

mod cancel;
mod notice_of_disconnection;
mod password_modify;
mod start_tls;
mod who_am_i;

pub use cancel::Cancel;
pub use notice_of_disconnection::NoticeOfDisconnection;
pub use password_modify::PasswordModify;
pub use start_tls::StartTls;
pub use who_am_i::WhoAmI;
