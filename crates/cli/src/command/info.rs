//! `info`: what a server says of itself (RFC 4512 section 5.1), with names for its OIDs.

use account::AttributeValue;
use client::{FunctionalLevel, RootDse, Vendor};
use serde_json::{Value, json};

use super::Context;
use super::ldap::{self, Failure};
use crate::arguments::Info;
use crate::exit::Exit;
use crate::output::{self, printable};

/// Asks and prints.
pub(crate) async fn run(context: &Context, info: Info) -> Exit {
    match ask(context, &info).await {
        Ok(()) => Exit::DONE,
        Err(failure) => failure.report(),
    }
}

async fn ask(context: &Context, info: &Info) -> Result<(), Failure> {
    let session = ldap::connect(context, &info.target).await?;
    let root = session.connection.root_dse().await?;
    session.connection.close().await;
    if info.json {
        output::document(&document(session.connection.url(), &root));
    } else {
        text(session.connection.url(), &root);
    }
    Ok(())
}

fn document(url: &str, root: &RootDse) -> Value {
    let level = |level: Option<FunctionalLevel>| {
        level.map(|level| json!({ "level": level.0, "name": level.to_string() }))
    };
    let vendor =
        Some(root.vendor()).filter(|vendor| *vendor != Vendor::Other).map(|vendor| vendor.to_string());
    let attributes: serde_json::Map<String, Value> = root
        .entry()
        .attributes()
        .map(|attribute| {
            let values = attribute.values().map(|value| json!(AttributeValue::of(value)));
            (attribute.name().to_owned(), values.collect())
        })
        .collect();
    json!({
        "url": url,
        "server": vendor,
        "vendor_name": root.vendor_name(),
        "vendor_version": root.vendor_version(),
        "versions": root.versions().collect::<Vec<_>>(),
        "naming_contexts": root.naming_contexts().collect::<Vec<_>>(),
        "default_naming_context": root.default_naming_context(),
        "subschema": root.subschema_subentry(),
        "alternative_servers": root.alt_servers().collect::<Vec<_>>(),
        "sasl_mechanisms": root.sasl_mechanisms().collect::<Vec<_>>(),
        "controls": root.controls().map(named).collect::<Vec<_>>(),
        "extensions": root.extensions().map(named).collect::<Vec<_>>(),
        "features": root.features().map(named).collect::<Vec<_>>(),
        "capabilities": root.capabilities().map(named).collect::<Vec<_>>(),
        "domain_level": level(root.domain_level()),
        "forest_level": level(root.forest_level()),
        "controller_level": level(root.controller_level()),
        "highest_committed_usn": root.highest_committed_usn(),
        "attributes": attributes,
    })
}

fn named(oid: &str) -> Value {
    let known = proto::oid::find(oid);
    json!({ "oid": oid, "name": known.map(|known| known.name), "source": known.map(|known| known.source) })
}

fn text(url: &str, root: &RootDse) {
    let one = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            output::line(&format!("{what:<15} {}", printable(&value)));
        }
    };
    one("url", Some(url.to_owned()));
    one(
        "server",
        Some(root.vendor()).filter(|vendor| *vendor != Vendor::Other).map(|vendor| vendor.to_string()),
    );
    let vendor: Vec<&str> = root.vendor_name().into_iter().chain(root.vendor_version()).collect();
    one("vendor", Some(vendor.join(", ")).filter(|vendor| !vendor.is_empty()));
    one("versions", joined(root.versions().map(|version| version.to_string())));
    one("base", root.default_naming_context().map(str::to_owned));
    one("schema", root.subschema_subentry().map(str::to_owned));
    one("host", root.dns_host_name().map(str::to_owned));
    one("domain", root.domain_level().map(|level| level.to_string()));
    one("forest", root.forest_level().map(|level| level.to_string()));
    one("controller", root.controller_level().map(|level| level.to_string()));
    one("last change", root.highest_committed_usn().map(|number| number.to_string()));
    one("SASL", joined(root.sasl_mechanisms().map(str::to_owned)));
    list("naming contexts", root.naming_contexts().map(printable));
    list("other servers", root.alt_servers().map(printable));
    list("controls", root.controls().map(line));
    list("extensions", root.extensions().map(line));
    list("features", root.features().map(line));
    list("capabilities", root.capabilities().map(line));
    if root.entry().attributes().next().is_none() {
        output::note("ldapgate: the server says nothing of itself to whoever asked");
    }
}

fn joined(values: impl Iterator<Item = String>) -> Option<String> {
    let values: Vec<String> = values.collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn list(what: &str, lines: impl Iterator<Item = String>) {
    for (place, line) in lines.enumerate() {
        if place == 0 {
            output::line(what);
        }
        output::line(&format!("  {line}"));
    }
}

fn line(oid: &str) -> String {
    let words = proto::oid::find(oid).map(|known| format!("{} ({})", known.name, known.source));
    format!("{:<30} {}", printable(oid), words.unwrap_or_default()).trim_end().to_owned()
}
