use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, stream::FuturesUnordered};
use motif_sdk::{
    Error, Pubkey,
    bps::floor_share,
    channel::{Channel, ChannelAccount, Currency, License, OpenChannelArgs},
    client::{Client, ConfirmedTransaction},
    gateway::{
        GatewayClient, GatewayError, Payer, PayerOptions, PayerPolicy, VoucherSigner,
        newest_license,
        wire::{ReceiptParts, Use},
    },
    pda,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::time::timeout;

use crate::{
    archive::Archive,
    callers::Caller,
    clock::now,
    day::Day,
    deposits::Deposits,
    holds::Holds,
    places::Places,
    problem::PayerError,
    settings::{ChannelSettings, PolicySettings, Settings},
    totals::{KnownSpending, Totals, named},
    wallet::{WalletCost, WalletSpending},
};

mod plan;

pub use plan::{Plan, PlannedLicense, Preparation, Prepared, UnitsWanted};

use plan::AcceptableTerms;

/// Channels of the service: one for each operator, found by the voucher key, opened and topped up within
/// the settings.
pub struct Channels {
    client: Client,
    wallet: Keypair,
    voucher_key: VoucherSigner,
    gateways: Vec<GatewayClient>,
    currency: Currency,
    folder: PathBuf,
    policy: PolicySettings,
    settings: ChannelSettings,
    /// Maximum unspent deposits of all channels, base units.
    max_locked: u64,
    limits: PayerPolicy,
    open: Mutex<BTreeMap<Pubkey, Arc<PaidChannel>>>,
    /// One transaction at a time, so that deposits together stay within their maximum.
    chain: tokio::sync::Mutex<Deposits>,
    wallet_spending: WalletSpending,
    totals: Totals,
    archive: Arc<Archive>,
    /// State files whose channels are not open yet: their spending of this day is unknown.
    unread: Mutex<BTreeSet<PathBuf>>,
    /// Channel and operator of an unread state file whose gateway did not respond, and when it is asked again.
    unresponsive: Mutex<Option<(Instant, Pubkey, Pubkey)>>,
}

/// Open channel.
pub struct PaidChannel {
    /// Payer of the channel.
    pub payer: Payer,
    /// Operator.
    pub operator: Pubkey,
    /// Fee of the operator, basis points of a price.
    operator_fee_bps: u16,
    /// Places of its requests at paywalls.
    pub places: Arc<Places>,
    /// Payments under way and open holds.
    pub holds: Arc<Holds>,
    /// Number of top-ups.
    top_ups: AtomicU64,
}

/// Parts of a service that channels need.
pub struct ChannelParts {
    /// Client of the cluster.
    pub client: Client,
    /// Wallet that pays deposits and transactions.
    pub wallet: Keypair,
    /// Key that signs vouchers.
    pub voucher_key: VoucherSigner,
    /// Gateways of the settings.
    pub gateways: Vec<GatewayClient>,
    /// Currency of all amounts.
    pub currency: Currency,
}

/// Time for which an accepted license must still be valid, seconds.
const LICENSE_MARGIN: i64 = 3_600;
/// Time in which the gateway of a known channel responds at the start.
const OPENED_WITHIN: Duration = Duration::from_secs(10);
/// Time for which a gateway that did not respond is not asked again.
const UNRESPONSIVE_FOR: Duration = Duration::from_secs(5);
/// Salts that are tried for a new channel.
const MAX_SALTS: u64 = 10_000;

impl Channels {
    /// Creates the channels of a state folder. Those with a state file are opened by
    /// [`Channels::open_known`].
    ///
    /// # Errors
    /// [`PayerError::StateFailed`], [`PayerError::StateInvalid`].
    pub fn new(
        parts: ChannelParts,
        settings: &Settings,
        state: &Path,
        archive: Arc<Archive>,
    ) -> Result<Self, PayerError> {
        let ChannelParts { client, wallet, voucher_key, gateways, currency } = parts;
        let folder = state.join("channels");
        let failed = |error| PayerError::state(&folder, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let entries = fs::read_dir(&folder).map_err(failed)?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let present = paths.filter(|path| path.extension().is_some_and(|kind| kind == "state"));
        let totals = Totals::open(&state.join("totals.json"))?;
        // The state file of a channel that was paid with may be gone.
        let known = totals.names().into_iter().map(|name| folder.join(format!("{name}.state")));
        let unread = present.chain(known).collect();
        let budgets = settings
            .caller_names()
            .filter_map(|name| Some((name.to_owned(), settings.caller_budget(name)?)));
        let limits = PayerPolicy {
            budget_per_day: settings.budget.per_day,
            tag_budgets_per_day: budgets.collect(),
            max_unit_price: settings.policy.max_unit_price,
            ..PayerPolicy::default()
        };
        let deposits = Deposits::open(&state.join("deposits.json"))?;
        let lamports_per_day = settings.budget.lamports_per_day;
        let wallet_spending = WalletSpending::open(&state.join("wallet.json"), lamports_per_day)?;
        Ok(Self {
            client,
            wallet,
            voucher_key,
            gateways,
            currency,
            unread: Mutex::new(unread),
            unresponsive: Mutex::default(),
            totals,
            archive,
            folder,
            policy: settings.policy.clone(),
            max_locked: settings.max_locked(),
            settings: settings.channels.clone(),
            limits,
            open: Mutex::default(),
            chain: tokio::sync::Mutex::new(deposits),
            wallet_spending,
        })
    }

    /// Returns the address of the wallet.
    pub fn wallet(&self) -> Pubkey {
        self.wallet.pubkey()
    }

    /// Returns the mint of all amounts.
    pub fn mint(&self) -> Pubkey {
        self.currency.mint
    }

    /// Returns the cluster's time, unix seconds.
    ///
    /// # Errors
    /// [`PayerError::Chain`].
    pub async fn cluster_time(&self) -> Result<i64, PayerError> {
        Ok(self.client.now().await?)
    }

    /// Returns what the wallet's transactions have cost beside deposits.
    pub fn wallet_spending(&self) -> &WalletSpending {
        &self.wallet_spending
    }

    /// Returns the spending that state files do not have.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Returns the open channels.
    pub fn all(&self) -> Vec<Arc<PaidChannel>> {
        self.opened().values().cloned().collect()
    }

    /// Opens the payers of known channels, so that their spending of this day counts.
    ///
    /// # Errors
    /// [`PayerError::GatewayUnresponsive`]; those of a channel that is not closed and cannot be opened. No
    /// payment may be made then.
    pub async fn open_known(&self) -> Result<(), PayerError> {
        if lock(&self.unread).is_empty() {
            return Ok(());
        }
        let _chain = self.chain.lock().await;
        let unread = lock(&self.unread).clone();
        // Requests that waited for the same answer.
        if let Some((until, channel, operator)) = *lock(&self.unresponsive)
            && Instant::now() < until
        {
            return Err(PayerError::GatewayUnresponsive { channel, operator });
        }
        let mut unresponsive = None;
        for path in unread {
            let name = path.file_stem().and_then(|name| name.to_str());
            if let Some((address, slot)) = name.and_then(named) {
                let account = match self.client.channel(&address).await {
                    Err(Error::NotFound { .. }) => None,
                    found => Some(found?),
                };
                // A closed channel's spending is in the archive.
                if let Some(account) = account.filter(|account| {
                    account.channel.opened_slot == slot && self.is_usable(account)
                }) {
                    let operator = account.channel.operator;
                    let opened = async {
                        if let Some(gateway) = self.gateway(&operator).await? {
                            self.open_payer(gateway, address, &account).await?;
                        }
                        Ok::<_, PayerError>(())
                    };
                    // A gateway that answers wrongly stops payments as one that does not answer.
                    match timeout(OPENED_WITHIN, opened).await {
                        Err(_)
                        | Ok(Err(PayerError::Gateway(_) | PayerError::OutcomeUnknown(_))) => {
                            unresponsive = Some((address, operator));
                            continue;
                        }
                        Ok(opened) => opened?,
                    }
                }
            }
            lock(&self.unread).remove(&path);
        }
        let Some((channel, operator)) = unresponsive else { return Ok(()) };
        *lock(&self.unresponsive) = Some((Instant::now() + UNRESPONSIVE_FOR, channel, operator));
        Err(PayerError::GatewayUnresponsive { channel, operator })
    }

    /// Forgets a channel that takes no more payments, so that the next payment opens another.
    pub fn forget(&self, channel: &PaidChannel) {
        let mut open = self.opened();
        let address = channel.payer.channel();
        if open.get(&channel.operator).is_some_and(|one| one.payer.channel() == address) {
            open.remove(&channel.operator);
        }
    }

    /// Returns the operator of the settings' only gateway; `None` with several gateways.
    ///
    /// # Errors
    /// [`PayerError::Gateway`].
    pub async fn only_operator(&self) -> Result<Option<Pubkey>, PayerError> {
        let [gateway] = &self.gateways[..] else { return Ok(None) };
        let operator = gateway.operator().await.map_err(PayerError::Gateway)?;
        Ok(Some(operator.operator.0))
    }

    /// Returns the channel with an operator: the one that is open here, or the one on chain with the voucher
    /// key.
    ///
    /// # Errors
    /// [`PayerError::UnknownOperator`], [`PayerError::Chain`]; those of [`Payer::open`].
    pub async fn existing(
        &self,
        operator: &Pubkey,
    ) -> Result<Option<Arc<PaidChannel>>, PayerError> {
        self.open_known().await?;
        if let Some(open) = self.opened().get(operator) {
            return Ok(Some(open.clone()));
        }
        let _chain = self.chain.lock().await;
        if let Some(open) = self.opened().get(operator) {
            return Ok(Some(open.clone()));
        }
        let gateway = self.known_gateway(operator).await?;
        match self.find(operator).await? {
            Some((address, account)) => {
                Ok(Some(self.open_payer(gateway, address, &account).await?))
            }
            None => Ok(None),
        }
    }

    /// Returns the open channel with an operator, such as the one of a hold.
    ///
    /// # Errors
    /// As [`Channels::existing`]; [`PayerError::NoChannel`].
    pub async fn open_with(&self, operator: &Pubkey) -> Result<Arc<PaidChannel>, PayerError> {
        let reason = "none is open";
        let none = PayerError::NoChannel { operator: *operator, reason };
        self.existing(operator).await?.ok_or(none)
    }

    /// Accepts a work's latest terms for a caller; returns the newest license of the channel for the use.
    /// The upfront fee must be reserved in the budgets.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`], [`PayerError::Chain`].
    async fn accept(
        &self,
        channel: &PaidChannel,
        caller: &Caller,
        (work, licensed_use): (&Pubkey, Use),
        terms: AcceptableTerms,
        chain: &mut Deposits,
    ) -> Result<(u16, License), PayerError> {
        let AcceptableTerms { price, upfront_fee, .. } = terms;
        let cost = WalletCost {
            lamports: self.acceptance_rent(&terms).await?,
            upfront_fee: Some((caller.clone(), upfront_fee)).filter(|_| upfront_fee > 0),
        };
        let address = channel.payer.channel();
        let accepting = self.client.accept_terms(&address, work, licensed_use);
        let accepting = accepting.max_price(price).max_upfront_fee(upfront_fee);
        let sending = async { Ok(accepting.send(&self.wallet).await?.1) };
        self.transact(chain, upfront_fee, cost, sending).await??;
        tracing::info!(%work, %licensed_use, price, upfront_fee, "terms accepted");
        self.refresh(channel).await?;
        let refused = || PayerError::Chain("the accepted license is not on the channel".to_owned());
        channel.license(work, licensed_use).ok_or_else(refused)
    }

    /// Has at least `needed` base units available on a channel.
    ///
    /// # Errors
    /// [`PayerError::DepositUsedUp`], [`PayerError::Chain`].
    pub async fn fund(&self, channel: &PaidChannel, needed: u64) -> Result<(), PayerError> {
        let least = needed.max(self.settings.top_up_below);
        if channel.payer.available()? >= least {
            return Ok(());
        }
        let mut chain = self.chain.lock().await;
        let available = channel.payer.available()?;
        if available >= least {
            return Ok(());
        }
        let refuse = |reason| PayerError::DepositUsedUp { available, needed, reason };
        let topped_up = self.top_up(channel, &mut chain, least - available).await;
        match topped_up {
            Ok(()) if channel.payer.available()? < needed => Err(refuse("a top-up is too small")),
            Ok(()) => Ok(()),
            // What is left covers this payment.
            Err(_) if available >= needed => Ok(()),
            Err(TopUpError::Refused(reason)) => Err(refuse(reason)),
            Err(TopUpError::Failed(error)) => Err(error),
        }
    }

    /// Adds at least `needed` base units to a channel whose deposit holds bind, unless it was topped up after
    /// `top_ups` times. Returns whether its deposit has grown.
    ///
    /// # Errors
    /// [`PayerError::Chain`], [`PayerError::OverSolBudget`].
    pub async fn top_up_bound(
        &self,
        channel: &PaidChannel,
        needed: u64,
        top_ups: u64,
    ) -> Result<bool, PayerError> {
        let mut chain = self.chain.lock().await;
        if channel.top_ups() != top_ups {
            return Ok(true);
        }
        match self.top_up(channel, &mut chain, needed).await {
            Ok(()) => Ok(true),
            Err(TopUpError::Refused(_)) => Ok(false),
            Err(TopUpError::Failed(error)) => Err(error),
        }
    }

    /// Adds `top_up`, or more if `missing` is more.
    async fn top_up(
        &self,
        channel: &PaidChannel,
        chain: &mut Deposits,
        missing: u64,
    ) -> Result<(), TopUpError> {
        let amount = self.settings.top_up_of(missing).map_err(TopUpError::Refused)?;
        self.funds(chain).await?.check(amount, amount).map_err(TopUpError::Refused)?;
        let address = channel.payer.channel();
        let sending = self.client.top_up(&self.wallet, &address, amount);
        let sent = self.transact(chain, amount, WalletCost::default(), sending).await?;
        sent.map_err(PayerError::from)?;
        channel.top_ups.fetch_add(1, Ordering::Relaxed);
        tracing::info!(channel = %address, amount, "channel topped up");
        Ok(self.refresh(channel).await?)
    }

    /// Returns the rent of an account of this size, lamports.
    async fn rent(&self, bytes: usize) -> Result<u64, PayerError> {
        let rent = self.client.rpc().get_minimum_balance_for_rent_exemption(bytes).await;
        rent.map_err(|error| Error::from(error).into())
    }

    /// Sends a transaction of the wallet within the budget of rent and fees. `cost` is without the
    /// transaction's fee. Deposit and cost are recorded durably before it is signed.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`], [`PayerError::StateFailed`], [`PayerError::Chain`]: nothing was sent.
    async fn transact(
        &self,
        chain: &mut Deposits,
        deposit: u64,
        cost: WalletCost,
        sending: impl Future<Output = Result<ConfirmedTransaction, Error>>,
    ) -> Result<Result<ConfirmedTransaction, Error>, PayerError> {
        let day = Day::of(now());
        let with_fee =
            |fee: u64| WalletCost { lamports: cost.lamports.saturating_add(fee), ..cost.clone() };
        let most = with_fee(self.client.max_fee());
        self.wallet_spending.check(most.lamports, day)?;
        let before = self.lamports_of_wallet().await?;
        let begun = self.wallet_spending.begin(most.clone(), day)?;
        if deposit > 0 {
            chain.begin(deposit, now())?;
        }
        let sent = sending.await;
        if !is_settled(&sent) {
            return Ok(sent);
        }
        let paid = match &sent {
            // The node does not keep transactions.
            Ok(confirmed) if confirmed.fee_lamports == 0 => most,
            Ok(confirmed) => with_fee(confirmed.fee_lamports),
            // A transaction that fails in its block costs its fee, one that fails in the simulation nothing.
            Err(_) => {
                let after = self.lamports_of_wallet().await.unwrap_or(0);
                let lamports = before.saturating_sub(after).min(self.client.max_fee());
                WalletCost { lamports, upfront_fee: None }
            }
        };
        begun.end(&paid)?;
        if deposit > 0 {
            chain.end()?;
        }
        Ok(sent)
    }

    async fn lamports_of_wallet(&self) -> Result<u64, PayerError> {
        let balance = self.client.rpc().get_balance(&self.wallet.pubkey()).await;
        balance.map_err(|error| Error::from(error).into())
    }

    /// Opens a channel at the first free salt, after [`Channels::preparation`]'s checks.
    async fn open_channel(
        &self,
        operator: &Pubkey,
        chain: &mut Deposits,
    ) -> Result<(Pubkey, ChannelAccount), PayerError> {
        let refuse = |reason| PayerError::NoChannel { operator: *operator, reason };
        let deposit = self.settings.deposit;
        let account = self.client.operator(operator).await?;
        let mut salt = 0;
        loop {
            let (payer, mint) = (self.wallet.pubkey(), self.currency.mint);
            let address = pda::channel(&payer, operator, &mint, salt);
            if self.client.account(&address).await?.is_some() {
                salt += 1;
                if salt > MAX_SALTS {
                    return Err(refuse("the wallet has too many channels"));
                }
                continue;
            }
            let args = OpenChannelArgs {
                salt,
                voucher_key: self.voucher_key.pubkey(),
                operator_fee_bps: account.fee_bps,
                grace_seconds: account.min_grace_seconds.max(self.settings.grace_seconds),
                deposit,
                watcher: None,
            };
            let rent = self.rent(Channel::space(0)).await?;
            let cost = WalletCost { lamports: rent, upfront_fee: None };
            let opening = self.client.open_channel(operator, &self.currency, args);
            let sending = async { Ok(opening.send(&self.wallet).await?.1) };
            match self.transact(chain, deposit, cost, sending).await? {
                Ok(_) => {
                    tracing::info!(channel = %address, %operator, deposit, "channel opened");
                    return Ok((address, self.client.channel(&address).await?));
                }
                // Another process of this wallet has taken the salt in the meantime.
                Err(Error::Rejected(_)) if self.client.account(&address).await?.is_some() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the channel on chain that the voucher key pays with.
    async fn find(
        &self,
        operator: &Pubkey,
    ) -> Result<Option<(Pubkey, ChannelAccount)>, PayerError> {
        let channels = self.client.channels(Some(&self.wallet.pubkey()), Some(operator)).await?;
        let own = channels.into_iter().filter(|(_, account)| self.is_usable(account));
        Ok(own.min_by_key(|(_, account)| account.channel.salt))
    }

    fn is_own(&self, account: &ChannelAccount) -> bool {
        let channel = &account.channel;
        channel.voucher_key == self.voucher_key.pubkey() && channel.mint == self.currency.mint
    }

    fn is_usable(&self, account: &ChannelAccount) -> bool {
        let channel = &account.channel;
        self.is_own(account) && channel.withdrawn == 0 && channel.closes_at == i64::MAX
    }

    async fn open_payer(
        &self,
        gateway: GatewayClient,
        address: Pubkey,
        account: &ChannelAccount,
    ) -> Result<Arc<PaidChannel>, PayerError> {
        let operator = account.channel.operator;
        let receipt_keys = Some(self.client.operator(&operator).await?.receipt_keys);
        let slot = account.channel.opened_slot;
        let name = format!("{address}.{slot}");
        let state = self.folder.join(format!("{name}.state"));
        let is_known =
            self.totals.names().contains(&name) || self.archive.newest(&address).is_some();
        if is_known && fs::metadata(&state).is_ok_and(|file| file.len() == 0) {
            let reason = "it is empty: restore it, or remove it, which counts as spent today what it \
                          had and receipts do not have";
            return Err(PayerError::damaged(&state, reason));
        }
        let options =
            PayerOptions { policy: self.limits.clone(), state: Some(state), receipt_keys };
        let signer = self.voucher_key.clone();
        // Nothing is paid yet, so no outcome is unknown.
        let opened = Payer::open(gateway, address, account, signer, options).await;
        let payer = opened.map_err(|error| match error {
            GatewayError::Unreachable { .. } | GatewayError::Untrusted(_) => {
                PayerError::Gateway(error)
            }
            error => error.into(),
        })?;
        self.count_missing(&name, (&payer, slot))?;
        let places = Places::new();
        let operator_fee_bps = account.channel.operator_fee_bps;
        let channel = Arc::new(PaidChannel {
            payer,
            operator,
            operator_fee_bps,
            places,
            holds: Arc::default(),
            top_ups: AtomicU64::new(0),
        });
        self.opened().insert(operator, channel.clone());
        Ok(channel)
    }

    /// Counts as spent today what the gateway has charged and the payer's state file does not have.
    fn count_missing(&self, name: &str, (payer, slot): (&Payer, u64)) -> Result<(), PayerError> {
        let (today, address) = (Day::of(now()), payer.channel());
        let recorded = payer.spent_on(today.number(), None);
        let mut archived = self.archive.spent_on(today, &address);
        for (caller, amount) in &mut archived {
            *amount = amount.saturating_sub(payer.spent_on(today.number(), Some(caller)));
        }
        archived.retain(|_, amount| *amount > 0);
        let before = self.archive.total_before(today, &address, slot);
        let known = KnownSpending {
            total: payer.cumulative()?,
            before: before.max(payer.spent().saturating_sub(recorded)),
            recorded,
            archived,
        };
        self.totals.count(name, known, today)
    }

    async fn refresh(&self, channel: &PaidChannel) -> Result<(), PayerError> {
        let account = self.client.channel(&channel.payer.channel()).await?;
        channel.payer.refresh(&account).await.map_err(PayerError::Gateway)
    }

    /// Returns the client of an operator's gateway.
    ///
    /// # Errors
    /// [`PayerError::UnknownOperator`], [`PayerError::Gateway`], [`PayerError::Chain`].
    async fn known_gateway(&self, operator: &Pubkey) -> Result<GatewayClient, PayerError> {
        let listed = self.policy.operators.iter().any(|listed| listed.0 == *operator);
        let reason = match listed {
            true => "its account has no URL: add its gateway to `gateway_urls`",
            false => "add its gateway to `gateway_urls`, or it to `policy.operators`",
        };
        let unknown = PayerError::UnknownOperator { operator: *operator, reason };
        self.gateway(operator).await?.ok_or(unknown)
    }

    /// Returns the client of an operator's gateway; `None` if the operator is not paid.
    async fn gateway(&self, operator: &Pubkey) -> Result<Option<GatewayClient>, PayerError> {
        let mut unreachable = None;
        let asking =
            self.gateways.iter().map(|gateway| async move { (gateway, gateway.operator().await) });
        let mut asking: FuturesUnordered<_> = asking.collect();
        while let Some((gateway, answer)) = asking.next().await {
            match answer {
                Ok(found) if found.operator.0 == *operator => return Ok(Some(gateway.clone())),
                Ok(_) => {}
                Err(error) => unreachable = Some(error),
            }
        }
        if self.policy.operators.iter().any(|listed| listed.0 == *operator) {
            let url = self.client.operator(operator).await?.url;
            let is_http = url.starts_with("http://") || url.starts_with("https://");
            return Ok(is_http.then(|| GatewayClient::new(&url)));
        }
        unreachable.map_or(Ok(None), |error| Err(PayerError::Gateway(error)))
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<Pubkey, Arc<PaidChannel>>> {
        lock(&self.open)
    }
}

impl PaidChannel {
    /// Returns the number of top-ups by this process.
    pub fn top_ups(&self) -> u64 {
        self.top_ups.load(Ordering::Relaxed)
    }

    /// Returns the newest valid license for a use of a work.
    pub fn license(&self, work: &Pubkey, licensed_use: Use) -> Option<(u16, License)> {
        let licenses = (0..).map_while(|index| self.payer.license(index));
        newest(&licenses.collect::<Vec<_>>(), work, licensed_use)
    }

    /// Returns the maximum cost of units of a license, base units, fee included.
    pub fn cost(&self, license: &License, units: u32) -> u64 {
        most_cost(license.price, units, self.operator_fee_bps)
    }

    /// Returns what a receipt's payment has cost, base units, fee included. Fees are floors of totals.
    pub fn charged(&self, receipt: &ReceiptParts) -> u64 {
        let (after, amount) = (receipt.cumulative.0, receipt.amount.0);
        let fee = |total: u64| floor_share(total, self.operator_fee_bps);
        let fee = fee(after).saturating_sub(fee(after.saturating_sub(amount)));
        amount.saturating_add(fee)
    }
}

/// Returns the maximum cost of units, base units, fee included.
fn most_cost(price: u64, units: u32, operator_fee_bps: u16) -> u64 {
    let price = price.saturating_mul(units.into());
    // Fees are floors of totals, so one payment costs at most its share, rounded up.
    let fee = (u128::from(price) * u128::from(operator_fee_bps)).div_ceil(10_000);
    price.saturating_add(u64::try_from(fee).unwrap_or(u64::MAX))
}

fn newest(licenses: &[License], work: &Pubkey, licensed_use: Use) -> Option<(u16, License)> {
    newest_license(licenses, work, licensed_use, now().saturating_add(LICENSE_MARGIN))
}

/// Error of a top-up.
enum TopUpError {
    /// A setting or the wallet does not allow it.
    Refused(&'static str),
    Failed(PayerError),
}

impl From<PayerError> for TopUpError {
    fn from(error: PayerError) -> Self {
        Self::Failed(error)
    }
}

/// Returns whether the outcome of a transaction is known.
fn is_settled<T>(sent: &Result<T, Error>) -> bool {
    !matches!(sent, Err(Error::Unconfirmed { .. } | Error::Transport(_)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
