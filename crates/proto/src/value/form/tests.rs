use super::*;

#[test]
fn values_fit_their_kinds_or_are_told_not_to() {
    let fits: [(Kind, &[u8], &str); 28] = [
        (Kind::Text, "Jürgen".as_bytes(), "Jürgen"),
        (Kind::Ia5, b"", ""),
        (Kind::Numeric, b"12 3", "12 3"),
        (Kind::Printable, b"A-1 (b)", "A-1 (b)"),
        (Kind::Country, b"DE", "DE"),
        (Kind::Telephone, b"+49 30 1", "+49 30 1"),
        (Kind::Integer, b"-1", "-1"),
        (Kind::Integer, b"123456789012345678901234567890", "123456789012345678901234567890"),
        (Kind::Boolean, b"TRUE", "TRUE"),
        (Kind::GeneralizedTime, b"20261126153955.0Z", "20261126153955Z"),
        (Kind::UtcTime, b"261126153955Z", "20261126153955Z"),
        (Kind::UtcTime, b"5001010000+0100", "19491231230000Z"),
        (Kind::UtcTime, b"4901010000", "20490101000000Z"),
        (Kind::Uuid, b"0d5d7a2c-1111-4222-8333-abcdef012345", "0d5d7a2c-1111-4222-8333-abcdef012345"),
        (Kind::Guid, &[0; 16], "00000000-0000-0000-0000-000000000000"),
        (Kind::Sid, b"\x01\x01\0\0\0\0\0\x05\x12\0\0\0", "S-1-5-18"),
        (Kind::FileTime, b"116444736010000000", "19700101000001Z"),
        (Kind::FileTime, b"9223372036854775807", "never"),
        (Kind::Interval, b"-18000000000", "30min"),
        (Kind::PostalAddress, br"1 \24 Road$B\5Ctown", "1 $ Road\nB\\town"),
        (Kind::Dn, b"cn=x,dc=y", "cn=x,dc=y"),
        (Kind::NameAndUid, b"cn=x#'01'B", "cn=x (01)"),
        (Kind::NameAndUid, b"cn=x", "cn=x"),
        (Kind::DnWithBinary, b"B:4:0AfF:CN=x", "CN=x (0AfF)"),
        (Kind::DnWithString, b"S:3:a:b:CN=x", "CN=x (a:b)"),
        (Kind::Oid, b"2.5.4.3", "2.5.4.3"),
        (Kind::Bits, b"'0101'B", "0101"),
        (Kind::Octets, b"\xff\0", "ff00"),
    ];
    for (kind, raw, told) in fits {
        let value = kind.read(raw);
        assert!(value.fits() && kind.accepts(raw), "{kind:?} {told}");
        assert_eq!(value.to_string(), told, "{kind:?}");
        assert_eq!(value.raw(), raw);
    }
}

#[test]
fn what_does_not_fit_is_text_or_bytes() {
    let odd: [(Kind, &[u8]); 30] = [
        (Kind::Text, b""),
        (Kind::Text, b"\xff"),
        (Kind::Ia5, "ü".as_bytes()),
        (Kind::Numeric, b"1a"),
        (Kind::Printable, b"a@b"),
        (Kind::Country, b"DEU"),
        (Kind::Telephone, b""),
        (Kind::Integer, b"+1"),
        (Kind::Integer, b"1.5"),
        (Kind::Integer, b"-"),
        (Kind::Boolean, b"true"),
        (Kind::GeneralizedTime, b"tomorrow"),
        (Kind::UtcTime, b"20261126153955Z"),
        (Kind::UtcTime, b"261126153955.5Z"),
        (Kind::UtcTime, "26ü".as_bytes()),
        (Kind::Uuid, b"0d5d7a2c"),
        (Kind::Guid, b"0d5d7a2c"),
        (Kind::Sid, b"S-1-5-18"),
        (Kind::FileTime, b"now"),
        (Kind::Interval, b"1h"),
        (Kind::PostalAddress, b""),
        (Kind::PostalAddress, br"a\1"),
        (Kind::Dn, b"not a name"),
        (Kind::NameAndUid, b"cn"),
        (Kind::DnWithBinary, b"B:3:0Af:CN=x"),
        (Kind::DnWithBinary, b"B:999999999999999999999:0A:CN=x"),
        (Kind::DnWithString, "S:1:ü:CN=x".as_bytes()),
        (Kind::Oid, b"2..5"),
        (Kind::Oid, b"a b"),
        (Kind::Bits, b"'012'B"),
    ];
    for (kind, raw) in odd {
        let value = kind.read(raw);
        assert!(!value.fits() && !kind.accepts(raw), "{kind:?} {raw:?}");
        assert!(matches!(value.form(), Form::Text(_) | Form::Octets(_)), "{value:?}");
    }
    assert!(Kind::Any.accepts(b"\xff") && Kind::Any.accepts(b""));
}

#[test]
fn what_a_value_means_can_be_asked_for() {
    assert_eq!(Kind::Interval.read(b"-10000000").as_duration(), Some(Duration::from_secs(1)));
    assert_eq!(Kind::FileTime.read(b"0").as_time(), None, "never");
    assert_eq!(Kind::FileTime.read(b"0").as_integer(), Some(0));
    assert_eq!(Kind::GeneralizedTime.read(b"19700101000000Z").as_time(), Some(SystemTime::UNIX_EPOCH));
    assert_eq!(Kind::Boolean.read(b"FALSE").as_boolean(), Some(false));
    assert_eq!(Kind::NameAndUid.read(b"cn=x#'0'B").as_dn().map(Dn::as_str), Some("cn=x"));
    assert!(Kind::Guid.read(&[1; 16]).as_guid().is_some());
    assert!(Kind::Sid.read(b"\x01\x01\0\0\0\0\0\x05\x12\0\0\0").as_sid().is_some());
    assert_eq!(Kind::Octets.read(b"x").as_text(), Some("x"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(raw: Vec<u8>, text: String) {
        let kinds = [
            Kind::Text, Kind::Ia5, Kind::Numeric, Kind::Printable, Kind::Country, Kind::Telephone, Kind::Integer,
            Kind::Boolean, Kind::GeneralizedTime, Kind::UtcTime, Kind::Uuid, Kind::Guid, Kind::Sid, Kind::FileTime,
            Kind::Interval, Kind::PostalAddress, Kind::Dn, Kind::NameAndUid, Kind::DnWithBinary, Kind::DnWithString,
            Kind::Oid, Kind::Bits, Kind::Octets, Kind::Any,
        ];
        for kind in kinds {
            let _ = (kind.read(&raw).to_string(), kind.read(text.as_bytes()).to_string());
        }
    }
}
