//! The same client for programs that wait (ldap3's SYNC): the names and arguments of the asynchronous one, without `await`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let (_running, url) = runtime.block_on(testkit::example::serve())?;
//! use ldapgate_client::blocking::Connection;
//! use ldapgate_client::{Options, Password, Search};
//!
//! let connection = Connection::open(&Options::new([url])?)?;
//! let ada = "uid=ada,dc=example,dc=com";
//! assert!(connection.bind(ada, &Password::new("analytical")?)?.is_success());
//! for entry in connection.stream(Search::below("dc=example,dc=com")) {
//!     println!("{}", entry?.dn());
//! }
//! assert!(connection.compare(ada, "sn", "Lovelace")?);
//! # Ok(())
//! # }
//! ```
//!
//! One thread of the process, started with the first connection or pool, owns the sockets and the timers of all of them: deadlines
//! hold, pools go on working between calls, and handles may be used from any thread and by several at once. A call blocks its own
//! thread. Inside an asynchronous program that is allowed and holds up that thread's other tasks: use
//! [`tokio::task::spawn_blocking`], or the asynchronous client. A program that forks must do so before its first call.
//!
//! Every function here forwards to the one of the same name, whose documentation is not repeated.

mod connection;
mod cursor;
mod iter;
mod pool;
mod recorder;
mod restartable;
mod runtime;

pub use connection::Connection;
pub use cursor::Reader;
pub use iter::{ChangeIter, DirSyncIter, NotificationIter, RestartableIter, SearchIter, SyncIter, TypedIter};
pub use pool::{Pool, Proving, Server};
pub use recorder::Recorder;
pub use restartable::Restartable;

/// Functions that wait for those of the same name. `[..]` stands for `<..>`.
macro_rules! forward {
    ($of:literal, $(fn $name:ident$([$($generics:tt)*])?($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {$(
        #[doc = concat!("Waits for [`", $of, "::", stringify!($name), "`](crate::", $of, "::", stringify!($name), ").")]
        #[doc = ""]
        #[doc = "# Errors"]
        #[doc = ""]
        #[doc = "As there."]
        pub fn $name<$($($generics)*)?>(&self, $($argument: $kind),*) -> $answer {
            self.runtime.wait(self.inner.$name($($argument),*))
        }
    )+};
}

/// The same for those that need `&mut self`.
macro_rules! forward_mut {
    ($of:literal, $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {$(
        #[doc = concat!("Waits for [`", $of, "::", stringify!($name), "`](crate::", $of, "::", stringify!($name), ").")]
        #[doc = ""]
        #[doc = "# Errors"]
        #[doc = ""]
        #[doc = "As there."]
        pub fn $name(&mut self, $($argument: $kind),*) -> $answer {
            self.runtime.wait(self.inner.$name($($argument),*))
        }
    )+};
}

/// Functions that need not wait.
macro_rules! pass {
    ($of:literal, $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {$(
        #[doc = concat!("As [`", $of, "::", stringify!($name), "`](crate::", $of, "::", stringify!($name), ").")]
        pub fn $name(&self, $($argument: $kind),*) -> $answer {
            self.inner.$name($($argument),*)
        }
    )+};
}

use {forward, forward_mut, pass};
