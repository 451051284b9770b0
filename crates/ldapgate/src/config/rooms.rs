//! The checked configuration as the settings of the rooms below.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use account::store::SecretBytes;
use account::{DirectorySettings, LoginSettings, PermissionKey, SessionSettings, Throttle, TokenSettings};

use super::Config;
use super::directory::Directory;
use crate::ambient;
use crate::error::Error;

/// A request may take as long as the login inside it, and then some.
const BEYOND_DEADLINE: Duration = Duration::from_secs(10);

impl Config {
    /// Each directory's part in the decision, in the order in which they are asked.
    pub(crate) fn auth_settings(&self) -> Vec<auth::Settings> {
        let cache = auth::CacheSettings { dn: self.cache.dn, groups: self.cache.groups };
        let settings = self.directories.iter().map(|directory| directory.settings.clone());
        let mut settings: Vec<_> = settings.map(|settings| auth::Settings { cache, ..settings }).collect();
        for (key, _) in &self.permissions {
            let PermissionKey::Group { directory, dn } = key else { continue };
            if let Some(settings) = settings.iter_mut().find(|settings| settings.name == *directory) {
                settings.named.push(dn.clone());
            }
        }
        settings
    }

    /// What sign-in, sessions, tokens and permissions are told. Secret files are read now.
    pub(crate) fn account_settings(&self) -> io::Result<account::Settings> {
        let directories = self.directories.iter().map(|directory| {
            let settings = DirectorySettings {
                update_on_login: directory.profile.update_on_login,
                create_users: directory.profile.create_users,
                local_name: directory.profile.local_name.clone(),
                from_groups: directory.permissions.from_groups,
                mirror: directory.permissions.mirror.clone(),
                for_external_users: directory.permissions.for_external_users,
            };
            (directory.settings.name.clone(), settings)
        });
        let secret = self.token.secret_key.as_ref().map(|secret| secret.read()).transpose()?;
        let named = |text: &str| if text.is_empty() { self.url() } else { text.to_owned() };
        Ok(account::Settings {
            login: LoginSettings {
                deadline: self.login.deadline,
                throttle: Throttle {
                    person: self.login.person,
                    address: self.login.address,
                    window: self.login.window,
                },
                show_account_state: self.login.show_account_state,
                fold: self.login.fold,
            },
            remember_credentials: self.cache.credentials,
            directories: directories.collect::<BTreeMap<_, _>>(),
            permissions: self.permissions.iter().cloned().collect(),
            session: SessionSettings {
                idle: self.session.idle,
                absolute: self.session.absolute,
                remember_me: self.session.remember_me,
                refresh: self.session.refresh,
            },
            sync: self.sync,
            replica: ambient::replica(),
            token: TokenSettings {
                lifetime: self.token.lifetime,
                max_lifetime: self.token.max_lifetime,
                issuer: named(&self.token.issuer),
                audience: named(&self.token.audience),
                legacy: self.token.legacy,
                key: self.token.key.as_ref().map(SecretBytes::duplicate),
                secret: secret.map(|secret| SecretBytes::new(secret.expose().to_vec())),
            },
            audit_keep: self.audit_keep,
        })
    }

    /// What pages, guards and cookies are told.
    pub(crate) fn web_settings(&self) -> web::Settings {
        let standard = web::Settings::default();
        web::Settings {
            cookie: self.session.cookie.clone(),
            public_url: self.http.public_url.clone(),
            tls: self.http.tls.is_some(),
            token_path: self.token.path.clone(),
            login_basic: self.login.basic,
            remember_me: self.session.remember_me.is_some(),
            theme_dir: self.http.theme_dir.clone(),
            trusted_proxies: self.http.trusted_proxies.clone(),
            request_timeout: standard.request_timeout.max(self.login.deadline + BEYOND_DEADLINE),
            ..standard
        }
    }

    /// Each directory's name and how the client reaches it. Certificate files are read now.
    pub(crate) fn connections(&self) -> Result<Vec<(String, client::Options)>, Error> {
        let named =
            |directory: &Directory| Ok((directory.settings.name.clone(), directory.client_options()?));
        self.directories.iter().map(named).collect()
    }

    /// `memory:`, `sqlite:` and the path, or `postgres://`, which may have a password in it.
    pub(crate) fn store_url(&self) -> &str {
        &self.store.url
    }

    /// The certificate of the gateway's own listener.
    pub(crate) fn listener_tls(&self) -> Option<::tls::ServerTls> {
        self.http.tls.clone()
    }

    /// The keys that a running engine cannot take over, and which differ.
    pub(crate) fn restart_needed(&self, running: &Fixed) -> Vec<String> {
        let fixed = self.fixed();
        let changes = [
            ("http.listen", fixed.listen != running.listen),
            ("http.tls", fixed.tls_files != running.tls_files),
            ("metrics.listen", fixed.metrics != running.metrics),
            ("store.url", fixed.store != running.store),
        ];
        changes.iter().filter(|(_, changed)| *changed).map(|(key, _)| (*key).to_owned()).collect()
    }

    /// What stays as it was at the start.
    pub(crate) fn fixed(&self) -> Fixed {
        Fixed {
            listen: self.http.listen,
            tls_files: self.http.tls_files.clone(),
            metrics: self.metrics,
            store: self.store.clone(),
        }
    }

    /// Where people reach the gateway, as far as the configuration tells.
    fn url(&self) -> String {
        let scheme = if self.http.tls.is_some() { "https" } else { "http" };
        self.http.public_url.clone().unwrap_or_else(|| format!("{scheme}://{}", self.http.listen))
    }
}

/// What stays as it was at the start.
#[derive(Debug)]
pub(crate) struct Fixed {
    listen: std::net::SocketAddr,
    tls_files: Option<::tls::ServerSettings>,
    pub(crate) metrics: Option<std::net::SocketAddr>,
    store: super::store::Store,
}
