//! `[sync]`: bringing the store in line with the directory. Its room comes later; only "off" is taken.

use super::read::{Section, Zero};

pub(super) fn read(section: Section<'_>) {
    let sheet = section.sheet();
    let every = section.duration("every", "0s", Zero::Off);
    if !every.value.is_zero() {
        sheet.not_yet(&every.place, "sync.every");
    }
    let remove_missing =
        section.choice("remove_missing", &[("disable", true), ("remove", false), ("keep", false)], "disable");
    if !remove_missing.value {
        sheet.not_yet(&remove_missing.place, "sync.remove_missing other than \"disable\"");
    }
    let max_change = section.text("max_change", "10%");
    match percent(&max_change.value) {
        None => sheet.wrong(
            &max_change.place,
            format!("max_change is a percentage from \"0%\" to \"100%\", not {:?}", max_change.value),
        ),
        Some(10) => {}
        Some(_) => sheet.not_yet(&max_change.place, "sync.max_change other than \"10%\""),
    }
    let watch = section.boolean("watch", false);
    if watch.value {
        sheet.not_yet(&watch.place, "sync.watch");
    }
    section.mark_not_yet(&["every", "remove_missing", "max_change", "watch"]);
    section.finish();
}

fn percent(text: &str) -> Option<u32> {
    let number: u32 = text.strip_suffix('%')?.trim_end().parse().ok()?;
    (number <= 100).then_some(number)
}
