//! Transactions of creators without SOL that the operator pays for: their fees, and the rent of what they register.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use borsh::BorshDeserialize;
use ed25519_dalek::{Signature, VerifyingKey};
use motif_paywall::{ClientInstruction, ClientTransaction};
use motif_sdk::{
    AccountData, Pubkey,
    channel::{self, Currency},
    earnings::{self, Earnings},
    licensing::{
        self, Offer, PublishTermsArgs, RegisterWorkArgs, Registration, Terms, Work, WorkKind,
        publish_terms, register_work,
    },
};
use motif_signer::Purpose;
use parking_lot::Mutex;

use crate::{
    chain::MAX_ACCOUNTS,
    cluster::Cluster,
    config::SponsorConfig,
    error::GatewayError,
    metrics::Metrics,
    relay::{ASSOCIATED_TOKENS, COMPUTE_BUDGET, MEMO, SYSTEM, TOKENS},
    store::{Change, Expense, ExpenseKind, Store},
};

const RENT: Pubkey = Pubkey::from_str_const("SysvarRent111111111111111111111111111111111");
const SIGNATURE_FEE: u64 = 5_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Bytes of an account beside its data that rent is paid for.
const ACCOUNT_BYTES: usize = 128;
const TOKEN_ACCOUNT_BYTES: usize = 165;
/// Accounts of `claim` before those that it pays.
const CLAIM_ACCOUNTS: usize = 7;
/// First bytes of instructions of the compute budget and of a transfer of lamports.
const SET_UNIT_LIMIT: u8 = 2;
const SET_UNIT_PRICE: u8 = 3;
/// Units of a transaction that does not limit them, at most.
const MAX_UNITS: u32 = 1_400_000;
/// Maximum priority fee, which wallets add, lamports.
const MAX_PRIORITY_FEE: u64 = 50_000;
const TRANSFER: [u8; 4] = [2, 0, 0, 0];

/// Pays for transactions that register works, publish terms and claim earnings, within a budget.
///
/// The sponsor's key signs as the fee payer, and in one transfer: the rent of the accounts that the
/// transaction creates goes to the wallet that creates them.
pub struct Sponsor {
    config: SponsorConfig,
    cluster: Arc<Cluster>,
    store: Store,
    metrics: Arc<Metrics>,
    today: Mutex<Today>,
}

/// What was spent in a day (UTC).
#[derive(Debug, Default)]
struct Today {
    day: i64,
    lamports: u64,
    by_wallet: HashMap<Pubkey, u64>,
    /// Messages that were counted: a copy costs nothing more.
    counted: HashSet<[u8; 32]>,
}

/// Transaction that the sponsor has signed.
pub struct Sponsored {
    /// Wire format.
    pub bytes: Vec<u8>,
    /// The sponsor's signature, which names the transaction.
    pub signature: [u8; 64],
    wallet: Pubkey,
    lamports: u64,
    message: [u8; 32],
    /// Whether this copy of the transaction was counted; only it can be given back.
    is_counted: bool,
}

/// A transfer, as its receiver and lamports, and the other instructions.
type WithTransfer<'a> = (Option<(Pubkey, u64)>, &'a [ClientInstruction]);

/// What a transaction needs of its sponsor.
struct Need {
    wallet: Pubkey,
    rent: u64,
}

/// First bytes of the instructions that are paid for.
struct Prefixes {
    register_work: [u8; 8],
    publish_terms: [u8; 8],
    open_earnings: [u8; 8],
    /// Instructions that create nothing: `collect`, `pull`, `claim`.
    others: [[u8; 8]; 3],
    claim: [u8; 8],
}

static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| {
    let key = Pubkey::default();
    let prefix = |data: &[u8]| data.first_chunk().copied().unwrap_or_default();
    let registration = Registration::new(WorkKind::Image, [1; 32], &key);
    let claim = prefix(&earnings::claim(&key, &key, &Currency::spl(key)).data);
    Prefixes {
        register_work: prefix(&register_work(&key, None, &registration, &[]).data),
        publish_terms: prefix(&publish_terms(&key, &key, 0, &key, Offer::new(Vec::new())).data),
        open_earnings: prefix(&earnings::open(&key, &key, &key).data),
        others: [
            prefix(&channel::collect(&key, &key, &[]).data),
            prefix(&earnings::pull(&key, &key, &key).data),
            claim,
        ],
        claim,
    }
});

