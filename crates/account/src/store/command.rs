//! The commands as values, so that a sequence of them can be made up, printed and run on any store.

use super::{
    AccountQuery, Admit, Admitted, Audit, AuditQuery, AuditRecord, Block, BlockQuery, ChangeGrants, Changed,
    Changes, ClearBlocks, Digest, DropTokenKeys, EndSessions, Find, GroupQuery, IssuePersonal, IssueSigned,
    KeepTokenKey, LimitQuery, Link, Linked, PersonalToken, Relink, Relinked, Remove, Reserve, Reserved,
    Revoke, RevokePersonal, RevokeSigned, SessionQuery, Sessions, SetDisabled, Settle, SignedToken, State,
    Store, StoreError, StoredGroup, StoredSession, Sweep, TokenKey, Touch, UsePersonal,
};
use super::{
    Census, CensusQuery, ClaimDue, EndAccess, Enrolled, Leased, Mark, NoteChecked, PeopleQuery,
    ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery, TakeLease,
};
use crate::{Account, Time, UserId};

macro_rules! commands {
    ($($name:ident = $method:ident($input:ty) -> $output:ty;)+) => {
        /// One call of a [`Store`], as a value: the variant is the method's name.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is the method of its name")]
        pub enum Command { $($name($input)),+ }

        /// What a [`Command`] answers.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is the method of its name")]
        pub enum Reply { $($name($output)),+ }

        impl State {
            /// Carries a command out.
            pub fn apply(&mut self, command: Command) -> Reply {
                match command { $(Command::$name(input) => Reply::$name(self.$method(input))),+ }
            }
        }

        /// Asks a store.
        ///
        /// # Errors
        ///
        /// What the store answers.
        pub async fn run(store: &dyn Store, command: Command) -> Result<Reply, StoreError> {
            Ok(match command { $(Command::$name(input) => Reply::$name(store.$method(input).await?)),+ })
        }
    };
}

commands! {
    Link = link(Link) -> Linked;
    Admit = admit(Box<Admit>) -> Admitted;
    Account = account(Find) -> Option<Account>;
    Accounts = accounts(AccountQuery) -> Vec<Account>;
    SetDisabled = set_disabled(SetDisabled) -> bool;
    Revoke = revoke(Revoke) -> bool;
    Relink = relink(Relink) -> Relinked;
    Remove = remove(Remove) -> bool;
    ChangeGrants = change_grants(ChangeGrants) -> Changed;
    LocalGroups = local_groups(GroupQuery) -> Vec<StoredGroup>;
    BlockedUntil = blocked_until(LimitQuery) -> Option<Time>;
    ReserveAttempt = reserve_attempt(Reserve) -> Reserved;
    SettleAttempt = settle_attempt(Settle) -> ();
    Blocks = blocks(BlockQuery) -> Vec<Block>;
    ClearBlocks = clear_blocks(ClearBlocks) -> u64;
    Session = session(Digest) -> Option<(StoredSession, Account)>;
    Sessions = sessions(SessionQuery) -> Vec<Sessions>;
    TouchSession = touch_session(Touch) -> bool;
    EndSessions = end_sessions(EndSessions) -> u64;
    IssuePersonal = issue_personal(IssuePersonal) -> bool;
    PersonalTokens = personal_tokens(Option<UserId>) -> Vec<PersonalToken>;
    UsePersonal = use_personal(UsePersonal) -> Option<(PersonalToken, Account)>;
    RevokePersonal = revoke_personal(RevokePersonal) -> bool;
    IssueSigned = issue_signed(IssueSigned) -> bool;
    SignedTokens = signed_tokens(Option<UserId>) -> Vec<SignedToken>;
    RevokedTokens = revoked_tokens(UserId) -> Vec<String>;
    RevokeSigned = revoke_signed(RevokeSigned) -> bool;
    TokenKeys = token_keys(Time) -> Vec<TokenKey>;
    KeepTokenKey = keep_token_key(KeepTokenKey) -> bool;
    DropTokenKeys = drop_token_keys(DropTokenKeys) -> u64;
    Record = record(Audit) -> ();
    Audit = audit(AuditQuery) -> Vec<AuditRecord>;
    ChangesSince = changes_since(Option<i64>) -> Changes;
    ClaimDue = claim_due(ClaimDue) -> Vec<Account>;
    People = people(PeopleQuery) -> Vec<Account>;
    Roll = roll(RollQuery) -> Vec<Enrolled>;
    SignedIn = signed_in(SignedInQuery) -> Vec<SignedInPerson>;
    NoteChecked = note_checked(NoteChecked) -> ();
    AdmitAll = admit_all(Vec<Admit>) -> Vec<Admitted>;
    Census = census(CensusQuery) -> Census;
    EndAccess = end_access(EndAccess) -> Vec<UserId>;
    TakeLease = take_lease(TakeLease) -> Leased;
    ReleaseLeases = release_leases(ReleaseLeases) -> u64;
    Marks = marks(String) -> Vec<Mark>;
    SetMark = set_mark(SetMark) -> ();
    Sweep = sweep(Sweep) -> u64;
}
