//! What the LDAP tools share: which server, as whom, trusting whom, and how an error ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use client::control::PasswordPolicy;
use client::{BindReply, Connection, Options};
use ldapgate::Config;
use proto::{LdapResult, Password};

use super::option::{self, Settings};
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
        let exit = answer(&error).map_or(Exit::BEFORE_AN_ANSWER, |result| Exit::of_result(result.code));
        Self { error: error.into(), exit }
    }
}

/// The answer of the server that was asked last, though another one referred to it.
pub(crate) fn answer(error: &client::Error) -> Option<&LdapResult> {
    match error {
        client::Error::Referral { source, .. } => answer(source),
        _ => error.result(),
    }
}

/// A bound connection, and the base to search when none is given.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) base: Option<String>,
}

/// What comes before any tool's work: its version, and a level of debugging that there is none of. `Some` when that was all.
pub(crate) fn prepare(tool: &str, target: &Target) -> Result<Option<Exit>, Failure> {
    if target.version > 0 {
        output::note(&format!("ldapgate {tool} {}", env!("CARGO_PKG_VERSION")));
    }
    if target.version > 1 {
        return Ok(Some(Exit::DONE));
    }
    if target.debug.is_some_and(|level| level != 0) {
        return Err(anyhow!("-d: there is no libldap here to be debugged; -v tells the steps").into());
    }
    Ok(None)
}

/// Connects and binds as the flags, else the configuration, say.
pub(crate) async fn connect(context: &Context, target: &Target) -> Result<Session, Failure> {
    telemetry::start(context.voice, "error", false);
    let config = configuration(context, target)?;
    let directory = target.directory.as_deref();
    let base = config.as_ref().and_then(|config| config.base(directory));
    let own = is_own(target);
    if own && target.gives_password() {
        return Err(anyhow!("a bind password needs -D: whose password is it?").into());
    }
    let options = options(context, target, config.as_ref())?;
    if own {
        return Ok(Session { connection: open(target, &options).await?, base });
    }
    let (sasl, password) = match sasl::of_target(target)? {
        Some(sasl) => (Some(sasl), None),
        None => (None, bind_password(target)?),
    };
    let connection = open(target, &options.anonymous()).await?;
    let asking = connection.with_controls([PasswordPolicy::request()]);
    match sasl {
        Some(sasl) => judge(&asking.sasl_bind(&sasl.over(&connection)?).await?)?,
        None => bind(&asking, target.bind_dn.as_deref(), password).await?,
    }
    Ok(Session { connection, base: if target.url.is_some() { None } else { base } })
}

/// Does the configuration say where, and as whom?
fn is_own(target: &Target) -> bool {
    target.url.is_none() && target.bind_dn.is_none() && !target.sasl.are_given()
}

/// A connection; with -Z one that is encrypted, or none.
async fn open(target: &Target, options: &Options) -> Result<Connection, Failure> {
    let connection = Connection::open(options).await?;
    if target.start_tls > 0 && !connection.is_encrypted() {
        let url = connection.url();
        return Err(anyhow!("-Z requires TLS, and there is none over {url}: leave out -Z").into());
    }
    Ok(connection)
}

