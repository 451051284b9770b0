//! Controls on their way out and back, groups, unlocking, fast bind: what is sent, and what becomes of the answers.

use ldapgate_client::control::{
    Assertion, DontUseCopy, ManageDsaIt, PasswordPolicy, PasswordPolicyError, PermissiveModify, PostRead,
    PreRead, ProxiedAuthorization, TreeDelete,
};
use ldapgate_client::{Change, Control, Error, Filter, Group, Lockout, Options, Rename, ResultCode, Search};
use proto::message::{ChangeOp, ExtendedResponse, Request, Response};
use proto::{Controls, Entry, LdapResult, PagedResults};

use crate::peer::{Peer, connected, local};

fn oids(controls: &Controls) -> Vec<String> {
    controls.iter().map(|control| control.oid).collect()
}

#[tokio::test]
async fn every_operation_of_a_handle_carries_its_controls_and_the_first_handle_none() {
    let (connection, mut peer) = connected(&local()).await;
    let proxied = connection.with_controls([ProxiedAuthorization::dn("uid=ada").into()]);
    let both = proxied.with_controls([ManageDsaIt.to_control().critical()]);
    let server = async {
        for response in [
            Response::Add(LdapResult::success()),
            Response::Modify(LdapResult::success()),
            Response::ModifyDn(LdapResult::success()),
            Response::Delete(LdapResult::success()),
            Response::Compare(LdapResult::new(ResultCode::COMPARE_TRUE, "")),
            Response::Extended(ExtendedResponse::new(LdapResult::success())),
            Response::SearchDone(LdapResult::success()),
        ] {
            let message = peer.request().await;
            assert_eq!(oids(&message.controls), [ProxiedAuthorization::OID, ManageDsaIt::OID]);
            assert!(message.controls.iter().all(|control| control.critical));
            peer.reply(message.id, response).await;
        }
        let message = peer.request().await;
        assert!(message.controls.is_empty());
        peer.reply(message.id, Response::Delete(LdapResult::success())).await;
    };
    let client = async {
        both.add("cn=a", [("cn", vec!["a"])]).await.unwrap();
        both.modify("cn=a", vec![]).await.unwrap();
        both.rename("cn=a", &Rename::to(ldapgate_client::Dn::parse("cn=b").unwrap().rdns()[0].clone()))
            .await
            .unwrap();
        both.delete("cn=b").await.unwrap();
        assert!(both.compare("cn=a", "cn", "a").await.unwrap());
        both.who_am_i().await.unwrap();
        both.search(Search::read("cn=a")).await.unwrap();
        connection.delete("cn=a").await.unwrap();
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn an_operations_own_control_takes_the_place_of_the_handles() {
    let (connection, mut peer) = connected(&local()).await;
    let handle = connection.with_controls([PagedResults::request(7, b"x"), DontUseCopy.into()]);
    let search = Search::below("dc=x").page_size(Some(2));
    let (found, ()) = tokio::join!(handle.search(search), async {
        let (id, _, controls) = peer.search().await;
        assert_eq!(oids(&controls), [DontUseCopy::OID, PagedResults::OID]);
        let paged = PagedResults::parse(&controls.get(PagedResults::OID).unwrap()).unwrap();
        assert_eq!((paged.size, paged.cookie.len()), (2, 0));
        peer.done(id).await;
    });
    found.unwrap();
}

#[tokio::test]
async fn start_tls_carries_no_controls() {
    let (connection, mut peer) = connected(&local()).await;
    let handle = connection.with_controls([ManageDsaIt.into()]);
    let (refused, ()) = tokio::join!(handle.start_tls(), async {
        let message = peer.request().await;
        assert!(message.controls.is_empty(), "{:?}", message.controls);
        let refusal = LdapResult::new(ResultCode::UNAVAILABLE, "");
        peer.reply(message.id, Response::Extended(ExtendedResponse::new(refusal))).await;
    });
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_reply_shows_the_entry_before_and_after() {
    let (connection, mut peer) = connected(&local()).await;
    let handle = connection.with_controls([PreRead::of(["cn"]).into(), PostRead::of(["cn"]).into()]);
    let entry = |cn: &str| Entry::builder("cn=a").attribute("cn", [cn]).build();
    let (reply, ()) = tokio::join!(handle.modify("cn=a", vec![]), async {
        let message = peer.request().await;
        let controls = vec![PreRead::response(&entry("old")), PostRead::response(&entry("new"))];
        peer.reply_with(message.id, Response::Modify(LdapResult::success()), controls).await;
    });
    let reply = reply.unwrap();
    assert_eq!((reply.pre_read(), reply.post_read()), (Some(entry("old")), Some(entry("new"))));
    assert!(reply.result.is_success() && reply.policy().is_none());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_make_a_failure_of_what_was_done() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.delete("cn=a"), async {
        let message = peer.request().await;
        let broken = Control::new(PreRead::OID, Some("\x64\x7f".into()));
        peer.reply_with(message.id, Response::Delete(LdapResult::success()), vec![broken]).await;
    });
    let reply = reply.unwrap();
    assert!(reply.pre_read().is_none() && reply.post_read().is_none());
}

#[tokio::test]
async fn an_assertion_that_does_not_hold_is_a_refusal() {
    let (connection, mut peer) = connected(&local()).await;
    let careful = connection.with_controls([Assertion::that(Filter::equal("cn", "a")).into()]);
    let (reply, ()) = tokio::join!(careful.delete("cn=a"), async {
        let message = peer.request().await;
        let refusal = LdapResult::new(ResultCode::ASSERTION_FAILED, "");
        peer.reply(message.id, Response::Delete(refusal)).await;
    });
    let error = reply.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::ASSERTION_FAILED);
}

#[tokio::test]
async fn a_refusal_tells_what_the_password_policy_objects_to() {
    let (connection, mut peer) = connected(&local()).await;
    let asking = connection.with_controls([PasswordPolicy::request()]);
    let change = vec![Change::replace("userPassword", ["short"])];
    let (reply, ()) = tokio::join!(asking.modify("cn=a", change), async {
        let message = peer.request().await;
        let error = Some(PasswordPolicyError::TooShort);
        let policy = PasswordPolicy { error, ..PasswordPolicy::default() };
        let refusal = Response::Modify(LdapResult::new(ResultCode::CONSTRAINT_VIOLATION, ""));
        peer.reply_with(message.id, refusal, vec![policy.to_control()]).await;
    });
    let policy = reply.unwrap_err().policy().unwrap();
    assert_eq!(policy.error, Some(PasswordPolicyError::TooShort));
}

#[tokio::test]
async fn a_tree_is_deleted_by_a_critical_control() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.delete_tree("ou=a"), async {
        let message = peer.request().await;
        assert!(matches!(&message.operation, Request::Delete(dn) if dn == "ou=a"));
        assert!(message.controls.get(TreeDelete::OID).unwrap().critical);
        peer.reply(message.id, Response::Delete(LdapResult::success())).await;
    });
    reply.unwrap();
}

