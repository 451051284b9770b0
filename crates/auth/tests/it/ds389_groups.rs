//! Groups as a real 389 Directory Server tells them: in the entry, and level by level.

use ldapgate_auth::{Directories, GroupKind, Reason, Settings, Vendor};
use testkit::ds389::Ds389;

use crate::world::{admitted, in_group, names, real, reason};

const LEVELS: [&str; 5] = ["level1", "level2", "level3", "level4", "level5"];

async fn directories(change: impl FnOnce(&mut Settings)) -> Directories {
    real(Ds389::shared().await.ldap_url(), Vendor::Ds389, change)
}

#[tokio::test]
async fn ds389_writes_groups_in_groups_into_the_entry() {
    let directories = directories(|settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.deny = Some(in_group("level4"));
    })
    .await;
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    assert_eq!(names(&admitted(&directories, "alice", "Red-Apple-11").await), ["admins", "staff"]);
}

#[tokio::test]
async fn ds389_is_walked_level_by_level_and_through_a_circle() {
    let nested = directories(|settings| settings.groups.nested = true).await;
    let all = [&LEVELS[..], &["unique-staff"]].concat();
    assert_eq!(names(&admitted(&nested, "carol", "Green-Garden-33").await), all);
    let flat = directories(|_| ()).await;
    assert_eq!(names(&admitted(&flat, "carol", "Green-Garden-33").await), ["level1", "unique-staff"]);
}

#[tokio::test]
async fn ds389_s_circle_of_groups_hides_nobody_from_a_deny() {
    let directories = directories(|settings| {
        settings.groups.nested = true;
        settings.deny = Some(in_group("level5"));
    })
    .await;
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    admitted(&directories, "bob", "Blue-Boat-22").await;
}
