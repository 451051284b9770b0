//! LDAP without IO: bytes to values and back, names, filters, URLs, LDIF, and the rules of a session.
//!
//! It refuses to open sockets, to read a clock and to make random numbers; bytes come in, bytes go out. Nothing that a
//! peer sends can make it panic, recurse or allocate beyond [`Limits`].
//!
//! A client and a server that talk in memory:
//!
//! ```
//! use bytes::BytesMut;
//! use ldapgate_proto::session::{ClientSession, Event, ServerSession};
//! use ldapgate_proto::{Controls, Entry, Filter, LdapResult, Limits, Request, Response, Scope, SearchRequest};
//!
//! let (mut client, mut server) = (ClientSession::new(Limits::client()), ServerSession::new(Limits::server()));
//!
//! let search = SearchRequest::new("dc=example,dc=com", Scope::Subtree, Filter::equal("uid", "ada"));
//! let (id, sent) = client.send(&Request::Search(search), &Controls::default())?;
//!
//! let mut wire = BytesMut::from(&sent[..]);
//! let request = server.receive(&mut wire)?.expect("one whole request was sent");
//! assert!(matches!(request.operation, Request::Search(_)));
//!
//! let ada = Entry::builder("uid=ada,dc=example,dc=com").attribute("cn", ["Ada"]).build();
//! wire.extend_from_slice(&server.reply(id, &Response::SearchEntry(ada), &Controls::default()));
//! wire.extend_from_slice(&server.reply(id, &Response::SearchDone(LdapResult::success()), &Controls::default()));
//!
//! let Some(Event::Response { response: Response::SearchEntry(entry), .. }) = client.receive(&mut wire)? else {
//!     panic!("an entry was sent");
//! };
//! assert_eq!(entry.text("CN"), Some("Ada"));
//! assert!(matches!(client.receive(&mut wire)?, Some(Event::Response { last: true, .. })));
//! assert_eq!(client.outstanding(), 0);
//! # Ok::<(), ldapgate_proto::SessionError>(())
//! ```
//!
//! Reading order: [`session`] is what a driver calls, [`message`] has one file per operation of RFC 4511, [`control`]
//! and [`extended`] what is carried inside, [`ber`] the octets. [`dn`], [`filter`], [`url`] and [`ldif`] are the text
//! forms, [`value`] what attributes hold, [`schema`] what a server knows of them, [`oid`] names what servers advertise,
//! [`sasl`] has one file per mechanism.

pub mod ber;
pub mod control;
pub mod dn;
pub mod extended;
pub mod filter;
pub mod ldif;
pub mod message;
pub mod oid;
pub mod range;
pub mod sasl;
pub mod schema;
pub mod session;
pub mod url;
pub mod value;

pub use ber::Limits;
pub use bytes::Bytes;
pub use control::{
    Control, Controls, PagedResults, PasswordExpired, PasswordExpiring, PasswordPolicy, PasswordPolicyError,
};
pub use dn::{Ava, Dn, DnError, Rdn};
pub use extended::{NoticeOfDisconnection, PasswordModify, StartTls, WhoAmI};
pub use filter::{Filter, FilterError};
pub use ldif::LdifError;
pub use message::{
    AddRequest, Attribute, Authentication, BindRequest, BindResponse, Change, ChangeOp, CompareRequest,
    Deref, EmptyPassword, Entry, EntryBuilder, ExtendedRequest, ExtendedResponse, IntermediateResponse,
    LdapResult, Message, MessageId, ModifyDnRequest, ModifyRequest, Password, Request, Response, ResultCode,
    Scope, SearchRequest,
};
pub use range::Range;
pub use schema::Schema;
pub use session::{ClientSession, Event, ServerSession, SessionError};
pub use url::{Scheme, Url, UrlError};
