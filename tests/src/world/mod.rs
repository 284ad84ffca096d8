//! A small cluster with the whole house on it.
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
//! Methods of handles build a [`Call`]; [`World::send`] sends it, refuses to let a refused call
//! have changed anything, and checks every promise of the ledger after an accepted one.

mod answer;
mod call;
mod channel;
mod clock;
mod dispute;
mod ledger;
mod operator;
mod outcome;
mod person;
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
pub use split::shares;
pub use statement::SignedStatement;
pub use terms::{PublishedTerms, TermsBuilder};
pub use tokens::{mint_account, mint_data, token_account, token_data};
pub use work::{RegisteredWork, WorkBuilder};

/// The committed bytecode of `licensing`.
pub const LICENSING_ELF: &[u8] = include_bytes!("../../../programs/artifacts/licensing.so");
/// The committed bytecode of `payments`.
pub const PAYMENTS_ELF: &[u8] = include_bytes!("../../../programs/artifacts/payments.so");
/// The committed bytecode of Metaplex Token Metadata.
pub const TOKEN_METADATA_ELF: &[u8] =
    include_bytes!("../../../programs/artifacts/token_metadata.so");
/// What vouchers name this cluster by.
pub const CLUSTER: [u8; 32] = [0xC1; 32];

/// Accounts as they stood at one moment, by address.
pub type Snapshot = BTreeMap<Pubkey, Account>;

/// Programs, people and money. A clone goes its own way.
#[derive(Clone)]
pub struct World {
    /// The cluster itself, for what no builder does.
    pub svm: LiteSVM,
    /// The mint most tests need: 6 decimals, SPL Token, admitted.
    pub currency: Currency,
    /// Pays for permissionless calls; holds the upgrade authority.
    pub host: Person,
    people: u64,
    /// Base units sent straight into a vault, by mint: no promise is about them.
    gifts: BTreeMap<Pubkey, u64>,
    /// A test wrote into accounts itself: the ledger can no longer add up.
    operated: Cell<bool>,
    /// Channels were removed, which takes their part of the flows out of the books.
    forgotten: Cell<bool>,
}

