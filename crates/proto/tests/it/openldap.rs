//! Real messages of OpenLDAP: each is understood, and written again it is the same.

use crate::hex;
use ldapgate_proto::{
    Authentication, Bytes, ChangeOp, Deref, Filter, Limits, Message, PagedResults, PasswordPolicy, Request,
    Response, ResultCode, Scope, WhoAmI,
};

const CAPTURED: &str = include_str!("fixtures/openldap.txt");

fn captured(who: &str) -> impl Iterator<Item = (&str, Bytes)> {
    CAPTURED.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let (name, octets) = line.split_once(": ").expect("name, colon, octets");
        Some((name.strip_prefix(who)?.trim(), hex(octets)))
    })
}

fn requests(name: &str) -> Vec<Message<Request>> {
    let named = captured("client").filter(|(found, _)| *found == name);
    named.map(|(_, frame)| Message::decode(&frame, &Limits::server()).unwrap()).collect()
}

fn responses(name: &str) -> Vec<Message<Response>> {
    let named = captured("server").filter(|(found, _)| *found == name);
    named.map(|(_, frame)| Message::decode(&frame, &Limits::client()).unwrap()).collect()
}

#[test]
fn every_request_comes_back_octet_by_octet() {
    let mut count = 0;
    for (name, frame) in captured("client") {
        let message = Message::<Request>::decode(&frame, &Limits::server()).unwrap();
        assert!(name.starts_with(message.operation.kind()), "{name} is read as {:?}", message.operation);
        assert_eq!(message.encode(), frame, "{name}");
        count += 1;
    }
    assert!(count >= 15, "the fixtures are gone");
}

#[test]
fn every_response_comes_back_octet_by_octet() {
    let mut count = 0;
    for (name, frame) in captured("server") {
        let message = Message::<Response>::decode(&frame, &Limits::client()).unwrap();
        assert!(name.starts_with(message.operation.kind()), "{name} is read as {:?}", message.operation);
        assert_eq!(message.encode(), frame, "{name}");
        count += 1;
    }
    assert!(count >= 15, "the fixtures are gone");
}

#[test]
fn binds_are_told_apart() {
    let binds: Vec<_> = requests("bind")
        .into_iter()
        .map(|message| match message.operation {
            Request::Bind(bind) => match bind.authentication {
                Authentication::Simple(password) => (bind.name, password.expose().to_vec()),
                Authentication::Anonymous => (bind.name, Vec::new()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("cn=m,dc=x", "s"), ("", ""), ("uid=bob,dc=x", "wrong")];
    assert_eq!(binds, expected.map(|(name, password)| (name.to_owned(), password.as_bytes().to_vec())));
}

#[test]
fn a_search_says_what_ldapsearch_was_told() {
    let Request::Search(search) = &requests("search")[0].operation else { panic!("no search") };
    assert_eq!((search.base.as_str(), search.scope, search.deref), ("dc=x", Scope::Subtree, Deref::Never));
    assert_eq!((search.size_limit, search.time_limit, search.types_only), (0, 0, false));
    let asked = "(&(uid=a*)(!(cn:dn:caseExactMatch:=x))(|(sn>=A)(sn<=Z)(sn~=l)(mail=*)))";
    assert_eq!(search.filter, Filter::parse(asked).unwrap());
    assert_eq!(search.attributes, ["uid", "cn"]);
}

#[test]
fn paging_goes_on_with_the_servers_cookie() {
    let asked: Vec<_> =
        requests("search").iter().filter_map(|search| search.controls.get(PagedResults::OID)).collect();
    let told: Vec<_> =
        responses("search done").iter().filter_map(|done| done.controls.get(PagedResults::OID)).collect();
    let asked: Vec<_> = asked.iter().map(|control| PagedResults::parse(control).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|control| PagedResults::parse(control).unwrap()).collect();
    assert_eq!((asked[0].size, asked[0].cookie.len()), (1, 0));
    assert_eq!(asked[1].cookie, told[0].cookie);
    assert_eq!(told[1].cookie.len(), 0);
}

#[test]
fn entries_have_their_attributes() {
    let entries: Vec<_> = responses("search entry")
        .into_iter()
        .map(|message| match message.operation {
            Response::SearchEntry(entry) => entry,
            other => panic!("{other:?}"),
        })
        .collect();
    let ada = &entries[0];
    assert_eq!((ada.dn(), ada.text("UID"), ada.text("cn")), ("uid=ada,dc=x", Some("ada"), Some("Ada")));
    assert_eq!(ada.attributes().map(|attribute| attribute.name()).collect::<Vec<_>>(), ["uid", "cn"]);
    assert_eq!(entries[1].attributes().count(), 0);
}

#[test]
fn a_modify_has_its_changes_in_order() {
    let Request::Modify(modify) = &requests("modify")[0].operation else { panic!("no modify") };
    let changes: Vec<_> = modify
        .changes
        .iter()
        .map(|change| (change.op, change.attribute.as_str(), change.values.len()))
        .collect();
    assert_eq!(
        changes,
        [(ChangeOp::Replace, "mail", 1), (ChangeOp::Delete, "sn", 0), (ChangeOp::Add, "sn", 1)]
    );
}

#[test]
fn add_rename_delete_and_compare_name_their_entries() {
    let Request::Add(add) = &requests("add")[2].operation else { panic!("no add") };
    assert_eq!((add.dn.as_str(), add.attributes.len()), ("uid=ada,dc=x", 5));
    let Request::ModifyDn(rename) = &requests("modify dn")[0].operation else { panic!("no rename") };
    assert_eq!((rename.new_rdn.as_str(), rename.delete_old_rdn), ("uid=bob", true));
    assert_eq!(rename.new_superior.as_deref(), Some("dc=x"));
    let Request::Delete(deleted) = &requests("delete")[0].operation else { panic!("no delete") };
    assert_eq!(deleted, "uid=bob,dc=x");
    let Request::Compare(compare) = &requests("compare")[0].operation else { panic!("no compare") };
    assert_eq!((compare.attribute.as_str(), &compare.value[..]), ("sn", &b"M"[..]));
    let compared = responses("compare response")[0].operation.result().map(|result| result.code);
    assert_eq!(compared, Some(ResultCode::COMPARE_TRUE));
}

#[test]
fn who_am_i_is_answered_with_a_name_or_with_nobody() {
    let answers: Vec<_> = responses("extended response")
        .into_iter()
        .filter_map(|message| match message.operation {
            Response::Extended(response) if response.result.is_success() => {
                Some(WhoAmI::parse(&response).unwrap().to_owned())
            }
            _ => None,
        })
        .collect();
    assert_eq!(answers, ["dn:cn=m,dc=x", ""]);
}

#[test]
fn a_refused_bind_may_say_nothing_about_the_policy() {
    let refused = responses("bind response").into_iter().find(|response| !response.controls.is_empty());
    let refused = refused.expect("one answer carries the control");
    assert_eq!(refused.operation.result().map(|result| result.code), Some(ResultCode::INVALID_CREDENTIALS));
    let control = refused.controls.get(PasswordPolicy::OID).expect("it is the policy's");
    assert_eq!(PasswordPolicy::parse(&control), Ok(PasswordPolicy::default()));
}
