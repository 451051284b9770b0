//! The habits of Active Directory that groups depend on: `tokenGroups`, chains, and attributes in parts.

use directory::{Builder, Dialect, Directory, Limits};
use proto::{Entry, Filter, Request, Scope, SearchRequest};

use crate::support::{Peer, clock};

const ANN: &str = "cn=ann,dc=corp,dc=test";
const LDIF: &str = "\
dn: cn=ann,dc=corp,dc=test
objectClass: user
cn: ann

dn: cn=team,dc=corp,dc=test
objectClass: group
cn: team
objectSid: team
member: cn=ann,dc=corp,dc=test

dn: cn=all,dc=corp,dc=test
objectClass: group
cn: all
objectSid: all
member: CN=Team,DC=corp,DC=test

dn: cn=letter,dc=corp,dc=test
objectClass: group
groupType: 2
cn: letter
objectSid: letter
member: cn=ann,dc=corp,dc=test
description: 0
description: 1
description: 2
description: 3
description: 4
";

fn corp() -> Builder {
    let limits = Limits { values: 2, ..Limits::default() };
    Directory::builder(clock()).dialect(Dialect::ActiveDirectory).limits(limits).ldif(LDIF).unwrap()
}

fn asked(base: &str, scope: Scope, attribute: &str) -> Request {
    let mut search = SearchRequest::new(base, scope, Filter::present("objectClass"));
    search.attributes = vec![attribute.to_owned()];
    Request::Search(search)
}

/// The attributes of the one entry with this name, with as many values as they came with.
async fn read(directory: &Directory, dn: &str, attribute: &str) -> Vec<(String, Vec<String>)> {
    let answer = Peer::of(directory).ask(&asked(dn, Scope::Base, attribute)).await;
    let [entry] = &answer.entries[..] else { panic!("one entry, not {:?}", answer.dns()) };
    let texts = |entry: &Entry| {
        let attributes = entry.attributes();
        attributes.map(|a| (a.name().to_owned(), a.texts().map(str::to_owned).collect())).collect()
    };
    texts(entry)
}

#[tokio::test]
async fn token_groups_are_computed_for_one_entry_that_is_asked_for_them() {
    let directory = corp().build();
    let token = [("tokenGroups".to_owned(), vec!["team".to_owned(), "all".to_owned()])];
    assert_eq!(read(&directory, ANN, "tokenGroups").await, token);
    assert_eq!(read(&directory, ANN, "+").await.iter().filter(|(name, _)| name == "tokenGroups").count(), 0);
    let everybody = Peer::of(&directory).ask(&asked("dc=corp,dc=test", Scope::Subtree, "tokenGroups")).await;
    assert_eq!(everybody.code(), 1);
    assert!(everybody.result().message.contains("this is not a BASE search"));
}

#[tokio::test]
async fn another_server_s_habits_do_not_include_them() {
    let directory = Directory::builder(clock()).ldif(LDIF).unwrap().build();
    assert_eq!(read(&directory, ANN, "tokenGroups").await, []);
    assert_eq!(read(&directory, "cn=letter,dc=corp,dc=test", "description;range=0-1").await, []);
    let chain = Filter::parse("(member:1.2.840.113556.1.4.1941:=cn=ann,dc=corp,dc=test)").unwrap();
    let search = SearchRequest::new("dc=corp,dc=test", Scope::Subtree, chain);
    assert!(Peer::of(&directory).ask(&Request::Search(search)).await.entries.is_empty());
}

#[tokio::test]
async fn chains_are_followed_in_both_directions() {
    let directory = corp().build();
    for (filter, found) in [
        ("(member:1.2.840.113556.1.4.1941:=CN=Ann,DC=corp,DC=test)", vec!["cn=team", "cn=all", "cn=letter"]),
        ("(memberOf:1.2.840.113556.1.4.1941:=cn=all,dc=corp,dc=test)", vec!["cn=ann", "cn=team"]),
        ("(member:1.2.840.113556.1.4.1941:=nobody)", vec![]),
    ] {
        let filter = Filter::parse(filter).unwrap();
        let search = SearchRequest::new("dc=corp,dc=test", Scope::Subtree, filter.clone());
        let answer = Peer::of(&directory).ask(&Request::Search(search)).await;
        let dns: Vec<&str> = answer.dns().into_iter().filter_map(|dn| dn.split(',').next()).collect();
        assert_eq!(dns, found, "{filter}");
    }
}

#[tokio::test]
async fn a_long_attribute_comes_in_parts() {
    let directory = corp().build();
    let letter = "cn=letter,dc=corp,dc=test";
    for (asked, name, values) in [
        ("description;range=2-*", "description;range=2-3", vec!["2", "3"]),
        ("description;range=4-*", "description;range=4-*", vec!["4"]),
        ("description;range=1-1", "description;range=1-1", vec!["1"]),
        ("description;range=5-*", "description;range=5-*", vec![]),
    ] {
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        assert_eq!(read(&directory, letter, asked).await, [(name.to_owned(), values)], "{asked}");
    }
    assert_eq!(read(&directory, letter, "description;range=9-*").await, []);
    let whole = read(&directory, letter, "description").await;
    let cut = [("description", vec![]), ("description;range=0-1", vec!["0", "1"])];
    let cut = cut.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
    assert_eq!(whole, cut);
}
