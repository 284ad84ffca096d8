//! Test cluster with both programs.
//!
//! ```
//! # use motif_tests::world::World;
//! let mut world = World::new();
//! let image = world.work().split(&[5_000, 5_000]).register();
//! let terms = world.terms(&image).price(10).publish();
//! let channel = world.channel().deposited(1_000).open();
//! let license = world.accept(&channel, &terms);
//! let statement = world.statement(&channel, &[(license, 4)]);
//! world.send(statement.call()).assert_ok();
//! ```
//!
//! Methods of handles build a [`Call`]. [`World::send`] sends it and checks that a rejected call
//! changes nothing and that every promise of the ledger holds after an accepted one.

mod answer;
mod call;
mod channel;
mod clock;
mod dispute;
mod ledger;
mod operator;
mod outcome;
mod person;
mod registered_work;
mod split;
mod statement;
mod terms;
mod tokens;
mod work;

use std::{borrow::Cow, cell::Cell, collections::BTreeMap, path::Path, sync::OnceLock};

use licensing::InitializeArgs;
use litesvm::LiteSVM;
use motif_sdk::{
    channel::{ChannelAccount, Currency},
    earnings::EarningsAccount,
    licensing as licensing_sdk, pda,
};
use solana_account::Account;
use solana_message::{Message, v1};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;

pub use call::Call;
pub use channel::{Accepting, ChannelBuilder, OpenedChannel};
pub use operator::OperatorBuilder;
pub use outcome::{Code, Landed, Outcome};
pub use person::Person;
pub use registered_work::RegisteredWork;
pub use split::shares;
pub use statement::SignedStatement;
pub use terms::{PublishedTerms, TermsBuilder};
pub use tokens::{mint_account, mint_data, token_account, token_data};
pub use work::WorkBuilder;

/// Committed bytecode of `licensing`.
pub const LICENSING_ELF: &[u8] = include_bytes!("../../../programs/artifacts/licensing.so");
/// Committed bytecode of `payments`.
pub const PAYMENTS_ELF: &[u8] = include_bytes!("../../../programs/artifacts/payments.so");
/// Committed bytecode of Metaplex Token Metadata.
pub const TOKEN_METADATA_ELF: &[u8] =
    include_bytes!("../../../programs/artifacts/token_metadata.so");
/// Cluster tag in vouchers.
pub const CLUSTER: [u8; 32] = [0xC1; 32];

/// Copies of accounts, by address.
pub type Snapshot = BTreeMap<Pubkey, Account>;

/// Cluster with programs, people and tokens. Clones are independent.
#[derive(Clone)]
pub struct World {
    /// Cluster, for actions without a builder.
    pub svm: LiteSVM,
    /// Default currency: an SPL Token mint with 6 decimals and a vault.
    pub currency: Currency,
    /// Payer of permissionless calls, upgrade authority and arbiter.
    pub host: Person,
    people: u64,
    /// Base units sent directly into a vault, by mint; promises exclude them.
    gifts: BTreeMap<Pubkey, u64>,
    /// Whether a test changed accounts directly, so that sums no longer match.
    operated: Cell<bool>,
    /// Whether channels were removed, so that flows can no longer be summed.
    forgotten: Cell<bool>,
}