/// A server that knows no permissive modify and refuses a change of which anything is so already; answers `turns` requests.
async fn strict_group(peer: &mut Peer, there: &mut Vec<String>, refusal: ResultCode, turns: usize) {
    for _ in 0..turns {
        let message = peer.request().await;
        assert!(!message.controls.get(PermissiveModify::OID).unwrap().critical);
        let Request::Modify(modify) = message.operation else { panic!("not a modify") };
        let [change] = &modify.changes[..] else { panic!("one change is enough") };
        assert_eq!((modify.dn.as_str(), change.attribute.as_str()), ("cn=g", "uniqueMember"));
        let values = change.values.iter().map(|value| String::from_utf8(value.to_vec()).unwrap());
        let values: Vec<String> = values.collect();
        let adds = change.op == ChangeOp::Add;
        if values.iter().any(|value| there.contains(value) == adds) {
            peer.reply(message.id, Response::Modify(LdapResult::new(refusal, ""))).await;
            continue;
        }
        if adds {
            there.extend(values);
        } else {
            there.retain(|value| !values.contains(value));
        }
        peer.reply(message.id, Response::Modify(LdapResult::success())).await;
    }
}

#[tokio::test]
async fn members_that_are_there_already_do_not_keep_others_out() {
    let (connection, mut peer) = connected(&local()).await;
    let group = Group::new("cn=g").listing("uniqueMember");
    for exists in [ResultCode::ATTRIBUTE_OR_VALUE_EXISTS, ResultCode::ENTRY_ALREADY_EXISTS] {
        let mut there = vec!["c".to_owned()];
        let names = ["a", "b", "c", "d", "a"];
        let (added, ()) = tokio::join!(
            connection.add_to_group(group.clone(), names),
            // abcd: no; ab: yes; cd: no; c: no; d: yes.
            strict_group(&mut peer, &mut there, exists, 5)
        );
        added.unwrap();
        assert_eq!(there, ["c", "a", "b", "d"]);
    }
    let mut there = vec!["a".to_owned(), "x".to_owned()];
    let (removed, ()) = tokio::join!(
        connection.remove_from_group(group, ["a", "b"]),
        strict_group(&mut peer, &mut there, ResultCode::NO_SUCH_ATTRIBUTE, 3)
    );
    removed.unwrap();
    assert_eq!(there, ["x"]);
}

