//! Keypair files: JSON arrays, as the Solana command line writes them, and base58 exports of wallets.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use solana_keypair::{Keypair, write_keypair};

use crate::Error;

/// Maximum length of a keypair's text, bytes.
const MAX_TEXT_BYTES: u64 = 4_096;

/// Error returned when a text is not a keypair. It shows none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a keypair: a JSON array of 64 numbers or of a seed's 32, or 64 bytes in base58")]
pub struct InvalidKeypair;

/// Error returned when a path names a hardware wallet or a seed phrase, as the Solana command line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "hardware wallets and seed phrases are not read: expected a keypair file, or `-` for stdin"
)]
pub struct NoFile;

/// Reads a keypair file in one of the formats of [`parse`]; `-` reads it from stdin.
///
/// # Errors
/// [`Error::File`], without any of the file's bytes.
pub fn read(path: &Path) -> Result<Keypair, Error> {
    let failed = |error: io::Error| file_error(path, error);
    if is_device(path) {
        return Err(file_error(path, NoFile));
    }
    let source: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(failed)?),
    };
    let mut text = Secret(Vec::new());
    source.take(MAX_TEXT_BYTES).read_to_end(&mut text.0).map_err(failed)?;
    let text = std::str::from_utf8(&text.0).map_err(|_| file_error(path, InvalidKeypair))?;
    parse(text).map_err(|error| file_error(path, error))
}

/// Returns whether a path names a hardware wallet or a seed phrase, such as `usb://ledger`.
pub fn is_device(path: &Path) -> bool {
    let is = |scheme: &str| path.to_str().is_some_and(|path| path.starts_with(scheme));
    is("usb:") || is("prompt:")
}

/// Parses a keypair: a JSON array of 64 numbers, as `solana-keygen` writes it, or of the 32 numbers
/// of a seed, or the 64 bytes in base58, as browser wallets export them. A byte order mark is skipped.
///
/// # Errors
/// [`InvalidKeypair`], also if the two halves do not belong together.
pub fn parse(text: &str) -> Result<Keypair, InvalidKeypair> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).trim();
    let Some(numbers) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return Keypair::try_from_base58_string(text).map_err(|_| InvalidKeypair);
    };
    let numbers = numbers.split(',').map(|number| number.trim().parse::<u8>());
    let bytes = Secret(numbers.collect::<Result<_, _>>().map_err(|_| InvalidKeypair)?);
    match <[u8; 32]>::try_from(&bytes.0[..]) {
        Ok(seed) => Ok(Keypair::new_from_array(seed)),
        Err(_) => Keypair::try_from(&bytes.0[..]).map_err(|_| InvalidKeypair),
    }
}

/// Returns whether users other than the file's owner and its group can read or write it; `false` if
/// it does not exist.
pub fn is_exposed(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o006 != 0)
}

/// Bytes that are overwritten on drop.
struct Secret(Vec<u8>);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from leaving out a write that nothing reads.
        std::hint::black_box(&self.0);
    }
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
    fn all_keypair_formats_are_equal() {
        let keypair = Keypair::new_from_array([7; 32]);
        let json = |bytes: &[u8]| format!("{bytes:?}");
        for text in [
            json(&keypair.to_bytes()),
            json(&[7; 32]),
            format!(" {:?}\n", [7; 32]).replace(' ', "  "),
            keypair.to_base58_string(),
            format!("{}\n", keypair.to_base58_string()),
            format!("\u{FEFF}{}\r\n", json(&keypair.to_bytes())),
        ] {
            assert_eq!(parse(&text).map(|read| read.to_bytes()), Ok(keypair.to_bytes()));
        }
        let other_half = [&[7; 32][..], &[8; 32]].concat();
        let short = keypair.to_base58_string()[..40].to_owned();
        for wrong in ["", "[]", "[7]", "[7", "[256]", &json(&[7; 33]), &json(&other_half), &short] {
            assert_eq!(parse(wrong).err(), Some(InvalidKeypair), "{wrong}");
        }
    }

    #[test]
    fn hardware_wallet_is_named() {
        for path in ["usb://ledger", "usb://ledger?key=0", "prompt://"] {
            let message = read(Path::new(path)).unwrap_err().to_string();
            assert!(message.contains("hardware wallets"), "{message}");
        }
    }

    #[test]
    fn exposed_file_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        assert!(!is_exposed(&path));
        create(&path).unwrap();
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
            assert_eq!(is_exposed(&path), expected, "{mode:o}");
        }
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
