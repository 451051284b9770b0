//! Extended DN, MS-ADTS 3.1.1.3.4.1.5

use ldapgate_client::Search;
use ldapgate_client::control::{ExtendedDn, ExtendedName};
use proto::value::{Guid, Sid};

use super::administrator;

const ALICE: &str = "CN=Alice Anderson,OU=people,DC=example,DC=com";

#[tokio::test]
async fn samba_gives_names_with_guid_and_sid_in_either_form() {
    let (_, connection) = administrator::samba().await;
    for form in [ExtendedDn::Text, ExtendedDn::Hexadecimal] {
        let search =
            Search::read(ALICE).attributes(["objectGUID", "objectSid", "memberOf"]).control(form.into());
        let found = connection.search(search).await.unwrap();
        let entry = &found.entries[0];
        let name = ExtendedName::parse(entry.dn()).unwrap();
        assert_eq!(name.guid, Guid::from_wire(entry.first("objectGUID").unwrap()).ok(), "{form:?}");
        assert_eq!(name.sid, Sid::from_wire(entry.first("objectSid").unwrap()).ok(), "{form:?}");
        assert_eq!(name.dn, ALICE);
        let group = ExtendedName::parse(entry.text("memberOf").unwrap()).unwrap();
        assert!(group.guid.is_some() && group.sid.is_some(), "{group:?}");
        assert!(group.parse_dn().is_ok());
    }
}
