//! Keypair files in the format of the Solana command line: a JSON array of 64 numbers.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use solana_keypair::{Keypair, read_keypair, write_keypair};

use crate::Error;

/// Reads a keypair file.
///
/// # Errors
/// [`Error::File`], without any of the file's bytes.
pub fn read(path: &Path) -> Result<Keypair, Error> {
    let mut file = File::open(path).map_err(|error| file_error(path, error))?;
    read_keypair(&mut file).map_err(|_| {
        file_error(path, "expected a JSON array of 64 numbers, as `solana-keygen` writes it")
    })
}

/// Writes a new keypair to a new file that only its owner can read.
///
/// # Errors
/// [`Error::File`]; an existing file is not overwritten.
pub fn create(path: &Path) -> Result<Keypair, Error> {
    let keypair = Keypair::new();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| file_error(path, error))?;
    write_keypair(&keypair, &mut file).map_err(|error| file_error(path, error.to_string()))?;
    file.sync_all().map_err(|error| file_error(path, error))?;
    Ok(keypair)
}

fn file_error(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::File { path: path.to_owned(), source: source.into() }
}

/// Returns the keypair's key for signing vouchers and receipts.
pub fn signing_key(keypair: &Keypair) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(keypair.secret_bytes())
}

#[cfg(test)]
mod tests {
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn created_keypair_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        let created = create(&path).unwrap();
        assert_eq!(read(&path).unwrap().pubkey(), created.pubkey());
        assert!(matches!(create(&path), Err(Error::File { .. })));
        assert_eq!(read(&path).unwrap().pubkey(), created.pubkey());
    }

    #[test]
    fn broken_file_error_hides_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        for broken in ["[201, 202]", "[201", "201", &format!("{:?}", [201_u8; 64])] {
            std::fs::write(&path, broken).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("id.json") && !message.contains("201"), "{message}");
        }
    }
}
