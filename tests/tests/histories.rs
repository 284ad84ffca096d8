//! Random graphs of works and random histories of what they earn, on the programs' bytecode and
//! in the reference ledger: both agree to the unit.
//!
//! Works, and the credit of a channel's licences, are written into accounts directly: how they
//! come about is what `fuzz` tests. So are most earnings accounts, byte for byte as `open_earnings`
//! writes them, which opens one in eight. Everything that moves money from there on (`collect`,
//! `apply_split`, `apply_dispute`, `pull`, `claim`) is an instruction run in LiteSVM, and every one
//! of them, refused or not, is held against the ledger.
//!
//! 20 histories of up to 12 works run with the suite. All of them:
//!
//! ```sh
//! cargo test --release --workspace --test histories -- --ignored --nocapture
//! ```
//!
//! `GRAPH_HISTORIES` says how many (10,000), `GRAPH_WORKS` how large a graph can be (200), and
//! `GRAPH_SEED` which is the first. A history that fails names its seed; `GRAPH_SEED=<seed>
//! GRAPH_HISTORIES=1` runs it alone.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use std::{collections::BTreeMap, time::Instant};

use anchor_lang::{AccountSerialize, Discriminator, InstructionData, ToAccountMetas};
use licensing::{Consent, Fingerprint, Parent, Share, WorkKind, WorkStatus};
use litesvm::LiteSVM;
use motif_sdk::{channel::Currency, pda};
use motif_tests::{
    model::{self, Book, Ledger, Licence, NEVER, Purse, Refused, Status},
    world::{Code, Person, World, token_account},
};
use payments::{Channel, Earnings, Part, instructions::Payee};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;
use solana_transaction::Transaction;

const PEOPLE: usize = 120;
const LAMPORTS: u64 = 100_000_000_000;
const SYSTEM_PROGRAM: Pubkey = Pubkey::new_from_array([0; 32]);
const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

#[test]
fn small_histories_agree_with_the_ledger_to_the_unit() {
    Run::of(20, 12, 1).go();
}

