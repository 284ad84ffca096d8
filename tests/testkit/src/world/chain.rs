use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use borsh::BorshDeserialize;
use motif_gateway::chain::{Chain, ChainError, ReadChannel, SettlementStatus};
use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, Currency, Moment, PaymentsError, SettleArgs},
    client::{
        CatalogueEntry, ConfirmedTransaction, DynSigner, Heard, OfferFilter, PACKET_BYTES,
        PublishedTerms, WorkDetails, WorkFilter,
    },
    earnings::EarningsAccount,
    licensing::{Dispute, SplitChange, Terms, Work},
    lineage::Lineage,
    operator::{Operator, OperatorTerms},
    payments::SettleRequest,
    pda,
    recognition::Registered,
    record::ChainRecord,
    till::{Till, TillShares},
    voucher::Voucher,
    voucher_proof::ProvenVoucher,
};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::Hash;
use solana_signature::Signature;
use solana_signer::Signer;
use tokio::sync::mpsc::Sender;

use super::{
    buyer::Payment,
    payer::{CHANNEL, channel_account},
};

/// Scripted chain in memory, which settles with the program's own code.
pub struct ScriptedChain(Mutex<State>);

/// Scripted behavior.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Works.
    #[default]
    Up,
    /// Does not respond.
    Down,
    /// Accepts transactions that never land.
    Losing,
    /// Accepts transactions, which land unreported.
    Silent,
    /// Accepts transactions that land, and does not respond about any.
    Deaf,
    /// Rejects transactions in preflight.
    Refusing,
}

/// Accounts and behavior of a [`ScriptedChain`].
#[derive(Default)]
pub struct State {
    /// Channels by address.
    pub channels: HashMap<Pubkey, ChannelAccount>,
    /// Works by address.
    pub works: HashMap<Pubkey, Work>,
    /// Earnings of works.
    pub earnings: Vec<EarningsAccount>,
    /// Proposed splits.
    pub split_changes: Vec<SplitChange>,
    /// Open disputes.
    pub disputes: Vec<Dispute>,
    /// Number of reads of all works, channels and earnings.
    pub record_reads: u64,
    /// Accounts that pages read.
    pub accounts: HashMap<Pubkey, Account>,
    /// Whether every signed transaction is taken and lands: for transactions that are no settlements.
    pub is_taking_all: bool,
    /// Published terms by work and number.
    pub terms: HashMap<(Pubkey, u32), Terms>,
    /// Tag of the cluster.
    pub cluster: [u8; 32],
    /// What becomes of requests.
    pub network: Network,
    /// Height of the newest block.
    pub height: u64,
    /// Time on chain, unix seconds.
    pub now: i64,
    /// Balance of every account, lamports.
    pub lamports: u64,
    /// Number of reads of a channel, each at a new slot.
    pub reads: u64,
    /// Account of the operator; `None` for one with a single key.
    pub operator: Option<Operator>,
    /// Channel whose settlements are rejected.
    pub poisoned: Option<Pubkey>,
    /// Channel whose settlements are accepted and never land.
    pub lost: Option<Pubkey>,
    /// Number of requests that read channels.
    pub channel_requests: u64,
    /// Prices that recent blocks charged, micro-lamports per compute unit.
    pub recent_fees: Vec<u64>,
    /// Blockhash of every answer; `None` for another one after each submission.
    pub cached_blockhash: Option<Hash>,
    /// Received transactions, including duplicates.
    pub submitted: Vec<Vec<u8>>,
    /// Open tills by address.
    pub tills: HashMap<Pubkey, Till>,
    /// Payments to tills that have landed.
    pub payments: Vec<Payment>,
    /// Whether buyers' token accounts are empty: simulations of payments fail.
    pub are_buyers_broke: bool,
    /// Number of simulations of payments.
    pub simulations: u64,
    /// Whether tills are not opened.
    pub are_tills_refused: bool,
    /// Whether payments land and fail.
    pub are_payments_failing: bool,
    landed: HashMap<Signature, ConfirmedTransaction>,
    failed: HashMap<Signature, ChainError>,
}

impl ScriptedChain {
    /// Returns a chain with [`CHANNEL`] on it, served by this operator.
    pub fn new(operator: Pubkey) -> Self {
        let channels = HashMap::from([(CHANNEL, channel_account(operator))]);
        Self(Mutex::new(State {
            channels,
            cluster: [3; 32],
            height: 1_000,
            lamports: 1_000_000_000,
            ..State::default()
        }))
    }

    /// Locks the state, to read or to change it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Decides what becomes of requests from now on.
    pub fn network(&self, network: Network) {
        self.state().network = network;
    }

    /// Returns the account of [`CHANNEL`].
    pub fn channel_account(&self) -> ChannelAccount {
        self.state().channels[&CHANNEL].clone()
    }

