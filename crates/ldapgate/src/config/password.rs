//! `[directory.password]`: how a password is changed. Its room comes later; "service" is refused until then.

use super::read::Section;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Person,
    Service,
    Off,
}

pub(super) fn read(section: Section<'_>) {
    let words = [("person", Change::Person), ("service", Change::Service), ("off", Change::Off)];
    let change = section.choice("change", &words, "person");
    if change.value == Change::Service {
        section.sheet().not_yet(&change.place, "password.change = \"service\"");
    }
    section.mark_not_yet(&["change"]);
    section.finish();
}
