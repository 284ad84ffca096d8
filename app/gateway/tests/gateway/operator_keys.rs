//! Keys of the operator apart, in other processes, and rotated while the gateway runs.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use motif_gateway::{
    GatewayConfig, StartError,
    config::{KeyConfig, RotatingKey},
    serve_with,
    signer::{LocalSigner, OperatorSigner, Purpose, ServedKey, SigningServer, SocketSigner},
};
use motif_sdk::{
    Pubkey,
    client::PACKET_BYTES,
    gateway::wire::{Address, NewApiKey, ReceiptParts, ScopeWord},
    operator::{Operator, OperatorKey, OperatorTerms, ReceiptKeys},
    receipt::SignedReceipt,
};
use tokio::net::UnixListener;

use crate::{
    busy_cluster::request,
    world::{CHANNEL, World, license, with_admin},
};

const SETTLE: u8 = 20;
const RECEIPT: u8 = 21;
const FEE_PAYER: u8 = 22;
const NEXT_SETTLE: u8 = 23;
const NEXT_RECEIPT: u8 = 24;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array(key(seed).verifying_key().to_bytes())
}

fn local(seed: u8) -> Arc<dyn OperatorSigner> {
    Arc::new(LocalSigner::from(key(seed)))
}

fn rotating(present: u8, next: u8) -> RotatingKey {
    RotatingKey { present: local(present), next: Some(local(next)) }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// Returns the account of the world's operator with keys of their own.
fn account(settle: u8, receipt: u8) -> Operator {
    let authority = address(8);
    let terms = OperatorTerms::new(authority);
    Operator::new(255, authority, [address(settle), address(receipt)], terms, 0).unwrap()
}

/// Replaces the account on chain. The gateway reads it.
async fn set_account(world: &World, account: &Operator) {
    world.chain.state().operator = Some(account.clone());
    world.gateway.app().operator_keys.refresh().await.unwrap();
}

async fn pay(world: &World, key: &str) -> SignedReceipt {
    let answer = world.generate(key, &world.next_request().await).await;
    answer.assert_ok();
    let parts: ReceiptParts = serde_json::from_slice(&answer.body).unwrap();
    SignedReceipt::from(&parts)
}

/// Returns the keys that signed the last submitted transaction, with all signatures verified.
fn signers(world: &World) -> Vec<Pubkey> {
    let state = world.chain.state();
    let transaction = state.submitted.last().unwrap();
    let count = usize::from(transaction[0]);
    let message = &transaction[1 + 64 * count..];
    let signer = |place: usize| {
        let key: [u8; 32] = message[4 + 32 * place..][..32].try_into().unwrap();
        let signature = Signature::from_slice(&transaction[1 + 64 * place..][..64]).unwrap();
        VerifyingKey::from_bytes(&key).unwrap().verify_strict(message, &signature).unwrap();
        Pubkey::new_from_array(key)
    };
    (0..count).map(signer).collect()
}

/// Serves a key on a socket until the task is aborted.
fn serve_key(path: &Path, seed: u8, purpose: Purpose) -> tokio::task::JoinHandle<()> {
    let served = ServedKey { signer: local(seed), purpose: Some(purpose) };
    tokio::spawn(SigningServer::bind(path, 0o600, vec![served]).unwrap().run())
}

#[tokio::test]
async fn settlement_is_signed_by_its_own_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fees.sock");
    let _server = serve_key(&path, FEE_PAYER, Purpose::FeePayer);
    let fee_payer = Arc::new(SocketSigner::new(&path, address(FEE_PAYER)).unwrap());
    let world = World::with(|config| {
        config.keys.settle = local(SETTLE).into();
        config.keys.receipt = local(RECEIPT).into();
        config.keys.fee_payer = fee_payer;
        config.keys.authority = None;
    });
    let world = world.await;
    set_account(&world, &account(SETTLE, RECEIPT)).await;
    let receipt = pay(&world, "generation-1").await;
    assert!(receipt.verifies(&address(RECEIPT)) && !receipt.verifies(&address(SETTLE)));
    world.settle().await.unwrap();
    assert_eq!(signers(&world), [address(FEE_PAYER), address(SETTLE)]);
    // Without the authority, a channel that is closing waits for its grace period.
    let closes_at = now() + 3_600;
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().channel.closes_at = closes_at;
    let closing = world.close().await.unwrap();
    assert_eq!((closing.signature, closing.closes_at), (None, closes_at));
}

