//! The log on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

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

    /// The filter's text; `usual` is what is shown without a flag.
    fn filter(self, usual: &str) -> String {
        match self {
            Voice::Quiet => "error".to_owned(),
            Voice::Usual => usual.to_owned(),
            Voice::Verbose => "debug".to_owned(),
            Voice::Everything => "trace".to_owned(),
        }
    }
}

/// Switches the log on; later calls change nothing.
pub(crate) fn start(voice: Voice, usual: &str, json: bool) {
    let filter = EnvFilter::try_new(voice.filter(usual)).unwrap_or_else(|_| EnvFilter::new("info"));
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _already_on = if json {
        base.json().flatten_event(true).try_init()
    } else {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        base.with_ansi(terminal).with_target(false).try_init()
    };
}
