//! Keys in files, in the format of the Solana command line: a JSON array of 64 numbers.

use std::path::Path;

use ed25519_dalek::SigningKey;
use solana_keypair::Keypair;

use crate::Error;

/// Reads a keypair file.
///
/// # Errors
/// [`Error::File`] with what is wrong with it; never with any of its bytes.
pub fn read(path: &Path) -> Result<Keypair, Error> {
    let refuse = |reason: String| Error::File { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| {
        refuse("expected a JSON array of 64 numbers, as `solana-keygen` writes it".into())
    })?;
    Keypair::try_from(bytes.as_slice())
        .map_err(|_| refuse("the 64 numbers are not a keypair".into()))
}

/// Writes a new keypair to a file that must not exist yet, readable by its owner alone.
///
/// # Errors
/// [`Error::File`].
pub fn create(path: &Path) -> Result<Keypair, Error> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let refuse = |error: std::io::Error| Error::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let keypair = Keypair::new();
    let bytes = keypair.to_bytes().to_vec();
    let text = serde_json::to_string(&bytes).map_err(|error| Error::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(refuse)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(refuse)?;
    Ok(keypair)
}

/// The same key for signing vouchers and receipts.
pub fn signing_key(keypair: &Keypair) -> SigningKey {
    SigningKey::from_bytes(keypair.secret_bytes())
}

#[cfg(test)]
mod tests {
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn a_created_keypair_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        let created = create(&path).unwrap();
        assert_eq!(read(&path).unwrap().pubkey(), created.pubkey());
        assert!(matches!(create(&path), Err(Error::File { .. })));
        assert_eq!(read(&path).unwrap().pubkey(), created.pubkey());
    }

    #[test]
    fn a_broken_file_is_named_and_its_bytes_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        std::fs::write(&path, "[201, 202]").unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert!(message.contains("id.json") && !message.contains("201"), "{message}");
    }
}
