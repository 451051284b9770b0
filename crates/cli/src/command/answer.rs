//! What the commands about people have in common: an engine, and an answer for people or, with `--json`, for programs.

use account::{Fault, Outcome, document};
use ldapgate::{Config, Engine};
use serde_json::Value;

use super::Context;
use crate::exit::Exit;
use crate::output::{self, Length};

/// How a command answers.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    /// One document instead of text.
    pub(crate) json: bool,
    /// How much of what is long is text.
    pub(crate) length: Length,
}

impl Answer {
    /// As the command's own flag and the flags of all commands ask for it.
    pub(crate) fn new(context: &Context, json: bool) -> Self {
        let length = if context.voice.is_verbose() { Length::Whole } else { Length::Short };
        Self { json, length }
    }

    /// The engine for one command; what fails is told on standard error and, for programs, as a document.
    pub(crate) async fn engine(self, context: &Context) -> Result<Engine, Exit> {
        let config = self.config(context)?;
        Engine::start_for_command(&config).await.map_err(|error| self.not_begun(error))
    }

    /// The configuration for one command that needs no engine.
    pub(crate) fn config(self, context: &Context) -> Result<Config, Exit> {
        context.config_and_quiet_log().map_err(|errors| {
            let problems: Vec<String> = errors.problems().iter().map(ToString::to_string).collect();
            self.failed(Fault::Configuration, "the configuration cannot be used", &problems)
        })
    }

    /// Tells why an engine, or what stands in for it, could not begin.
    pub(crate) fn not_begun(self, error: ldapgate::Error) -> Exit {
        let fault = match &error {
            ldapgate::Error::Store { .. } => Fault::Store,
            ldapgate::Error::Accounts { source } => source.fault(),
            _ => Fault::Configuration,
        };
        let exit = self.failed(fault, &error.to_string(), &error.causes());
        output::complain(&error.into());
        exit
    }

    fn failed(self, fault: Fault, message: &str, causes: &[String]) -> Exit {
        if self.json {
            output::document(&document::failed(fault, message, causes));
        }
        of_fault(fault)
    }

    /// Prints a login document; `detail` is what people are told besides.
    pub(crate) fn show(self, document: &Value, detail: &str) {
        if self.json { output::document(document) } else { output::login(document, detail, self.length) }
    }

    /// Prints the document, or the text for people.
    pub(crate) fn say(self, document: &Value, text: &str) {
        if self.json { output::document(document) } else { output::line(&output::printable_lines(text)) }
    }

    /// Prints why something was not done.
    pub(crate) fn refuse(self, why: &str) -> Exit {
        self.say(&document::refused(why), &format!("refused: {why}"));
        Exit::REFUSED
    }

    /// Prints a failure.
    pub(crate) fn fail(self, error: account::Error) -> Exit {
        let exit = of_fault(error.fault());
        self.show(&document::outcome(&Outcome::from(error)), "");
        exit
    }
}

/// The status of a failure.
pub(crate) fn of_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Configuration => Exit::USAGE,
        _ => Exit::FAULT,
    }
}
