//! `@solana/kit` on a localnet: runs `tests/kit` if Node and its packages are installed.

use std::path::Path;

use motif_localnet::{Localnet, LocalnetConfig};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signature::Signature;
use tokio::process::Command;

#[tokio::test]
async fn kit_confirms_a_transfer_over_websocket() {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kit");
    let node = Command::new("node").arg("--version").output().await;
    if node.is_err() || !kit.join("node_modules/@solana/kit").exists() {
        eprintln!("SKIPPED: needs Node 20 or later and `npm ci --prefix tests/kit`");
        return;
    }

    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let output = Command::new("node")
        .arg("send.mjs")
        .current_dir(kit)
        .env("MOTIF_RPC_URL", localnet.rpc_url())
        .env("MOTIF_WS_URL", localnet.ws_url())
        .output()
        .await
        .unwrap();
    let (printed, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{complaints}");
    println!("send.mjs printed {printed}");

    let signature: Signature = printed.trim().parse().unwrap();
    let client = RpcClient::new(localnet.rpc_url());
    let confirmed = CommitmentConfig::confirmed();
    assert!(client.confirm_transaction_with_commitment(&signature, confirmed).await.unwrap().value);
    localnet.stop().await.unwrap();
}
