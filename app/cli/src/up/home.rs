use std::{
    fs::DirBuilder,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

use motif_payer_service::create_private;
use motif_sdk::keypair;
use solana_keypair::Keypair;
use tempfile::TempDir;

use crate::error::CliError;

/// Folder of `motif up`: keypairs that outlive a run, and one folder for each run. Every run has a new
/// chain, to which the stores of earlier runs do not belong.
pub struct Home {
    folder: PathBuf,
    /// Folder of the run.
    pub run: PathBuf,
    /// Removes the folder at the end, unless the user has named one.
    _temporary: Option<TempDir>,
}

impl Home {
    /// Creates a temporary folder, or the folder of the next run in a folder that is kept.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn open(kept: Option<&Path>) -> Result<Self, CliError> {
        let Some(kept) = kept else {
            let temporary = tempfile::Builder::new().prefix("motif-up-").tempdir();
            let temporary =
                temporary.map_err(|error| CliError::unwritable(&std::env::temp_dir(), error))?;
            let folder = temporary.path().to_owned();
            return Ok(Self { run: folder.clone(), folder, _temporary: Some(temporary) });
        };
        let unwritable = |error| CliError::unwritable(kept, error);
        let folder = std::path::absolute(kept).map_err(unwritable)?;
        create_private(&folder).map_err(unwritable)?;
        for number in 1..=u32::MAX {
            let run = folder.join(format!("run-{number}"));
            match DirBuilder::new().mode(0o700).create(&run) {
                Ok(()) => return Ok(Self { folder, run, _temporary: None }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CliError::unwritable(&run, error)),
            }
        }
        Err(CliError::unwritable(kept, "it has too many runs"))
    }

    /// Returns a path in the run's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.run.join(name)
    }

    /// Reads a keypair, or creates it. Returns it with a path in the run's folder, so that what commands
    /// write beside a keypair belongs to the run.
    ///
    /// # Errors
    /// [`motif_sdk::Error::File`]; [`CliError::Unwritable`].
    pub fn keypair(&self, name: &str) -> Result<(PathBuf, Keypair), CliError> {
        let file = format!("{name}.json");
        let (path, linked) = (self.folder.join(&file), self.run.join(&file));
        let keypair = if path.exists() { keypair::read(&path)? } else { keypair::create(&path)? };
        if path != linked {
            let target = Path::new("..").join(&file);
            symlink(target, &linked).map_err(|error| CliError::unwritable(&linked, error))?;
        }
        Ok((linked, keypair))
    }
}

#[cfg(test)]
mod tests {
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn keypair_outlives_its_run() {
        let kept = tempfile::tempdir().unwrap();
        let runs = [(); 2].map(|()| Home::open(Some(kept.path())).unwrap());
        assert_ne!(runs[0].run, runs[1].run);
        let [one, other] = runs.map(|home| home.keypair("ines").unwrap());
        assert_eq!(one.1.pubkey(), other.1.pubkey());
        assert_eq!(keypair::read(&other.0).unwrap().pubkey(), one.1.pubkey());
    }

    #[test]
    fn temporary_folder_is_removed() {
        let home = Home::open(None).unwrap();
        let (path, _) = home.keypair("ines").unwrap();
        assert!(path.exists());
        drop(home);
        assert!(!path.exists());
    }
}
