//! What the store keeps, as commands by use case.
//!
//! A store is a trait of commands and not of tables: each method is one transaction, so that "the account, its
//! session and the attempt given back, or none of them" is true for every store. Commands take the time and
//! every random value as arguments; a store reads neither clock nor random source.
//!
//! [`State`] is the meaning of every command, written as a pure function on values. [`MemoryStore`] is that
//! behind a lock. [`battery`] runs both a list of sentences and random sequences of commands against any store
//! and compares it with [`State`], answer by answer.

mod attempt;
mod audit;
pub mod battery;
mod command;
mod group;
mod memory;
mod person;
mod revalidation;
mod session;
mod state;
mod stirred;
mod token;
mod warning;

use futures_util::future::BoxFuture;

pub use attempt::{
    AttemptId, Block, BlockQuery, ClearBlocks, Counted, Counter, CounterKey, Limit, LimitQuery, Reservation,
    Reserve, Reserved, Settle, Settlement, Verdict,
};
pub use audit::{Audit, AuditEnd, AuditQuery, AuditRecord, Changes, Sweep};
pub use command::{Command, Reply, run};
pub use group::{Change, ChangeGrants, Changed, Grantee, GroupQuery, StoredGroup};
pub use memory::MemoryStore;
pub use person::{
    AccountQuery, Admission, Admit, Admitted, Facts, Find, Link, Linked, Mirror, Occasion, Relink, Relinked,
    Remove, Retire, Revoke, SetDisabled,
};
pub use revalidation::{
    Census, CensusQuery, ClaimDue, ENDED_KEPT, EndAccess, Ending, Enrolled, Leased, Loss, Mark, NoteChecked,
    PeopleQuery, ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery, TakeLease,
};
pub use session::{Digest, EndSessions, SessionQuery, Sessions, StartSession, StoredSession, Touch};
pub use state::State;
pub use stirred::Stirred;
pub use token::{
    DropTokenKeys, IssuePersonal, IssueSigned, KeepTokenKey, PersonalToken, RevokePersonal, RevokeSigned,
    SecretBytes, SignedToken, TokenKey, UsePersonal,
};
pub use warning::StoredWarning;

use crate::{Account, Time, UserId};

/// What a command answers, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Everything that outlives a login. Each method is one transaction; a store may be shared by several processes.
///
/// A method that changes an account, its sessions or its right to act also notes that for [`Store::changes_since`];
/// the method says so.
///
/// # Errors
///
/// Every method answers [`StoreError`] when the store cannot be asked or its answer cannot be read; nothing was
/// written then, or all of it was.
pub trait Store: Send + Sync {
    /// Finds the account that a person of the directory belongs to, and whether their local name is free.
    fn link(&self, link: Link) -> Answer<'_, Linked>;

    /// Lets a person in, or takes note of a look-up: creates or updates the account and its memberships, and for
    /// a login starts the session, gives the attempt back and writes the audit record. All of it or, when the
    /// account may not enter or was revoked meanwhile, none. Local groups that the person is in and that are not there yet are made. With it an account that is to give up the name is retired: renamed, disabled, its
    /// sessions, signed and personal tokens ended. Notes a change of each.
    fn admit(&self, admit: Box<Admit>) -> Answer<'_, Admitted>;

    /// One account.
    fn account(&self, find: Find) -> Answer<'_, Option<Account>>;

    /// Accounts sorted by local name.
    fn accounts(&self, query: AccountQuery) -> Answer<'_, Vec<Account>>;

    /// Shuts an account out, which ends its sessions and moves its generation on, or lets it in again. Answers
    /// whether the account is there. Notes a change.
    fn set_disabled(&self, set: SetDisabled) -> Answer<'_, bool>;

    /// Moves an account's generation on, ends its sessions but the one to keep, and drops its personal tokens
    /// when asked to. Answers whether the account is there. Notes a change.
    fn revoke(&self, revoke: Revoke) -> Answer<'_, bool>;

    /// Gives an account another of the directory's keys, unless that is another account's, and ends everything that was
    /// given out. Notes a change.
    fn relink(&self, relink: Relink) -> Answer<'_, Relinked>;

