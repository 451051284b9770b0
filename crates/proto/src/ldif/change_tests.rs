use super::*;

fn changes(text: &str, untyped: Untyped) -> Vec<Result<ChangeRecord, LdifError>> {
    Changes::new(text.as_bytes(), untyped).collect()
}

fn only(text: &str) -> ChangeRecord {
    let mut found = changes(text, Untyped::Refuse);
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The examples of RFC 2849, 3 to 6.
#[test]
fn the_rfc_s_examples_are_read() {
    let text = "version: 1\n\
        # Add a new entry\n\
        dn: cn=Fiona Jensen, ou=Marketing, dc=airius, dc=com\nchangetype: add\nobjectclass: top\nobjectclass: person\n\
        objectclass: organizationalPerson\ncn: Fiona Jensen\nsn: Jensen\nuid: fiona\ntelephonenumber: +1 408 555 1212\n\n\
        # Delete an existing entry\n\
        dn: cn=Robert Jensen, ou=Marketing, dc=airius, dc=com\nchangetype: delete\n\n\
        # Modify an entry's relative distinguished name\n\
        dn: cn=Paul Jensen, ou=Product Development, dc=airius, dc=com\nchangetype: modrdn\nnewrdn: cn=Paula Jensen\n\
        deleteoldrdn: 1\n\n\
        # Rename an entry and move all of its children to a new location\n\
        dn: ou=PD Accountants, ou=Product Development, dc=airius, dc=com\nchangetype: modrdn\n\
        newrdn: ou=Product Development Accountants\ndeleteoldrdn: 0\nnewsuperior: ou=Accounting, dc=airius, dc=com\n\n\
        dn: cn=Paula Jensen, ou=Product Development, dc=airius, dc=com\nchangetype: modify\nadd: postaladdress\n\
        postaladdress: 123 Anystreet $ Sunnyvale, CA $ 94086\n-\n\ndelete: description\n-\n";
    let found = changes(text, Untyped::Refuse);
    // The RFC's own fifth example has no empty line there; with one, the record ends.
    assert_eq!(found.last().unwrap().as_ref().unwrap_err().kind(), &Kind::Dn);
    let names: Vec<_> = found.iter().flatten().map(|record| record.dn().split(',').next().unwrap()).collect();
    assert_eq!(
        names,
        ["cn=Fiona Jensen", "cn=Robert Jensen", "cn=Paul Jensen", "ou=PD Accountants", "cn=Paula Jensen"]
    );
    let Ok(ChangeRecord { change: ChangeType::Add(add), line, .. }) = &found[0] else { panic!("{found:?}") };
    assert_eq!((add.attributes[0].1.len(), *line), (3, 3));
    let Ok(ChangeRecord { change: ChangeType::ModifyDn(moved), .. }) = &found[3] else { panic!("{found:?}") };
    assert_eq!(moved.new_superior.as_deref(), Some("ou=Accounting, dc=airius, dc=com"));
    assert!(!moved.delete_old_rdn);
}

#[test]
fn several_changes_of_one_entry_keep_their_order() {
    let text = "dn: cn=a\nchangetype: Modify \nadd: mail\nmail: a\nMAIL: b\n- \nreplace: sn\n-\ndelete: cn\ncn:: AP8=\n-\n\
                increment: uidNumber\nuidNumber: 5";
    let ChangeType::Modify(modify) = only(text).change else { panic!("it says so") };
    let expected = [
        Change::add("mail", ["a", "b"]),
        Change::replace("sn", [""; 0]),
        Change::delete("cn", [[0, 0xff]]),
        Change::increment("uidNumber", 5),
    ];
    assert_eq!(modify.changes, expected);
}

#[test]
fn controls_have_a_criticality_and_a_value_in_any_form() {
    let text = "dn: ou=a\ncontrol: 1.2.840.113556.1.4.805 true\ncontrol:1.2.3\ncontrol: 1.2.4 false: text\n\
                control: 1.2.5:: AP8=\ncontrol: 1.2.6   TRUE:\nchangetype: delete\n";
    let seen: Vec<_> = only(text)
        .controls
        .into_iter()
        .map(|control| (control.oid, control.critical, control.value.map(|value| value.to_vec())))
        .collect();
    let expected = [
        ("1.2.840.113556.1.4.805", true, None),
        ("1.2.3", false, None),
        ("1.2.4", false, Some(b"text".to_vec())),
        ("1.2.5", false, Some(vec![0, 0xff])),
        ("1.2.6", true, Some(Vec::new())),
    ];
    assert_eq!(seen, expected.map(|(oid, critical, value)| (oid.to_owned(), critical, value)));
}

#[test]
fn a_record_without_a_changetype_is_what_the_caller_says() {
    let content = "dn: cn=a\ncontrol: 1.2.3\nobjectClass: device\ncn: a\n";
    let added = changes(content, Untyped::Add).remove(0).unwrap();
    assert!(matches!(added.change, ChangeType::Add(_)) && added.controls.len() == 1, "{added:?}");
    let error = changes(content, Untyped::Modify).remove(0).unwrap_err();
    assert_eq!(error, LdifError::new(Kind::Operation("objectClass".to_owned()), 3));
    let changed = changes("dn: cn=a\ndelete: mail\n", Untyped::Modify).remove(0).unwrap();
    assert_eq!(
        changed.change,
        ChangeType::Modify(ModifyRequest { dn: "cn=a".into(), changes: vec![Change::delete_all("mail")] })
    );
    assert_eq!(changes(content, Untyped::Refuse).remove(0).unwrap_err().kind(), &Kind::Untyped);
}

#[test]
fn what_openldap_takes_is_taken() {
    for text in [
        "version: 1\ndn: cn=a\nCHANGETYPE: DELETE\n",
        "dn: cn=a\nchangetype: rename\nnewrdn: cn=b\ndeleteoldrdn: 1\n",
        "dn: cn=a\nchangetype: modify\n",
        "dn: cn=a\nchangetype: add\n",
        "dn: cn=a\nchangetype: modify\nadd: mail\n-\n",
        "dn:: Y249YQ==\nchangetype: moddn\nnewsuperior:\ndeleteoldrdn: 0\nnewrdn:: Y249Yg==\n",
    ] {
        only(text);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_next_record_is_read() {
    let other =
        |changed: &str, found: &str| Kind::OtherAttribute { changed: changed.into(), found: found.into() };
    for (text, kind, line) in [
        ("dn: cn=a\nchangetype: foo\n", Kind::ChangeType("foo".into()), 2),
        ("dn: cn=a\nchangetype: delete\nmail: a\n", Kind::Extra("mail".into()), 3),
        ("dn: cn=a\nchangetype: add\ncn: a\nchangetype: add\n", Kind::Extra("changetype".into()), 4),
        ("dn: cn=a\nchangetype: add\n-\n", Kind::Dash, 3),
        ("dn: cn=a\nchangetype: modify\nmail: a\n", Kind::Operation("mail".into()), 3),
        ("dn: cn=a\nchangetype: modify\nadd: m ail\n", Kind::Attribute("m ail".into()), 3),
        ("dn: cn=a\nchangetype: modify\nadd: mail\ncn: a\n", other("mail", "cn"), 4),
        ("dn: cn=a\nchangetype: modify\nadd: mail\nmail: a\ndelete: cn\n", other("mail", "delete"), 5),
        ("dn: cn=a\nchangetype: modify\nadd: mail\nmail: a\n-\n-\n", Kind::Dash, 6),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\n", Kind::Rename, 1),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: yes\n", Kind::DeleteOldRdn, 4),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\nnewrdn: cn=c\n", Kind::Extra("newrdn".into()), 4),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn:: /w==\n", Kind::NotUtf8, 3),
        ("dn: cn=a\ncontrol: x true\n", Kind::Control, 2),
        ("dn: cn=a\ncontrol: 1.2 yes\n", Kind::Control, 2),
        ("dn: cn=a\ncontrol: 1.2 true true\n", Kind::Control, 2),
        ("dn: cn=a\ncontrol: 1.2 true:: !\n", Kind::Base64("control".into()), 2),
        ("dn: cn=a\ncontrol: 1.2 true:< file:///a\n", Kind::Url("control".into()), 2),
        ("dn: cn=a\nchangetype: add\ncn:< file:///etc/passwd\n", Kind::Url("cn".into()), 3),
        ("dn: cn=a\nchangetype: add\ndn: cn=b\n", Kind::SecondDn, 3),
        ("include: file:///etc/passwd\n", Kind::Dn, 1),
    ] {
        let more = format!("{text}\ndn: cn=next\nchangetype: delete\n");
        let found = changes(&more, Untyped::Refuse);
        assert_eq!(found[0], Err(LdifError::new(kind, line)), "{text}");
        assert_eq!(found[1].as_ref().map(ChangeRecord::dn), Ok("cn=next"), "{text}");
        assert_eq!(found.len(), 2, "{text}");
    }
}
