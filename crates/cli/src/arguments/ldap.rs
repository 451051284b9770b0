//! What may be typed after one of the LDAP tools: OpenLDAP's flags.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

/// The server, the identity and the transport of an LDAP tool, as OpenLDAP's tools take them.
#[derive(Debug, Args)]
#[command(disable_version_flag = true, args_override_self = true)]
pub(crate) struct Target {
    /// LDAP URL of the server, or several with spaces between them; without it the configuration's server and service
    /// account are used
    #[arg(short = 'H', value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Bind as this DN
    #[arg(short = 'D', value_name = "DN")]
    pub(crate) bind_dn: Option<String>,
    /// The bind password; other users of this machine can see it
    #[arg(short = 'w', value_name = "TEXT", conflicts_with_all = ["password_file", "prompt", "password_stdin"])]
    pub(crate) password: Option<String>,
    /// Prompt for the bind password
    #[arg(short = 'W', conflicts_with_all = ["password_file", "password_stdin"])]
    pub(crate) prompt: bool,
    /// Read the bind password from a file; one trailing newline is dropped
    #[arg(short = 'y', value_name = "FILE", conflicts_with = "password_stdin")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the bind password from standard input, one line
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Simple authentication, which is what happens without -Y and -U, too
    #[arg(short = 'x')]
    pub(crate) simple: bool,
    #[command(flatten)]
    pub(crate) sasl: SaslFlags,
    /// Protocol version; 3 is the only one there is
    #[arg(short = 'P', value_name = "VERSION", value_parser = ["3"], hide = true)]
    pub(crate) protocol: Option<String>,
    /// StartTLS, required to succeed; -ZZ means the same
    #[arg(short = 'Z', action = ArgAction::Count)]
    pub(crate) start_tls: u8,
    /// Option: nettimeout=SECONDS|none|max (or network_timeout), TLS_CACERT=FILE, ldif-wrap=COLUMNS|no
    #[arg(short = 'o', value_name = "OPTION")]
    pub(crate) options: Vec<String>,
    /// CA certificates to trust, instead of $LDAPTLS_CACERT, $SSL_CERT_FILE or the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The client certificate, instead of $LDAPTLS_CERT
    #[arg(long = "cert", value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The client certificate's key, instead of $LDAPTLS_KEY
    #[arg(long = "key", value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Which [[directory]] of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub(crate) directory: Option<String>,
    /// Send a password without encryption to a host that is not this one
    #[arg(long)]
    pub(crate) allow_cleartext: bool,
    /// libldap's debugging level, of which there is only 0; -v tells the steps
    #[arg(short = 'd', value_name = "LEVEL", hide = true)]
    pub(crate) debug: Option<i64>,
    /// Print the version on standard error; -VV: and nothing else
    #[arg(short = 'V', action = ArgAction::Count)]
    pub(crate) version: u8,
}

/// How to bind by SASL.
#[derive(Debug, Default, Args)]
pub(crate) struct SaslFlags {
    /// Bind by this SASL mechanism, such as SCRAM-SHA-256 or EXTERNAL; with -U alone the strongest that the server has
    #[arg(id = "sasl_Y", short = 'Y', value_name = "MECHANISM")]
    pub(crate) mechanism: Option<String>,
    /// The SASL user name
    #[arg(id = "sasl_U", short = 'U', value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Whom to act as: "dn:..." or "u:..."
    #[arg(id = "sasl_X", short = 'X', value_name = "AUTHZID")]
    pub(crate) authzid: Option<String>,
    /// The SASL realm
    #[arg(id = "sasl_R", short = 'R', value_name = "REALM")]
    pub(crate) realm: Option<String>,
    /// SASL security properties: none, noplain, noanonymous, minssf=FACTOR, maxssf=FACTOR
    #[arg(id = "sasl_O", short = 'O', value_name = "PROPERTIES")]
    pub(crate) properties: Vec<String>,
    /// SASL interactive mode: ask for the names and the password that are not given
    #[arg(id = "sasl_I", short = 'I', conflicts_with = "sasl_Q")]
    pub(crate) interactive: bool,
    /// SASL quiet mode: never ask
    #[arg(id = "sasl_Q", short = 'Q')]
    pub(crate) quiet: bool,
    /// Do not look the host's name up for SASL; which is never done
    #[arg(id = "sasl_N", short = 'N', hide = true)]
    pub(crate) no_canonical: bool,
}

impl SaslFlags {
    /// Does any of them ask for a SASL bind? -Q and -N alone say how, not whether.
    pub(crate) fn are_given(&self) -> bool {
        let words = [&self.mechanism, &self.user, &self.authzid, &self.realm];
        self.interactive || !self.properties.is_empty() || words.iter().any(|word| word.is_some())
    }

    /// A bearer token names its user itself.
    pub(crate) fn is_bearer(&self) -> bool {
        self.mechanism.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("OAUTHBEARER"))
    }
}

impl Target {
    /// Does a flag say where the password comes from?
    pub(crate) fn gives_password(&self) -> bool {
        self.password.is_some() || self.password_file.is_some() || self.password_stdin || self.prompt
    }
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    pub(crate) target: Target,
    /// General extension, as `modify` takes them, such as [!]authzid=ID, [!]relax or [!]OID[=:TEXT|=::BASE64]; "!" makes
    /// it critical
    #[arg(short = 'e', value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
    /// Connect and bind, and ask nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Passwd {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The old password; other users of this machine can see it
    #[arg(short = 'a', value_name = "TEXT", conflicts_with_all = ["old_prompt", "old_file"])]
    pub(crate) old_text: Option<String>,
    /// Prompt for the old password
    #[arg(short = 'A', conflicts_with = "old_file")]
    pub(crate) old_prompt: bool,
    /// Read the old password from a file; one trailing newline is dropped
    #[arg(short = 't', value_name = "FILE")]
    pub(crate) old_file: Option<PathBuf>,
    /// The new password; other users of this machine can see it
    #[arg(short = 's', value_name = "TEXT", conflicts_with_all = ["new_prompt", "new_file"])]
    pub(crate) new_text: Option<String>,
    /// Prompt for the new password; without -s, -S and -T the server makes one
    #[arg(short = 'S', conflicts_with = "new_file")]
    pub(crate) new_prompt: bool,
    /// Read the new password from a file; one trailing newline is dropped
    #[arg(short = 'T', value_name = "FILE")]
    pub(crate) new_file: Option<PathBuf>,
    /// General extension, as `modify` takes them, such as [!]authzid=ID, [!]relax or [!]OID[=:TEXT|=::BASE64]; "!" makes
    /// it critical; ppolicy is always asked for
    #[arg(short = 'e', value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
    /// Connect and bind, and set nothing
    #[arg(short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Whose password, mostly a DN; without it that of whoever binds
    pub(crate) user: Option<String>,
}

/// Where one of the two passwords of a change comes from.
pub(crate) struct ChangeSource<'a> {
    pub(crate) text: Option<&'a str>,
    pub(crate) prompt: bool,
    pub(crate) file: Option<&'a Path>,
}

impl Passwd {
    /// The old password's.
    pub(crate) fn old_password(&self) -> ChangeSource<'_> {
        let (text, file) = (self.old_text.as_deref(), self.old_file.as_deref());
        ChangeSource { text, prompt: self.old_prompt, file }
    }

    /// The new one's.
    pub(crate) fn new_password(&self) -> ChangeSource<'_> {
        let (text, file) = (self.new_text.as_deref(), self.new_file.as_deref());
        ChangeSource { text, prompt: self.new_prompt, file }
    }
}
