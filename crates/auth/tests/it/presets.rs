//! The book's page about presets: what it grants the service account is enough for a login, and not more.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{Options, Pool, Simple};
use ldapgate_auth::{Directories, Settings, Vendor};
use proto::{Filter, Password};
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::OpenLdap;
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};

use crate::world::{admitted, clock, dn, in_group, names};

const PAGE: &str = include_str!("../../../../docs/presets.md");

/// The page's part about one preset.
fn section(preset: &str) -> &'static str {
    let (_, after) = PAGE.split_once(&format!("\n## {preset}\n")).expect("every preset has a heading");
    after.split("\n## ").next().unwrap_or(after)
}

/// The attributes in one cell of the table's line about people.
fn told_of_people(section: &str, cell: usize) -> BTreeSet<&str> {
    let line = section.lines().find(|line| line.starts_with("| of people |")).expect("a line about people");
    let cell = line.split('|').nth(cell + 2).expect("a cell for the preset");
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_book_names_what_each_preset_reads_of_people_and_nothing_else() {
    for (heading, cell, vendor, besides) in [
        ("openldap", 0, Vendor::OpenLdap, &[][..]),
        ("rfc2307 and rfc2307bis", 0, Vendor::Rfc2307, &[]),
        ("rfc2307 and rfc2307bis", 1, Vendor::Rfc2307bis, &[]),
        // Read by itself, with the groups.
        ("active-directory", 0, Vendor::ActiveDirectory, &["tokenGroups"]),
        ("freeipa", 0, Vendor::FreeIpa, &[]),
        ("389ds", 0, Vendor::Ds389, &[]),
        ("lldap", 0, Vendor::Lldap, &[]),
    ] {
        let settings = Settings::preset("main", vendor, dn(BASE));
        let read = settings.attributes_read();
        let mut wanted: BTreeSet<&str> = read.iter().map(String::as_str).collect();
        wanted.extend(besides);
        assert_eq!(told_of_people(section(heading), cell), wanted, "{heading}, cell {cell}");
    }
}

/// The rules of an LDIF block with `olcAccess`, as a configuration file has them.
fn access_rules(section: &str) -> Vec<String> {
    let block = section.split("```ldif\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let unfolded = block.replace("\n ", "");
    let rules = unfolded.lines().filter_map(|line| line.strip_prefix("olcAccess: "));
    rules.map(|rule| format!("access {}", rule.split_once('}').expect("numbered").1)).collect()
}

#[tokio::test]
async fn what_the_book_grants_on_openldap_is_enough_and_not_more() {
    let mut rules = access_rules(section("openldap"));
    assert_eq!(rules.len(), 3);
    rules.push("access to attrs=userPassword by self =xw by anonymous auth by * none".to_owned());
    rules.push("access to * by * none".to_owned());
    let authority = Authority::new("Example Test CA");
    let server = OpenLdap::guarded(&LDIF, &authority, Flaw::None, &rules.join("\n")).await;
    let service = Simple::new(READER, Password::new(READER_PASSWORD).expect("not empty"));
    let options = Options::new([server.ldap_url()]).expect("a good URL").bind(service);
    let pool = Pool::lazy(options.timeout(Duration::from_secs(5)));

    let mut settings = Settings::preset("main", Vendor::OpenLdap, dn(BASE));
    settings.groups.nested = true;
    settings.require = Some(in_group("level4"));
    let directories = Directories::new(vec![(settings, pool.clone())], clock()).expect("good settings");
    let carol = admitted(&directories, "carol", "Green-Garden-33").await;
    assert_eq!(names(&carol), ["level1", "level2", "level3", "level4", "level5"]);

    let reader = pool.server().await.expect("the server is there");
    let person = reader.read("uid=alice,ou=people,dc=example,dc=com", &["*"]).await.expect("it answers");
    let person = person.expect("the reader sees her");
    let seen: Vec<_> = person.attributes().map(|attribute| attribute.name().to_owned()).collect();
    assert_eq!(
        seen,
        ["objectClass", "uid"],
        "neither telephone numbers nor anything else that nobody asked for"
    );
    let below =
        client::Search::below("ou=services,dc=example,dc=com").matching(Filter::present("objectClass"));
    let services = reader.search(&below).await;
    assert!(
        services.is_err() || services.is_ok_and(|found| found.entries.is_empty()),
        "services stay hidden"
    );
}
