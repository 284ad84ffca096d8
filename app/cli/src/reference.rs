//! References to accounts and works on the command line: an address, or a file that leads to it.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{Client, WorkFilter},
    credentials::digests,
    fingerprint::{MAX_CONTENT_BYTES, read_digest, set_digest},
    keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{amount::parse_percent, error::CliError};

/// Maximum depth of a folder whose files are a work: symbolic links can form a circle.
const MAX_DEPTH: usize = 32;

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

/// Returns the SHA-256 of a file's content, read in one pass and in bounded memory; of a folder, the digest of the set of
/// its files.
///
/// # Errors
/// [`CliError::Unreadable`].
pub fn digest_path(path: &Path) -> Result<[u8; 32], CliError> {
    let unreadable = |error| CliError::unreadable(path, error);
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if found.is_dir() {
        let mut files = Vec::new();
        add_files(path, "", MAX_DEPTH, &mut files)?;
        return match files.is_empty() {
            true => Err(CliError::unreadable(path, "the folder has no files")),
            false => Ok(set_digest(files)),
        };
    }
    if !found.is_file() {
        return Err(CliError::unreadable(path, "not a regular file"));
    }
    read_digest(File::open(path).map_err(unreadable)?).map_err(unreadable)
}

/// Adds the files below a folder, each with its path from the root and its digest. Hidden files are left
/// out: tools and file managers leave theirs in any folder.
fn add_files(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, [u8; 32])>,
) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| CliError::unreadable(folder, error);
    if depth == 0 {
        let reason = format!("the folder is more than {MAX_DEPTH} folders deep");
        return Err(CliError::unreadable(folder, reason));
    }
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let (name, path) =
            entry.map(|entry| (entry.file_name(), entry.path())).map_err(unreadable)?;
        // `sha256sum` escapes these, and a manifest is text.
        let name = name.to_str().filter(|name| !name.contains(['\\', '\n', '\r']));
        let Some(name) = name else {
            let reason = "the file's name is not UTF-8, or has a backslash or a line break";
            return Err(CliError::unreadable(&path, reason));
        };
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            add_files(&path, &format!("{name}/"), depth - 1, files)?;
        } else {
            files.push((name, digest_path(&path)?));
        }
    }
    Ok(())
}

/// Returns the digest of what a file is the signed copy of; `None` if it carries no content credentials, or is too large
/// to carry them.
///
/// # Errors
/// [`CliError::Unreadable`].
fn bare_digest(path: &Path) -> Result<Option<[u8; 32]>, CliError> {
    let found = std::fs::metadata(path).map_err(|error| CliError::unreadable(path, error))?;
    if !found.is_file() || found.len() > MAX_CONTENT_BYTES as u64 {
        return Ok(None);
    }
    Ok(digests(&read_file(path)?).bare)
}

/// Returns the works with the content of a file or folder, or else those that the file is the signed copy of,
/// earliest registration first.
///
/// # Errors
/// [`CliError::Unreadable`]; [`motif_sdk::Error::Transport`].
async fn works_with(path: &Path, client: &Client) -> Result<Vec<Pubkey>, CliError> {
    let found = works_of(digest_path(path)?, client).await?;
    match bare_digest(path)? {
        Some(bare) if found.is_empty() => works_of(bare, client).await,
        _ => Ok(found),
    }
}

/// Returns the works with this content, earliest registration first.
///
/// # Errors
/// [`motif_sdk::Error::Transport`].
pub async fn works_of(digest: [u8; 32], client: &Client) -> Result<Vec<Pubkey>, CliError> {
    let filter = WorkFilter { content_digest: Some(digest), ..WorkFilter::default() };
    Ok(client.works(&filter).await?.into_iter().map(|(address, _)| address).collect())
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

/// Work: its address, or the file it was registered from, or a signed copy of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkReference(String);

impl WorkReference {
    /// Returns the address of the work. A file is looked up by the digest of its content, and then by
    /// that of what it is the signed copy of.
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
        let works = works_with(&path, client).await?;
        let path = self.0.clone();
        match works.as_slice() {
            [] => Err(CliError::UnregisteredFile { path }),
            [address] => Ok(*address),
            _ => {
                let listed: Vec<_> = works.iter().map(Pubkey::to_string).collect();
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

/// Addresses that may be paid although no key signs for them.
#[derive(Args)]
pub struct UnsignableArgs {
    /// Address that may be paid although no key signs for it, such as a multisig's vault
    #[arg(long, value_name = "ADDRESS")]
    allow_unsignable: Vec<Pubkey>,
}

impl UnsignableArgs {
    /// Returns the client with these addresses allowed.
    pub fn allow(&self, client: Client) -> Client {
        client.allow_unsignable(self.allow_unsignable.iter().copied())
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

/// Shares, separated by commas. A comma in a path does not end a share: only one after a percentage does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareList(Vec<ShareArg>);

impl FromStr for ShareList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut shares, mut began) = (Vec::new(), 0);
        let ends = text.match_indices("%,").map(|(at, _)| at + 1).chain([text.len()]);
        for end in ends {
            match text[began..end].parse() {
                Ok(share) => {
                    shares.push(share);
                    began = (end + 1).min(text.len());
                }
                // `%,` within a path.
                Err(_) if end < text.len() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(shares))
    }
}

impl ShareList {
    /// Returns the shares of all lists.
    pub fn all(lists: Vec<Self>) -> Vec<ShareArg> {
        lists.into_iter().flat_map(|list| list.0).collect()
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
    use motif_sdk::fingerprint::content_digest;

    use super::*;

    #[test]
    fn endless_file_is_not_read() {
        let refused = read_file(Path::new("/dev/zero")).unwrap_err();
        assert!(refused.to_string().ends_with("not a regular file"), "{refused}");
    }

    #[test]
    fn endless_file_has_no_digest() {
        let refused = digest_path(Path::new("/dev/zero")).unwrap_err();
        assert!(refused.to_string().ends_with("not a regular file"), "{refused}");
    }

    #[test]
    fn folder_has_the_digest_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(digest_path(folder.path()).is_err(), "no files");
        std::fs::create_dir_all(path("b")).unwrap();
        for (name, text) in [("b/1", "beta"), ("a.bin", "alpha"), (".DS_Store", "x")] {
            std::fs::write(path(name), text).unwrap();
        }
        let files = [("a.bin", "alpha"), ("b/1", "beta")];
        let files = files.map(|(name, text)| (name.to_owned(), content_digest(text.as_bytes())));
        assert_eq!(digest_path(folder.path()).unwrap(), set_digest(files.to_vec()));
        std::os::unix::fs::symlink(folder.path(), path("b/loop")).unwrap();
        assert!(digest_path(folder.path()).unwrap_err().to_string().contains("deep"));
    }

    #[test]
    fn comma_in_path_ends_no_share() {
        let holders = |text: &str| -> Result<Vec<String>, String> {
            Ok(text.parse::<ShareList>()?.0.into_iter().map(|share| share.holder).collect())
        };
        let expected = ["Müller, Ines.json", "kofi.json"].map(str::to_owned).to_vec();
        assert_eq!(holders("Müller, Ines.json=50%,kofi.json=50%"), Ok(expected));
        assert_eq!(holders("100%,a.json=50%"), Ok(vec!["100%,a.json".to_owned()]));
        for wrong in ["", "a.json=50%,", "a.json=50%,b.json", "a.json,b.json", "=50%"] {
            assert!(holders(wrong).is_err(), "{wrong}");
        }
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
