//! `schema`: every definition of a server (RFC 4512 section 4), or one element with what it inherits and who uses it.

use proto::Schema;
use proto::schema::{AttributeType, ObjectClass};
use serde_json::{Value, json};

use super::Context;
use super::ldap::{self, Failure};
use crate::arguments::Schema as Arguments;
use crate::exit::Exit;
use crate::output::{self, printable};

/// Reads and prints; a name that nothing has is told, with what was meant, perhaps.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Exit {
    match ask(context, &arguments).await {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

async fn ask(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let session = ldap::connect(context, &arguments.target).await?;
    let schema = session.connection.schema().await?;
    session.connection.close().await;
    let Some(name) = &arguments.name else {
        if arguments.json {
            output::document(&whole(&schema))
        } else {
            definitions(&schema)
        }
        return Ok(Exit::DONE);
    };
    let found = elements(&schema, name);
    if arguments.json {
        output::document(&json!({ "name": name, "found": found, "similar": similar(&schema, name, &found) }));
    } else {
        found.iter().for_each(element);
    }
    if found.is_empty() {
        not_found(&schema, name);
        return Ok(Exit::REFUSED);
    }
    Ok(Exit::DONE)
}

fn not_found(schema: &Schema, name: &str) {
    let near = similar(schema, name, &[]).join(", ");
    let meant = if near.is_empty() { String::new() } else { format!("; there is {}", printable(&near)) };
    output::note(&format!("ldapgate: nothing in the schema is called {}{meant}", printable(name)));
}

fn similar<'s>(schema: &'s Schema, name: &str, found: &[Value]) -> Vec<&'s str> {
    if found.is_empty() { schema.similar_names(name) } else { Vec::new() }
}

/// As the subschema entry has them, one a line.
fn definitions(schema: &Schema) {
    every(schema, |attribute, definition| output::line(&format!("{attribute}: {}", printable(&definition))));
    for broken in schema.broken() {
        output::note(&format!(
            "ldapgate: a definition of {} cannot be read, {}: {}",
            printable(&broken.attribute),
            broken.error,
            printable(&broken.text)
        ));
    }
}

fn whole(schema: &Schema) -> Value {
    let mut document = serde_json::Map::new();
    for attribute in proto::schema::ATTRIBUTES {
        document.insert(attribute.to_owned(), json!([]));
    }
    every(schema, |attribute, definition| {
        if let Some(Value::Array(list)) = document.get_mut(attribute) {
            list.push(Value::String(definition));
        }
    });
    let broken = schema.broken().iter();
    let broken = broken
        .map(|one| json!({ "attribute": one.attribute, "text": one.text, "error": one.error.to_string() }));
    document.insert("broken".to_owned(), broken.collect());
    Value::Object(document)
}

fn every(schema: &Schema, mut each: impl FnMut(&str, String)) {
    schema.syntaxes().iter().for_each(|one| each("ldapSyntaxes", one.to_string()));
    schema.matching_rules().iter().for_each(|one| each("matchingRules", one.to_string()));
    schema.matching_rule_uses().iter().for_each(|one| each("matchingRuleUse", one.to_string()));
    schema.attribute_types().iter().for_each(|one| each("attributeTypes", one.to_string()));
    schema.object_classes().iter().for_each(|one| each("objectClasses", one.to_string()));
    schema.content_rules().iter().for_each(|one| each("dITContentRules", one.to_string()));
    schema.name_forms().iter().for_each(|one| each("nameForms", one.to_string()));
    schema.structure_rules().iter().for_each(|one| each("dITStructureRules", one.to_string()));
}

/// Everything of this name: an attribute and a class may share it.
fn elements(schema: &Schema, name: &str) -> Vec<Value> {
    let attribute = schema.attribute_type(name).map(|found| attribute(schema, found));
    let class = schema.object_class(name).map(|found| class(schema, found));
    let rule = schema.matching_rule(name).map(|found| {
        let used = schema.matching_rule_use(&found.oid).map(|used| used.applies.clone());
        json!({
            "kind": "matching rule", "name": found.name(), "oid": found.oid, "names": found.names,
            "description": found.description, "syntax": found.syntax.as_deref().map(|oid| syntax(schema, oid)),
            "applies": used, "definition": found.to_string(),
        })
    });
    let syntax = schema.syntax(name).map(|found| {
        let users = schema.attribute_types().iter();
        let users = users.filter(|kind| schema.syntax_of(kind).is_some_and(|oid| oid == found.oid));
        json!({
            "kind": "syntax", "name": known(schema, &found.oid), "oid": found.oid, "description": found.description,
            "used_by": users.map(AttributeType::name).collect::<Vec<_>>(), "definition": found.to_string(),
        })
    });
    attribute.into_iter().chain(class).chain(rule).chain(syntax).collect()
}

