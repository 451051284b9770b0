//! `[directory.password]`: who changes passwords.

use auth::PasswordChange;

use super::connection::Connection;
use super::read::Section;

pub(super) fn read(section: Section<'_>, connection: &Connection) -> PasswordChange {
    let words = [
        ("person", PasswordChange::Person),
        ("service", PasswordChange::Service),
        ("off", PasswordChange::Off),
    ];
    let change = section.choice("change", &words, "person");
    if change.value == PasswordChange::Service && !connection.has_service_account() {
        let message = "password.change = \"service\" needs bind_dn: nobody changes passwords for others";
        section.sheet().wrong(&change.place, message);
    }
    section.finish();
    change.value
}
