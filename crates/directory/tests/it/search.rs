//! Searching with `ldapsearch`.

use directory::Directory;
use proto::{Control, Filter, Request, Scope, SearchRequest};

use crate::support::{ALICE, ALICE_PASSWORD, BASE, Peer, Server, below, clock, demo, names};

const CYCLE: &str = "cn=team,ou=groups,dc=example,dc=com";

#[tokio::test(flavor = "multi_thread")]
async fn scopes_reach_as_far_as_they_should() {
    let server = Server::demo().await;
    let count = |scope, base| names(&server.search(&["-b", base, "-s", scope, "1.1"]).stdout).len();
    assert_eq!(count("base", BASE), 1);
    assert_eq!(count("one", BASE), 3);
    assert_eq!(count("one", "ou=people,dc=example,dc=com"), 13);
    assert_eq!(count("sub", "OU=People, DC=example,DC=com"), 14);
    assert_eq!(count("sub", BASE), names(directory::DEMO).len());
    assert_eq!(count("one", ""), 1);
    assert_eq!(count("sub", ""), names(directory::DEMO).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_who_they_describe() {
    let server = Server::demo().await;
    for (filter, found) in [
        ("(uid=ALICE)", vec!["alice"]),
        ("(userid=alice)", vec!["alice"]),
        ("(0.9.2342.19200300.100.1.1=alice)", vec!["alice"]),
        ("(objectClass=person)", vec!["alice", "bob"]),
        ("(&(objectClass=inetOrgPerson)(!(uid=alice)))", vec!["bob"]),
        ("(|(uid=bob)(mail=alice@*))", vec!["alice", "bob"]),
        ("(name=Alice Adams)", vec!["alice"]),
        ("(telephoneNumber=+1-555-0111)", vec!["alice"]),
        ("(&)", vec!["alice", "bob"]),
        ("(|)", vec![]),
        ("(sn:caseExactMatch:=adams)", vec![]),
        ("(sn:caseExactMatch:=Adams)", vec!["alice"]),
        ("(ou:dn:=people)", vec!["alice", "bob"]),
        ("(entryDN=uid=bob,ou=people,dc=example,dc=com)", vec!["bob"]),
        ("(memberOf=cn=admins,ou=groups,dc=example,dc=com)", vec!["alice"]),
        ("(nosuch=x)", vec![]),
    ] {
        let only = format!("(&(|(uid=alice)(uid=bob)){filter})");
        let answer = server.search(&[&only, "uid"]);
        assert_eq!(answer.status, 0, "{filter}: {}", answer.stderr);
        let uids: Vec<&str> = answer.stdout.lines().filter_map(|line| line.strip_prefix("uid: ")).collect();
        assert_eq!(uids, found, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_need_escaping_are_found() {
    let server = Server::demo().await;
    let pat = server.search(&[r"(uid=pat,o\28n\29e\2a\5cx)", "mail"]);
    assert!(pat.stdout.contains("mail: pat@example.com"), "{}", pat.stdout);
    let by_dn =
        server.search(&["-b", r"uid=pat\2co(n)e*\5cx,ou=people,dc=example,dc=com", "-s", "base", "mail"]);
    assert_eq!(by_dn.stdout, pat.stdout);
    let jürgen = server.search(&["(uid=JÜRGEN)", "sn"]);
    assert!(jürgen.stdout.contains("sn:: R3Jvw58="), "{}", jürgen.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_handed_out_as_asked_for() {
    let server = Server::demo().await;
    let shown = |arguments: &[&str]| {
        let answer = server.search(&[&["(uid=alice)"], arguments].concat());
        let names =
            answer.stdout.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned());
        names.skip(1).collect::<Vec<_>>()
    };
    let user = ["objectClass", "uid", "cn", "givenName", "sn", "mail", "telephoneNumber"];
    let server_side = ["structuralObjectClass", "entryUUID", "createTimestamp", "modifyTimestamp"];
    let computed = ["memberOf", "memberOf", "entryDN", "hasSubordinates", "subschemaSubentry"];
    assert_eq!(shown(&[]), user);
    assert_eq!(shown(&["*"]), user);
    assert_eq!(shown(&["+"]), [&server_side[..], &computed[..]].concat());
    assert_eq!(shown(&["*", "+"]).len(), user.len() + server_side.len() + computed.len());
    assert_eq!(shown(&["1.1"]), [""; 0]);
    assert_eq!(shown(&["1.1", "cn"]), ["cn"]);
    assert_eq!(shown(&["COMMONNAME", "2.5.4.4", "nosuch", "entryuuid"]), ["cn", "sn", "entryUUID"]);
    assert_eq!(shown(&["name"]), ["cn", "givenName", "sn"]);
    assert_eq!(shown(&["-A", "mail", "memberOf"]), ["mail", "memberOf"]);
    let types = server.search(&["-A", "(uid=alice)", "mail"]).stdout;
    assert!(types.contains("\nmail:\n"), "{types}");
}

#[tokio::test]
async fn options_are_subtypes_of_the_plain_attribute() {
    let text = "dn: cn=x,dc=example,dc=com\ncn: x\ndescription;lang-de: Hallo\ndescription;lang-en: Hello\ndescription: Hm\n";
    let directory = Directory::builder(clock()).ldif(text).unwrap().build();
    let mut peer = Peer::of(&directory);
    for filter in ["(description=hallo)", "(description;lang-de=hallo)", "(description;LANG-EN=*)"] {
        assert_eq!(peer.find(filter).await.entries.len(), 1, "{filter}");
    }
    assert_eq!(peer.find("(description;lang-de=hello)").await.entries.len(), 0);
    let request = SearchRequest { attributes: vec!["description;lang-de".into()], ..below("(cn=x)") };
    let answer = peer.ask(&Request::Search(request)).await;
    let shown: Vec<&str> = answer.entries[0].attributes().map(|attribute| attribute.name()).collect();
    assert_eq!(shown, ["description;lang-de"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_neither_shown_nor_searched() {
    let server = Server::demo().await;
    for arguments in [["*", "+"], ["userPassword", "cn"], ["2.5.4.35", "userPassword;x-y"]] {
        let answer =
            server.as_alice("ldapsearch", &[&["-LLL", "-b", BASE, "(uid=*)"], &arguments[..]].concat(), "");
        assert_eq!(names(&answer.stdout).len(), 13);
        assert!(!answer.stdout.to_lowercase().contains("userpassword"), "{}", answer.stdout);
    }
    for filter in [
        "(userPassword=*)",
        "(userPassword=Grüne-Gläser-44)",
        "(userPassword=Gr*)",
        "(2.5.4.35>=A)",
        "(userPassword:octetStringMatch:=Grüne-Gläser-44)",
        "(:octetStringMatch:=Grüne-Gläser-44)",
        "(userPassword~=Grüne-Gläser-44)",
    ] {
        let answer = server.as_alice("ldapsearch", &["-LLL", "-b", BASE, filter, "1.1"], "");
        assert_eq!((answer.status, names(&answer.stdout).len()), (0, 0), "{filter}");
        let not = format!("(!{filter})");
        let answer = server.as_alice("ldapsearch", &["-LLL", "-b", BASE, &not, "1.1"], "");
        let all = names(directory::DEMO).len();
        assert!([0, all].contains(&names(&answer.stdout).len()), "{not} tells entries apart");
    }
}

#[tokio::test]
async fn member_of_is_computed_where_the_data_does_not_say() {
    let (_directory, mut peer) = Peer::demo();
    let groups = |answer: &crate::support::Answer| {
        answer.entries[0].texts("memberOf").map(str::to_owned).collect::<Vec<_>>()
    };
    let ask = |filter: &str| {
        Request::Search(SearchRequest { attributes: vec!["memberOf".into()], ..below(filter) })
    };
    let carol = peer.ask(&ask("(uid=carol)")).await;
    assert_eq!(groups(&carol), [CYCLE]);
    let staff = peer.ask(&ask("(cn=staff)")).await;
    assert_eq!(groups(&staff), ["cn=uploaders,ou=groups,dc=example,dc=com"]);
    let escaped = peer.ask(&ask(r"(uid=pat,o\28n\29e\2a\5cx)")).await;
    assert_eq!(groups(&escaped), ["cn=staff,ou=groups,dc=example,dc=com"]);
    let members = peer.find(&format!("(memberOf={CYCLE})")).await;
    assert_eq!(
        members.dns(),
        ["uid=carol,ou=people,dc=example,dc=com", "cn=everyone,ou=groups,dc=example,dc=com"]
    );

    let stored = "dn: uid=zed,dc=example,dc=com\nuid: zed\nmemberOf: cn=elsewhere,dc=example,dc=com\n";
    let both = demo().ldif(stored).unwrap().build();
    let mut peer = Peer::of(&both);
    assert_eq!(groups(&peer.ask(&ask("(uid=zed)")).await), ["cn=elsewhere,dc=example,dc=com"]);
    assert_eq!(peer.find("(memberOf=CN=elsewhere,dc=example,dc=com)").await.entries.len(), 1);

    let silent = demo().member_of(false).build();
    let mut peer = Peer::of(&silent);
    assert_eq!(groups(&peer.ask(&ask("(uid=carol)")).await), [""; 0]);
    assert_eq!(peer.find(&format!("(memberOf={CYCLE})")).await.entries.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_dse_tells_what_the_server_can_do() {
    let server = Server::demo().await;
    let root = server.search(&["-b", "", "-s", "base", "+"]).stdout;
    for line in [
        "namingContexts: dc=example,dc=com",
        "supportedControl: 1.2.840.113556.1.4.319",
        "supportedExtension: 1.3.6.1.4.1.4203.1.11.3",
        "supportedLDAPVersion: 3",
        "vendorName: ldapgate directory",
        "subschemaSubentry: cn=Subschema",
    ] {
        assert!(root.contains(line), "{line} is not in\n{root}");
    }
    assert!(!root.contains("1.3.6.1.4.1.1466.20037"), "StartTLS is offered without a certificate");
    assert_eq!(server.search(&["-b", "", "-s", "base"]).stdout, "dn:\nobjectClass: top\n\n");
    let schema = server.search(&["-b", "cn=Subschema", "-s", "base", "attributeTypes"]).stdout;
    assert!(schema.contains("attributeTypes: ( 2.5.4.3 NAME ( 'cn' 'commonName' ) SYNTAX "), "{schema}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_has_the_right_code() {
    let server = Server::demo().await;
    let missing = server.search(&["-b", "uid=x,ou=nowhere,dc=example,dc=com"]);
    assert_eq!(missing.status, 32);
    assert!(missing.stderr.contains("Matched DN: dc=example,dc=com"), "{}", missing.stderr);
    assert_eq!(server.search(&["-b", "no name"]).status, 34);
    assert_eq!(server.search(&["-e", "!1.2.3.4.5", "(uid=alice)"]).status, 12);
    assert_eq!(server.search(&["-e", "1.2.3.4.5", "(uid=alice)"]).status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_limit_is_told_after_as_many_entries() {
    let server = Server::demo().await;
    let cut = server.search(&["-z", "2", "(uid=*)", "1.1"]);
    assert_eq!((cut.status, names(&cut.stdout).len()), (4, 2));
    let exact = server.search(&["-z", "13", "(uid=*)", "1.1"]);
    assert_eq!((exact.status, names(&exact.stdout).len()), (0, 13));
}

#[tokio::test]
async fn referrals_are_answered_unless_asked_about_themselves() {
    let text = "dn: ou=far,dc=example,dc=com\nobjectClass: referral\nou: far\nref: ldap://far.example/ou=far,dc=example,dc=com\n";
    let directory = demo().ldif(text).unwrap().build();
    let mut peer = Peer::of(&directory);
    let url = vec!["ldap://far.example/ou=far,dc=example,dc=com".to_owned()];
    let found = peer.find("(uid=alice)").await;
    assert_eq!((found.dns(), &found.references[..]), (vec![ALICE], &[url.clone()][..]));
    let base =
        |dn: &str| Request::Search(SearchRequest::new(dn, Scope::Base, Filter::present("objectClass")));
    for dn in ["ou=far,dc=example,dc=com", "uid=x,ou=far,dc=example,dc=com"] {
        let answer = peer.ask(&base(dn)).await;
        assert_eq!((answer.code(), &answer.result().referrals), (10, &url), "{dn}");
    }
    let manage = Control { oid: "2.16.840.1.113730.3.4.2".into(), critical: true, value: None };
    let itself = peer.ask_with(&base("ou=far,dc=example,dc=com"), vec![manage.clone()]).await;
    assert_eq!(itself.entries.len(), 1);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let delete = Request::Delete("ou=far,dc=example,dc=com".into());
    assert_eq!(peer.ask(&delete).await.code(), 10);
    assert_eq!(peer.ask_with(&delete, vec![manage]).await.code(), 0);
}

#[tokio::test]
async fn thousands_of_entries_are_searched_by_index_and_by_scan() {
    let mut text = String::new();
    for number in 0..5_000 {
        text += &format!(
            "dn: uid=u{number},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u{number}\n"
        );
        text += &format!("sn: {number}\ndescription: number {number} of many\n\n");
    }
    let directory = Directory::builder(clock()).ldif(text).unwrap().build();
    let mut peer = Peer::of(&directory);
    assert_eq!(
        peer.find("(&(objectClass=person)(uid=U4321))").await.dns(),
        ["uid=u4321,ou=people,dc=example,dc=com"]
    );
    assert_eq!(peer.find("(description=*4321*)").await.entries.len(), 1);
    assert_eq!(peer.find("(objectClass=person)").await.entries.len(), 5_000);
    assert_eq!(directory.counters().entries, 5_002);
}
