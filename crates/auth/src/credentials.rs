//! What was typed, made safe once: a name that no directory can misread, and a password that is not empty.

use proto::Password;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroize;

use crate::{Denial, Reason};

/// No typed name is longer, in bytes of UTF-8; judged before anything looks at its characters (CVE-2023-46695).
pub const MAX_USERNAME: usize = 1024;
/// No typed password is longer, in bytes; servers hash whatever they are sent.
pub const MAX_PASSWORD: usize = 4096;

/// A name and a password as typed into a form.
///
/// ```
/// use ldapgate_auth::{Credentials, Fold, Reason};
/// let credentials = Credentials::parse("  Alice ", "secret".to_owned(), Fold::Lower)?;
/// assert_eq!(credentials.username.as_typed(), "Alice");
/// assert_eq!(credentials.username.folded(), "alice");
/// let refused = Credentials::parse("alice", String::new(), Fold::Lower).err().unwrap();
/// assert_eq!(refused.reason(), Reason::EmptyPassword);
/// # Ok::<(), ldapgate_auth::Denial>(())
/// ```
pub struct Credentials {
    /// Who.
    pub username: Username,
    /// With what.
    pub password: Password,
}

/// A typed name without white space around it and without characters that deceive: no control, no NUL, no invisible
/// or direction-changing ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    typed: String,
    folded: String,
}

/// `login.fold_username`: what becomes of capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fold {
    /// `Alice` is `alice`.
    #[default]
    Lower,
    /// `Alice` stays.
    Keep,
}

impl Credentials {
    /// Reads what was typed. The password is used as it is, not trimmed and not normalised.
    ///
    /// # Errors
    /// `empty_password` where a server might take it for none (empty, or with a NUL), `wrong_password` where it is
    /// longer than any real one, and whatever [`Username::parse`] refuses. None of them needs the directory.
    pub fn parse(username: &str, mut password: String, fold: Fold) -> Result<Credentials, Denial> {
        let username = match Username::parse(username, fold) {
            Ok(username) => username,
            Err(denial) => {
                password.zeroize();
                return Err(denial);
            }
        };
        if password.len() > MAX_PASSWORD {
            password.zeroize();
            return Err(Denial::of(Reason::WrongPassword)
                .with_detail(format!("the password is longer than {MAX_PASSWORD} bytes")));
        }
        let password = Password::new(password).map_err(|_| {
            Denial::of(Reason::EmptyPassword).with_detail("the password is empty or holds a NUL")
        })?;
        Ok(Credentials { username, password })
    }
}

impl Username {
    /// Reads a typed name.
    ///
    /// # Errors
    /// `bad_username`: empty, longer than [`MAX_USERNAME`], or with a character that no name has.
    pub fn parse(text: &str, fold: Fold) -> Result<Username, Denial> {
        if text.len() > MAX_USERNAME {
            return Err(bad(format!("longer than {MAX_USERNAME} bytes")));
        }
        let typed = text.trim();
        if typed.is_empty() {
            return Err(bad("empty"));
        }
        if let Some(character) = typed.chars().find(|character| deceives(*character)) {
            return Err(bad(format!("contains {}", character.escape_unicode())));
        }
        // Two ways to type one name are one name. SASLprep knows Unicode 3.2 only and no mixed directions: what it
        // refuses is brought to the same normal form without it, since servers compare such names as loosely.
        let prepared =
            stringprep::saslprep(typed).unwrap_or_else(|_| typed.nfkc().collect::<String>().into());
        let folded = fold.apply(prepared.trim());
        if folded.is_empty() {
            return Err(bad("nothing is left of it"));
        }
        Ok(Username { typed: typed.to_owned(), folded })
    }

    /// As typed, without white space around it: `{input}`.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// Normalised and folded, its domain still on it.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// `alice@domain` and `DOMAIN\alice` in two: the name and the domain, both folded.
    pub(crate) fn split(&self) -> Option<(&str, &str)> {
        if let Some((name, domain)) = self.folded.rsplit_once('@') {
            return Some((name, domain));
        }
        self.folded.split_once('\\').map(|(domain, name)| (name, domain))
    }
}

impl Fold {
    /// Folds a name.
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Fold::Lower => name.to_lowercase(),
            Fold::Keep => name.to_owned(),
        }
    }
}

fn bad(why: impl AsRef<str>) -> Denial {
    Denial::of(Reason::BadUsername).with_detail(format!("the user name: {}", why.as_ref()))
}

