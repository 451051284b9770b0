//! Made-up commands: few people, sessions and keys, so that they meet each other, and a clock that moves on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::store::{
    AccountQuery, Admit, AttemptId, Audit, AuditEnd, AuditQuery, BlockQuery, Change, ChangeGrants,
    ClearBlocks, Command, CounterKey, Digest, DropTokenKeys, EndSessions, Facts, Find, Grantee, GroupQuery,
    IssuePersonal, IssueSigned, KeepTokenKey, Limit, LimitQuery, Link, Mirror, Occasion, PersonalToken,
    Relink, Remove, Reserve, Retire, Revoke, RevokePersonal, RevokeSigned, SessionQuery, SetDisabled, Settle,
    Settlement, SignedToken, StartSession, StoredWarning, Sweep, TokenKey, Touch, UsePersonal,
};
use crate::store::{
    CensusQuery, ClaimDue, EndAccess, Ending, Loss, NoteChecked, PeopleQuery, ReleaseLeases, RollQuery,
    SetMark, SignedInQuery, TakeLease,
};
use crate::{Attributes, Group, LocalGroup, Time, UserId};

const WINDOW: Duration = Duration::from_secs(90);

/// An endless sequence of commands that its seed decides.
#[derive(Clone, Debug)]
pub struct Script {
    random: u64,
    at: Time,
    made: u64,
    attempts: u64,
    users: Vec<UserId>,
    linked: Vec<Linked>,
}

/// An account that may have been made, and whom for.
#[derive(Clone, Debug)]
struct Linked {
    user: UserId,
    directory: String,
    external_id: String,
}

