//! The book's page about presets: what it grants the service account is enough for a login and for telling who is
//! gone, and not more.

use std::collections::BTreeSet;

use ldapgate_auth::{Presence, Settings, Silent, Vendor};
use proto::Filter;
use testkit::certificate::{Authority, Flaw};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;
use testkit::samba::Samba;
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};

use crate::world::{admitted, dn, in_group, names, real, real_pool};

const PAGE: &str = include_str!("../../../../docs/presets.md");
const LEVELS: [&str; 5] = ["level1", "level2", "level3", "level4", "level5"];

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

/// The LDIF that grants what one preset needs.
fn grants(preset: &str) -> &'static str {
    let block = section(preset).split("```ldif\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("a block of LDIF")
}

/// The rules of an LDIF block with `olcAccess`, as a configuration file has them.
fn access_rules(grants: &str) -> Vec<String> {
    let unfolded = grants.replace("\n ", "");
    let rules = unfolded.lines().filter_map(|line| line.strip_prefix("olcAccess: "));
    rules.map(|rule| format!("access {}", rule.split_once('}').expect("numbered").1)).collect()
}

/// A login with groups in groups and a rule, and who counts as gone.
async fn is_enough(url: String, vendor: Vendor, groups: &[&str], nobody: &str) {
    let directories = real(url, vendor, |settings| {
        settings.groups.nested = true;
        settings.require = Some(in_group("level4"));
    });
    let carol = admitted(&directories, "carol", "Green-Garden-33").await;
    assert_eq!(names(&carol), groups);
    let presence = directories.presence("main", carol.id(), &[], &Silent).await.expect("it answers");
    assert_eq!(presence, Presence::There(dn(carol.dn())));
    let presence = directories.presence("main", nobody, &[carol.id()], &Silent).await.expect("it answers");
    assert_eq!(presence, Presence::Gone);
}

/// Neither telephone numbers nor anything else that nobody asked for is seen, and no service account.
async fn is_not_more(url: String) {
    let pool = real_pool(url, READER, READER_PASSWORD);
    let reader = pool.server().await.expect("the server is there");
    let person = reader.read("uid=alice,ou=people,dc=example,dc=com", &["*"]).await.expect("it answers");
    let person = person.expect("the reader sees her");
    let mut seen: Vec<_> = person.attributes().map(|attribute| attribute.name().to_owned()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["objectClass", "uid"]);
    let below =
        client::Search::below("ou=services,dc=example,dc=com").matching(Filter::present("objectClass"));
    let services = reader.search(&below).await;
    assert!(
        services.is_err() || services.is_ok_and(|found| found.entries.is_empty()),
        "services stay hidden"
    );
}

#[tokio::test]
async fn what_the_book_grants_on_openldap_is_enough_and_not_more() {
    let mut rules = access_rules(grants("openldap"));
    assert_eq!(rules.len(), 3);
    rules.push("access to attrs=userPassword by self =xw by anonymous auth by * none".to_owned());
    rules.push("access to * by * none".to_owned());
    let authority = Authority::new("Example Test CA");
    let server = OpenLdap::guarded(&LDIF, &authority, Flaw::None, &rules.join("\n")).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    is_enough(server.ldap_url(), Vendor::OpenLdap, &LEVELS, nobody).await;
    is_not_more(server.ldap_url()).await;
}

#[tokio::test]
async fn what_the_book_grants_on_389ds_is_enough_and_not_more() {
    let server = Ds389::start(&Authority::new("Example Test CA")).await;
    server.administer(&format!("dn: {BASE}\nchangetype: modify\ndelete: aci\n"));
    server.administer(grants("389ds"));
    let groups = [&LEVELS[..], &["unique-staff"]].concat();
    let nobody = "00000000-00000000-00000000-00000000";
    is_enough(server.ldap_url(), Vendor::Ds389, &groups, nobody).await;
    is_not_more(server.ldap_url()).await;
}

#[tokio::test]
async fn an_ordinary_member_of_a_domain_sees_who_is_there_and_who_is_gone() {
    let directories = real(Samba::shared().await.ldap_url(), Vendor::ActiveDirectory, |_| ());
    let carol = admitted(&directories, "carol", "Green-Garden-33").await;
    assert!(LEVELS.iter().all(|level| names(&carol).contains(level)), "{:?}", names(&carol));
    let nobody = "00000000-0000-4000-8000-000000000000";
    let presence = directories.presence("main", nobody, &[carol.id()], &Silent).await.expect("it answers");
    assert_eq!(presence, Presence::Gone);
}
