//! DirSync, MS-ADTS 3.1.1.3.4.1.3

use ldapgate_client::{Connection, DirSyncSearch, Options, Simple};
use proto::control::DirSyncFlags;
use proto::{Change, Filter, Password, ResultCode};
use testkit::samba::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Samba};

const BASE: &str = "DC=example,DC=com";

async fn administrator() -> Connection {
    let samba = Samba::shared().await;
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let options = Options::new([samba.ldap_url()]).unwrap().bind(Simple::new(ADMINISTRATOR, password));
    Connection::open(&options).await.unwrap()
}

fn units() -> DirSyncSearch {
    DirSyncSearch::new(BASE)
        .matching(Filter::equal("objectClass", "organizationalUnit"))
        .attributes(["ou", "description"])
}

#[tokio::test]
async fn samba_what_has_changed_since_a_cookie_is_told() {
    let connection = administrator().await;
    let mut everything = connection.dir_sync(units());
    let mut names = Vec::new();
    while let Some(entry) = everything.next().await.unwrap() {
        names.push(entry.dn().to_owned());
    }
    let cookie = everything.finish().await.unwrap();
    assert!(!names.is_empty() && !cookie.is_empty());

    let name = format!("OU=dirsync,{BASE}");
    // An entry is told when one of the attributes asked for has changed.
    let unit = [("objectClass", vec!["organizationalUnit"]), ("description", vec!["old"])];
    connection.add(&name, unit).await.unwrap();
    let mut changes = connection.dir_sync(units().cookie(cookie));
    let entry = changes.next().await.unwrap().expect("one was added");
    assert_eq!(entry.dn(), name);
    assert!(changes.next().await.unwrap().is_none(), "nothing else has changed");
    let cookie = changes.finish().await.unwrap();

    connection.modify(&name, vec![Change::replace("description", ["new"])]).await.unwrap();
    let mut changes = connection.dir_sync(units().cookie(cookie).flags(DirSyncFlags::default()));
    let entry = changes.next().await.unwrap().expect("one has changed");
    assert_eq!((entry.dn(), entry.text("description")), (name.as_str(), Some("new")));
    changes.finish().await.unwrap();
}

#[tokio::test]
async fn samba_a_member_alone_is_told_when_values_are_asked_for_one_by_one() {
    let connection = administrator().await;
    let name = format!("CN=dirsync-group,CN=Users,{BASE}");
    let members = [format!("CN=Guest,CN=Users,{BASE}"), format!("CN=krbtgt,CN=Users,{BASE}")];
    connection
        .add(&name, [("objectClass", vec!["group"]), ("sAMAccountName", vec!["dirsync-group"])])
        .await
        .unwrap();
    connection.modify(&name, vec![Change::add("member", &members)]).await.unwrap();
    let groups = || {
        DirSyncSearch::new(BASE)
            .matching(Filter::equal("sAMAccountName", "dirsync-group"))
            .attributes(["member"])
            .flags(DirSyncFlags::OBJECT_SECURITY | DirSyncFlags::INCREMENTAL_VALUES)
    };
    let cookie = connection.dir_sync(groups()).finish().await.unwrap();
    connection.modify(&name, vec![Change::delete("member", [&members[0]])]).await.unwrap();
    let mut changes = connection.dir_sync(groups().cookie(cookie));
    let entry = changes.next().await.unwrap().expect("the group has changed");
    let removed: Vec<&str> = entry.texts("member;range=0-0").collect();
    assert_eq!(removed.len(), 1, "{entry:?}");
    assert!(removed[0].ends_with(&members[0]), "{removed:?}");
}

#[tokio::test]
async fn samba_a_base_that_is_no_naming_context_is_refused() {
    let connection = administrator().await;
    let error =
        connection.dir_sync(DirSyncSearch::new(format!("CN=Users,{BASE}"))).finish().await.unwrap_err();
    let code = error.result().unwrap().code;
    assert!(
        [ResultCode::UNWILLING_TO_PERFORM, ResultCode::INSUFFICIENT_ACCESS_RIGHTS].contains(&code),
        "{error}"
    );
}
