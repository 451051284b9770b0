//! What the LDAP tools share: which server, as whom, trusting whom, and how an error ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use client::control::PasswordPolicy;
use client::{BindReply, Connection, Options, Pool};
use ldapgate::Config;
use proto::Password;

use super::{Context, bind_controls, sasl};
use crate::arguments::Target;
use crate::exit::Exit;
use crate::output;
use crate::secret;
use crate::telemetry;

/// An LDAP tool's failure: what to say and the exit status.
pub(crate) struct Failure {
    error: anyhow::Error,
    exit: Exit,
}

impl Failure {
    /// A server's answer, and the status that says it.
    pub(crate) fn new(error: anyhow::Error, exit: Exit) -> Self {
        Self { error, exit }
    }

    /// Did whoever reads the output go away?
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let cause = self.error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
        cause.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// What to say, its causes included.
    pub(crate) fn text(&self) -> String {
        format!("{:#}", self.error)
    }

    /// Prints it, and gives the status.
    pub(crate) fn report(&self) -> Exit {
        output::complain(&self.error);
        self.exit
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { error, exit: Exit::BEFORE_AN_ANSWER }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        let exit = error.result().map_or(Exit::BEFORE_AN_ANSWER, |result| Exit::of_result(result.code));
        Self { error: error.into(), exit }
    }
}

/// A bound connection, and the base to search when none is given.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) base: Option<String>,
}

/// Connects and binds as the flags, else the configuration, say.
pub(crate) async fn connect(context: &Context, target: &Target) -> Result<Session, Failure> {
    telemetry::start(context.voice, "error", false);
    let config = configuration(context, target)?;
    let directory = target.directory.as_deref();
    let base = config.as_ref().and_then(|config| config.base(directory));
    let by_sasl = target.sasl.are_given();
    let own = target.url.is_none() && target.bind_dn.is_none() && !by_sasl;
    if own && target.gives_password() {
        return Err(anyhow!("a bind password needs -D: whose password is it?").into());
    }
    let options = options(context, target, config.as_ref())?;
    if own {
        let server = Pool::open(options).await?.server().await?;
        return Ok(Session { connection: server.lookup().await?, base });
    }
    let (sasl, password) = match sasl::of_target(target)? {
        Some(sasl) => (Some(sasl), None),
        None => (None, secret::of_target(target)?),
    };
    let connection = Connection::open(&options.anonymous()).await?;
    let asking = connection.with_controls([PasswordPolicy::request()]);
    match sasl {
        Some(sasl) => judge(&asking.sasl_bind(&sasl).await?)?,
        None => bind(&asking, target.bind_dn.as_deref(), password).await?,
    }
    Ok(Session { connection, base: if target.url.is_some() { None } else { base } })
}

async fn bind(connection: &Connection, dn: Option<&str>, password: Option<String>) -> Result<(), Failure> {
    let reply = match (dn, password) {
        (Some(dn), Some(password)) if !dn.is_empty() => {
            let password =
                Password::new(password).context("this password cannot be used for a simple bind")?;
            connection.bind(dn, &password).await?
        }
        (Some(dn), None) if !dn.is_empty() => {
            return Err(anyhow!(
                "-D {dn} without a password would bind as nobody: add -w, -W, -y or --password-stdin"
            )
            .into());
        }
        (None, Some(_)) => return Err(anyhow!("a bind password needs -D: whose password is it?").into()),
        _ => return Ok(()),
    };
    judge(&reply)
}

/// A refused bind is the tool's failure.
fn judge(reply: &BindReply) -> Result<(), Failure> {
    bind_controls::tell(reply);
    if reply.is_success() {
        return Ok(());
    }
    let exit = Exit::of_result(reply.result.code);
    let mut text = format!("bind: {}", reply.result.code);
    if !reply.result.message.is_empty() {
        text.push_str(&format!(": {}", output::printable(&reply.result.message)));
    }
    Err(Failure { error: anyhow!(text), exit })
}

/// The configuration: required when it names the server, welcome when it can name the authority.
fn configuration(context: &Context, target: &Target) -> Result<Option<Config>, Failure> {
    let found = Config::find(context.config.as_deref(), &context.environment);
    match found {
        Ok(config) => Ok(Some(config)),
        Err(errors) if target.url.is_none() => {
            Err(anyhow!("no -H URL, and the configuration cannot be used:\n{errors}").into())
        }
        Err(errors) if context.config.is_some() => Err(anyhow!("{errors}").into()),
        Err(_) => Ok(None),
    }
}

