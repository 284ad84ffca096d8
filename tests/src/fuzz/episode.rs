use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use litesvm::types::FailedTransactionMetadata;
use motif_sdk::{earnings, licensing::terms_digest, pda};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use solana_account::Account;
use solana_clock::Clock;
use solana_pubkey::Pubkey;

use super::{
    Cast, Report, Step, cast::RICHES, escape_steps::Acknowledged, payments_steps::Prepared,
    promises, sabotage,
};
use crate::{
    model::{self, Config, Ledger, Purse, Refused},
    relay,
    world::{Call, Code, World, token_account},
};

/// Where a mint's authority marks an account as frozen.
const TOKEN_STATE_OFFSET: usize = 108;
const TOKEN_METADATA_ELF: &[u8] = include_bytes!("../../../programs/artifacts/token_metadata.so");

/// What stands at an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Work,
    Channel,
    Book(Pubkey, Pubkey),
    Till(Pubkey, Pubkey),
    TillTokens(Pubkey, Pubkey),
    StatementBuffer(Pubkey, Pubkey),
    Purse(Pubkey, Pubkey),
    VaultTokens(Pubkey),
    Config,
}

/// One cluster, its cast, and what the ledger says about both.
pub(super) struct Episode {
    pub world: World,
    pub ledger: Ledger,
    pub cast: Cast,
    pub random: StdRng,
    known: BTreeMap<Pubkey, Known>,
    past: Vec<Step>,
    /// Statements that are being staged, by channel and settler.
    pub prepared: BTreeMap<(Pubkey, Pubkey), Prepared>,
    /// Vouchers that operators have acknowledged and not settled yet, by channel.
    pub acknowledged: BTreeMap<Pubkey, Acknowledged>,
    /// Steps so far.
    played: u64,
}

/// Draws the next call; `None` where there is nothing to call it on.
type Draw = fn(&mut Episode) -> Option<Step>;

/// Every instruction, and how often it is drawn.
const DRAWS: [(u32, Draw); 42] = [
    (1, Episode::initialize),
    (1, Episode::create_vault),
    (2, Episode::update_config),
    (1, Episode::offer_authority),
    (1, Episode::accept_authority),
    (14, Episode::register_work),
    (12, Episode::publish_terms),
    (5, Episode::approve),
    (3, Episode::revoke_approval),
    (3, Episode::offer_ownership),
    (3, Episode::accept_ownership),
    (6, Episode::propose_split),
    (5, Episode::extend_split_change),
    (10, Episode::approve_split_change),
    (2, Episode::revoke_split_approval),
    (2, Episode::update_metadata),
    (6, Episode::apply_split_change),
    (3, Episode::cancel_split_change),
    (1, Episode::withdraw_work),
    (2, Episode::open_dispute),
    (5, Episode::decide_dispute),
    (2, Episode::expire_dispute),
    (3, Episode::set_consent_end),
    (2, Episode::issue_certificate),
    (12, Episode::open_channel),
    (6, Episode::top_up),
    (22, Episode::accept),
    (40, Episode::settle),
    (12, Episode::settle_cosigned),
    (22, Episode::settle_buffered),
    (2, Episode::write_statement_buffer),
    (12, Episode::open_earnings),
    (16, Episode::collect),
    (12, Episode::pull),
    (24, Episode::claim),
    (6, Episode::apply_split),
    (6, Episode::apply_dispute),
    (4, Episode::apply_withdrawal),
    (6, Episode::release_quota),
    (3, Episode::rotate_voucher_key),
    (10, Episode::license_itself),
    (4, Episode::end_late),
];
const LATE_DRAWS: [(u32, Draw); 6] = [
    (2, Episode::request_close),
    (4, Episode::withdraw),
    (8, Episode::claim_fees),
    (5, Episode::close_channel),
    (5, Episode::open_till),
    (6, Episode::sweep_till),
];

