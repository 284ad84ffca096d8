//! What stands for an address on the command line: the address itself, or a file.

use std::path::{Path, PathBuf};

use motif_sdk::{
    Pubkey,
    client::{Client, WorkFilter},
    fingerprint::content_digest,
    keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{amount::parse_percent, error::CliError};

/// Reads a file whole.
///
/// # Errors
/// [`CliError::Unreadable`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| {
        let reason = error.to_string();
        CliError::Unreadable { path: path.display().to_string(), reason }
    })
}

/// Somebody: an address, or a keypair file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody(String);

impl Somebody {
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("empty".to_owned()) } else { Ok(Self(text.to_owned())) }
    }

    /// Whose address this is.
    ///
    /// # Errors
    /// [`CliError::NeitherAddressNorFile`]; [`motif_sdk::Error::File`].
    pub fn address(&self) -> Result<Pubkey, CliError> {
        if let Ok(address) = self.0.parse() {
            return Ok(address);
        }
        if !Path::new(&self.0).exists() {
            return Err(CliError::NeitherAddressNorFile(self.0.clone()));
        }
        Ok(keypair::read(Path::new(&self.0))?.pubkey())
    }
}

/// A work: its address, or the file it was registered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkReference(String);

impl WorkReference {
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("empty".to_owned()) } else { Ok(Self(text.to_owned())) }
    }

    /// The work's address. For a file, found by its content's digest.
    ///
    /// # Errors
    /// [`CliError::NeitherAddressNorFile`]; [`CliError::UnregisteredFile`];
    /// [`CliError::AmbiguousFile`].
    pub async fn address(&self, client: &Client) -> Result<Pubkey, CliError> {
        if let Ok(address) = self.0.parse() {
            return Ok(address);
        }
        let path = PathBuf::from(&self.0);
        if !path.exists() {
            return Err(CliError::NeitherAddressNorFile(self.0.clone()));
        }
        let digest = content_digest(&read_file(&path)?);
        let filter = WorkFilter { content_digest: Some(digest), ..WorkFilter::default() };
        let works = client.works(&filter).await?;
        let path = self.0.clone();
        match works.as_slice() {
            [] => Err(CliError::UnregisteredFile { path }),
            [(address, _)] => Ok(*address),
            _ => {
                let listed: Vec<_> = works.iter().map(|(address, _)| address.to_string()).collect();
                let (count, works) = (works.len(), listed.join(", "));
                Err(CliError::AmbiguousFile { path, count, works })
            }
        }
    }
}

impl std::fmt::Display for WorkReference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whose share of something: `ADDRESS=50%`, where a file may stand for the address.
///
/// # Errors
/// What is wrong with it, for clap.
pub fn parse_share(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("`{text}` is no share; write for example ADDRESS=50%");
    // A path may contain `=`; a percentage does not.
    let (whose, share) = text.rsplit_once('=').ok_or_else(wrong)?;
    if whose.is_empty() {
        return Err(wrong());
    }
    Ok((whose.to_owned(), parse_percent(share)?))
}

/// The addresses behind shares that were read by [`parse_share`].
///
/// # Errors
/// [`CliError::NeitherAddressNorFile`]; [`motif_sdk::Error::File`].
pub fn recipients(split: &[(String, u16)]) -> Result<Vec<(Pubkey, u16)>, CliError> {
    let mut recipients = Vec::with_capacity(split.len());
    for (whose, share_bps) in split {
        let somebody = Somebody::parse(whose);
        let somebody = somebody.map_err(|_| CliError::NeitherAddressNorFile(whose.clone()))?;
        recipients.push((somebody.address()?, *share_bps));
    }
    Ok(recipients)
}

/// Reads keypair files.
///
/// # Errors
/// [`motif_sdk::Error::File`] for the first that cannot be read.
pub fn keypairs(paths: &[PathBuf]) -> Result<Vec<Keypair>, CliError> {
    paths.iter().map(|path| Ok(keypair::read(path)?)).collect()
}