#[tokio::test]
async fn many_members_are_several_requests_and_any_other_refusal_is_told() {
    let (connection, mut peer) = connected(&local()).await;
    let names: Vec<String> = (0..1200).map(|number| format!("cn={number}")).collect();
    let (added, sizes) = tokio::join!(connection.add_to_group("cn=g", names), async {
        let mut sizes = Vec::new();
        for _ in 0..3 {
            let message = peer.request().await;
            let Request::Modify(modify) = message.operation else { panic!("not a modify") };
            assert_eq!(modify.changes[0].attribute, "member");
            sizes.push(modify.changes[0].values.len());
            peer.reply(message.id, Response::Modify(LdapResult::success())).await;
        }
        sizes
    });
    added.unwrap();
    assert_eq!(sizes, [500, 500, 200]);
    let (refused, ()) = tokio::join!(connection.remove_from_group("cn=g", ["cn=1"]), async {
        let message = peer.request().await;
        let last =
            LdapResult::new(ResultCode::OBJECT_CLASS_VIOLATION, "object class requires attribute 'member'");
        peer.reply(message.id, Response::Modify(last)).await;
    });
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    connection.add_to_group("cn=g", [""; 0]).await.expect("nothing is asked, so nothing can be refused");
}

#[tokio::test]
async fn each_directory_is_unlocked_in_its_own_way() {
    let (connection, mut peer) = connected(&local()).await;
    for (lockout, expected) in [
        (Lockout::ActiveDirectory, vec![Change::replace("lockoutTime", ["0"])]),
        (
            Lockout::Ds389,
            ["passwordRetryCount", "retryCountResetTime", "accountUnlockTime"]
                .map(|name| Change::replace(name, [""; 0]))
                .to_vec(),
        ),
        (Lockout::OpenLdap, vec![Change::delete_all("pwdAccountLockedTime")]),
    ] {
        let (done, ()) = tokio::join!(connection.unlock(lockout, "cn=a"), async {
            let message = peer.request().await;
            let Request::Modify(modify) = message.operation else { panic!("not a modify") };
            assert_eq!((modify.dn.as_str(), modify.changes), ("cn=a", expected));
            peer.reply(message.id, Response::Modify(LdapResult::success())).await;
        });
        done.unwrap();
    }
}

#[tokio::test]
async fn a_pools_look_up_connection_is_not_turned_into_one_for_fast_binds() {
    let directory = directory::Directory::builder(std::sync::Arc::new(|| std::time::SystemTime::UNIX_EPOCH))
        .dialect(directory::Dialect::ActiveDirectory)
        .ldif(directory::DEMO)
        .unwrap()
        .build();
    let listener = directory::Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let running = directory.serve(listener).await;
    let pool = ldapgate_client::Pool::lazy(Options::new([running.url()]).unwrap());
    let lookup = pool.connection().await.unwrap();
    let refused = lookup.fast_bind().await;
    assert!(matches!(refused, Err(Error::Shared { .. })), "{refused:?}");
    assert_eq!(directory.counters().extended, 0);
}
