//! A store that counts what it is asked, and can be down.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ldapgate_account::store::*;
use ldapgate_account::{Account, Time, UserId};

#[derive(Default)]
pub(crate) struct Watched {
    inner: MemoryStore,
    asked: AtomicU64,
    down: AtomicBool,
}

impl Watched {
    /// How often it was asked anything.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// The number of the last change.
    pub(crate) async fn changes(&self) -> i64 {
        self.inner.changes_since(None).await.unwrap().number
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn ask(&self) -> Result<&MemoryStore, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.down.load(Ordering::SeqCst) {
            false => Ok(&self.inner),
            true => Err(StoreError::Unreachable("the disk is gone".into())),
        }
    }
}

macro_rules! pass_on {
    ($($method:ident($($name:ident: $input:ty),*) -> $output:ty;)+) => {
        $(fn $method(&self, $($name: $input),*) -> Answer<'_, $output> {
            Box::pin(async move { self.ask()?.$method($($name),*).await })
        })+
    };
}

impl Store for Watched {
    pass_on! {
        link(link: Link) -> Linked;
        admit(admit: Box<Admit>) -> Admitted;
        account(find: Find) -> Option<Account>;
        accounts(query: AccountQuery) -> Vec<Account>;
        set_disabled(set: SetDisabled) -> bool;
        revoke(revoke: Revoke) -> bool;
        relink(relink: Relink) -> Relinked;
        remove(remove: Remove) -> bool;
        change_grants(change: ChangeGrants) -> Changed;
        local_groups(query: GroupQuery) -> Vec<StoredGroup>;
        blocked_until(query: LimitQuery) -> Option<Time>;
        reserve_attempt(reserve: Reserve) -> Reserved;
        settle_attempt(settle: Settle) -> ();
        blocks(query: BlockQuery) -> Vec<Block>;
        clear_blocks(clear: ClearBlocks) -> u64;
        session(digest: Digest) -> Option<(StoredSession, Account)>;
        sessions(query: SessionQuery) -> Vec<Sessions>;
        touch_session(touch: Touch) -> bool;
        end_sessions(end: EndSessions) -> u64;
        issue_personal(issue: IssuePersonal) -> bool;
        personal_tokens(user: Option<UserId>) -> Vec<PersonalToken>;
        use_personal(usage: UsePersonal) -> Option<(PersonalToken, Account)>;
        revoke_personal(revoke: RevokePersonal) -> bool;
        issue_signed(issue: IssueSigned) -> bool;
        signed_tokens(user: Option<UserId>) -> Vec<SignedToken>;
        revoked_tokens(user: UserId) -> Vec<String>;
        revoke_signed(revoke: RevokeSigned) -> bool;
        token_keys(since: Time) -> Vec<TokenKey>;
        keep_token_key(keep: KeepTokenKey) -> bool;
        drop_token_keys(drop: DropTokenKeys) -> u64;
        secret(name: String, candidate: SecretBytes) -> SecretBytes;
        record(audit: Audit) -> ();
        audit(query: AuditQuery) -> Vec<AuditRecord>;
        changes_since(number: Option<i64>) -> Changes;
        claim_due(claim: ClaimDue) -> Vec<Account>;
        people(query: PeopleQuery) -> Vec<Account>;
        roll(query: RollQuery) -> Vec<Enrolled>;
        signed_in(query: SignedInQuery) -> Vec<SignedInPerson>;
        note_checked(note: NoteChecked) -> ();
        admit_all(admits: Vec<Admit>) -> Vec<Admitted>;
        census(query: CensusQuery) -> Census;
        end_access(end: EndAccess) -> Vec<UserId>;
        take_lease(take: TakeLease) -> Leased;
        release_leases(release: ReleaseLeases) -> u64;
        marks(start: String) -> Vec<Mark>;
        set_mark(set: SetMark) -> ();
        sweep(sweep: Sweep) -> u64;
        ping() -> ();
    }

    fn stirred(&self) -> futures_util::future::BoxFuture<'_, ()> {
        self.inner.stirred()
    }
}
