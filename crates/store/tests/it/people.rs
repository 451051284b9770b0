//! People and records to put into a store.

use std::collections::BTreeMap;

use account::store::{Admit, Audit, Facts, Mirror, Occasion};
use account::{Time, UserId};

pub(crate) fn login(username: &str) -> Audit {
    Audit { event: "login".to_owned(), username: Some(username.to_owned()), ..Audit::default() }
}

/// Somebody new, or the same as before.
pub(crate) fn admit(number: u8) -> Box<Admit> {
    Box::new(Admit {
        at: Time::from_seconds(1),
        new_id: UserId::from_random([number; 16]),
        facts: facts(number),
        keep_profile: false,
        create: true,
        mirror: Mirror::Off,
        occasion: Occasion::LookUp,
        retire: None,
        audit: login("somebody"),
    })
}

pub(crate) fn facts(number: u8) -> Facts {
    Facts {
        directory: "main".to_owned(),
        external_id: format!("id{number}"),
        username: format!("person{number}"),
        local_name: format!("person{number}"),
        dn: format!("uid=person{number}"),
        attributes: serde_json::from_str(r#"{"cn": ["Person"], "objectSid": [{"base64": "/wA="}]}"#)
            .expect("JSON"),
        fields: BTreeMap::new(),
        lists: BTreeMap::new(),
        flags: BTreeMap::new(),
        groups: Vec::new(),
        permissions: Vec::new(),
    }
}
