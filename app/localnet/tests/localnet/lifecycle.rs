//! A localnet's start, programs, clock, faucet and stop.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use motif_localnet::{
    Faucet, Localnet, LocalnetConfig, LocalnetError, Program, TestDollar, artifacts, clock,
};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::{Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::{Transaction, TransactionError};

const SOL: u64 = 1_000_000_000;
const MEMO: Pubkey = solana_pubkey::pubkey!("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

fn client(localnet: &Localnet) -> RpcClient {
    RpcClient::new_with_commitment(localnet.rpc_url(), CommitmentConfig::confirmed())
}

async fn funded(localnet: &Localnet) -> Keypair {
    let keypair = Keypair::new();
    localnet.faucet().airdrop_sol(&keypair.pubkey(), 10 * SOL).await.unwrap();
    keypair
}

async fn signed(client: &RpcClient, instruction: Instruction, payer: &Keypair) -> Transaction {
    let blockhash = client.get_latest_blockhash().await.unwrap();
    Transaction::new_signed_with_payer(&[instruction], Some(&payer.pubkey()), &[payer], blockhash)
}

#[tokio::test]
async fn transfer_confirms_soon_after_start() {
    let started = Instant::now();
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
    let up = started.elapsed();
    let client = client(&localnet);
    let (payer, payee) = (funded(&localnet).await, Pubkey::new_unique());
    let transaction = signed(&client, transfer(&payer.pubkey(), &payee, SOL), &payer).await;

    client.send_and_confirm_transaction(&transaction).await.unwrap();
    let confirmed = started.elapsed();

    assert_eq!(client.get_balance(&payee).await.unwrap(), SOL);
    assert_eq!(client.get_balance(&payer.pubkey()).await.unwrap(), 9 * SOL - 5_000);
    println!("started in {up:?}, first transfer confirmed after {confirmed:?} (goal: 2 s)");
    // The goal is for a quiet machine; tests share theirs.
    assert!(confirmed < Duration::from_secs(20), "{confirmed:?}");
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn configured_bytecode_runs() {
    // The memo program's bytecode at another address.
    let first = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let elf = client(&first).get_account_data(&MEMO).await.unwrap();
    first.stop().await.unwrap();
    let id = Pubkey::new_unique();
    let config = LocalnetConfig::new().with_program(Program { id, elf });

    let localnet = Localnet::start(config).await.unwrap();
    let client = client(&localnet);
    let payer = funded(&localnet).await;
    let memo = Instruction { program_id: id, accounts: vec![], data: b"hello".to_vec() };
    let transaction = signed(&client, memo, &payer).await;
    client.send_and_confirm_transaction(&transaction).await.unwrap();
    assert!(client.get_account(&id).await.unwrap().executable);
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn invalid_bytecode_is_refused() {
    let broken = Program { id: Pubkey::new_unique(), elf: b"not a program".to_vec() };
    let refused =
        Localnet::start(LocalnetConfig::new().with_program(broken.clone())).await.map(|_| ());
    assert!(
        matches!(refused, Err(LocalnetError::BadProgram { id, .. }) if id == broken.id),
        "{refused:?}"
    );
}

#[tokio::test]
async fn motif_programs_return_their_errors() {
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
    let client = client(&localnet);
    let payer = funded(&localnet).await;
    for program_id in [artifacts::LICENSING, artifacts::PAYMENTS] {
        let unknown = Instruction { program_id, accounts: vec![], data: vec![0xff; 8] };
        let transaction = signed(&client, unknown, &payer).await;
        let refused = client.send_and_confirm_transaction(&transaction).await.unwrap_err();
        // Anchor's InstructionFallbackNotFound, which only the program's bytecode returns.
        let expected = TransactionError::InstructionError(0, InstructionError::Custom(101));
        assert_eq!(refused.get_transaction_error(), Some(expected), "{program_id}: {refused}");
    }
    assert!(client.get_account(&artifacts::TOKEN_METADATA).await.unwrap().executable);
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn localnets_share_no_accounts() {
    let (one, other) = tokio::join!(
        Localnet::start(LocalnetConfig::new()),
        Localnet::start(LocalnetConfig::new())
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.rpc_url(), other.rpc_url());
    let payee = Pubkey::new_unique();

    one.faucet().airdrop_sol(&payee, SOL).await.unwrap();

    assert_eq!(client(&one).get_balance(&payee).await.unwrap(), SOL);
    assert_eq!(client(&other).get_balance(&payee).await.unwrap(), 0);
    one.stop().await.unwrap();
    assert!(client(&other).get_latest_blockhash().await.is_ok());
    other.stop().await.unwrap();
}

#[tokio::test]
async fn clock_goes_on_after_time_travel() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let client = client(&localnet);
    let before = localnet.unix_time().await.unwrap();
    let payer = funded(&localnet).await;
    let slot = client.get_slot().await.unwrap();
    let signed_before =
        signed(&client, transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL), &payer).await;

    let day = 86_400;
    let travelled = localnet.advance_seconds(day).await.unwrap();
    assert!((before + 86_400..before + 86_405).contains(&travelled), "{before} {travelled}");
    assert!(client.get_slot().await.unwrap() > slot);

    // The same by URL, as another process does.
    let further = clock::advance_seconds(&localnet.rpc_url(), 1).await.unwrap();
    assert!((travelled + 1..travelled + 5).contains(&further), "{travelled} {further}");

    client.send_and_confirm_transaction(&signed_before).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = localnet.unix_time().await.unwrap();
    assert!((further + 2..further + 8).contains(&later), "{further} {later}");
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn transactions_do_not_move_the_clock() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let client = client(&localnet);
    let payer = funded(&localnet).await;
    let (chain, wall) = (localnet.unix_time().await.unwrap(), Instant::now());
    let (slot, transactions) = (client.get_slot().await.unwrap(), 200);
    // Transactions of others expire no blockhash.
    let held = signed(&client, transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL), &payer).await;

    for lamports in 1..=transactions {
        let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL / 100 + lamports);
        let transaction = signed(&client, pay, &payer).await;
        client.send_and_confirm_transaction(&transaction).await.unwrap();
    }

    let (elapsed, slots) = (wall.elapsed(), client.get_slot().await.unwrap() - slot);
    let chain = localnet.unix_time().await.unwrap() - chain;
    println!(
        "{transactions} transactions one by one: {elapsed:?}, {slots} slots, {chain} s on chain"
    );
    assert!(chain <= elapsed.as_secs() as i64 + 2, "{chain} s on chain in {elapsed:?}");
    assert!(
        slots <= transactions + elapsed.as_millis() as u64 / 200 + 10,
        "{slots} slots in {elapsed:?}"
    );
    client.send_and_confirm_transaction(&held).await.unwrap();
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn stop_frees_the_ports() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let (rpc, websocket) = (port(&localnet.rpc_url()), port(&localnet.ws_url()));
    assert_eq!(websocket, rpc + 1);
    let taken = Localnet::start(LocalnetConfig::new().with_rpc_port(rpc)).await.map(|_| ());
    assert!(matches!(taken, Err(LocalnetError::PortTaken(port)) if port == rpc), "{taken:?}");
    // An idle connection, which must not delay the stop.
    let client = client(&localnet);
    client.get_latest_blockhash().await.unwrap();

    let before = Instant::now();
    localnet.stop().await.unwrap();
    println!("stopped in {:?} (goal: 50 ms)", before.elapsed());

    for port in [rpc, websocket] {
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
    let again = Localnet::start(LocalnetConfig::new().with_rpc_port(rpc)).await.unwrap();
    assert_eq!(port(&again.rpc_url()), rpc);
    assert!(client.get_latest_blockhash().await.is_ok());

    drop(again);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpListener::bind(("127.0.0.1", rpc)).is_err() {
        assert!(Instant::now() < deadline, "a dropped localnet still listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn faucet_mints_test_dollars() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let client = client(&localnet);
    let dollar = TestDollar::new();
    // Devnet's USDC, which stock x402 and MPP clients pay without further settings.
    assert_eq!(dollar.mint.to_string(), "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU");
    let supply = client.get_token_supply(&dollar.mint).await.unwrap();
    assert_eq!((supply.decimals, supply.amount.as_str()), (6, "0"));

    // By URL, as another process does; the same amount concurrently and in a row.
    let faucet = Faucet::new(localnet.rpc_url());
    let owner = Pubkey::new_unique();
    let (one, other) = tokio::join!(
        faucet.mint_dollars(&owner, 25_000_000),
        faucet.mint_dollars(&owner, 25_000_000)
    );
    assert_ne!(one.unwrap(), other.unwrap());
    faucet.mint_dollars(&owner, 1).await.unwrap();

    let balance = client.get_token_account_balance(&dollar.account_of(&owner)).await.unwrap();
    assert_eq!(balance.amount, "50000001");
    assert_eq!(balance.ui_amount_string, "50.000001");
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn airdrop_below_rent_is_refused() {
    let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
    let (faucet, owner) = (localnet.faucet(), Pubkey::new_unique());
    faucet.airdrop_sol(&owner, 2 * SOL).await.unwrap();
    faucet.airdrop_sol(&owner, 2 * SOL).await.unwrap();
    assert_eq!(client(&localnet).get_balance(&owner).await.unwrap(), 4 * SOL);
    assert!(faucet.airdrop_sol(&Pubkey::new_unique(), 1).await.is_err());
    localnet.stop().await.unwrap();
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}
