//! A gateway that is killed at failpoints under load. `just crash-loop` does it a thousand times.

use std::process::Command;

use motif_testkit::{
    crash_loop::{self, Rounds},
    world::Server,
};

/// Returns the command that runs this program as the gateway to kill.
pub fn gateway() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::killed_gateway", "--ignored", "--nocapture"]);
    command
}

#[test]
#[ignore = "other tests start it, as a process of its own"]
fn killed_gateway() {
    let told = std::env::var(crash_loop::TOLD).unwrap();
    crash_loop::run(serde_json::from_str(&told).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_gateway_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("gateway.sqlite").display().to_string();
    let mut rounds = Rounds::new(folder.path(), store, gateway).await;
    let report = rounds.run(20, |_| {}).await.unwrap();
    println!("{report:?}");
    assert_eq!(report.kills, 20);
    assert!(report.acknowledged > 100 && report.settled > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_gateway_on_postgres_loses_nothing() {
    let Some(server) = Server::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut rounds = Rounds::new(folder.path(), server.database().await, gateway).await;
    let report = rounds.run(4, |_| {}).await.unwrap();
    assert_eq!(report.kills, 4);
    assert!(report.acknowledged > 20, "{report:?}");
}
