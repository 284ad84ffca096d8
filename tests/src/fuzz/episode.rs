use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use motif_sdk::{licensing::terms_digest, pda};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use solana_account::Account;
use solana_clock::Clock;
use solana_pubkey::Pubkey;

use super::{
    Cast, Known, Report, Step, cast::RICHES, escape_steps::Acknowledged, promises, report::reason,
    sabotage, settle_steps::Prepared,
};
use crate::{
    model::{self, Config, Ledger, Purse, Refused},
    relay,
    world::{Call, Code, World, token_account},
};

/// Instructions between two checks that every party can be paid.
const LIVE: u64 = 130;
/// Offset of a token account's state.
const TOKEN_STATE_OFFSET: usize = 108;
const TOKEN_METADATA_ELF: &[u8] = include_bytes!("../../../programs/artifacts/token_metadata.so");

/// Cluster, people and model of an episode. Clones share nothing.
#[derive(Clone)]
pub(super) struct Episode {
    pub world: World,
    pub ledger: Ledger,
    pub cast: Cast,
    pub random: StdRng,
    known: BTreeMap<Pubkey, Known>,
    past: Vec<Step>,
    /// Statements being buffered, by channel and settler.
    pub prepared: BTreeMap<(Pubkey, Pubkey), Prepared>,
    /// Acknowledged vouchers that are not settled, by channel.
    pub acknowledged: BTreeMap<Pubkey, Acknowledged>,
    /// Number of steps so far.
    played: u64,
}

/// Function that draws a call; `None` if no suitable account exists.
type Draw = fn(&mut Episode) -> Option<Step>;