impl Sponsor {
    /// Creates a sponsor that has spent `spent` lamports today, at `now`.
    pub(crate) fn new(
        config: SponsorConfig,
        cluster: Arc<Cluster>,
        store: Store,
        metrics: Arc<Metrics>,
        (spent, now): (u64, i64),
    ) -> Self {
        let day = now.div_euclid(SECONDS_PER_DAY);
        let today = Today { day, lamports: spent, ..Today::default() };
        Self { config, cluster, store, metrics, today: Mutex::new(today) }
    }

    /// Returns the address that pays.
    pub fn address(&self) -> Pubkey {
        self.config.key.public_key()
    }

    /// Returns whether a transaction names this sponsor as its fee payer.
    pub fn is_named_by(&self, transaction: &ClientTransaction) -> bool {
        transaction.keys.first() == Some(&self.address())
    }

    /// Returns the lamports that the first instruction of a sponsored transaction has to transfer to the wallet:
    /// the rent of what it creates. `transaction` is paid for by the wallet, and unsigned.
    ///
    /// # Errors
    /// [`GatewayError::SponsorshipRefused`]; [`GatewayError::ChainUnreachable`].
    pub async fn quote(&self, transaction: &ClientTransaction) -> Result<u64, GatewayError> {
        let wallet = *transaction.keys.first().ok_or_else(|| refused("it has no accounts"))?;
        let need = self.need(transaction, wallet, &transaction.instructions).await?;
        let fee = fee(transaction, transaction.signers.saturating_add(1))?;
        let has_room = self.today.lock().has_room(
            &self.config,
            &wallet,
            need.rent.saturating_add(fee),
            self.cluster.now(),
        );
        has_room.map(|()| need.rent)
    }

    /// Checks a transaction that everyone but the sponsor has signed, counts what it costs, and signs it.
    ///
    /// # Errors
    /// [`GatewayError::SponsorshipRefused`]; [`GatewayError::SignerUnavailable`];
    /// [`GatewayError::ChainUnreachable`].
    pub async fn sign(&self, transaction: &ClientTransaction) -> Result<Sponsored, GatewayError> {
        let (transfer, rest) = self.transfer(transaction)?;
        check_signatures(transaction)?;
        let Need { wallet, rent } = match transfer {
            Some((wallet, lamports)) => {
                let need = self.need(transaction, wallet, rest).await?;
                if need.rent != lamports {
                    let what = format!("it transfers {lamports} lamports: expected {}", need.rent);
                    return Err(refused(&what));
                }
                need
            }
            None => {
                let wallet = transaction.keys.get(1).filter(|_| transaction.signers > 1);
                let wallet = *wallet.ok_or_else(|| refused("no wallet signs it"))?;
                let need = self.need(transaction, wallet, rest).await?;
                if need.rent != 0 {
                    return Err(refused("the transfer of rent is missing"));
                }
                need
            }
        };
        let lamports = rent.saturating_add(fee(transaction, transaction.signers)?);
        let message = transaction.id();
        let cost = (message, &wallet, lamports);
        let is_counted = self.today.lock().take(&self.config, cost, self.cluster.now())?;
        let sponsored = Sponsored {
            bytes: Vec::new(),
            signature: [0; 64],
            wallet,
            lamports,
            message,
            is_counted,
        };
        let signed = self.config.key.sign_in_time(Purpose::FeePayer, &[&transaction.message]).await;
        let signature = match signed.map(|signatures| signatures.first().copied()) {
            Ok(Some(signature)) => signature,
            Ok(None) => {
                self.refund(&sponsored);
                return Err(refused("the sponsor's key gave no signature"));
            }
            Err(error) => {
                self.refund(&sponsored);
                return Err(error.into());
            }
        };
        let bytes = transaction.signed(&signature);
        Ok(Sponsored { bytes, signature, ..sponsored })
    }