impl Script {
    /// The sequence of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: seed ^ 0x9e37_79b9_7f4a_7c15,
            at: Time::from_seconds(1_700_000_000),
            made: 0,
            attempts: 0,
            users: Vec::new(),
            linked: Vec::new(),
        }
    }

    /// The next command.
    pub fn next_command(&mut self) -> Command {
        self.at = self.at.after(Duration::from_micros(self.below(20_000_000)));
        let at = self.at;
        match self.below(54) {
            0..=5 => Command::Admit(Box::new(self.admit())),
            6 => Command::Link(self.link()),
            7 => Command::Account(self.find()),
            8 => Command::Accounts(AccountQuery {
                after: self.maybe(|script| script.name()),
                limit: self.below(5) as u32,
            }),
            9 => Command::SetDisabled(SetDisabled {
                user: self.user(),
                disabled: self.coin(),
                at,
                audit: self.event("disabled"),
            }),
            10 => Command::Revoke(Revoke {
                user: self.user(),
                keep: self.maybe(Self::used_digest),
                personal_tokens: self.coin(),
                at,
                audit: self.event("revoked"),
            }),
            11 => {
                let limit = self.limit();
                Command::BlockedUntil(LimitQuery { limit, window: WINDOW, at })
            }
            12..=15 => Command::ReserveAttempt(self.reserve()),
            16..=18 => Command::SettleAttempt(self.settle()),
            19 => Command::Blocks(BlockQuery { at, window: WINDOW }),
            20 => Command::ClearBlocks(ClearBlocks { keys: vec![self.key()], audit: self.event("cleared") }),
            21 => Command::Session(self.used_digest()),
            22 => Command::Sessions(match self.coin() {
                true => SessionQuery::All,
                false => SessionQuery::Of(self.user()),
            }),
            23 => Command::TouchSession(Touch { digest: self.used_digest(), at: self.recent() }),
            24 => Command::EndSessions(self.end()),
            25 | 26 => Command::IssuePersonal(self.issue()),
            27 => Command::PersonalTokens(self.maybe(Self::user)),
            28 => Command::UsePersonal(UsePersonal { digest: self.used_digest(), at }),
            29 => Command::RevokePersonal(RevokePersonal {
                user: self.maybe(Self::user),
                id: self.used_handle(),
                audit: self.event("token_revoked"),
            }),
            30 => Command::Record(self.event("noted")),
            31 => Command::Audit(AuditQuery {
                after: self.below(40) as i64,
                username: self.maybe(Self::name),
                since: self.maybe(Self::recent),
                limit: self.below(20) as u32,
                end: if self.coin() { AuditEnd::Oldest } else { AuditEnd::Newest },
            }),
            32 => Command::ChangesSince(self.maybe(|script| script.below(60) as i64)),
            33 => Command::Relink(self.relink()),
            34 => Command::Remove(Remove { user: self.user(), at, audit: self.event("removed") }),
            35..=40 => self.about_signed_tokens(),
            41..=43 => Command::ChangeGrants(self.change_grants()),
            44 => Command::LocalGroups(match self.coin() {
                true => GroupQuery::All,
                false => GroupQuery::Named(self.group().name),
            }),
            45..=52 => self.revalidation(),
            _ => Command::Sweep(Sweep {
                at,
                idle_before: self.recent(),
                attempts_before: self.recent(),
                keys_before: self.recent(),
                audit_before: self.recent(),
                changes_before: self.recent(),
            }),
        }
    }

    fn revalidation(&mut self) -> Command {
        let (at, directory) = (self.at, self.directory());
        match self.below(12) {
            0 | 1 => Command::ClaimDue(ClaimDue {
                directory,
                at,
                checked_before: self.recent(),
                spread: Duration::from_millis(self.below(1000)),
                idle_before: self.recent(),
                until: at.after(Duration::from_secs(self.below(60))),
                limit: self.below(4) as u32,
            }),
            2 => Command::People(match self.below(3) {
                0 => PeopleQuery::Keys {
                    directory,
                    external_ids: vec![self.external_id(), self.external_id()],
                },
                1 => PeopleQuery::Names { local_names: vec![self.name(), self.name()] },
                _ => PeopleQuery::LookedAtLast { directory, limit: self.below(5) as u32 },
            }),
            11 => Command::Roll(RollQuery {
                directory,
                after: self.maybe(Self::external_id),
                limit: self.below(5) as u32,
            }),
            3 => Command::SignedIn(SignedInQuery {
                directory,
                at,
                idle_before: self.recent(),
                token_used_after: self.recent(),
                after: self.maybe(Self::user),
                limit: self.below(5) as u32,
            }),
            4 => {
                Command::NoteChecked(NoteChecked { users: vec![self.user(), self.user()], at: self.recent() })
            }
            5 => Command::AdmitAll((0..self.below(3)).map(|_| self.admit()).collect()),
            6 => Command::Census(CensusQuery { directory, ended_since: self.recent() }),
            7 => Command::EndAccess(self.end_access()),
            8 => {
                let (name, holder) = (self.word(), self.name());
                let until = at.after(Duration::from_secs(self.below(60)));
                Command::TakeLease(TakeLease { name, holder, at, until })
            }
            9 => Command::ReleaseLeases(ReleaseLeases { holder: self.name(), name: self.maybe(Self::word) }),
            _ => match self.coin() {
                true => Command::Marks("cookie ".to_owned()),
                false => Command::SetMark(SetMark {
                    name: self.word(),
                    value: self.maybe(|script| vec![0, 0xff, script.below(4) as u8]),
                }),
            },
        }
    }

    fn end_access(&mut self) -> EndAccess {
        let ending = if self.below(4) == 0 { Ending::Remove } else { Ending::ShutOut };
        let losses = self.somebody().map(|Linked { user, external_id, .. }| Loss {
            user,
            external_id,
            reason: "gone".to_owned(),
            audit: self.event("access_ended"),
        });
        EndAccess {
            directory: self.directory(),
            looked: if self.coin() { self.at } else { self.recent() },
            at: self.at,
            losses: losses.into_iter().collect(),
            ending,
            counted: self.coin(),
        }
    }

    fn word(&mut self) -> String {
        ["cookie a", "cookie \u{e9}", "cookie%", "lease"][self.below(4) as usize].to_owned()
    }

    fn admit(&mut self) -> Admit {
        let session = self.maybe(Self::session);
        let occasion = match self.below(6) {
            0 => Occasion::LookUp,
            1 => Occasion::External,
            2 => Occasion::Revalidation { looked: self.recent() },
            _ => Occasion::Login { began: self.recent(), session, attempt: self.maybe(Self::used_attempt) },
        };
        let facts = self.facts();
        Admit {
            at: self.at,
            new_id: self.new_user(&facts),
            retire: self.maybe(Self::retire).flatten(),
            facts,
            keep_profile: self.coin(),
            create: self.below(4) != 0,
            mirror: self.mirror(),
            occasion,
            audit: self.event("login"),
        }
    }

    fn change_grants(&mut self) -> ChangeGrants {
        let group = self.group();
        let grantee = match LocalGroup::of(&group).filter(|_| self.below(3) != 0) {
            Some(group) => Grantee::Group { directory: self.directory(), group },
            None => Grantee::Account(self.user()),
        };
        let change = if self.below(3) != 0 { Change::Grant } else { Change::Revoke };
        let permissions = (0..self.below(3)).map(|_| format!("do.{}", self.below(3))).collect();
        ChangeGrants { grantee, change, permissions, at: self.at, audit: self.event("granted") }
    }

    fn retire(&mut self) -> Option<Retire> {
        let Linked { user, directory, external_id } = self.somebody()?;
        self.made += 1;
        let mark = format!("#retired-{}", self.made);
        Some(Retire { user, directory, external_id, mark, audit: self.event("retired") })
    }

    /// Afterwards the key may be another account's, and the account's own id must not be given out again.
    fn relink(&mut self) -> Relink {
        let somebody = self.somebody();
        let (user, from) = match somebody {
            Some(linked) => (linked.user, linked.external_id),
            None => (self.user(), self.external_id()),
        };
        self.linked.retain(|linked| linked.user != user);
        Relink { user, from, to: self.external_id(), at: self.at, audit: self.event("relinked") }
    }

    fn facts(&mut self) -> Facts {
        let username = self.name();
        let mut groups: Vec<_> = (0..self.below(3)).map(|_| self.group()).collect();
        groups.sort();
        groups.dedup();
        let permissions: BTreeSet<_> = (0..self.below(3)).map(|_| format!("do.{}", self.below(3))).collect();
        Facts {
            directory: self.directory(),
            external_id: self.external_id(),
            local_name: self.name(),
            dn: format!("uid={username},ou=people,dc=example,dc=com"),
            username,
            attributes: self.attributes(),
            fields: self.maybe(|script| ("mail".to_owned(), script.name())).into_iter().collect(),
            lists: BTreeMap::from([("phones".to_owned(), (0..self.below(3)).map(|_| self.name()).collect())]),
            flags: BTreeMap::from([("is_staff".to_owned(), self.coin())]),
            groups,
            permissions: permissions.into_iter().collect(),
        }
    }

    fn attributes(&mut self) -> Attributes {
        let values = (0..self.below(3)).map(|_| match self.coin() {
            true => self.name().into_bytes(),
            false => vec![0xff, self.below(4) as u8],
        });
        let read = [("objectSid", values.collect::<Vec<_>>())];
        Attributes::kept(read.iter().map(|(name, values)| (*name, values.as_slice()))).0
    }

    fn group(&mut self) -> Group {
        let name = format!("group {}", self.below(3));
        let place = ["groups", "Teams"][self.below(2) as usize];
        Group { dn: format!("cn={name},ou={place},dc=example,dc=com"), name }
    }

    fn mirror(&mut self) -> Mirror {
        let names = BTreeSet::from([format!("group {}", self.below(3))]);
        match self.below(4) {
            0 => Mirror::Off,
            1 => Mirror::All,
            2 => Mirror::Only(names),
            _ => Mirror::Except(names),
        }
    }

    fn link(&mut self) -> Link {
        Link { directory: self.directory(), external_id: self.external_id(), local_name: self.name() }
    }

    fn find(&mut self) -> Find {
        match self.below(5) {
            0 => Find::Id(self.user()),
            1 => Find::LocalName(self.name()),
            2 => Find::External { directory: self.directory(), external_id: self.external_id() },
            3 => Find::Another { directory: self.directory(), than: self.external_id() },
            _ => Find::Username { directory: self.directory(), username: self.name() },
        }
    }

    fn reserve(&mut self) -> Reserve {
        let one = self.limit();
        let other = self.limit();
        let limits = if one.key == other.key { vec![one] } else { vec![one, other] };
        self.attempts += 1;
        Reserve {
            id: AttemptId(self.attempts as i64),
            limits,
            window: WINDOW,
            at: self.at,
            expires: self.at.after(Duration::from_secs(20 + self.below(40))),
        }
    }

    fn settle(&mut self) -> Settle {
        Settle {
            id: self.maybe(Self::used_attempt),
            settlement: if self.coin() { Settlement::Back } else { Settlement::Wrong },
            window: WINDOW,
            at: self.at,
            audit: self.maybe(|script| script.event("login")),
        }
    }

    fn limit(&mut self) -> Limit {
        Limit { key: self.key(), most: 1 + self.below(3) as u32 }
    }

    fn key(&mut self) -> CounterKey {
        match self.below(3) {
            0 => CounterKey::person("main", &self.name()),
            1 => CounterKey::unknown(self.below(2) as u16),
            _ => CounterKey::address([192, 0, 2, self.below(2) as u8].into()),
        }
    }

    fn session(&mut self) -> StartSession {
        self.made += 1;
        StartSession {
            digest: digest(self.made),
            handle: handle(self.made),
            expires: self.at.after(Duration::from_secs(self.below(400))),
            remembered: self.coin(),
            address: self.maybe(|_| "192.0.2.1".to_owned()),
            agent: self.maybe(|_| "Browser \u{2603}".to_owned()),
            warnings: self.maybe(Self::warning).into_iter().collect(),
        }
    }

    fn warning(&mut self) -> StoredWarning {
        match self.coin() {
            true => {
                StoredWarning::PasswordExpires { at: self.at.after(Duration::from_secs(self.below(400))) }
            }
            false => StoredWarning::GraceLogins { remaining: self.below(3) as u32 },
        }
    }

    fn end(&mut self) -> EndSessions {
        let audit = self.event("logout");
        match self.below(3) {
            0 => EndSessions::Cookie { digest: self.used_digest(), audit },
            1 => EndSessions::Handle { user: self.maybe(Self::user), handle: self.used_handle(), audit },
            _ => EndSessions::Of { user: self.user(), keep: self.maybe(Self::used_digest), audit },
        }
    }

    fn issue(&mut self) -> IssuePersonal {
        self.made += 1;
        let token = PersonalToken {
            digest: digest(self.made),
            id: handle(self.made),
            user: self.user(),
            name: self.maybe(Self::name),
            created: self.at,
            expires: self.maybe(|script| script.at.after(Duration::from_secs(script.below(400)))),
            last_used: None,
        };
        IssuePersonal { token, generation: self.below(2) as i64, audit: self.event("token_issued") }
    }

    fn about_signed_tokens(&mut self) -> Command {
        match self.below(9) {
            0..=2 => Command::IssueSigned(self.issue_signed()),
            3 => Command::SignedTokens(self.maybe(Self::user)),
            4 => Command::RevokedTokens(self.user()),
            5 => Command::RevokeSigned(RevokeSigned {
                user: self.maybe(Self::user),
                id: self.used_handle(),
                at: self.at,
                audit: self.event("token_revoked"),
            }),
            6 => Command::TokenKeys(self.recent()),
            7 => Command::KeepTokenKey(self.keep_key()),
            _ => {
                let keep = self.key_id();
                Command::DropTokenKeys(DropTokenKeys { keep, audit: self.event("token_keys_dropped") })
            }
        }
    }

    fn issue_signed(&mut self) -> IssueSigned {
        self.made += 1;
        let token = SignedToken {
            id: handle(self.made),
            user: self.user(),
            created: self.at,
            expires: self.at.after(Duration::from_secs(self.below(400))),
            revoked: None,
        };
        IssueSigned { token, audit: self.event("token_issued") }
    }

    fn keep_key(&mut self) -> KeepTokenKey {
        let id = self.key_id();
        let Digest(public) = Digest::of(id.as_bytes());
        let key = TokenKey { id, public, held: self.coin(), created: self.recent(), used: self.recent() };
        KeepTokenKey { key, first: self.coin(), audit: self.maybe(|script| script.event("token_key_added")) }
    }

    fn key_id(&mut self) -> String {
        format!("key-{}", self.below(4))
    }

    fn event(&mut self, event: &str) -> Audit {
        Audit {
            at: self.at,
            event: event.to_owned(),
            user: None,
            directory: self.maybe(Self::directory),
            username: self.maybe(Self::name),
            outcome: Some("granted".to_owned()),
            reason: self.maybe(|_| "wrong_password".to_owned()),
            detail: None,
            address: self.maybe(|_| "2001:db8::1".to_owned()),
            agent: None,
            request_id: None,
        }
    }

    fn directory(&mut self) -> String {
        if self.below(5) == 0 { "partner".to_owned() } else { "main".to_owned() }
    }

    /// Names that collate differently by bytes than by language, and one that SQL would trip over.
    fn name(&mut self) -> String {
        ["alice", "Bob", "émile", "o'hara; --", "%_"][self.below(5) as usize].to_owned()
    }

    fn external_id(&mut self) -> String {
        format!("id-{}", self.below(5))
    }

    fn user(&mut self) -> UserId {
        match self.users.len() {
            0 => UserId::from_random([9; 16]),
            made => {
                let which = self.below(made as u64) as usize;
                self.users[which]
            }
        }
    }

    /// The id of the account that is made for somebody new.
    fn new_user(&mut self, facts: &Facts) -> UserId {
        let is_them =
            |linked: &&Linked| linked.directory == facts.directory && linked.external_id == facts.external_id;
        if let Some(linked) = self.linked.iter().find(is_them) {
            return linked.user;
        }
        self.made += 1;
        let user = user_id(self.made);
        self.users.push(user);
        let (directory, external_id) = (facts.directory.clone(), facts.external_id.clone());
        self.linked.push(Linked { user, directory, external_id });
        user
    }

    fn somebody(&mut self) -> Option<Linked> {
        let known = self.linked.len() as u64;
        let which = if known > 0 { self.below(known) } else { 0 };
        self.linked.get(which as usize).cloned()
    }

    fn used_digest(&mut self) -> Digest {
        let made = self.lately_made();
        digest(made)
    }

    fn used_handle(&mut self) -> String {
        let made = self.lately_made();
        handle(made)
    }

    fn lately_made(&mut self) -> u64 {
        let back = self.below(8);
        self.made.saturating_sub(back)
    }

    fn used_attempt(&mut self) -> AttemptId {
        let back = self.below(5);
        AttemptId(self.attempts.saturating_sub(back) as i64)
    }

    fn recent(&mut self) -> Time {
        self.at.before(Duration::from_secs(self.below(300)))
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.coin() { Some(make(self)) } else { None }
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// SplitMix64: enough to wander, and the same everywhere.
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn user_id(made: u64) -> UserId {
    let Digest(digest) = digest(made);
    let (bytes, _) = digest.split_first_chunk().expect("a digest is longer than an id");
    UserId::from_random(*bytes)
}

fn digest(made: u64) -> Digest {
    Digest::of(&made.to_be_bytes())
}

fn handle(made: u64) -> String {
    format!("h{made}")
}
