//! The validator of the tour, the people on it, and checks of what happened there.

use std::{collections::BTreeMap, fmt::Debug};

use motif_localnet::{Faucet, Localnet, LocalnetConfig};
use motif_sdk::{
    Error, Pubkey,
    channel::{Channel, Currency, OpenChannelArgs},
    client::{Client, ConfirmedTransaction},
    fingerprint::content_digest,
    keypair::signing_key,
    licensing::{
        Derivatives, InitializeArgs, Offer, Registration, Share, Unit, Use, UsePrice, WorkKind,
    },
    operator::RegisterOperatorArgs,
    voucher::{SignedVoucher, Statement, Voucher},
};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signer::Signer;
use solana_transaction_status_client_types::UiTransactionEncoding;
use tokio::sync::OnceCell;

/// Price of a generation in the tour's terms, base units.
pub const PRICE: u64 = 1_000;
/// Deposit of the tour's channels, base units.
pub const DEPOSIT: u64 = 2_000_000;
/// Operator's fee of the tour's channels: 2 %.
pub const FEE_BPS: u16 = 200;
/// Bond of the tour's disputes.
pub const BOND_LAMPORTS: u64 = 1_000_000;
/// Duration of the tour's disputes.
pub const DISPUTE_SECONDS: u32 = 86_400;

/// Public, so that a validator that lives on is found with its authority and arbiter.
const AUTHORITY_KEY: [u8; 32] = *b"motif tour authority, key public";
const LAMPORTS: u64 = 2_000_000_000;

static NETWORK: OnceCell<Network> = OnceCell::const_new();

/// The validator that all tests share, and what prepared it.
struct Network {
    url: String,
    /// Creation of the config and of the test dollar's vault; `None` if they existed.
    initialized: Option<ConfirmedTransaction>,
    vault_created: Option<ConfirmedTransaction>,
}

/// One test's access to a validator.
pub struct Tour {
    pub client: Client,
    pub currency: Currency,
    pub url: String,
    /// Authority and arbiter of the deployment.
    pub authority: Keypair,
    faucet: Faucet,
    network: Option<&'static Network>,
}

/// An open channel with its keys.
pub struct OpenedChannel {
    pub address: Pubkey,
    pub payer: Keypair,
    pub operator: Keypair,
    pub voucher_key: Keypair,
}

/// A voucher and the statement that it pays for.
pub struct SignedStatement {
    pub voucher: SignedVoucher,
    pub bytes: Vec<u8>,
}

impl Tour {
    /// Joins the shared validator, which the first test prepares.
    pub async fn join() -> Self {
        let network = NETWORK.get_or_init(Network::start).await;
        Self { network: Some(network), ..Self::at(&network.url) }
    }

    /// Starts an embedded localnet whose clock this test may move. Returns `None`, with a message, if
    /// the tour runs on a given validator: its clock belongs to all tests.
    pub async fn with_clock() -> Option<(Self, Localnet)> {
        if std::env::var_os("ANCHOR_PROVIDER_URL").is_some() {
            eprintln!("SKIPPED: moves the clock, which needs the embedded localnet");
            return None;
        }
        let localnet = start_localnet().await;
        let tour = Self::at(&localnet.rpc_url());
        prepare(&tour).await;
        Some((tour, localnet))
    }

    fn at(url: &str) -> Self {
        let faucet = Faucet::new(url);
        Self {
            client: Client::new(url),
            currency: Currency::spl(faucet.dollar().mint),
            url: url.to_owned(),
            authority: Keypair::new_from_array(AUTHORITY_KEY),
            faucet,
            network: None,
        }
    }

    /// Creation of the config and of the vault, if this run created them.
    pub fn preparation(&self) -> [Option<&ConfirmedTransaction>; 2] {
        let network = self.network.unwrap();
        [network.initialized.as_ref(), network.vault_created.as_ref()]
    }

    /// Returns whether the tour initialized the deployment, with a message if another key did: then
    /// the tour is neither its authority nor its arbiter.
    pub async fn has_authority(&self) -> bool {
        let has = self.client.config().await.unwrap().arbiter == self.authority.pubkey();
        if !has {
            eprintln!("SKIPPED: needs the authority and arbiter of {}", self.url);
        }
        has
    }

    /// Creates a person with SOL for fees.
    pub async fn person(&self) -> Keypair {
        let person = Keypair::new();
        self.faucet.airdrop_sol(&person.pubkey(), LAMPORTS).await.unwrap();
        person
    }

    /// Creates a person with SOL and base units of the test dollar.
    pub async fn platform(&self, dollars: u64) -> Keypair {
        let person = self.person().await;
        self.fund(&person, dollars).await;
        person
    }

    /// Gives a person base units of the test dollar.
    pub async fn fund(&self, owner: &Keypair, dollars: u64) {
        self.faucet.mint_dollars(&owner.pubkey(), dollars).await.unwrap();
    }

