//! Files of a store: names, modes, and a journal that is not beside its tables.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use motif_store::{Change, Lease, StoreError};

use crate::{
    replay::{copy, killed_after},
    world::{generation, open, options, register},
};

fn without_journal(file: &Path, named: &str) -> std::path::PathBuf {
    let copied = copy(file, &file.with_file_name(named));
    for number in [0, 1] {
        fs::remove_file(format!("{}.journal-{number}", copied.display())).unwrap();
    }
    copied
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_store_requires_its_journal() {
    let write = async |store: &motif_store::Store, channel_id| {
        let lease = Lease { channel_id, epoch: 0 };
        let change =
            Change::Generations { generations: vec![generation(channel_id, 0)], holds: Vec::new() };
        store.writer().issue(lease, change, None).await.unwrap();
    };
    let (_folder, file) = killed_after(write).await;
    let bare = without_journal(&file, "bare");
    for _ in 0..2 {
        let error = options().open_file(&bare).await.unwrap_err();
        assert!(matches!(error, StoreError::JournalMissing(_)), "{error}");
    }
    // The journal of another store does not help.
    let other = bare.with_file_name("other");
    open(&other).await.close().await;
    for number in [0, 1] {
        let name = |stem: &Path| format!("{}.journal-{number}", stem.display());
        fs::copy(name(&other), name(&bare)).unwrap();
    }
    let error = options().open_file(&bare).await.unwrap_err();
    assert!(matches!(error, StoreError::ForeignJournal(_)), "{error}");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), 1);
    store.close().await;
}

#[tokio::test]
async fn closed_store_opens_without_journal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    for number in 0..2 {
        let generations = vec![generation(channel_id, number)];
        let change = Change::Generations { generations, holds: Vec::new() };
        store.writer().issue(lease, change, None).await.unwrap();
    }
    store.close().await;
    let store = open(&without_journal(&file, "bare")).await;
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), 2);
    store.close().await;
}

#[tokio::test]
async fn symbolic_link_is_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let store = open(&link).await;
    let error = options().open_file(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse), "{error}");
    assert!(file.with_file_name("store.journal-0").exists());
    assert!(!file.with_file_name("link.journal-0").exists());
    store.close().await;
}

#[tokio::test]
async fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    register(&store).await;
    let mut names = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        names += 1;
    }
    assert!(names >= 5, "tables, log, journal and lock: {names}");
    store.close().await;
}