/// The password of -D: by the flags, else by a prompt where somebody can answer.
fn bind_password(target: &Target) -> anyhow::Result<Option<String>> {
    match secret::of_target(target)? {
        None if target.bind_dn.as_ref().is_some_and(|dn| !dn.is_empty()) && secret::can_ask() => {
            secret::of_bind().map(Some)
        }
        given => Ok(given),
    }
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
        // An empty name would make the bind an anonymous one, and the password would seem to be right.
        (None | Some(_), Some(_)) => {
            return Err(anyhow!("a bind password needs -D: whose password is it?").into());
        }
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
    let settings = Settings::read(&target.options)?;
    let tls = || tls(context, target, config, settings.authority);
    let mut options = match (&target.url, config) {
        (Some(text), _) => {
            let urls = option::servers(text)?;
            // The system's certificates are many, and of no use where nothing is encrypted.
            let plain = urls.iter().all(|url| is_plain(url)) && target.start_tls == 0;
            let options = Options::new(&urls)?;
            if plain && target.ca_file.is_none() { options } else { options.tls(tls()?) }
        }
        (None, Some(config)) => {
            let options = config.client_options(directory)?;
            let named = target.ca_file.is_some() || target.client_cert.is_some();
            // Variables do not override the settings of a configuration that is used alone; a flag does.
            if named || settings.authority.is_some() || !is_own(target) && has_variables(context) {
                options.tls(tls()?)
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
    if let Some(limit) = settings.connect_timeout {
        options = options.connect_timeout(limit);
    }
    Ok(options)
}

fn is_plain(url: &str) -> bool {
    ["ldap://", "ldapi://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Does the environment say whom to trust, or who we are?
fn has_variables(context: &Context) -> bool {
    ["LDAPTLS_CACERT", "LDAPTLS_CACERTDIR", "LDAPTLS_REQCERT", "LDAPTLS_CERT", "LDAPTLS_KEY"]
        .iter()
        .any(|name| context.variable(name).is_some())
}

/// How TLS is to be. Whom to trust: `--ca-file`, else `-o TLS_CACERT`, else OpenLDAP's variables, else, with `-H`,
/// `SSL_CERT_FILE`, else the configuration, else the system.
fn tls(
    context: &Context,
    target: &Target,
    config: Option<&Config>,
    option: Option<&str>,
) -> anyhow::Result<tls::ClientTls> {
    let configured = config.map(|config| config.tls_settings(target.directory.as_deref())).transpose()?;
    let mut settings = match configured {
        // Another server than the configuration's: neither its name nor our key for it, which is a secret.
        Some(configured) if target.url.is_some() => tls::ClientSettings {
            ca_files: configured.ca_files,
            system_roots: configured.system_roots,
            min_version: configured.min_version,
            ..tls::ClientSettings::default()
        },
        Some(configured) => configured,
        None => tls::ClientSettings::default(),
    };
    if let Some(files) = authority(context, target, option)? {
        settings.ca_files = files;
        settings.system_roots = false;
    }
    if let Some(identity) = identity(context, target)? {
        settings.client_identity = Some(identity);
    }
    match context.variable("LDAPTLS_REQCERT").map(str::to_ascii_lowercase).as_deref() {
        Some("never" | "allow") if !is_own(target) && target.ca_file.is_none() && option.is_none() => {
            output::note(
                "ldapgate: warning: LDAPTLS_REQCERT says to accept any certificate; the server may be anybody",
            );
            settings.danger_accept_invalid_certificates = true;
        }
        _ => {}
    }
    Ok(settings.load()?)
}

/// The files of the authority that the flags, else the environment, name.
fn authority(
    context: &Context,
    target: &Target,
    option: Option<&str>,
) -> anyhow::Result<Option<Vec<PathBuf>>> {
    if let Some(file) = &target.ca_file {
        return Ok(Some(vec![file.clone()]));
    }
    if let Some(file) = option {
        return Ok(Some(vec![PathBuf::from(file)]));
    }
    if is_own(target) {
        return Ok(None);
    }
    if let Some(file) = context.variable("LDAPTLS_CACERT") {
        return Ok(Some(vec![PathBuf::from(file)]));
    }
    if let Some(folder) = context.variable("LDAPTLS_CACERTDIR") {
        return files_of(Path::new(folder)).map(Some);
    }
    // Set for everything on many machines, it does not override what is configured for this very server.
    let file = context.variable("SSL_CERT_FILE").filter(|_| target.url.is_some());
    Ok(file.map(|file| vec![PathBuf::from(file)]))
}

/// The client certificate: `--cert` and `--key`, else OpenLDAP's variables.
fn identity(context: &Context, target: &Target) -> anyhow::Result<Option<tls::Identity>> {
    if let (Some(cert), Some(key)) = (&target.client_cert, &target.client_key) {
        return Ok(Some(tls::Identity { cert: cert.clone(), key: key.clone() }));
    }
    if is_own(target) {
        return Ok(None);
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
