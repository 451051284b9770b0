//! What holds for every kind of control.

use std::collections::BTreeSet;

use super::*;
use crate::oid::{self, Kind};
use crate::value::Guid;
use crate::{Entry, Filter, ResultCode};
use proptest::prelude::*;
use proptest::sample::Index;

/// A good control, and whether its type can read one.
type Sample = (Control, fn(&Control) -> bool);

fn samples() -> Vec<Sample> {
    [requests(), responses(), markers()].concat()
}

fn requests() -> Vec<Sample> {
    let filter = || Filter::parse("(|(cn=a*b)(sn:caseIgnoreMatch:=c))").unwrap();
    let offset = ViewTarget::Offset { offset: 300, count: 0 };
    let value = ViewTarget::NotBefore(Bytes::from_static(b"b"));
    let deref = Dereference { specs: vec![("member".to_owned(), vec!["cn".to_owned(), "sn".to_owned()])] };
    let dir_sync = DirSync { flags: DirSyncFlags::INCREMENTAL_VALUES, ..DirSync::default() };
    let session = SessionTracking {
        source_ip: "192.0.2.7".to_owned(),
        source_name: String::new(),
        format: SessionTracking::USERNAME.to_owned(),
        identifier: "ada".to_owned(),
    };
    let sync = SyncRequest { cookie: Some("cookie".into()), ..SyncRequest::new(SyncMode::RefreshAndPersist) };
    vec![
        (Assertion::that(!filter()).into(), |control| Assertion::parse(control).is_ok()),
        (deref.to_control(), |control| Dereference::parse(control).is_ok()),
        (dir_sync.into(), |control| DirSync::parse(control).is_ok()),
        (ExtendedDn::Text.into(), |control| ExtendedDn::parse(control).is_ok()),
        (MatchedValues::new(filter()).unwrap().into(), |control| MatchedValues::parse(control).is_ok()),
        (PagedResults::request(300, b"cookie"), |control| PagedResults::parse(control).is_ok()),
        (PersistentSearch::changes().into(), |control| PersistentSearch::parse(control).is_ok()),
        (PolicyHints::Obey.into(), |control| PolicyHints::parse(control).is_ok()),
        (PostRead::of(["cn", "sn"]).into(), |control| PostRead::parse(control).is_ok()),
        (PreRead::of(["cn"]).into(), |control| PreRead::parse(control).is_ok()),
        (ProxiedAuthorization::user("ada").into(), |control| ProxiedAuthorization::parse(control).is_ok()),
        (SdFlags::OWNER.into(), |control| SdFlags::parse(control).is_ok()),
        (ServerSideSort::by(SortKey::descending("sn").rule("2.5.13.3")).into(), |control| {
            ServerSideSort::parse(control).is_ok()
        }),
        (session.into(), |control| SessionTracking::parse(control).is_ok()),
        (Subentries::Only.into(), |control| Subentries::parse(control).is_ok()),
        (sync.into(), |control| SyncRequest::parse(control).is_ok()),
        (VirtualListView::around(offset, 1, 2).into(), |control| VirtualListView::parse(control).is_ok()),
        (VirtualListView::around(value, 0, 9).into(), |control| VirtualListView::parse(control).is_ok()),
    ]
}

