use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use motif_sdk::{
    Error, Pubkey,
    channel::{Channel, ChannelAccount, Currency, License, Licensee, OpenChannelArgs},
    client::{Client, ConfirmedTransaction},
    gateway::{
        GatewayClient, GatewayError, Payer, PayerOptions, PayerPolicy, VoucherSigner,
        newest_license,
        wire::{Amount, Quote, Use},
    },
    pda,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    callers::Caller,
    clock::now,
    day::Day,
    deposits::Deposits,
    places::Places,
    problem::PayerError,
    settings::{ChannelSettings, PolicySettings, Settings},
    wallet::{WalletCost, WalletSpending},
};

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
    limits: PayerPolicy,
    open: Mutex<BTreeMap<Pubkey, Arc<PaidChannel>>>,
    /// One transaction at a time, so that deposits together stay within their maximum.
    chain: tokio::sync::Mutex<Deposits>,
    wallet_spending: WalletSpending,
    /// State files whose channels are not open yet: their spending of this day is unknown.
    unread: Mutex<BTreeSet<PathBuf>>,
}

/// Open channel.
pub struct PaidChannel {
    /// Payer of the channel.
    pub payer: Payer,
    /// Operator.
    pub operator: Pubkey,
    /// Places of its requests at paywalls.
    pub places: Arc<Places>,
}

/// What a payment would need first; a dry run prints it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preparation {
    /// Whether a channel would be opened.
    pub opens_channel: bool,
    /// Whether terms would be accepted.
    pub accepts_terms: bool,
    /// Whether the channel would be topped up.
    pub tops_up: bool,
    /// Upfront fee of the terms that would be accepted, base units.
    pub upfront_fee: Amount,
}