/// A program's bytecode: as committed, or out of the folder that `MOTIF_BYTECODE` names, so that
/// mutants of the programs are tested by the very tests that test the programs.
fn bytecode(program: &str, committed: &'static [u8]) -> Cow<'static, [u8]> {
    let Some(folder) = std::env::var_os("MOTIF_BYTECODE") else { return committed.into() };
    let path = Path::new(&folder).join(program).with_extension("so");
    std::fs::read(path).expect("the bytecode MOTIF_BYTECODE names").into()
}

/// A cluster with the programs on it.
fn programs() -> LiteSVM {
    let mut svm = LiteSVM::new().with_log_bytes_limit(None);
    svm.add_program(licensing::ID, &bytecode("licensing", LICENSING_ELF)).expect("it loads");
    svm.add_program(payments::ID, &bytecode("payments", PAYMENTS_ELF)).expect("it loads");
    let token_metadata = licensing_sdk::TOKEN_METADATA_PROGRAM;
    svm.add_program(token_metadata, TOKEN_METADATA_ELF).expect("Token Metadata loads");
    svm
}

impl World {
    /// When every world begins, unix seconds: a Monday in September 2026, at noon UTC.
    pub const NOW: i64 = 1_789_992_000;
    /// What a dispute puts at stake, lamports.
    pub const BOND: u64 = 1_000_000;
    /// From opening a dispute to the last second of its verdict; the host is the arbiter.
    pub const DISPUTE_SECONDS: i64 = 7 * 86_400;

    /// A world with a config, one currency and its vault.
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

    /// Programs and a mint; nothing else has happened yet.
    pub fn without_config() -> Self {
        // Bytecode is verified and compiled once, not for every world.
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

    /// A new person with SOL and an empty token account in the world's currency.
    pub fn person(&mut self) -> Person {
        self.people += 1;
        let person = Person::numbered(self.people);
        self.set(person.key(), Person::wealth());
        self.set(self.currency.tokens(&person.key()), self.empty_tokens(&person));
        person
    }

    /// The host, and every person there is so far.
    pub fn people(&self) -> impl Iterator<Item = Person> {
        (0..=self.people).map(Person::numbered)
    }

    fn empty_tokens(&self, owner: &Person) -> Account {
        token_account(&self.currency, &owner.key(), 0)
    }

    /// A second admitted currency.
    pub fn other_currency(&mut self) -> Currency {
        let currency = self.mint_of(&motif_sdk::channel::TOKEN_PROGRAM);
        self.admit(&currency).assert_ok();
        currency
    }

    /// A new mint of a token program; not admitted yet.
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

    /// Mints tokens to a person's associated token account, creating it where there is none.
    pub fn fund(&mut self, person: &Person, currency: &Currency, amount: u64) {
        let address = currency.tokens(&person.key());
        let balance = self.balance_of(&address);
        let total = balance.checked_add(amount).expect("a balance that fits");
        self.set(address, token_account(currency, &person.key(), total));
    }

    /// Sends tokens straight into the vault.
    pub fn gift_to_vault(&mut self, amount: u64) {
        let currency = self.currency;
        let address = self.vault_tokens(&currency);
        let balance = self.balance_of(&address);
        self.set(address, token_account(&currency, &pda::vault(&currency.mint), balance + amount));
        *self.gifts.entry(currency.mint).or_default() += amount;
    }

    /// Sends a call in a transaction of its own.
    ///
    /// # Panics
    /// When a refused call changed an account, or an accepted one broke a promise.
    #[track_caller]
    pub fn send(&mut self, call: Call) -> Outcome {
        self.svm.expire_blockhash();
        let before = self.snapshot();
        let transaction = self.transaction(&call);
        let outcome = Outcome::new(self.svm.send_transaction(transaction));
        if outcome.is_ok() {
            self.check_promises();
        } else {
            let changed = self.changed_since(&before);
            assert!(changed.is_empty(), "a refused call changed {changed:?}");
        }
        outcome
    }

    /// The signed transaction of a call, as it would go over the wire.
    pub fn transaction(&self, call: &Call) -> Transaction {
        let signers = call.signers(&self.host);
        let payer = signers[0].key();
        let blockhash = self.svm.latest_blockhash();
        let message = Message::new_with_blockhash(&call.instructions, Some(&payer), &blockhash);
        let keypairs: Vec<_> =
            signers.iter().map(|signer| signer.keypair() as &dyn solana_signer::Signer).collect();
        Transaction::new(&keypairs, message, blockhash)
    }

    /// Bytes of a call's signed transaction on the wire.
    pub fn packet_bytes(&self, call: &Call) -> usize {
        let transaction = self.transaction(call);
        // Fewer than 128 signatures: their count is one byte.
        1 + transaction.signatures.len() * 64 + transaction.message.serialize().len()
    }

    /// Bytes of a call's signed transaction of version 1 on the wire.
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

    /// All accounts of the two programs and the token programs.
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

    /// Which of these accounts are not, byte for byte, what they were; new ones included.
    pub fn changed_since(&self, before: &Snapshot) -> Vec<Pubkey> {
        let after = self.snapshot();
        let gone = before.keys().filter(|address| !after.contains_key(address));
        let other = after.iter().filter(|(address, account)| before.get(address) != Some(account));
        gone.copied().chain(other.map(|(address, _)| *address)).collect()
    }

    /// Puts an account in place.
    pub fn set(&mut self, address: Pubkey, account: Account) {
        self.svm.set_account(address, account).expect("any account can be set");
    }

    /// An account, which must exist.
    #[track_caller]
    pub fn account(&self, address: &Pubkey) -> Account {
        self.find(address).expect("an account at this address")
    }

    /// An account, if there is one.
    pub fn find(&self, address: &Pubkey) -> Option<Account> {
        self.svm.get_account(address).filter(|account| account.lamports > 0)
    }

    /// Changes an account's bytes behind the programs' back, to reach states that no
    /// instruction leads to. From here on promises are not checked.
    pub fn operate(&mut self, address: &Pubkey, change: impl FnOnce(&mut Vec<u8>)) {
        let mut account = self.account(address);
        change(&mut account.data);
        account.lamports = account.lamports.max(100_000_000_000);
        self.set(*address, account);
        self.operated.set(true);
    }

    /// A channel as it stands on chain.
    pub fn read(&self, channel: &OpenedChannel) -> ChannelAccount {
        ChannelAccount::from_bytes(&self.account(&channel.address).data).expect("a channel")
    }

    /// What a work has earned in the world's currency.
    pub fn earnings(&self, work: &RegisteredWork) -> EarningsAccount {
        let address = pda::earnings(&work.address, &self.currency.mint);
        EarningsAccount::from_bytes(&self.account(&address).data).expect("earnings")
    }

    /// Base units a person holds in its associated token account.
    pub fn balance(&self, person: &Person) -> u64 {
        self.balance_of(&self.currency.tokens(&person.key()))
    }

    /// Base units in a token account; 0 where there is none.
    pub fn balance_of(&self, address: &Pubkey) -> u64 {
        self.find(address).map_or(0, |account| tokens::amount(&account.data))
    }

    /// Base units in the vault of the world's currency.
    pub fn vault_balance(&self) -> u64 {
        self.balance_of(&self.vault_tokens(&self.currency))
    }

    /// Where the vault of a currency keeps its tokens.
    pub fn vault_tokens(&self, currency: &Currency) -> Pubkey {
        pda::vault_tokens(&currency.mint, &currency.token_program)
    }

    /// Begins a work by a new creator.
    pub fn work(&mut self) -> WorkBuilder<'_> {
        WorkBuilder::new(self)
    }

    /// Begins the next terms of a work.
    pub fn terms(&mut self, work: &RegisteredWork) -> TermsBuilder<'_> {
        TermsBuilder::new(self, work)
    }

    /// Begins a channel of a new payer towards a new operator.
    pub fn channel(&mut self) -> ChannelBuilder<'_> {
        ChannelBuilder::new(self)
    }

    /// Gives the payer the upfront fee and takes terms onto its channel; returns the license's
    /// index.
    #[track_caller]
    pub fn accept(&mut self, channel: &OpenedChannel, terms: &PublishedTerms) -> u16 {
        if let Some(currency) = terms.fee_currency {
            self.fund(&channel.payer, &currency, terms.upfront_fee);
        }
        self.send(channel.accepting(terms).call()).assert_ok();
        (self.read(channel).licenses.len() - 1) as u16
    }

    /// A licensed work at this price: work, terms and license in one go.
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

    /// Opens the account a work earns in.
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

    /// Brings a work's earnings to its present split; the host pays.
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

    /// The call that pays several recipients at once, each where it stands.
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

    /// Moves what a till holds into its work's earnings.
    #[track_caller]
    pub fn sweep_till(&mut self, work: &RegisteredWork) -> Outcome {
        let sweep = motif_sdk::till::sweep(&work.till(), &self.currency, None);
        self.send(Call::new([sweep], &[]))
    }

    /// Rewrites a registered work as if its owner, a dispute or a verdict had changed it: what
    /// `licensing` does about it is not at stake here.
    pub fn amend(&mut self, work: &RegisteredWork, change: impl FnOnce(&mut licensing::Work)) {
        let mut account = self.account(&work.address);
        let mut state: licensing::Work =
            anchor_lang::AccountDeserialize::try_deserialize(&mut &account.data[..])
                .expect("a work");
        change(&mut state);
        let mut data = Vec::new();
        anchor_lang::AccountSerialize::try_serialize(&state, &mut data).expect("a work's bytes");
        account.data = data;
        account.lamports = account.lamports.max(1_000_000_000);
        self.set(work.address, account);
    }

    /// Gives a work another split; earnings follow when it is applied.
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

    /// Gives a work to a claimant, as an upheld dispute does.
    pub fn uphold(&mut self, work: &RegisteredWork, claimant: &Person) {
        self.resplit(work, &[(claimant, 10_000)]);
        self.amend(work, |work| {
            work.disputes += u32::from(work.status != licensing::WorkStatus::Disputed);
            work.owner = claimant.key();
            work.verdict_version = work.split_version;
            work.verdict_dispute = work.disputes;
            work.latest_terms += 1;
            work.status = licensing::WorkStatus::Active;
        });
    }

    /// Begins or ends a dispute of a work.
    pub fn set_status(&mut self, work: &RegisteredWork, status: licensing::WorkStatus) {
        self.amend(work, |work| {
            work.status = status;
            work.disputes += u32::from(status == licensing::WorkStatus::Disputed);
        });
    }

    /// Tells a work's earnings that it is disputed.
    #[track_caller]
    pub fn apply_dispute(&mut self, work: &RegisteredWork) -> Outcome {
        let mint = self.currency.mint;
        let apply = motif_sdk::earnings::apply_dispute(&work.address, &mint);
        self.send(Call::new([apply], &[]))
    }

    /// Announces that a work is withdrawn, now.
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

    /// From here on channels may go, and part of the books with them: what was deposited,
    /// refunded and paid out is no longer added up, only what is there and what is owed.
    pub fn forget(&self) {
        self.forgotten.set(true);
    }

    /// Pays a recipient what it is owed; the host pays the fee.
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
