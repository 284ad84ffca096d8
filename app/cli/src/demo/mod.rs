//! `motif demo`: an end-to-end run on an embedded localnet, in one process.

mod expected;
mod progress;
mod report;
mod sale;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use motif_gateway::{GatewayConfig, serve};
use motif_localnet::{Localnet, LocalnetConfig, TestDollar};
use motif_sdk::{
    Pubkey,
    bps::WHOLE_BPS,
    channel::{Currency, OpenChannelArgs},
    client::{Client, DynSigner},
    credentials::{CredentialsState, Digests, SigningIdentity, WorkStanding},
    fingerprint::content_digest,
    gateway::{GatewayClient, Payer, PayerOptions, PayerRequest, wire::ReceiptParts},
    keypair::signing_key,
    licensing::{
        Derivatives, ModelDeclaration, Offer, ParentShare, Registration, Share, Unit, Use,
        UsePrice, WorkKind,
    },
    pda,
    receipt::proof::ReceiptProof,
    training_set::TrainingSet,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use self::{
    expected::{Expected, HALF_BPS, OPERATOR_FEE_BPS, PARENT_SHARE_BPS},
    progress::Progress,
    report::{Costs, Payout, Report},
    sale::{Parties, SaleReport, sell},
};
use crate::{
    amount::{AmountArg, Scale, grouped, percent},
    channel::ChannelSnapshot,
    credentials::{LicenseEvidence, WorkClaims, inspect},
    decode_worker,
    error::CliError,
    localnet,
    operator::{GivenConditions, prepare_operator},
    output::json_line,
    palette::Palette,
    receipt::Prover,
    reference::read_file,
    session::Session,
    work::fingerprint,
};

const PICTURE: &[u8] = include_bytes!("../../assets/cat.png");
const PICTURE_NAME: &str = "cat.png";
pub const STYLE_MODEL: &[u8] = include_bytes!("../../assets/style.safetensors");
const DOLLARS: Scale = Scale::Dollars(TestDollar::DECIMALS);
/// Maximum total, so that the faucet's supply of test dollars cannot overflow.
const MAX_OWED: u64 = u64::MAX / 4;
const LAMPORTS: u64 = 2_000_000_000;
const GRACE_SECONDS: u32 = 3_600;
const NOTICE_SECONDS: u32 = 30 * 86_400;
/// Index of the style model's license: its terms are accepted second.
const MODEL_LICENSE: u16 = 1;
/// Name of the platform in the credentials it signs.
const PLATFORM: &str = "The platform of the demo";
// Purposes of transactions, in the report.
const SETTLEMENT: &str = "settlement";
const CLOSING: &str = "close and withdrawal";

/// Arguments of `motif demo`.
#[derive(Args)]
pub struct DemoArgs {
    /// Number of generations, each paid for by itself
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    generations: u32,

    /// Price of a generation, in test dollars
    #[arg(long, default_value = "0.001", value_name = "AMOUNT", value_parser = AmountArg::parse_positive)]
    price: AmountArg,

    /// Picture to register, PNG, JPEG, GIF or WebP [default: a photograph of a cat]
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,

    /// Keep the last output, signed with content credentials, and the files that verify it offline:
    /// all receipts, the channel's account and the platform's anchor
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the demo: registers works, pays for generations, settles and pays out, on an empty localnet.
pub async fn run(args: DemoArgs, session: &Session) -> Result<(), CliError> {
    let price = args.price.base_units(TestDollar::DECIMALS)?;
    let expected = Expected::new(args.generations, price);
    let expected = expected.filter(|sums| sums.owed().is_some_and(|owed| owed <= MAX_OWED));
    let expected = expected.ok_or_else(|| {
        let what = format!("{} times {price} base units is too much", args.generations);
        CliError::usage(what, "pass fewer --generations or a lower --price")
    })?;
    let (picture, picture_name) = match &args.image {
        None => (PICTURE.to_vec(), PICTURE_NAME.to_owned()),
        Some(path) => (read_file(path)?, path.display().to_string()),
    };
    let fingerprint = fingerprint(WorkKind::Image, &picture, picture_name.as_ref())?;
    // A quarter more than the generations cost, so that there is something to refund.
    let owed = expected.prices + expected.operator_fee; // checked above
    let deposit = owed + (owed / 4).max(1);

    let began = Instant::now();
    let (mut progress, mut costs) = (Progress::default(), Costs::default());

    let step = progress.begin("Start a Solana network in this process");
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await?;
    let client = Client::new(&localnet.rpc_url());
    let faucet = localnet.faucet();
    localnet::initialize(&client, &faucet, &Keypair::new()).await?;
    let (ines, kofi) = (Keypair::new(), Keypair::new()); // a photographer, a model trainer
    let (platform, voucher_key, operator) = (Keypair::new(), Keypair::new(), Keypair::new());
    let visitor = Keypair::new();
    for keypair in [&ines, &kofi, &platform, &operator, &visitor] {
        faucet.airdrop_sol(&keypair.pubkey(), LAMPORTS).await?;
    }
    faucet.mint_dollars(&platform.pubkey(), deposit).await?;
    // The price of one generation, the operator's part, and what rounding adds.
    faucet.mint_dollars(&visitor.pubkey(), price + price / 50 + 2).await?;
    let currency = Currency::spl(faucet.dollar().mint);
    let balance = async |owner: &Keypair| client.token_balance(&owner.pubkey(), &currency).await;
    let rpc_url = localnet.rpc_url();
    step.done(format_args!(
        "{rpc_url}: both programs as bytecode, a test dollar, four funded keypairs"
    ));

    let step = progress.begin("Start a gateway on a free port");
    let temporary = tempfile::tempdir();
    let temporary =
        temporary.map_err(|error| CliError::unwritable(&std::env::temp_dir(), error))?;
    let store = temporary.path().join("gateway.sqlite");
    let mut config = GatewayConfig::new(&rpc_url, Arc::new(operator.insecure_clone()), store);
    config.operator_fee_bps = OPERATOR_FEE_BPS;
    config.settle.at_receipts = u32::MAX; // settles on request only
    config.settle.at_age_seconds = u32::MAX;
    for landed in &prepare_operator(&client, &mut config, GivenConditions::ALL).await? {
        costs.add("registration", landed);
    }
    let gateway = serve(config).await?;
    let http = GatewayClient::new(&gateway.url());
    step.done(format_args!("{}, its store in a temporary folder", gateway.url()));

    let step = progress.begin("Ines and Kofi register a picture, half and half");
    let half = |keypair: &Keypair| Share { recipient: keypair.pubkey(), share_bps: HALF_BPS };
    let registration = Registration {
        fingerprint,
        split: vec![half(&ines), half(&kofi)],
        ..Registration::new(WorkKind::Image, content_digest(&picture), &ines.pubkey())
    };
    let (picture_work, landed) = client.register_work(registration).send(&ines).await?;
    costs.add("registration", &landed);
    step.done(format_args!("{picture_name} is work {picture_work}"));

    let step = progress.begin("Kofi registers a style model made from it");
    let registration = Registration {
        model: Some(ModelDeclaration {
            base_model: "demo".to_owned(),
            training_root: TrainingSet::new([content_digest(&picture)]).root(),
            likeness: false,
        }),
        parents: vec![ParentShare { work: picture_work, share_bps: PARENT_SHARE_BPS }],
        ..Registration::new(WorkKind::StyleModel, content_digest(STYLE_MODEL), &kofi.pubkey())
    };
    // The picture has no terms yet, so its owner signs the derivative.
    let registration = client.register_work(registration).parent_owners([&ines as &DynSigner]);
    let (model_work, landed) = registration.send(&kofi).await?;
    costs.add("registration", &landed);
    let share = percent(PARENT_SHARE_BPS);
    step.done(format_args!("work {model_work}; the picture gets {share} of its earnings"));

    let step = progress.begin("They publish terms with a price per generation");
    for (owner, work) in [(&ines, &picture_work), (&kofi, &model_work)] {
        let publication = client.publish_terms(work, &currency.mint, offer(price));
        let published = publication.send(owner).await?;
        costs.add("terms", &published.1);
    }
    step.done(format_args!("{} per generation", DOLLARS.money(price)));

    let step = progress.begin("A platform opens one channel and accepts both works' terms");
    let (operator_fee_bps, grace_seconds) = (OPERATOR_FEE_BPS, GRACE_SECONDS);
    let voucher_pubkey = voucher_key.pubkey();
    let opening = OpenChannelArgs {
        salt: 0,
        voucher_key: voucher_pubkey,
        operator_fee_bps,
        grace_seconds,
        deposit,
        watcher: None,
    };
    let opening = client.open_channel(&operator.pubkey(), &currency, opening);
    let (channel, landed) = opening.send(&platform).await?;
    costs.add("channel opening", &landed);
    for (work, licensed_use) in [(&picture_work, Use::StyleTransfer), (&model_work, Use::Generate)]
    {
        let acceptance = client.accept_terms(&channel, work, licensed_use).max_price(price);
        let accepted = acceptance.send(&platform).await?;
        costs.add("acceptance of terms", &accepted.1);
    }
    step.done(format_args!("channel {channel} holds {}", DOLLARS.money(deposit)));

    let title = "It generates: a voucher and a signed receipt each time";
    let step = progress.begin_parts(title, u64::from(args.generations));
    let palette = Palette::from_picture(&picture).unwrap_or(Palette::PLAIN);
    let account = client.channel(&channel).await?;
    let key = signing_key(&voucher_key);
    let keys = client.operator(&account.channel.operator).await?.receipt_keys;
    let options = PayerOptions { receipt_keys: Some(keys.clone()), ..PayerOptions::default() };
    let payer = Payer::open(http.clone(), channel, &account, key, options).await?;
    let mut receipts = Vec::with_capacity(args.generations as usize);
    let mut output = Vec::new();
    for number in 1..=args.generations {
        let request = content_digest(format!("New York, same style, no. {number}").as_bytes());
        output = palette.render(&request);
        let paid = payer.generate(MODEL_LICENSE, 1, request, content_digest(&output)).await?;
        receipts.push(paid);
        step.advance();
    }
    let rate = f64::from(args.generations) / step.elapsed().as_secs_f64();
    let count = grouped(receipts.len() as u64);
    step.done(format_args!("{count} generations over HTTP, {rate:.0} per second"));

    let step = progress.begin("The gateway settles on chain");
    let request = PayerRequest::settle(&channel, &client.channel(&channel).await?.channel);
    let mut settled = 0;
    for report in http.settle(&request.sign(&signing_key(&platform))).await? {
        costs.add_one(SETTLEMENT, report.fee_lamports, report.compute_units);
        settled += u64::from(report.receipts);
    }
    step.done(format_args!("{} receipts in {}", grouped(settled), costs.of(SETTLEMENT)));

    let step = progress.begin("The platform proves every receipt against the channel's account");
    let account = client.channel(&channel).await?.channel;
    let all = receipts.len();
    let failed = |failed, first: String| CliError::ReceiptsFailed { failed, all, first };
    let prover = Prover::new(&channel, &account, &receipts);
    let prover = prover.map_err(|error| failed(all, error.to_string()))?;
    let (receipts_verified, failure) = prover.verify(&channel, &account, &keys);
    if let Some(failure) = failure {
        return Err(failed(all - receipts_verified, failure.to_string()));
    }
    let proof = prover.proofs().last().ok_or_else(|| failed(all, "no receipts".to_owned()))?;
    step.done(format_args!("{} receipts verified", grouped(receipts_verified as u64)));

    let step = progress.begin("It signs the last output: content credentials with the receipt");
    let folder = args.output.clone().unwrap_or_else(|| temporary.path().join("output"));
    let (verified, signed) =
        sign_output(&client, &model_work, &output, &proof, &folder, session.now()).await?;
    if args.output.is_some() {
        ChannelSnapshot::take(&client, &channel).await?.write(&folder.join("channel.json"))?;
        let lines = receipts.iter().map(|signed| json_line(&ReceiptParts::from(signed)));
        let path = folder.join("receipts.jsonl");
        fs::write(&path, lines.collect::<String>())
            .map_err(|error| CliError::unwritable(&path, error))?;
    }
    let state = if verified { "intact, trusted, licensed and settled" } else { "INVALID" };
    match &args.output {
        Some(_) => step.done(format_args!("{}: {state}", signed.display())),
        None => step.done(format_args!("{state}; --output keeps the signed file")),
    }

    let step = progress.begin("Recipients claim their shares, the operator its fee");
    let collected = client.collect(&kofi, &channel).await?;
    let pulled = client.pull(&kofi, &model_work, &currency.mint).await?;
    for landed in collected.transactions.iter().chain(&pulled) {
        costs.add("collection of shares", landed);
    }
    let of_picture = || format!("the picture, {}", percent(HALF_BPS));
    let of_model = format!("the style model, {}", percent(WHOLE_BPS - PARENT_SHARE_BPS));
    let mut claims = Vec::new();
    for (name, recipient, work, source, amount) in [
        ("Ines", &ines, &picture_work, of_picture(), expected.half_of_picture),
        ("Kofi", &kofi, &picture_work, of_picture(), expected.half_of_picture),
        ("Kofi", &kofi, &model_work, of_model, expected.model_maker),
    ] {
        let mut received = 0;
        // The program rejects a claim of nothing, which tiny totals lead to.
        if claimable(&client, work, &recipient.pubkey(), &currency.mint).await? > 0 {
            let paid = client.claim(work, &recipient.pubkey(), &currency).send(recipient).await?;
            costs.add("claims", &paid.1);
            received = paid.0;
        }
        let (expected, received) = (DOLLARS.money(amount), DOLLARS.money(received));
        claims.push(Payout { name, source, expected, received });
    }
    if expected.operator_fee > 0 {
        costs.add("claims", &client.claim_fees(&operator, &channel).await?.1);
    }
    let operator_fee = balance(&operator).await?;
    let to_creators = claims.iter().map(|claim| claim.received.base_units).sum();
    let (creators, operators) = (DOLLARS.money(to_creators), DOLLARS.money(operator_fee));
    step.done(format_args!("{creators} to creators, {operators} to the operator"));

    let step = progress.begin("The platform closes its channel and withdraws the rest");
    let before = balance(&platform).await?;
    costs.add(CLOSING, &client.request_close(&channel).send(&platform).await?);
    let request = PayerRequest::close(&channel, &client.channel(&channel).await?.channel);
    let closing = http.close(&request.sign(&signing_key(&platform))).await?;
    for report in &closing.settlements {
        costs.add_one(SETTLEMENT, report.fee_lamports, report.compute_units);
    }
    if closing.signature.is_some() {
        costs.add_one(CLOSING, closing.fee_lamports, closing.compute_units);
    }
    costs.add(CLOSING, &client.withdraw(&platform, &channel).await?.1);
    let refunded = balance(&platform).await? - before;
    step.done(format_args!("{} refunded", DOLLARS.money(refunded)));

    let (to_ines, to_kofi) = (balance(&ines).await?, balance(&kofi).await?);
    let dust = client.token_balance(&pda::vault(&currency.mint), &currency).await?;
    let step = progress.begin("A visitor buys one generation without a channel, by plain transfer");
    let parties = Parties {
        visitor: &visitor,
        operator: &operator.pubkey(),
        recipients: [(&kofi, &model_work), (&ines, &picture_work), (&kofi, &picture_work)],
        works: [&model_work, &picture_work],
    };
    let sold = sell(&client, &parties, &currency).await?;
    let sold_for = DOLLARS.money(sold.paid);
    step.done(format_args!("{sold_for}, proved by its transaction, swept and paid out"));

    let creator = |name, expected, received| {
        let (expected, received) = (DOLLARS.money(expected), DOLLARS.money(received));
        Payout { name, source: String::new(), expected, received }
    };
    let mut report = Report {
        generations: args.generations,
        price: DOLLARS.money(price),
        works: 2,
        expected,
        claims,
        recipients: vec![
            creator("Ines", expected.half_of_picture, to_ines),
            creator("Kofi", expected.half_of_picture + expected.model_maker, to_kofi),
        ],
        deposited: DOLLARS.money(client.channel(&channel).await?.channel.deposited),
        paid: DOLLARS.money(to_ines + to_kofi + operator_fee + dust), // all from one vault
        refunded: DOLLARS.money(refunded),
        operator_fee: DOLLARS.money(operator_fee),
        dust: DOLLARS.money(dust),
        sale: SaleReport {
            paid: sold_for,
            to_creators: DOLLARS.money(sold.to_creators),
            to_operator: DOLLARS.money(sold.to_operator),
            waiting: DOLLARS.money(sold.waiting),
        },
        sale_adds_up: sold.adds_up(),
        total: costs.total(),
        settle_transactions: costs.of(SETTLEMENT).transactions,
        settle_compute_units: costs.of(SETTLEMENT).compute_units,
        costs,
        receipts_verified,
        credentials_verified: u32::from(verified),
        seconds: began.elapsed().as_millis() as f64 / 1_000.0,
        conserved: false,
    };
    report.conserved = report.adds_up();
    gateway.shutdown().await;
    localnet.stop().await?;
    session.print(&report);
    report.check()
}

/// Returns the terms of both works.
fn offer(price: u64) -> Offer {
    let priced = |licensed_use| UsePrice { licensed_use, unit: Unit::Generation, price };
    Offer {
        attribution: true,
        derivatives: Derivatives::Allowed,
        derivative_share_bps: PARENT_SHARE_BPS,
        notice_seconds: NOTICE_SECONDS,
        ..Offer::new(vec![priced(Use::Generate), priced(Use::StyleTransfer)])
    }
}

/// Signs an output as the platform and reads it back as a reader who trusts the platform's anchor.
/// Returns whether it verifies, and its path.
async fn sign_output(
    client: &Client,
    work: &Pubkey,
    output: &[u8],
    proof: &ReceiptProof,
    folder: &Path,
    now: i64,
) -> Result<(bool, PathBuf), CliError> {
    fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
    let unwritable = |error| CliError::unwritable(folder, error);
    let issued = SigningIdentity::issue(PLATFORM, now).map_err(unwritable)?;
    let identity = issued.identity().map_err(unwritable)?;
    let works = [(*work, Some(proof.signed.receipt.terms_number))];
    let claims = WorkClaims::read(client, &works, now).await?;
    let provenance = claims.provenance(output, LicenseEvidence::Proof(proof));
    let signed = claims.sign(output, "output.png", &provenance, &identity)?;
    let (path, anchor) = (folder.join("output.png"), folder.join("anchor.pem"));
    for (path, content) in [(&path, &signed[..]), (&anchor, issued.anchor.as_bytes())] {
        fs::write(path, content).map_err(|error| CliError::unwritable(path, error))?;
    }

    let whole = content_digest(&signed);
    let examined = decode_worker::worker(Some(&anchor)).examine(signed).await;
    let Some(credentials) = examined.credentials else { return Ok((false, path)) };
    let bare = credentials.bare_digest.0;
    let facts = inspect(credentials, Digests { whole, bare: Some(bare) }, client).await?;
    let is_trusted = facts.signer.as_ref().is_some_and(|signer| signer.trusted);
    let is_licensed = facts.findings.is_some_and(|findings| {
        let is_proved = findings.receipt.is_some_and(|receipt| receipt.standing.is_proved());
        is_proved && findings.works.iter().all(|work| work.standing == WorkStanding::Licensed)
    });
    let is_intact = facts.state == CredentialsState::Intact;
    let is_output = bare == proof.signed.receipt.output_digest;
    Ok((is_intact && is_trusted && is_licensed && is_output, path))
}

/// Returns what a recipient can claim of a work's earnings.
async fn claimable(
    client: &Client,
    work: &Pubkey,
    recipient: &Pubkey,
    mint: &Pubkey,
) -> Result<u64, CliError> {
    let Some(earnings) = client.earnings(work, mint).await? else { return Ok(0) };
    let left = |at: usize| earnings.entitled(at) - earnings.recipients[at].taken;
    Ok(earnings.position(recipient).map_or(0, left))
}
