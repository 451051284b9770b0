//! `[login]`: how names are folded, how long a decision may take, how guessing is slowed.

use std::time::Duration;

use auth::Fold;

use super::read::{Kind, Section, Zero};

/// `[login]`.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) fold: Fold,
    pub(crate) deadline: Duration,
    pub(crate) person: u32,
    pub(crate) address: u32,
    pub(crate) window: Duration,
    pub(crate) show_account_state: bool,
    pub(crate) basic: bool,
}

const FOLDS: &[(&str, Fold)] = &[("lower", Fold::Lower), ("keep", Fold::Keep)];

/// How names are folded, without noting anything: every directory needs to know it.
pub(super) fn fold(section: &Section<'_>) -> Fold {
    match section.value("fold_username").map(|value| value.kind) {
        Some(Kind::Text(word) | Kind::Raw(word)) if word == "keep" => Fold::Keep,
        _ => Fold::Lower,
    }
}

pub(super) fn read(section: Section<'_>) -> Login {
    let fold = section.choice("fold_username", FOLDS, "lower");
    let deadline = section.duration("deadline", "20s", Zero::Wrong);
    let throttle = section.section("throttle");
    let person = throttle.number("person", 4, 0..=1_000_000);
    let address = throttle.number("address", 60, 0..=1_000_000);
    let window = throttle.duration("window", "30m", Zero::Wrong);
    throttle.finish();
    let login = Login {
        fold: fold.value,
        deadline: deadline.value,
        person: person.value,
        address: address.value,
        window: window.value,
        show_account_state: section.boolean("show_account_state", true).value,
        basic: section.boolean("basic", false).value,
    };
    section.finish();
    login
}