    /// Drops an account, its sessions and its personal tokens. Answers whether it was there. Notes a change.
    fn remove(&self, remove: Remove) -> Answer<'_, bool>;

    /// Grants permissions to an account or to a local group, or takes them back; a group that is not there yet is made when
    /// something is granted to it. Writes the audit record and notes a change of the account, or of each of the group's
    /// members, when anything changed.
    fn change_grants(&self, change: ChangeGrants) -> Answer<'_, Changed>;

    /// Local groups with members and permissions, sorted by name, directory and DN.
    fn local_groups(&self, query: GroupQuery) -> Answer<'_, Vec<StoredGroup>>;

    /// Until when a counter refuses, without reserving anything.
    fn blocked_until(&self, query: LimitQuery) -> Answer<'_, Option<Time>>;

    /// Counts an attempt on every key before it is made, or answers why it must not be made.
    fn reserve_attempt(&self, reserve: Reserve) -> Answer<'_, Reserved>;

    /// Ends an attempt: gives it back or counts it as wrong, and writes its audit record.
    fn settle_attempt(&self, settle: Settle) -> Answer<'_, ()>;

    /// Counters whose window has not passed, sorted by key.
    fn blocks(&self, query: BlockQuery) -> Answer<'_, Vec<Block>>;

    /// Forgets the counters of these keys; answers how many there were. Reservations under way stay. Writes the audit
    /// record when there were any.
    fn clear_blocks(&self, clear: ClearBlocks) -> Answer<'_, u64>;

    /// The session a cookie stands for, with its account, whether or not it has run out. One of another generation than the
    /// account's is none.
    fn session(&self, digest: Digest) -> Answer<'_, Option<(StoredSession, Account)>>;

    /// Sessions with their accounts' local names, sorted by creation, then handle; those that have run out too, those of
    /// another generation not.
    fn sessions(&self, query: SessionQuery) -> Answer<'_, Vec<Sessions>>;

    /// Notes that a session was used; never moves its time back. Answers whether it is there.
    fn touch_session(&self, touch: Touch) -> Answer<'_, bool>;

    /// Ends sessions and answers how many. Writes the audit record when there was one. Notes a change of each
    /// account that lost one.
    fn end_sessions(&self, end: EndSessions) -> Answer<'_, u64>;

    /// Keeps a personal access token. Answers whether its account is there.
    fn issue_personal(&self, issue: IssuePersonal) -> Answer<'_, bool>;

    /// Personal tokens of one account or of all, sorted by creation, then id.
    fn personal_tokens(&self, user: Option<UserId>) -> Answer<'_, Vec<PersonalToken>>;

    /// Finds a personal token that has not run out, with its account, and notes its use (at most once a minute).
    fn use_personal(&self, usage: UsePersonal) -> Answer<'_, Option<(PersonalToken, Account)>>;

    /// Drops one personal token; answers whether it was there. Writes the audit record when it was.
    fn revoke_personal(&self, revoke: RevokePersonal) -> Answer<'_, bool>;

    /// Keeps note of a signed token. Answers whether its account is there.
    fn issue_signed(&self, issue: IssueSigned) -> Answer<'_, bool>;

    /// Signed tokens of one account or of all, sorted by creation, then id; those that have run out or were taken back too.
    fn signed_tokens(&self, user: Option<UserId>) -> Answer<'_, Vec<SignedToken>>;

    /// The ids of an account's signed tokens that were taken back, sorted.
    fn revoked_tokens(&self, user: UserId) -> Answer<'_, Vec<String>>;

    /// Takes one signed token back; answers whether it was there and good. Writes the audit record when it was. Notes a change.
    fn revoke_signed(&self, revoke: RevokeSigned) -> Answer<'_, bool>;

    /// The keys that somebody has signed tokens with at that time or later, sorted by when they came, then id.
    fn token_keys(&self, since: Time) -> Answer<'_, Vec<TokenKey>>;

    /// Says that a key is signed with; answers whether it is new and kept.
    fn keep_token_key(&self, keep: KeepTokenKey) -> Answer<'_, bool>;

