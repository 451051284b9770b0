//! Filters that are made up: text, wire and verdict agree with plainer ways.

use super::*;
use proptest::prelude::*;

fn description() -> impl Strategy<Value = String> {
    "([a-zA-Z][a-zA-Z0-9-]{0,6}|[0-2](\\.[0-9]{1,3}){1,3})(;[a-z0-9-]{1,4}){0,2}"
}

fn rule() -> impl Strategy<Value = String> {
    // "dn" would be read as the mark of that name, which is RFC 4515's own ambiguity.
    "[a-ce-z][a-zA-Z]{1,8}|[0-2](\\.[0-9]{1,3}){1,3}"
}

fn value() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Bytes::from),
        "[*()\\\\ a-c\u{0}äö]{0,8}".prop_map(Bytes::from),
    ]
}

fn piece() -> impl Strategy<Value = Bytes> {
    value().prop_filter("a piece is not empty", |piece| !piece.is_empty())
}

fn item() -> impl Strategy<Value = Filter> {
    let pieces = (
        proptest::option::of(piece()),
        proptest::collection::vec(piece(), 0..3),
        proptest::option::of(piece()),
    );
    prop_oneof![
        (description(), value()).prop_map(|(attribute, value)| Filter::Equal { attribute, value }),
        (description(), value()).prop_map(|(attribute, value)| Filter::GreaterOrEqual { attribute, value }),
        (description(), value()).prop_map(|(attribute, value)| Filter::LessOrEqual { attribute, value }),
        (description(), value()).prop_map(|(attribute, value)| Filter::Approximate { attribute, value }),
        description().prop_map(Filter::Present),
        (description(), pieces).prop_map(|(attribute, (initial, any, last))| {
            match (&initial, any.is_empty(), &last) {
                (None, true, None) => Filter::Present(attribute),
                _ => Filter::Substrings { attribute, initial, any, last },
            }
        }),
        (proptest::option::of(rule()), description(), value(), any::<bool>()).prop_map(
            |(rule, attribute, value, dn_attributes)| {
                Filter::Extensible { rule, attribute: Some(attribute), value, dn_attributes }
            }
        ),
        (rule(), value(), any::<bool>()).prop_map(|(rule, value, dn_attributes)| {
            Filter::Extensible { rule: Some(rule), attribute: None, value, dn_attributes }
        }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    item().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_to_the_same(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn what_is_written_is_read_to_the_same(filter in filter()) {
        let mut writer = crate::ber::Writer::new();
        filter.write(&mut writer);
        let frame = writer.finish();
        let mut reader = crate::ber::Reader::new(&frame);
        prop_assert_eq!(Filter::read(&mut reader, &crate::Limits::server()), Ok(filter));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn no_text_panics_and_what_parses_prints_the_same(text in "[(&|!)a-c=*:<>~\\\\0-9 \\PC]{0,30}") {
        let Ok(parsed) = Filter::parse(&text) else { return Ok(()) };
        prop_assert_eq!(Filter::parse(&parsed.to_string()), Ok(parsed));
    }

    #[test]
    fn no_bytes_panic(frame in proptest::collection::vec(
        prop_oneof![any::<u8>(), 0xa0_u8..0xaa, 0x80_u8..0x85, 0_u8..8, Just(4), Just(0x30)],
        0..60,
    )) {
        let frame = Bytes::from(frame);
        let _ = Filter::read(&mut crate::ber::Reader::new(&frame), &crate::Limits::server());
    }

    #[test]
    fn verdicts_follow_the_tables_of_three_values(filter in filter()) {
        struct Nobody;
        impl Attributes for Nobody {
            fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
                // Some are there, some are not, some are odd.
                [&b"ab"[..], b"\xff"].into_iter().take(name.len() % 3)
            }
        }
        // The plain recursive reading of RFC 4511, to compare with.
        fn plain(filter: &Filter) -> Option<bool> {
            let combine = |parts: &[Filter], decisive: bool| {
                let verdicts: Vec<_> = parts.iter().map(plain).collect();
                match () {
                    () if verdicts.contains(&Some(decisive)) => Some(decisive),
                    () if verdicts.contains(&None) => None,
                    () => Some(!decisive),
                }
            };
            match filter {
                Filter::And(parts) => combine(parts, false),
                Filter::Or(parts) => combine(parts, true),
                Filter::Not(part) => plain(part).map(|verdict| !verdict),
                item => item.evaluate(&Nobody, &StandardRules),
            }
        }
        prop_assert_eq!(filter.evaluate(&Nobody, &StandardRules), plain(&filter));
    }
}
