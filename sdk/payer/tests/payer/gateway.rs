use std::collections::BTreeMap;

use bytemuck::Zeroable;
use ed25519_dalek::{Signer, SigningKey};
use motif_interface::{
    Pubkey,
    channel::{Channel, ChannelAccount, License},
    operator::ReceiptKeys,
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Statement},
};
use motif_payer::{Effect, Machine, PayerError, PayerPolicy, Payment, Request};
use motif_wire::{
    Address, Amount, BatchReceipts, BatchRequest, BatchedGeneration, ChannelState, Digest,
    ExpectedStatement, ItemProblem, Problem, ProblemType, ReceiptParts, StatementEntry,
    StatementState,
};

pub const NOW: i64 = 1_800_000_000;
pub const CHANNEL: Pubkey = Pubkey::new_from_array([2; 32]);

pub fn voucher_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

/// Three licenses at 100 base units, and one at 7 with two units left; a fee of 2 %.
pub fn account() -> ChannelAccount {
    let license = License {
        price: 100,
        units_left: License::UNLIMITED,
        daily_units: License::UNLIMITED,
        revenue_left: License::UNLIMITED,
        expires_at: i64::MAX,
        work: Pubkey::new_from_array([7; 32]),
        terms_number: 1,
        ..License::zeroed()
    };
    let channel = Channel {
        deposited: 1_000_000,
        operator_fee_bps: 200,
        operator: Pubkey::new_from_array(operator().verifying_key().to_bytes()),
        voucher_key: Pubkey::new_from_array(voucher_key().verifying_key().to_bytes()),
        closes_at: i64::MAX,
        rotates_at: i64::MAX,
        opened_slot: 11,
        ..Channel::zeroed()
    };
    let few = License { price: 7, units_left: 2, ..license };
    ChannelAccount { channel, licenses: vec![license, license, license, few] }
}

pub fn receipt_keys() -> ReceiptKeys {
    ReceiptKeys::sole(account().channel.operator)
}

/// Gateway in memory. A clone is a backup.
#[derive(Clone, Default)]
pub struct Gateway {
    /// Statements, of which the last is open.
    statements: Vec<PaidStatement>,
    /// Answers by idempotency key.
    answers: BTreeMap<String, Vec<SignedReceipt>>,
    /// Problem types of refusals to come, with refused items.
    pub refusals: Vec<(ProblemType, Vec<u32>)>,
    /// Number of accepted requests.
    pub accepted: u64,
}

#[derive(Clone, Default)]
struct PaidStatement {
    entries: BTreeMap<u16, u32>,
    prices: u64,
    receipts: Vec<SignedReceipt>,
    voucher: Option<SignedVoucher>,
}

impl PaidStatement {
    fn entries(&self) -> Vec<StatementEntry> {
        let entry = |(&license, &units): (&u16, &u32)| StatementEntry { license, units };
        self.entries.iter().map(entry).collect()
    }
}

impl Gateway {
    pub fn new() -> Self {
        Self { statements: vec![PaidStatement::default()], ..Self::default() }
    }

    fn open(&mut self) -> &mut PaidStatement {
        self.statements.last_mut().unwrap()
    }

    /// Closes the open statement.
    pub fn cut(&mut self) {
        self.statements.push(PaidStatement::default());
    }

    /// Closes the open statement if it has entries, as gateways do.
    pub fn cut_used(&mut self) {
        if !self.open().entries.is_empty() {
            self.cut();
        }
    }

    /// Returns the number of statements.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }

    /// Returns the total of all prices and fees.
    pub fn total(&self) -> u64 {
        let prices: u64 = self.statements.iter().map(|statement| statement.prices).sum();
        prices + prices * 200 / 10_000
    }

    /// Returns all receipts.
    pub fn receipts(&self) -> Vec<SignedReceipt> {
        self.statements.iter().flat_map(|statement| statement.receipts.clone()).collect()
    }

