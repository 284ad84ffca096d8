use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use litesvm::{
    LiteSVM,
    types::{FailedTransactionMetadata, TransactionMetadata},
};
use solana_account::{Account, AccountSharedData, ReadableAccount};
use solana_clock::Clock;
use solana_epoch_schedule::EpochSchedule;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::{AddressLoader, VersionedMessage, v0::LoadedAddresses};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;
use solana_system_interface::instruction::transfer;
use solana_transaction::{Transaction, TransactionError, versioned::VersionedTransaction};
use solana_transaction_status::{
    TransactionStatusMeta, TransactionTokenBalance, VersionedTransactionWithStatusMeta,
    map_inner_instructions,
};
use tokio::sync::broadcast;

use super::{
    blockhashes::Blockhashes,
    ledger::{Ledger, Record},
    memo,
    program::Program,
    tokens,
};
use crate::{LocalnetError, clock::CLOCK};

/// Time from one block to the next.
pub const SLOT: Duration = Duration::from_millis(200);

const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

/// Number of transactions kept for `getTransaction` and its like.
const LEDGER_CAPACITY: usize = 100_000;
/// Maximum number of updates by which a websocket connection may lag.
const UPDATES_CAPACITY: usize = 4_096;
const FAUCET_LAMPORTS: u64 = 10_000_000_000_000_000_000;

/// The state of the chain: accounts, slots, blockhashes, and the transactions that landed.
pub(crate) struct Chain {
    svm: LiteSVM,
    faucet: Keypair,
    genesis: Hash,
    slot: u64,
    height: u64,
    blockhashes: Blockhashes,
    /// Milliseconds by which time travel has put the chain ahead of the wall clock.
    ahead: u64,
    unix_milliseconds: u64,
    /// Slots and their unix time in seconds, oldest first.
    block_times: VecDeque<(u64, i64)>,
    ledger: Ledger,
    sequence: u64,
    updates: broadcast::Sender<Arc<Update>>,
}

/// A chain shared by the servers of one localnet, which all run on one thread.
#[derive(Clone)]
pub(crate) struct SharedChain(Arc<Mutex<Chain>>);

