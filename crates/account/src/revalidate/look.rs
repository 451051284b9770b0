//! One look at one person: from what the directory shows to what it means for their account. Nothing is asked here.

use auth::{Person, Reason, Sight, Verdict};
use serde_json::{Map, Value, json};

use crate::Account;

/// What a look at a person means.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A login would let them in.
    Admitted(Box<Person>),
    /// A login would not.
    Lost(Lost),
    /// There is no such entry, which proves nothing yet.
    Missing,
    /// Nothing may be concluded. The text says why.
    Unclear(String),
}

/// Why somebody may not enter any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// One word, as the audit record has it.
    pub(crate) reason: String,
    /// For the operator.
    pub(crate) detail: String,
}

impl Lost {
    /// The word for somebody whose entry is gone.
    pub(crate) const GONE: &str = "gone";

    pub(crate) fn gone() -> Self {
        Self { reason: Self::GONE.to_owned(), detail: "no entry has their id".to_owned() }
    }

    pub(crate) fn of(denial: &auth::Denial) -> Self {
        Self { reason: denial.reason().as_str().to_owned(), detail: denial.detail().to_owned() }
    }
}

/// What a sight means. `judge` says what the rules make of a person; `reads_as_person`: people read their own entries, so what
/// the service account sees of them counts for nothing but their being there.
pub(crate) fn look(sight: Sight, reads_as_person: bool, judge: impl FnOnce(&Person) -> Verdict) -> Finding {
    let unclear = |why: &str| Finding::Unclear(why.to_owned());
    match sight {
        Sight::Missing => Finding::Missing,
        Sight::Unreadable(why) => Finding::Unclear(why),
        _ if reads_as_person => unclear("only they themselves can read what counts"),
        Sight::Refused(denial) => Finding::Lost(Lost::of(&denial)),
        Sight::NotMatched => Finding::Lost(Lost {
            reason: Reason::UnknownUser.as_str().to_owned(),
            detail: "a login would not find their entry".to_owned(),
        }),
        Sight::There(person) if !person.groups_complete() => {
            unclear("their groups cannot be read to the end")
        }
        Sight::There(person) => match judge(&person) {
            Verdict::Admitted => Finding::Admitted(person),
            Verdict::Refused(denial) => Finding::Lost(Lost::of(&denial)),
        },
    }
}

/// What no change of a person is.
const BESIDE: [&str; 6] = ["id", "checked", "first_seen", "last_login", "generation", "generation_at"];

/// Whether an account would be what it is, but for when it was looked at.
pub(crate) fn is_same(before: &Account, after: &Account) -> bool {
    let Account { id, checked, .. } = *before;
    let mut after = after.clone();
    (after.id, after.checked) = (id, checked);
    *before == after
}

/// What differs between an account and what it would be: `{"fields.email": {"old": "a@example.com", "new": null}}`; empty
/// where nothing does.
pub(crate) fn difference(before: &Account, after: &Account) -> Map<String, Value> {
    let members = |account: &Account| match json!(account) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut found = Map::new();
    compare("", members(before), members(after), &mut found);
    found
}

fn compare(
    under: &str,
    mut before: Map<String, Value>,
    after: Map<String, Value>,
    found: &mut Map<String, Value>,
) {
    let is_beside = |name: &str| under.is_empty() && BESIDE.contains(&name);
    let mut note = |name: &str, old: Value, new: Value| match (old, new) {
        (old, new) if old == new || is_beside(name) => {}
        (Value::Object(old), Value::Object(new)) if under.is_empty() => compare(name, old, new, found),
        (old, new) => {
            let name = if under.is_empty() { name.to_owned() } else { format!("{under}.{name}") };
            found.insert(name, json!({ "old": old, "new": new }));
        }
    };
    for (name, new) in after {
        let old = before.remove(&name).unwrap_or(Value::Null);
        note(&name, old, new);
    }
    for (name, old) in before {
        note(&name, old, Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::Denial;

    fn account() -> Account {
        serde_json::from_value(json!({
            "id": "00000000-0000-4000-8000-00000000000a", "directory": "main", "external_id": "e1",
            "username": "alice", "local_name": "alice", "dn": "uid=alice,dc=example,dc=com",
            "attributes": {}, "fields": {"email": "a@example.com"}, "lists": {}, "flags": {}, "groups": [],
            "local_groups": [], "permissions": [], "disabled": false, "out": null, "generation": 0,
            "generation_at": null, "first_seen": 0, "last_login": null, "checked": 0,
        }))
        .unwrap()
    }

    fn word(finding: Finding) -> String {
        match finding {
            Finding::Admitted(_) => "admitted".to_owned(),
            Finding::Lost(lost) => lost.reason,
            Finding::Missing => "missing".to_owned(),
            Finding::Unclear(_) => "unclear".to_owned(),
        }
    }

    #[test]
    fn a_sight_without_a_person_means_the_same_whatever_the_rules_say() {
        let nobody = |_: &Person| unreachable!("there is nobody to judge");
        let disabled = Sight::Refused(Denial::of(Reason::AccountDisabled));
        for (sight, means) in [
            (disabled, "account_disabled"),
            (Sight::NotMatched, "unknown_user"),
            (Sight::Missing, "missing"),
            (Sight::Unreadable("two entries".to_owned()), "unclear"),
        ] {
            assert_eq!(word(look(sight, false, nobody)), means);
        }
    }

    #[test]
    fn where_people_read_their_own_entries_only_their_absence_means_something() {
        let nobody = |_: &Person| unreachable!("there is nobody to judge");
        let disabled = Sight::Refused(Denial::of(Reason::AccountDisabled));
        for (sight, means) in
            [(disabled, "unclear"), (Sight::NotMatched, "unclear"), (Sight::Missing, "missing")]
        {
            assert_eq!(word(look(sight, true, nobody)), means);
        }
    }

    #[test]
    fn a_difference_names_what_changed_and_nothing_else() {
        let before = account();
        assert!(difference(&before, &before).is_empty());
        let mut after = account();
        (after.checked, after.generation) = (crate::Time::from_seconds(9), 3);
        assert!(difference(&before, &after).is_empty(), "a look is no change");
        after.fields.clear();
        after.dn = "uid=alice,ou=people,dc=example,dc=com".to_owned();
        let found = difference(&before, &after);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["dn", "fields.email"]);
        assert_eq!(found["fields.email"], json!({ "old": "a@example.com", "new": null }));
    }
}