fn options(context: &Context, target: &Target, config: Option<&Config>) -> anyhow::Result<Options> {
    let directory = target.directory.as_deref();
    let mut options = match (&target.url, config) {
        // The system's certificates are many, and of no use where nothing is encrypted.
        (Some(url), _) if is_plain(url) && target.start_tls == 0 && target.ca_file.is_none() => {
            Options::new([url])?
        }
        (Some(url), _) => Options::new([url])?.tls(tls(context, target, config)?),
        (None, Some(config)) => {
            let options = config.client_options(directory)?;
            // Variables do not override a configured server's own settings; a flag does.
            if target.ca_file.is_some() || target.client_cert.is_some() {
                options.tls(tls(context, target, Some(config))?)
            } else {
                options
            }
        }
        (None, None) => bail!("no -H URL and no configuration: which server?"),
    };
    if target.start_tls > 0 {
        options = options.start_tls(true);
    }
    if target.allow_cleartext {
        options = options.allow_cleartext();
    }
    for option in &target.options {
        match option.split_once('=') {
            Some(("nettimeout", seconds)) => {
                let seconds =
                    seconds.parse().with_context(|| format!("-o {option}: not a number of seconds"))?;
                options = options.connect_timeout(Duration::from_secs(seconds));
            }
            Some(("ldif-wrap" | "ldif_wrap", _)) => {}
            _ => bail!("-o {option} is not known; there are nettimeout=SECONDS and ldif-wrap=COLUMNS|no"),
        }
    }
    Ok(options)
}

fn is_plain(url: &str) -> bool {
    ["ldap://", "ldapi://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Whom to trust: `--ca-file`, else OpenLDAP's variables, else `SSL_CERT_FILE`, else the configuration, else the system.
fn tls(context: &Context, target: &Target, config: Option<&Config>) -> anyhow::Result<tls::ClientTls> {
    let mut settings = tls::ClientSettings { system_roots: false, ..tls::ClientSettings::default() };
    if let Some(file) = &target.ca_file {
        settings.ca_files = vec![file.clone()];
    } else if let Some(file) = context.variable("LDAPTLS_CACERT") {
        settings.ca_files = vec![PathBuf::from(file)];
    } else if let Some(folder) = context.variable("LDAPTLS_CACERTDIR") {
        settings.ca_files = files_of(Path::new(folder))?;
    } else if let Some(file) = context.variable("SSL_CERT_FILE") {
        settings.ca_files = vec![PathBuf::from(file)];
    } else if let Some(configured) =
        config.map(|config| config.tls_settings(target.directory.as_deref())).transpose()?
    {
        settings = configured;
    } else {
        settings.system_roots = true;
    }
    if let Some(identity) = identity(context, target)? {
        settings.client_identity = Some(identity);
    }
    match context.variable("LDAPTLS_REQCERT").map(str::to_ascii_lowercase).as_deref() {
        Some("never" | "allow") if target.ca_file.is_none() => {
            output::note(
                "ldapgate: warning: LDAPTLS_REQCERT says to accept any certificate; the server may be anybody",
            );
            settings.danger_accept_invalid_certificates = true;
        }
        _ => {}
    }
    Ok(settings.load()?)
}

/// The client certificate: `--cert` and `--key`, else OpenLDAP's variables.
fn identity(context: &Context, target: &Target) -> anyhow::Result<Option<tls::Identity>> {
    if let (Some(cert), Some(key)) = (&target.client_cert, &target.client_key) {
        return Ok(Some(tls::Identity { cert: cert.clone(), key: key.clone() }));
    }
    match (context.variable("LDAPTLS_CERT"), context.variable("LDAPTLS_KEY")) {
        (Some(cert), Some(key)) => Ok(Some(tls::Identity { cert: cert.into(), key: key.into() })),
        (None, None) => Ok(None),
        _ => bail!("LDAPTLS_CERT and LDAPTLS_KEY go together"),
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read LDAPTLS_CACERTDIR {}", folder.display()))?;
    // A hidden file is somebody's bookkeeping, and no certificate.
    let seen = entries.filter_map(Result::ok).filter(|entry| !is_hidden(&entry.file_name()));
    let mut files: Vec<PathBuf> = seen.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    if files.is_empty() {
        bail!("LDAPTLS_CACERTDIR {} holds no files, or hidden ones alone", folder.display());
    }
    Ok(files)
}
