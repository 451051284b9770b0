//! A throwaway authority and the certificates, good and deliberately bad, that it signs.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS#8.
    pub key: String,
}

/// An authority nobody else trusts.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What is wrong with a certificate, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: good for the server's names, `localhost`, 127.0.0.1 and ::1 when nothing else is said.
    None,
    /// Carries another host's name, `ldap.wrong.example`.
    WrongHost,
    /// Ended in 2021.
    Expired,
    /// Starts in 2090.
    NotYet,
}

impl Authority {
    /// Makes an authority whose common name is `name`.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are valid names");
        params.distinguished_name.push(DnType::OrganizationName, "Example Test");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority can sign itself") }
    }

    /// The authority's own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server certificate with `flaw`.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn server(&self, flaw: Flaw) -> Pair {
        self.server_at(&["localhost", "127.0.0.1", "::1"], flaw)
    }

    /// A server certificate with `flaw` for a server that goes by these names and addresses.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn server_at(&self, names: &[&str], flaw: Flaw) -> Pair {
        let names = match flaw {
            Flaw::WrongHost => &["ldap.wrong.example"],
            _ => names,
        };
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
            .expect("names are valid");
        params.distinguished_name.push(DnType::CommonName, names[0]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = match flaw {
            Flaw::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Flaw::NotYet => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
            _ => (date_time_ymd(2024, 1, 1), date_time_ymd(2089, 1, 1)),
        };
        self.sign(&params)
    }

    /// A client's certificate whose whole subject is `CN=name`.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn client(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are valid names");
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2089, 1, 1));
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// Where the files of a [`Pair`] were written.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate file.
    pub certificate: PathBuf,
    /// The key file.
    pub key: PathBuf,
}

impl Pair {
    /// Writes `NAME.crt` and `NAME.key` into `folder`, the key for the owner's eyes only: Samba takes no other.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn write(&self, folder: &Path, name: &str) -> Files {
        let files = Files {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, &self.certificate).expect("the test folder is writable");
        std::fs::write(&files.key, &self.key).expect("the test folder is writable");
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o600)).expect("the key's file is ours");
        files
    }
}
