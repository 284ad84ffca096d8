//! Files that outlive their process, and locks that end with it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
};

/// Mode of a file that only its owner can read and write.
pub const PRIVATE: u32 = 0o600;

/// End of the name of a file that is being written.
const WRITING: &str = ".writing";

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
        // The lock holds without the name, for which a full disk may have no room.
        let _ = file.set_len(0).and_then(|()| file.write_all(named.as_bytes()));
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
/// [`io::Error`]: the file is as it was or, if its folder could not be synced, the new one. The temporary
/// file beside it is removed, so that what did not fit on a full disk takes no room.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}{WRITING}"));
    let file = write_and_rename((&temporary, path), content, mode).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Makes the rename durable, too.
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

fn write_and_rename(
    (temporary, path): (&Path, &Path),
    content: &[u8],
    mode: u32,
) -> io::Result<File> {
    let mut file = open(temporary, mode)?;
    file.set_len(0)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    Ok(file)
}

/// Removes what killed processes have written of files in a folder, if it exists. No other process may
/// write files in it.
///
/// # Errors
/// [`io::Error`].
pub fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(WRITING) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Appends to a file. After an error, the file is as long as before.
///
/// # Errors
/// [`io::Error`].
pub fn append(file: &mut File, text: &[u8]) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.write_all(text).inspect_err(|_| {
        let _ = file.set_len(length);
    })
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

    #[test]
    fn failed_replacement_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // A folder is not replaced by a file.
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, b"one", PRIVATE).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn unfinished_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["file", ".file.writing", "other.writing"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_unfinished(folder.path()).unwrap();
        remove_unfinished(&folder.path().join("missing")).unwrap();
        assert!(!folder.path().join(".file.writing").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
