//! Looking at people again: whose turn it is, what they lose, and who does it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::sentences::{NOW, admitted, event, later, login, with_session};
use crate::store::{
    Admitted, Census, CensusQuery, ClaimDue, Digest, EndAccess, Ending, Find, IssuePersonal, Leased, Loss,
    Mark, NoteChecked, Occasion, PeopleQuery, PersonalToken, ReleaseLeases, RollQuery, SetDisabled, SetMark,
    SignedInQuery, Store, TakeLease, UsePersonal,
};
use crate::{Account, Time};

fn claim(at: Time) -> ClaimDue {
    ClaimDue {
        directory: "main".to_owned(),
        at,
        checked_before: at.before(Duration::from_secs(60)),
        spread: Duration::from_millis(1),
        idle_before: at.before(Duration::from_secs(1800)),
        until: at.after(Duration::from_secs(120)),
        limit: 50,
    }
}

async fn due(store: &dyn Store, at: Time) -> Vec<String> {
    let due = store.claim_due(claim(at)).await.expect("the store answers");
    due.into_iter().map(|account| account.username).collect()
}

async fn stored(store: &dyn Store, account: &Account) -> Option<Account> {
    store.account(Find::Id(account.id)).await.expect("the store answers")
}

fn end(losses: &[&Account], looked: Time, ending: Ending) -> EndAccess {
    let loss = |account: &&Account| Loss {
        user: account.id,
        external_id: account.external_id.clone(),
        reason: "gone".to_owned(),
        audit: event("access_ended"),
    };
    let (directory, losses) = ("main".to_owned(), losses.iter().map(loss).collect());
    EndAccess { directory, looked, at: looked, losses, ending, counted: true }
}

async fn census(store: &dyn Store, since: Time) -> Census {
    let query = CensusQuery { directory: "main".to_owned(), ended_since: since };
    store.census(query).await.expect("the store answers")
}

pub(super) async fn turns(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, login("a", "alice", with_session(b"one"))).await;
    let bob = admitted(&*store, login("b", "bob", Occasion::LookUp)).await;
    assert_eq!(due(&*store, later(30)).await, [""; 0], "nobody's look is old enough");
    assert_eq!(due(&*store, later(90)).await, ["alice"], "who has no session is not looked at");
    assert_eq!(due(&*store, later(91)).await, [""; 0], "who was claimed is nobody else's");
    assert_eq!(due(&*store, later(211)).await, ["alice"], "until the claim runs out");
    let before = store.changes_since(None).await.expect("the store answers").number;
    let note = NoteChecked { users: vec![alice.id, bob.id], at: later(212) };
    store.note_checked(note).await.expect("the store answers");
    let after = store.changes_since(Some(before)).await.expect("the store answers");
    assert_eq!(after.users, [], "a look that finds nothing is no change");
    assert_eq!(stored(&*store, &alice).await.map(|alice| alice.checked), Some(later(212)));
    let note = NoteChecked { users: vec![alice.id], at: later(100) };
    store.note_checked(note).await.expect("the store answers");
    assert_eq!(stored(&*store, &alice).await.map(|alice| alice.checked), Some(later(212)));
    assert_eq!(due(&*store, later(230)).await, [""; 0]);
    assert_eq!(due(&*store, later(290)).await, ["alice"], "and then it is her turn again");

    let token = PersonalToken {
        digest: Digest::of(b"token"),
        id: "t1".to_owned(),
        user: bob.id,
        name: None,
        created: NOW,
        expires: None,
        last_used: None,
    };
    let issue = IssuePersonal { token, generation: 0, audit: event("token_issued") };
    assert!(store.issue_personal(issue).await.expect("the store answers"));
    assert_eq!(due(&*store, later(300)).await, [""; 0], "a token that is not used is nobody's being here");
    let usage = UsePersonal { digest: Digest::of(b"token"), at: later(301) };
    store.use_personal(usage).await.expect("the store answers");
    assert_eq!(due(&*store, later(302)).await, ["bob"]);

    let query = |after| SignedInQuery {
        directory: "main".to_owned(),
        at: later(302),
        idle_before: NOW.before(Duration::from_secs(1)),
        token_used_after: later(300),
        after,
        limit: 1,
    };
    let first = store.signed_in(query(None)).await.expect("the store answers");
    let second = store.signed_in(query(Some(first[0].user))).await.expect("the store answers");
    let mut both = [first[0].user, second[0].user];
    both.sort();
    let mut expected = [alice.id, bob.id];
    expected.sort();
    assert_eq!(both, expected, "both are here, page by page");

    // Several replicas ask at once.
    let store = open().await;
    for number in 0..6_u8 {
        let name = format!("person-{number}");
        admitted(&*store, login(&name, &name, with_session(&[number]))).await;
    }
    let claims = (0..4).map(|_| store.claim_due(ClaimDue { limit: 2, ..claim(later(90)) }));
    let claimed = join_all(claims).await.into_iter().flat_map(|claimed| claimed.expect("the store answers"));
    let mut names: Vec<_> = claimed.map(|account| account.username).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6, "each is looked at once");
}

