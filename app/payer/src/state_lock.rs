use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::Path};

use motif_sdk::durable_file::{LockError, LockFile};

use crate::problem::PayerError;

/// Creates a state folder, for its owner only, and locks it.
///
/// # Errors
/// [`PayerError::StateLocked`], [`PayerError::StateFailed`].
pub fn lock_state(state: &Path) -> Result<LockFile, PayerError> {
    let path = state.join("lock");
    create_private(state).map_err(|error| PayerError::state(&path, error))?;
    LockFile::take(&path).map_err(|error| match error {
        LockError::Held(holder) => {
            PayerError::StateLocked { path: state.display().to_string(), holder }
        }
        LockError::Io(error) => PayerError::state(&path, error),
    })
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
        let first = lock_state(&state).unwrap();
        let Err(PayerError::StateLocked { holder, .. }) = lock_state(&state) else {
            panic!("the folder is locked twice");
        };
        assert!(holder.starts_with(&format!("process {} ", std::process::id())), "{holder}");
        drop(first);
        assert!(lock_state(&state).is_ok());
    }
}
