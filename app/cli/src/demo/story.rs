use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use motif_gateway::{GatewayConfig, RunningGateway, serve};
use motif_localnet::{Localnet, LocalnetConfig};
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, Currency, OpenChannelArgs},
    client::{Client, DynSigner},
    fingerprint::content_digest,
    gateway::{GatewayClient, PayerRequest},
    keypair::signing_key,
    licensing::{
        Derivatives, Fingerprint, ModelArgs, Offer, ParentShare, Registration, Share, Unit, Use,
        UsePrice, WorkKind,
    },
    pda,
    receipt::{SignedReceipt, proof::ReceiptProof},
    training_set::TrainingSet,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;

use super::{
    cast::{Cast, INES, KOFI},
    expected::{Expected, HALF_BPS, OPERATOR_FEE_BPS, PARENT_SHARE_BPS},
    ledger::Ledger,
    paying::Platform,
    report::{Balance, Line, Told},
    signing::{Handover, write_receipts},
    steps::Steps,
};
use crate::{
    amount::{dollars, grouped, percent},
    error::CliError,
    localnet,
    receipt::Prover,
    rendering::Palette,
};

const STYLE_MODEL: &[u8] = include_bytes!("../../assets/style.safetensors");
const GRACE_SECONDS: u32 = 3_600;
/// What transactions are booked under, where the name is needed twice.
const SETTLING: &str = "settling";
const CLOSING: &str = "closing and withdrawing";
const MONTH_SECONDS: u32 = 30 * 86_400;

/// What is told, and about what.
pub struct Story {
    pub generations: u32,
    pub price: u64,
    pub picture: Vec<u8>,
    pub picture_name: String,
    pub fingerprint: Fingerprint,
    pub expected: Expected,
    /// Where to keep what was made; nowhere, where there is none.
    pub output: Option<PathBuf>,
    /// Unix seconds on this machine.
    pub now: i64,
}

/// The chain the story happens on.
struct Stage {
    localnet: Localnet,
    client: Client,
    currency: Currency,
    cast: Cast,
    /// For the gateway's store; gone when the story ends.
    folder: TempDir,
}

/// What was registered.
struct Works {
    picture: Pubkey,
    model: Pubkey,
}

impl Story {
    /// From an empty chain to the last refund.
    pub async fn tell(self) -> Result<Told, CliError> {
        let mut steps = Steps::new();
        let mut ledger = Ledger::default();
        let stage = self.set_stage(&mut steps).await?;
        let gateway = stage.start_gateway(&mut steps).await?;
        let http = GatewayClient::new(&gateway.url());
        let works = self.register(&stage, &mut steps, &mut ledger).await?;
        self.publish_terms(&stage, &works, &mut steps, &mut ledger).await?;
        let channel = self.open_channel(&stage, &works, &mut steps, &mut ledger).await?;
        let (receipts, output) =
            self.generate(&stage, &gateway.url(), &channel, &mut steps).await?;
        stage.settle(&http, &channel, &mut steps, &mut ledger).await?;
        let (receipts_verified, proof) = stage.verify(&channel, &receipts, &mut steps).await?;
        let handover = Handover {
            client: &stage.client,
            channel: &channel,
            model: &works.model,
            output: &output,
            proof: &proof,
            now: self.now,
        };
        let credentials_verified =
            self.hand_over(&handover, stage.folder.path(), &receipts, &mut steps).await?;
        let (lines, operator_fee) =
            self.pay_everybody(&stage, &works, &channel, &mut steps, &mut ledger).await?;
        let refunded = stage.close(&http, &channel, &mut steps, &mut ledger).await?;

        let told = Told {
            generations: self.generations,
            price: self.price,
            works: 2,
            expected: self.expected,
            lines,
            balances: self.balances(&stage).await?,
            deposited: stage.client.channel(&channel).await?.channel.deposited,
            refunded,
            operator_fee,
            dust: stage.in_vault().await?,
            settlements: ledger.cost(SETTLING),
            ledger,
            receipts_verified,
            credentials_verified,
            seconds: steps.elapsed().as_secs_f64(),
        };
        gateway.shutdown().await;
        stage.localnet.stop().await?;
        Ok(told)
    }

    async fn set_stage(&self, steps: &mut Steps) -> Result<Stage, CliError> {
        let step = steps.begin("Start a Solana network in this process");
        let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await?;
        let client = Client::new(&localnet.rpc_url());
        let faucet = localnet.faucet();
        localnet::prepare(&client, &faucet, &Keypair::new()).await?;
        let cast = Cast::new();
        cast.fund(&faucet, self.deposit()).await?;
        let currency = Currency::spl(faucet.dollar().mint);
        step.done(format_args!(
            "{}: both programs as bytecode, a test dollar, and four funded keys",
            localnet.rpc_url()
        ));
        let folder = tempfile::tempdir().map_err(|error| {
            let path = std::env::temp_dir().display().to_string();
            CliError::Unwritable { path, reason: error.to_string() }
        })?;
        Ok(Stage { localnet, client, currency, cast, folder })
    }