fn responses() -> Vec<Sample> {
    let entry = Entry::builder("cn=a").attribute("sn", ["b", "c"]).build();
    let locked = Unusable { expired: true, unlock_in: Some(300), ..Unusable::default() };
    let usable = AccountUsability::Yes { expires_in: Some(300) };
    let renamed = Bytes::from_static(b"\x30\x0c\x0a\x01\x08\x04\x04cn=a\x02\x01\x07");
    let members = Bytes::from_static(
        b"\x30\x21\x30\x1f\x04\x06member\x04\x04cn=a\xa0\x0f\x30\x0d\x04\x02sn\x31\x07\x04\x01b\x04\x02cd",
    );
    let policy = PasswordPolicy { grace_logins: Some(1), ..PasswordPolicy::default() };
    let uuid = Guid::from_octets(&[7; 16]).unwrap();
    let state = SyncState { state: EntryState::Modify, uuid, cookie: Some("cookie".into()) };
    let view = VirtualListViewResult {
        position: 1,
        count: 300,
        code: ResultCode::SUCCESS,
        context: Some("c".into()),
    };
    vec![
        (AccountUsability::No(locked).into(), |control| AccountUsability::parse(control).is_ok()),
        (usable.to_explicit_control(), |control| AccountUsability::parse(control).is_ok()),
        (Control::new(Dereference::OID, Some(members)), |control| Dereference::results(control).is_ok()),
        (DirSyncReply { more: true, cookie: "cookie".into() }.into(), |control| {
            DirSyncReply::parse(control).is_ok()
        }),
        (Control::new(EntryChangeNotification::OID, Some(renamed)), |control| {
            EntryChangeNotification::parse(control).is_ok()
        }),
        (PasswordExpired.into(), |control| control.oid == PasswordExpired::OID),
        (PasswordExpiring { seconds: 300 }.into(), |control| PasswordExpiring::parse(control).is_ok()),
        (policy.to_control(), |control| PasswordPolicy::parse(control).is_ok()),
        (policy.to_old_control(), |control| PasswordPolicy::parse(control).is_ok()),
        (PostRead::response(&entry), |control| PostRead::entry(control).is_ok()),
        (PreRead::response(&entry), |control| PreRead::entry(control).is_ok()),
        (SortResult { code: ResultCode::OTHER, attribute: Some("sn".to_owned()) }.into(), |control| {
            SortResult::parse(control).is_ok()
        }),
        (SyncDone { cookie: Some("cookie".into()), refresh_deletes: true }.into(), |control| {
            SyncDone::parse(control).is_ok()
        }),
        (state.into(), |control| SyncState::parse(control).is_ok()),
        (view.into(), |control| VirtualListViewResult::parse(control).is_ok()),
    ]
}

fn markers() -> Vec<Sample> {
    vec![
        (DomainScope.into(), |control| DomainScope::parse(control).is_ok()),
        (DontUseCopy.into(), |control| DontUseCopy::parse(control).is_ok()),
        (ManageDsaIt.into(), |control| ManageDsaIt::parse(control).is_ok()),
        (PermissiveModify.into(), |control| PermissiveModify::parse(control).is_ok()),
        (Relax.into(), |control| Relax::parse(control).is_ok()),
        (ShowDeactivatedLinks.into(), |control| ShowDeactivatedLinks::parse(control).is_ok()),
        (ShowDeleted.into(), |control| ShowDeleted::parse(control).is_ok()),
        (ShowRecycled.into(), |control| ShowRecycled::parse(control).is_ok()),
        (TreeDelete.into(), |control| TreeDelete::parse(control).is_ok()),
    ]
}

#[test]
fn good_samples_are_good() {
    for (sample, can_be_read) in samples() {
        assert!(can_be_read(&sample), "{sample:?}");
    }
}

#[test]
fn each_is_in_the_table_of_oids() {
    for (sample, _) in samples() {
        assert_eq!(oid::find(&sample.oid).map(|known| known.kind), Some(Kind::Control), "{}", sample.oid);
    }
    assert_eq!(oid::find(PolicyHints::OLD_OID).map(|known| known.kind), Some(Kind::Control));
    assert_eq!(oid::find(SyncInfo::OID).map(|known| known.kind), Some(Kind::Extension));
}

/// What stands in quotes and is an OID, in every file of this folder.
#[test]
fn none_is_missing_among_the_samples() {
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/control")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let quoted = code.split('"').filter(|part| {
            part.split('.').count() > 4 && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
        written.extend(quoted.map(str::to_owned));
    }
    let sampled: BTreeSet<String> = samples().into_iter().map(|(sample, _)| sample.oid).collect();
    let formats = [SessionTracking::USERNAME, SyncInfo::OID, PolicyHints::OLD_OID];
    assert!(written.contains(formats[0]) && written.len() > 35, "{written:?}");
    let is_no_control = |oid: &str| {
        formats.contains(&oid) || oid.strip_prefix(SessionTracking::OID).is_some_and(|rest| !rest.is_empty())
    };
    let missing: Vec<_> = written.difference(&sampled).filter(|oid| !is_no_control(oid)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let control = Control::new("", Some(bytes.into()));
        for (_, read) in samples() {
            let _ = read(&control);
        }
    }

    #[test]
    fn broken_values_never_panic(which: Index, at: Index, byte: u8, cut: bool) {
        let samples = samples();
        let mut bytes = which.get(&samples).0.value.as_deref().unwrap_or(b"\x30\x00").to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        let control = Control::new("", Some(bytes.into()));
        for (_, read) in samples {
            let _ = read(&control);
        }
    }
}
