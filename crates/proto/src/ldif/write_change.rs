//! Change records to text, as `ldapmodify` reads it back.

use std::io::{self, Write};

use super::{ChangeRecord, ChangeType, Writer};
use crate::filter::is_attribute_description;
use crate::oid::is_oid;
use crate::{AddRequest, ChangeOp, Control, ModifyDnRequest, ModifyRequest};

impl<W: Write> Writer<W> {
    /// Writes one change with its controls, and the empty line after it.
    ///
    /// # Errors
    ///
    /// What the output says; [`io::ErrorKind::InvalidInput`] for what LDIF cannot say: an attribute or a control whose
    /// name is none, a new entry with an attribute named `dn`, `control` or `changetype` or without values. Nothing is
    /// written then.
    pub fn change(&mut self, record: &ChangeRecord) -> io::Result<()> {
        check(record)?;
        self.line("dn", record.dn().as_bytes())?;
        for control in &record.controls {
            self.control(control)?;
        }
        match &record.change {
            ChangeType::Add(add) => self.add(add)?,
            ChangeType::Delete(_) => self.line("changetype", b"delete")?,
            ChangeType::Modify(modify) => self.modify(modify)?,
            ChangeType::ModifyDn(rename) => self.rename(rename)?,
        }
        self.out.write_all(b"\n")
    }

    /// Writes a new entry as content, without `changetype:`, and the empty line after it: `slapadd` reads no other form, and
    /// to `ldapadd` it is the same.
    ///
    /// # Errors
    ///
    /// As [`change`](Writer::change).
    pub fn addition(&mut self, add: &AddRequest) -> io::Result<()> {
        check_add(add)?;
        self.line("dn", add.dn.as_bytes())?;
        self.attributes(add)?;
        self.out.write_all(b"\n")
    }

    /// Writes `version: 1` and an empty line; it may only stand first.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn version(&mut self) -> io::Result<()> {
        self.out.write_all(b"version: 1\n\n")
    }

    fn add(&mut self, add: &AddRequest) -> io::Result<()> {
        self.line("changetype", b"add")?;
        self.attributes(add)
    }

    fn attributes(&mut self, add: &AddRequest) -> io::Result<()> {
        for (name, values) in &add.attributes {
            for value in values {
                self.line(name, value)?;
            }
        }
        Ok(())
    }

    fn modify(&mut self, modify: &ModifyRequest) -> io::Result<()> {
        self.line("changetype", b"modify")?;
        for change in &modify.changes {
            self.line(word(change.op), change.attribute.as_bytes())?;
            for value in &change.values {
                self.line(&change.attribute, value)?;
            }
            self.out.write_all(b"-\n")?;
        }
        Ok(())
    }

    fn rename(&mut self, rename: &ModifyDnRequest) -> io::Result<()> {
        self.line("changetype", b"modrdn")?;
        self.line("newrdn", rename.new_rdn.as_bytes())?;
        self.line("deleteoldrdn", if rename.delete_old_rdn { b"1" } else { b"0" })?;
        match &rename.new_superior {
            Some(superior) => self.line("newsuperior", superior.as_bytes()),
            None => Ok(()),
        }
    }

    /// The value stands in base64: most are BER.
    fn control(&mut self, control: &Control) -> io::Result<()> {
        let mut text = format!("{} {}", control.oid, control.critical);
        if let Some(value) = &control.value {
            text.push_str(":: ");
            text.push_str(&super::write::base64(value));
        }
        self.line("control", text.as_bytes())
    }
}

fn word(op: ChangeOp) -> &'static str {
    match op {
        ChangeOp::Add => "add",
        ChangeOp::Delete => "delete",
        ChangeOp::Replace => "replace",
        ChangeOp::Increment => "increment",
    }
}

fn check(record: &ChangeRecord) -> io::Result<()> {
    if let Some(control) = record.controls.iter().find(|control| !is_oid(&control.oid)) {
        return refuse(format!("{:?} is no control's OID", control.oid));
    }
    match &record.change {
        ChangeType::Add(add) => check_add(add),
        ChangeType::Modify(modify) => {
            let odd = modify.changes.iter().find(|change| !is_attribute_description(&change.attribute));
            odd.map_or(Ok(()), |change| refuse(format!("{:?} is no attribute", change.attribute)))
        }
        ChangeType::Delete(_) | ChangeType::ModifyDn(_) => Ok(()),
    }
}

fn check_add(add: &AddRequest) -> io::Result<()> {
    for (name, values) in &add.attributes {
        let reserved = ["dn", "control", "changetype"].iter().any(|word| name.eq_ignore_ascii_case(word));
        if reserved || !is_attribute_description(name) {
            return refuse(format!("{name:?} is no attribute that LDIF can add"));
        }
        if values.is_empty() {
            return refuse(format!("the attribute {name} has no values"));
        }
    }
    Ok(())
}