    /// Creates a registered operator with one key for everything.
    pub async fn operator(&self) -> Keypair {
        let operator = self.person().await;
        let args = RegisterOperatorArgs::single(operator.pubkey());
        self.client.register_operator(&operator, args).await.unwrap();
        operator
    }

    /// Returns a person's base units of the test dollar.
    pub async fn balance(&self, owner: &Keypair) -> u64 {
        self.client.token_balance(&owner.pubkey(), &self.currency).await.unwrap()
    }

    /// Returns an account's lamports; 0 if it does not exist.
    pub async fn lamports(&self, address: &Pubkey) -> u64 {
        self.client.account(address).await.unwrap().map_or(0, |account| account.lamports)
    }

    /// Registers an image of `creator` alone.
    pub async fn image(&self, creator: &Keypair) -> Pubkey {
        let registration = image(creator);
        self.client.register_work(registration).send(creator).await.unwrap().0
    }

    /// Registers an image of `creator` and publishes terms at [`PRICE`], changed by `change`.
    pub async fn offered(&self, creator: &Keypair, change: impl FnOnce(&mut Offer)) -> Pubkey {
        let work = self.image(creator).await;
        self.publish(creator, &work, change).await;
        work
    }

    /// Publishes terms at [`PRICE`], changed by `change`; returns their number.
    pub async fn publish(
        &self,
        owner: &Keypair,
        work: &Pubkey,
        change: impl FnOnce(&mut Offer),
    ) -> u32 {
        let mut offer = offer();
        change(&mut offer);
        let publish = self.client.publish_terms(work, &self.currency.mint, offer);
        publish.send(owner).await.unwrap().0
    }

    /// Opens a channel of a new payer with a new operator, with [`DEPOSIT`].
    pub async fn channel(&self) -> OpenedChannel {
        self.watched_channel(None).await
    }

    /// Opens a channel as [`Tour::channel`] does, with a watcher.
    pub async fn watched_channel(&self, watcher: Option<Pubkey>) -> OpenedChannel {
        let payer = self.platform(DEPOSIT).await;
        let operator = self.operator().await;
        let voucher_key = Keypair::new();
        let args = OpenChannelArgs { watcher, ..opening(&voucher_key) };
        let open = self.client.open_channel(&operator.pubkey(), &self.currency, args);
        let (address, _) = open.send(&payer).await.unwrap();
        OpenedChannel { address, payer, operator, voucher_key }
    }

    /// Opens a channel with a license for generations by `work`, at index 0.
    pub async fn licensed(&self, work: &Pubkey) -> OpenedChannel {
        let channel = self.channel().await;
        self.accept(&channel, work).await;
        channel
    }

    /// Accepts a work's terms for generations; returns the license's index.
    pub async fn accept(&self, channel: &OpenedChannel, work: &Pubkey) -> u16 {
        let accept = self.client.accept_terms(&channel.address, work, Use::Generate);
        accept.max_price(PRICE).send(&channel.payer).await.unwrap().0
    }

    /// Signs the next voucher of a channel: for `units` of each license.
    pub async fn statement(
        &self,
        channel: &OpenedChannel,
        entries: &[(u16, u32)],
    ) -> SignedStatement {
        let now = self.client.now().await.unwrap();
        let mut account = self.client.channel(&channel.address).await.unwrap();
        let mut statement = Statement::default();
        let mut prices = account.channel.prices;
        for &(license, units) in entries {
            statement.add(license, units).unwrap();
            prices += account.licenses[usize::from(license)].charge(units, now).unwrap().price;
        }
        let voucher = Voucher {
            cluster: account.channel.cluster,
            channel: channel.address,
            opened_slot: account.channel.opened_slot,
            statement: account.channel.statements.length,
            cumulative: Channel { prices, ..account.channel }.cumulative().unwrap(),
            statement_digest: statement.digest(),
            expires_at: now + 30 * 86_400,
        };
        let voucher = SignedVoucher::sign(voucher, &signing_key(&channel.voucher_key));
        SignedStatement { voucher, bytes: statement.to_bytes() }
    }

    /// Settles `units` of license 0 as the operator.
    pub async fn settle(&self, channel: &OpenedChannel, units: u32) -> Vec<ConfirmedTransaction> {
        let SignedStatement { voucher, bytes } = self.statement(channel, &[(0, units)]).await;
        self.client.settle(&voucher, bytes).send(&channel.operator).await.unwrap()
    }

    /// Settles `units` of license 0 and collects them into the works' earnings.
    pub async fn earn(&self, channel: &OpenedChannel, units: u32) {
        self.settle(channel, units).await;
        self.client.collect(&channel.operator, &channel.address).await.unwrap();
    }

