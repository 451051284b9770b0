//! `config check` and `config show`.

use ldapgate::Config;
use serde_json::json;

use super::Context;
use crate::arguments;
use crate::exit::Exit;
use crate::output;

/// Runs one of them.
pub(crate) fn run(context: &Context, action: &arguments::Config) -> Exit {
    let config = match context.config() {
        Ok(config) => config,
        Err(_) => return Exit::USAGE,
    };
    for warning in config.warnings().iter().filter(|_| !context.voice.is_quiet()) {
        output::note(&format!("warning: {warning}"));
    }
    match action {
        arguments::Config::Check => check(context, &config),
        arguments::Config::Show { json } => show(&config, *json),
    }
    Exit::DONE
}

fn check(context: &Context, config: &Config) {
    let place = config.path().map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
    let names = config.directories().join(", ");
    output::line(&format!("{place}: good; directories: {names}"));
    for name in config.directories().iter().filter(|_| context.voice.is_verbose()) {
        // Whatever is wrong with them was told when the configuration was read.
        if let Ok(tls) = config.tls_settings(Some(name)).map(|settings| settings.load())
            && let Ok(tls) = tls
        {
            output::line(&format!("{name}: {}", tls.describe()));
        }
    }
}

fn show(config: &Config, as_json: bool) {
    if as_json {
        let settings: Vec<_> = config
            .show()
            .iter()
            .map(|shown| json!({"key": shown.key, "value": shown.value, "origin": shown.origin.to_string()}))
            .collect();
        output::document(&json!({ "settings": settings }));
        return;
    }
    let width = config
        .show()
        .iter()
        .map(|shown| shown.key.len() + shown.value.len() + 3)
        .filter(|width| *width < 60)
        .max();
    for shown in config.show() {
        let setting = format!("{} = {}", shown.key, shown.value);
        output::line(&format!("{setting:<width$}  # {}", shown.origin, width = width.unwrap_or(0)));
    }
}
