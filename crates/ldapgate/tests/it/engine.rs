//! Engines: started, asked, reloaded, served.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use directory::{Directory, Running};
use ldapgate::client::Dn;
use ldapgate::{Config, CustomKind, Engine, GroupLookup, Origin, Outcome, SignIn};
use testkit::http::Visitor;
use testkit::world::{BASE, LDIF, Peer, READER, READER_PASSWORD, World};

use crate::log::Log;

/// A configuration for the world, with more lines inside `[directory]` and after it.
pub(crate) fn configuration(world: &World, more: &str) -> Config {
    let text = format!(
        "[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{READER}\"\n\
         bind_password = \"{READER_PASSWORD}\"\n{more}\n[store]\nurl = \"memory:\"\n",
        world.ldap_url()
    );
    Config::parse(&text, Path::new("ldapgate.toml"), &BTreeMap::new())
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) async fn start(config: &Config) -> Engine {
    Engine::start(config).await.unwrap_or_else(|error| panic!("{error}: {}", error.causes().join(": ")))
}

pub(crate) async fn sign_in(engine: &Engine, username: &str, password: &str) -> Outcome {
    engine.accounts().sign_in(username, password.to_owned(), &Origin::default(), SignIn::default()).await
}

fn reason(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Granted(_) => "granted",
        Outcome::Denied(denied) => denied.denial.reason().as_str(),
        Outcome::Failed { fault, .. } => fault.as_str(),
    }
}

#[tokio::test]
async fn a_configuration_becomes_a_login_with_all_that_it_asks_for() {
    let world = World::start(Peer::Memory).await;
    let config = configuration(
        &world,
        &format!(
            "[directory.access]\nrequire = \"cn=staff,ou=groups,{BASE}\"\n\
             [directory.profile]\nfields = {{ first_name = \"givenName\" }}\nlists = {{ phones = \"telephoneNumber\" }}\n\
             flags = {{ is_admin = \"cn=admins,ou=groups,{BASE}\", is_staff = [\"cn=staff,ou=groups,{BASE}\"] }}\n\
             local_name = \"{{username}}@staff\"\n[directory.permissions]\nfrom_groups = true\n\
             [permissions]\n\"cn=staff,ou=groups,{BASE}\" = [\"reports.view\"]\n"
        ),
    );
    let engine = start(&config).await;
    let Outcome::Granted(signed_in) = sign_in(&engine, "Alice", "Red-Apple-11").await else {
        panic!("alice may enter")
    };
    let account = &signed_in.account;
    assert_eq!((account.username.as_str(), account.local_name.as_str()), ("alice", "alice@staff"));
    assert_eq!(account.fields["first_name"], "Alice");
    assert_eq!(account.lists["phones"].len(), 2);
    assert!(account.flags["is_staff"]);
    assert_eq!(account.permissions, ["reports.view"]);
    assert_eq!(reason(&sign_in(&engine, "alice", "wrong").await), "wrong_password");
    assert_eq!(reason(&sign_in(&engine, "nogroups", "None-Nickel-17").await), "not_in_required_group");
    engine.shutdown().await;
}

/// A server that holds a group of alice's, and one with everybody that refers to it.
async fn two_servers() -> [Running; 2] {
    let elsewhere = format!("ou=elsewhere,{BASE}");
    let group = format!(
        "dn: cn=remote,{elsewhere}\nobjectClass: groupOfNames\ncn: remote\nmember: uid=alice,ou=people,{BASE}\n"
    );
    let serve = async |ldif: String| {
        let directory =
            Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(ldif).expect("it is LDIF").build();
        directory
            .serve(Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("loopback has a free port"))
            .await
    };
    let second = serve(group).await;
    let reference = format!(
        "\ndn: {elsewhere}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n\
         ref: ldap://localhost:{}/{elsewhere}??sub\n",
        second.address().port()
    );
    [serve(LDIF.clone() + &reference).await, second]
}

#[tokio::test]
async fn referrals_are_followed_when_the_configuration_says_so() {
    let [first, second] = two_servers().await;
    let mut engines = Vec::new();
    for (referrals, expected) in [
        ("", "not_in_required_group"),
        ("referrals = \"follow\"\nreferral_hosts = [\"other.example.com\"]", "not_in_required_group"),
        ("referrals = \"follow\"\nreferral_hosts = [\"localhost\"]", "granted"),
    ] {
        let text = format!(
            "[directory]\npreset = \"openldap\"\nurl = \"ldap://localhost:{}\"\nbase = \"{BASE}\"\n\
             bind_dn = \"{READER}\"\nbind_password = \"{READER_PASSWORD}\"\n{referrals}\n\
             [directory.groups]\nkind = \"group-of-names\"\n\
             [directory.access]\nrequire = \"cn=remote,ou=elsewhere,{BASE}\"\n[store]\nurl = \"memory:\"\n",
            first.address().port()
        );
        let config = Config::parse(&text, Path::new("ldapgate.toml"), &BTreeMap::new());
        let engine = start(&config.unwrap_or_else(|error| panic!("{error}"))).await;
        let outcome = sign_in(&engine, "alice", "Red-Apple-11").await;
        assert_eq!(reason(&outcome), expected, "{referrals}: {outcome:?}");
        engines.push(engine);
    }
    second.stop().await;
    let following = engines.pop().expect("it is the last");
    // A part of the groups would decide wrongly.
    assert_eq!(reason(&sign_in(&following, "alice", "Red-Apple-11").await), "directory");
}