#[test]
#[ignore = "takes minutes; see the first lines of this file"]
fn ten_thousand_histories_agree_with_the_ledger_to_the_unit() {
    let run = Run::of(number("GRAPH_HISTORIES", 10_000), number("GRAPH_WORKS", 200) as usize, 1);
    let run = Run { seed: number("GRAPH_SEED", run.seed), ..run };
    run.go();
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// How many histories, how large, and from which seed on.
struct Run {
    histories: u64,
    most_works: usize,
    seed: u64,
}

/// What was counted.
#[derive(Default)]
struct Counts {
    works: u64,
    instructions: u64,
    refused: u64,
    units_paid: u128,
    changes_of_split: u64,
    verdicts: u64,
}

impl Run {
    fn of(histories: u64, most_works: usize, seed: u64) -> Self {
        Self { histories, most_works, seed }
    }

    /// Runs all, on as many threads as there are cores.
    fn go(&self) {
        const CHUNK: u64 = 32;
        let began = Instant::now();
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let next = std::sync::atomic::AtomicU64::new(0);
        let counts: Vec<Counts> = std::thread::scope(|scope| {
            let worker = || {
                let mut counts = Counts::default();
                loop {
                    let first = next.fetch_add(CHUNK, std::sync::atomic::Ordering::Relaxed);
                    let chunk = first..self.histories.min(first + CHUNK);
                    if chunk.is_empty() {
                        return counts;
                    }
                    let mut stage = Stage::new();
                    for number in chunk {
                        let seed = self.seed + number;
                        History::new(&mut stage, seed, self.most_works, &mut counts).run();
                    }
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().map(|worker| worker.join().expect("a history failed")).collect()
        });
        let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
        let paid: u128 = counts.iter().map(|counts| counts.units_paid).sum();
        println!(
            "{}",
            serde_json::json!({
                "seed": self.seed,
                "histories": self.histories,
                "works": sum(|counts| counts.works),
                "most_works": self.most_works,
                "instructions_on_bytecode": sum(|counts| counts.instructions),
                "refused_as_predicted": sum(|counts| counts.refused),
                "changes_of_split": sum(|counts| counts.changes_of_split),
                "verdicts": sum(|counts| counts.verdicts),
                "base_units_paid": paid.to_string(),
                "seconds": began.elapsed().as_secs(),
            })
        );
    }
}

/// A cluster with both programs, two currencies, and people with token accounts.
struct Stage {
    svm: LiteSVM,
    host: Person,
    people: Vec<Pubkey>,
    currencies: Vec<Till>,
    /// Histories played here: each has works and channels of its own.
    played: u64,
}

/// A currency, and where everybody keeps it.
struct Till {
    currency: Currency,
    vault_tokens: Pubkey,
    purses: BTreeMap<Pubkey, (Pubkey, u8)>,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        let other = world.other_currency();
        let people: Vec<_> =
            (0..PEOPLE as u64).map(|number| Person::numbered(1_000 + number).key()).collect();
        let purses = |currency: Currency| {
            let purse = |person: &Pubkey| {
                let seeds =
                    [person.as_ref(), currency.token_program.as_ref(), currency.mint.as_ref()];
                (*person, Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM))
            };
            let purses = people.iter().map(purse).collect();
            Till { currency, vault_tokens: world.vault_tokens(&currency), purses }
        };
        let currencies = [world.currency, other].map(purses).into();
        let World { svm, host, .. } = world;
        Self { svm, host, people, currencies, played: 0 }
    }

    /// Runs one instruction in a transaction of its own; the code it was refused with.
    fn send(&mut self, instruction: Instruction) -> Result<(), Option<Code>> {
        self.svm.expire_blockhash();
        let blockhash = self.svm.latest_blockhash();
        let payer = self.host.key();
        let message = Message::new_with_blockhash(&[instruction], Some(&payer), &blockhash);
        let transaction = Transaction::new(&[self.host.keypair()], message, blockhash);
        match self.svm.send_transaction(transaction) {
            Ok(_) => Ok(()),
            Err(failed) => Err(Code::of(&failed)),
        }
    }

    fn set_tokens(&mut self, currency: &Currency, at: Pubkey, owner: &Pubkey, amount: u128) {
        let amount = u64::try_from(amount).expect("a balance that fits");
        let account = token_account(currency, owner, amount);
        self.svm.set_account(at, account).expect("any account can be set");
    }

    fn tokens(&self, at: &Pubkey) -> u128 {
        let data = self.svm.get_account(at).expect("a token account").data;
        u128::from(u64::from_le_bytes(data[64..72].try_into().unwrap()))
    }
}

/// One graph and what happens to it.
struct History<'s> {
    stage: &'s mut Stage,
    counts: &'s mut Counts,
    seed: u64,
    step: usize,
    random: StdRng,
    ledger: Ledger,
    /// Addresses, parents first, and the accounts as they stand.
    works: Vec<(Pubkey, licensing::Work)>,
    /// A channel for each currency; licence `n` is of work `n`.
    channels: Vec<Pubkey>,
    /// By work and mint.
    earnings: BTreeMap<(Pubkey, Pubkey), Pubkey>,
    /// The most anybody was ever entitled to, to see whether it falls.
    entitled: BTreeMap<(Pubkey, Pubkey, Pubkey), u128>,
    people: Vec<Pubkey>,
}