#[tokio::test]
async fn rotated_keys_take_over_without_restart() {
    let world = World::with(|config| {
        config.keys.settle = rotating(SETTLE, NEXT_SETTLE);
        config.keys.receipt = rotating(RECEIPT, NEXT_RECEIPT);
        config.keys.fee_payer = local(FEE_PAYER);
    });
    let world = world.await;
    let mut account = account(SETTLE, RECEIPT);
    set_account(&world, &account).await;
    let before = pay(&world, "generation-1").await;
    world.settle().await.unwrap();
    assert_eq!(signers(&world), [address(FEE_PAYER), address(SETTLE)]);

    // Ordered and not in effect: nothing changes.
    account.rotate(OperatorKey::Settle, address(NEXT_SETTLE), now()).unwrap();
    account.rotate(OperatorKey::Receipt, address(NEXT_RECEIPT), now()).unwrap();
    set_account(&world, &account).await;
    assert!(pay(&world, "generation-2").await.verifies(&address(RECEIPT)));
    world.settle().await.unwrap();
    assert_eq!(signers(&world), [address(FEE_PAYER), address(SETTLE)]);

    account = self::account(SETTLE, RECEIPT);
    let ordered = now() - Operator::ROTATION_SECONDS;
    account.rotate(OperatorKey::Settle, address(NEXT_SETTLE), ordered).unwrap();
    account.rotate(OperatorKey::Receipt, address(NEXT_RECEIPT), ordered).unwrap();
    set_account(&world, &account).await;
    let after = pay(&world, "generation-3").await;
    assert!(after.verifies(&address(NEXT_RECEIPT)));
    world.settle().await.unwrap();
    assert_eq!(signers(&world), [address(FEE_PAYER), address(NEXT_SETTLE)]);
    let keys: &ReceiptKeys = &account.receipt_keys;
    assert!(after.verifies_with(keys) && before.verifies(&address(RECEIPT)));
}

#[tokio::test]
async fn full_statement_leaves_room_for_fee_payer() {
    let world = World::with(|config| {
        config.keys.settle = local(SETTLE).into();
        config.keys.fee_payer = local(FEE_PAYER);
    });
    let world = world.await;
    set_account(&world, &account(SETTLE, 8)).await;
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses = vec![license(100); 80];
    let app = world.gateway.app();
    let channel = app.channels.get(&CHANNEL).await.unwrap();
    app.sync.refresh(&channel).await.unwrap();
    for license in 0..72 {
        let request = request(&channel, license, i64::from(u32::MAX));
        world.generate(&format!("generation-{license}"), &request).await.assert_ok();
    }
    // The gateway settles before it takes a license more.
    let request = request(&channel, 72, i64::from(u32::MAX));
    assert!(!world.generate("generation-72", &request).await.status.is_success());
    while world.chain.channel_account().channel.prices == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(signers(&world), [address(FEE_PAYER), address(SETTLE)]);
    let bytes = world.chain.state().submitted.last().unwrap().len();
    // A price, which this gateway does not pay, takes 12 bytes; a license more takes 6.
    let full = PACKET_BYTES - 12;
    assert!(bytes <= full && bytes + 6 > full, "{bytes} bytes");
    assert_eq!(world.chain.channel_account().channel.prices, 7_200);
}

#[tokio::test]
async fn key_that_is_not_configured_signs_nothing() {
    let world = World::with(with_admin).await;
    pay(&world, "generation-1").await;
    set_account(&world, &account(SETTLE, 8)).await;
    assert_eq!(world.settle().await.unwrap_err().slug(), Some("signer-unavailable"));
    assert!(world.chain.state().submitted.is_empty());
    set_account(&world, &account(8, RECEIPT)).await;
    let request = world.next_request().await;
    let refused = world.generate("generation-2", &request).await;
    refused.assert_problem(503, "signer-unavailable");
    world.settle().await.unwrap();
    // Nothing was charged, and the same key pays once the account names this process's key.
    set_account(&world, &account(8, 8)).await;
    let request = world.next_request().await;
    world.generate("generation-2", &request).await.assert_ok();
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_receipt_signer_stops_no_settlement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts.sock");
    let server = serve_key(&path, RECEIPT, Purpose::Receipt);
    let remote = Arc::new(SocketSigner::new(&path, address(RECEIPT)).unwrap());
    let world = World::with(|config| {
        with_admin(config);
        config.keys.receipt = (remote as Arc<dyn OperatorSigner>).into();
    });
    let world = world.await;
    set_account(&world, &account(8, RECEIPT)).await;
    assert!(pay(&world, "generation-1").await.verifies(&address(RECEIPT)));

    server.abort();
    let _ = server.await;
    std::fs::remove_file(&path).unwrap();
    let silent = UnixListener::bind(&path).unwrap(); // connects, and signs nothing
    let request = world.next_request().await;
    let began = Instant::now();
    let refused = world.generate("generation-2", &request).await;
    refused.assert_problem(503, "signer-unavailable");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let ready = world.send(reqwest::Method::GET, "/readyz", None, None).await;
    ready.assert_problem(503, "signer-unavailable");
    // The next requests are refused at once, and everything else goes on.
    let began = Instant::now();
    world.generate("generation-3", &request).await.assert_problem(503, "signer-unavailable");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(world.settle().await.unwrap().len(), 1);
    let state = world.state().await;
    assert_eq!((state.open.receipts, state.unsettled.len()), (0, 0), "nothing was charged");

    drop(silent);
    std::fs::remove_file(&path).unwrap();
    let _server = serve_key(&path, RECEIPT, Purpose::Receipt);
    while world.gateway.app().operator_keys.check_receipts().is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(pay(&world, "generation-2").await.verifies(&address(RECEIPT)));
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact && books.channels[0].receipts == 2, "{books:?}");
    let world = world.restarted(false).await;
    assert_eq!(world.state().await.open.receipts, 1);
}

