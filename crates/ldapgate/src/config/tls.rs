//! `[directory.tls]`: whom to trust as the directory.

use tls::{ClientSettings, Identity, Version};

use super::read::{Found, Section};

/// Reads the section, and the files it names to see that they can be used. `needed`: some connection will be encrypted.
pub(super) fn read(section: Section<'_>, needed: bool) -> ClientSettings {
    let sheet = section.sheet();
    let ca_files = section.texts("ca_files");
    let system_roots = section.boolean("system_roots", ca_files.value.is_empty());
    let server_name = section.text("server_name", "");
    if !server_name.value.is_empty() && !super::http::is_host(&server_name.value) {
        sheet.wrong(
            &server_name.place,
            format!("server_name cannot be {:?}: it is a host name or an address", server_name.value),
        );
    }
    let client_identity = read_identity(&section);
    let min_version =
        section.choice("min_version", &[("1.2", Version::Tls12), ("1.3", Version::Tls13)], "1.2");
    let danger = section.boolean("danger_accept_invalid_certificates", false);
    if danger.value {
        sheet.warn(&danger.place, "danger_accept_invalid_certificates: anybody on the way can pose as the directory and read every password");
    }
    let paths = ca_files.value.iter().map(|file| sheet.resolve(&file.value, &file.place));
    let settings = ClientSettings {
        ca_files: paths.collect(),
        system_roots: system_roots.value,
        server_name: Some(server_name.value).filter(|name| !name.is_empty()),
        client_identity: client_identity.as_ref().map(|identity| identity.value.clone()),
        min_version: min_version.value,
        danger_accept_invalid_certificates: danger.value,
    };
    check(&section, &settings, &ca_files.value, client_identity.as_ref(), needed);
    section.finish();
    settings
}

/// Each file on its own first, so that an error stands at the file that is wrong.
fn check(
    section: &Section<'_>,
    settings: &ClientSettings,
    ca_files: &[Found<String>],
    identity: Option<&Found<Identity>>,
    needed: bool,
) {
    let sheet = section.sheet();
    let mut good = true;
    for (file, path) in ca_files.iter().zip(&settings.ca_files) {
        let alone = ClientSettings {
            ca_files: vec![path.clone()],
            system_roots: false,
            client_identity: None,
            ..settings.clone()
        };
        if let Err(error) = alone.load() {
            sheet.wrong(&file.place, format!("ca_files: {}", super::chain(&error)));
            good = false;
        }
    }
    if !good || (!needed && identity.is_none()) {
        return;
    }
    if needed
        && settings.ca_files.is_empty()
        && !settings.system_roots
        && !settings.danger_accept_invalid_certificates
    {
        sheet.wrong_but(
            section.place(),
            "no certificate would ever be trusted",
            "name ca_files, or leave system_roots out",
        );
        return;
    }
    if let Err(error) = settings.load() {
        let place = identity.map_or_else(|| section.place(), |identity| &identity.place);
        sheet.wrong(place, super::chain(&error));
    }
}

fn read_identity(section: &Section<'_>) -> Option<Found<Identity>> {
    let (cert, key) = (section.path("client_cert"), section.path("client_key"));
    match (cert, key) {
        (Some(cert), Some(key)) => Some(cert.map(|cert| Identity { cert, key: key.value })),
        (None, None) => None,
        (Some(one), None) => {
            section.sheet().wrong(&one.place, "client_cert needs client_key");
            None
        }
        (None, Some(one)) => {
            section.sheet().wrong(&one.place, "client_key needs client_cert");
            None
        }
    }
}
