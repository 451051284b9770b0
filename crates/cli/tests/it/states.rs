//! The book's tables of account states, row by row, against the real servers.

use std::path::Path;

use serde_json::{Value, json};
use testkit::book;
use testkit::people::{Person, named};

use crate::gateway::ldapgate;
use crate::live::Live;

const PAGE: &str = include_str!("../../../../docs/account-states.md");

/// Nothing is counted here: a server is to count to five itself.
const UNCOUNTED: &str = "[login]\nthrottle = { person = 0, address = 0 }";

/// Who of the world is in a state, and what the person reads who is told it.
const STATES: [(&str, &str, &str); 14] = [
    ("good", "nogroups", ""),
    ("locked after wrong passwords", "fragile", ""),
    ("locked by an administrator", "locked", ""),
    ("disabled", "disabled", "this account is disabled"),
    ("account ended", "ended", "this account has expired"),
    ("password expired", "expired", "the password has expired"),
    ("must change", "mustchange", "the password must be changed"),
    ("expires soon", "expiring", ""),
    ("grace logins", "grace", ""),
    ("outside the hours", "nohours", "this account may not sign in at this hour"),
    ("another workstation only", "elsewhere", "this account may not sign in from here"),
    ("account ended (`shadowExpire`)", "bob", "this account has expired"),
    ("password expired (`shadowMax`)", "carol", "the password has expired"),
    ("must change (`shadowLastChange`)", "zoe", "the password must be changed"),
];
const GENERAL: &str = "the user name or password is not right";

mod openldap {
    #[tokio::test(flavor = "multi_thread")]
    async fn shows_what_the_book_says() {
        super::shows_what_the_book_says(&crate::live::Live::openldap().await, "openldap");
    }
}

mod ds389 {
    #[tokio::test(flavor = "multi_thread")]
    async fn shows_what_the_book_says() {
        super::shows_what_the_book_says(&crate::live::Live::ds389().await, "389ds");
    }
}

mod samba {
    #[tokio::test(flavor = "multi_thread")]
    async fn shows_what_the_book_says() {
        super::shows_what_the_book_says(&crate::live::Live::samba().await, "active-directory");
    }
}

mod rfc2307 {
    #[tokio::test(flavor = "multi_thread")]
    async fn shows_what_the_book_says() {
        for preset in ["rfc2307", "rfc2307bis"] {
            super::shows_what_the_book_says(&super::shadowed(preset).await, "rfc2307 and rfc2307bis");
        }
    }
}

/// OpenLDAP with people whose shadow attributes say what is the matter.
async fn shadowed(preset: &'static str) -> Live {
    let live = Live::slapd(preset).await;
    for (name, shadow) in [
        ("nogroups", "shadowExpire: -1"),
        ("bob", "shadowExpire: 1"),
        ("carol", "shadowLastChange: 1\nshadowMax: 90"),
        ("zoe", "shadowLastChange: 0"),
    ] {
        let dn = named(name).dn();
        live.administer(&format!(
            "dn: {dn}\nchangetype: delete\n\ndn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\n\
             objectClass: posixAccount\nobjectClass: shadowAccount\nuid: {name}\ncn: {name}\nsn: {name}\nuidNumber: 1\n\
             gidNumber: 1\nhomeDirectory: /\nuserPassword: {}\n{shadow}\n",
            named(name).password
        ));
    }
    live
}

fn shows_what_the_book_says(live: &Live, heading: &str) {
    let config = live.configure(UNCOUNTED);
    let rows = book::table(PAGE, heading).filter(|row| match row[7] {
        "live" => true,
        "not live" => false,
        other => panic!("{}: neither live nor not live: {other}", row[0]),
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 3, "the book has a table for {heading}");
    let mut wrong = Vec::new();
    for row in &rows {
        let (_, name, message) = STATES.into_iter().find(|state| state.0 == row[0]).expect("a known state");
        let person = named(name);
        if name == "fragile" {
            for _ in 0..5 {
                asked(&config, person, "wrong");
            }
        }
        let told = if row[3] == "yes" { message } else { GENERAL };
        // The wrong one first: it is counted, and the right one afterwards must not be refused for it.
        wrong.extend(differs(row[0], &asked(&config, person, "wrong"), [row[4], row[5]], GENERAL));
        wrong.extend(differs(row[0], &asked(&config, person, person.password), [row[1], row[2]], told));
        let looked_up = document(&ldapgate(&config, &["user", name, "--json"], "").stdout);
        let outcome = looked_up["reason"].as_str().or(looked_up["outcome"].as_str()).unwrap_or_default();
        if format!("`{outcome}`") != row[6] {
            wrong.push(format!("{} is not {} when looked up: {looked_up}", row[0], row[6]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// One login, and every step of it.
fn asked(config: &Path, person: &Person, password: &str) -> Value {
    let arguments = ["login", "--json", "--explain", "--password-stdin", "--", person.name];
    document(&ldapgate(config, &arguments, &format!("{password}\n")).stdout)
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no document ({error}): {text}"))
}

/// Is it in what the server said to the bind, or in what that was taken for? A search succeeds whatever the state.
fn is_told(trace: &Value, word: &str) -> bool {
    let steps = trace.as_array().into_iter().flatten();
    let mut telling = steps.filter(|step| step["step"] == "prove" || step["step"] == "state");
    telling.any(|step| step["result"].as_str().is_some_and(|result| result.contains(word)))
}

/// What is not as the book has it: the server's answer, or the document.
fn differs(state: &str, asked: &Value, [answer, meaning]: [&str; 2], message: &str) -> Option<String> {
    let mut document = asked.clone();
    let trace = document.as_object_mut()?.remove("trace").unwrap_or_default();
    let said = book::words(answer).all(|word| is_told(&trace, word));
    let meaning = meaning.trim_matches('`');
    let expected = match meaning {
        "granted" => document["outcome"] == "granted" && document["warnings"] == json!([]),
        "password_expires" => {
            document["outcome"] == "granted" && {
                let seconds = document["warnings"][0]["seconds"].as_u64();
                document["warnings"] == json!([{"kind": meaning, "seconds": seconds}]) && seconds > Some(0)
            }
        }
        "grace_logins" => {
            document["outcome"] == "granted"
                && document["warnings"] == json!([{"kind": meaning, "remaining": 2}])
        }
        reason => document == json!({"outcome": "denied", "reason": reason, "message": message}),
    };
    (!said || !expected).then(|| format!("{state}: not {answer} and {meaning}:\n{document}\n{trace}"))
}
