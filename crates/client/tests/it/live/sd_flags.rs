//! Security descriptor flags, MS-ADTS 3.1.1.3.4.1.11

use ldapgate_client::Search;
use ldapgate_client::control::SdFlags;

use super::administrator::{self, unit};

/// Where owner, group, SACL and DACL start in a self-relative security descriptor (MS-DTYP section 2.4.6); 0: nowhere.
fn parts(descriptor: &[u8]) -> [bool; 4] {
    [4, 8, 12, 16].map(|at| descriptor[at..at + 4] != [0; 4])
}

#[tokio::test]
async fn samba_sends_the_parts_of_a_descriptor_that_were_asked_for() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "sd-flags").await;
    for (flags, expected) in [
        (SdFlags::OWNER, [true, false, false, false]),
        (SdFlags::OWNER | SdFlags::GROUP, [true, true, false, false]),
        (SdFlags::DACL, [false, false, false, true]),
    ] {
        let search = Search::read(&base).attributes(["nTSecurityDescriptor"]).control(flags.into());
        let found = connection.search(search).await.unwrap();
        assert_eq!(parts(found.entries[0].first("nTSecurityDescriptor").unwrap()), expected, "{flags:?}");
    }
}
