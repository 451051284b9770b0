//! `[sync]`: bringing the store in line with the directory.

use account::{RemoveMissing, SyncSettings};

use super::read::{Section, Zero};

pub(super) fn read(section: Section<'_>) -> SyncSettings {
    let sheet = section.sheet();
    let every = section.duration("every", "0s", Zero::Off).value;
    let choices = [
        ("disable", RemoveMissing::Disable),
        ("remove", RemoveMissing::Remove),
        ("keep", RemoveMissing::Keep),
    ];
    let remove_missing = section.choice("remove_missing", &choices, "disable").value;
    let max_change = section.text("max_change", "10%");
    let most = percent(&max_change.value);
    if most.is_none() {
        sheet.wrong(
            &max_change.place,
            format!("max_change is a percentage from \"0%\" to \"100%\", not {:?}", max_change.value),
        );
    }
    let watch = section.boolean("watch", false).value;
    section.finish();
    let every = Some(every).filter(|every| !every.is_zero());
    SyncSettings { every, remove_missing, max_change: most.unwrap_or_default(), watch }
}

fn percent(text: &str) -> Option<u8> {
    let number: u8 = text.strip_suffix('%')?.trim_end().parse().ok()?;
    (number <= 100).then_some(number)
}
