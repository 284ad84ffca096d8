use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rand::RngCore;
use zeroize::Zeroizing;

/// Key of the digests of API tokens, with which the store keeps neither tokens nor what verifies
/// them.
///
/// It has a file of its own, so that API keys outlive a rotation of the settle key: 64 hexadecimal
/// digits, readable by its owner only.
#[derive(Clone)]
pub struct DigestKey(Zeroizing<[u8; 32]>);

/// Error returned when a digest key's file cannot be read or created.
#[derive(Debug, thiserror::Error)]
pub enum DigestKeyError {
    /// Error returned when the file system fails.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Error returned when a file contains something else.
    #[error("expected 64 hexadecimal digits")]
    Malformed,
}

impl DigestKey {
    const CONTEXT: &str = "motif gateway 2026-11 digests of API tokens";
    const MARK: &str = "motif gateway 2026-11 mark of the key of API tokens' digests";

    /// Derives the key from the secret half of a settle key.
    pub fn derive(settle_secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(blake3::derive_key(Self::CONTEXT, settle_secret)))
    }

    /// Reads the key from its file. A missing file is created with `present`, the key of the digests
    /// that the store has, or else with a random key.
    ///
    /// # Errors
    /// [`DigestKeyError`], without any of the file's bytes.
    pub fn open(path: &Path, present: Option<Self>) -> Result<Self, DigestKeyError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&Zeroizing::new(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                present.unwrap_or_else(Self::random).create(path)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that the file, if there is one, has a key.
    ///
    /// # Errors
    /// [`DigestKeyError`], without any of the file's bytes.
    pub fn check(path: &Path) -> Result<(), DigestKeyError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&Zeroizing::new(text)).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the mark by which a store knows its key. It reveals nothing of the key.
    pub fn mark(&self) -> [u8; 32] {
        self.derived(Self::MARK)
    }

    /// Derives a key of another use.
    pub fn derived(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &*self.0)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(&mut *bytes);
        Self(bytes)
    }

    fn parse(text: &str) -> Result<Self, DigestKeyError> {
        let bytes = blake3::Hash::from_hex(text.trim()).map_err(|_| DigestKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(*bytes.as_bytes())))
    }

    /// Creates the file, whole or not at all. Returns the key of a file that another process has
    /// created meanwhile.
    fn create(self, path: &Path) -> Result<Self, DigestKeyError> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let _ = std::fs::remove_file(&name); // left by a killed process with this id
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name)?;
        let text = Zeroizing::new(format!("{}\n", blake3::Hash::from_bytes(*self.0).to_hex()));
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match std::fs::hard_link(&name, path) {
            Ok(()) => std::fs::remove_file(&name)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(&name)?;
                return Self::parse(&Zeroizing::new(std::fs::read_to_string(path)?));
            }
            Err(_) => std::fs::rename(&name, path)?, // a file system without hard links
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(self)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestKey(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn digest_file_is_private_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digest-key");
        let created = DigestKey::open(&path, None).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = Some(DigestKey::derive(&[7; 32]));
        assert_eq!(DigestKey::open(&path, other).unwrap().as_bytes(), created.as_bytes());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let another = DigestKey::open(&folder.path().join("another"), None).unwrap();
        assert_ne!(another.as_bytes(), created.as_bytes());
    }

    #[test]
    fn new_digest_file_keeps_present_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digest-key");
        let present = DigestKey::derive(&[7; 32]);
        let opened = DigestKey::open(&path, Some(present.clone())).unwrap();
        assert_eq!(opened.as_bytes(), present.as_bytes());
        assert_eq!(DigestKey::open(&path, None).unwrap().as_bytes(), present.as_bytes());
    }

    #[test]
    fn malformed_digest_file_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digest-key");
        for broken in ["", "c0ffee", &"c0ffee".repeat(11)] {
            std::fs::write(&path, broken).unwrap();
            let error = DigestKey::open(&path, None).unwrap_err();
            assert!(matches!(error, DigestKeyError::Malformed));
            assert!(!format!("{error} {error:?}").contains("c0ffee"));
        }
    }
}
