//! `compare`: has an entry this value? As `ldapcompare` asks.

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use proto::{LdapResult, ResultCode};
use serde_json::json;

use super::{Context, extension, ldap, result_text};
use crate::arguments::Compare;
use crate::command::ldap::Failure;
use crate::exit::Exit;
use crate::output;

/// Compares; the status is 6 for true, 5 for false, else the result code.
pub(crate) async fn run(context: &Context, compare: Compare) -> Exit {
    match ask(context, &compare).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn ask(context: &Context, compare: &Compare) -> Result<Exit, Failure> {
    let (attribute, value) = assertion(&compare.assertion)?;
    let mut controls = extension::controls(&compare.extensions)?;
    for extension in &compare.compare_extensions {
        controls.push(extension::of_compare(extension)?);
    }
    let connection = ldap::connect(context, &compare.target).await?.connection.with_controls(controls);
    if compare.dry_run {
        return Ok(Exit::DONE);
    }
    let answer = connection.compare(&compare.dn, attribute, &value).await;
    connection.close().await;
    let result = match answer {
        Ok(true) => LdapResult::new(ResultCode::COMPARE_TRUE, ""),
        Ok(false) => LdapResult::new(ResultCode::COMPARE_FALSE, ""),
        Err(error) => ldap::answer(&error).cloned().ok_or(error)?,
    };
    tell(compare, &result, context.voice.is_verbose());
    Ok(Exit::of_result(result.code))
}

/// `attribute:value` or `attribute::base64`.
fn assertion(text: &str) -> anyhow::Result<(&str, Vec<u8>)> {
    let (attribute, value) =
        text.split_once(':').ok_or_else(|| anyhow!("{text:?} is not attribute:value"))?;
    let value = match value.strip_prefix(':') {
        Some(encoded) => base64::engine::general_purpose::STANDARD
            .decode(encoded.trim())
            .with_context(|| format!("the value of {attribute} is not base64"))?,
        None => value.as_bytes().to_vec(),
    };
    Ok((attribute, value))
}

fn tell(compare: &Compare, result: &LdapResult, verbose: bool) {
    let matches = match result.code {
        ResultCode::COMPARE_TRUE => Some(true),
        ResultCode::COMPARE_FALSE => Some(false),
        _ => None,
    };
    if compare.json {
        output::document(&json!({
            "matches": matches,
            "code": result.code.0,
            "result": result.code.name(),
            "message": result.message,
        }));
        return;
    }
    if compare.silent {
        return;
    }
    if matches.is_none() || verbose {
        output::line(&result_text::report("Compare Result", result));
    }
    output::line(match matches {
        Some(true) => "TRUE",
        Some(false) => "FALSE",
        None => "UNDEFINED",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_text_or_base64() {
        assert_eq!(assertion("cn:Ada: L").unwrap(), ("cn", b"Ada: L".to_vec()));
        assert_eq!(assertion("cn;lang-de:: AP8=").unwrap(), ("cn;lang-de", vec![0, 0xff]));
        assert_eq!(assertion("cn:").unwrap(), ("cn", vec![]));
        for text in ["cn", "cn::!"] {
            assert!(assertion(text).is_err(), "{text}");
        }
    }
}