impl<'s> History<'s> {
    fn new(stage: &'s mut Stage, seed: u64, most_works: usize, counts: &'s mut Counts) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let known = random.random_range(1..=PEOPLE);
        let people = stage.people[..known].to_vec();
        stage.played += 1;
        let works = random.random_range(1..=most_works);
        counts.works += works as u64;
        let mut history = Self {
            stage,
            counts,
            seed,
            step: 0,
            random,
            ledger: Ledger { now: World::NOW, ..Ledger::default() },
            works: Vec::new(),
            channels: Vec::new(),
            earnings: BTreeMap::new(),
            entitled: BTreeMap::new(),
            people,
        };
        history.empty_purses();
        for number in 0..works {
            history.register(number);
        }
        for number in 0..history.stage.currencies.len() {
            history.open_channel(number);
        }
        for number in 0..works {
            for currency in 0..history.stage.currencies.len() {
                history.open_earnings(number, currency);
            }
        }
        history
    }

    fn address(&self, what: &[u8], number: usize) -> Pubkey {
        let played = self.stage.played.to_le_bytes();
        let number = (number as u64).to_le_bytes();
        Pubkey::new_from_array(hashv(&[what, &played, &number]).to_bytes())
    }

    fn mint(&self, currency: usize) -> Pubkey {
        self.stage.currencies[currency].currency.mint
    }

    fn empty_purses(&mut self) {
        for number in 0..self.stage.currencies.len() {
            let till = &self.stage.currencies[number];
            let (currency, vault_tokens) = (till.currency, till.vault_tokens);
            let purses: Vec<_> =
                self.people.iter().map(|person| (*person, till.purses[person].0)).collect();
            let vault = pda::vault(&currency.mint);
            self.stage.set_tokens(&currency, vault_tokens, &vault, 0);
            self.ledger.vaults.insert(currency.mint, 0);
            for (person, purse) in purses {
                self.stage.set_tokens(&currency, purse, &person, 0);
                self.ledger.purses.insert((person, currency.mint), Purse::Open(0));
            }
        }
    }

    /// Shares of `whole`, each above zero, for this many people.
    fn shares(&mut self, people: usize, whole: u16) -> Vec<u16> {
        let mut left = whole - people as u16;
        let mut shares = Vec::with_capacity(people);
        for position in 0..people {
            let last = position + 1 == people;
            let extra = match self.random.random_range(0..3) {
                _ if last => left,
                0 => 0,
                1 => self.random.random_range(0..=left),
                _ => self.random.random_range(0..=left / (people - position) as u16),
            };
            left -= extra;
            shares.push(1 + extra);
        }
        shares
    }

    fn split(&mut self) -> Vec<(Pubkey, u16)> {
        let widest = self.people.len().min(32);
        let width = match self.random.random_range(0..8) {
            0 => widest,
            1 => 1,
            _ => self.random.random_range(1..=widest.min(6)),
        };
        let people: Vec<_> =
            self.people.choose_multiple(&mut self.random, width).copied().collect();
        people.into_iter().zip(self.shares(width, 10_000)).collect()
    }

    /// Writes a new work, made from earlier ones.
    fn register(&mut self, number: usize) {
        let most = number.min(8);
        let count = match self.random.random_range(0..5) {
            0 => 0,
            1 => most,
            _ => self.random.random_range(0..=most.min(3)),
        };
        let earlier: Vec<usize> = (0..number).collect();
        let chosen: Vec<_> = earlier.choose_multiple(&mut self.random, count).copied().collect();
        let total = match self.random.random_range(0..10) {
            0 => 10_000,
            _ => self.random.random_range(8..=9_000),
        };
        let mut parents = Vec::new();
        if count > 0 {
            let shares = self.shares(count, total);
            for (earlier, bps) in chosen.into_iter().zip(shares) {
                // Now and then a parent that agreed to nothing.
                let bps = if self.random.random_ratio(1, 20) { 0 } else { bps };
                parents.push((self.works[earlier].0, bps));
            }
        }
        let split = self.split();
        let address = self.address(b"work", number);
        let person = self.people[0];
        let work = licensing::Work {
            version: licensing::Work::VERSION,
            bump: 255,
            kind: WorkKind::Image,
            status: WorkStatus::Active,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes: 0,
            verdict_dispute: 0,
            withdrawn_at: NEVER,
            registered_at: World::NOW,
            creator: person,
            owner: person,
            content_digest: [1; 32],
            fingerprint: Fingerprint { scheme: 0, bits: [0; 32] },
            metadata_digest: [0; 32],
            consent: None::<Consent>,
            certificate: None,
            pending_owner: None,
            inherited: licensing::Inherited::default(),
            model: None,
            metadata_uri: String::new(),
            parents: parents
                .iter()
                .map(|&(work, share_bps)| Parent { work, share_bps, terms_number: 0 })
                .collect(),
            split: split
                .iter()
                .map(|&(recipient, share_bps)| Share { recipient, share_bps })
                .collect(),
        };
        self.ledger.works.insert(
            address,
            model::Work {
                creator: person,
                owner: person,
                kind: WorkKind::Image,
                status: Status::Active,
                latest_terms: 0,
                terms: BTreeMap::new(),
                split_version: 0,
                verdict_version: 0,
                disputes: 0,
                verdict_dispute: 0,
                withdrawn_at: None,
                consent: None,
                pending_owner: None,
                inherited: model::Inherited::default(),
                parents,
                split,
                change: None,
                dispute: None,
                certified: false,
            },
        );
        self.works.push((address, work));
        self.write_work(number);
    }

    fn write_work(&mut self, number: usize) {
        let (address, work) = &self.works[number];
        let mut data = Vec::new();
        work.try_serialize(&mut data).expect("a work");
        let account =
            Account { lamports: LAMPORTS, data, owner: licensing::ID, ..Account::default() };
        self.stage.svm.set_account(*address, account).expect("any account can be set");
    }

    /// Writes a channel that licenses every work and has paid nothing yet.
    fn open_channel(&mut self, currency: usize) {
        let (address, mint) = (self.address(b"channel", currency), self.mint(currency));
        let header: Channel = Channel {
            version: Channel::VERSION,
            mint,
            closes_at: NEVER,
            rotates_at: NEVER,
            ..bytemuck::Zeroable::zeroed()
        };
        let mut data = Channel::DISCRIMINATOR.to_vec();
        data.extend_from_slice(bytemuck::bytes_of(&header));
        let mut licences = Vec::new();
        for (work, _) in &self.works {
            let licence = payments::Licence {
                work: *work,
                units_left: u64::MAX,
                daily_units: u64::MAX,
                revenue_left: u64::MAX,
                expires_at: NEVER,
                ..bytemuck::Zeroable::zeroed()
            };
            data.extend_from_slice(bytemuck::bytes_of(&licence));
            licences.push(Licence {
                work: *work,
                terms_number: 0,
                price: 0,
                free: 0,
                most_units: None,
                most_daily: None,
                most_revenue: None,
                expires_at: NEVER,
                notice_seconds: 0,
                quota_units: None,
                quota_revenue: None,
                first_day: 0,
                days: Vec::new(),
                units: 0,
                prices: 0,
                upfront: 0,
                collected: 0,
            });
        }
        let account =
            Account { lamports: LAMPORTS, data, owner: payments::ID, ..Account::default() };
        self.stage.svm.set_account(address, account).expect("any account can be set");
        self.ledger.channels.insert(
            address,
            model::Channel {
                payer: Pubkey::default(),
                operator: Pubkey::default(),
                mint,
                salt: 0,
                opened_slot: 0,
                fee_bps: 0,
                grace_seconds: 0,
                keys: vec![(i64::MIN, Pubkey::default())],
                deposited: 0,
                fees_claimed: 0,
                refunded: None,
                closes_at: NEVER,
                licences,
                statements: Vec::new(),
            },
        );
        self.channels.push(address);
    }

    /// By the instruction for one work in eight; as that would leave the account for the others.
    fn open_earnings(&mut self, number: usize, currency: usize) {
        let (work, mint) = (self.works[number].0, self.mint(currency));
        let by_instruction = self.random.random_ratio(1, 8);
        self.ledger.open_earnings(work, mint).expect("a new work");
        let book = &self.ledger.books[&(work, mint)];
        if !by_instruction {
            let address = self.address(b"earnings", number * 2 + currency);
            let account = Account {
                lamports: LAMPORTS,
                data: empty_earnings(&work, &mint, book),
                owner: payments::ID,
                ..Account::default()
            };
            self.stage.svm.set_account(address, account).expect("any account can be set");
            self.earnings.insert((work, mint), address);
            return;
        }
        let address = pda::earnings(&work, &mint);
        let host = self.stage.host.key();
        let opened = self.send(motif_sdk::earnings::open(&host, &work, &mint));
        assert_eq!(opened, Ok(()), "{}", self.place());
        self.earnings.insert((work, mint), address);
        let written = empty_earnings(&work, &mint, &self.ledger.books[&(work, mint)]);
        let mut data = self.stage.svm.get_account(&address).unwrap().data;
        data[9] = 0; // the bump, which no instruction reads
        assert_eq!(data, written, "{}: earnings as `open_earnings` leaves them", self.place());
    }

    /// One of these four times in five, if there are any.
    fn mostly<T: Copy>(&mut self, likely: &[T]) -> Option<T> {
        let chosen = likely.choose(&mut self.random).copied();
        chosen.filter(|_| self.random.random_ratio(4, 5))
    }

    fn place(&self) -> String {
        format!("history {}, step {}", self.seed, self.step)
    }

    fn send(&mut self, instruction: Instruction) -> Result<(), Option<Code>> {
        self.counts.instructions += 1;
        self.stage.send(instruction)
    }

    fn run(mut self) {
        let steps = 20 + self.works.len() * 3;
        for step in 0..steps {
            self.step = step;
            let currency = self.random.random_range(0..self.channels.len());
            match self.random.random_range(0..100) {
                0..30 => self.pay_in(currency),
                30..42 => self.collect(currency),
                42..60 => self.pull(currency),
                60..82 => self.claim(currency),
                82..88 => self.change_split(),
                88..93 => self.apply_split(currency),
                93..95 => self.apply_dispute(currency),
                _ => self.dispute(),
            }
        }
        self.step = steps;
        if self.works.len() <= 30 || self.random.random_ratio(1, 10) {
            self.drain();
        }
        self.check_everything();
    }

    /// Money from a platform: credit of a few licences, and tokens in the vault to cover it.
    fn pay_in(&mut self, currency: usize) {
        let address = self.channels[currency];
        let mut account = self.stage.svm.get_account(&address).unwrap();
        let mut total: u128 = 0;
        for _ in 0..self.random.random_range(1..=4) {
            let index = self.random.random_range(0..self.works.len());
            let digits = self.random.random_range(0..=40);
            let amount: u64 = self.random.random_range(1..=1 << digits);
            let licence = Channel::space(index);
            add(&mut account.data, licence + offset_of_licence_settled(), amount);
            let channel = self.ledger.channels.get_mut(&address).unwrap();
            channel.licences[index].upfront += u128::from(amount);
            channel.deposited += u128::from(amount);
            total += u128::from(amount);
        }
        let header = Channel::DISCRIMINATOR.len();
        let total_bytes = total as u64; // at most 4 x 2^40
        add(&mut account.data, header + std::mem::offset_of!(Channel, deposited), total_bytes);
        add(&mut account.data, header + std::mem::offset_of!(Channel, upfront_fees), total_bytes);
        self.stage.svm.set_account(address, account).expect("any account can be set");
        let mint = self.mint(currency);
        self.ledger.bring_into_vault(&mint, total);
        let till = &self.stage.currencies[currency];
        let (currency, vault_tokens) = (till.currency, till.vault_tokens);
        let held = self.ledger.vaults[&mint];
        self.stage.set_tokens(&currency, vault_tokens, &pda::vault(&mint), held);
    }

    fn collect(&mut self, currency: usize) {
        let licences = &self.ledger.channels[&self.channels[currency]].licences;
        let credited: Vec<u16> = (0..)
            .zip(licences)
            .filter(|(_, licence)| licence.credit() > 0)
            .map(|(index, _)| index)
            .collect();
        let count = self.random.random_range(1..=4);
        let mut indexes = Vec::new();
        for _ in 0..count {
            let any = self.random.random_range(0..self.works.len()) as u16;
            indexes.push(self.mostly(&credited).unwrap_or(any));
        }
        self.collect_these(currency, &indexes);
    }

    fn collect_these(&mut self, currency: usize, indexes: &[u16]) {
        let (channel, mint) = (self.channels[currency], self.mint(currency));
        let mut metas = payments::accounts::Collect { channel }.to_account_metas(None);
        let works: Vec<_> = indexes.iter().map(|index| self.works[usize::from(*index)].0).collect();
        metas.extend(
            works.iter().map(|work| AccountMeta::new(self.earnings[&(*work, mint)], false)),
        );
        let data = payments::instruction::Collect { licences: indexes.to_vec() }.data();
        let collected = self.send(instruction(metas, data));
        let expected = self.ledger.collect(channel, indexes);
        self.compare("collect", collected, expected);
        for work in works {
            self.check_book(work, mint);
        }
    }

    fn pull(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let mut due = Vec::new();
        for (work, account) in &self.works {
            let book = &self.ledger.books[&(*work, mint)];
            let parents = account.parents.iter().zip(&book.parents);
            due.extend(
                parents.filter(|(_, parent)| book.due(parent) > 0).map(|(p, _)| (*work, p.work)),
            );
        }
        let any = |random: &mut StdRng| self.works[random.random_range(0..self.works.len())].0;
        let others = (any(&mut self.random), any(&mut self.random));
        let (child, parent) = self.mostly(&due).unwrap_or(others);
        if child != parent {
            self.pull_this(currency, child, parent);
        }
    }

    fn pull_this(&mut self, currency: usize, child: Pubkey, parent: Pubkey) {
        let mint = self.mint(currency);
        let accounts = payments::accounts::Pull {
            child: self.earnings[&(child, mint)],
            parent: self.earnings[&(parent, mint)],
        };
        let data = payments::instruction::Pull {}.data();
        let pulled = self.send(instruction(accounts.to_account_metas(None), data));
        let expected = self.ledger.pull(child, parent, mint);
        self.compare("pull", pulled, expected.map(drop));
        self.check_book(child, mint);
        self.check_book(parent, mint);
    }

    fn claim(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let works: Vec<_> = self.works.iter().map(|(work, _)| *work).collect();
        let earning = works.iter().filter(|work| self.ledger.books[&(**work, mint)].left() > 0);
        let earning: Vec<_> = earning.copied().collect();
        let any = *works.choose(&mut self.random).unwrap();
        let work = self.mostly(&earning).unwrap_or(any);
        let book = &self.ledger.books[&(work, mint)];
        let present: Vec<_> = book.people.keys().copied().collect();
        let count = self.random.random_range(1..=5);
        let mut payees = Vec::new();
        for _ in 0..count {
            let from = if self.random.random_ratio(5, 6) { &present } else { &self.people };
            payees.push(*from.choose(&mut self.random).unwrap());
        }
        self.claim_these(currency, work, &payees);
    }

    fn claim_these(&mut self, currency: usize, work: Pubkey, payees: &[Pubkey]) {
        let mint = self.mint(currency);
        let till = &self.stage.currencies[currency];
        let accounts = payments::accounts::Claim {
            earnings: self.earnings[&(work, mint)],
            work,
            vault: pda::vault(&mint),
            vault_tokens: till.vault_tokens,
            mint,
            token_program: till.currency.token_program,
            recipient: None,
        };
        let mut metas = accounts.to_account_metas(None);
        let mut list = Vec::new();
        for payee in payees {
            let (purse, bump) = till.purses[payee];
            metas.push(AccountMeta::new(purse, false));
            let position = self.random.random_range(0..40); // a hint, right or wrong
            list.push(Payee { position, bump });
        }
        let data = payments::instruction::Claim { payees: list }.data();
        let claimed = self.send(instruction(metas, data));
        let expected = self.ledger.claim(work, mint, payees);
        if let Ok(paid) = &expected {
            self.counts.units_paid += paid.iter().sum::<u128>();
        }
        self.compare("claim", claimed, expected.map(drop));
        self.check_book(work, mint);
        for payee in payees {
            let purse = self.stage.currencies[currency].purses[payee].0;
            let held = self.stage.tokens(&purse);
            assert_eq!(held, self.ledger.balance(payee, &mint), "{}: {payee}", self.place());
        }
    }

    /// The recipients have agreed to another split.
    fn change_split(&mut self) {
        let number = self.random.random_range(0..self.works.len());
        if self.works[number].1.status == WorkStatus::Disputed {
            return;
        }
        let split = if self.random.random_ratio(1, 3) {
            // The same people with other shares.
            let people: Vec<_> =
                self.works[number].1.split.iter().map(|share| share.recipient).collect();
            let shares = self.shares(people.len(), 10_000);
            people.into_iter().zip(shares).collect()
        } else {
            self.split()
        };
        self.counts.changes_of_split += 1;
        let (address, work) = &mut self.works[number];
        work.split = shares_of(&split);
        work.split_version += 1;
        let model = self.ledger.works.get_mut(address).unwrap();
        model.split = split;
        model.split_version += 1;
        self.write_work(number);
    }

    fn apply_split(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let behind: Vec<_> = (0..self.works.len())
            .filter(|&number| {
                let (work, account) = &self.works[number];
                self.ledger.books[&(*work, mint)].split_version != account.split_version
            })
            .collect();
        let any = self.random.random_range(0..self.works.len());
        let number = self.mostly(&behind).unwrap_or(any);
        self.apply_split_of(currency, number);
    }

    fn apply_dispute(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let disputed: Vec<_> = (0..self.works.len())
            .filter(|&number| self.works[number].1.status == WorkStatus::Disputed)
            .collect();
        let any = self.random.random_range(0..self.works.len());
        let number = self.mostly(&disputed).unwrap_or(any);
        let work = self.works[number].0;
        let accounts =
            payments::accounts::ApplyDispute { work, earnings: self.earnings[&(work, mint)] };
        let data = payments::instruction::ApplyDispute {}.data();
        let applied = self.send(instruction(accounts.to_account_metas(None), data));
        let expected = self.ledger.apply_dispute(work, mint);
        self.compare("apply_dispute", applied, expected);
        self.check_book(work, mint);
    }

    fn apply_split_of(&mut self, currency: usize, number: usize) {
        let (work, mint) = (self.works[number].0, self.mint(currency));
        let accounts = payments::accounts::ApplySplit {
            funder: self.stage.host.key(),
            work,
            earnings: self.earnings[&(work, mint)],
            system_program: SYSTEM_PROGRAM,
        };
        let data = payments::instruction::ApplySplit {}.data();
        let applied = self.send(instruction(accounts.to_account_metas(None), data));
        let after_verdict = self.ledger.works[&work].verdict_version
            > self.ledger.books[&(work, mint)].split_version;
        let expected = self.ledger.apply_split(work, mint);
        if after_verdict && expected.is_ok() {
            self.entitled.retain(|(of, in_mint, _), _| (*of, *in_mint) != (work, mint));
        }
        self.compare("apply_split", applied, expected);
        self.check_book(work, mint);
    }

    /// A dispute begins, or ends in one of two ways.
    fn dispute(&mut self) {
        let any = self.random.random_range(0..self.works.len());
        let disputed: Vec<_> = (0..self.works.len())
            .filter(|&number| self.works[number].1.status == WorkStatus::Disputed)
            .collect();
        let chosen = disputed.choose(&mut self.random).copied();
        let number = chosen.filter(|_| self.random.random_bool(0.6)).unwrap_or(any);
        let claimant = *self.people.choose(&mut self.random).unwrap();
        let ends = self.works[number].1.status == WorkStatus::Disputed;
        let (address, work) = &mut self.works[number];
        let model = self.ledger.works.get_mut(address).unwrap();
        if !ends {
            work.status = WorkStatus::Disputed;
            work.disputes += 1;
            model.disputes += 1;
            model.dispute = Some(model::Dispute { claimant, bond: 0, deadline: NEVER });
            self.write_work(number);
            return;
        }
        work.status = WorkStatus::Active;
        let claimant = model.dispute.take().map(|dispute| dispute.claimant).unwrap();
        if self.random.random_bool(0.5) {
            self.counts.verdicts += 1;
            model.split = vec![(claimant, 10_000)];
            model.split_version += 1;
            model.verdict_version = model.split_version;
            model.verdict_dispute = model.disputes;
            work.split = shares_of(&model.split);
            work.split_version = model.split_version;
            work.verdict_version = model.verdict_version;
            work.verdict_dispute = model.verdict_dispute;
        }
        self.write_work(number);
    }

    /// Everybody takes everything, from the youngest work up: what is left is dust.
    fn drain(&mut self) {
        for number in 0..self.works.len() {
            if self.works[number].1.status == WorkStatus::Disputed {
                let (address, work) = &mut self.works[number];
                work.status = WorkStatus::Active;
                self.ledger.works.get_mut(address).unwrap().dispute = None;
                self.write_work(number);
            }
        }
        for currency in 0..self.channels.len() {
            let mint = self.mint(currency);
            for number in (0..self.works.len()).rev() {
                let work = self.works[number].0;
                self.collect_these(currency, &[number as u16]);
                let parents: Vec<_> =
                    self.works[number].1.parents.iter().map(|parent| parent.work).collect();
                for parent in parents {
                    self.pull_this(currency, work, parent);
                }
                self.apply_split_of(currency, number);
                let book = &self.ledger.books[&(work, mint)];
                let owed: Vec<_> =
                    book.people.keys().filter(|person| book.owed(person) > 0).copied().collect();
                for payees in owed.chunks(8) {
                    self.claim_these(currency, work, payees);
                }
                let book = &self.ledger.books[&(work, mint)];
                assert_eq!(book.left(), book.dust(), "{}: all is taken but dust", self.place());
            }
        }
    }

    fn compare(
        &mut self,
        what: &str,
        chain: Result<(), Option<Code>>,
        ledger: Result<(), Refused>,
    ) {
        let agree = match (&chain, &ledger) {
            (Ok(()), Ok(())) => true,
            (Err(Some(code)), Err(Refused(codes))) => codes.contains(code),
            _ => false,
        };
        assert!(agree, "{}: {what}: {chain:?} on chain, {ledger:?} in the ledger", self.place());
        self.counts.refused += u64::from(chain.is_err());
    }

    /// The account agrees with the ledger; nobody's entitlement fell; what nobody is entitled to
    /// is dust.
    fn check_book(&mut self, work: Pubkey, mint: Pubkey) {
        let data = self.stage.svm.get_account(&self.earnings[&(work, mint)]).unwrap().data;
        let book = &self.ledger.books[&(work, mint)];
        if let Err(difference) = model::same_book(&data, book) {
            panic!("{}: earnings of {work}: {difference}", self.place());
        }
        let parties = book.parents.len() + book.split.len();
        assert!(book.dust() < parties as u128, "{}: more than dust", self.place());
        for person in book.people.keys() {
            let entitled = book.entitled(person);
            let before = self.entitled.insert((work, mint, *person), entitled).unwrap_or(0);
            assert!(entitled >= before, "{}: an entitlement fell", self.place());
        }
    }

    fn check_everything(&mut self) {
        for (work, mint) in self.earnings.keys().copied().collect::<Vec<_>>() {
            self.check_book(work, mint);
        }
        for (number, address) in self.channels.clone().iter().enumerate() {
            let data = self.stage.svm.get_account(address).unwrap().data;
            if let Err(difference) = model::same_channel(&data, &self.ledger.channels[address]) {
                panic!("{}: channel: {difference}", self.place());
            }
            let mint = self.mint(number);
            let held = self.stage.tokens(&self.stage.currencies[number].vault_tokens);
            assert_eq!(held, self.ledger.vaults[&mint], "{}: vault", self.place());
            let owed = self.ledger.owed_by_vault(&mint);
            assert_eq!(held, owed, "{}: the vault holds what it owes", self.place());
            for person in &self.people {
                let purse = self.stage.currencies[number].purses[person].0;
                let balance = self.ledger.balance(person, &mint);
                assert_eq!(self.stage.tokens(&purse), balance, "{}: {person}", self.place());
            }
        }
    }
}