/// Terms of a use that the policy allows to accept.
#[derive(Clone, Copy, Debug)]
pub struct AcceptableTerms {
    /// Price of a unit, base units.
    price: u64,
    /// Fee that the acceptance charges once, base units.
    pub upfront_fee: u64,
    /// Whether the acceptance creates an account of the licensee.
    is_per_licensee: bool,
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
/// Salts that are tried for a new channel.
const MAX_SALTS: u64 = 10_000;

impl Channels {
    /// Creates the channels of a state folder. Those with a state file are opened by
    /// [`Channels::open_known`].
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn new(parts: ChannelParts, settings: &Settings, state: &Path) -> Result<Self, PayerError> {
        let ChannelParts { client, wallet, voucher_key, gateways, currency } = parts;
        let folder = state.join("channels");
        let failed = |error| PayerError::state(&folder, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let entries = fs::read_dir(&folder).map_err(failed)?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let unread = paths.filter(|path| path.extension().is_some_and(|kind| kind == "state"));
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
            unread: Mutex::new(unread.collect()),
            folder,
            policy: settings.policy.clone(),
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

    /// Returns what the wallet's transactions have cost beside deposits.
    pub fn wallet_spending(&self) -> &WalletSpending {
        &self.wallet_spending
    }

    /// Returns the open channels.
    pub fn all(&self) -> Vec<Arc<PaidChannel>> {
        self.opened().values().cloned().collect()
    }

    /// Opens the payers of known channels, so that their spending of this day counts.
    ///
    /// # Errors
    /// Those of a channel that is not closed and cannot be opened; no payment may be made then.
    pub async fn open_known(&self) -> Result<(), PayerError> {
        if lock(&self.unread).is_empty() {
            return Ok(());
        }
        let _chain = self.chain.lock().await;
        let unread = lock(&self.unread).clone();
        for path in unread {
            if let Some((address, slot)) = named(&path) {
                let account = match self.client.channel(&address).await {
                    Err(Error::NotFound { .. }) => None,
                    found => Some(found?),
                };
                // A closed channel's spending is in the archive.
                if let Some(account) = account.filter(|account| {
                    account.channel.opened_slot == slot && self.is_usable(account)
                }) {
                    let operator = account.channel.operator;
                    if let Some(gateway) = self.gateway(&operator).await? {
                        self.open_payer(gateway, address, &account).await?;
                    }
                }
            }
            lock(&self.unread).remove(&path);
        }
        Ok(())
    }

    /// Forgets a channel that takes no more payments, so that the next payment opens another.
    pub fn forget(&self, channel: &PaidChannel) {
        let mut open = self.opened();
        let address = channel.payer.channel();
        if open.get(&channel.operator).is_some_and(|one| one.payer.channel() == address) {
            open.remove(&channel.operator);
        }
    }

    /// Returns the operators of the settings' gateways that respond.
    pub async fn operators(&self) -> Vec<Pubkey> {
        let mut operators = Vec::new();
        for gateway in &self.gateways {
            if let Ok(operator) = gateway.operator().await {
                operators.push(operator.operator.0);
            }
        }
        operators
    }

    /// Returns the channel with an operator: the one that is open, the one on chain with the voucher
    /// key, or a new one.
    ///
    /// # Errors
    /// [`PayerError::UnknownOperator`], [`PayerError::NoChannel`], [`PayerError::Chain`]; those of
    /// [`Payer::open`].
    pub async fn with(&self, operator: &Pubkey) -> Result<Arc<PaidChannel>, PayerError> {
        self.open_known().await?;
        if let Some(open) = self.opened().get(operator) {
            return Ok(open.clone());
        }
        let mut chain = self.chain.lock().await;
        if let Some(open) = self.opened().get(operator) {
            return Ok(open.clone());
        }
        let gateway = self.gateway(operator).await?;
        let gateway = gateway.ok_or(PayerError::UnknownOperator(*operator))?;
        let (address, account) = match self.find(operator).await? {
            Some(found) => found,
            None => self.open_channel(operator, &mut chain).await?,
        };
        self.open_payer(gateway, address, &account).await
    }

    /// Returns the price of a use of a work at an operator's gateway.
    ///
    /// # Errors
    /// [`PayerError::UnknownOperator`], [`PayerError::Gateway`].
    pub async fn quote(
        &self,
        operator: &Pubkey,
        work: &Pubkey,
        licensed_use: Use,
    ) -> Result<Quote, PayerError> {
        let gateway = self.gateway(operator).await?;
        let gateway = gateway.ok_or(PayerError::UnknownOperator(*operator))?;
        gateway.quote(work, licensed_use).await.map_err(PayerError::Gateway)
    }

    /// Returns what a payment would need first, without doing it.
    ///
    /// # Errors
    /// As [`Channels::with`] and [`Channels::acceptable_terms`].
    pub async fn preparation(
        &self,
        operator: &Pubkey,
        (work, licensed_use): (&Pubkey, Use),
        cost: u64,
    ) -> Result<Preparation, PayerError> {
        self.open_known().await?;
        if self.gateway(operator).await?.is_none() {
            return Err(PayerError::UnknownOperator(*operator));
        }
        let open = self.opened().get(operator).cloned();
        let account = match &open {
            Some(open) => Some(self.client.channel(&open.payer.channel()).await?),
            None => self.find(operator).await?.map(|(_, account)| account),
        };
        let licenses = account.as_ref().map(|account| &account.licenses[..]).unwrap_or_default();
        let accepts_terms = newest(licenses, work, licensed_use).is_none();
        let upfront_fee = match accepts_terms {
            true => self.acceptable_terms(work, licensed_use).await?.upfront_fee,
            false => 0,
        };
        let (opens_channel, available) = match (&open, &account) {
            (Some(open), _) => (false, open.payer.available()?),
            (None, Some(account)) => {
                (false, account.channel.free().map_err(|e| PayerError::Chain(e.to_string()))?)
            }
            (None, None) if self.settings.deposit == 0 => {
                let reason = "`channels.deposit` is 0";
                return Err(PayerError::NoChannel { operator: *operator, reason });
            }
            (None, None) => (true, self.settings.deposit),
        };
        let (tops_up, upfront_fee) = (available < cost, Amount(upfront_fee));
        Ok(Preparation { opens_channel, accepts_terms, tops_up, upfront_fee })
    }

    /// Accepts a work's latest terms for a caller; returns the newest license of the channel for the use.
    /// The upfront fee must be reserved in the budgets.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`], [`PayerError::Chain`].
    pub async fn accept(
        &self,
        channel: &PaidChannel,
        caller: &Caller,
        (work, licensed_use): (&Pubkey, Use),
        terms: AcceptableTerms,
    ) -> Result<(u16, License), PayerError> {
        let mut chain = self.chain.lock().await;
        if let Some(found) = channel.license(work, licensed_use) {
            return Ok(found);
        }
        let AcceptableTerms { price, upfront_fee, is_per_licensee } = terms;
        let license = self.rent(License::SIZE).await?.saturating_sub(self.rent(0).await?);
        let licensee = if is_per_licensee { self.rent(Licensee::SPACE).await? } else { 0 };
        let cost = WalletCost {
            lamports: license.saturating_add(licensee),
            upfront_fee: Some((caller.clone(), upfront_fee)).filter(|_| upfront_fee > 0),
        };
        let address = channel.payer.channel();
        let accepting = self.client.accept_terms(&address, work, licensed_use);
        let accepting = accepting.max_price(price).max_upfront_fee(upfront_fee);
        let sending = async { Ok(accepting.send(&self.wallet).await?.1) };
        self.transact(&mut chain, upfront_fee, cost, sending).await??;
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

    /// Adds `top_up`, or more if `missing` is more.
    async fn top_up(
        &self,
        channel: &PaidChannel,
        chain: &mut Deposits,
        missing: u64,
    ) -> Result<(), TopUpError> {
        if self.settings.top_up == 0 {
            return Err(TopUpError::Refused("`channels.top_up` is 0"));
        }
        let amount = self.settings.top_up.max(missing);
        self.check_locked(amount, chain).await?;
        let address = channel.payer.channel();
        let sending = self.client.top_up(&self.wallet, &address, amount);
        let sent = self.transact(chain, amount, WalletCost::default(), sending).await?;
        sent.map_err(PayerError::from)?;
        tracing::info!(channel = %address, amount, "channel topped up");
        Ok(self.refresh(channel).await?)
    }

    /// Checks that another deposit keeps the channels' unspent deposits within their maximum, and that
    /// the wallet has it.
    async fn check_locked(&self, amount: u64, chain: &Deposits) -> Result<(), TopUpError> {
        let channels = self.client.channels(Some(&self.wallet.pubkey()), None).await;
        let own = channels.map_err(PayerError::from)?.into_iter();
        let own = own.filter(|(_, account)| {
            let is_open = account.channel.withdrawn == 0;
            is_open && self.is_own(account)
        });
        let unspent = own.map(|(_, account)| {
            let charged = account.channel.charged().unwrap_or(0);
            account.channel.deposited.saturating_sub(charged)
        });
        let locked = unspent.fold(chain.pending(now()), u64::saturating_add);
        if locked.saturating_add(amount) > self.settings.max_locked() {
            return Err(TopUpError::Refused("`channels.max_locked` is reached"));
        }
        let balance = self.client.token_balance(&self.wallet.pubkey(), &self.currency).await;
        if balance.map_err(PayerError::from)? < amount {
            return Err(TopUpError::Refused("the wallet has too few tokens"));
        }
        Ok(())
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

    /// Opens a channel at the first free salt.
    async fn open_channel(
        &self,
        operator: &Pubkey,
        chain: &mut Deposits,
    ) -> Result<(Pubkey, ChannelAccount), PayerError> {
        let refuse = |reason| PayerError::NoChannel { operator: *operator, reason };
        let deposit = self.settings.deposit;
        if deposit == 0 {
            return Err(refuse("`channels.deposit` is 0"));
        }
        self.check_locked(deposit, chain).await.map_err(|error| match error {
            TopUpError::Refused(reason) => refuse(reason),
            TopUpError::Failed(error) => error,
        })?;
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
        let state = self.folder.join(format!("{address}.{}.state", account.channel.opened_slot));
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
        let places = Places::new();
        let channel = Arc::new(PaidChannel { payer, operator, places });
        self.opened().insert(operator, channel.clone());
        Ok(channel)
    }

    async fn refresh(&self, channel: &PaidChannel) -> Result<(), PayerError> {
        let account = self.client.channel(&channel.payer.channel()).await?;
        channel.payer.refresh(&account).await.map_err(PayerError::Gateway)
    }

    /// Returns the client of an operator's gateway; `None` if the operator is not paid.
    async fn gateway(&self, operator: &Pubkey) -> Result<Option<GatewayClient>, PayerError> {
        let mut unreachable = None;
        for gateway in &self.gateways {
            match gateway.operator().await {
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

    /// Returns a work's latest terms for a use, if the policy allows to accept them.
    ///
    /// # Errors
    /// [`PayerError::TermsNotAccepted`], [`PayerError::UseNotLicensed`], [`PayerError::PriceTooHigh`],
    /// [`PayerError::OtherCurrency`], [`PayerError::Chain`].
    pub async fn acceptable_terms(
        &self,
        work: &Pubkey,
        licensed_use: Use,
    ) -> Result<AcceptableTerms, PayerError> {
        let refuse =
            |reason: &str| PayerError::TermsNotAccepted { work: *work, reason: reason.to_owned() };
        let max = self.policy.max_unit_price;
        let max = max.ok_or_else(|| refuse("`policy.max_unit_price` is not set"))?;
        let works = &self.policy.works;
        if !works.is_empty() && !works.iter().any(|listed| listed.0 == *work) {
            return Err(refuse("the work is not in `policy.works`"));
        }
        let terms = self.client.latest_terms(work).await?.terms;
        if terms.currency != self.currency.mint {
            return Err(PayerError::OtherCurrency(terms.currency, self.currency.mint));
        }
        let price = terms.price_of(licensed_use).map(|price| price.price);
        let price = price.ok_or(PayerError::UseNotLicensed { work: *work, licensed_use })?;
        if price > max {
            return Err(PayerError::PriceTooHigh { price, max });
        }
        let upfront_fee = terms.offer.upfront_fee;
        if upfront_fee > self.policy.max_upfront_fee {
            return Err(refuse("the upfront fee is above `policy.max_upfront_fee`"));
        }
        if terms.offer.caps.shared() {
            return Err(refuse(
                "a shared cap needs a quota: accept them with `motif channel accept`",
            ));
        }
        let is_per_licensee = Licensee::needed_by(&terms.offer);
        Ok(AcceptableTerms { price, upfront_fee, is_per_licensee })
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<Pubkey, Arc<PaidChannel>>> {
        lock(&self.open)
    }
}

impl PaidChannel {
    /// Returns the newest valid license for a use of a work.
    pub fn license(&self, work: &Pubkey, licensed_use: Use) -> Option<(u16, License)> {
        let licenses = (0..).map_while(|index| self.payer.license(index));
        newest(&licenses.collect::<Vec<_>>(), work, licensed_use)
    }

    /// Returns the maximum cost of units of a license, base units, fee included.
    pub fn cost(&self, license: &License, units: u32) -> u64 {
        self.payer.most_cost(license, units)
    }
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

/// Returns the channel and its slot of opening that a state file's name has.
fn named(path: &Path) -> Option<(Pubkey, u64)> {
    let (address, slot) = path.file_stem()?.to_str()?.split_once('.')?;
    Some((address.parse().ok()?, slot.parse().ok()?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
