use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use motif_fingerprint::content_digest;

/// Half of the data. Thresholds are chosen on one half and judged on the other. All works of a
/// group are in the same half, chosen by the SHA-256 of the group's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    Chosen,
    Judged,
}

impl Half {
    pub const ALL: [Self; 2] = [Self::Chosen, Self::Judged];

    pub fn from_group(group: &str) -> Self {
        if content_digest(group.as_bytes())[0] & 1 == 0 { Self::Chosen } else { Self::Judged }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Chosen => "chosen on",
            Self::Judged => "judged on",
        }
    }
}

/// Returns a file's group: its package, and its name without numbers and sizes. In the name
/// `people/head_2.png` that is `head`; all such files count as related.
pub fn group(package: &str, path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let words = name.split(|character: char| !character.is_alphabetic());
    let words: Vec<_> = words.filter(|word| word.len() > 1).take(3).collect();
    format!("{package}/{}", words.join("_"))
}

/// Returns the files below a folder with these endings, in order. Skips symbolic links.
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

/// Maps all items on all processors; returns the results in order.
pub fn in_parallel<T: Sync, R: Send>(all: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(all.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = all.get(place) else { return };
                    let answer = one(item);
                    done.lock().unwrap().push((place, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, answer)| answer).collect()
}