fn shares_of(split: &[(Pubkey, u16)]) -> Vec<Share> {
    split.iter().map(|&(recipient, share_bps)| Share { recipient, share_bps }).collect()
}

fn instruction(accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction { program_id: payments::ID, accounts, data }
}

fn offset_of_licence_settled() -> usize {
    std::mem::offset_of!(payments::Licence, settled)
}

fn add(data: &mut [u8], offset: usize, amount: u64) {
    let bytes = &mut data[offset..offset + 8];
    let total = u64::from_le_bytes(bytes.try_into().unwrap()) + amount;
    bytes.copy_from_slice(&total.to_le_bytes());
}

/// An account of earnings in which nothing has been earned.
fn empty_earnings(work: &Pubkey, mint: &Pubkey, book: &Book) -> Vec<u8> {
    let parents_bps: u16 = book.parents.iter().map(|parent| parent.bps).sum();
    let header = Earnings {
        version: Earnings::VERSION,
        parents: book.parents.len() as u8, // at most 8
        split_version: book.split_version,
        work: *work,
        mint: *mint,
        own_bps: 10_000 - parents_bps,
        ..bytemuck::Zeroable::zeroed()
    };
    let parents = book.parents.iter().map(|parent| (parent.work, parent.bps));
    let parts = parents.chain(book.split.iter().copied());
    let mut data = Earnings::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&header));
    for (key, share_bps) in parts {
        let part = Part { key, share_bps, ..Part::default() };
        data.extend_from_slice(bytemuck::bytes_of(&part));
    }
    data
}
