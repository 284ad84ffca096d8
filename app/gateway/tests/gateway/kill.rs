//! A gateway that is killed at failpoints under load. `just crash-loop` does it a thousand times.

use std::{process::Command, sync::Arc, time::Duration};

use motif_sdk::gateway::AdminClient;
use motif_testkit::{
    crash_loop::{self, Nursery, Paying, Rounds},
    world::{CHANNEL, SECRET, ScriptedChain, Server, channel_account, data, serve_chain},
};
use rand::Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;

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

/// Returns the command that runs this program as the payer to kill.
fn payer() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::killed_payer", "--ignored", "--nocapture"]);
    command
}

#[test]
#[ignore = "other tests start it, as a process of its own"]
fn killed_payer() {
    let paying = std::env::var(crash_loop::PAYING).unwrap();
    crash_loop::run_payer(serde_json::from_str(&paying).unwrap());
}

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_payer_pays_once() {
    let folder = tempfile::tempdir().unwrap();
    let operator = Keypair::new_from_array([8; 32]).pubkey();
    let chain = Arc::new(ScriptedChain::new(operator));
    let mut account = channel_account(operator);
    account.channel.deposited = u64::from(u32::MAX);
    chain.state().channels.insert(CHANNEL, account);
    let store = folder.path().join("gateway.sqlite").display().to_string();
    let nursery = Nursery::new(folder.path(), store, serve_chain(chain.clone()).await, gateway);
    let path = |name: &str| folder.path().join(name);
    let paying = Paying {
        url: format!("http://{}", nursery.told.listen),
        channel: CHANNEL.to_bytes(),
        account: path("account"),
        state: path("payer"),
        acknowledged: path("acknowledged"),
        tasks: number("MOTIF_PAYER_TASKS", 16),
    };
    let mut running = nursery.start(None).await.unwrap();
    let mut kept = 0;
    for round in 0..number("MOTIF_PAYER_KILLS", 12) {
        let present = chain.state().channels[&CHANNEL].clone();
        std::fs::write(&paying.account, data(&present)).unwrap();
        let mut child = paying.start(payer);
        let life = Duration::from_millis(rand::rng().random_range(100..700));
        tokio::time::sleep(life).await;
        if round % 3 == 1 {
            running.kill();
            running = nursery.start(None).await.unwrap();
            tokio::time::sleep(life).await;
        }
        child.kill();
        // The unanswered batch is resumed, and nothing is lost or paid for twice.
        let present = chain.state().channels[&CHANNEL].clone();
        std::fs::write(&paying.account, data(&present)).unwrap();
        let payer = paying.open(Duration::from_secs(30)).await.unwrap();
        let receipts = payer.receipts();
        paying.compare(&receipts).unwrap();
        let state = payer.gateway().channel(&CHANNEL).await.unwrap();
        let paid = receipts.len() as u64;
        assert_eq!((state.cumulative.0, payer.spent()), (paid * 102, paid * 102), "round {round}");
        kept = paid;
    }
    println!("{kept} receipts");
    assert!(kept > 50, "{kept}");
    let admin = AdminClient::new(&running.admin_url, SECRET);
    assert!(admin.reconcile().await.unwrap().exact);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_gateway_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("gateway.sqlite").display().to_string();
    let mut rounds = Rounds::new(folder.path(), store, gateway, Rounds::PAYERS).await;
    let report = rounds.run(20, |_| {}).await.unwrap();
    println!("{report:?}");
    assert_eq!(report.kills, 20);
    assert!(report.acknowledged > 100 && report.settled > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_gateway_on_postgres_loses_nothing() {
    let Some(server) = Server::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut rounds =
        Rounds::new(folder.path(), server.database().await, gateway, Rounds::PAYERS).await;
    let report = rounds.run(4, |_| {}).await.unwrap();
    assert_eq!(report.kills, 4);
    assert!(report.acknowledged > 20, "{report:?}");
}
