//! What servers say beside their answers, as `ldapsearch` prints it.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::control::{
    AccountUsability, ChangeKind, Dereference, DirSync, DirSyncReply, EntryChangeNotification, EntryState,
    PasswordExpired, PasswordExpiring, PasswordPolicy, SortResult, SyncDone, SyncInfo, SyncState,
    VirtualListViewResult,
};
use proto::ldif::Writer;
use proto::message::IntermediateResponse;
use proto::{Attribute, Control, Controls, PagedResults};

use super::file::is_printable;
use crate::command::bind_controls;
use crate::command::result_text::words;

/// Every control, and what is known of it, below an answer.
pub(super) fn print<W: Write>(out: &mut Writer<W>, ldif: u8, controls: &Controls) {
    for control in controls.iter() {
        if ldif < 2 {
            let value = control.value.as_ref().filter(|value| !value.is_empty());
            let value = value.map(|value| format!(" {}", STANDARD.encode(value))).unwrap_or_default();
            line(out, ldif, "control", &format!("{} {}{value}", control.oid, control.critical));
        }
        known(out, ldif, &control);
    }
}

/// A message in between.
pub(super) fn print_intermediate<W: Write>(out: &mut Writer<W>, ldif: u8, message: &IntermediateResponse) {
    if message.oid.as_deref() != Some(SyncInfo::OID) {
        if ldif < 2 {
            out.add_comment("extended partial result response");
        }
        if let Some(oid) = &message.oid {
            line(out, ldif, "partial", oid);
        }
        if let Some(value) = &message.value {
            line(out, ldif, "data", &STANDARD.encode(value));
        }
        return;
    }
    let Ok(info) = SyncInfo::parse(message) else { return };
    match ldif {
        0 => sync_info(out, &info),
        1 => out.add_comment("SyncInfo Received"),
        _ => {}
    }
}

/// In extended LDIF a line like an attribute's, otherwise a comment.
fn line<W: Write>(out: &mut Writer<W>, ldif: u8, name: &str, text: &str) {
    if ldif == 0 { out.add_value(name, text.as_bytes()) } else { out.add_comment(&format!("{name}: {text}")) }
}

fn known<W: Write>(out: &mut Writer<W>, ldif: u8, control: &Control) {
    match control.oid.as_str() {
        PagedResults::OID => {
            if let Ok(page) = PagedResults::parse(control) {
                let estimate = if page.size > 0 { format!("estimate={} ", page.size) } else { String::new() };
                line(
                    out,
                    ldif,
                    "pagedresults",
                    &format!("{estimate}cookie={}", STANDARD.encode(&page.cookie)),
                );
            }
        }
        SortResult::OID => {
            if let Ok(result) = SortResult::parse(control) {
                let attribute = result.attribute.map(|name| format!(" {name}")).unwrap_or_default();
                let text = format!("({}) {}{attribute}", result.code.0, words(result.code));
                line(out, ldif, "sortResult", &text);
            }
        }
        VirtualListViewResult::OID => view(out, ldif, control),
        AccountUsability::OID => {
            if let Ok(usability) = AccountUsability::parse(control) {
                line(out, ldif, "accountUsability", &usable(&usability));
            }
        }
        EntryChangeNotification::OID => {
            if let Ok(notification) = EntryChangeNotification::parse(control) {
                line(out, ldif, "persistentSearch", &changed(&notification));
            }
        }
        DirSync::OID => {
            if let Ok(reply) = DirSyncReply::parse(control) {
                out.add_comment(&format!("DirSync control continueFlag={}", u8::from(reply.more)));
                cookie(out, Some(&reply.cookie));
            }
        }
        PasswordPolicy::OID => {
            if let Ok(policy) = PasswordPolicy::parse(control) {
                line(out, ldif, "ppolicy", &bind_controls::policy(&policy));
            }
        }
        PasswordExpired::OID => out.add_comment("PasswordExpired control"),
        PasswordExpiring::OID => {
            if let Ok(expiring) = PasswordExpiring::parse(control) {
                out.add_comment(&format!("PasswordExpiring control seconds={}", expiring.seconds));
            }
        }
        Dereference::OID => dereferenced(out, control),
        SyncState::OID if ldif == 0 => {
            if let Ok(sync) = SyncState::parse(control) {
                let state = match sync.state {
                    EntryState::Present => "present",
                    EntryState::Add => "added",
                    EntryState::Modify => "modified",
                    EntryState::Delete => "deleted",
                };
                out.add_comment(&format!("SyncState control, UUID {} {state}", sync.uuid));
                cookie(out, sync.cookie.as_deref());
            }
        }
        SyncDone::OID if ldif == 0 => {
            if let Ok(done) = SyncDone::parse(control) {
                out.add_comment(&format!(
                    "SyncDone control refreshDeletes={}",
                    u8::from(done.refresh_deletes)
                ));
                cookie(out, done.cookie.as_deref());
            }
        }
        _ => {}
    }
}