impl Episode {
    pub fn new(seed: u64) -> Self {
        let mut world = World::new();
        let metadata = motif_sdk::licensing::TOKEN_METADATA_PROGRAM;
        world.svm.add_program(metadata, TOKEN_METADATA_ELF).expect("token metadata loads");
        relay::deploy(&mut world.svm);
        let cast = Cast::new(&mut world);
        let config = read_config(&world.account(&pda::config()).data).expect("a config");
        let ledger = Ledger { now: world.now(), slot: slot(&world), config, ..Ledger::default() };
        let random = StdRng::seed_from_u64(seed);
        let mut episode = Self {
            world,
            ledger,
            cast,
            random,
            known: BTreeMap::new(),
            past: Vec::new(),
            prepared: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            played: 0,
        };
        episode.know(pda::config(), Known::Config);
        for currency in episode.cast.currencies.clone() {
            let mint = currency.mint;
            episode.ledger.vaults.insert(mint, 0);
            episode.know(episode.world.vault_tokens(&currency), Known::VaultTokens(mint));
            for person in episode.cast.people.clone() {
                let key = person.key();
                episode.know(currency.tokens(&key), Known::Purse(key, mint));
                episode.ledger.purses.insert((key, mint), Purse::Open(u128::from(RICHES)));
            }
        }
        episode
    }

    /// Remembers what will stand at an address.
    pub fn know(&mut self, address: Pubkey, what: Known) {
        self.known.insert(address, what);
    }

    /// Addresses with something of ours at them.
    pub fn addresses(&self) -> Vec<Pubkey> {
        self.known.keys().copied().collect()
    }

    /// The least a bond can be: what an empty account needs.
    pub fn least_bond(&self) -> u64 {
        self.world.svm.minimum_balance_for_rent_exemption(0)
    }

    /// One event, perhaps, and one instruction.
    pub fn step(&mut self, report: &mut Report) -> Result<(), String> {
        if self.random.random_ratio(3, 16) {
            self.event(report)?;
        }
        let step = self.draw();
        let step = match self.past.choose(&mut self.random) {
            Some(past) if self.random.random_ratio(1, 14) => {
                report.replayed += 1;
                past.clone()
            }
            _ => step,
        };
        if self.random.random_ratio(1, 6)
            && step.expect(&mut self.ledger.clone()).is_ok()
            && let Some((how, call)) = sabotage::sabotage(self, &step)
        {
            *report.sabotaged.entry(how).or_default() += 1;
            return self.refuse(&step, how, &call, report);
        }
        self.play(&step, report)?;
        if self.past.len() < 60 {
            self.past.push(step);
        } else {
            let at = self.random.random_range(0..self.past.len());
            self.past[at] = step;
        }
        self.played += 1;
        if self.played.is_multiple_of(50) { self.check_all() } else { Ok(()) }
    }

    /// The next call: mostly one that breaks no rule, if a few attempts find one.
    fn draw(&mut self) -> Step {
        let all = DRAWS.iter().chain(&LATE_DRAWS);
        let total: u32 = all.clone().map(|(weight, _)| weight).sum();
        loop {
            let mut at = self.random.random_range(0..total);
            let chosen = all.clone().find(|(weight, _)| {
                let found = at < *weight;
                at = at.saturating_sub(*weight);
                found
            });
            let Some((_, draw)) = chosen else { continue };
            let attempts = if self.random.random_ratio(2, 3) { 8 } else { 1 };
            let mut drawn = None;
            for _ in 0..attempts {
                drawn = draw(self).or(drawn);
                let good = |step: &Step| step.expect(&mut self.ledger.clone()).is_ok();
                if drawn.as_ref().is_some_and(good) {
                    break;
                }
            }
            if let Some(step) = drawn {
                return step;
            }
        }
    }

