//! Gateway killed repeatedly under load: acknowledged generations survive, and none is charged twice.
//! `motif generate` killed repeatedly: its file has every receipt once.

use std::{
    collections::BTreeSet,
    fs,
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

use crate::{
    paywall::PICTURE,
    world::{MOTIF, World},
};

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

#[test]
fn killed_generate_keeps_every_receipt() {
    const ROUNDS: u64 = 16;
    let world = World::new(&[], &["ines.json", "platform.json", "gateway.json"]);
    let register =
        ["work", "register", PICTURE, "--kind", "image", "--use", "generate=0.001/generation"];
    world.does(&[&register[..], &["--keypair", "ines.json"]].concat());
    let platform = ["--keypair", "platform.json"];
    let open = ["channel", "open", "--deposit", "20", "--accept", PICTURE];
    world.does(&[&open[..], &platform].concat());
    let path = world.path("all.jsonl");
    let lines = || -> Vec<String> {
        let text = fs::read_to_string(&path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    let (mut killed, mut torn) = (0, 0);
    for round in 0..ROUNDS {
        let prompt = format!("round {round}");
        let generate = |count: &'static str| {
            let to = ["generate", "--count", count, "--prompt", &prompt, "--output", "out"];
            let to = [&to[..], &["--receipts", "all.jsonl"], &platform].concat();
            to.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let before = lines().len();
        let mut running =
            world.command(MOTIF).args(generate("4000")).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(0..800)));
        running.kill().unwrap();
        let is_killed = !running.wait().unwrap().success();
        killed += u64::from(is_killed);
        // A line that was written in part: its receipt was not forgotten yet.
        let text = fs::read(&path).unwrap_or_default();
        if is_killed && lines().len() > before && round % 2 == 0 && text.ends_with(b"\n") {
            let cut = text.len() - rand::rng().random_range(2..300);
            fs::write(&path, &text[..cut]).unwrap();
            torn += 1;
        }
        let once = generate("1");
        let made = world.does(&once.iter().map(String::as_str).collect::<Vec<_>>());
        let present = lines();
        let charged = made["cumulative"].as_u64().unwrap();
        assert_eq!(present.len() as u64 * (PRICE + PRICE / 50), charged, "round {round}");
        assert_eq!(present.iter().collect::<BTreeSet<_>>().len(), present.len(), "round {round}");
    }
    assert!(killed > ROUNDS / 2 && torn > 0, "{killed} {torn}");
    // Each has its output, whole.
    for line in lines() {
        let receipt: serde_json::Value = serde_json::from_str(&line).unwrap();
        let digest = receipt["output_digest"].as_str().unwrap();
        let output = fs::read(world.path("out").join(format!("{}.png", &digest[..16]))).unwrap();
        assert_eq!(hex::encode(fingerprint::content_digest(&output)), digest);
    }
    let count = lines().len();
    world.does(&[&["channel", "close"][..], &platform].concat());
    let verified = world.does(&["receipt", "verify", "all.jsonl"]);
    assert_eq!(verified["verified"], count);
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
