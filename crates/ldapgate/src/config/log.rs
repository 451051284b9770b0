//! `[log]`: what is told to the operator, and how.

use super::read::{Section, closest};

/// `[log]`.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) json: bool,
    /// A level, or a list of `target=level`.
    pub(crate) level: String,
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn read(section: Section<'_>) -> Log {
    let json = section.choice("format", &[("text", false), ("json", true)], "text");
    let level = section.text("level", "info");
    for part in level.value.split(',') {
        let word = part.rsplit_once('=').map_or(part, |(_, word)| word).trim();
        if LEVELS.contains(&word) {
            continue;
        }
        let message = format!(
            "level cannot be {word:?}: it is off, error, warn, info, debug or trace, or a list such as \"info,ldapgate_auth=debug\""
        );
        match closest(word, LEVELS.iter().copied()) {
            Some(nearest) => {
                section.sheet().wrong_but(&level.place, message, format!("did you mean {nearest:?}?"))
            }
            None => section.sheet().wrong(&level.place, message),
        }
    }
    section.finish();
    Log { json: json.value, level: level.value }
}
