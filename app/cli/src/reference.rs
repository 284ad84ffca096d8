//! References to accounts and works on the command line: an address, or a file that leads to it.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{Client, WorkFilter},
    fingerprint::content_digest,
    keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{amount::parse_percent, error::CliError};

/// Reads a whole regular file. Others may have no end, or no writer.
///
/// # Errors
/// [`CliError::Unreadable`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error| CliError::unreadable(path, error);
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if found.is_dir() || found.is_file() {
        return std::fs::read(path).map_err(unreadable); // a directory has an error of its own
    }
    Err(CliError::unreadable(path, "not a regular file"))
}

/// Reads keypair files.
///
/// # Errors
/// [`motif_sdk::Error::File`] for the first that cannot be read.
pub fn read_keypairs(paths: &[PathBuf]) -> Result<Vec<Keypair>, CliError> {
    paths.iter().map(|path| Ok(keypair::read(path)?)).collect()
}

/// Account: an address, or the keypair file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReference(String);

impl AccountReference {
    /// Returns the address.
    ///
    /// # Errors
    /// [`CliError::InvalidReference`]; [`motif_sdk::Error::File`].
    pub fn address(&self) -> Result<Pubkey, CliError> {
        if let Ok(address) = self.0.parse() {
            return Ok(address);
        }
        if !Path::new(&self.0).exists() {
            return Err(CliError::InvalidReference(self.0.clone()));
        }
        Ok(keypair::read(Path::new(&self.0))?.pubkey())
    }
}

impl FromStr for AccountReference {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            Err("expected an address or a file")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// Work: its address, or the file it was registered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkReference(String);

impl WorkReference {
    /// Returns the address of the work. A file is looked up by the digest of its content.
    ///
    /// # Errors
    /// [`CliError::InvalidReference`]; [`CliError::UnregisteredFile`]; [`CliError::AmbiguousFile`].
    pub async fn address(&self, client: &Client) -> Result<Pubkey, CliError> {
        if let Ok(address) = self.0.parse() {
            return Ok(address);
        }
        let path = PathBuf::from(&self.0);
        if !path.exists() {
            return Err(CliError::InvalidReference(self.0.clone()));
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

impl FromStr for WorkReference {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            Err("expected an address or a file")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for WorkReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Work that a command is about.
#[derive(Args)]
pub struct WorkArgs {
    /// Address of the work, or the file it was registered from
    #[arg(value_name = "WORK")]
    work: WorkReference,
}

impl WorkArgs {
    /// Returns the address of the work, as [`WorkReference::address`].
    ///
    /// # Errors
    /// As [`WorkReference::address`].
    pub async fn address(&self, client: &Client) -> Result<Pubkey, CliError> {
        self.work.address(client).await
    }
}

/// Share of an account or a work: `ADDRESS=50%`, with a file in place of the address if wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareArg {
    pub holder: String,
    pub share_bps: u16,
}

impl FromStr for ShareArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "expected ADDRESS=SHARE such as ines.json=50%".to_owned();
        // A path may contain `=`; a percentage does not.
        let (holder, share) = text.rsplit_once('=').ok_or_else(invalid)?;
        if holder.is_empty() {
            return Err(invalid());
        }
        Ok(Self { holder: holder.to_owned(), share_bps: parse_percent(share)? })
    }
}

/// Returns the addresses of recipients, with their shares in basis points.
///
/// # Errors
/// [`CliError::InvalidReference`]; [`motif_sdk::Error::File`].
pub fn recipients(shares: &[ShareArg]) -> Result<Vec<(Pubkey, u16)>, CliError> {
    let recipient =
        |share: &ShareArg| Ok((AccountReference(share.holder.clone()).address()?, share.share_bps));
    shares.iter().map(recipient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_file_is_not_read() {
        let refused = read_file(Path::new("/dev/zero")).unwrap_err();
        assert!(refused.to_string().ends_with("not a regular file"), "{refused}");
    }

    #[test]
    fn share_follows_the_last_equals_sign() {
        let share: ShareArg = "a=b.json=33.33%".parse().unwrap();
        assert_eq!(share, ShareArg { holder: "a=b.json".to_owned(), share_bps: 3_333 });
        for text in ["", "ines.json", "=50%", "ines.json=50", "ines.json=101%"] {
            assert!(text.parse::<ShareArg>().is_err(), "{text}");
        }
    }
}
