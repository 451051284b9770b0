//! The store's commands, each one transaction on either database.

use std::sync::Arc;

use account::store::{
    AccountQuery, Admit, Admitted, Answer, Audit, AuditQuery, AuditRecord, Block, BlockQuery, ChangeGrants,
    Changed, Changes, ClearBlocks, Digest, DropTokenKeys, EndSessions, Find, GroupQuery, IssuePersonal,
    IssueSigned, KeepTokenKey, LimitQuery, Link, Linked, PersonalToken, Relink, Relinked, Remove, Reserve,
    Reserved, Revoke, RevokePersonal, RevokeSigned, SecretBytes, SessionQuery, Sessions, SetDisabled, Settle,
    SignedToken, Stirred, Store, StoredGroup, StoredSession, Sweep, TokenKey, Touch, UsePersonal,
};
use account::store::{
    Census, CensusQuery, ClaimDue, EndAccess, Enrolled, Leased, Mark, NoteChecked, PeopleQuery,
    ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery, TakeLease,
};
use account::{Account, Time, UserId};
use futures_util::future::BoxFuture;

use crate::database::{Database, Held, Purpose};
use crate::error::Problem;
use crate::{attempt, audit, group, person, postgres, revalidation, session, signed, token};

/// How often a command is carried out before another that is in its way has won, or every connection of the pool has turned
/// out to be dead.
const TRIES: u32 = 12;

/// A store in an SQL database.
#[derive(Debug)]
pub(crate) struct SqlStore {
    pub(crate) database: Database,
    pub(crate) stirred: Arc<Stirred>,
    /// Hears of other processes' changes for as long as the store is there.
    pub(crate) _listener: Option<postgres::Listener>,
}

/// Carries `$query` out in a transaction, again when another was in its way: it must not give its arguments away.
macro_rules! transaction {
    ($store:expr, $purpose:expr, $task:literal, |$connection:ident| $query:expr) => {
        Box::pin(async move {
            let carried_out = async {
                let mut tries = 1;
                loop {
                    let once = async {
                        let mut held = $store.database.begin($purpose).await?;
                        let mut connection = held.connection();
                        let $connection = &mut connection;
                        let answer = $query.await;
                        let (stirred, written) = (connection.stirred, connection.written);
                        $store.end(held, answer, stirred, &written).await
                    };
                    match once.await {
                        Err(problem) if problem.passes() && tries < TRIES => tries += 1,
                        done => return done,
                    }
                }
            };
            let done = tokio::time::timeout($purpose.deadline(), carried_out).await;
            done.unwrap_or(Err(Problem::Late)).map_err(|problem| problem.of($task))
        })
    };
}

/// Reads, from one moment; sees everything that was committed.
macro_rules! read {
    ($store:expr, $task:literal, |$connection:ident| $query:expr) => {
        transaction!($store, Purpose::Read, $task, |$connection| $query)
    };
}

/// Writes; see [`Purpose`] for how.
macro_rules! write {
    ($store:expr, $purpose:ident, $task:literal, |$connection:ident| $query:expr) => {
        transaction!($store, Purpose::$purpose, $task, |$connection| $query)
    };
}

impl SqlStore {
    /// Ends a transaction as its command went.
    async fn end<T>(
        &self,
        held: Held,
        answer: Result<T, Problem>,
        stirred: bool,
        written: &[Audit],
    ) -> Result<T, Problem> {
        match answer {
            Ok(answer) => {
                held.commit().await?;
                if stirred {
                    self.stirred.stir();
                }
                written.iter().for_each(Audit::tell);
                Ok(answer)
            }
            Err(problem) => {
                // What cannot be rolled back is closed, which comes to the same.
                let _ = held.roll_back().await;
                Err(problem)
            }
        }
    }
}