    /// Sends a call and tells the ledger; both must agree, and every promise hold.
    pub fn play(&mut self, step: &Step, report: &mut Report) -> Result<(), String> {
        let addresses = named(&step.call);
        let before = self.accounts(&addresses);
        let settleable = self.settleable(step, &addresses);
        let landed = self.send(&step.call, report);
        if landed.is_ok() {
            report.still_settleable += settleable.len() as u64;
            self.still_settleable(step.name, &settleable)?;
        }
        let was = self.ledger.clone();
        let expected = step.expect(&mut self.ledger);
        report.count(step.name, landed.is_ok());
        let agree = match (&landed, &expected) {
            (Ok(()), Ok(())) => true,
            (Err(code), Err(Refused(codes))) => codes.iter().any(|other| same(*code, *other)),
            _ => false,
        };
        if !agree {
            return Err(format!("{}: {landed:?} on chain, {expected:?} in the ledger", step.name));
        }
        if landed.is_err() {
            return self.unchanged(step.name, &addresses, &before);
        }
        self.learn_digests();
        for address in &addresses {
            self.check(address).map_err(|what| format!("{}: {what}", step.name))?;
        }
        promises::check(&was, &self.ledger, step.name)
            .map_err(|what| format!("{}: {what}", step.name))
    }

    /// Sends a sabotaged call: nothing of it may be accepted.
    fn refuse(
        &mut self,
        step: &Step,
        how: &str,
        call: &Call,
        report: &mut Report,
    ) -> Result<(), String> {
        let addresses = named(call);
        let before = self.accounts(&addresses);
        let landed = self.send(call, report);
        report.count(step.name, landed.is_ok());
        if landed.is_ok() {
            let programs: Vec<_> = call.instructions.iter().map(|i| &i.accounts).collect();
            return Err(format!("{}: accepted although {how}: {programs:?}", step.name));
        }
        self.unchanged(step.name, &addresses, &before)
    }

    fn send(&mut self, call: &Call, report: &mut Report) -> Result<(), Code> {
        self.world.svm.expire_blockhash();
        let transaction = self.world.transaction(call);
        match self.world.svm.send_transaction(transaction) {
            Ok(_) => Ok(()),
            Err(failed) => {
                let code = Code::of(&failed).unwrap_or(Code::RUNTIME);
                *report.refusals.entry(reason(&failed)).or_default() += 1;
                Err(code)
            }
        }
    }

    fn accounts(&self, addresses: &[Pubkey]) -> Vec<Option<Account>> {
        addresses.iter().map(|address| self.world.find(address)).collect()
    }

    /// A refused call leaves everything as it was, but for the fee.
    fn unchanged(
        &self,
        name: &str,
        addresses: &[Pubkey],
        before: &[Option<Account>],
    ) -> Result<(), String> {
        for (address, before) in addresses.iter().zip(before) {
            let ours = self.known.contains_key(address);
            if ours && self.world.find(address) != *before {
                return Err(format!("{name}: refused, but {address} changed"));
            }
        }
        Ok(())
    }

    /// What `accept` must have read of terms, the chain says.
    fn learn_digests(&mut self) {
        for (address, work) in &mut self.ledger.works {
            for (number, terms) in &mut work.terms {
                if terms.digest == [0; 32] {
                    let account = self.world.find(&pda::terms(address, *number));
                    terms.digest = account.map_or([1; 32], |account| terms_digest(&account.data));
                }
            }
        }
    }

