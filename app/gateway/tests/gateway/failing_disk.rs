//! A gateway on a failing disk rejects requests or recovers, and keeps everything acknowledged.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::ReaderProof;
use motif_testkit::crash_loop::{Rounds, Running};
use reqwest::{Client, StatusCode};
use tempfile::TempDir;

use crate::{kill::gateway, world::reader_of};

/// Gateway on a disk that fails on demand.
struct Failing {
    rounds: Rounds,
    folder: TempDir,
}

impl Failing {
    /// Creates a gateway whose files with this suffix fail.
    async fn new(files: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = shim(folder.path());
        let store = folder.path().join("gateway.sqlite").display().to_string();
        let mut rounds = Rounds::new(folder.path(), store, gateway, Rounds::PAYERS).await;
        let variable = |name: &str, value: &Path| (name.to_owned(), value.display().to_string());
        let fault = folder.path().join("fault");
        rounds.nursery.variables = vec![
            variable("LD_PRELOAD", &shim),
            variable("MOTIF_FAULT", &fault),
            ("MOTIF_FAULT_PATH".to_owned(), files.to_owned()),
        ];
        Self { rounds, folder }
    }

    /// Makes the disk fail from now on.
    fn fail(&self, how: &str) {
        let unfinished = self.folder.path().join("fault.unfinished");
        std::fs::write(&unfinished, how).unwrap();
        std::fs::rename(unfinished, self.folder.path().join("fault")).unwrap();
    }

    fn mend(&self) {
        std::fs::remove_file(self.folder.path().join("fault")).unwrap();
    }

    async fn start(&mut self) -> Running {
        let running = self.rounds.nursery.start(None).await.unwrap();
        self.rounds.check(&running).await.unwrap();
        running
    }

    /// Pays for a while, until the disk fails or the gateway dies.
    async fn pay(&mut self, running: &Running, how: &str) {
        let url = running.url.clone();
        let control = self.folder.path().to_owned();
        let how = how.to_owned();
        let failing = async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            std::fs::write(control.join("fault.unfinished"), how).unwrap();
            std::fs::rename(control.join("fault.unfinished"), control.join("fault")).unwrap();
        };
        let paying = self.rounds.payers.iter_mut().map(|payer| payer.pay(&url));
        let (paid, ()) = tokio::join!(futures::future::try_join_all(paying), failing);
        paid.unwrap();
        let acknowledged = self.rounds.payers.iter().map(|payer| payer.acknowledged.len());
        assert!(acknowledged.sum::<usize>() > 10, "something was paid for before");
    }

    /// Checks that after a restart exactly everything acknowledged is present.
    async fn assert_whole(&mut self) {
        let running = self.start().await;
        for payer in &self.rounds.payers {
            payer.compare(&running.url).await.unwrap();
        }
    }
}

/// Checks that every endpoint reports the failed store.
async fn assert_refuses(running: &Running, failing: &Failing) {
    let channel = failing.rounds.payers[0].channel;
    let deadline = Instant::now() + Duration::from_secs(10);
    let health = format!("{}/healthz", running.url);
    while Client::new().get(&health).send().await.unwrap().status().is_success() {
        assert!(Instant::now() < deadline, "it calls itself healthy on a disk that has failed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for path in ["healthz".to_owned(), "readyz".to_owned(), format!("v1/channels/{channel}")] {
        let proof = reader_of(channel).proof().unwrap().to_header();
        let request = Client::new().get(format!("{}/{path}", running.url));
        let answer = request.header(ReaderProof::HEADER, proof).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "store-failed", "{path}");
    }
}

/// Compiles the library that injects disk faults.
fn shim(folder: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateway/faulty_disk.c");
    let shim = folder.join("faulty_disk.so");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&shim).arg(source);
    let compiled = compiler.arg("-ldl").output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    shim
}

/// Runs a test with a failing journal, and with failing tables.
macro_rules! on_journal_and_log {
    ($($test:ident),+ $(,)?) => {
        mod on_journal {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(".journal-0").await;
                }
            )+
        }

        mod on_log {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test("-wal").await;
                }
            )+
        }
    };
}

on_journal_and_log! {
    failed_sync_is_final,
    full_disk_loses_nothing_acknowledged,
    short_write_is_not_acknowledged,
    torn_page_loses_nothing_acknowledged,
}

async fn failed_sync_is_final(files: &str) {
    let mut failing = Failing::new(files).await;
    let running = failing.start().await;
    failing.pay(&running, "eio").await;
    // The disk works again, but lost writes stay lost, so nothing more is accepted.
    assert_refuses(&running, &failing).await;
    drop(running);
    failing.mend();
    failing.assert_whole().await;
}

async fn full_disk_loses_nothing_acknowledged(files: &str) {
    let mut failing = Failing::new(files).await;
    let running = failing.start().await;
    failing.pay(&running, "enospc").await;
    assert_refuses(&running, &failing).await;
    drop(running);
    // Still full: it starts and reads, and rejects writes.
    match failing.rounds.nursery.start(None).await {
        Ok(running) => {
            let ready = Client::new().get(format!("{}/readyz", running.url)).send().await.unwrap();
            assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        Err(reason) => assert!(reason.contains("full"), "{reason}"),
    }
    failing.mend();
    failing.assert_whole().await;
}

async fn short_write_is_not_acknowledged(files: &str) {
    let mut failing = Failing::new(files).await;
    let running = failing.start().await;
    failing.pay(&running, "short").await;
    assert_refuses(&running, &failing).await;
    drop(running);
    failing.mend();
    failing.assert_whole().await;
}

async fn torn_page_loses_nothing_acknowledged(files: &str) {
    let mut failing = Failing::new(files).await;
    let mut running = failing.start().await;
    failing.pay(&running, "torn").await;
    running.kill();
    failing.mend();
    failing.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torn_page_is_restored_from_log() {
    let mut failing = Failing::new("gateway.sqlite").await;
    let mut running = failing.start().await;
    // SQLite checkpoints its log at a thousand pages.
    failing.fail("torn");
    let url = running.url.clone();
    let paying = failing.rounds.payers.iter_mut().map(|payer| payer.pay(&url));
    futures::future::try_join_all(paying).await.unwrap();
    // Its connections close shortly before it ends.
    for _ in 0..200 {
        if running.died().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(running.died().is_some(), "it was in the middle of a checkpoint");
    running.kill();
    failing.mend();
    failing.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailing_garbage_is_ignored() {
    let mut failing = Failing::new("-wal").await;
    let mut running = failing.start().await;
    let url = running.url.clone();
    let killing = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        running.kill();
    };
    let paying = failing.rounds.payers.iter_mut().map(|payer| payer.pay(&url));
    let (paid, ()) = tokio::join!(futures::future::try_join_all(paying), killing);
    paid.unwrap();
    // A torn write leaves old blocks or arbitrary bytes.
    for file in ["gateway.sqlite-wal", "gateway.sqlite.journal-0"] {
        let path = failing.folder.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        bytes.truncate((bytes.len() - zeros).next_multiple_of(4_096));
        let old: Vec<u8> = bytes[bytes.len().saturating_sub(20_000)..].to_vec();
        bytes.extend(old);
        bytes.extend((0..10_000_u32).map(|place| (place * 37 % 251) as u8));
        std::fs::write(&path, bytes).unwrap();
    }
    failing.assert_whole().await;
}