    fn up(&self) -> Result<MutexGuard<'_, State>, ChainError> {
        let state = self.state();
        if state.network == Network::Down {
            return Err(ChainError::Unreachable("told to be down".into()));
        }
        Ok(state)
    }
}

impl State {
    /// Earliest registration first.
    fn works(&self) -> Vec<(Pubkey, Work)> {
        let works = self.works.iter().map(|(address, work)| (*address, work.clone()));
        let mut works: Vec<_> = works.collect();
        works.sort_by_key(|(address, work)| (work.registered_at, *address));
        works
    }

    fn published(&self, work: &Pubkey, number: u32) -> Option<PublishedTerms> {
        let terms = self.terms.get(&(*work, number))?.clone();
        Some(PublishedTerms { address: Pubkey::default(), terms, digest: [4; 32] })
    }

    /// Rolls a channel back to this state.
    pub fn roll_back(&mut self, channel: Pubkey, account: ChannelAccount) {
        self.channels.insert(channel, account);
        self.landed.clear();
    }

    /// Runs `settle` as the program does.
    fn settle(&mut self, transaction: &[u8]) -> Result<(), ChainError> {
        let SettleParts { voucher, key, args, settler, .. } = settle_parts(transaction);
        if self.poisoned == Some(voucher.channel) {
            return Err(ChainError::Refused("told to refuse this one".into()));
        }
        let account = self.channels.get_mut(&voucher.channel);
        let account = account.ok_or_else(|| ChainError::Refused("no such channel".into()))?;
        let ChannelAccount { mut channel, mut licenses } = account.clone();
        let operator = self.operator.as_ref();
        let settle_key = operator.map_or(channel.operator, |it| *it.settle_key_at(system_now()));
        let request = SettleRequest {
            channel: voucher.channel,
            proven: &ProvenVoucher { key, voucher },
            statement: &args.statement,
            receipts: args.receipts,
            settler: &settler,
            by_operator: settler == settle_key,
            now: Moment::running(self.now),
        };
        channel.settle(&mut licenses, &request).map_err(refusal)?;
        *account = ChannelAccount { channel, licenses };
        Ok(())
    }

    /// Simulates a payment.
    fn check_payment(&self, payment: &Payment) -> Result<(), ChainError> {
        let tokens = |(address, till): (&Pubkey, &Till)| Currency::spl(till.mint).tokens(address);
        let is_open = self.tills.iter().map(tokens).any(|tokens| tokens == payment.tokens);
        if !is_open || self.are_buyers_broke {
            return Err(ChainError::Refused("insufficient funds".into()));
        }
        Ok(())
    }

    /// Runs a payment to a till.
    fn pay(&mut self, payment: Payment, signature: Signature) {
        if self.are_payments_failing {
            let error = ChainError::Refused("failed on chain".into());
            self.failed.insert(signature, error);
            return;
        }
        self.payments.push(payment);
        self.land(signature);
    }

    fn land(&mut self, signature: Signature) -> ConfirmedTransaction {
        let landed = ConfirmedTransaction {
            signature,
            slot: self.height,
            fee_lamports: 10_000,
            compute_units: 3_000,
            logs: Vec::new(),
        };
        self.landed.insert(signature, landed.clone());
        landed
    }
}

/// Returns a rejection by the program, as a node reports it.
fn refusal(error: PaymentsError) -> ChainError {
    ChainError::rejection(Some(error.into()), error.to_string())
}

/// Returns this machine's time, unix seconds.
fn system_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// Parts of a settlement transaction in wire format.
pub struct SettleParts {
    /// The voucher.
    pub voucher: Voucher,
    /// Key that signed it.
    pub key: Pubkey,
    /// Arguments of `settle`.
    pub args: SettleArgs,
    /// Key that settles.
    pub settler: Pubkey,
    /// Compute unit limit; `None` if the transaction sets none.
    pub units: Option<u32>,
    /// Price of a compute unit, micro-lamports.
    pub price: u64,
    /// Recent blockhash.
    pub blockhash: Hash,
}