pub(super) async fn losses(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, login("a", "alice", with_session(b"one"))).await;
    let bob = admitted(&*store, login("b", "bob", with_session(b"two"))).await;
    let carol = admitted(&*store, login("c", "carol", with_session(b"three"))).await;
    let set = SetDisabled { user: carol.id, disabled: true, at: NOW, audit: event("disabled") };
    assert!(store.set_disabled(set).await.expect("the store answers"));
    assert_eq!(census(&*store, NOW).await, Census { with_access: 2, ended: 0 });

    let early = end(&[&alice], NOW.before(Duration::from_secs(1)), Ending::ShutOut);
    assert!(
        store.end_access(early).await.expect("the store answers").is_empty(),
        "a login came after the look"
    );
    let other = Account { external_id: "z".to_owned(), ..alice.clone() };
    let ended = store.end_access(end(&[&other, &alice, &carol], later(9), Ending::ShutOut)).await;
    assert_eq!(ended.expect("the store answers"), [alice.id], "who could not act before loses nothing");
    let out = stored(&*store, &alice).await.expect("the account stays");
    assert_eq!((out.out.as_deref(), out.disabled, out.generation), (Some("gone"), false, 1));
    let session = store.session(Digest::of(b"one")).await.expect("the store answers");
    assert!(session.is_none(), "the session is over");
    assert_eq!(census(&*store, later(9)).await, Census { with_access: 1, ended: 1 });
    assert_eq!(census(&*store, later(10)).await.ended, 0, "some time later it was not lately");
    let seen = store.changes_since(Some(0)).await.expect("the store answers").users;
    assert!(seen.contains(&alice.id), "other replicas hear of it");

    let look = store.admit(login("a", "alice", Occasion::LookUp)).await.expect("the store answers");
    let Admitted::Yes(look) = look else { panic!("she is known: {look:?}") };
    assert_eq!(look.account.out.as_deref(), Some("gone"), "a look-up passes over whether she may enter");
    let looked = |looked| login("a", "alice", Occasion::Revalidation { looked });
    let stale = store.admit(looked(NOW)).await.expect("the store answers");
    assert_eq!(stale, Admitted::Overtaken, "what was seen before it ended does not bring it back");
    let again = admitted(&*store, looked(later(15))).await;
    assert_eq!(
        (again.out, again.last_login),
        (None, alice.last_login),
        "a look that finds her lets her in again"
    );

    let uncounted = EndAccess { counted: false, ..end(&[&bob], later(20), Ending::Remove) };
    assert_eq!(store.end_access(uncounted).await.expect("the store answers"), [bob.id]);
    assert_eq!(stored(&*store, &bob).await, None);
    assert_eq!(census(&*store, later(20)).await.ended, 0, "what an operator ended does not count");

    let occasion = Occasion::Revalidation { looked: NOW };
    let two = vec![*login("d", "dave", occasion.clone()), *login("e", "alice", occasion)];
    let answers = store.admit_all(two).await.expect("the store answers");
    assert!(matches!(answers[..], [Admitted::Yes(_), Admitted::Taken]), "each has an answer: {answers:?}");
}

