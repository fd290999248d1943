//! Certificates for an estate without a certificate authority of its own: one authority, a certificate for the
//! controllers, and one for each node whose only DNS name is the node's.
//!
//! ```text
//! DIR/ca.crt  DIR/ca.key                           the authority; its key stays where it was made
//! DIR/controller/{ca.crt,tls.crt,tls.key}          for `novaedge-controller run --tls`
//! DIR/nodes/NAME/{ca.crt,tls.crt,tls.key}          for `novaedge-agent run --tls` on that node
//! ```

use super::tls::{CA, CERTIFICATE, KEY};
use crate::host::file;
use crate::model::name::Name;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, UnixTime};
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The authority's key, beside `ca.crt`.
pub const CA_KEY: &str = "ca.key";

const CONTROLLER: &str = "controller";

const DAY: Duration = Duration::from_secs(24 * 3600);
const AUTHORITY_VALID_FOR: Duration = Duration::from_secs(3650 * 24 * 3600);
/// Clocks of nodes may be so far behind.
const EARLIER: Duration = DAY;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// DNS names and addresses at which agents reach the controllers; none: no certificate for them.
    pub controller: Vec<String>,
    pub nodes: Vec<Name>,
    pub valid_for: Duration,
    pub now: SystemTime,
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: std::io::Error },
    #[error(
        "{present} is there and {missing} is not: an authority needs both; bring it back, or remove both to begin anew"
    )]
    Half { present: String, missing: String },
    #[error("{path} is no private key: {source}")]
    Key { path: String, source: rcgen::Error },
    #[error("{path} is no certificate: {source}")]
    Authority { path: String, source: pem::Error },
    #[error("{name:?} cannot be in a certificate: {source}")]
    Name { name: String, source: rcgen::Error },
    #[error("a certificate cannot be made: {0}")]
    Make(#[source] rcgen::Error),
    #[error(
        "what was issued does not fit the authority in {path} ({source}); was it made by something else?"
    )]
    Misfit { path: String, source: webpki::Error },
}

/// Makes what is wanted in `directory`; an authority that is there is used, never replaced. Certificates that
/// are there are renewed. Directories are 0700 and files 0600. Returns the directories that were written.
///
/// # Errors
/// What cannot be read, written or made; what was written before stays.
pub fn issue(directory: &Path, wanted: &Wanted) -> Result<Vec<PathBuf>, CertificateError> {
    make_directory(directory)?;
    let authority = Authority::open(directory, wanted.now)?;
    let mut written = Vec::new();
    if !wanted.controller.is_empty() {
        let params = controller(&wanted.controller)?;
        written.push(authority.issue(&directory.join(CONTROLLER), params, wanted)?);
    }
    for name in &wanted.nodes {
        let params = node(name)?;
        written.push(authority.issue(&directory.join("nodes").join(name.as_str()), params, wanted)?);
    }
    Ok(written)
}

/// An authority of the estate's own.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair")
    }
}

/// A new authority, to be used with [`Authority::from_pem`].
///
/// # Errors
/// There is no randomness.
pub fn authority_pair(now: SystemTime) -> Result<Pair, CertificateError> {
    let mut params = authority();
    valid(&mut params, now, AUTHORITY_VALID_FOR);
    let key = KeyPair::generate().map_err(CertificateError::Make)?;
    let certificate = params.self_signed(&key).map_err(CertificateError::Make)?.pem();
    Ok(Pair { certificate, key: key.serialize_pem() })
}

impl Authority {
    fn open(directory: &Path, now: SystemTime) -> Result<Self, CertificateError> {
        let (certificate, key) = (directory.join(CA), directory.join(CA_KEY));
        let (shown, shown_key) = (certificate.display().to_string(), key.display().to_string());
        match (certificate.exists(), key.exists()) {
            (true, true) => Self::load(&certificate, &key),
            (false, false) => Self::create(&certificate, &key, now),
            (true, false) => Err(CertificateError::Half { present: shown, missing: shown_key }),
            (false, true) => Err(CertificateError::Half { present: shown_key, missing: shown }),
        }
    }

    /// The authority that `pair` is, wherever it was made. `shown` says in errors where it is kept.
    ///
    /// # Errors
    /// The key or the certificate cannot be read.
    pub fn from_pem(pair: &Pair, shown: &str) -> Result<Self, CertificateError> {
        let unreadable = |source| CertificateError::Key { path: shown.to_owned(), source };
        let key = KeyPair::from_pem(&pair.key).map_err(unreadable)?;
        let issuer = Issuer::from_ca_cert_pem(&pair.certificate, key).map_err(unreadable)?;
        Ok(Self { certificate: pair.certificate.clone(), issuer })
    }