    /// Forgets every key but one; answers how many.
    fn drop_token_keys(&self, drop: DropTokenKeys) -> Answer<'_, u64>;

    /// A secret of the installation by name: the one that is kept, else `candidate`, which is kept from then on.
    /// Whoever asks first decides; every process gets the same.
    fn secret(&self, name: String, candidate: SecretBytes) -> Answer<'_, SecretBytes>;

    /// Writes one audit record.
    fn record(&self, audit: Audit) -> Answer<'_, ()>;

    /// Audit records, oldest first.
    fn audit(&self, query: AuditQuery) -> Answer<'_, Vec<AuditRecord>>;

    /// Which accounts changed after that number; `None` asks only for the present number.
    fn changes_since(&self, number: Option<i64>) -> Answer<'_, Changes>;

    /// People of a directory whose look is due, oldest look first; nobody else gets them until the time that is given.
    fn claim_due(&self, claim: ClaimDue) -> Answer<'_, Vec<Account>>;

    /// Accounts of one directory, to look at them.
    fn people(&self, query: PeopleQuery) -> Answer<'_, Vec<Account>>;

    /// Everybody of a directory, sorted by key.
    fn roll(&self, query: RollQuery) -> Answer<'_, Vec<Enrolled>>;

    /// Who of a directory is signed in or uses a personal token, sorted by id; not who is disabled here.
    fn signed_in(&self, query: SignedInQuery) -> Answer<'_, Vec<SignedInPerson>>;

    /// Notes that people were looked at and are what they were; they may be claimed again.
    fn note_checked(&self, note: NoteChecked) -> Answer<'_, ()>;

    /// [`Store::admit`] for several people in one transaction, in their order; each has an answer of its own.
    fn admit_all(&self, admits: Vec<Admit>) -> Answer<'_, Vec<Admitted>>;

    /// How many people of a directory may act, and how many lost that lately.
    fn census(&self, query: CensusQuery) -> Answer<'_, Census>;

    /// Ends what people were given: their accounts are shut out or dropped, their generations move on, their sessions end.
    /// Answers whose it was, in the order asked. Notes a change of each.
    fn end_access(&self, end: EndAccess) -> Answer<'_, Vec<UserId>>;

    /// Makes somebody the only one who does something, or keeps them that; answers who else is.
    fn take_lease(&self, take: TakeLease) -> Answer<'_, Leased>;

    /// Gives leases back; answers how many.
    fn release_leases(&self, release: ReleaseLeases) -> Answer<'_, u64>;

    /// The marks whose names start so, sorted by name.
    fn marks(&self, start: String) -> Answer<'_, Vec<Mark>>;

    /// Keeps a mark, or drops it.
    fn set_mark(&self, set: SetMark) -> Answer<'_, ()>;

    /// Drops what has run out; answers how many sessions and tokens that were.
    fn sweep(&self, sweep: Sweep) -> Answer<'_, u64>;

    /// Asks the store for a sign of life.
    fn ping(&self) -> Answer<'_, ()>;

    /// Ready when something may have changed since the last call was ready, sooner than whoever asks
    /// [`Store::changes_since`] now and then would hear of it. A hint: it may be wrong, and it may never come.
    fn stirred(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// The cause below a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The store did not do what it was asked to. Whoever runs it must act; nobody is denied for it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time.
    #[error("the store cannot be reached")]
    Unreachable(#[source] BoxError),
    /// It answered with an error.
    #[error("the store failed to {task}")]
    Failed {
        /// What it was asked for, to follow "failed to".
        task: &'static str,
        /// The driver's own words.
        source: BoxError,
    },
    /// It holds what no version of this program writes.
    #[error("the store holds a value that cannot be read: {0}")]
    Corrupt(Damage),
}

/// A value that no version of this program writes: the store was damaged, or edited by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The row: its key, or what operators know it by (a session's handle, a personal token's id).
    pub row: String,
    /// What is wrong with the value. Never the value itself.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} of {}: {}", self.table, self.column, self.row, self.what)
    }
}
