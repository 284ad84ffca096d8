use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::problem::PayerError;

/// Lock of a state folder. It ends with the process.
pub struct StateLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl StateLock {
    /// Creates the folder, for its owner only, and locks it.
    ///
    /// # Errors
    /// [`PayerError::StateLocked`], [`PayerError::StateFailed`].
    pub fn take(state: &Path) -> Result<Self, PayerError> {
        let path = state.join("lock");
        let failed = |error: io::Error| PayerError::state(&path, error);
        create_private(state).map_err(failed)?;
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
                return Err(PayerError::StateLocked { path: state.display().to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let named = format!("process {}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(named.as_bytes())).map_err(failed)?;
        Ok(Self(file))
    }
}

/// Creates a folder that only its owner can read.
///
/// # Errors
/// Those of the file system.
pub fn create_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_process_error_names_holder() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("platform.payer");
        let first = StateLock::take(&state).unwrap();
        let Err(PayerError::StateLocked { holder, .. }) = StateLock::take(&state) else {
            panic!("the folder is locked twice");
        };
        assert_eq!(holder, format!("process {}", std::process::id()));
        drop(first);
        assert!(StateLock::take(&state).is_ok());
    }
}