    /// Answers a batch; returns status and body.
    pub fn serve(&mut self, request: &Request) -> (u16, Vec<u8>) {
        let batch: BatchRequest = serde_json::from_slice(&request.body).unwrap();
        let number = self.statements.len() as u64 - 1;
        let voucher = SignedVoucher { key: account().channel.voucher_key, ..batch.voucher };
        assert!(voucher.verifies());
        if let Some(receipts) = self.answers.get(&request.key) {
            return ok(receipts);
        }
        if !self.refusals.is_empty() {
            let (problem_type, items) = self.refusals.remove(0);
            return self.problem(problem_type, None, &items);
        }
        let total = self.total();
        if voucher.voucher.statement < number {
            return self.problem(ProblemType::StatementClosed, Some(total), &[]);
        }
        if voucher.voucher.statement > number {
            return self.problem(ProblemType::StatementAhead, Some(total), &[]);
        }
        let mut next = self.statements.last().unwrap().clone();
        let mut items = Vec::new();
        for one in &batch.generations {
            let license = account().licenses[usize::from(one.license)];
            *next.entries.entry(one.license).or_default() += one.units;
            let price = license.price * u64::from(one.units);
            next.prices += price;
            items.push((*one, price, license));
        }
        let earlier = self.statements[..number as usize].iter().map(|paid| paid.prices);
        let prices = earlier.sum::<u64>() + next.prices;
        let expected = prices + prices * 200 / 10_000;
        let statement: Statement = next.entries.iter().map(|(l, u)| (*l, *u)).collect();
        if voucher.voucher.cumulative != expected {
            let problem_type = match voucher.voucher.cumulative <= total {
                true => ProblemType::VoucherNotNewer,
                false => ProblemType::WrongPrice,
            };
            let hint = if problem_type == ProblemType::WrongPrice { expected } else { total };
            return self.problem(problem_type, Some(hint), &[]);
        }
        assert_eq!(voucher.voucher.statement_digest, statement.digest());
        let first = next.receipts.len() as u32;
        let receipts: Vec<_> = (first..)
            .zip(&items)
            .map(|(position, (one, price, license))| Receipt {
                channel: CHANNEL,
                opened_slot: 11,
                statement: number,
                position,
                license: one.license,
                units: one.units,
                terms_number: 1,
                amount: *price,
                cumulative: expected,
                work: license.work,
                request_digest: one.request_digest.0,
                output_digest: one.output_digest.0,
                issued_at: NOW,
            })
            .collect();
        let signed = SignedReceipt::sign_together(&receipts, &operator());
        next.receipts.extend(&signed);
        next.voucher = Some(voucher);
        *self.open() = next;
        self.answers.insert(request.key.clone(), signed.clone());
        self.accepted += 1;
        ok(&signed)
    }

    /// Returns the refusal of a request that is not looked up.
    pub fn refuse(&self, problem_type: ProblemType) -> (u16, Vec<u8>) {
        self.problem(problem_type, None, &[])
    }

    fn problem(
        &self,
        problem_type: ProblemType,
        cumulative: Option<u64>,
        items: &[u32],
    ) -> (u16, Vec<u8>) {
        let expected = cumulative.map(|cumulative| ExpectedStatement {
            statement: self.statements.len() as u64 - 1,
            cumulative: Amount(cumulative),
            entries: self.statements.last().unwrap().entries(),
        });
        let item = |item: &u32| ItemProblem {
            item: *item,
            slug: ProblemType::UnitCap.slug().to_owned(),
            detail: "its unit cap is reached".to_owned(),
        };
        let problem = Problem {
            slug: problem_type.slug().to_owned(),
            title: problem_type.title().to_owned(),
            status: problem_type.status(),
            detail: "no".to_owned(),
            expected,
            payment: None,
            holder: None,
            items: items.iter().map(item).collect(),
        };
        (problem.status, serde_json::to_vec(&problem).unwrap())
    }

    /// Returns the channel's state, as a payer reads it.
    pub fn state(&self) -> ChannelState {
        let account = account();
        let mut total = 0;
        let mut states: Vec<_> = (0..)
            .zip(&self.statements)
            .map(|(number, paid): (u64, _)| {
                total += paid.prices;
                StatementState {
                    statement: number,
                    receipts: paid.receipts.len() as u32,
                    prices: Amount(paid.prices),
                    cumulative: Amount(total + total * 200 / 10_000),
                    entries: paid.entries(),
                    voucher: paid.voucher,
                }
            })
            .collect();
        let open = states.pop().unwrap();
        ChannelState {
            channel: Address(CHANNEL),
            payer: Address(CHANNEL),
            operator: Address(account.channel.operator),
            mint: Address(CHANNEL),
            voucher_key: Address(account.channel.voucher_key),
            cluster: Digest([0; 32]),
            opened_slot: 11,
            operator_fee_bps: 200,
            grace_seconds: 0,
            closes_at: None,
            deposited: Amount(1_000_000),
            upfront_fees: Amount(0),
            cumulative: open.cumulative,
            available: Amount(0),
            licenses: Vec::new(),
            unsettled: states,
            open,
        }
    }
}

