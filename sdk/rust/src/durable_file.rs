//! Files that outlive their process, and locks that end with it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
};

/// Mode of a file that only its owner can read and write.
pub const PRIVATE: u32 = 0o600;

/// Lock on a file, which names the process that has it. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct LockFile(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Error returned when a lock is not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("in use by {0}")]
    Held(String),
    /// The file cannot be opened, locked or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LockFile {
    /// Locks a file, which is created if it does not exist.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let mut file = open(path, PRIVATE)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).unwrap_or_default();
                return Err(LockError::Held(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let named = format!("process {} on {}\n", std::process::id(), host());
        file.set_len(0).and_then(|()| file.write_all(named.as_bytes()))?;
        Ok(Self(file))
    }
}

/// Opens a file to read and append. One that does not exist is created with permissions `mode`.
///
/// # Errors
/// [`io::Error`].
pub fn open(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Writes a file as a whole or not at all, durably, with permissions `mode`; returns it, open to read and
/// append.
///
/// # Errors
/// [`io::Error`]: the file is as it was or, if its folder could not be synced, the new one.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.writing"));
    let mut file = open(&temporary, mode)?;
    file.set_len(0)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Makes the rename durable, too.
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

/// Returns the name of this machine.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "this machine".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_lock_names_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = LockFile::take(&path).unwrap();
        let Err(LockError::Held(holder)) = LockFile::take(&path) else {
            panic!("the file is locked twice");
        };
        assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
        drop(first);
        LockFile::take(&path).unwrap();
    }

    #[test]
    fn replaced_file_can_be_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(folder.path().join(".file.writing"), "a longer text of a killed process")
            .unwrap();
        drop(replace(&path, b"one", PRIVATE).unwrap());
        replace(&path, b"two", PRIVATE).unwrap().write_all(b", three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two, three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