async fn create_api_key(world: &World) -> String {
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Read],
        budget: None,
        expires_at: None,
        channels: vec![Address(CHANNEL)],
    };
    world.admin().create_api_key(&key).await.unwrap().token
}

async fn is_accepted(world: &World, token: &str) -> bool {
    let url = format!("{}/v1/channels/{CHANNEL}", world.gateway.url());
    let asked = reqwest::Client::new().get(url);
    asked.bearer_auth(token).send().await.unwrap().status().is_success()
}

#[tokio::test]
async fn api_keys_outlive_another_settle_key() {
    let mut world = World::with(with_admin).await;
    let token = create_api_key(&world).await;
    assert!(is_accepted(&world, &token).await && !is_accepted(&world, "motif_no").await);
    let keypair = solana_keypair::Keypair::new_from_array([SETTLE; 32]);
    let keys = KeyConfig::from_keypair(&keypair);
    world.config.keys = KeyConfig { authority: None, ..keys };
    let world = world.restarted(false).await;
    assert!(is_accepted(&world, &token).await);
}

/// Returns the error of a start with another digest key than the store's.
async fn refused_start(config: &GatewayConfig, world: &World) -> String {
    let started = serve_with(config.clone(), world.chain.clone()).await;
    let error = started.err().unwrap();
    assert!(matches!(error, StartError::ForeignDigestKey { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn foreign_digest_key_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digest-key");
    let world = World::with(|config| {
        with_admin(config);
        config.keys.digest_file = Some(path.clone());
    })
    .await;
    let token = create_api_key(&world).await;
    let own = std::fs::read(&path).unwrap();
    let copy = world.backup().await.unwrap();
    let store = copy.path().join("gateway.sqlite").into();
    let config = GatewayConfig { store, ..world.config.clone() };
    std::fs::write(&path, "c0ffee00".repeat(8)).unwrap();
    let error = refused_start(&config, &world).await;
    for said in [&*path.display().to_string(), "put back", "--replace-digest-key"] {
        assert!(error.contains(said), "{error}");
    }
    assert!(!error.contains("c0ffee"), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(refused_start(&config, &world).await.contains("is missing"));
    assert!(!path.exists(), "no other key takes its place");

    std::fs::write(&path, &own).unwrap();
    let mut world = world.restarted(true).await;
    assert!(is_accepted(&world, &token).await);

    // The key is lost.
    std::fs::remove_file(&path).unwrap();
    world.config.replace_digest_key = true;
    let mut world = world.restarted(true).await;
    assert!(!is_accepted(&world, &token).await);
    let keys = world.admin().api_keys().await.unwrap();
    assert!(keys.iter().all(|key| key.revoked_at.is_some()), "{keys:?}");
    let token = create_api_key(&world).await;
    world.config.replace_digest_key = false;
    let world = world.restarted(true).await;
    assert!(is_accepted(&world, &token).await);
}

#[tokio::test]
async fn unused_digest_key_is_replaced() {
    let mut world = World::with(with_admin).await;
    let token = create_api_key(&world).await;
    let id = world.admin().api_keys().await.unwrap()[0].key.clone();
    world.admin().revoke_api_key(&id).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    world.config.keys.digest_file = Some(folder.path().join("another"));
    let world = world.restarted(true).await;
    assert!(!is_accepted(&world, &token).await);
    let token = create_api_key(&world).await;
    let world = world.restarted(true).await;
    assert!(is_accepted(&world, &token).await);
}

#[tokio::test]
async fn api_keys_of_an_older_store_stay_valid() {
    // An older gateway derived the digest key from the settle key and had no file for it.
    let folder = tempfile::tempdir().unwrap();
    let derived = folder.path().join("derived");
    let context = "motif gateway 2026-11 digests of API tokens";
    let digest_key = blake3::Hash::from_bytes(blake3::derive_key(context, &[8; 32]));
    std::fs::write(&derived, digest_key.to_hex().as_str()).unwrap();
    let world = World::with(|config| {
        with_admin(config);
        config.keys.digest_file = Some(derived.clone());
    });
    let mut world = world.await;
    let token = create_api_key(&world).await;
    let created = folder.path().join("created");
    world.config.keys.digest_file = Some(created.clone());
    let world = world.restarted(true).await;
    assert!(is_accepted(&world, &token).await);
    assert_eq!(std::fs::read(&derived).unwrap(), std::fs::read(&created).unwrap()[..64]);
}