    /// Records a transaction that a node has taken. It is counted, though another copy of it was given back.
    pub async fn record(&self, sponsored: &Sponsored) {
        let Sponsored { signature, wallet, lamports, message, .. } = *sponsored;
        self.today.lock().count((message, &wallet, lamports));
        self.metrics.count_lamports(ExpenseKind::Sponsorship, lamports);
        let spent_at = self.cluster.now();
        let kind = ExpenseKind::Sponsorship;
        let change = Change::Spent(Expense { signature, kind, lamports, spent_at });
        if let Err(error) = self.store.writer().write(change).await {
            tracing::warn!(%error, "an expense was not recorded");
        }
    }

    /// Gives the cost of a transaction that no node has taken back to the budget. The cost of a copy stays with the
    /// copy that was counted, which a node may have.
    pub fn refund(&self, sponsored: &Sponsored) {
        let Sponsored { wallet, lamports, message, is_counted, .. } = sponsored;
        if *is_counted {
            self.today.lock().give_back((*message, wallet, *lamports));
        }
    }

    /// Returns the first instruction's transfer, if it has one, and the others. The sponsor is in no other
    /// instruction.
    fn transfer<'a>(
        &self,
        transaction: &'a ClientTransaction,
    ) -> Result<WithTransfer<'a>, GatewayError> {
        let ClientTransaction { keys, instructions, signers, .. } = transaction;
        let budgets = instructions.iter().take_while(|instruction| is_budget(keys, instruction));
        let limits = budgets.count();
        let (_, rest) = instructions.split_at(limits);
        let found = rest.first().and_then(|instruction| {
            let is_system = keys.get(usize::from(instruction.program)) == Some(&SYSTEM);
            let amount = instruction.data.strip_prefix(&TRANSFER)?;
            let lamports = u64::from_le_bytes(amount.try_into().ok()?);
            let [0, to] = instruction.accounts[..] else { return None };
            let to = usize::from(to);
            let wallet = *keys.get(to).filter(|_| is_system && (1..*signers).contains(&to))?;
            Some((wallet, lamports))
        });
        let rest = if found.is_some() { rest.get(1..).unwrap_or_default() } else { rest };
        let mut named = rest.iter().flat_map(|instruction| &instruction.accounts);
        if named.any(|&index| index == 0) || keys.iter().skip(1).any(|key| *key == self.address()) {
            return Err(refused("it uses the sponsor's account for more than rent and fees"));
        }
        Ok((found, rest))
    }

    /// Returns what instructions need that `wallet` creates accounts with.
    async fn need(
        &self,
        transaction: &ClientTransaction,
        wallet: Pubkey,
        instructions: &[ClientInstruction],
    ) -> Result<Need, GatewayError> {
        // Bytes of new accounts by address, an account once; those of earnings are known from their work.
        let mut created: BTreeMap<Pubkey, usize> = BTreeMap::new();
        let mut earning: BTreeMap<Pubkey, Pubkey> = BTreeMap::new();
        let mut opened_tokens: HashSet<Pubkey> = HashSet::new();
        let mut claimed_to: HashSet<Pubkey> = HashSet::new();
        let mut is_useful = false;
        for instruction in instructions {
            let key = |index: u8| transaction.keys.get(usize::from(index)).copied();
            let program = key(instruction.program).ok_or_else(|| refused("it is malformed"))?;
            let account = |at: usize| instruction.accounts.get(at).copied().and_then(key);
            if is_budget(&transaction.keys, instruction) {
                continue;
            }
            // A memo is signed by the wallet only: each signature costs a fee.
            let is_of_wallet = |index: &u8| key(*index) == Some(wallet);
            if program == MEMO && instruction.accounts.iter().all(is_of_wallet) {
                continue;
            }
            let address = |at: usize| account(at).ok_or_else(|| refused("it is malformed"));
            if program == ASSOCIATED_TOKENS && matches!(instruction.data[..], [] | [0] | [1]) {
                let is_own = account(0) == Some(wallet) && account(2) == Some(wallet);
                if !is_own || account(5) != Some(TOKENS) {
                    return Err(refused("it opens tokens of another owner or token program"));
                }
                created.insert(address(1)?, TOKEN_ACCOUNT_BYTES);
                opened_tokens.insert(address(1)?);
                continue;
            }
            let (prefix, args) = instruction.data.split_at_checked(8).unwrap_or_default();
            let prefixes = &*PREFIXES;
            let is = |own: &[u8; 8]| prefix == own;
            if program == licensing::PROGRAM_ID && is(&prefixes.register_work) {
                let args = RegisterWorkArgs::try_from_slice(args);
                let args = args.map_err(|_| refused("its registration is malformed"))?;
                created.insert(address(1)?, args.space());
            } else if program == licensing::PROGRAM_ID && is(&prefixes.publish_terms) {
                let args = PublishTermsArgs::try_from_slice(args);
                let PublishTermsArgs { offer } =
                    args.map_err(|_| refused("its terms are malformed"))?;
                let (uses, operators) = (offer.uses.len(), offer.operators.len());
                let bytes = Terms::space(uses, operators, offer.legal_uri.len());
                created.insert(address(2)?, bytes);
            } else if program == channel::PROGRAM_ID && is(&prefixes.open_earnings) {
                earning.insert(address(3)?, address(1)?);
            } else if program == channel::PROGRAM_ID && prefixes.others.iter().any(is) {
                if is(&prefixes.claim) {
                    let payees = instruction.accounts.iter().skip(CLAIM_ACCOUNTS);
                    claimed_to.extend(payees.filter_map(|index| key(*index)));
                }
                is_useful = true;
                continue;
            } else {
                let what =
                    "it has an instruction that is neither a registration, terms nor a claim";
                return Err(refused(what));
            }
            if account(0) != Some(wallet) {
                return Err(refused("another wallet than the rent's registers"));
            }
            is_useful = true;
        }
        if !opened_tokens.is_subset(&claimed_to) {
            return Err(refused("it opens tokens that none of its claims pays"));
        }
        if !is_useful {
            return Err(refused("it neither registers, publishes terms nor claims"));
        }
        // Rent and balance, the works that earn, and what is to be created.
        let mut addresses = vec![RENT, wallet];
        addresses.extend(earning.values());
        addresses.extend(created.keys().chain(earning.keys()));
        if addresses.len() > MAX_ACCOUNTS {
            return Err(refused("it has too many accounts"));
        }
        let (found, _) = self.cluster.chain().accounts(&addresses).await?;
        let at = |address: &Pubkey| {
            let position = addresses.iter().position(|other| other == address)?;
            found.get(position)?.as_ref()
        };
        let per_byte = at(&RENT).and_then(|account| lamports_per_byte(&account.data));
        let per_byte = per_byte.ok_or_else(|| refused("the cluster's rent cannot be read"))?;
        for (address, work) in earning {
            let work = at(&work).and_then(|account| Work::from_account_data(&account.data).ok());
            let work = work.ok_or_else(|| refused("it opens earnings of an unknown work"))?;
            let parts = work.parents.len().saturating_add(work.split.len());
            created.insert(address, Earnings::space(parts));
        }
        // What exists needs no rent.
        let missing = created.iter().filter(|(address, _)| at(address).is_none());
        let bytes = missing.map(|(_, size)| size.saturating_add(ACCOUNT_BYTES) as u64);
        let rent = bytes.map(|bytes| bytes.saturating_mul(per_byte)).fold(0, u64::saturating_add);
        let own = at(&wallet).map_or(0, |account| account.lamports);
        let least = (ACCOUNT_BYTES as u64).saturating_mul(per_byte);
        let fee = fee(transaction, transaction.signers)?;
        if own >= rent.saturating_add(fee).saturating_add(least) {
            return Err(refused("the wallet has the SOL for it"));
        }
        Ok(Need { wallet, rent })
    }
}