fn refuse(text: String) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, Untyped};
    use super::*;
    use crate::{Bytes, Change};
    use proptest::prelude::*;

    fn written(change: ChangeType) -> io::Result<String> {
        let mut writer = Writer::new(Vec::new());
        writer.change(&change.into())?;
        Ok(String::from_utf8(writer.into_inner()).unwrap())
    }

    #[test]
    fn what_ldif_cannot_say_is_not_written() {
        let add = |name: &str, values: &[&'static str]| {
            let values = values.iter().map(|value| Bytes::from(*value)).collect();
            written(ChangeType::Add(AddRequest {
                dn: "cn=a".into(),
                attributes: vec![(name.into(), values)],
            }))
        };
        assert!(add("cn", &["a"]).is_ok());
        for (name, values) in
            [("dn", &["a"][..]), ("Control", &["a"]), ("changetype", &["a"]), ("c\nn", &["a"]), ("cn", &[])]
        {
            assert_eq!(add(name, values).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        let modify =
            ModifyRequest { dn: "cn=a".into(), changes: vec![Change::replace("cn: x\ndelete", ["a"])] };
        assert!(written(ChangeType::Modify(modify)).is_err());
        let control = Control { oid: "1.2 true\ndn: x".into(), critical: true, value: None };
        let record = ChangeRecord { controls: vec![control], ..ChangeType::Delete("cn=a".into()).into() };
        let mut writer = Writer::new(Vec::new());
        assert!(writer.change(&record).is_err());
        assert!(writer.into_inner().is_empty());
    }

    #[test]
    fn a_new_entry_can_be_content() {
        let attributes = vec![("cn".to_owned(), vec![Bytes::from("a")])];
        let mut writer = Writer::new(Vec::new());
        writer.addition(&AddRequest { dn: "cn=a".into(), attributes: attributes.clone() }).unwrap();
        let dn =
            AddRequest { dn: "cn=a".into(), attributes: vec![("dn".to_owned(), vec![Bytes::from("b")])] };
        assert!(writer.addition(&dn).is_err());
        let written = writer.into_inner();
        assert_eq!(written, b"dn: cn=a\ncn: a\n\n");
        let record = super::super::parse(&written).next().unwrap().unwrap();
        assert_eq!(record.attributes, attributes);
    }

    #[test]
    fn secrets_and_odd_names_are_in_base64() {
        let change = Change::replace("userPassword", ["secret"]);
        let modify = ModifyRequest { dn: "cn=a\nb".into(), changes: vec![change] };
        let expected =
            "dn:: Y249YQpi\nchangetype: modify\nreplace: userPassword\nuserPassword:: c2VjcmV0\n-\n\n";
        assert_eq!(written(ChangeType::Modify(modify)).unwrap(), expected);
    }

    fn bytes() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(prop_oneof![any::<u8>(), b' '..b'~'], 0..100).prop_map(Bytes::from)
    }

    fn attribute() -> impl Strategy<Value = String> {
        let reserved = ["dn", "control", "changetype"];
        "[a-z][a-z0-9-]{0,8}(;[a-z]{1,8})?"
            .prop_filter("a word of LDIF's own", move |name| !reserved.contains(&name.as_str()))
    }

    fn change() -> impl Strategy<Value = Change> {
        let op = prop_oneof![
            Just(ChangeOp::Add),
            Just(ChangeOp::Delete),
            Just(ChangeOp::Replace),
            Just(ChangeOp::Increment)
        ];
        let values = proptest::collection::vec(bytes(), 0..3);
        (op, attribute(), values).prop_map(|(op, attribute, values)| Change { op, attribute, values })
    }

    fn change_type() -> impl Strategy<Value = ChangeType> {
        let dn = || "\\PC{0,40}";
        let attributes =
            proptest::collection::btree_map(attribute(), proptest::collection::vec(bytes(), 1..3), 0..4);
        prop_oneof![
            (dn(), attributes).prop_map(|(dn, attributes)| {
                ChangeType::Add(AddRequest { dn, attributes: attributes.into_iter().collect() })
            }),
            dn().prop_map(ChangeType::Delete),
            (dn(), proptest::collection::vec(change(), 0..4))
                .prop_map(|(dn, changes)| ChangeType::Modify(ModifyRequest { dn, changes })),
            (dn(), dn(), any::<bool>(), proptest::option::of(dn())).prop_map(
                |(dn, new_rdn, delete_old_rdn, new_superior)| {
                    ChangeType::ModifyDn(ModifyDnRequest { dn, new_rdn, delete_old_rdn, new_superior })
                }
            ),
        ]
    }

    fn controls() -> impl Strategy<Value = Vec<Control>> {
        let control = ("[0-9](\\.[0-9]{1,4}){1,4}", any::<bool>(), proptest::option::of(bytes()))
            .prop_map(|(oid, critical, value)| Control { oid, critical, value });
        proptest::collection::vec(control, 0..3)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            changes in proptest::collection::vec((change_type(), controls()), 0..4),
            wrap in proptest::option::of(2_usize..120),
        ) {
            let mut writer = Writer::new(Vec::new()).wrap(wrap);
            writer.version().unwrap();
            let records: Vec<_> = changes
                .into_iter()
                .map(|(change, controls)| ChangeRecord { change, controls, line: 0 })
                .collect();
            records.iter().for_each(|record| writer.change(record).unwrap());
            let written = writer.into_inner();
            let read: Result<Vec<_>, _> = Changes::new(&written[..], Untyped::Refuse)
                .map(|record| record.map(|record| ChangeRecord { line: 0, ..record }))
                .collect();
            prop_assert_eq!(read, Ok(records));
        }

        #[test]
        fn no_bytes_panic(
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "dn: cn=a", "changetype: modify", "changetype: moddn", "changetype: add", "control: 1.2 true:: AA",
                    "replace: cn", "cn:: YQ", "-", "", " a", "newrdn: cn=b", "deleteoldrdn: 1", "cn:< file:///a", ":\0", "# c",
                ]),
                0..20,
            ),
        ) {
            let text = lines.join("\n");
            Changes::new(text.as_bytes(), Untyped::Modify).for_each(drop);
            Changes::new(text.as_bytes(), Untyped::Add).for_each(drop);
        }
    }
}
