//! Times and warnings in words for people.

use std::time::Duration;

use auth::Warning;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "about 30 minutes": to the nearest of the unit that people would choose.
pub(crate) fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, word) = match seconds {
        ..MINUTE => return "less than a minute".to_owned(),
        MINUTE..5400 => (MINUTE, "minute"),
        5400..129_600 => (HOUR, "hour"),
        129_600.. => (DAY, "day"),
    };
    let count = (seconds + unit / 2) / unit;
    let plural = if count == 1 { "" } else { "s" };
    format!("about {count} {word}{plural}")
}

/// What the directory had to say to the person when they signed in.
pub(crate) fn warning(warning: &Warning) -> String {
    match warning {
        Warning::PasswordExpires { seconds: 0 } => "Your password has expired.".to_owned(),
        Warning::PasswordExpires { seconds } => {
            format!("Your password expires in {}.", about(Duration::from_secs(*seconds)))
        }
        Warning::GraceLogins { remaining: 0 } => {
            "Your password has expired, and it will not let you in again.".to_owned()
        }
        Warning::GraceLogins { remaining: 1 } => {
            "Your password has expired. It will let you in one more time.".to_owned()
        }
        Warning::GraceLogins { remaining } => {
            format!("Your password has expired. It will let you in {remaining} more times.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_people_would_choose() {
        for (seconds, words) in [
            (0, "less than a minute"),
            (59, "less than a minute"),
            (60, "about 1 minute"),
            (1799, "about 30 minutes"),
            (5399, "about 90 minutes"),
            (5400, "about 2 hours"),
            (86_400, "about 24 hours"),
            (3 * DAY, "about 3 days"),
            (62_146 * HOUR, "about 2589 days"),
        ] {
            assert_eq!(about(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_warning_is_a_sentence() {
        let expires = |seconds| warning(&Warning::PasswordExpires { seconds });
        assert_eq!(expires(3 * DAY), "Your password expires in about 3 days.");
        assert_eq!(expires(0), "Your password has expired.");
        let grace = |remaining| warning(&Warning::GraceLogins { remaining });
        assert!(grace(0).contains("not let you in again") && grace(1).contains("one more time"));
        assert!(grace(2).ends_with("2 more times."));
    }
}