/// Parses a settlement transaction.
pub fn settle_parts(transaction: &[u8]) -> SettleParts {
    let message = &transaction[1 + 64 * usize::from(transaction[0])..];
    let count = usize::from(message[3]);
    let key =
        |index: usize| Pubkey::new_from_array(message[4 + index * 32..][..32].try_into().unwrap());
    let hash: [u8; 32] = message[4 + count * 32..][..32].try_into().unwrap();
    let mut rest = &message[4 + count * 32 + 32..];
    let (mut units, mut price, mut own) = (None, 0, Vec::new());
    for _ in 0..take(&mut rest) {
        let program = key(take(&mut rest));
        let accounts = take(&mut rest);
        let first = rest[0]; // without accounts, it is not read
        rest = &rest[accounts..];
        let length = take(&mut rest);
        let (data, after) = rest.split_at(length);
        rest = after;
        match (program == COMPUTE_BUDGET, data[0]) {
            (false, _) => own.push((data, first)),
            (true, 2) => units = Some(u32::from_le_bytes(data[1..].try_into().unwrap())),
            (true, 3) => price = u64::from_le_bytes(data[1..].try_into().unwrap()),
            (true, other) => panic!("compute budget instruction {other}"),
        }
    }
    let [(proof, _), (settle, settler)] = own[..] else { panic!("{} instructions", own.len()) };
    SettleParts {
        voucher: Voucher::from_bytes(&proof[112..]).unwrap(),
        key: Pubkey::new_from_array(proof[16..48].try_into().unwrap()),
        args: SettleArgs::deserialize(&mut &settle[8..]).unwrap(),
        settler: key(usize::from(settler)),
        units,
        price,
        blockhash: Hash::new_from_array(hash),
    }
}

const COMPUTE_BUDGET: Pubkey =
    Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");

/// Reads a compact length.
fn take(rest: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in [0, 7, 14] {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// Returns the account of [`CHANNEL`].
pub fn channel_data() -> Vec<u8> {
    data(&channel_account(Keypair::new_from_array([8; 32]).pubkey()))
}

/// Returns the data of a channel's account.
pub fn data(account: &ChannelAccount) -> Vec<u8> {
    let mut data = Channel::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&account.channel));
    data.extend_from_slice(bytemuck::cast_slice(&account.licenses));
    data
}

#[async_trait]
impl Chain for ScriptedChain {
    async fn reach(&self) -> Result<(), ChainError> {
        self.up().map(drop)
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.up().map(|state| state.cluster)
    }

    async fn now(&self) -> Result<i64, ChainError> {
        self.up().map(|state| state.now)
    }

    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError> {
        self.up().map(|state| state.works.get(address).cloned())
    }

    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError> {
        let state = self.up()?;
        let mut entries = Vec::new();
        for (address, work) in state.works() {
            let terms = state.published(&address, work.latest_terms);
            let offered = offers.matches(terms.as_ref().map(|published| &published.terms));
            if works.matches(&work) && offered {
                entries.push(CatalogueEntry { address, work, terms });
            }
        }
        Ok(entries)
    }

    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError> {
        let state = self.up()?;
        let Some(work) = state.works.get(address) else { return Ok(None) };
        let terms = state.published(address, work.latest_terms);
        Ok(WorkDetails::from_parts(address, state.works(), terms, Vec::new(), None, None))
    }

    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError> {
        Ok(Lineage::from_works(address, &self.up()?.works()))
    }

    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError> {
        let state = self.up()?;
        let entry = |address: &Pubkey| {
            let work = state.works.get(address)?.clone();
            let terms = state.published(address, work.latest_terms);
            Some(CatalogueEntry { address: *address, work, terms })
        };
        Ok(works.iter().filter_map(entry).collect())
    }

    async fn registered(&self) -> Result<Vec<Registered>, ChainError> {
        let state = self.up()?;
        Ok(state
            .works
            .iter()
            .map(|(address, work)| Registered::from_work(*address, work))
            .collect())
    }

    /// Sends no notifications, so a gateway reads everything periodically.
    async fn follow_works(&self, _: Sender<Heard>) -> Result<(), ChainError> {
        Err(ChainError::Unreachable("it does not talk".into()))
    }

    async fn terms(
        &self,
        work: &Pubkey,
        number: u32,
    ) -> Result<Option<PublishedTerms>, ChainError> {
        Ok(self.up()?.published(work, number))
    }

    async fn record(&self) -> Result<ChainRecord, ChainError> {
        let mut state = self.up()?;
        state.record_reads += 1;
        let channels = state.channels.iter().map(|(address, account)| (*address, account.clone()));
        let (works, earnings) = (state.works(), state.earnings.clone());
        let (split_changes, disputes) = (state.split_changes.clone(), state.disputes.clone());
        let channels = channels.collect();
        Ok(ChainRecord { works, channels, earnings, split_changes, disputes })
    }

    async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(Vec<Option<Account>>, u64), ChainError> {
        let state = self.up()?;
        let found = addresses.iter().map(|address| state.accounts.get(address).cloned());
        Ok((found.collect(), state.height))
    }

    async fn channels(&self, addresses: &[Pubkey]) -> Result<Vec<Option<ReadChannel>>, ChainError> {
        let mut state = self.up()?;
        state.channel_requests += 1;
        let mut read = |address| {
            state.reads += 1;
            let (slot, account) = (state.reads, state.channels.get(address).cloned());
            account.map(|account| ReadChannel { data: data(&account), account, slot })
        };
        Ok(addresses.iter().map(&mut read).collect())
    }

