use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use c2pa::{BoxedSigner, SigningAlg, create_signer};
use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use zeroize::{Zeroize, Zeroizing};

/// X.509 certificate and private key that sign credentials.
pub struct SigningIdentity {
    pub(super) signer: BoxedSigner,
}

/// Newly issued identity.
pub struct Issued {
    /// Signing certificate, followed by the anchor's; PEM.
    pub certificate: String,
    /// Anchor certificate, for readers to trust; PEM.
    pub anchor: String,
    /// Private key of the signing certificate; PKCS #8, PEM.
    pub key: Zeroizing<String>,
}

/// Errors of issuing and loading an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Error returned when a certificate cannot be generated.
    #[error("cannot generate a certificate: {0}")]
    NotIssued(String),
    /// Error returned when certificates and key are invalid or do not match.
    #[error("expected a certificate chain and a PKCS #8 key, both in PEM")]
    Unusable,
}

/// Error returned when the files of an identity cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct IdentityFileError {
    /// Path of the file or the folder.
    pub path: PathBuf,
    /// Cause. It contains no bytes of the key.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Signature algorithms of C2PA; a key matches exactly one.
const ALGORITHMS: [SigningAlg; 7] = [
    SigningAlg::Es256,
    SigningAlg::Ed25519,
    SigningAlg::Es384,
    SigningAlg::Es512,
    SigningAlg::Ps256,
    SigningAlg::Ps384,
    SigningAlg::Ps512,
];

impl SigningIdentity {
    /// File name of the certificate chain, signing certificate first.
    pub const CERTIFICATE: &'static str = "certificate.pem";
    /// File name of the private key.
    pub const KEY: &'static str = "key.pem";
    /// File name of the anchor of an issued identity.
    pub const ANCHOR: &'static str = "anchor.pem";

    /// Creates an identity from a certificate chain and a PKCS #8 key, both PEM.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`], without bytes of the key.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let signer = ALGORITHMS
            .into_iter()
            .find_map(|algorithm| create_signer::from_keys(certificate, key, algorithm, None).ok());
        let has_certificate =
            |signer: &BoxedSigner| signer.certs().is_ok_and(|all| !all.is_empty());
        let signer = signer.filter(has_certificate).ok_or(IdentityError::Unusable)?;
        Ok(Self { signer })
    }

    /// Reads an identity from a folder.
    ///
    /// # Errors
    /// [`IdentityFileError`].
    pub fn read(folder: &Path) -> Result<Self, IdentityFileError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| file_error(&path, error))
        };
        let certificate = read(Self::CERTIFICATE)?;
        let key = Zeroizing::new(read(Self::KEY)?);
        Self::new(&certificate, &key).map_err(|error| file_error(folder, error))
    }

    /// Issues an anchor and a certificate for `name`, signed by the anchor and valid for a year,
    /// with P-256 keys. The anchor's key is discarded, so that it cannot sign other certificates.
    ///
    /// # Errors
    /// [`IdentityError::NotIssued`].
    pub fn issue(name: &str, now: i64) -> Result<Issued, IdentityError> {
        issue(name, now).map_err(|error| IdentityError::NotIssued(error.to_string()))
    }
}

impl Issued {
    /// Writes certificate, anchor and key to a folder. Only the file's owner can read the key.
    ///
    /// # Errors
    /// [`IdentityFileError`]; existing files are not overwritten.
    pub fn write(&self, folder: &Path) -> Result<(), IdentityFileError> {
        fs::create_dir_all(folder).map_err(|error| file_error(folder, error))?;
        let files = [
            (SigningIdentity::KEY, self.key.as_bytes(), 0o600),
            (SigningIdentity::CERTIFICATE, self.certificate.as_bytes(), 0o644),
            (SigningIdentity::ANCHOR, self.anchor.as_bytes(), 0o644),
        ];
        for (name, content, mode) in files {
            let path = folder.join(name);
            put(&path, content, mode).map_err(|error| file_error(&path, error))?;
        }
        Ok(())
    }

    /// Returns the signing identity.
    ///
    /// # Errors
    /// As [`SigningIdentity::new`].
    pub fn identity(&self) -> Result<SigningIdentity, IdentityError> {
        SigningIdentity::new(self.certificate.as_bytes(), self.key.as_bytes())
    }
}

impl std::fmt::Debug for SigningIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningIdentity").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Issued")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn issue(name: &str, now: i64) -> Result<Issued, rcgen::Error> {
    let mut anchor_key = KeyPair::generate()?;
    let mut anchor = lasting_a_year(&format!("{name}, anchor"), name, now);
    anchor.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    anchor.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let anchor_certificate = anchor.self_signed(&anchor_key)?;

    let mut key = KeyPair::generate()?;
    let mut signing = lasting_a_year(name, name, now);
    signing.is_ca = IsCa::ExplicitNoCa;
    signing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // The only purpose that every C2PA reader accepts by default.
    signing.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    signing.use_authority_key_identifier_extension = true;
    let issuer = Issuer::from_params(&anchor, &anchor_key);
    let certificate = signing.signed_by(&key, &issuer)?;

    let issued = Issued {
        certificate: certificate.pem() + &anchor_certificate.pem(),
        anchor: anchor_certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
    };
    anchor_key.zeroize();
    key.zeroize();
    Ok(issued)
}

fn put(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn file_error(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> IdentityFileError {
    IdentityFileError { path: path.to_owned(), source: source.into() }
}

/// Returns parameters valid from the day before `now`, since clocks differ, to a year after it.
fn lasting_a_year(name: &str, organisation: &str, now: i64) -> CertificateParams {
    let day = |days: i64| {
        let now = Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let now = now.to_zoned(TimeZone::UTC).date();
        let day = now.checked_add(Span::new().days(days)).unwrap_or(now);
        rcgen::date_time_ymd(day.year().into(), day.month() as u8, day.day() as u8)
    };
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, organisation);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = day(-1);
    parameters.not_after = day(365);
    parameters
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn identity_files_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("identity");
        let issued = SigningIdentity::issue("Ines", NOW).unwrap();
        issued.write(&folder).unwrap();
        let mode = fs::metadata(folder.join(SigningIdentity::KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = SigningIdentity::read(&folder).unwrap();
        assert_eq!(read.signer.certs().unwrap().len(), 2);
        assert!(matches!(issued.write(&folder), Err(IdentityFileError { .. })));
    }

    #[test]
    fn invalid_identity_error_hides_the_key() {
        let issued = SigningIdentity::issue("Ines", NOW).unwrap();
        let key = issued.key.replace('A', "B");
        for (certificate, key) in [
            (issued.certificate.as_str(), key.as_str()),
            ("", issued.key.as_str()),
            (issued.certificate.as_str(), ""),
        ] {
            let refused = SigningIdentity::new(certificate.as_bytes(), key.as_bytes());
            assert!(refused.is_err(), "{certificate} {key}");
        }
        let shown = format!("{issued:?} {:?}", issued.identity().unwrap());
        let secret = issued.key.lines().nth(1).unwrap();
        assert!(!shown.contains(secret));
    }
}