    /// What all generations cost, and a quarter more, so that something comes back.
    fn deposit(&self) -> u64 {
        let owed = self.expected.prices + self.expected.operator_fee; // checked at the start
        owed + (owed / 4).max(1)
    }

    async fn register(
        &self,
        stage: &Stage,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<Works, CliError> {
        let Stage { client, cast, .. } = stage;
        let step = steps.begin("Ines and Kofi register a picture, half and half");
        let split = cast.creators().map(|(_, recipient)| Share { recipient, share_bps: HALF_BPS });
        let picture = Registration {
            fingerprint: self.fingerprint,
            split: split.to_vec(),
            ..Registration::new(WorkKind::Image, content_digest(&self.picture), &cast.ines.pubkey())
        };
        let (picture, landed) = client.register_work(picture).send(&cast.ines).await?;
        ledger.book_landed("registering", [&landed]);
        step.done(format_args!("{} is work {picture}", self.picture_name));

        let step = steps.begin("Kofi registers a style model made from it");
        let model = Registration {
            model: Some(ModelArgs {
                base_model: "demo".to_owned(),
                training_root: TrainingSet::new([content_digest(&self.picture)]).root(),
                likeness: false,
            }),
            parents: vec![ParentShare { work: picture, share_bps: PARENT_SHARE_BPS }],
            ..Registration::new(
                WorkKind::StyleModel,
                content_digest(STYLE_MODEL),
                &cast.kofi.pubkey(),
            )
        };
        // Ines has not published terms yet, so she signs that she agrees.
        let model = client.register_work(model).parent_owners([&cast.ines as &DynSigner]);
        let (model, landed) = model.send(&cast.kofi).await?;
        ledger.book_landed("registering", [&landed]);
        let share = percent(PARENT_SHARE_BPS);
        step.done(format_args!("work {model}; {share} of what it earns is the picture's"));
        Ok(Works { picture, model })
    }

    async fn publish_terms(
        &self,
        stage: &Stage,
        works: &Works,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<(), CliError> {
        let Stage { client, cast, currency, .. } = stage;
        let step = steps.begin("They publish terms with a price per generation");
        for (owner, work) in [(&cast.ines, &works.picture), (&cast.kofi, &works.model)] {
            let terms = client.publish_terms(work, &currency.mint, self.offer());
            ledger.book_landed("publishing terms", [&terms.send(owner).await?.1]);
        }
        let price = (grouped(self.price), dollars(self.price));
        step.done(format_args!("{} base units ({}) a generation", price.0, price.1));
        Ok(())
    }

    fn offer(&self) -> Offer {
        let price =
            |licensed_use| UsePrice { licensed_use, unit: Unit::Generation, price: self.price };
        Offer {
            attribution: true,
            derivatives: Derivatives::Allowed,
            derivative_share_bps: PARENT_SHARE_BPS,
            notice_seconds: MONTH_SECONDS,
            ..Offer::new(vec![price(Use::Generate), price(Use::StyleTransfer)])
        }
    }

    async fn open_channel(
        &self,
        stage: &Stage,
        works: &Works,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<Pubkey, CliError> {
        let Stage { client, cast, currency, .. } = stage;
        let step = steps.begin("A platform funds one channel and accepts both works' terms");
        let opening = OpenChannelArgs {
            salt: 0,
            voucher_key: cast.platform_vouchers.pubkey(),
            operator_fee_bps: OPERATOR_FEE_BPS,
            grace_seconds: GRACE_SECONDS,
            deposit: self.deposit(),
        };
        let operator = cast.operator.pubkey();
        let opened = client.open_channel(&operator, currency, opening).send(&cast.platform).await?;
        let (channel, landed) = opened;
        ledger.book_landed("opening the channel", [&landed]);
        for (work, licensed_use) in
            [(&works.picture, Use::StyleTransfer), (&works.model, Use::Generate)]
        {
            let acceptance =
                client.accept_terms(&channel, work, licensed_use).max_price(self.price);
            let accepted = acceptance.send(&cast.platform).await?;
            ledger.book_landed("accepting terms", [&accepted.1]);
        }
        let deposit = (grouped(self.deposit()), dollars(self.deposit()));
        step.done(format_args!("channel {channel} holds {} base units ({})", deposit.0, deposit.1));
        Ok(channel)
    }

    async fn generate(
        &self,
        stage: &Stage,
        gateway_url: &str,
        channel: &Pubkey,
        steps: &mut Steps,
    ) -> Result<(Vec<SignedReceipt>, Vec<u8>), CliError> {
        let title = "It generates: a voucher and a signed receipt each time";
        let step = steps.begin_many(title, u64::from(self.generations));
        let palette = Palette::of(&self.picture).unwrap_or(Palette::PLAIN);
        let account = stage.client.channel(channel).await?;
        let mut platform =
            Platform::new(gateway_url, channel, &account, &stage.cast, palette).await?;
        let mut receipts = Vec::with_capacity(self.generations as usize);
        let mut output = Vec::new();
        for number in 1..=self.generations {
            let receipt;
            (receipt, output) = platform.generate(number).await?;
            receipts.push(receipt);
            step.advance();
        }
        let rate = f64::from(self.generations) / step.elapsed().as_secs_f64();
        step.done(format_args!(
            "{} generations over HTTP, {rate:.0} a second",
            grouped(receipts.len() as u64)
        ));
        Ok((receipts, output))
    }

    /// The last output leaves the platform signed, with its receipt in it.
    async fn hand_over(
        &self,
        handover: &Handover<'_>,
        temporary: &Path,
        receipts: &[SignedReceipt],
        steps: &mut Steps,
    ) -> Result<u32, CliError> {
        let step = steps.begin("It signs the last output: content credentials with the receipt");
        let folder = self.output.clone().unwrap_or_else(|| temporary.join("output"));
        let (verified, output) = handover.sign(&folder).await?;
        if self.output.is_some() {
            write_receipts(&folder, receipts)?;
        }
        step.done(format_args!(
            "{verified} of 1 reads back intact, licensed and settled: {}",
            output.display()
        ));
        Ok(verified)
    }

    async fn pay_everybody(
        &self,
        stage: &Stage,
        works: &Works,
        channel: &Pubkey,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<(Vec<Line>, u64), CliError> {
        let Stage { client, cast, currency, .. } = stage;
        let step = steps.begin("Shares are pulled and claimed, the operator takes its fee");
        let collected = client.collect(&cast.kofi, channel).await?;
        ledger.book_landed("collecting and pulling", &collected.transactions);
        let pulled = client.pull(&cast.kofi, &works.model, &currency.mint).await?;
        ledger.book_landed("collecting and pulling", &pulled);

        let Expected { half_of_picture, model_maker, operator_fee, .. } = self.expected;
        let half = format!("the picture, {}", percent(HALF_BPS));
        let maker = format!("the style model, what {} leave", percent(PARENT_SHARE_BPS));
        let claims = [
            (INES, &cast.ines, &works.picture, half.clone(), half_of_picture),
            (KOFI, &cast.kofi, &works.picture, half, half_of_picture),
            (KOFI, &cast.kofi, &works.model, maker, model_maker),
        ];
        let mut lines = Vec::with_capacity(claims.len());
        for (name, recipient, work, what_for, expected) in claims {
            // Too small a total leaves a recipient nothing to claim, and the chain says so.
            let mut received = 0;
            if stage.claimable(work, &recipient.pubkey()).await? > 0 {
                let paid =
                    client.claim(work, &recipient.pubkey(), currency).send(recipient).await?;
                ledger.book_landed("claiming", [&paid.1]);
                received = paid.0;
            }
            lines.push(Line { name, what_for, expected, received });
        }
        let before = client.token_balance(&cast.operator.pubkey(), currency).await?;
        if operator_fee > 0 {
            ledger.book_landed("claiming", [&client.claim_fees(&cast.operator, channel).await?.1]);
        }
        let after = client.token_balance(&cast.operator.pubkey(), currency).await?;
        let received: u64 = lines.iter().map(|line| line.received).sum();
        step.done(format_args!(
            "{} base units to creators, {} to the operator",
            grouped(received),
            grouped(after - before)
        ));
        Ok((lines, after - before))
    }

    /// What creators' token accounts hold, which were empty when the story began.
    async fn balances(&self, stage: &Stage) -> Result<Vec<Balance>, CliError> {
        let Expected { half_of_picture, model_maker, .. } = self.expected;
        let mut balances = Vec::new();
        for (name, address) in stage.cast.creators() {
            let more = if name == KOFI { model_maker } else { 0 };
            let received = stage.client.token_balance(&address, &stage.currency).await?;
            balances.push(Balance { name, expected: half_of_picture + more, received });
        }
        Ok(balances)
    }
}

impl Stage {
    async fn claimable(&self, work: &Pubkey, recipient: &Pubkey) -> Result<u64, CliError> {
        let Some(earnings) = self.client.earnings(work, &self.currency.mint).await? else {
            return Ok(0);
        };
        let position = earnings.position(recipient);
        Ok(position.map_or(0, |position| {
            earnings.entitled(position) - earnings.recipients[position].taken
        }))
    }

    /// What the pool still holds; this story's channel is the only one it ever had.
    async fn in_vault(&self) -> Result<u64, CliError> {
        let vault = pda::vault(&self.currency.mint);
        Ok(self.client.token_balance(&vault, &self.currency).await?)
    }

    async fn start_gateway(&self, steps: &mut Steps) -> Result<RunningGateway, CliError> {
        let step = steps.begin("Start a gateway on a free port");
        let operator = self.cast.operator.insecure_clone(); // the same process, for its lifetime
        let rpc_url = self.localnet.rpc_url();
        let store = self.folder.path().join("gateway.sqlite");
        let mut config = GatewayConfig::new(&rpc_url, Arc::new(operator), store);
        config.operator_fee_bps = OPERATOR_FEE_BPS;
        config.settle.at_receipts = u32::MAX; // the story settles once, when it is told to
        config.settle.at_age_seconds = u32::MAX;
        let gateway = serve(config).await?;
        step.done(format_args!("{}, its store in a temporary folder", gateway.url()));
        Ok(gateway)
    }

    async fn settle(
        &self,
        gateway: &GatewayClient,
        channel: &Pubkey,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<(), CliError> {
        let step = steps.begin("The gateway settles on chain");
        let mut receipts = 0;
        let account = self.client.channel(channel).await?.channel;
        let platform = signing_key(&self.cast.platform);
        let request = PayerRequest::settle(channel, &account).sign(&platform);
        for report in gateway.settle(&request).await? {
            ledger.book(SETTLING, report.fee_lamports, report.compute_units);
            receipts += u64::from(report.receipts);
        }
        let cost = ledger.cost(SETTLING);
        step.done(format_args!(
            "{} receipts in {} transaction: {} compute units, {} lamports",
            grouped(receipts),
            cost.transactions,
            grouped(cost.compute_units),
            grouped(cost.fee_lamports)
        ));
        Ok(())
    }

    async fn verify(
        &self,
        channel: &Pubkey,
        receipts: &[SignedReceipt],
        steps: &mut Steps,
    ) -> Result<(usize, ReceiptProof), CliError> {
        let step = steps.begin("The platform proves every receipt against the channel's account");
        let ChannelAccount { channel: account, .. } = self.client.channel(channel).await?;
        let prover = Prover::new(channel, &account, receipts);
        let all = receipts.len();
        let prover = prover.map_err(|error| CliError::ReceiptsFailed {
            failed: all,
            all,
            first: error.to_string(),
        })?;
        let (verified, failure) = prover.verify(channel, &account);
        if let Some(failure) = failure {
            let failed = all - verified;
            return Err(CliError::ReceiptsFailed { failed, all, first: failure.to_string() });
        }
        step.done(format_args!("{} receipts verified", grouped(verified as u64)));
        let last = prover.proofs().last().ok_or(CliError::ReceiptsFailed {
            failed: all,
            all,
            first: "there are none".to_owned(),
        })?;
        Ok((verified, last))
    }

    async fn close(
        &self,
        gateway: &GatewayClient,
        channel: &Pubkey,
        steps: &mut Steps,
        ledger: &mut Ledger,
    ) -> Result<u64, CliError> {
        let step = steps.begin("The platform closes its channel and gets the rest back");
        let platform = &self.cast.platform;
        let before = self.client.token_balance(&platform.pubkey(), &self.currency).await?;
        let landed = self.client.request_close(platform, channel).await?;
        ledger.book_landed(CLOSING, [&landed]);
        let account = self.client.channel(channel).await?.channel;
        let request = PayerRequest::close(channel, &account).sign(&signing_key(platform));
        let closing = gateway.close(&request).await?;
        for report in &closing.settlements {
            ledger.book(SETTLING, report.fee_lamports, report.compute_units);
        }
        if closing.signature.is_some() {
            ledger.book(CLOSING, closing.fee_lamports, closing.compute_units);
        }
        let (_, landed) = self.client.withdraw(platform, channel).await?;
        ledger.book_landed(CLOSING, [&landed]);
        let after = self.client.token_balance(&platform.pubkey(), &self.currency).await?;
        step.done(format_args!("{} base units refunded", grouped(after - before)));
        Ok(after - before)
    }
}