    /// Asserts that one of the transactions called this instruction of Motif's programs.
    pub async fn ran<'a>(
        &self,
        landed: impl IntoIterator<Item = &'a ConfirmedTransaction>,
        instruction: &str,
    ) {
        let (program, discriminator) = &instructions()[instruction];
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.client.rpc().commitment()),
            max_supported_transaction_version: Some(1),
        };
        for ConfirmedTransaction { signature, .. } in landed {
            let found = self.client.rpc().get_transaction_with_config(signature, config).await;
            let transaction = found.unwrap().transaction.transaction.decode().unwrap();
            let keys = transaction.message.static_account_keys();
            let called = transaction.message.instructions().iter().any(|call| {
                keys[usize::from(call.program_id_index)] == *program
                    && call.data.starts_with(discriminator)
            });
            if called {
                return;
            }
        }
        panic!("no transaction calls {instruction}");
    }
}

impl Network {
    async fn start() -> Self {
        let url = match std::env::var("ANCHOR_PROVIDER_URL") {
            Ok(url) => url,
            Err(_) => {
                let localnet = start_localnet().await;
                let url = localnet.rpc_url();
                // It serves every test and ends with the process.
                std::mem::forget(localnet);
                url
            }
        };
        let [initialized, vault_created] = prepare(&Tour::at(&url)).await;
        Self { url, initialized, vault_created }
    }
}

async fn start_localnet() -> Localnet {
    Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap()
}

/// Creates the test dollar, the config and the vault if they do not exist.
async fn prepare(tour: &Tour) -> [Option<ConfirmedTransaction>; 2] {
    tour.faucet.create_test_dollar().await.unwrap();
    let authority = &tour.authority;
    tour.faucet.airdrop_sol(&authority.pubkey(), LAMPORTS).await.unwrap();
    let args = InitializeArgs {
        cluster: tour.client.rpc().get_genesis_hash().await.unwrap().to_bytes(),
        arbiter: authority.pubkey(),
        dispute_bond_lamports: BOND_LAMPORTS,
        dispute_seconds: DISPUTE_SECONDS,
    };
    let initialized = tour.client.initialize(authority, args).await.unwrap();
    let vault_created = tour.client.create_vault(authority, &tour.currency).await.unwrap();
    [initialized, vault_created]
}

/// Arguments of a channel with [`DEPOSIT`], [`FEE_BPS`] and the shortest grace period.
pub fn opening(voucher_key: &Keypair) -> OpenChannelArgs {
    OpenChannelArgs {
        salt: 0,
        voucher_key: voucher_key.pubkey(),
        operator_fee_bps: FEE_BPS,
        grace_seconds: Channel::MIN_GRACE_SECONDS,
        deposit: DEPOSIT,
        watcher: None,
    }
}

/// An image of `creator` alone, with content of its own.
pub fn image(creator: &Keypair) -> Registration {
    let digest = content_digest(Keypair::new().pubkey().as_ref());
    Registration::new(WorkKind::Image, digest, &creator.pubkey())
}

/// Terms for generations at [`PRICE`], with derivatives for a tenth of their earnings.
pub fn offer() -> Offer {
    let uses = vec![UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: PRICE }];
    Offer { derivatives: Derivatives::Allowed, derivative_share_bps: 1_000, ..Offer::new(uses) }
}

/// A split in equal parts.
pub fn equal_split(recipients: &[Pubkey]) -> Vec<Share> {
    let share_bps = 10_000 / recipients.len() as u16;
    let mut split: Vec<_> =
        recipients.iter().map(|&recipient| Share { recipient, share_bps }).collect();
    split[0].share_bps += 10_000 - share_bps * recipients.len() as u16;
    split
}

/// Asserts that a program refused a transaction with this error.
#[track_caller]
pub fn assert_refused<T>(result: Result<T, Error>, error: impl Into<u32> + Debug + Copy) {
    match result {
        Err(Error::Rejected(refusal)) => assert!(refusal.is(error), "{refusal}, not {error:?}"),
        Err(other) => panic!("{other}, not {error:?}"),
        Ok(_) => panic!("accepted, not refused with {error:?}"),
    }
}

/// Program and discriminator of each instruction, by its name, from the committed IDL.
pub fn instructions() -> BTreeMap<String, (Pubkey, Vec<u8>)> {
    let idls =
        [include_str!("../../../idl/licensing.json"), include_str!("../../../idl/payments.json")];
    let mut all = BTreeMap::new();
    for idl in idls {
        let idl: Value = serde_json::from_str(idl).unwrap();
        let program: Pubkey = idl["address"].as_str().unwrap().parse().unwrap();
        for instruction in idl["instructions"].as_array().unwrap() {
            let name = instruction["name"].as_str().unwrap().to_owned();
            let discriminator = serde_json::from_value(instruction["discriminator"].clone());
            let previous = all.insert(name, (program, discriminator.unwrap()));
            assert!(previous.is_none(), "two programs have an instruction of one name");
        }
    }
    all
}