impl Store for SqlStore {
    fn link(&self, link: Link) -> Answer<'_, Linked> {
        read!(self, "look an account up", |c| person::link(c, link.clone()))
    }

    fn admit(&self, admit: Box<Admit>) -> Answer<'_, Admitted> {
        write!(self, Alone, "take a person in", |c| person::admit(c, (*admit).clone()))
    }

    fn account(&self, find: Find) -> Answer<'_, Option<Account>> {
        read!(self, "read an account", |c| person::account(c, find.clone()))
    }

    fn accounts(&self, query: AccountQuery) -> Answer<'_, Vec<Account>> {
        read!(self, "list accounts", |c| person::accounts(c, query.clone()))
    }

    fn set_disabled(&self, set: SetDisabled) -> Answer<'_, bool> {
        write!(self, Alone, "disable or enable an account", |c| person::set_disabled(c, set.clone()))
    }

    fn revoke(&self, revoke: Revoke) -> Answer<'_, bool> {
        write!(self, Alone, "revoke what an account was given", |c| person::revoke(c, revoke.clone()))
    }

    fn relink(&self, relink: Relink) -> Answer<'_, Relinked> {
        write!(self, Alone, "link an account anew", |c| person::relink(c, relink.clone()))
    }

    fn remove(&self, remove: Remove) -> Answer<'_, bool> {
        write!(self, Alone, "remove an account", |c| person::remove(c, remove.clone()))
    }

    fn change_grants(&self, change: ChangeGrants) -> Answer<'_, Changed> {
        write!(self, Alone, "grant permissions or take them back", |c| group::change_grants(
            c,
            change.clone()
        ))
    }

    fn local_groups(&self, query: GroupQuery) -> Answer<'_, Vec<StoredGroup>> {
        read!(self, "list local groups", |c| group::list(c, query.clone()))
    }

    fn blocked_until(&self, query: LimitQuery) -> Answer<'_, Option<Time>> {
        read!(self, "read an attempt counter", |c| attempt::blocked_until(c, query.clone()))
    }

    fn reserve_attempt(&self, reserve: Reserve) -> Answer<'_, Reserved> {
        write!(self, Beside, "reserve an attempt", |c| attempt::reserve(c, reserve.clone()))
    }

    fn settle_attempt(&self, settle: Settle) -> Answer<'_, ()> {
        write!(self, Beside, "settle an attempt", |c| attempt::settle(c, settle.clone()))
    }

    fn blocks(&self, query: BlockQuery) -> Answer<'_, Vec<Block>> {
        read!(self, "list attempt counters", |c| attempt::blocks(c, query))
    }

    fn clear_blocks(&self, clear: ClearBlocks) -> Answer<'_, u64> {
        write!(self, Alone, "clear attempt counters", |c| attempt::clear(c, clear.clone()))
    }

    fn session(&self, digest: Digest) -> Answer<'_, Option<(StoredSession, Account)>> {
        read!(self, "read a session", |c| session::session(c, digest))
    }

    fn sessions(&self, query: SessionQuery) -> Answer<'_, Vec<Sessions>> {
        read!(self, "list sessions", |c| session::sessions(c, query.clone()))
    }

    fn touch_session(&self, touch: Touch) -> Answer<'_, bool> {
        write!(self, Beside, "note the use of a session", |c| session::touch(c, touch.clone()))
    }

    fn end_sessions(&self, end: EndSessions) -> Answer<'_, u64> {
        write!(self, Alone, "end sessions", |c| session::end(c, end.clone()))
    }

    fn issue_personal(&self, issue: IssuePersonal) -> Answer<'_, bool> {
        write!(self, Alone, "keep a personal token", |c| token::issue(c, issue.clone()))
    }

    fn personal_tokens(&self, user: Option<UserId>) -> Answer<'_, Vec<PersonalToken>> {
        read!(self, "list personal tokens", |c| token::list(c, user))
    }

    fn use_personal(&self, usage: UsePersonal) -> Answer<'_, Option<(PersonalToken, Account)>> {
        Box::pin(async move {
            let looked: Answer<'_, _> =
                read!(self, "check a personal token", |c| token::check(c, usage.digest, usage.at));
            let Some((token, account)) = looked.await? else { return Ok(None) };
            if !token.notes_use(usage.at) {
                return Ok(Some((token, account)));
            }
            write!(self, Beside, "note the use of a personal token", |c| token::note_use(
                c,
                usage.digest,
                usage.at
            ))
            .await
        })
    }

    fn revoke_personal(&self, revoke: RevokePersonal) -> Answer<'_, bool> {
        write!(self, Alone, "revoke a personal token", |c| token::revoke(c, revoke.clone()))
    }

    fn issue_signed(&self, issue: IssueSigned) -> Answer<'_, bool> {
        write!(self, Alone, "keep note of a signed token", |c| signed::issue(c, issue.clone()))
    }

    fn signed_tokens(&self, user: Option<UserId>) -> Answer<'_, Vec<SignedToken>> {
        read!(self, "list signed tokens", |c| signed::list(c, user))
    }

    fn revoked_tokens(&self, user: UserId) -> Answer<'_, Vec<String>> {
        read!(self, "list revoked tokens", |c| signed::revoked(c, user))
    }

    fn revoke_signed(&self, revoke: RevokeSigned) -> Answer<'_, bool> {
        write!(self, Alone, "revoke a signed token", |c| signed::revoke(c, revoke.clone()))
    }

    fn token_keys(&self, since: Time) -> Answer<'_, Vec<TokenKey>> {
        read!(self, "list the keys of tokens", |c| signed::keys(c, since))
    }

    fn keep_token_key(&self, keep: KeepTokenKey) -> Answer<'_, bool> {
        write!(self, Alone, "keep the key of tokens", |c| signed::keep_key(c, keep.clone()))
    }

    fn drop_token_keys(&self, drop: DropTokenKeys) -> Answer<'_, u64> {
        write!(self, Alone, "drop the keys of tokens", |c| signed::drop_keys(c, drop.clone()))
    }

    fn secret(&self, name: String, candidate: SecretBytes) -> Answer<'_, SecretBytes> {
        write!(self, Alone, "read or keep a secret", |c| token::secret(c, &name, &candidate))
    }

    fn record(&self, record: Audit) -> Answer<'_, ()> {
        write!(self, Beside, "write the audit record", |c| audit::write(c, record.clone()))
    }

    fn audit(&self, query: AuditQuery) -> Answer<'_, Vec<AuditRecord>> {
        read!(self, "read the audit record", |c| audit::list(c, query.clone()))
    }

    fn changes_since(&self, number: Option<i64>) -> Answer<'_, Changes> {
        read!(self, "ask for changes", |c| audit::changes_since(c, number))
    }

    fn claim_due(&self, claim: ClaimDue) -> Answer<'_, Vec<Account>> {
        write!(self, Alone, "claim people to look at", |c| revalidation::claim_due(c, &claim))
    }

    fn people(&self, query: PeopleQuery) -> Answer<'_, Vec<Account>> {
        read!(self, "read people to look at", |c| revalidation::people(c, &query))
    }

    fn roll(&self, query: RollQuery) -> Answer<'_, Vec<Enrolled>> {
        read!(self, "list everybody", |c| revalidation::roll(c, &query))
    }

    fn signed_in(&self, query: SignedInQuery) -> Answer<'_, Vec<SignedInPerson>> {
        read!(self, "list who is signed in", |c| revalidation::signed_in(c, &query))
    }

    fn note_checked(&self, note: NoteChecked) -> Answer<'_, ()> {
        write!(self, Alone, "note that people were looked at", |c| revalidation::note_checked(c, &note))
    }

    fn admit_all(&self, admits: Vec<Admit>) -> Answer<'_, Vec<Admitted>> {
        write!(self, Alone, "take several people in", |c| revalidation::admit_all(c, &admits))
    }

    fn census(&self, query: CensusQuery) -> Answer<'_, Census> {
        read!(self, "count people", |c| revalidation::census(c, &query))
    }

    fn end_access(&self, end: EndAccess) -> Answer<'_, Vec<UserId>> {
        write!(self, Alone, "end what people were given", |c| revalidation::end_access(c, &end))
    }

    fn take_lease(&self, take: TakeLease) -> Answer<'_, Leased> {
        write!(self, Alone, "take a lease", |c| revalidation::take_lease(c, &take))
    }

    fn release_leases(&self, release: ReleaseLeases) -> Answer<'_, u64> {
        write!(self, Alone, "give leases back", |c| revalidation::release_leases(c, &release))
    }

    fn marks(&self, start: String) -> Answer<'_, Vec<Mark>> {
        read!(self, "read marks", |c| revalidation::marks(c, &start))
    }

    fn set_mark(&self, set: SetMark) -> Answer<'_, ()> {
        write!(self, Alone, "keep a mark", |c| revalidation::set_mark(c, &set))
    }

    fn sweep(&self, sweep: Sweep) -> Answer<'_, u64> {
        write!(self, Long, "sweep out what has run out", |c| audit::sweep(c, sweep.clone()))
    }

    fn ping(&self) -> Answer<'_, ()> {
        read!(self, "answer", |c| audit::ping(c))
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.stirred.wait())
    }
}