/// Characters that a person cannot see or that change what is seen. Terminals, logs and headers obey them.
pub(crate) fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'   // Mongolian variation selectors
            | '\u{200B}'..='\u{200F}'   // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202E}'   // line separators and directional overrides
            | '\u{2060}'..='\u{206F}'   // word joiner, invisible operators, isolates
            | '\u{3164}' | '\u{FFA0}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFF}'   // specials and noncharacters
            | '\u{E0000}'..='\u{E0FFF}' // tags
        )
}

/// A server's text for the operator, freed of what would garble a log or a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().filter(|character| !deceives(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> Denial {
        Username::parse(name, Fold::Lower).expect_err("this name is bad")
    }

    #[test]
    fn a_name_is_trimmed_and_folded() {
        let name = Username::parse("\u{a0} Alice \t", Fold::Lower).unwrap();
        assert_eq!((name.as_typed(), name.folded()), ("Alice", "alice"));
        assert_eq!(Username::parse("Alice", Fold::Keep).unwrap().folded(), "Alice");
    }

    #[test]
    fn two_ways_to_type_a_name_are_one_name() {
        let composed = Username::parse("ren\u{e9}", Fold::Lower).unwrap();
        let decomposed = Username::parse("Rene\u{301}", Fold::Lower).unwrap();
        let wide = Username::parse("\u{ff21}lice", Fold::Lower).unwrap();
        assert_eq!(composed.folded(), decomposed.folded());
        assert_eq!(wide.folded(), "alice");
    }

    #[test]
    fn a_name_that_saslprep_refuses_has_one_form_all_the_same() {
        let folded = |name: &str| Username::parse(name, Fold::Lower).unwrap().folded().to_owned();
        assert_eq!(folded("alice🦀"), "alice🦀");
        // A letter newer than Unicode 3.2 among full-width ones, and a presentation form beside a digit.
        assert_eq!(folded("\u{ff41}l\u{221}\u{ff4e}"), folded("al\u{221}n"));
        assert_eq!(folded("\u{fe8d}1"), folded("\u{627}1"));
    }

    #[test]
    fn the_length_is_judged_before_the_characters() {
        assert!(Username::parse(&"a".repeat(MAX_USERNAME), Fold::Lower).is_ok());
        assert!(refused(&"\u{0}".repeat(MAX_USERNAME + 1)).detail().contains("longer"));
        assert!(refused(&" ".repeat(MAX_USERNAME + 1)).detail().contains("longer"));
    }

    #[test]
    fn invisible_and_controlling_characters_are_refused() {
        for name in [
            "",
            "  ",
            "a\0",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{2066}",
            "a\u{7f}",
            "a\u{85}b",
        ] {
            assert_eq!(refused(name).reason(), Reason::BadUsername, "{name:?}");
        }
    }

    #[test]
    fn characters_that_only_mean_something_to_ldap_are_fine() {
        for name in ["a*", "a(b)", "a\\b", "a,b", "o'hara #1", "a+b=c", "\"q\""] {
            assert_eq!(Username::parse(name, Fold::Lower).unwrap().folded(), name);
        }
    }

    #[test]
    fn a_domain_is_seen_on_either_side() {
        let split = |name| {
            Username::parse(name, Fold::Lower).unwrap().split().map(|(n, d)| (n.to_owned(), d.to_owned()))
        };
        let of = |n: &str, d: &str| Some((n.to_owned(), d.to_owned()));
        assert_eq!(split("Alice@Corp"), of("alice", "corp"));
        assert_eq!(split("a@b@corp"), of("a@b", "corp"));
        assert_eq!(split("CORP\\Alice"), of("alice", "corp"));
        assert_eq!(split("alice"), None);
    }

    #[test]
    fn an_empty_password_is_refused_before_anything_else_could_see_it() {
        for password in ["", "\0", "\0\0\0", "a\0b"] {
            let denial = Credentials::parse("alice", password.to_owned(), Fold::Lower).err().unwrap();
            assert_eq!(denial.reason(), Reason::EmptyPassword, "{password:?}");
            assert!(!denial.bound());
        }
        assert!(Credentials::parse("alice", " ".to_owned(), Fold::Lower).is_ok());
    }

    #[test]
    fn an_over_long_password_reaches_no_server() {
        let denial = Credentials::parse("alice", "x".repeat(MAX_PASSWORD + 1), Fold::Lower).err().unwrap();
        assert_eq!((denial.reason(), denial.bound()), (Reason::WrongPassword, false));
    }
}
