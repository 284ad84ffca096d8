//! Gateway killed repeatedly under load: acknowledged generations survive, and none is charged twice.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use motif_localnet::{Localnet, LocalnetConfig};
use motif_sdk::{
    Pubkey,
    channel::{Currency, OpenChannelArgs, Quota},
    client::Client,
    fingerprint,
    gateway::{GatewayClient, Payer, PayerOptions, PayerRequest},
    keypair,
    licensing::{InitializeArgs, Offer, Registration, Unit, Use, UsePrice, WorkKind},
    operator::RegisterOperatorArgs,
};
use rand::Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;

const GENERATIONS: u64 = 1_000;
const KILLS: u64 = 5;
const PRICE: u64 = 1_000;
const FEE_BPS: u16 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn killed_gateway_loses_and_doubles_nothing() {
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let operator = keypair::create(&folder.path().join("operator.json")).unwrap();
    let (payer, voucher_key) = (Keypair::new(), Keypair::new());
    let client = Client::new(&localnet.rpc_url());
    let channel = fund(&localnet, &client, &operator, &payer, &voucher_key).await;

    let gateway = Gateway::new(folder.path(), &localnet.rpc_url());
    let mut running = gateway.start();
    let account = client.channel(&channel).await.unwrap();
    let signing_key = keypair::signing_key(&voucher_key);
    let http = GatewayClient::new(&gateway.url).patience(Duration::from_secs(60));
    let options = PayerOptions::default();
    let session = Payer::open(http.clone(), channel, &account, signing_key, options).await;
    let session = session.unwrap();

    let mut acknowledged = BTreeSet::new();
    for number in 0..GENERATIONS {
        if number % (GENERATIONS / KILLS) == GENERATIONS / KILLS / 2 {
            // During one of the next requests: while it is read, stored or answered.
            let pause = Duration::from_micros(rand::rng().random_range(0..20_000));
            let restarted = gateway.clone();
            let killer = tokio::task::spawn_blocking(move || {
                std::thread::sleep(pause);
                running.kill();
                restarted.start()
            });
            for _ in 0..20 {
                let receipt = generate(&session, number).await;
                assert!(acknowledged.insert(receipt), "duplicate receipt");
            }
            running = killer.await.unwrap();
        } else {
            let receipt = generate(&session, number).await;
            assert!(acknowledged.insert(receipt), "duplicate receipt");
        }
    }

    let made = GENERATIONS - KILLS + KILLS * 20;
    assert_eq!(acknowledged.len() as u64, made);
    let mut served = BTreeSet::new();
    for statement in 0..=session.statement() {
        let mut offset = 0;
        loop {
            let page =
                session.gateway().receipts(&channel, Some(statement), 500, offset).await.unwrap();
            served.extend(page.receipts.iter().map(|receipt| receipt.digest.0));
            offset += page.receipts.len() as u32;
            if page.receipts.is_empty() || offset >= page.total {
                break;
            }
        }
    }
    assert_eq!(served, acknowledged, "stored receipts equal acknowledged ones");

    let request = PayerRequest::settle(&channel, &account.channel);
    http.settle(&request.sign(&keypair::signing_key(&payer))).await.unwrap();
    let settled = client.channel(&channel).await.unwrap();
    assert_eq!(settled.licenses[0].units, made);
    assert_eq!(settled.channel.prices, made * PRICE);
    assert_eq!(settled.channel.fees(), made * PRICE * u64::from(FEE_BPS) / 10_000);
    running.kill();
    localnet.stop().await.unwrap();
}

async fn generate(session: &Payer, number: u64) -> [u8; 32] {
    let digest = fingerprint::content_digest(&number.to_le_bytes());
    let receipt = match session.generate(0, 1, digest, digest).await {
        Ok(receipt) => receipt,
        Err(error) if session.is_unanswered() => {
            println!("resuming after: {error}");
            session.resume().await.unwrap().pop().unwrap()
        }
        Err(error) => panic!("{error}"),
    };
    receipt.receipt.digest()
}

/// Opens a funded channel with one license.
pub async fn fund(
    localnet: &Localnet,
    client: &Client,
    operator: &Keypair,
    payer: &Keypair,
    voucher_key: &Keypair,
) -> Pubkey {
    let faucet = localnet.faucet();
    for person in [operator, payer] {
        faucet.airdrop_sol(&person.pubkey(), 5_000_000_000).await.unwrap();
    }
    faucet.mint_dollars(&payer.pubkey(), 10_000_000).await.unwrap();
    let currency = Currency::spl(faucet.dollar().mint);
    let args = InitializeArgs {
        cluster: [7; 32],
        arbiter: operator.pubkey(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    client.initialize(operator, args).await.unwrap();
    client.create_vault(operator, &currency).await.unwrap();
    let args = Registration::new(WorkKind::Image, [1; 32], &payer.pubkey());
    let (work, _) = client.register_work(args).send(payer).await.unwrap();
    let offer = Offer::new(vec![UsePrice {
        licensed_use: Use::Generate,
        unit: Unit::Generation,
        price: PRICE,
    }]);
    client.publish_terms(&work, &currency.mint, offer).send(payer).await.unwrap();
    let args = RegisterOperatorArgs::single(operator.pubkey());
    client.register_operator(operator, args).await.unwrap();
    let args = OpenChannelArgs {
        salt: 0,
        voucher_key: voucher_key.pubkey(),
        operator_fee_bps: FEE_BPS,
        grace_seconds: 3_600,
        deposit: 5_000_000,
        watcher: None,
    };
    let opened = client.open_channel(&operator.pubkey(), &currency, args).send(payer).await;
    let (channel, _) = opened.unwrap();
    let quota = Quota::default();
    let acceptance = client.accept_terms(&channel, &work, Use::Generate).max_price(PRICE);
    acceptance.quota(quota).send(payer).await.unwrap();
    channel
}

/// Command line of the gateway.
#[derive(Clone)]
pub struct Gateway {
    pub url: String,
    pub arguments: Vec<String>,
}

/// Running gateway, killed when dropped.
struct Running(Child);

impl Gateway {
    pub fn new(folder: &Path, rpc_url: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        let keypair = folder.join("operator.json").display().to_string();
        let store = folder.join("gateway.db").display().to_string();
        let fee = FEE_BPS.to_string();
        let arguments = [
            "--rpc-url",
            rpc_url,
            "--keypair",
            &keypair,
            "gateway",
            "serve",
            "--listen",
            &listen,
            "--store",
            &store,
            "--operator-fee-bps",
            &fee,
        ];
        let arguments = arguments.map(str::to_owned).to_vec();
        Self { url: format!("http://{listen}"), arguments }
    }

    fn start(&self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_motif"));
        let command = command.args(&self.arguments).stdout(Stdio::null());
        Running(command.spawn().unwrap())
    }
}

impl Running {
    /// Sends SIGKILL: no handler runs, no buffer is flushed.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
