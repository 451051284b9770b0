//! Names that are made up: whatever is built is parsed to the same.

use super::*;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[ ,+\"\\\\<>;=#a-zA-Z0-9\u{0}-\u{1f}]{0,8}", Just(String::new())]
}

fn rdn() -> impl Strategy<Value = Rdn> {
    let ava = ("[a-zA-Z][a-zA-Z0-9-]{0,6}|[0-2](\\.[0-9]{1,4}){1,4}", value());
    proptest::collection::vec(ava, 1..4).prop_map(|avas| {
        let mut avas = avas.iter();
        let (name, value) = avas.next().expect("at least one");
        let first = Rdn::new(name, value).expect("a type");
        avas.fold(first, |rdn, (name, value)| rdn.with(name, value).expect("a type"))
    })
}

proptest! {
    #[test]
    fn what_is_built_is_parsed_to_the_same(rdns in proptest::collection::vec(rdn(), 0..5)) {
        let built = rdns.iter().rev().fold(Dn::root(), |dn, rdn| dn.child(rdn.clone()));
        let parsed = Dn::parse(built.as_str()).expect("a name");
        prop_assert_eq!(&parsed, &built);
        let values = |dn: &Dn| -> Vec<_> {
            dn.rdns().iter().flat_map(|rdn| rdn.avas()).map(|ava| ava.value().to_vec()).collect()
        };
        prop_assert_eq!(values(&parsed), values(&built));
        // The normal form is a name, equal to the name, and its own normal form.
        let normal = Dn::parse(built.normalized()).expect("a name");
        prop_assert_eq!(&normal, &built);
        prop_assert_eq!(normal.normalized(), normal.as_str());
        if let Some(parent) = built.parent() {
            prop_assert!(built.is_below(&parent));
            prop_assert_eq!(&parent, &Dn::parse(parent.as_str()).expect("a name"));
            let again = parent.child(built.rdns()[0].clone());
            prop_assert_eq!(again.as_str(), built.as_str());
        }
    }

    #[test]
    fn no_text_panics_and_what_parses_prints_the_same(text in "[a-c=,+;\"\\\\# 0-9.\\PC]{0,30}") {
        let Ok(parsed) = Dn::parse(&text) else { return Ok(()) };
        prop_assert_eq!(parsed.as_str(), &text);
        let rebuilt = parsed.rdns().iter().rev().fold(Dn::root(), |dn, rdn| dn.child(rdn.clone()));
        prop_assert_eq!(&rebuilt, &parsed);
        prop_assert_eq!(Dn::parse(rebuilt.as_str()).expect("a name"), parsed);
    }
}
