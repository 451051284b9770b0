//! The directory shows too little: to us, because of an access rule or a configuration; to everybody, because of a restore.
//! Nobody is signed out, whoever runs it is told, and once it is mended a real loss is one again.

use std::path::Path;
use std::time::Duration;

use testkit::process;
use testkit::world::{BASE, READER, READER_PASSWORD};

use super::{REFRESHED, Ship};
use crate::gateway::ldapgate;
use crate::installation::Keeper;

/// What the log says when too many would lose access, when they may again, and when nothing could be asked.
const HELD: &str = "nobody's access is ended";
const RELEASED: &str = "people may lose access again";
const UNANSWERED: &str = "everything stays as it is";

/// Makes each scenario a test on PostgreSQL.
macro_rules! on_postgres {
    ($($scenario:ident),* $(,)?) => {
        crate::two_gateways::on_every_store!(@ postgres Postgres: $($scenario),*);
    };
}

on_postgres!(
    people_that_an_access_rule_hides_stay_signed_in,
    people_whose_groups_an_access_rule_hides_stay_signed_in,
    people_of_a_directory_that_hides_everything_stay_signed_in,
    people_of_a_directory_that_comes_back_with_everything_hidden_stay_signed_in,
    people_that_a_wrong_base_leaves_out_stay_signed_in,
    people_stay_signed_in_when_the_base_is_nowhere,
    people_of_a_directory_that_lost_its_data_stay_signed_in,
    people_of_a_directory_that_was_restored_from_an_empty_backup_stay_signed_in,
);

async fn people_that_an_access_rule_hides_stay_signed_in(keeper: Keeper) {
    hidden(keeper, &["people"]).await;
}

async fn people_whose_groups_an_access_rule_hides_stay_signed_in(keeper: Keeper) {
    hidden(keeper, &["groups"]).await;
}

async fn people_of_a_directory_that_hides_everything_stay_signed_in(keeper: Keeper) {
    hidden(keeper, &["people", "groups"]).await;
}

async fn hidden(keeper: Keeper, units: &[&str]) {
    let ship = Ship::start(keeper, REFRESHED).await;
    ship.hides(units);
    // Something happens, too, so that the watch has something to tell.
    ship.administer(&format!(
        "dn: ou=services,{BASE}\nchangetype: modify\nreplace: description\ndescription: new\n"
    ));
    ship.nobody_loses_anything(HELD).await;
    ship.hides(&[]);
    ship.is_mended().await;
}

async fn people_of_a_directory_that_comes_back_with_everything_hidden_stay_signed_in(keeper: Keeper) {
    let mut ship = Ship::start(keeper, REFRESHED).await;
    let conf = ship.installation.directory.folder().join("slapd.conf");
    let settings = std::fs::read_to_string(&conf).expect("slapd has a configuration");
    let hiding = settings.replace(
        "access to * by dn.children",
        "access to dn.subtree=\"ou=people,dc=example,dc=com\" by anonymous auth by * none\n\
         access to dn.subtree=\"ou=groups,dc=example,dc=com\" by * none\naccess to * by dn.children",
    );
    assert_ne!(hiding, settings);
    std::fs::write(&conf, hiding).expect("the test folder is writable");
    ship.restarts().await;
    // With the cookie of before: whatever is not named now reads as deleted.
    ship.administer(&format!(
        "dn: ou=services,{BASE}\nchangetype: modify\nreplace: description\ndescription: new\n"
    ));
    ship.nobody_loses_anything(HELD).await;
    std::fs::write(&conf, settings).expect("the test folder is writable");
    ship.restarts().await;
    ship.is_mended().await;
}

async fn people_that_a_wrong_base_leaves_out_stay_signed_in(keeper: Keeper) {
    let ship = Ship::start(keeper, REFRESHED).await;
    ship.reloads(&format!("{REFRESHED}\n[directory.user]\nbase = \"ou=partners,{BASE}\"\n"), 1).await;
    ship.nobody_loses_anything(HELD).await;
    ship.reloads(REFRESHED, 2).await;
    ship.is_mended().await;
}

async fn people_stay_signed_in_when_the_base_is_nowhere(keeper: Keeper) {
    let ship = Ship::start(keeper, REFRESHED).await;
    ship.reloads(&format!("{REFRESHED}\n[directory.user]\nbase = \"ou=nowhere,{BASE}\"\n"), 1).await;
    ship.nobody_loses_anything(UNANSWERED).await;
    ship.reloads(REFRESHED, 2).await;
    ship.is_mended().await;
}

async fn people_of_a_directory_that_lost_its_data_stay_signed_in(keeper: Keeper) {
    let mut ship = Ship::start(keeper, REFRESHED).await;
    let kept = ship.loses_its_data();
    ship.installation.directory.resume().await;
    ship.nobody_loses_anything(UNANSWERED).await;
    ship.gets_its_data_back(&kept).await;
    // The service account was refused and rests; whoever mended the directory need not wait for that.
    ship.reloads(REFRESHED, 1).await;
    ship.is_mended().await;
}