    /// Holds an account against the ledger.
    fn check(&self, address: &Pubkey) -> Result<(), String> {
        let Some(known) = self.known.get(address) else { return Ok(()) };
        let account = self.world.find(address).filter(|account| !account.data.is_empty());
        let tokens = || account.as_ref().map_or(0, |account| amount(&account.data));
        let differs = |what: &str, chain: u128, ledger: u128| {
            let difference = format!("{what}: {chain} on chain, {ledger} in the ledger");
            if chain == ledger { Ok(()) } else { Err(difference) }
        };
        let there = |expected: bool| {
            let what = format!(
                "{known:?}: there on chain: {}, in the ledger: {expected}",
                account.is_some()
            );
            if account.is_some() == expected { Ok(()) } else { Err(what) }
        };
        let data = account.as_ref().map_or(&[][..], |account| &account.data);
        match known {
            Known::Work => match self.ledger.works.get(address) {
                Some(work) => model::same_work(data, work),
                None => there(false),
            },
            Known::Channel => match self.ledger.channels.get(address) {
                Some(channel) => model::same_channel(data, channel),
                None => there(false),
            },
            Known::Book(work, mint) => match self.ledger.books.get(&(*work, *mint)) {
                Some(book) => model::same_book(data, book),
                None => there(false),
            },
            Known::Till(work, mint) => {
                let till = self.ledger.tills.get(&(*work, *mint));
                there(till.is_some())?;
                let swept = data.get(74..82).map_or(0, |bytes| {
                    u128::from(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
                });
                differs("swept", swept, till.map_or(0, |(_, swept)| *swept))
            }
            Known::TillTokens(work, mint) => {
                let till = self.ledger.tills.get(&(*work, *mint));
                differs("till", tokens(), till.map_or(0, |(lies, _)| *lies))
            }
            Known::StatementBuffer(channel, settler) => {
                let staged = self.ledger.staged.get(&(*channel, *settler));
                there(staged.is_some())?;
                let bytes = data.get(80..).unwrap_or_default();
                let same = staged.is_none_or(|staged| staged == bytes);
                if same { Ok(()) } else { Err("other bytes are staged".to_owned()) }
            }
            Known::Purse(person, mint) => {
                differs("purse", tokens(), self.ledger.balance(person, mint))
            }
            Known::VaultTokens(mint) => differs("vault", tokens(), self.ledger.vaults[mint]),
            Known::Config => {
                let (chain, ledger) = (read_config(data), Some(self.ledger.config));
                let difference = format!("config: {chain:?} on chain, {ledger:?} in the ledger");
                if chain == ledger { Ok(()) } else { Err(difference) }
            }
        }
    }

    /// Holds everything against the ledger.
    pub fn check_all(&self) -> Result<(), String> {
        for address in self.known.keys() {
            self.check(address)?;
        }
        Ok(())
    }

    /// Something happens that no instruction of ours is.
    fn event(&mut self, report: &mut Report) -> Result<(), String> {
        let name = match self.random.random_range(0..18) {
            0..5 => self.jump(),
            5..7 => self.next_slot(),
            7..9 => self.fill_till(),
            9 => self.heal(),
            10 | 11 => self.poison(),
            _ => self.acknowledge(),
        };
        report.event(name);
        Ok(())
    }

    fn jump(&mut self) -> &'static str {
        let seconds = match self.random.random_range(0..20) {
            0 => 2_000_000,
            1 => 400_000,
            2..4 => -1,
            4 => -5_000,
            5..9 => 86_400,
            9..12 => 86_399,
            _ => self.random.random_range(1..=3_600),
        };
        self.ledger.now += seconds;
        self.world.set_time(self.ledger.now);
        if seconds > 0 { "the clock goes on" } else { "the clock steps back" }
    }

