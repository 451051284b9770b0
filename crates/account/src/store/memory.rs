//! The store that forgets: for tests, the demo and trying things out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::{
    AccountQuery, Admit, Admitted, Answer, Audit, AuditQuery, AuditRecord, Block, BlockQuery, ChangeGrants,
    Changed, Changes, ClearBlocks, Digest, DropTokenKeys, EndSessions, Find, GroupQuery, IssuePersonal,
    IssueSigned, KeepTokenKey, LimitQuery, Link, Linked, PersonalToken, Relink, Relinked, Remove, Reserve,
    Reserved, Revoke, RevokePersonal, RevokeSigned, SecretBytes, SessionQuery, Sessions, SetDisabled, Settle,
    SignedToken, State, Stirred, Store, StoredGroup, StoredSession, Sweep, TokenKey, Touch, UsePersonal,
};
use super::{
    Census, CensusQuery, ClaimDue, EndAccess, Enrolled, Leased, Mark, NoteChecked, PeopleQuery,
    ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery, TakeLease,
};
use crate::{Account, Time, UserId};

/// [`State`] behind a lock. Everything is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    stirred: Stirred,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn apply<T>(&self, command: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = state.changed();
        let answer = command(&mut state);
        if state.changed() != before {
            self.stirred.stir();
        }
        let written = state.take_written();
        drop(state);
        written.iter().for_each(Audit::tell);
        answer
    }

    /// No command leaves the state half done, so a panic of another thread spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

macro_rules! by_state {
    ($($method:ident($input:ty) -> $output:ty;)+) => {
        $(fn $method(&self, input: $input) -> Answer<'_, $output> {
            Box::pin(async move { Ok(self.apply(|state| state.$method(input))) })
        })+
    };
}

impl Store for MemoryStore {
    by_state! {
        link(Link) -> Linked;
        admit(Box<Admit>) -> Admitted;
        account(Find) -> Option<Account>;
        accounts(AccountQuery) -> Vec<Account>;
        set_disabled(SetDisabled) -> bool;
        revoke(Revoke) -> bool;
        relink(Relink) -> Relinked;
        remove(Remove) -> bool;
        change_grants(ChangeGrants) -> Changed;
        local_groups(GroupQuery) -> Vec<StoredGroup>;
        blocked_until(LimitQuery) -> Option<Time>;
        reserve_attempt(Reserve) -> Reserved;
        settle_attempt(Settle) -> ();
        blocks(BlockQuery) -> Vec<Block>;
        clear_blocks(ClearBlocks) -> u64;
        session(Digest) -> Option<(StoredSession, Account)>;
        sessions(SessionQuery) -> Vec<Sessions>;
        touch_session(Touch) -> bool;
        end_sessions(EndSessions) -> u64;
        issue_personal(IssuePersonal) -> bool;
        personal_tokens(Option<UserId>) -> Vec<PersonalToken>;
        use_personal(UsePersonal) -> Option<(PersonalToken, Account)>;
        revoke_personal(RevokePersonal) -> bool;
        issue_signed(IssueSigned) -> bool;
        signed_tokens(Option<UserId>) -> Vec<SignedToken>;
        revoked_tokens(UserId) -> Vec<String>;
        revoke_signed(RevokeSigned) -> bool;
        token_keys(Time) -> Vec<TokenKey>;
        keep_token_key(KeepTokenKey) -> bool;
        drop_token_keys(DropTokenKeys) -> u64;
        record(Audit) -> ();
        audit(AuditQuery) -> Vec<AuditRecord>;
        changes_since(Option<i64>) -> Changes;
        claim_due(ClaimDue) -> Vec<Account>;
        people(PeopleQuery) -> Vec<Account>;
        roll(RollQuery) -> Vec<Enrolled>;
        signed_in(SignedInQuery) -> Vec<SignedInPerson>;
        note_checked(NoteChecked) -> ();
        admit_all(Vec<Admit>) -> Vec<Admitted>;
        census(CensusQuery) -> Census;
        end_access(EndAccess) -> Vec<UserId>;
        take_lease(TakeLease) -> Leased;
        release_leases(ReleaseLeases) -> u64;
        marks(String) -> Vec<Mark>;
        set_mark(SetMark) -> ();
        sweep(Sweep) -> u64;
    }

    fn secret(&self, name: String, candidate: SecretBytes) -> Answer<'_, SecretBytes> {
        Box::pin(async move { Ok(self.apply(|state| state.secret(name, candidate))) })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.stirred.wait())
    }
}