    async fn balance(&self, _: &Pubkey) -> Result<u64, ChainError> {
        self.up().map(|state| state.lamports)
    }

    async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        let state = self.up()?;
        if let Some(cached) = state.cached_blockhash {
            return Ok((cached, state.height + 150));
        }
        // A new hash after each submission, so that transactions differ.
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(state.submitted.len() as u64).to_le_bytes());
        Ok((Hash::new_from_array(hash), state.height + 150))
    }

    async fn final_height(&self) -> Result<u64, ChainError> {
        self.up().map(|state| state.height)
    }

    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        let mut state = self.up()?;
        state.submitted.push(transaction.to_vec());
        if transaction.len() > PACKET_BYTES {
            return Err(ChainError::Refused("transaction too large".into()));
        }
        let signature = Signature::from(<[u8; 64]>::try_from(&transaction[1..65]).unwrap());
        match state.network {
            Network::Losing => return Ok(()),
            Network::Refusing if check_first => {
                return Err(ChainError::Refused("told to refuse".into()));
            }
            Network::Up | Network::Down | Network::Silent | Network::Deaf | Network::Refusing => {}
        }
        if state.is_taking_all {
            state.land(signature);
            return Ok(());
        }
        if let Some(payment) = Payment::read(transaction) {
            if check_first {
                state.check_payment(&payment)?;
            }
            if !state.landed.contains_key(&signature) && !state.failed.contains_key(&signature) {
                state.pay(payment, signature);
            }
            return Ok(());
        }
        if state.lost.is_some() && state.lost == Some(settle_parts(transaction).voucher.channel) {
            return Ok(());
        }
        if !state.landed.contains_key(&signature) {
            state.settle(transaction)?;
            state.land(signature);
        }
        Ok(())
    }

    async fn statuses(
        &self,
        signatures: &[Signature],
    ) -> Result<Vec<SettlementStatus>, ChainError> {
        let state = self.up()?;
        if state.network == Network::Deaf {
            return Err(ChainError::Unreachable("told to be deaf".into()));
        }
        let is_silent = state.network == Network::Silent;
        let status = |signature| match state.failed.get(signature) {
            Some(error) if !is_silent => Err(error.clone()),
            _ => Ok(state.landed.get(signature).filter(|_| !is_silent).cloned()),
        };
        Ok(signatures.iter().map(status).collect())
    }

    /// Rejects nothing, so that `submit` decides.
    async fn simulate(&self, _: &[u8]) -> Result<u64, ChainError> {
        self.up().map(|_| 3_000)
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        self.up().map(|state| state.recent_fees.clone())
    }

    fn poll_interval(&self) -> Duration {
        Duration::from_millis(25)
    }

    async fn operator(&self, authority: &Pubkey) -> Result<Option<Operator>, ChainError> {
        if let Some(operator) = &self.up()?.operator {
            return Ok(Some(operator.clone()));
        }
        let terms = OperatorTerms::new(*authority);
        Ok(Operator::new(255, *authority, [*authority; 2], terms, 0).ok())
    }

    async fn till(&self, address: &Pubkey) -> Result<Option<Till>, ChainError> {
        Ok(self.up()?.tills.get(address).cloned())
    }

    async fn currency(&self, mint: &Pubkey) -> Result<Option<(Currency, u8)>, ChainError> {
        self.up().map(|_| Some((Currency::spl(*mint), 6)))
    }

    async fn open_till(
        &self,
        _: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(), ChainError> {
        if self.up()?.are_tills_refused {
            return Err(ChainError::Refused("told to refuse tills".into()));
        }
        let till = Till::new(255, currency.mint, shares.clone());
        self.up()?.tills.insert(pda::till(shares, &currency.mint), till);
        Ok(())
    }

    async fn check_payment(&self, transaction: &[u8]) -> Result<(), ChainError> {
        let mut state = self.up()?;
        state.simulations += 1;
        let payment = Payment::read(transaction);
        let payment = payment.ok_or_else(|| ChainError::Refused("no payment".into()))?;
        state.check_payment(&payment)
    }

    async fn close(
        &self,
        operator: &DynSigner,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, ChainError> {
        let mut state = self.up()?;
        let now = state.now;
        let account = state.channels.get_mut(channel).unwrap();
        let closed = account
            .channel
            .request_close(|key| *key == operator.pubkey(), Moment { unix_seconds: now, slot: 0 });
        closed.map_err(|error| ChainError::Refused(error.to_string()))?;
        Ok(state.land(Signature::from([44; 64])))
    }

    async fn claim_fees(
        &self,
        _: &DynSigner,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError> {
        let mut state = self.up()?;
        let claimed = state.channels.get_mut(channel).unwrap().channel.claim_fees();
        let claimed = claimed.map_err(|error| ChainError::Refused(error.to_string()))?;
        Ok((claimed, state.land(Signature::from([45; 64]))))
    }
}