/// `available expire=600`, `not available (inactive expired) grace=2`.
fn usable(usability: &AccountUsability) -> String {
    let account = match usability {
        AccountUsability::Yes { expires_in: Some(seconds) } => return format!("available expire={seconds}"),
        AccountUsability::Yes { expires_in: None } => return "available and does not expire".to_owned(),
        AccountUsability::No(account) => account,
    };
    let reasons = [(account.inactive, "inactive"), (account.reset, "reset"), (account.expired, "expired")];
    let reasons: Vec<_> = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
    let mut text = "not available".to_owned();
    if !reasons.is_empty() {
        text.push_str(&format!(" ({})", reasons.join(" ")));
    }
    for (name, number) in [("grace", account.grace_logins), ("seconds_before_unlock", account.unlock_in)] {
        text.extend(number.map(|number| format!(" {name}={number}")));
    }
    text
}

/// `modify`, `moddn prevdn cn=a changeNumber 7`.
fn changed(notification: &EntryChangeNotification) -> String {
    let mut text = match notification.change {
        ChangeKind::Add => "add",
        ChangeKind::Delete => "delete",
        ChangeKind::Modify => "modify",
        ChangeKind::ModifyDn => "moddn",
    }
    .to_owned();
    if let Some(dn) = &notification.previous_dn {
        text.push_str(&format!(" prevdn {dn}"));
    }
    if let Some(number) = notification.change_number {
        text.push_str(&format!(" changeNumber {number}"));
    }
    text
}

fn view<W: Write>(out: &mut Writer<W>, ldif: u8, control: &Control) {
    let Ok(view) = VirtualListViewResult::parse(control) else { return };
    // Their words are of another table, which ends before this one's errors.
    let words = if view.code.0 == 0 { "Success" } else { "Unknown error" };
    let context = view.context.map(|context| STANDARD.encode(context)).unwrap_or_default();
    let text =
        format!("pos={} count={} context={context} ({}) {words}", view.position, view.count, view.code.0);
    match ldif {
        0 => out.add_value("vlvResult", text.as_bytes()),
        // Without a colon, as it happens.
        _ => out.add_comment(&format!("vlvResult{text}")),
    }
}

fn dereferenced<W: Write>(out: &mut Writer<W>, control: &Control) {
    for found in Dereference::results(control).unwrap_or_default() {
        let values: String = found.entry.attributes().flat_map(shown).collect();
        out.add_comment(&format!("{}: {values}{}", found.attribute, found.entry.dn()));
    }
}

/// `<cn=Alice>;`, or `<jpegPhoto:=...>;` in base64.
fn shown(attribute: Attribute<'_>) -> impl Iterator<Item = String> {
    attribute.values().map(move |value| match std::str::from_utf8(value) {
        Ok(text) if is_printable(value) => format!("<{}={text}>;", attribute.name()),
        _ => format!("<{}:={}>;", attribute.name(), STANDARD.encode(value)),
    })
}