impl Today {
    fn has_room(
        &mut self,
        config: &SponsorConfig,
        wallet: &Pubkey,
        lamports: u64,
        now: i64,
    ) -> Result<(), GatewayError> {
        let day = now.div_euclid(SECONDS_PER_DAY);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
        if self.lamports.saturating_add(lamports) > config.daily_lamports {
            return Err(refused("today's budget is spent: repeat it tomorrow, or pay by yourself"));
        }
        let own = self.by_wallet.get(wallet).copied().unwrap_or(0);
        if own.saturating_add(lamports) > config.wallet_lamports {
            return Err(refused("today's budget of this wallet is spent"));
        }
        Ok(())
    }

    /// Counts a message if there is room for it; returns whether this copy of it was counted.
    fn take(
        &mut self,
        config: &SponsorConfig,
        (message, wallet, lamports): ([u8; 32], &Pubkey, u64),
        now: i64,
    ) -> Result<bool, GatewayError> {
        if self.counted.contains(&message) {
            return Ok(false);
        }
        self.has_room(config, wallet, lamports, now)?;
        self.count((message, wallet, lamports));
        Ok(true)
    }

    /// Counts a message unless it is counted.
    fn count(&mut self, (message, wallet, lamports): ([u8; 32], &Pubkey, u64)) {
        if self.counted.insert(message) {
            self.lamports = self.lamports.saturating_add(lamports);
            let own = self.by_wallet.entry(*wallet).or_default();
            *own = own.saturating_add(lamports);
        }
    }