fn ok(receipts: &[SignedReceipt]) -> (u16, Vec<u8>) {
    let receipts = receipts.iter().map(ReceiptParts::from).collect();
    (200, serde_json::to_vec(&BatchReceipts { receipts }).unwrap())
}

/// Payer with its file, and what it was told.
pub struct Payer {
    pub machine: Machine,
    pub file: Vec<u8>,
    next_ticket: u64,
    pub paid: BTreeMap<u64, Vec<SignedReceipt>>,
    pub failed: BTreeMap<u64, PayerError>,
}

/// Where a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nowhere.
    Never,
    /// Before the request arrives.
    BeforeSending,
    /// After the gateway has served the request, before its answer arrives.
    BeforeAnswer,
    /// After the answer, before its record is written.
    BeforeSaving,
}

impl Payer {
    pub fn new(policy: PayerPolicy) -> Self {
        let machine = Machine::new(CHANNEL, &account(), receipt_keys(), policy, true);
        let file = machine.snapshot();
        let (paid, failed) = (BTreeMap::new(), BTreeMap::new());
        Self { machine, file, next_ticket: 0, paid, failed }
    }

    /// Starts a process on the file of another one, which has ended.
    pub fn restarted(&self, policy: PayerPolicy) -> Self {
        let machine = Machine::load(CHANNEL, &account(), receipt_keys(), policy, &self.file);
        let machine = machine.unwrap().unwrap();
        let (paid, failed) = (BTreeMap::new(), BTreeMap::new());
        let (file, next_ticket) = (self.file.clone(), self.next_ticket);
        Self { machine, file, next_ticket, paid, failed }
    }

    /// Adds a payment of these licenses and units; returns its ticket.
    pub fn add(&mut self, uses: &[(u16, u32)], tag: Option<&str>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let mut request = [0; 32];
        request[..8].copy_from_slice(&ticket.to_le_bytes());
        let one = |&(license, units): &(u16, u32)| {
            BatchedGeneration::new(license, units, request, [1; 32])
        };
        let generations = uses.iter().map(one).collect();
        self.machine.pay(Payment { ticket, generations, tag: tag.map(str::to_owned) });
        ticket
    }

    /// Sends batches until nothing waits; returns whether the process has ended.
    pub fn run(&mut self, gateway: &mut Gateway, end: End) -> bool {
        let mut queue = match self.machine.resend() {
            Some(request) => vec![Effect::Send(request)],
            None => self.machine.next(NOW),
        };
        while !queue.is_empty() {
            let effect = queue.remove(0);
            let more = match effect {
                Effect::Sign(voucher) => {
                    self.machine.signed(voucher_key().sign(&voucher.to_bytes()).to_bytes())
                }
                Effect::Save { frame, .. } => {
                    self.file.extend(frame);
                    Vec::new()
                }
                Effect::Send(_) if end == End::BeforeSending => return true,
                Effect::Send(request) => {
                    let (status, body) = gateway.serve(&request);
                    if end == End::BeforeAnswer {
                        return true;
                    }
                    let more = self.machine.answered(status, &body, NOW).unwrap();
                    if end == End::BeforeSaving {
                        return true;
                    }
                    more
                }
                Effect::Paid { ticket, receipts, .. } => {
                    if let Some(ticket) = ticket {
                        assert!(self.paid.insert(ticket, receipts).is_none());
                    }
                    Vec::new()
                }
                Effect::Failed { ticket, error } => {
                    assert!(self.failed.insert(ticket, error).is_none());
                    Vec::new()
                }
                Effect::Compare => self.machine.compare(&gateway.state()).unwrap(),
            };
            queue.splice(0..0, more);
            if queue.is_empty() {
                queue = self.machine.next(NOW);
            }
        }
        false
    }
}