/// All instructions with their weights.
const DRAWS: [(u32, Draw); 58] = [
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
    (8, Episode::decide_dispute),
    (2, Episode::expire_dispute),
    (3, Episode::set_consent_end),
    (2, Episode::issue_certificate),
    (2, Episode::register_operator),
    (3, Episode::update_operator),
    (5, Episode::rotate_operator_key),
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
    (8, Episode::end_late),
    (8, Episode::crowd_out),
    (6, Episode::steal_hot_key),
    (8, Episode::undercut),
    (4, Episode::hold_cap),
    (3, Episode::hold_cap_by_free_use),
    (3, Episode::rush_verdict),
    (1, Episode::raise_bond),
    (3, Episode::end_consent_first),
    (2, Episode::change_sold_work),
    (2, Episode::launder_consent),
    (1, Episode::dummy_parent),
    (2, Episode::stage_dispute),
    (3, Episode::reclaim),
];
const LATE_DRAWS: [(u32, Draw); 7] = [
    (2, Episode::request_close),
    (4, Episode::withdraw),
    (8, Episode::claim_fees),
    (5, Episode::close_channel),
    (5, Episode::open_till),
    (8, Episode::pay_till),
    (10, Episode::sweep_till),
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
            for person in episode.cast.purse_owners().cloned().collect::<Vec<_>>() {
                let key = person.key();
                episode.know(currency.tokens(&key), Known::Purse(key, mint));
                episode.ledger.purses.insert((key, mint), Purse::Open(u128::from(RICHES)));
            }
        }
        episode.register_first_operators();
        episode
    }

    /// Records the account that a call creates.
    pub fn know(&mut self, address: Pubkey, what: Known) {
        self.known.insert(address, what);
    }

    /// Returns the addresses of the programs' accounts.
    pub fn addresses(&self) -> Vec<Pubkey> {
        self.known.keys().copied().collect()
    }

    /// Returns the minimum bond, lamports: the rent of an empty account.
    pub fn least_bond(&self) -> u64 {
        self.world.svm.minimum_balance_for_rent_exemption(0)
    }

    /// Plays one step: possibly an event, then an instruction.
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
        if self.played.is_multiple_of(50) {
            self.check_all()?;
        }
        if self.played.is_multiple_of(LIVE) { self.check_live(report) } else { Ok(()) }
    }

    /// Draws the next call, usually one that breaks no rule if a few attempts find one.
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

    /// Sends a call and applies it to the model; both must agree, and every promise must hold.
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
        report.count_attack(step.attack, landed.is_ok());
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

    /// Sends a sabotaged call, which must be rejected.
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

    /// Checks that a rejected call changed nothing except the fee.
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

    /// Copies the terms' digest from the chain, because an acceptance must name it.
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

    /// Compares an account with the model.
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
            Known::Operator(authority) => match self.ledger.operators.get(authority) {
                Some(operator) => model::same_operator(data, authority, operator),
                None => there(false),
            },
            Known::Till => match self.ledger.tills.get(address) {
                Some(till) => model::same_till(data, till),
                None => there(false),
            },
            Known::TillTokens(till) => {
                let till = self.ledger.tills.get(till);
                differs("till", tokens(), till.map_or(0, |till| till.balance))
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

    /// Compares all accounts with the model.
    pub fn check_all(&self) -> Result<(), String> {
        for address in self.known.keys() {
            self.check(address)?;
        }
        Ok(())
    }

    /// Causes a random event outside of the programs.
    fn event(&mut self, report: &mut Report) -> Result<(), String> {
        let name = match self.random.random_range(0..18) {
            0..5 => return self.let_time_pass(report),
            5..7 => self.next_slot(),
            7..9 => self.fill_till(),
            9 => self.heal(),
            10 => self.poison(),
            11 => self.pass_on(),
            _ => self.acknowledge(),
        };
        report.event(name);
        Ok(())
    }

    /// Time passes; vouchers that settled before settle after it, unless an end that their
    /// channel's account has shown lies in between.
    fn let_time_pass(&mut self, report: &mut Report) -> Result<(), String> {
        let before = self.ledger.now;
        let vouchers: Vec<_> = self.acknowledged.keys().copied().collect();
        let settleable: Vec<_> =
            vouchers.into_iter().filter(|channel| self.settles_now(channel)).collect();
        let name = self.jump();
        report.event(name);
        if self.ledger.now < before {
            return Ok(());
        }
        let lasting: Vec<_> =
            settleable.into_iter().filter(|channel| self.lasts(channel)).collect();
        report.still_settleable += lasting.len() as u64;
        self.still_settleable(name, &lasting)
    }

    /// Pays every party of a copy of this episode, during disputes and after them: from any state it
    /// can be done.
    fn check_live(&self, report: &mut Report) -> Result<(), String> {
        let (mut copy, mut report_of_copy) = (self.clone(), Report::default());
        let paid = copy.pay_during_disputes(&mut report_of_copy);
        let paid = paid.and_then(|()| copy.end(&mut report_of_copy));
        paid.map_err(|what| format!("not live: {what}"))?;
        report.live += 1;
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
            12 => 900,
            13 => 899,
            _ => self.random.random_range(1..=3_600),
        };
        let halted = seconds > 0 && self.random.random_ratio(1, 8);
        if halted {
            self.ledger.now += seconds;
            self.world.halt(seconds);
            return "the cluster halts and resumes";
        }
        self.pass(seconds);
        if seconds > 0 { "the clock goes on" } else { "the clock steps back" }
    }

    /// Lets seconds pass, and the slots in them.
    pub fn pass(&mut self, seconds: i64) {
        self.ledger.now += seconds;
        self.world.set_time(self.ledger.now);
        self.ledger.slot = slot(&self.world);
    }

    fn next_slot(&mut self) -> &'static str {
        self.ledger.slot += 1;
        self.world.set_slot(self.ledger.slot);
        "a slot passes"
    }

    fn some_purse(&mut self) -> (Pubkey, Pubkey) {
        let person = self.cast.any_person(&mut self.random).key();
        (person, self.mint())
    }

    /// Makes a person's token account unusable.
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

    /// Repairs and funds the token accounts.
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
