use std::{
    fs::{DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

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

/// Locks the file of the voucher key, as `motif generate` does; `None` if it is missing, or on a file system
/// without locks. Nothing is written.
///
/// One channel has one order of vouchers: two processes would overtake each other.
///
/// # Errors
/// [`PayerError::VoucherKeyLocked`], [`PayerError::StateFailed`].
pub fn lock_voucher_key(path: &Path) -> Result<Option<File>, PayerError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| PayerError::state(path, error))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(PayerError::VoucherKeyLocked(path.display().to_string()))
        }
        Err(TryLockError::Error(_)) => Ok(None),
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
        let first = lock_state(&state).unwrap();
        let Err(PayerError::StateLocked { holder, .. }) = lock_state(&state) else {
            panic!("the folder is locked twice");
        };
        assert!(holder.starts_with(&format!("process {} ", std::process::id())), "{holder}");
        drop(first);
        assert!(lock_state(&state).is_ok());
    }

    #[test]
    fn voucher_key_is_locked_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("voucher.json");
        assert!(lock_voucher_key(&path).unwrap().is_none());
        std::fs::write(&path, "[]").unwrap();
        let first = lock_voucher_key(&path).unwrap();
        let second = lock_voucher_key(&path).err();
        assert!(matches!(second, Some(PayerError::VoucherKeyLocked(_))), "{second:?}");
        drop(first);
        assert!(lock_voucher_key(&path).unwrap().is_some());
        assert_eq!(std::fs::read(&path).unwrap(), b"[]");
    }
}