fn sync_info<W: Write>(out: &mut Writer<W>, info: &SyncInfo) {
    let (what, told, done) = match info {
        SyncInfo::NewCookie(told) => ("new cookie", Some(told), false),
        SyncInfo::RefreshDelete { cookie, refresh_done } => {
            ("refresh delete", cookie.as_ref(), *refresh_done)
        }
        SyncInfo::RefreshPresent { cookie, refresh_done } => {
            ("refresh present", cookie.as_ref(), *refresh_done)
        }
        SyncInfo::IdSet { cookie, .. } => ("syncIdSet", cookie.as_ref(), false),
    };
    out.add_comment(&format!("SyncInfo Received: {what}"));
    cookie(out, told.map(|told| &told[..]));
    if let SyncInfo::IdSet { refresh_deletes, uuids, .. } = info {
        let what = if *refresh_deletes { "deleted" } else { "present" };
        uuids.iter().for_each(|uuid| out.add_comment(&format!("UUID {uuid} {what}")));
    }
    if done {
        out.add_comment("refresh done, switching to persist stage");
    }
}

fn cookie<W: Write>(out: &mut Writer<W>, cookie: Option<&[u8]>) {
    let Some(cookie) = cookie else { return };
    // However long: it is there to be given back, and ldapsearch does not fold it.
    match std::str::from_utf8(cookie) {
        Ok(text) if is_printable(cookie) => out.add_text(&format!("# cookie: {text}\n")),
        _ => out.add_text(&format!("# cookie:: {}\n", STANDARD.encode(cookie))),
    }
}

#[cfg(test)]
mod tests {
    use client::control::Unusable;

    use super::*;

    fn printed(ldif: u8, control: Control) -> String {
        let mut out = Writer::new(Vec::new()).wrap(Some(78));
        print(&mut out, ldif, &[control].into_iter().collect());
        out.write().unwrap();
        String::from_utf8(out.get_mut().clone()).unwrap()
    }

    #[test]
    fn whether_an_account_can_be_used_is_told_as_ldapsearch_tells_it() {
        let no = Unusable::default();
        for (usability, text) in [
            (AccountUsability::Yes { expires_in: None }, "available and does not expire"),
            (AccountUsability::Yes { expires_in: Some(600) }, "available expire=600"),
            (AccountUsability::No(no), "not available"),
            (
                AccountUsability::No(Unusable { inactive: true, expired: true, grace_logins: Some(2), ..no }),
                "not available (inactive expired) grace=2",
            ),
            (
                AccountUsability::No(Unusable { unlock_in: Some(9), ..no }),
                "not available seconds_before_unlock=9",
            ),
        ] {
            assert_eq!(printed(3, usability.to_control()), format!("# accountUsability: {text}\n"));
            assert!(printed(0, usability.to_control()).ends_with(&format!("\naccountUsability: {text}\n")));
        }
    }

    #[test]
    fn what_happened_to_an_entry_is_told_without_comments_too() {
        let modified =
            EntryChangeNotification { change: ChangeKind::Modify, previous_dn: None, change_number: None };
        assert_eq!(printed(3, modified.to_control()), "# persistentSearch: modify\n");
        let renamed = EntryChangeNotification {
            change: ChangeKind::ModifyDn,
            previous_dn: Some("cn=a".to_owned()),
            change_number: Some(7),
        };
        assert_eq!(
            printed(2, renamed.to_control()),
            "# persistentSearch: moddn prevdn cn=a changeNumber 7\n"
        );
    }

    #[test]
    fn the_cookie_of_a_synchronisation_is_one_line_however_long() {
        let reply = DirSyncReply { more: true, cookie: vec![0xff; 90].into() };
        let encoded = STANDARD.encode([0xff; 90]);
        let expected = format!("# DirSync control continueFlag=1\n# cookie:: {encoded}\n");
        assert_eq!(printed(3, reply.to_control()), expected);
    }
}
