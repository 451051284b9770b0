//! The groups of an Active Directory domain: what the server's own list says, and what is done where it says nothing.

use std::time::Duration;

use directory::{Builder, Dialect, Directory, Fault, Kind, Limits};
use ldapgate_auth::{
    Answer, Clock, Credentials, Directories, Error, Fold, GroupKind, Person, Proof, Reason, Rule, Settings,
    Silent, Trace, Vendor,
};
use proto::{Dn, Filter, LdapResult, ResultCode};

use crate::world::{World, admitted, clock, decide, dn, movable, names, reason};

const ALL: [&str; 8] =
    ["Domain Users", "everyone", "letter", "level1", "level2", "level3", "level4", "level5"];

fn builder() -> Builder {
    Directory::builder(clock()).ldif(include_str!("domain.ldif")).expect("good LDIF")
}

/// The domain as Active Directory shows it.
async fn domain() -> World {
    World::of(builder().dialect(Dialect::ActiveDirectory)).await
}

fn group(name: &str) -> Dn {
    dn(&format!("cn={name},ou=Groups,dc=corp,dc=test"))
}

fn rule(name: &str) -> Option<Rule> {
    Some(Rule::Group(group(name)))
}

/// A group that lies where none are shown.
fn far() -> Option<Rule> {
    Some(Rule::Group(dn("CN=Far,OU=Elsewhere,DC=corp,DC=test")))
}

fn directories(world: &World, change: impl FnOnce(&mut Settings)) -> Directories {
    timed(world, clock(), change)
}

fn timed(world: &World, clock: Clock, change: impl FnOnce(&mut Settings)) -> Directories {
    let mut settings = Settings::preset("corp", Vendor::ActiveDirectory, dn("dc=corp,dc=test"));
    settings.groups.searches[0].base = dn("ou=Groups,dc=corp,dc=test");
    change(&mut settings);
    Directories::new(vec![(settings, world.pool())], clock).expect("good settings")
}

async fn ada(directories: &Directories) -> Person {
    admitted(directories, "ada", "Ada-Apple-1").await
}

/// Whatever was asked in a login that starts with warm connections, search and bind left out.
async fn asked(directories: &Directories) -> Vec<String> {
    let trace = Trace::new();
    decide(directories, "ada", "Ada-Apple-1", &trace).await.expect("the directory answers");
    let steps = trace.steps().into_iter().filter(|step| step.server.is_some()).skip(2);
    steps.map(|step| step.what).collect()
}

async fn proved(directories: &Directories) -> Proof {
    let typed = Credentials::parse("ada", "Ada-Apple-1".to_owned(), Fold::Lower).expect("a good name");
    let Ok(Answer::Yes(located)) = directories.locate(&typed.username, &Silent).await else {
        panic!("ada is there")
    };
    let Ok(Answer::Yes(proof)) = located.prove(&typed.password, &Silent).await else {
        panic!("it is her password")
    };
    proof
}

/// Her groups, the next searches going wrong in this way, one after the other.
async fn with(
    world: &World,
    directories: &Directories,
    faults: &[Option<ResultCode>],
) -> Result<Person, Error> {
    let proof = proved(directories).await;
    for fault in faults {
        let fault = match fault {
            Some(code) => Fault::Answer(LdapResult::new(*code, "")),
            None => Fault::Delay(Duration::ZERO),
        };
        world.directory.faults().next(Kind::Search, 1, fault);
    }
    let person = proof.person(&Silent).await.map(ldapgate_auth::Proven::into_person);
    assert_eq!(world.directory.faults().pending(), 0, "as many searches as planned");
    person
}

