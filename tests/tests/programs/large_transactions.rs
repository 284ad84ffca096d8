//! Transactions larger than a classic packet, through a node's JSON-RPC.

use motif_localnet::{Localnet, LocalnetConfig};
use motif_sdk::client::Client;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;

const SOL: u64 = 1_000_000_000;

#[tokio::test]
async fn large_transaction_uses_version_1() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let client = Client::new(&localnet.rpc_url());
    let payer = Keypair::new();
    localnet.faucet().airdrop_sol(&payer.pubkey(), 10 * SOL).await.unwrap();
    let payees: Vec<_> = (0..50).map(|_| Pubkey::new_unique()).collect();
    let pay = |payee: &Pubkey| transfer(&payer.pubkey(), payee, SOL / 100);

    let transfers: Vec<_> = payees.iter().map(pay).collect();
    let landed = client.send(&transfers, &payer, &[]).await.unwrap();
    assert_eq!(landed.fee_lamports, 5_000, "one signature, one fee");
    for payee in &payees {
        let account = client.account(payee).await.unwrap().unwrap();
        assert_eq!(account.lamports, SOL / 100);
    }

    let more_payees = (0..80).map(|_| Pubkey::new_unique());
    let too_many: Vec<_> = more_payees.map(|payee| pay(&payee)).collect();
    let error = client.send(&too_many, &payer, &[]).await.unwrap_err().to_string();
    assert!(error.contains("has 4186 bytes, at most 4096 are allowed"), "{error}");
    localnet.stop().await.unwrap();
}