pub(super) async fn lists(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    for (name, seconds) in [("alice", 3), ("bob", 1), ("carol", 2)] {
        let person = admitted(&*store, login(name, name, Occasion::LookUp)).await;
        let note = NoteChecked { users: vec![person.id], at: later(seconds) };
        store.note_checked(note).await.expect("the store answers");
    }
    let names = async |query| {
        let people = store.people(query).await.expect("the store answers");
        people.into_iter().map(|account| account.username).collect::<Vec<_>>()
    };
    let directory = || "main".to_owned();
    let last = PeopleQuery::LookedAtLast { directory: directory(), limit: 2 };
    assert_eq!(names(last).await, ["alice", "carol"]);
    let external_ids = ["carol", "nobody", "alice", "o'hara; --"].map(str::to_owned).to_vec();
    assert_eq!(names(PeopleQuery::Keys { directory: directory(), external_ids }).await, ["alice", "carol"]);
    assert_eq!(names(PeopleQuery::Keys { directory: directory(), external_ids: vec![] }).await, [""; 0]);
    let local_names = ["carol", "nobody", "bob"].map(str::to_owned).to_vec();
    assert_eq!(names(PeopleQuery::Names { local_names }).await, ["bob", "carol"]);
    let roll = async |after: Option<&str>| {
        let query = RollQuery { directory: directory(), after: after.map(str::to_owned), limit: 2 };
        let page = store.roll(query).await.expect("the store answers");
        page.into_iter().map(|enrolled| enrolled.username).collect::<Vec<_>>()
    };
    assert_eq!(roll(None).await, ["alice", "bob"]);
    assert_eq!(roll(Some("bob")).await, ["carol"]);
    assert_eq!(names(PeopleQuery::LookedAtLast { directory: "partner".to_owned(), limit: 9 }).await, [""; 0]);
}

pub(super) async fn leases_and_marks(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let take = |holder: &str, at: Time| TakeLease {
        name: "sync main".to_owned(),
        holder: holder.to_owned(),
        at,
        until: at.after(Duration::from_secs(60)),
    };
    let held = |by: &str, until| Leased::Held { by: by.to_owned(), until };
    assert_eq!(store.take_lease(take("one", NOW)).await.expect("the store answers"), Leased::Yes);
    assert_eq!(
        store.take_lease(take("two", later(9))).await.expect("the store answers"),
        held("one", later(60))
    );
    assert_eq!(store.take_lease(take("one", later(30))).await.expect("the store answers"), Leased::Yes);
    assert_eq!(
        store.take_lease(take("two", later(60))).await.expect("the store answers"),
        held("one", later(90))
    );
    assert_eq!(
        store.take_lease(take("two", later(90))).await.expect("the store answers"),
        Leased::Yes,
        "it ran out"
    );
    let release =
        |holder: &str| ReleaseLeases { holder: holder.to_owned(), name: Some("sync main".to_owned()) };
    assert_eq!(store.release_leases(release("one")).await.expect("the store answers"), 0);
    assert_eq!(store.release_leases(release("two")).await.expect("the store answers"), 1);
    let all = (0..4).map(|number| store.take_lease(take(&format!("replica {number}"), later(100))));
    let taken = join_all(all).await.into_iter().filter(|answer| matches!(answer, Ok(Leased::Yes))).count();
    assert_eq!(taken, 1, "of several who ask at once one gets it");

    let set = |name: &str, value: Option<&[u8]>| {
        store.set_mark(SetMark { name: name.to_owned(), value: value.map(<[u8]>::to_vec) })
    };
    for (name, value) in
        [("cookie b", b"\xff\0".as_slice()), ("cookie a", b"1"), ("cookies", b""), ("cookie a", b"2")]
    {
        set(name, Some(value)).await.expect("the store answers");
    }
    let marks = store.marks("cookie ".to_owned()).await.expect("the store answers");
    let mark = |name: &str, value: &[u8]| Mark { name: name.to_owned(), value: value.to_vec() };
    assert_eq!(marks, [mark("cookie a", b"2"), mark("cookie b", b"\xff\0")]);
    set("cookie a", None).await.expect("the store answers");
    assert_eq!(store.marks("cookie".to_owned()).await.expect("the store answers").len(), 2);
}
