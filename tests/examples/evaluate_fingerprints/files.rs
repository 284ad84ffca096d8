use std::path::{Path, PathBuf};

use motif_sdk::fingerprint::content_digest;

/// On which half of the data something is: thresholds are chosen on the first, and reported on
/// the second. Decided by the SHA-256 of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Chosen,
    Reported,
}

impl Half {
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if content_digest(name.as_bytes())[0] & 1 == 0 { Self::Chosen } else { Self::Reported }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Chosen => "chosen on",
            Self::Reported => "reported on",
        }
    }
}

/// Files below a folder that end like this, in order.
pub fn below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = path.to_string_lossy().to_lowercase();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Does the same for everything, on every processor.
pub fn in_parallel<T: Sync, R: Send>(all: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let started: Vec<_> = all
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&one).collect::<Vec<_>>()))
            .collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