async fn people_of_a_directory_that_was_restored_from_an_empty_backup_stay_signed_in(keeper: Keeper) {
    let mut ship = Ship::start(keeper, REFRESHED).await;
    let kept = ship.loses_its_data();
    let folder = ship.installation.directory.folder();
    let backup = folder.join("backup.ldif");
    std::fs::write(&backup, empty_backup()).expect("the test folder is writable");
    let (conf, backup) = (folder.join("slapd.conf").display().to_string(), backup.display().to_string());
    let loaded = process::run("slapadd", "slapd", &["-q", "-b", BASE, "-f", &conf, "-l", &backup], "");
    assert_eq!(loaded.status, 0, "{}", loaded.stderr);
    ship.installation.directory.resume().await;
    ship.nobody_loses_anything(HELD).await;
    ship.gets_its_data_back(&kept).await;
    ship.is_mended().await;
}

impl Ship {
    /// Waits until the log says why, and, where it can be asked, until the directory was asked again after that; then finds
    /// everybody signed in.
    async fn nobody_loses_anything(&self, why: &str) {
        self.says(why).await;
        self.everybody_stays(&[]).await;
        if why == HELD {
            self.searches(5).await;
            self.everybody_stays(&[]).await;
            self.shows("revalidation_held{directory=\"main\"} 1.0", 2).await;
            let (told, status) = self.doctor();
            assert!(status == 1 && told.contains("nobody's access is ended since"), "{status}: {told}");
        } else {
            self.shows("revalidation_failing{directory=\"main\"} 1.0", 1).await;
            let (told, status) = self.doctor();
            assert_ne!(status, 0, "{told}");
        }
        let ended = "select username, reason from audit where event = 'access_ended'";
        assert_eq!(self.installation.sql(ended), [] as [serde_json::Value; 0]);
    }

    /// Now who is really dismissed loses their session, and nobody else.
    async fn is_mended(&self) {
        if self.was_said(HELD) {
            self.says(RELEASED).await;
        }
        for line in ["held", "failing"] {
            self.shows(&format!("revalidation_{line}{{directory=\"main\"}} 0.0"), 2).await;
        }
        let (told, _) = self.doctor();
        assert!(told.contains("the brake does not hold"), "{told}");
        self.dismiss(0);
        self.loses(0, Duration::from_secs(10)).await;
        self.everybody_stays(&[0]).await;
    }

    /// Access rules, at work at once, that hide these units from the service account.
    fn hides(&self, units: &[&str]) {
        let mut rules = vec![
            "to attrs=userPassword by self =xw by anonymous auth by * none".to_owned(),
            "to attrs=authzTo by * auth".to_owned(),
        ];
        rules.extend(
            units
                .iter()
                .map(|unit| format!("to dn.subtree=\"ou={unit},{BASE}\" by anonymous auth by * none")),
        );
        rules.push(format!(
            "to * by dn.children=\"ou=services,{BASE}\" read by self read by anonymous auth by * none"
        ));
        let rules: String =
            rules.iter().enumerate().map(|(place, rule)| format!("olcAccess: {{{place}}}{rule}\n")).collect();
        let database = "olcDatabase={1}mdb,cn=config";
        self.installation
            .directory
            .configure(&format!("dn: {database}\nchangetype: modify\nreplace: olcAccess\n{rules}"));
    }

    /// The directory stops and starts.
    async fn restarts(&mut self) {
        self.installation.directory.stop();
        self.installation.directory.resume().await;
    }

    /// Stops the directory and takes its data away; answers where it is kept.
    fn loses_its_data(&mut self) -> std::path::PathBuf {
        self.installation.directory.stop();
        let folder = self.installation.directory.folder();
        let kept = folder.join("kept");
        std::fs::rename(folder.join("db"), &kept).expect("the test folder is writable");
        std::fs::create_dir(folder.join("db")).expect("the test folder is writable");
        kept
    }

    async fn gets_its_data_back(&mut self, kept: &Path) {
        self.installation.directory.stop();
        let data = self.installation.directory.folder().join("db");
        std::fs::remove_dir_all(&data).expect("the test folder is writable");
        std::fs::rename(kept, &data).expect("the test folder is writable");
        self.installation.directory.resume().await;
    }

    /// Both gateways read another configuration, for so many times now.
    async fn reloads(&self, settings: &str, times: usize) {
        self.installation.configure(settings);
        self.gateways().iter().for_each(|gateway| gateway.signal("HUP"));
        self.says_times("configuration reloaded", 2 * times).await;
    }

    fn doctor(&self) -> (String, i32) {
        let done = ldapgate(self.installation.config(), &["-q", "doctor"], "");
        (format!("{}{}", done.stdout, done.stderr), done.status)
    }

    fn was_said(&self, what: &str) -> bool {
        self.gateways().iter().any(|gateway| gateway.said().contains(what))
    }
}

/// The suffix, the units and the service account.
fn empty_backup() -> String {
    let mut text = format!("dn: {BASE}\nobjectClass: domain\ndc: example\n");
    for unit in ["people", "groups", "services"] {
        text.push_str(&format!("\ndn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n"));
    }
    text.push_str(&format!(
        "\ndn: {READER}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: reader\n\
         userPassword: {READER_PASSWORD}\n"
    ));
    text
}