/// Returns a program's committed bytecode, or that in the folder named by `MOTIF_BYTECODE`: mutants
/// of the programs run under the same tests.
fn bytecode(program: &str, committed: &'static [u8]) -> Cow<'static, [u8]> {
    let Some(folder) = std::env::var_os("MOTIF_BYTECODE") else { return committed.into() };
    let path = Path::new(&folder).join(program).with_extension("so");
    std::fs::read(path).expect("the bytecode MOTIF_BYTECODE names").into()
}

/// Returns a cluster with the programs.
fn programs() -> LiteSVM {
    let mut svm = LiteSVM::new().with_log_bytes_limit(None);
    svm.add_program(licensing::ID, &bytecode("licensing", LICENSING_ELF)).expect("it loads");
    svm.add_program(payments::ID, &bytecode("payments", PAYMENTS_ELF)).expect("it loads");
    let token_metadata = licensing_sdk::TOKEN_METADATA_PROGRAM;
    svm.add_program(token_metadata, TOKEN_METADATA_ELF).expect("Token Metadata loads");
    svm
}

impl World {
    /// Start of every world, unix seconds: a Monday in September 2026, at noon UTC.
    pub const NOW: i64 = 1_789_992_000;
    /// Bond of a dispute, lamports.
    pub const BOND: u64 = 1_000_000;
    /// Seconds from the opening of a dispute to the last second for a verdict.
    pub const DISPUTE_SECONDS: i64 = 7 * 86_400;
    /// From opening a dispute to the first second in which it can be upheld.
    pub const HEARING_SECONDS: i64 = 43_200;

    /// Creates a world with a config, one currency and its vault.
    pub fn new() -> Self {
        let mut world = Self::without_config();
        world.initialize();
        let call = Call::new(
            [motif_sdk::channel::create_vault(&world.host.key(), &world.currency)],
            &[&world.host],
        );
        world.send(call).assert_ok();
        world
    }

    /// Creates a world with the programs and a mint only.
    pub fn without_config() -> Self {
        // Bytecode is verified and compiled once for all worlds.
        static PROGRAMS: OnceLock<LiteSVM> = OnceLock::new();
        let svm = PROGRAMS.get_or_init(programs).clone();
        let host = Person::numbered(0);
        let mint = Pubkey::new_from_array([0xDD; 32]);
        let mut world = Self {
            svm,
            currency: Currency::spl(mint),
            host: host.clone(),
            people: 0,
            gifts: BTreeMap::new(),
            operated: Cell::new(false),
            forgotten: Cell::new(false),
        };
        world.set_time(Self::NOW);
        world.set(mint, mint_account(&world.currency.token_program, 0));
        world.set(host.key(), Person::wealth());
        world.set(world.currency.tokens(&host.key()), world.empty_tokens(&host));
        world
    }

    /// Creates the config, signed by the host.
    fn initialize(&mut self) {
        let args = InitializeArgs {
            cluster: CLUSTER,
            arbiter: self.host.key(),
            dispute_bond_lamports: Self::BOND,
            dispute_seconds: Self::DISPUTE_SECONDS as u32,
        };
        let call =
            Call::new([licensing_sdk::initialize(&self.host.key(), args)], &[&self.host.clone()]);
        self.send(call).assert_ok();
    }

    /// Creates a person with SOL and an empty token account in the world's currency.
    pub fn person(&mut self) -> Person {
        self.people += 1;
        let person = Person::numbered(self.people);
        self.set(person.key(), Person::wealth());
        self.set(self.currency.tokens(&person.key()), self.empty_tokens(&person));
        person
    }

    /// Returns the host and every person created so far.
    pub fn people(&self) -> impl Iterator<Item = Person> {
        (0..=self.people).map(Person::numbered)
    }

    fn empty_tokens(&self, owner: &Person) -> Account {
        token_account(&self.currency, &owner.key(), 0)
    }

    /// Creates a second currency with a vault.
    pub fn other_currency(&mut self) -> Currency {
        let currency = self.mint_of(&motif_sdk::channel::TOKEN_PROGRAM);
        self.admit(&currency).assert_ok();
        currency
    }

    /// Creates a mint of a token program, without a vault.
    pub fn mint_of(&mut self, token_program: &Pubkey) -> Currency {
        self.people += 1;
        let mint = Person::numbered(self.people).key();
        self.set(mint, mint_account(token_program, 0));
        Currency { mint, token_program: *token_program }
    }

    /// Creates the vault of a currency.
    pub fn admit(&mut self, currency: &Currency) -> Outcome {
        let host = self.host.clone();
        self.send(Call::new([motif_sdk::channel::create_vault(&host.key(), currency)], &[&host]))
    }

    /// Mints tokens to a person's associated token account, which is created if it is missing.
    pub fn fund(&mut self, person: &Person, currency: &Currency, amount: u64) {
        let address = currency.tokens(&person.key());
        let balance = self.balance_of(&address);
        let total = balance.checked_add(amount).expect("a balance that fits");
        self.set(address, token_account(currency, &person.key(), total));
    }

    /// Sends tokens directly into the vault.
    pub fn gift_to_vault(&mut self, amount: u64) {
        let currency = self.currency;
        let address = self.vault_tokens(&currency);
        let balance = self.balance_of(&address);
        self.set(address, token_account(&currency, &pda::vault(&currency.mint), balance + amount));
        *self.gifts.entry(currency.mint).or_default() += amount;
    }

    /// Sends a call as one transaction.
    ///
    /// # Panics
    /// Panics if a rejected call changed an account, or an accepted call broke a promise.
    #[track_caller]
    pub fn send(&mut self, call: Call) -> Outcome {
        self.svm.expire_blockhash();
        let before = self.snapshot();
        let transaction = self.transaction(&call);
        let outcome = Outcome::new(self.svm.send_transaction(transaction));
        if outcome.is_ok() {
            self.note_forfeited(&before);
            self.check_promises();
        } else {
            let changed = self.changed_since(&before);
            assert!(changed.is_empty(), "a refused call changed {changed:?}");
        }
        outcome
    }

    /// Excludes the unclaimed fees of channels that are gone from the promises: they stay in the
    /// vault.
    fn note_forfeited(&mut self, before: &Snapshot) {
        for (address, account) in before {
            let Some(ChannelAccount { channel, .. }) = ChannelAccount::from_bytes(&account.data)
            else {
                continue;
            };
            if self.find(address).is_none() {
                let forfeited = channel.fees() - channel.fees_claimed;
                *self.gifts.entry(channel.mint).or_default() += forfeited;
            }
        }
    }

    /// Returns the signed transaction of a call.
    pub fn transaction(&self, call: &Call) -> Transaction {
        let signers = call.signers(&self.host);
        let payer = signers[0].key();
        let blockhash = self.svm.latest_blockhash();
        let message = Message::new_with_blockhash(&call.instructions, Some(&payer), &blockhash);
        let keypairs: Vec<_> =
            signers.iter().map(|signer| signer.keypair() as &dyn solana_signer::Signer).collect();
        Transaction::new(&keypairs, message, blockhash)
    }

    /// Returns the size of a call's signed transaction, bytes.
    pub fn packet_bytes(&self, call: &Call) -> usize {
        let transaction = self.transaction(call);
        // Fewer than 128 signatures: their count is one byte.
        1 + transaction.signatures.len() * 64 + transaction.message.serialize().len()
    }

    /// Returns the size of a call's signed transaction of version 1, bytes.
    pub fn large_bytes(&self, call: &Call) -> usize {
        let signers = call.signers(&self.host);
        let config = v1::TransactionConfig::empty()
            .with_compute_unit_limit(1_400_000)
            .with_loaded_accounts_data_size_limit(64 * 1024 * 1024);
        let message = v1::Message::try_compile_with_config(
            &signers[0].key(),
            &call.instructions,
            self.svm.latest_blockhash(),
            config,
        );
        1 + signers.len() * 64 + message.expect("a message of version 1").size()
    }

    /// Returns all accounts of the two programs and the token programs.
    pub fn snapshot(&self) -> Snapshot {
        let owners = [
            licensing::ID,
            payments::ID,
            motif_sdk::channel::TOKEN_PROGRAM,
            motif_sdk::channel::TOKEN_2022_PROGRAM,
            licensing_sdk::TOKEN_METADATA_PROGRAM,
        ];
        owners.iter().flat_map(|owner| self.svm.get_program_accounts(owner)).collect()
    }

    /// Returns the accounts that differ from earlier copies, including new ones.
    pub fn changed_since(&self, before: &Snapshot) -> Vec<Pubkey> {
        let after = self.snapshot();
        let gone = before.keys().filter(|address| !after.contains_key(address));
        let other = after.iter().filter(|(address, account)| before.get(address) != Some(account));
        gone.copied().chain(other.map(|(address, _)| *address)).collect()
    }

    /// Writes an account.
    pub fn set(&mut self, address: Pubkey, account: Account) {
        self.svm.set_account(address, account).expect("any account can be set");
    }

    /// Returns an existing account.
    #[track_caller]
    pub fn account(&self, address: &Pubkey) -> Account {
        self.find(address).expect("an account at this address")
    }

    /// Returns an account, or `None` if it does not exist.
    pub fn find(&self, address: &Pubkey) -> Option<Account> {
        self.svm.get_account(address).filter(|account| account.lamports > 0)
    }

    /// Changes an account's bytes directly, to reach states that no instruction leads to. Disables
    /// the checks of promises.
    pub fn operate(&mut self, address: &Pubkey, change: impl FnOnce(&mut Vec<u8>)) {
        let mut account = self.account(address);
        change(&mut account.data);
        account.lamports = account.lamports.max(100_000_000_000);
        self.set(*address, account);
        self.operated.set(true);
    }

    /// Returns a channel's account.
    pub fn read(&self, channel: &OpenedChannel) -> ChannelAccount {
        ChannelAccount::from_bytes(&self.account(&channel.address).data).expect("a channel")
    }

    /// Returns a work's earnings in the world's currency.
    pub fn earnings(&self, work: &RegisteredWork) -> EarningsAccount {
        let address = pda::earnings(&work.address, &self.currency.mint);
        EarningsAccount::from_bytes(&self.account(&address).data).expect("earnings")
    }

    /// Returns the base units in a person's associated token account.
    pub fn balance(&self, person: &Person) -> u64 {
        self.balance_of(&self.currency.tokens(&person.key()))
    }

    /// Returns the base units in a token account, 0 if it does not exist.
    pub fn balance_of(&self, address: &Pubkey) -> u64 {
        self.find(address).map_or(0, |account| tokens::amount(&account.data))
    }

    /// Returns the base units in the vault of the world's currency.
    pub fn vault_balance(&self) -> u64 {
        self.balance_of(&self.vault_tokens(&self.currency))
    }

    /// Returns the address of the vault's tokens.
    pub fn vault_tokens(&self, currency: &Currency) -> Pubkey {
        pda::vault_tokens(&currency.mint, &currency.token_program)
    }

    /// Creates a builder of a work by a new creator.
    pub fn work(&mut self) -> WorkBuilder<'_> {
        WorkBuilder::new(self)
    }

    /// Creates a builder of a work's next terms.
    pub fn terms(&mut self, work: &RegisteredWork) -> TermsBuilder<'_> {
        TermsBuilder::new(self, work)
    }

    /// Creates a builder of a channel between a new payer and a new operator.
    pub fn channel(&mut self) -> ChannelBuilder<'_> {
        ChannelBuilder::new(self)
    }

    /// Funds the payer with the upfront fee and accepts terms on its channel; returns the license's
    /// index.
    #[track_caller]
    pub fn accept(&mut self, channel: &OpenedChannel, terms: &PublishedTerms) -> u16 {
        if let Some(currency) = terms.deposit_currency {
            self.fund(&channel.payer, &currency, terms.upfront_fee);
        }
        self.send(channel.accepting(terms).call()).assert_ok();
        (self.read(channel).licenses.len() - 1) as u16
    }

    /// Accepts terms with a quota, whose price the payer is given.
    #[track_caller]
    pub fn accept_quota(
        &mut self,
        channel: &OpenedChannel,
        terms: &PublishedTerms,
        units: u64,
        revenue: u64,
    ) -> u16 {
        self.fund_quota(channel, terms, units, revenue);
        self.send(channel.accepting(terms).quota(units, revenue).call()).assert_ok();
        (self.read(channel).licenses.len() - 1) as u16
    }

    /// Gives a channel's payer the price of an acceptance with a quota; returns the amount.
    #[track_caller]
    pub fn fund_quota(
        &mut self,
        channel: &OpenedChannel,
        terms: &PublishedTerms,
        units: u64,
        revenue: u64,
    ) -> u64 {
        if !terms.shared_caps {
            return 0;
        }
        let worth = units.saturating_mul(terms.quota_price).max(revenue);
        let earmarked = self.read(channel).channel.earmark(worth).expect("a quota to pay for");
        let amount = terms.upfront_fee + earmarked;
        self.fund(&channel.payer, &channel.currency, amount);
        amount
    }

    /// Creates a work with terms at this price and a license of it.
    #[track_caller]
    pub fn licensed(&mut self, channel: &OpenedChannel, price: u64) -> (RegisteredWork, u16) {
        let work = self.work().register();
        let terms = self.terms(&work).price(price).publish();
        let license = self.accept(channel, &terms);
        (work, license)
    }

    /// Settles units of licenses, signed by the channel's voucher key, sent by its operator.
    #[track_caller]
    pub fn settle(&mut self, channel: &OpenedChannel, entries: &[(u16, u32)]) -> Outcome {
        let statement = self.statement(channel, entries);
        self.send(statement.call())
    }

    /// Opens the earnings account of a work.
    #[track_caller]
    pub fn open_earnings(&mut self, work: &RegisteredWork) {
        let host = self.host.clone();
        let mint = self.currency.mint;
        let open = motif_sdk::earnings::open(&host.key(), &work.address, &mint);
        self.send(Call::new([open], &[&host])).assert_ok();
    }

    /// Collects licenses' credit into works' earnings.
    #[track_caller]
    pub fn collect(
        &mut self,
        channel: &OpenedChannel,
        licenses: &[(u16, &RegisteredWork)],
    ) -> Outcome {
        self.send(channel.collecting(licenses))
    }

    /// Moves a parent's share of a child's earnings into the parent's.
    #[track_caller]
    pub fn pull(&mut self, child: &RegisteredWork, parent: &RegisteredWork) -> Outcome {
        let mint = self.currency.mint;
        let pull = motif_sdk::earnings::pull(&child.address, &parent.address, &mint);
        self.send(Call::new([pull], &[]))
    }

    /// Applies a work's current split to its earnings; the host pays.
    #[track_caller]
    pub fn apply_split(&mut self, work: &RegisteredWork) -> Outcome {
        let (host, mint) = (self.host.clone(), self.currency.mint);
        let apply = motif_sdk::earnings::apply_split(&host.key(), &work.address, &mint);
        self.send(Call::new([apply], &[&host]))
    }

    /// Pays several recipients at once; the host pays the fee.
    #[track_caller]
    pub fn claim_all(&mut self, work: &RegisteredWork, recipients: &[&Person]) -> Outcome {
        let call = self.claiming(work, recipients);
        self.send(call)
    }

    /// Returns the call that pays several recipients at once, with the positions of their parts.
    pub fn claiming(&self, work: &RegisteredWork, recipients: &[&Person]) -> Call {
        let earnings = self.earnings(work);
        let parents = earnings.parents.len();
        let payees: Vec<_> = recipients
            .iter()
            .map(|person| {
                let position = earnings.position(&person.key()).unwrap_or(0);
                ((parents + position) as u8, person.key())
            })
            .collect();
        let claim = motif_sdk::earnings::claim_batch(&work.address, &payees, &self.currency);
        Call::new([claim], &[])
    }

    /// Opens a work's till; the host pays.
    #[track_caller]
    pub fn open_till(&mut self, work: &RegisteredWork) {
        let host = self.host.clone();
        let open = motif_sdk::till::open(&host.key(), &work.till(), &self.currency);
        self.send(Call::new([open], &[&host])).assert_ok();
    }

    /// Sends tokens to a work's till.
    pub fn pay_into_till(&mut self, work: &RegisteredWork, amount: u64) {
        let currency = self.currency;
        let address = motif_sdk::till::tokens(&work.till(), &currency);
        let balance = self.balance_of(&address);
        let till = pda::till(&work.till(), &currency.mint);
        self.set(address, token_account(&currency, &till, balance + amount));
    }

    /// Moves a till's balance into its work's earnings.
    #[track_caller]
    pub fn sweep_till(&mut self, work: &RegisteredWork) -> Outcome {
        let sweep = motif_sdk::till::sweep(&work.till(), &self.currency, None);
        self.send(Call::new([sweep], &[]))
    }

    /// Rewrites a registered work as a change of owner, a dispute or a verdict would, without
    /// calling `licensing`.
    pub fn amend(&mut self, work: &RegisteredWork, change: impl FnOnce(&mut licensing::Work)) {
        self.rewrite_work(&work.address, change);
    }

    /// Rewrites the work at an address like [`World::amend`].
    pub fn rewrite_work(&mut self, address: &Pubkey, change: impl FnOnce(&mut licensing::Work)) {
        let mut account = self.account(address);
        let mut state: licensing::Work =
            anchor_lang::AccountDeserialize::try_deserialize(&mut &account.data[..])
                .expect("a work");
        change(&mut state);
        let mut data = Vec::new();
        anchor_lang::AccountSerialize::try_serialize(&state, &mut data).expect("a work's bytes");
        // Accounts never shrink, and have room for every option.
        let space = state.space_with(state.split.len()).max(account.data.len());
        data.resize(space, 0);
        account.data = data;
        account.lamports = account.lamports.max(1_000_000_000);
        self.set(*address, account);
    }

    /// Gives a work another split, which is not applied to its earnings yet.
    pub fn resplit(&mut self, work: &RegisteredWork, split: &[(&Person, u16)]) {
        let shares = split.iter().map(|(person, share_bps)| licensing::Share {
            recipient: person.key(),
            share_bps: *share_bps,
        });
        let split = shares.collect();
        self.amend(work, |work| {
            work.split = split;
            work.split_version += 1;
        });
    }

    /// Transfers a work to a claimant, as an upheld dispute does.
    pub fn uphold(&mut self, work: &RegisteredWork, claimant: &Person) {
        self.resplit(work, &[(claimant, 10_000)]);
        self.amend(work, |work| {
            work.disputes += u32::from(work.status != licensing::WorkStatus::Disputed);
            work.owner = claimant.key();
            work.verdict_version = work.split_version;
            work.verdict_dispute = work.disputes;
            work.latest_terms += 1;
            work.verdict_terms = work.latest_terms;
            work.status = licensing::WorkStatus::Active;
        });
    }

    /// Starts or ends a dispute of a work.
    pub fn set_status(&mut self, work: &RegisteredWork, status: licensing::WorkStatus) {
        self.amend(work, |work| {
            work.status = status;
            work.disputes += u32::from(status == licensing::WorkStatus::Disputed);
        });
    }

    /// Applies a work's dispute to its earnings.
    #[track_caller]
    pub fn apply_dispute(&mut self, work: &RegisteredWork) -> Outcome {
        let mint = self.currency.mint;
        let apply = motif_sdk::earnings::apply_dispute(&work.address, &mint);
        self.send(Call::new([apply], &[]))
    }

    /// Withdraws a work at the present time.
    pub fn withdraw_work(&mut self, work: &RegisteredWork) {
        let now = self.now();
        self.amend(work, |work| {
            work.status = licensing::WorkStatus::Withdrawn;
            work.withdrawn_at = now;
        });
    }

    /// Removes a closed channel's account.
    #[track_caller]
    pub fn remove(&mut self, channel: &OpenedChannel) -> Outcome {
        self.forget();
        self.send(channel.removing())
    }

    /// Allows the removal of channels. From then on flows (deposits, refunds, payments) are not
    /// summed, only balances and entitlements.
    pub fn forget(&self) {
        self.forgotten.set(true);
    }

    /// Pays a recipient its entitlement; the host pays the fee.
    #[track_caller]
    pub fn claim(&mut self, work: &RegisteredWork, recipient: &Person) -> Outcome {
        let currency = self.currency;
        let claim = motif_sdk::earnings::claim(&work.address, &recipient.key(), &currency);
        self.send(Call::new([claim], &[]))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