#[tokio::test]
async fn tls_is_configured_to_the_last_certificate() {
    for peer in [Peer::Memory, Peer::OpenLdap] {
        let world = World::start(peer).await;
        let configured = |url: &str, more: &str| {
            let text = format!(
                "[directory]\npreset = \"openldap\"\nurl = \"{url}\"\nbase = \"{BASE}\"\nbind_dn = \"{READER}\"\n\
                 bind_password = \"{READER_PASSWORD}\"\n{more}\n[store]\nurl = \"memory:\"\n"
            );
            let config = Config::parse(&text, Path::new("ldapgate.toml"), &BTreeMap::new());
            config.unwrap_or_else(|error| panic!("{error}"))
        };
        let trusting = format!("[directory.tls]\nca_files = [\"{}\"]\n", world.ca_file().display());
        for (url, more, expected) in [
            (world.ldaps_url(), trusting.clone(), "granted"),
            (world.ldap_url(), format!("start_tls = true\n{trusting}"), "granted"),
            (world.ldaps_url(), format!("{trusting}server_name = \"other.example\"\n"), "directory"),
            (
                world.ldaps_url(),
                "[directory.tls]\ndanger_accept_invalid_certificates = true\n".to_owned(),
                "granted",
            ),
        ] {
            let engine = start(&configured(&url, &more)).await;
            let outcome = sign_in(&engine, "alice", "Red-Apple-11").await;
            assert_eq!(reason(&outcome), expected, "{peer:?} {url} {more}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn an_engine_starts_without_its_directory_and_works_when_it_is_back() {
    let mut world = World::start(Peer::Memory).await;
    let config = configuration(&world, "");
    world.stop().await;
    let engine = start(&config).await;
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "directory");
    world.resume().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while reason(&sign_in(&engine, "alice", "Red-Apple-11").await) != "granted" {
        assert!(tokio::time::Instant::now() < deadline, "the directory is back and nobody gets in");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_is_an_error_in_the_log() {
    let log = Log::start();
    let world = World::start(Peer::Memory).await;
    let rules = format!(
        "[directory.access]\ndeny = [\"cn=gone,ou=groups,{BASE}\", \"cn=staff,ou=groups,{BASE}\"]\n\
         [permissions]\n\"cn=left,ou=groups,{BASE}\" = [\"x\"]\n"
    );
    let engine = start(&configuration(&world, &rules)).await;
    let lines = log.until(2, "is not there").await;
    assert!(lines.iter().any(|line| line.contains("ERROR") && line.contains("cn=gone")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("cn=left")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("cn=staff")), "{lines:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_reload_ends_the_question_for_the_old_configurations_groups() {
    let log = Log::start();
    let mut world = World::start(Peer::Memory).await;
    let config = configuration(&world, &format!("[directory.access]\ndeny = \"cn=gone,ou=groups,{BASE}\"\n"));
    world.stop().await;
    let engine = start(&config).await;
    log.until(1, "cannot look whether the groups").await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for times in 2..5 {
        engine.reload(&config).await.expect("good");
        log.until(times, "cannot look whether the groups").await;
    }
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while tasks() > before {
        assert!(tokio::time::Instant::now() < deadline, "{} tasks, and {before} before", tasks());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_reload_takes_what_it_can_and_says_what_needs_a_restart() {
    let world = World::start(Peer::Memory).await;
    let engine = start(&configuration(&world, "")).await;
    assert_eq!(reason(&sign_in(&engine, "nogroups", "None-Nickel-17").await), "granted");
    let stricter =
        configuration(&world, &format!("[directory.access]\nrequire = \"cn=staff,ou=groups,{BASE}\"\n"));
    assert_eq!(engine.reload(&stricter).await.expect("good"), Vec::<String>::new());
    assert_eq!(reason(&sign_in(&engine, "nogroups", "None-Nickel-17").await), "not_in_required_group");
    let elsewhere = configuration(&world, "[http]\nlisten = \"127.0.0.1:8081\"\n[token]\npath = \"/t\"\n");
    assert_eq!(engine.reload(&elsewhere).await.expect("good"), ["http.listen", "token.path"]);
    assert_eq!(reason(&sign_in(&engine, "nogroups", "None-Nickel-17").await), "granted");
}

#[tokio::test]
async fn a_reload_forgets_what_was_remembered() {
    let world = World::start(Peer::Memory).await;
    let config = configuration(&world, "[cache]\ndn = \"1h\"\ngroups = \"1h\"\ncredentials = \"5m\"\n");
    let engine = start(&config).await;
    let ask = || async {
        let before = world.requests();
        let password = "Red-Apple-11".to_owned();
        let outcome = engine.accounts().check_password("alice", password, &Origin::default()).await;
        assert_eq!(reason(&outcome), "granted");
        world.requests() - before
    };
    let all = ask().await;
    assert!(all > 0);
    assert_eq!(ask().await, 0, "the password is remembered");
    let before = world.requests();
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "granted");
    assert_eq!(world.requests() - before, 2, "name and groups are remembered");
    engine.reload(&config).await.expect("good");
    assert!(ask().await >= all);
}

#[tokio::test]
async fn a_reload_that_cannot_work_leaves_the_running_configuration_alone() {
    let world = World::start(Peer::Memory).await;
    let folder = world.folder();
    let engine = start(&configuration(&world, "")).await;
    std::fs::write(folder.join("secret"), "hush").expect("writable");
    let file = folder.join("secret");
    let more = format!(
        "[directory.access]\ndeny = \"cn=staff,ou=groups,{BASE}\"\n[token]\nlegacy = true\nsecret_key_file = \"{}\"\n",
        file.display()
    );
    let config = configuration(&world, &more);
    std::fs::remove_file(&file).expect("it was there");
    let error = engine.reload(&config).await.expect_err("the secret is gone");
    assert!(error.is_configuration(), "{error}");
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "granted");
}

#[tokio::test]
async fn a_theme_with_a_mistake_leaves_the_running_configuration_alone() {
    let world = World::start(Peer::Memory).await;
    let engine = start(&configuration(&world, "")).await;
    let theme = world.folder().join("theme");
    std::fs::create_dir(&theme).expect("writable");
    std::fs::write(theme.join("login.html"), "{% if %}").expect("writable");
    let more = format!(
        "[directory.access]\ndeny = \"cn=staff,ou=groups,{BASE}\"\n[http]\ntheme_dir = \"{}\"\n",
        theme.display()
    );
    let error = engine.reload(&configuration(&world, &more)).await.expect_err("the theme is broken");
    assert!(error.is_configuration() && error.causes()[0].contains("login.html"), "{:?}", error.causes());
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "granted");
}

#[tokio::test]
async fn a_hangup_reads_the_configuration_again_and_a_bad_one_is_refused() {
    let log = Log::start();
    let world = World::start(Peer::Memory).await;
    let file = world.folder().join("ldapgate.toml");
    let text = |rule: &str| {
        format!(
            "[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{READER}\"\n\
             bind_password = \"{READER_PASSWORD}\"\n[directory.access]\n{rule}\n[store]\nurl = \"memory:\"\n",
            world.ldap_url()
        )
    };
    let load = move || Config::find(Some(&file), &BTreeMap::new());
    let readers = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&readers);
    let load = move || {
        noted.lock().expect("nobody panicked").push(std::thread::current().id());
        load()
    };
    let path = world.folder().join("ldapgate.toml");
    std::fs::write(&path, text("")).expect("writable");
    let engine = start(&load().expect("good")).await;
    let reloads = tokio::spawn(engine.reload_on_hangup(load));
    let hang_up = || {
        let id = std::process::id().to_string();
        assert_eq!(testkit::process::run("kill", "procps", &["-HUP", &id], "").status, 0);
    };
    std::fs::write(&path, text("require = \"staff\"")).expect("writable");
    hang_up();
    let lines = log.until(1, "the running one stays").await;
    assert!(lines[0].contains("\"staff\" is no distinguished name"), "{lines:?}");
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "granted");
    let dangerous = "[http]\npublic_url = \"http://login.example.test\"";
    std::fs::write(&path, text(&format!("deny = \"cn=staff,ou=groups,{BASE}\"\n{dangerous}")))
        .expect("writable");
    readers.lock().expect("nobody panicked").clear();
    hang_up();
    log.until(1, "configuration reloaded").await;
    assert_eq!(reason(&sign_in(&engine, "alice", "Red-Apple-11").await), "in_denied_group");
    log.until(1, "people would type their passwords into http://login.example.test").await;
    let here = std::thread::current().id();
    let readers = readers.lock().expect("nobody panicked");
    assert!(!readers.is_empty() && !readers.contains(&here), "files are read beside the requests");
    reloads.abort();
}

#[tokio::test]
async fn the_gateway_and_an_application_share_a_listener() {
    let log = Log::start();
    let world = World::start(Peer::Memory).await;
    let engine = start(&configuration(&world, "[http]\npublic_url = \"http://login.example.test\"\n")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let who = |user: Option<ldapgate::CurrentUser>| async move {
        user.map_or_else(|| "nobody".to_owned(), |user| user.username.clone())
    };
    let application = ldapgate::axum::Router::new().route("/who", ldapgate::axum::routing::get(who));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn({
        let engine = engine.clone();
        async move { engine.serve(listener, application, async { drop(stopped.await) }).await }
    });
    let mut visitor = Visitor::browser(&url);
    assert_eq!(visitor.get("/healthz").await.status, 200);
    assert_eq!(visitor.get("/who").await.body, "nobody");
    let form = visitor.get("/login").await;
    let token = form.field("csrf_token").expect("a token");
    let answer = visitor
        .form("/login", &[("username", "alice"), ("password", "Red-Apple-11"), ("csrf_token", &token)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(visitor.get("/who").await.body, "alice");
    log.until(1, "people would type their passwords into http://login.example.test").await;
    drop(stop);
    serving.await.expect("no panic").expect("it served");
    engine.shutdown().await;
}

#[tokio::test]
async fn the_service_accounts_secret_is_read_anew_at_each_bind() {
    let world = World::start(Peer::Memory).await;
    let file = world.folder().join("reader");
    std::fs::write(&file, "not yet\n").expect("writable");
    let text = format!(
        "[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{READER}\"\nbind_password_file = \"{}\"\n",
        world.ldap_url(),
        file.display()
    );
    let config = Config::parse(&text, Path::new("ldapgate.toml"), &BTreeMap::new()).expect("good");
    let options = config.client_options(None).expect("good");
    assert!(client::Pool::lazy(options.clone()).check().await.is_err());
    std::fs::write(&file, format!("{READER_PASSWORD}\n")).expect("writable");
    client::Pool::lazy(options).check().await.expect("the new secret is taken");
}

#[tokio::test]
async fn a_pool_is_known_by_its_directorys_name() {
    let world = World::start(Peer::Memory).await;
    let engine = start(&configuration(&world, "")).await;
    assert_eq!(engine.pool(None).expect("the first").urls(), [world.ldap_url()]);
    assert!(engine.pool(Some("main")).is_some());
    assert!(engine.pool(Some("other")).is_none());
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_no_fault_of_the_configurations_words() {
    let world = World::start(Peer::Memory).await;
    let path = world.folder().join("missing").join("ldapgate.db");
    let text = format!(
        "[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\n[store]\nurl = \"sqlite:{}\"\n",
        world.ldap_url(),
        path.display()
    );
    let config = Config::parse(&text, Path::new("ldapgate.toml"), &BTreeMap::new()).expect("good words");
    let error = Engine::start(&config).await.expect_err("there is no such folder");
    assert!(!error.is_configuration());
    assert!(error.to_string().contains("ldapgate.db"), "{error}");
}

/// Whoever has a telephone is in the group of the callers.
#[derive(Debug)]
struct Callers;

impl CustomKind for Callers {
    fn attributes(&self) -> Vec<String> {
        vec!["telephoneNumber".to_owned()]
    }

    fn groups<'a>(
        &'a self,
        lookup: &'a mut GroupLookup<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Dn>, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>
    {
        let calls = lookup.values("telephoneNumber").next().is_some();
        let callers = format!("cn=callers,ou=groups,{BASE}");
        Box::pin(async move { Ok(if calls { vec![Dn::parse(&callers)?] } else { Vec::new() }) })
    }
}

#[tokio::test]
async fn an_application_s_kind_of_groups_is_judged_like_the_configured_ones() {
    let world = World::start(Peer::Memory).await;
    let mut config = configuration(
        &world,
        &format!(
            "[directory.groups]\nkind = \"member-of\"\n[directory.access]\nrequire = \"cn=callers,ou=groups,{BASE}\"\n"
        ),
    );
    config.add_group_kind(None, Arc::new(Callers)).expect("the first directory is there");
    assert!(config.add_group_kind(Some("other"), Arc::new(Callers)).is_err());
    let engine = start(&config).await;
    let Outcome::Granted(signed_in) = sign_in(&engine, "alice", "Red-Apple-11").await else {
        panic!("alice has a telephone")
    };
    let groups: Vec<&str> = signed_in.account.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["admins", "callers", "staff"]);
    assert_eq!(reason(&sign_in(&engine, "bob", "Blue-Boat-22").await), "not_in_required_group");
    engine.shutdown().await;
}