fn attribute(schema: &Schema, found: &AttributeType) -> Value {
    let above = schema.superior_types(found);
    let required = |class: &&ObjectClass| class.must.iter().any(|name| found.is_called(name));
    let users: Vec<&ObjectClass> = schema.classes_with(found).collect();
    json!({
        "kind": "attribute type",
        "name": found.name(),
        "oid": found.oid,
        "names": found.names,
        "description": found.description,
        "obsolete": found.obsolete,
        "superior": above.into_iter().map(AttributeType::name).collect::<Vec<_>>(),
        "subtypes": schema.subtypes(found).map(AttributeType::name).collect::<Vec<_>>(),
        "syntax": schema.syntax_of(found).map(|oid| syntax(schema, oid)),
        "length": found.length,
        "equality": schema.equality_of(found),
        "ordering": schema.ordering_of(found),
        "substrings": schema.substrings_of(found),
        "single_value": schema.is_single_value(found),
        "read_only": found.no_user_modification,
        "usage": schema.usage_of(found).as_str(),
        "required_by": users.iter().copied().filter(required).map(ObjectClass::name).collect::<Vec<_>>(),
        "allowed_by": users.iter().copied().filter(|class| !required(class)).map(ObjectClass::name).collect::<Vec<_>>(),
        "definition": found.to_string(),
    })
}

fn class(schema: &Schema, found: &ObjectClass) -> Value {
    let allowed = schema.attributes_of([found.oid.as_str()]);
    json!({
        "kind": "object class",
        "name": found.name(),
        "oid": found.oid,
        "names": found.names,
        "description": found.description,
        "obsolete": found.obsolete,
        "class": found.kind().as_str().to_ascii_lowercase(),
        "superior": schema.superior_classes(found).into_iter().map(ObjectClass::name).collect::<Vec<_>>(),
        "subclasses": schema.subclasses(found).map(ObjectClass::name).collect::<Vec<_>>(),
        "auxiliary": schema.content_rule(&found.oid).map(|rule| rule.auxiliary.clone()),
        "must": allowed.must,
        "may": allowed.may,
        "definition": found.to_string(),
    })
}

fn syntax(schema: &Schema, oid: &str) -> Value {
    json!({ "oid": oid, "name": known(schema, oid) })
}

fn known(schema: &Schema, oid: &str) -> Option<String> {
    let described = || schema.syntax(oid).and_then(|syntax| syntax.description.clone());
    proto::oid::name(oid).map(str::to_owned).or_else(described)
}

/// An element's document as text; what is empty or says nothing is left out.
fn element(document: &Value) {
    let text = |key: &str| document[key].as_str().map(printable);
    let name = text("name").unwrap_or_default();
    let aliases = names(&document["names"]).into_iter().skip(1).collect::<Vec<_>>().join(", ");
    let also = if aliases.is_empty() { String::new() } else { format!(", also {aliases}") };
    let class = text("class").map(|class| format!("{class} ")).unwrap_or_default();
    output::line(&format!(
        "{class}{} {name} ({}){also}",
        text("kind").unwrap_or_default(),
        text("oid").unwrap_or_default()
    ));
    let field = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            output::line(&format!("  {what:<12} {value}"));
        }
    };
    let flag = |key: &str, what: &str| {
        if document[key] == true {
            output::line(&format!("  {what}"));
        }
    };
    field("description", text("description"));
    let syntax = &document["syntax"];
    let length = document["length"].as_u64().map(|length| format!("; room for {length}")).unwrap_or_default();
    let oid = syntax["oid"].as_str().map(printable);
    field(
        "syntax",
        oid.map(|oid| match syntax["name"].as_str() {
            Some(name) => format!("{} ({oid}){length}", printable(name)),
            None => format!("{oid}{length}"),
        }),
    );
    field("equality", text("equality"));
    field("ordering", text("ordering"));
    field("substrings", text("substrings"));
    flag("single_value", "one value at most");
    flag("read_only", "written by the server only");
    flag("obsolete", "obsolete");
    field("usage", text("usage").filter(|usage| usage != "userApplications"));
    for (what, key) in [
        ("above", "superior"),
        ("below", "subtypes"),
        ("below", "subclasses"),
        ("auxiliary", "auxiliary"),
        ("must", "must"),
        ("may", "may"),
        ("required by", "required_by"),
        ("allowed by", "allowed_by"),
        ("used by", "used_by"),
        ("applies to", "applies"),
    ] {
        field(what, Some(names(&document[key]).join(", ")));
    }
    field("definition", text("definition"));
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(printable).collect()
}