    /// A certificate for a controller that agents reach by any of `names`, checked against the authority.
    ///
    /// # Errors
    /// A name can be in no certificate, or the authority's key is not its certificate's.
    pub fn serving(
        &self,
        names: &[String],
        valid_for: Duration,
        now: SystemTime,
    ) -> Result<Pair, CertificateError> {
        let mut params = controller(names)?;
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, valid_for);
        let key = KeyPair::generate().map_err(CertificateError::Make)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(CertificateError::Make)?;
        self.check(certificate.der(), Path::new(CONTROLLER), now)?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            let failed = |source| CertificateError::Read { path: path.display().to_string(), source };
            std::fs::read_to_string(path).map_err(failed)
        };
        let pair = Pair { certificate: read(certificate)?, key: read(key)? };
        Self::from_pem(&pair, &key.display().to_string())
    }

    fn create(certificate: &Path, key: &Path, now: SystemTime) -> Result<Self, CertificateError> {
        let pair = authority_pair(now)?;
        write(key, &pair.key)?;
        write(certificate, &pair.certificate)?;
        Self::from_pem(&pair, &key.display().to_string())
    }

    /// Writes a directory with the three files, after a check that the authority's own certificate vouches for
    /// the new one.
    fn issue(
        &self,
        directory: &Path,
        mut params: CertificateParams,
        wanted: &Wanted,
    ) -> Result<PathBuf, CertificateError> {
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, wanted.now, wanted.valid_for);
        let key = KeyPair::generate().map_err(CertificateError::Make)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(CertificateError::Make)?;
        self.check(certificate.der(), directory, wanted.now)?;
        make_directory(directory)?;
        write(&directory.join(KEY), &key.serialize_pem())?;
        write(&directory.join(CERTIFICATE), &certificate.pem())?;
        write(&directory.join(CA), &self.certificate)?;
        Ok(directory.to_owned())
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        directory: &Path,
        now: SystemTime,
    ) -> Result<(), CertificateError> {
        let path = || directory.display().to_string();
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|source| CertificateError::Authority { path: path(), source })?;
        let now = UnixTime::since_unix_epoch(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        let vouch = || {
            let anchors = [webpki::anchor_from_trusted_cert(&authority)?];
            let issued = webpki::EndEntityCert::try_from(certificate)?;
            let usage = if directory.ends_with(CONTROLLER) {
                webpki::KeyUsage::server_auth()
            } else {
                webpki::KeyUsage::client_auth()
            };
            let known = webpki::ALL_VERIFICATION_ALGS;
            issued.verify_for_usage(known, &anchors, &[], now, usage, None, None).map(|_| ())
        };
        vouch().map_err(|source| CertificateError::Misfit { path: path(), source })
    }
}

/// What every authority of ours says of itself.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("NovaEdge estate");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Agents check it against the host that they connect to.
fn controller(names: &[String]) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("NovaEdge controller");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => dns(name)?,
        });
    }
    Ok(params)
}

/// Good for a client alone: no node can pass for a controller.
fn node(name: &Name) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("NovaEdge agent");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names.push(dns(name.as_str())?);
    Ok(params)
}

fn dns(name: &str) -> Result<SanType, CertificateError> {
    let invalid = |source| CertificateError::Name { name: name.to_owned(), source };
    Ok(SanType::DnsName(name.to_owned().try_into().map_err(invalid)?))
}

fn named(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn valid(params: &mut CertificateParams, now: SystemTime, lasts: Duration) {
    let epoch = date_time_ymd(1970, 1, 1);
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    params.not_before = epoch + now.saturating_sub(EARLIER);
    params.not_after = epoch + now + lasts;
}

fn make_directory(path: &Path) -> Result<(), CertificateError> {
    let failed = |source| CertificateError::Write { path: path.display().to_string(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    let failed = |source| CertificateError::Write { path: path.display().to_string(), source };
    file::replace(path, text.as_bytes(), 0o600).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn wanted(nodes: &[&str]) -> Wanted {
        Wanted {
            controller: vec!["controller".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()],
            nodes: nodes.iter().map(|node| Name::parse(*node).unwrap()).collect(),
            valid_for: DAY,
            now: SystemTime::now(),
        }
    }

    #[test]
    fn an_authority_is_made_once_and_issues_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pki");
        let first = issue(&path, &wanted(&["n1"])).unwrap();
        assert_eq!(first, [path.join("controller"), path.join("nodes/n1")]);
        let authority = std::fs::read(path.join(CA)).unwrap();
        issue(&path, &Wanted { controller: vec![], ..wanted(&["n2.example"]) }).unwrap();
        assert_eq!(std::fs::read(path.join(CA)).unwrap(), authority);
        for secret in ["ca.key", "nodes/n2.example/tls.key", "controller/tls.key"] {
            let mode = std::fs::metadata(path.join(secret)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
    }

    #[test]
    fn an_authority_can_be_brought_and_its_key_must_be_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut foreign = CertificateParams::default();
        foreign.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        foreign.distinguished_name = named("Somebody");
        let key = KeyPair::generate().unwrap();
        std::fs::write(directory.path().join(CA), foreign.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(directory.path().join(CA_KEY), key.serialize_pem()).unwrap();
        issue(directory.path(), &wanted(&["n1"])).unwrap();
        let other = KeyPair::generate().unwrap();
        std::fs::write(directory.path().join(CA_KEY), other.serialize_pem()).unwrap();
        let error = issue(directory.path(), &wanted(&["n2"])).unwrap_err();
        assert!(matches!(error, CertificateError::Misfit { .. }), "{error}");
    }

    #[test]
    fn half_an_authority_is_no_reason_to_make_another() {
        let directory = tempfile::tempdir().unwrap();
        issue(directory.path(), &wanted(&[])).unwrap();
        std::fs::remove_file(directory.path().join(CA_KEY)).unwrap();
        let error = issue(directory.path(), &wanted(&["n1"])).unwrap_err().to_string();
        assert!(error.contains("ca.key is not"), "{error}");
    }
}