impl SharedChain {
    pub(crate) fn new(chain: Chain) -> Self {
        Self(Arc::new(Mutex::new(chain)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Chain> {
        // A panic in one request leaves a chain that other requests can still read.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that subscribers may be notified of.
pub(crate) struct Update {
    /// Position among all updates.
    pub(crate) sequence: u64,
    pub(crate) slot: u64,
    pub(crate) change: Change,
}

pub(crate) enum Change {
    Slot {
        parent: u64,
    },
    Account {
        address: Pubkey,
        account: AccountSharedData,
    },
    Transaction {
        signature: Signature,
        result: TransactionResult,
        logs: Vec<String>,
        mentions: Vec<Pubkey>,
    },
}

pub(crate) type TransactionResult = Result<(), TransactionError>;

/// Balances of a transaction's accounts at one moment.
#[derive(Default)]
pub(crate) struct Balances {
    pub(crate) lamports: Vec<u64>,
    pub(crate) tokens: Vec<TransactionTokenBalance>,
}

/// The outcome of a transaction that changed nothing.
pub(crate) struct Simulation {
    pub(crate) result: TransactionResult,
    pub(crate) metadata: TransactionMetadata,
    /// The writable accounts as the transaction would leave them; empty if it failed.
    pub(crate) accounts: Vec<(Pubkey, AccountSharedData)>,
    pub(crate) loaded: LoadedAddresses,
    pub(crate) before: Balances,
    pub(crate) after: Balances,
}

impl tokens::Accounts for Chain {
    fn account(&self, address: &Pubkey) -> Option<&AccountSharedData> {
        self.svm.accounts_db().get_account_ref(address)
    }
}

impl Chain {
    /// Creates a chain with `programs` loaded and the clock at the wall clock.
    ///
    /// # Errors
    /// [`LocalnetError::BadProgram`] if the bytecode of one of them does not load.
    pub(crate) fn new(programs: &[Program]) -> Result<Self, LocalnetError> {
        // Signatures, blockhashes and repetitions are checked here: LiteSVM accepts its latest
        // blockhash only, and reports none of the three apart from a failed simulation.
        let mut svm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        memo::load(&mut svm)?;
        for program in programs {
            svm.add_program(program.id, &program.elf).map_err(|error| {
                LocalnetError::BadProgram { id: program.id, reason: error.to_string() }
            })?;
        }
        let faucet = Keypair::new();
        let account =
            Account { lamports: FAUCET_LAMPORTS, owner: SYSTEM_PROGRAM, ..Account::default() };
        svm.set_account(faucet.pubkey(), account)
            .map_err(|error| LocalnetError::NotStarted(std::io::Error::other(error.to_string())))?;

        // Random, so that no two localnets take each other's vouchers and transactions.
        let genesis = hashv(&[b"motif localnet genesis", faucet.pubkey().as_ref()]);
        let slot = svm.get_sysvar::<Clock>().slot;
        svm.set_sysvar(&SlotHashes::new(&[]));
        let mut chain = Self {
            svm,
            faucet,
            genesis,
            slot,
            height: 0,
            blockhashes: Blockhashes::new(genesis),
            ahead: 0,
            unix_milliseconds: 0,
            block_times: VecDeque::new(),
            ledger: Ledger::new(LEDGER_CAPACITY),
            sequence: 0,
            updates: broadcast::Sender::new(UPDATES_CAPACITY),
        };
        chain.make_block();
        Ok(chain)
    }

    pub(crate) fn genesis(&self) -> Hash {
        self.genesis
    }

    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    pub(crate) fn height(&self) -> u64 {
        self.height
    }

    pub(crate) fn blockhashes(&self) -> &Blockhashes {
        &self.blockhashes
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn epoch_schedule(&self) -> EpochSchedule {
        self.svm.get_sysvar()
    }

    pub(crate) fn unix_milliseconds(&self) -> u64 {
        self.unix_milliseconds
    }

    /// Returns the unix time of a slot in seconds, or `None` if it had no block or is too old.
    pub(crate) fn block_time(&self, slot: u64) -> Option<i64> {
        let found = self.block_times.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        self.block_times.get(found).map(|(_, unix_timestamp)| *unix_timestamp)
    }

    pub(crate) fn minimum_balance(&self, data_length: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(data_length)
    }

    pub(crate) fn account(&self, address: &Pubkey) -> Option<&AccountSharedData> {
        self.svm.accounts_db().get_account_ref(address)
    }

    /// Replaces the account at `address`, or removes it if `account` has no lamports.
    ///
    /// # Errors
    /// The reason if the account is a program or a sysvar whose data cannot be read.
    pub(crate) fn set_account(&mut self, address: Pubkey, account: Account) -> Result<(), String> {
        self.svm.set_account(address, account.clone()).map_err(|error| error.to_string())?;
        self.publish(Change::Account { address, account: account.into() });
        Ok(())
    }

    /// Returns the accounts owned by `program`, in no particular order.
    pub(crate) fn program_accounts(
        &self,
        program: &Pubkey,
    ) -> impl Iterator<Item = (&Pubkey, &AccountSharedData)> {
        self.svm.accounts_db().inner.iter().filter(move |(_, account)| account.owner() == program)
    }

    /// Returns a receiver of all updates from here on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Update>> {
        self.updates.subscribe()
    }

    /// Returns the sequence number of the last update.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Makes the block of the next slot.
    pub(crate) fn make_block(&mut self) {
        self.height += 1;
        self.begin_slot(self.slot + 1);
    }

    /// Moves the chain's clock forward to `unix_milliseconds`, and the slot along. The block
    /// height grows by one only, so that blockhashes stay valid. Returns `false`, with nothing
    /// changed, if that is in the past.
    pub(crate) fn travel_to(&mut self, unix_milliseconds: u64) -> bool {
        let Some(distance) = unix_milliseconds.checked_sub(self.unix_milliseconds) else {
            return false;
        };
        let slots = u128::from(distance) / SLOT.as_millis();
        self.ahead = self.ahead.saturating_add(unix_milliseconds.saturating_sub(self.now()));
        self.unix_milliseconds = unix_milliseconds;
        self.height += 1;
        self.begin_slot(self.slot.saturating_add(slots as u64).saturating_add(1));
        true
    }

    /// Sends lamports of the faucet to `address`.
    ///
    /// # Errors
    /// The runtime's error, such as for less than the rent of an empty account.
    pub(crate) fn airdrop(
        &mut self,
        address: &Pubkey,
        lamports: u64,
    ) -> Result<Signature, TransactionError> {
        let payer = self.faucet.pubkey();
        let pay = transfer(&payer, address, lamports);
        let (blockhash, _) = self.blockhashes.latest();
        let transaction =
            Transaction::new_signed_with_payer(&[pay], Some(&payer), &[&self.faucet], blockhash);
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let transaction = VersionedTransaction::from(transaction);
        // The faucet pays no fee for an airdrop that would fail.
        self.simulate(&transaction).result?;
        self.process(transaction)?;
        Ok(signature)
    }

    /// Runs a transaction without changing anything. Signatures are not verified.
    pub(crate) fn simulate(&self, transaction: &VersionedTransaction) -> Simulation {
        let loaded = match self.check(transaction) {
            Ok(loaded) => loaded,
            Err(error) => return Simulation::refused(error),
        };
        let keys = keys(&transaction.message, &loaded);
        let before = self.balances(&keys, &[]);
        match self.svm.simulate_transaction(transaction.clone()) {
            Ok(simulated) => {
                let (metadata, accounts) = (simulated.meta, simulated.post_accounts);
                let after = self.balances(&keys, &accounts);
                Simulation { result: Ok(()), metadata, accounts, loaded, before, after }
            }
            Err(FailedTransactionMetadata { err, meta: metadata }) => {
                let after = self.balances(&keys, &[]);
                Simulation {
                    result: Err(err),
                    metadata,
                    accounts: Vec::new(),
                    loaded,
                    before,
                    after,
                }
            }
        }
    }

    /// Runs a transaction and keeps its changes; the next slot begins after it. Signatures are
    /// not verified. A transaction that fails in execution lands and pays its fee.
    ///
    /// # Errors
    /// The reason why the transaction did not land.
    pub(crate) fn process(
        &mut self,
        transaction: VersionedTransaction,
    ) -> Result<(), TransactionError> {
        let loaded = self.check(&transaction)?;
        let keys = keys(&transaction.message, &loaded);
        let before = self.balances(&keys, &[]);
        let (result, metadata) = match self.svm.send_transaction(transaction.clone()) {
            Ok(metadata) => (Ok(()), metadata),
            // LiteSVM returns no signature for a transaction that it did not execute.
            Err(failed) if failed.meta.signature == Signature::default() => return Err(failed.err),
            Err(failed) => (Err(failed.err), failed.meta),
        };
        let after = self.balances(&keys, &[]);

        let changed: Vec<_> = match result {
            Ok(()) => writable_keys(&transaction.message, &loaded),
            Err(_) => keys.first().copied().into_iter().collect(),
        };
        for address in changed {
            let account = self.account(&address).cloned().unwrap_or_default();
            self.publish(Change::Account { address, account });
        }
        self.publish(Change::Transaction {
            signature: metadata.signature,
            result: result.clone(),
            logs: metadata.logs.clone(),
            mentions: keys,
        });
        let meta = status_meta(result, metadata, loaded, before, after);
        self.ledger.insert(Record {
            slot: self.slot,
            unix_timestamp: (self.unix_milliseconds / 1_000) as i64,
            transaction: VersionedTransactionWithStatusMeta { transaction, meta },
        });
        self.begin_slot(self.slot + 1);
        Ok(())
    }

    /// Returns the fee of a message, in lamports.
    ///
    /// # Errors
    /// The reason why the message can be no transaction's.
    pub(crate) fn fee(&self, message: VersionedMessage) -> Result<u64, TransactionError> {
        let signatures = usize::from(message.header().num_required_signatures);
        let signatures = vec![Signature::default(); signatures];
        match self.svm.simulate_transaction(VersionedTransaction { signatures, message }) {
            Ok(simulated) => Ok(simulated.meta.fee),
            Err(failed) if failed.meta.fee > 0 => Ok(failed.meta.fee),
            Err(failed) => Err(failed.err),
        }
    }

    /// Makes the checks that the runtime omits, and resolves a transaction's address lookup tables.
    fn check(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<LoadedAddresses, TransactionError> {
        transaction.sanitize()?;
        if !self.blockhashes.contains(transaction.message.recent_blockhash()) {
            return Err(TransactionError::BlockhashNotFound);
        }
        let signature = transaction.signatures.first().ok_or(TransactionError::SanitizeFailure)?;
        if self.ledger.get(signature).is_some() {
            return Err(TransactionError::AlreadyProcessed);
        }
        match transaction.message.address_table_lookups() {
            Some(lookups) => Ok(self.svm.accounts_db().load_addresses(lookups)?),
            None => Ok(LoadedAddresses::default()),
        }
    }

    /// Returns the balances of the accounts at `keys`, as `changed` has them or else as they are.
    fn balances(&self, keys: &[Pubkey], changed: &[(Pubkey, AccountSharedData)]) -> Balances {
        let mut balances = Balances::default();
        for (index, key) in keys.iter().enumerate() {
            let changed = changed.iter().find(|(address, _)| address == key);
            let account = changed.map(|(_, account)| account).or_else(|| self.account(key));
            balances.lamports.push(account.map_or(0, ReadableAccount::lamports));
            let balance = account.and_then(|account| tokens::balance(self, index as u8, account));
            balances.tokens.extend(balance);
        }
        balances
    }

    /// Makes a blockhash, and sets the sysvars that change from slot to slot.
    fn begin_slot(&mut self, slot: u64) {
        let (parent, (blockhash, _)) = (self.slot, self.blockhashes.latest());
        let mut slot_hashes: SlotHashes = self.svm.get_sysvar();
        slot_hashes.add(parent, blockhash);
        self.svm.set_sysvar(&slot_hashes);

        self.slot = slot;
        let next = hashv(&[blockhash.as_ref(), &slot.to_le_bytes()]);
        self.blockhashes.push(next, self.height);
        self.unix_milliseconds = self.unix_milliseconds.max(self.now());
        let unix_timestamp = (self.unix_milliseconds / 1_000) as i64;
        self.block_times.push_back((slot, unix_timestamp));
        if self.block_times.len() > LEDGER_CAPACITY {
            self.block_times.pop_front();
        }
        let (before, schedule): (Clock, _) = (self.svm.get_sysvar(), self.epoch_schedule());
        let epoch = schedule.get_epoch(slot);
        let is_new = epoch != before.epoch || before.epoch_start_timestamp == 0;
        self.svm.set_sysvar(&Clock {
            slot,
            epoch_start_timestamp: if is_new {
                unix_timestamp
            } else {
                before.epoch_start_timestamp
            },
            epoch,
            leader_schedule_epoch: schedule.get_leader_schedule_epoch(slot),
            unix_timestamp,
        });

        if let Some(clock) = self.account(&CLOCK).cloned() {
            self.publish(Change::Account { address: CLOCK, account: clock });
        }
        self.publish(Change::Slot { parent });
    }

    /// The wall clock and what time travel added to it, in milliseconds.
    fn now(&self) -> u64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.ahead.saturating_add(wall.as_millis() as u64)
    }

    fn publish(&mut self, change: Change) {
        self.sequence += 1;
        // Fails while there is no subscriber.
        let update = Update { sequence: self.sequence, slot: self.slot, change };
        let _ = self.updates.send(Arc::new(update));
    }
}

impl Simulation {
    fn refused(error: TransactionError) -> Self {
        Self {
            result: Err(error),
            metadata: TransactionMetadata::default(),
            accounts: Vec::new(),
            loaded: LoadedAddresses::default(),
            before: Balances::default(),
            after: Balances::default(),
        }
    }
}

/// Returns all addresses of a message in the order that its instructions count them.
fn keys(message: &VersionedMessage, loaded: &LoadedAddresses) -> Vec<Pubkey> {
    let fixed = message.static_account_keys().iter();
    fixed.chain(&loaded.writable).chain(&loaded.readonly).copied().collect()
}

fn writable_keys(message: &VersionedMessage, loaded: &LoadedAddresses) -> Vec<Pubkey> {
    let none: Option<&HashSet<Pubkey>> = None;
    let is_writable =
        |index: &usize| message.is_maybe_writable_with_reserved_addresses(*index, none);
    let fixed = message.static_account_keys().iter().enumerate();
    let fixed = fixed.filter(|(index, _)| is_writable(index)).map(|(_, key)| key);
    fixed.chain(&loaded.writable).copied().collect()
}

fn status_meta(
    status: TransactionResult,
    metadata: TransactionMetadata,
    loaded_addresses: LoadedAddresses,
    before: Balances,
    after: Balances,
) -> TransactionStatusMeta {
    let return_data = metadata.return_data;
    TransactionStatusMeta {
        status,
        fee: metadata.fee,
        pre_balances: before.lamports,
        post_balances: after.lamports,
        inner_instructions: Some(map_inner_instructions(metadata.inner_instructions).collect()),
        log_messages: Some(metadata.logs),
        pre_token_balances: Some(before.tokens),
        post_token_balances: Some(after.tokens),
        rewards: Some(Vec::new()),
        loaded_addresses,
        return_data: (!return_data.data.is_empty()).then_some(return_data),
        compute_units_consumed: Some(metadata.compute_units_consumed),
        cost_units: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at an unexpected error")]
mod tests {
    use super::*;

    fn chain() -> (Chain, Keypair) {
        let mut chain = Chain::new(&[]).unwrap();
        let payer = Keypair::new();
        chain.airdrop(&payer.pubkey(), 1_000_000_000).unwrap();
        (chain, payer)
    }

    fn pay(chain: &Chain, payer: &Keypair, lamports: u64) -> VersionedTransaction {
        let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), lamports);
        let (blockhash, _) = chain.blockhashes().latest();
        Transaction::new_signed_with_payer(&[pay], Some(&payer.pubkey()), &[payer], blockhash)
            .into()
    }

    #[test]
    fn expired_blockhash_is_not_found() {
        let (mut chain, payer) = chain();
        let (first, second) = (pay(&chain, &payer, 10_000_000), pay(&chain, &payer, 20_000_000));
        for _ in 0..150 {
            chain.make_block();
        }
        assert_eq!(chain.process(first), Ok(()));
        chain.make_block();
        assert_eq!(chain.process(second), Err(TransactionError::BlockhashNotFound));
    }

    #[test]
    fn transactions_expire_no_blockhash() {
        let (mut chain, payer) = chain();
        let (held, height) = (pay(&chain, &payer, 10_000_000), chain.height());
        for lamports in 0..300 {
            let transaction = pay(&chain, &payer, 1_000_000 + lamports);
            assert_eq!(chain.process(transaction), Ok(()));
        }
        assert_eq!(chain.height(), height);
        assert_eq!(chain.process(held), Ok(()));
    }

    #[test]
    fn time_travel_goes_forward_only() {
        let (mut chain, _) = chain();
        let (slot, now) = (chain.slot(), chain.unix_milliseconds());
        assert!(!chain.travel_to(now - 1));
        assert_eq!((chain.slot(), chain.unix_milliseconds()), (slot, now));

        assert!(chain.travel_to(now + 86_400_000));
        assert_eq!(chain.slot(), slot + 432_000 + 1);
        assert!((now + 86_400_000..now + 86_410_000).contains(&chain.unix_milliseconds()));
        let clock: Clock = chain.svm.get_sysvar();
        assert_eq!(clock.unix_timestamp, (chain.unix_milliseconds() / 1_000) as i64);
        assert_eq!(chain.block_time(clock.slot), Some(clock.unix_timestamp));
    }

    #[test]
    fn unloadable_transaction_does_not_land() {
        let (mut chain, payer) = chain();
        let stranger = Keypair::new();
        let transaction = pay(&chain, &stranger, 1);
        let signature = transaction.signatures[0];
        assert_eq!(chain.process(transaction), Err(TransactionError::AccountNotFound));
        assert!(chain.ledger().get(&signature).is_none());
        assert_eq!(chain.account(&payer.pubkey()).unwrap().lamports(), 1_000_000_000);
    }

    #[test]
    fn localnets_have_different_genesis_hashes() {
        let (one, other) = (Chain::new(&[]).unwrap(), Chain::new(&[]).unwrap());
        assert_ne!(one.genesis(), other.genesis());
    }
}