    /// Forgets a message that was counted; a wallet that has spent nothing takes no memory.
    fn give_back(&mut self, (message, wallet, lamports): ([u8; 32], &Pubkey, u64)) {
        if !self.counted.remove(&message) {
            return;
        }
        self.lamports = self.lamports.saturating_sub(lamports);
        if let Some(spent) = self.by_wallet.get_mut(wallet) {
            *spent = spent.saturating_sub(lamports);
            if *spent == 0 {
                self.by_wallet.remove(wallet);
            }
        }
    }
}

fn refused(what: &str) -> GatewayError {
    GatewayError::SponsorshipRefused(what.to_owned())
}

/// Returns the fee of a transaction with this number of signers, lamports.
fn fee(transaction: &ClientTransaction, signers: usize) -> Result<u64, GatewayError> {
    let (mut units, mut price) = (MAX_UNITS, 0_u64);
    let is_own = |one: &&ClientInstruction| is_budget(&transaction.keys, one);
    for ClientInstruction { data, .. } in transaction.instructions.iter().filter(is_own) {
        match data.split_first() {
            Some((&SET_UNIT_LIMIT, rest)) => {
                units = u32::from_le_bytes(rest.try_into().unwrap_or([u8::MAX; 4]));
            }
            Some((&SET_UNIT_PRICE, rest)) => {
                price = u64::from_le_bytes(rest.try_into().unwrap_or([u8::MAX; 8]));
            }
            _ => {}
        }
    }
    // The price is in millionths of a lamport.
    let priority = (u128::from(units.min(MAX_UNITS)) * u128::from(price)).div_ceil(1_000_000);
    match u64::try_from(priority) {
        Ok(priority) if priority <= MAX_PRIORITY_FEE => {
            Ok(SIGNATURE_FEE.saturating_mul(signers as u64).saturating_add(priority))
        }
        _ => Err(refused("its priority fee is above 50000 lamports")),
    }
}

/// Returns whether an instruction limits compute units or prices them.
fn is_budget(keys: &[Pubkey], instruction: &ClientInstruction) -> bool {
    keys.get(usize::from(instruction.program)) == Some(&COMPUTE_BUDGET)
        && matches!(instruction.data.first(), Some(&(SET_UNIT_LIMIT | SET_UNIT_PRICE)))
}

/// Checks the signatures of all signers but the fee payer.
fn check_signatures(transaction: &ClientTransaction) -> Result<(), GatewayError> {
    let ClientTransaction { keys, signatures, signers, message, .. } = transaction;
    let signed = |(key, signature): (&Pubkey, &[u8; 64])| {
        let key = VerifyingKey::from_bytes(key.as_array());
        let signature = Signature::from_bytes(signature);
        key.is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    };
    if signatures.len() != *signers || !keys.iter().zip(signatures).skip(1).all(signed) {
        let what = "a signature is missing or invalid".to_owned();
        return Err(GatewayError::MalformedTransaction(what));
    }
    Ok(())
}

/// Reads the lamports that keep a byte exempt from rent: the rate of a year, times a number of years.
fn lamports_per_byte(rent: &[u8]) -> Option<u64> {
    let (rate, rest) = rent.split_first_chunk()?;
    let years = f64::from_le_bytes(*rest.first_chunk()?);
    let is_whole = (0.0..=100.0).contains(&years) && years.fract() == 0.0;
    // A whole number below 101.
    is_whole.then(|| u64::from_le_bytes(*rate).checked_mul(years as u64)).flatten()
}
