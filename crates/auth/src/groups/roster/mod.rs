//! Who is in which group, for everybody at once: all groups are read one time, and each of their members is kept in 20
//! bytes. What it tells of a person is what the walk would find for them, search by search.
//!
//! Reading order: this file says what is kept and how it is asked, `read` where it comes from, `answer` how a walk uses it.

mod answer;
mod read;

use proto::Dn;

use super::kind;
use crate::Settings;
use crate::fingerprint::Fingerprint;
use crate::record::Record;
use crate::settings::GroupKind;

/// All memberships of one directory, as one server told them.
pub(crate) struct Roster {
    nodes: Vec<Node>,
    /// Sorted, each once.
    rows: Vec<Row>,
}

/// A group.
#[derive(Debug)]
struct Node {
    dn: Dn,
    name: Option<String>,
    /// It lies where groups are shown, and matches.
    is_listed: bool,
    part: Part,
}

/// What a group was read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is found by whom it has.
    Search,
    /// A rule names it, and no search can have seen it.
    Rule,
}

/// One member of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    member: Fingerprint,
    /// The group's place among the nodes, and [`DIRECT`].
    group: u32,
}

/// The member stands in an attribute that people are looked for in; otherwise in one that only groups in groups are.
const DIRECT: u32 = 1 << 31;
/// So many groups at most.
const GROUPS: usize = 1 << 22;

/// A group that has somebody.
#[derive(Clone, Copy)]
struct Having<'r> {
    node: &'r Node,
    is_direct: bool,
}

impl Roster {
    /// Can a roster tell what the walk would find? What an application's own kinds find only they know, Active Directory
    /// computes a person's groups itself, and where the entry tells all there is nothing to be read.
    pub(crate) fn is_of_use(settings: &Settings) -> bool {
        let groups = &settings.groups;
        groups.is_any()
            && groups.custom.is_empty()
            && !groups.kinds.contains(&GroupKind::ActiveDirectory)
            && !kind::entry_tells_all(settings)
    }

    /// How many memberships it holds; each takes 20 bytes.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The groups in which this stands.
    fn having(&self, member: Fingerprint) -> impl Iterator<Item = Having<'_>> {
        let from = self.rows.partition_point(|row| row.member < member);
        let rows = self.rows[from..].iter().take_while(move |row| row.member == member);
        rows.map(|row| Having {
            node: &self.nodes[(row.group & !DIRECT) as usize],
            is_direct: row.group & DIRECT != 0,
        })
    }

    /// The groups in which a person stands: by name, and in posix groups by user name and number. `None` when only the
    /// server knows, because its rule for user names is not known to tell capitals apart or not, and here it matters.
    fn of_person(&self, settings: &Settings, record: &Record) -> Option<Vec<Having<'_>>> {
        let mut all: Vec<_> = self.having(Fingerprint::of_dn(&record.dn)).collect();
        if settings.groups.kinds.contains(&GroupKind::Posix) {
            for uid in record.attributes.values("uid") {
                let before = all.len();
                all.extend(self.having(user_name(uid)));
                if self.having(user_name_in_any_case(uid)).count() != all.len() - before {
                    return None;
                }
            }
            all.extend(
                record
                    .attributes
                    .values("gidNumber")
                    .first()
                    .into_iter()
                    .flat_map(|id| self.having(number(id))),
            );
        }
        Some(all)
    }
}

fn user_name(uid: &[u8]) -> Fingerprint {
    Fingerprint::of("uid", &without_spaces(uid))
}

fn user_name_in_any_case(uid: &[u8]) -> Fingerprint {
    let folded = String::from_utf8_lossy(&without_spaces(uid)).to_lowercase();
    Fingerprint::of("any uid", folded.as_bytes())
}

/// Spaces around a name do not count, nor how many stand together (RFC 4518 section 2.6.1).
fn without_spaces(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// As numbers are compared: zeros before them do not count.
fn number(value: &[u8]) -> Fingerprint {
    let text = String::from_utf8_lossy(value);
    match text.trim().parse::<i64>() {
        Ok(number) => Fingerprint::of("gid", number.to_string().as_bytes()),
        Err(_) => Fingerprint::of("gid", value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_takes_20_bytes() {
        assert_eq!(size_of::<Row>(), 20);
    }

    #[test]
    fn user_names_and_numbers_are_one_however_they_are_spaced_and_padded() {
        assert_eq!(user_name(b" ada  b "), user_name(b"ada b"));
        assert_ne!(user_name(b"ada"), user_name(b"Ada"));
        assert_eq!(user_name_in_any_case(b"ada"), user_name_in_any_case(b"Ada"));
        assert_eq!(number(b"0100"), number(b"100"));
        assert_ne!(number(b"100"), number(b"10"));
    }
}