    fn next_slot(&mut self) -> &'static str {
        self.ledger.slot += 1;
        self.world.set_slot(self.ledger.slot);
        "a slot passes"
    }

    /// A distributor pays into a till.
    fn fill_till(&mut self) -> &'static str {
        let tills: Vec<_> = self.ledger.tills.keys().copied().collect();
        let Some(&(work, mint)) = tills.choose(&mut self.random) else { return "nothing" };
        let amount: u64 = self.random.random_range(1..=100_000);
        let currency = self.cast.currency(&mint);
        let lies = self.ledger.tills.get_mut(&(work, mint)).expect("a till");
        lies.0 += u128::from(amount);
        let total = lies.0 as u64; // a few hundred thousand
        let owner = pda::till(&work, &mint);
        let account = token_account(&currency, &owner, total);
        self.world.set(earnings::till_tokens(&work, &currency), account);
        "tokens arrive in a till"
    }

    fn some_purse(&mut self) -> (Pubkey, Pubkey) {
        let person = self.cast.any_person(&mut self.random).key();
        (person, self.mint())
    }

    /// Breaks a person's own token account.
    fn poison(&mut self) -> &'static str {
        let (person, mint) = self.some_purse();
        let held = self.ledger.balance(&person, &mint);
        let currency = self.cast.currency(&mint);
        let address = currency.tokens(&person);
        let mut account = token_account(&currency, &person, held as u64);
        let (name, purse) = match self.random.random_range(0..3) {
            0 => {
                account.data[TOKEN_STATE_OFFSET] = 2;
                ("a token account is frozen", Purse::Frozen(held))
            }
            1 => {
                let other = self.world.host.key();
                account.data[32..64].copy_from_slice(other.as_ref());
                ("a token account is given away", Purse::Away(held))
            }
            _ => {
                account = Account::default();
                ("a token account is closed", Purse::Closed)
            }
        };
        self.world.set(address, account);
        self.ledger.purses.insert((person, mint), purse);
        name
    }

    /// Token accounts are put right again, and filled.
    fn heal(&mut self) -> &'static str {
        for key in self.ledger.purses.keys().copied().collect::<Vec<_>>() {
            if !matches!(self.ledger.purses[&key], Purse::Open(_)) {
                let (person, mint) = key;
                let currency = self.cast.currency(&mint);
                let account = token_account(&currency, &person, RICHES);
                self.world.set(currency.tokens(&person), account);
                self.ledger.purses.insert(key, Purse::Open(u128::from(RICHES)));
            }
        }
        "token accounts are put right"
    }
}

fn read_config(mut data: &[u8]) -> Option<Config> {
    let config: licensing::Config =
        anchor_lang::AccountDeserialize::try_deserialize(&mut data).ok()?;
    Some(Config {
        authority: config.authority,
        pending_authority: config.pending_authority,
        arbiter: config.arbiter,
        bond: config.dispute_bond_lamports,
        dispute_seconds: config.dispute_seconds,
    })
}

fn slot(world: &World) -> u64 {
    world.svm.get_sysvar::<Clock>().slot
}

/// What a refusal is counted under.
pub(super) fn reason(failed: &FailedTransactionMetadata) -> String {
    let words = failed.meta.logs.iter().find_map(|line| {
        let (_, name) = line.split_once("Error Code: ")?;
        name.split_once('.').map(|(name, _)| name.to_owned())
    });
    match (Code::of(failed), words) {
        (Some(code), Some(name)) => format!("{} {name}", code.number()),
        (Some(code), None) => format!("{} of a token or system program", code.number()),
        (None, _) => format!("{:?}", failed.err),
    }
}

fn amount(data: &[u8]) -> u128 {
    let bytes = data.get(64..72).and_then(|bytes| bytes.try_into().ok());
    u128::from(bytes.map_or(0, u64::from_le_bytes))
}

fn named(call: &Call) -> Vec<Pubkey> {
    let metas = call.instructions.iter().flat_map(|instruction| &instruction.accounts);
    let mut addresses: Vec<_> = metas.map(|meta| meta.pubkey).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// A missing account is rejected with one of several codes; any of them is accepted.
fn same(chain: Code, ledger: Code) -> bool {
    let absent = [
        ErrorCode::AccountNotInitialized,
        ErrorCode::AccountOwnedByWrongProgram,
        ErrorCode::AccountDiscriminatorNotFound,
        ErrorCode::AccountDidNotDeserialize,
    ]
    .map(Code::from);
    chain == ledger || absent.contains(&chain) && absent.contains(&ledger)
}
