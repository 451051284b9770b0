//! `[admin]`: who may see the administration pages. They come later; the expression is checked, and refused when it is set.

use super::access;
use super::expression::{Known, Scope};
use super::read::Section;

pub(super) fn read(section: Section<'_>, directories: &[Known]) {
    let set = section.value("require").map(|value| value.place);
    if access::rule(&section, "require", Scope::All(directories)).is_some() {
        section.sheet().not_yet(&set.expect("a rule that was read has a place"), "admin.require");
    }
    section.mark_not_yet(&["require"]);
    section.finish();
}