const NO_RIGHT: Option<ResultCode> = Some(ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
/// Each search is asked for twice: at once, and in pages.
const CUT: Option<ResultCode> = Some(ResultCode::SIZE_LIMIT_EXCEEDED);

#[tokio::test]
async fn groups_of_every_scope_and_depth_are_in_the_server_s_own_list() {
    let world = domain().await;
    let person = ada(&directories(&world, |_| ())).await;
    assert_eq!(names(&person), [&ALL[..], &["local"]].concat());
    assert!(person.groups_complete());
    let flat = directories(&world, |settings| settings.groups.nested = false);
    assert_eq!(names(&ada(&flat).await), ["Domain Users", "letter", "level1"]);
}

#[tokio::test]
async fn rules_are_compared_by_identifier_wherever_the_group_lies() {
    let world = domain().await;
    let directories = directories(&world, |settings| settings.deny = far());
    assert_eq!(reason(&directories, "ada", "Ada-Apple-1").await, Reason::InDeniedGroup);
    let ben = admitted(&directories, "ben", "Ben-Birch-2").await;
    assert_eq!(names(&ben), ["Domain Users", "everyone"]);
    for (name, in_it) in [("level5", true), ("local", true), ("Domain Users", true), ("everyone", true)]
        .into_iter()
        .chain([("empty", false), ("gone", false), ("list", false)])
    {
        let directories = self::directories(&world, |settings| settings.named = vec![group(name)]);
        assert_eq!(ada(&directories).await.is_in(&group(name)), in_it, "{name}");
    }
}

#[tokio::test]
async fn a_warm_login_costs_one_read_however_many_rules_there_are() {
    let world = domain().await;
    let directories = directories(&world, |settings| {
        settings.require = rule("level5");
        settings.deny = Some(Rule::Group(dn("cn=nobody,ou=Elsewhere,dc=corp,dc=test")));
        settings.named = vec![group("local"), group("empty"), group("gone")];
    });
    let cold = asked(&directories).await;
    assert_eq!(cold.len(), 1 + 5 + 1, "the list, each group of a rule, the names: {cold:#?}");
    let warm = asked(&directories).await;
    assert_eq!(warm, ["search base=\"cn=Ada,ou=People,dc=corp,dc=test\" scope=base filter=(objectClass=*)"],);
    // Somebody else's groups are hers, too.
    admitted(&directories, "ada", "Ada-Apple-1").await;
    world.operations();
    reason(&directories, "ben", "Ben-Birch-2").await;
    assert_eq!(world.operations().len(), 3);
}

#[tokio::test]
async fn without_nesting_a_warm_login_costs_nothing_for_groups() {
    let world = domain().await;
    let directories = directories(&world, |settings| {
        settings.groups.nested = false;
        settings.require = rule("Domain Users");
    });
    assert_eq!(asked(&directories).await.len(), 2, "the rule's group and the primary group's name");
    assert!(asked(&directories).await.is_empty());
}

#[tokio::test]
async fn a_distribution_group_of_a_rule_is_asked_for_its_members_at_any_depth() {
    let world = domain().await;
    let directories = directories(&world, |settings| settings.deny = rule("letters"));
    assert_eq!(reason(&directories, "ada", "Ada-Apple-1").await, Reason::InDeniedGroup);
    admitted(&directories, "ben", "Ben-Birch-2").await;
    let warm = asked(&directories).await;
    assert_eq!(warm.len(), 2, "{warm:#?}");
    assert!(warm[1].contains("cn=letters") && warm[1].contains(":1.2.840.113556.1.4.1941:="), "{warm:#?}");
    // One that she is in directly stands in her entry.
    let direct = self::directories(&world, |settings| settings.require = rule("letter"));
    ada(&direct).await;
    assert_eq!(asked(&direct).await.len(), 1);
}

#[tokio::test]
async fn a_list_that_is_not_shown_leads_to_the_server_s_rule_for_chains() {
    let world = domain().await;
    let directories = directories(&world, |settings| {
        settings.named = vec![dn("cn=far,ou=Elsewhere,dc=corp,dc=test"), group("level5"), group("empty")];
    });
    let person = with(&world, &directories, &[NO_RIGHT]).await.expect("another way leads there");
    assert_eq!(names(&person), [&ALL[..3], &["letters"], &ALL[3..], &["list", "local"]].concat());
    assert!(person.is_in(&dn("cn=far,ou=Elsewhere,dc=corp,dc=test")) && !person.is_in(&group("empty")));
    world.operations();
    with(&world, &directories, &[NO_RIGHT]).await.expect("another way leads there");
    assert_eq!(world.operations().len(), 2 + 1 + 1 + 1, "the list in vain, the groups, the one elsewhere");
}

#[tokio::test]
async fn a_server_without_either_is_walked_level_by_level() {
    let world = World::of(builder()).await;
    let directories = directories(&world, |settings| {
        settings.named = vec![dn("cn=far,ou=Elsewhere,dc=corp,dc=test")];
    });
    let person = ada(&directories).await;
    assert_eq!(names(&person), [&ALL[..3], &["letters"], &ALL[3..], &["list", "local"]].concat());
    assert!(person.is_in(&dn("cn=far,ou=Elsewhere,dc=corp,dc=test")));
}

#[tokio::test]
async fn a_server_s_list_in_parts_is_read_to_its_end() {
    let limits = Limits { values: 3, ..Limits::default() };
    let world = World::of(builder().dialect(Dialect::ActiveDirectory).limits(limits)).await;
    let directories = directories(&world, |settings| settings.deny = rule("empty"));
    assert_eq!(names(&ada(&directories).await), [&ALL[..], &["local"]].concat());
    assert_eq!(asked(&directories).await.len(), 3, "eight groups, three at a time");
}

#[tokio::test]
async fn a_server_s_list_that_ends_early_admits_nobody_past_a_deny() {
    let limits = Limits { values: 3, ..Limits::default() };
    let world = World::of(builder().dialect(Dialect::ActiveDirectory).limits(limits)).await;
    let gone = [None, Some(ResultCode::NO_SUCH_OBJECT)];
    let denying = directories(&world, |settings| settings.deny = rule("empty"));
    ada(&denying).await;
    let error = with(&world, &denying, &gone).await.expect_err("the rest may be what is denied");
    assert!(error.to_string().contains("cut the list of groups") && error.proved(), "{error}");
    let requiring = directories(&world, |settings| settings.require = rule("empty"));
    with(&world, &requiring, &[None, None, None, None, None]).await.expect("whole");
    let person = with(&world, &requiring, &gone).await.expect("a missing group admits nobody");
    assert!(!person.groups_complete());
}

#[tokio::test]
async fn names_and_chains_that_are_cut_short_admit_nobody_past_a_negation() {
    let world = domain().await;
    let not = |name| Some(Rule::Not(Box::new(Rule::Group(group(name)))));
    let cold = || directories(&world, |settings| settings.require = not("empty"));
    // A server that gives up is asked for fewer groups at once before it is believed.
    with(&world, &cold(), &[None, None, CUT, CUT, CUT, CUT]).await.expect("nine, four, then two");
    with(&world, &cold(), &[None, None, CUT, CUT, CUT, CUT, CUT, CUT, CUT, CUT])
        .await
        .expect_err("the names");
    with(&world, &cold(), &[NO_RIGHT, None, None, CUT, CUT, CUT, CUT]).await.expect_err("the chain");
    let letters = directories(&world, |settings| settings.require = not("letters"));
    with(&world, &letters, &[None, None, None, None, CUT, CUT]).await.expect_err("the distribution group");
}

#[tokio::test]
async fn an_attribute_that_the_place_does_not_tell_is_asked_for_once() {
    let world = domain().await;
    for nested in [true, false] {
        let directories = directories(&world, |settings| {
            settings.groups.nested = nested;
            settings.groups.name_attribute = "sAMAccountName".to_owned();
        });
        let person = ada(&directories).await;
        let shown: Vec<&str> = names(&person);
        assert!(shown.contains(&"sam-letter") && shown.contains(&"sam-level1"), "{shown:?}");
        assert_eq!(asked(&directories).await.len(), usize::from(nested));
        assert_eq!(names(&ada(&directories).await), shown);
    }
}

#[tokio::test]
async fn a_filter_says_which_groups_of_the_domain_are_shown() {
    let world = domain().await;
    let directories = directories(&world, |settings| {
        settings.groups.searches[0].filter = Some(Filter::starts_with("cn", "le"));
        settings.deny = rule("local");
    });
    assert_eq!(reason(&directories, "ada", "Ada-Apple-1").await, Reason::InDeniedGroup);
    let directories = self::directories(&world, |settings| {
        settings.groups.searches[0].filter = Some(Filter::starts_with("cn", "l"));
        settings.require = rule("everyone");
    });
    let shown = ["letter", "level1", "level2", "level3", "level4", "level5", "local"];
    for _ in 0..2 {
        assert_eq!(names(&ada(&directories).await), shown);
    }
    assert_eq!(asked(&directories).await.len(), 1);
}

#[tokio::test]
async fn what_is_known_of_groups_is_forgotten_after_five_minutes() {
    let (told, clock) = movable();
    let world = domain().await;
    let directories = timed(&world, told, |settings| settings.require = rule("level5"));
    assert_eq!(asked(&directories).await.len(), 3);
    clock.advance(Duration::from_secs(299));
    assert_eq!(asked(&directories).await.len(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(asked(&directories).await.len(), 3);
}

#[tokio::test]
async fn a_group_of_a_rule_that_could_not_be_read_is_asked_for_again() {
    let world = domain().await;
    let directories = directories(&world, |settings| settings.deny = rule("level5"));
    let unavailable = Some(ResultCode::UNAVAILABLE);
    with(&world, &directories, &[None, unavailable]).await.expect_err("nobody knows who is denied");
    assert_eq!(reason(&directories, "ada", "Ada-Apple-1").await, Reason::InDeniedGroup);
}

#[tokio::test]
async fn groups_that_are_remembered_cost_nothing_not_even_the_token() {
    let world = domain().await;
    let directories = directories(&world, |settings| settings.cache.groups = Duration::from_secs(60));
    let first = ada(&directories).await;
    assert_eq!(asked(&directories).await, [""; 0]);
    assert_eq!(names(&ada(&directories).await), names(&first));
}

#[tokio::test]
async fn an_entry_s_own_list_of_groups_is_read_to_its_end() {
    let limits = Limits { values: 1, ..Limits::default() };
    let world = World::of(builder().dialect(Dialect::ActiveDirectory).limits(limits)).await;
    let own = |settings: &mut Settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.nested = false;
        settings.deny = rule("empty");
        settings.lists.insert("groups".to_owned(), "memberOf".to_owned());
    };
    let denying = directories(&world, own);
    let person = ada(&denying).await;
    assert_eq!(names(&person), ["letter", "level1"]);
    assert_eq!(person.lists()["groups"].len(), 2, "fields and lists have all values, too");
    let asked = asked(&denying).await;
    assert_eq!(asked, ["search base=\"cn=Ada,ou=People,dc=corp,dc=test\" scope=base filter=(objectClass=*)"]);
    let gone = [Some(ResultCode::NO_SUCH_OBJECT)];
    with(&world, &denying, &gone).await.expect_err("the rest may be what is denied");
    let lenient = directories(&world, |settings| {
        own(settings);
        settings.deny = None;
    });
    assert!(!with(&world, &lenient, &gone).await.expect("nothing depends on the rest").groups_complete());
}

#[tokio::test]
async fn what_one_person_cannot_see_is_not_taken_for_missing_by_the_next() {
    let world = domain().await;
    let themselves = directories(&world, |settings| {
        settings.user.bind_as_user = true;
        settings.deny = far();
    });
    let hidden = [None, Some(ResultCode::NO_SUCH_OBJECT)];
    with(&world, &themselves, &hidden).await.expect("she does not see it");
    assert_eq!(reason(&themselves, "ada", "Ada-Apple-1").await, Reason::InDeniedGroup);
    let service = directories(&world, |settings| settings.deny = far());
    with(&world, &service, &hidden).await.expect("it is not there");
    ada(&service).await;
}
