//! The log on standard error.

use std::fmt::{self as fmt_std, Debug};

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::{FmtSpan, Writer, debug_fn};

use crate::output;

/// How loud `-v`, `-vv` and `-q` ask us to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// `-q`
    Quiet,
    /// Neither.
    Usual,
    /// `-v`
    Verbose,
    /// `-vv`
    Everything,
}

impl Voice {
    /// From the counted flags.
    pub(crate) fn new(verbose: u8, quiet: bool) -> Voice {
        match (quiet, verbose) {
            (true, _) => Voice::Quiet,
            (false, 0) => Voice::Usual,
            (false, 1) => Voice::Verbose,
            _ => Voice::Everything,
        }
    }

    /// Only failures are told.
    pub(crate) fn is_quiet(self) -> bool {
        self == Voice::Quiet
    }

    /// More than usual is told.
    pub(crate) fn is_verbose(self) -> bool {
        matches!(self, Voice::Verbose | Voice::Everything)
    }

    /// The filter's text; `usual` is what is shown without a flag.
    fn filter(self, usual: &str) -> String {
        match self {
            Voice::Quiet => "error".to_owned(),
            Voice::Usual => usual.to_owned(),
            // Ours alone: the directory's operations, not a library's SQL and handshakes.
            Voice::Verbose => "info,ldapgate=debug".to_owned(),
            Voice::Everything => "trace".to_owned(),
        }
    }
}

/// Switches the log on; later calls change nothing.
pub(crate) fn start(voice: Voice, usual: &str, json: bool) {
    let filter = EnvFilter::try_new(voice.filter(usual)).unwrap_or_else(|_| EnvFilter::new("info"));
    // Each operation is told when it is over, with what it took.
    let spans = if voice.is_verbose() { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_span_events(spans);
    let _already_on = if json {
        base.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        base.with_ansi(terminal).with_target(false).fmt_fields(debug_fn(field).delimited(" ")).try_init()
    };
}

/// Writes one field, its control characters made visible: a directory's values must not forge a line of the log or
/// command the operator's terminal. Our own messages may have lines.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt_std::Result {
    let text = format!("{value:?}");
    match field.name() {
        "message" => write!(writer, "{}", output::printable_lines(&text)),
        name => write!(writer, "{name}={}", output::printable(&text)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_directorys_values_cannot_forge_a_line_of_the_log() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .fmt_fields(debug_fn(field).delimited(" "))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = "cn=evil\n2026-01-01 INFO granted alice\u{1b}[31m";
            tracing::error!(%error, name = error, "the login \u{1b}failed");
        });
        let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(!log.contains('\u{1b}') && log.contains("granted alice"), "{log}");
    }
}
