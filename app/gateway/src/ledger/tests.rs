use bytemuck::Zeroable;
use ed25519_dalek::SigningKey;
use motif_sdk::{
    channel::{Channel, ChannelAccount, License},
    payments::SettleRequest,
    voucher::{SignedVoucher, Statement, Voucher},
    voucher_proof::ProvenVoucher,
};
use proptest::prelude::*;

use super::*;

mod holds;

const ADDRESS: Pubkey = Pubkey::new_from_array([5; 32]);
const NOW: i64 = 1_000_000;
const MARGINS: Margins = Margins {
    min_voucher_seconds: 600,
    min_useful_seconds: 0,
    min_price: 0,
    max_exposure: None,
    max_licenses: Statement::MAX_LICENSES,
};
const DAY: i64 = License::SECONDS_PER_DAY;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn license(price: u64) -> License {
    License {
        price,
        units_left: License::UNLIMITED,
        daily_units: License::UNLIMITED,
        revenue_left: License::UNLIMITED,
        expires_at: i64::MAX,
        ..License::zeroed()
    }
}

fn account(licenses: Vec<License>) -> ChannelAccount {
    let channel = Channel {
        deposited: 1_000_000,
        operator_fee_bps: 333,
        grace_seconds: 3_600,
        voucher_key: Pubkey::new_from_array(key().verifying_key().to_bytes()),
        closes_at: i64::MAX,
        rotates_at: i64::MAX,
        ..Channel::zeroed()
    };
    ChannelAccount { channel, licenses }
}

fn ledger(licenses: Vec<License>) -> Ledger {
    Ledger::new(ADDRESS, account(licenses), MARGINS)
}

fn voucher(statement: u64, cumulative: u64, entries: &[(u16, u32)]) -> SignedVoucher {
    let statement_digest = entries.iter().copied().collect::<Statement>().digest();
    let voucher = Voucher {
        cluster: [0; 32],
        channel: ADDRESS,
        opened_slot: 0,
        statement,
        cumulative,
        statement_digest,
        expires_at: i64::MAX - 1,
    };
    SignedVoucher::sign(voucher, &key())
}

/// Generations to pay for with one voucher.
#[derive(Clone, Debug)]
struct PaymentRequest {
    items: Vec<Item>,
    voucher: SignedVoucher,
    hold: Option<HoldId>,
}

fn reserve(
    ledger: &Ledger,
    request: &PaymentRequest,
    now: i64,
) -> Result<Reservation, LedgerError> {
    ledger.reserve(&request.voucher, &requested(request), now)
}

fn requested(request: &PaymentRequest) -> Vec<Requested> {
    let PaymentRequest { items, hold, .. } = request;
    let each = items.iter().map(|item| {
        let request_digest = [0; 32];
        Requested { item: *item, hold: *hold, request_digest }
    });
    each.collect()
}

fn request(license: u16, units: u32, voucher: SignedVoucher) -> PaymentRequest {
    PaymentRequest { items: vec![Item { license, units }], voucher, hold: None }
}

/// Returns an honest payer's next request.
fn honest(
    ledger: &Ledger,
    license: u16,
    units: u32,
    now: i64,
) -> Result<PaymentRequest, LedgerError> {
    let open = ledger.open_statement();
    let mut statement = open.statement.clone();
    statement.add(license, units).map_err(|_| LedgerError::StatementFull)?;
    let entries: Vec<_> = statement.entries().map(|e| (e.license, e.units)).collect();
    let probe = voucher(open.number, u64::MAX, &entries);
    match reserve(ledger, &request(license, units, probe), now) {
        Err(LedgerError::WrongPrice { expected, .. }) => {
            Ok(request(license, units, voucher(open.number, expected, &entries)))
        }
        Err(error) => Err(error),
        Ok(_) => unreachable!("the probe's total is never right"),
    }
}

/// Reserves and commits.
fn pay(
    ledger: &mut Ledger,
    request: &PaymentRequest,
    now: i64,
) -> Result<Reservation, LedgerError> {
    let reservation = reserve(ledger, request, now)?;
    ledger.commit(&reservation, now);
    Ok(reservation)
}

/// Settles with the program's own code.
fn settle(account: &ChannelAccount, cut: &CutStatement, now: i64) -> ChannelAccount {
    let ChannelAccount { mut channel, mut licenses } = account.clone();
    let request = SettleRequest {
        channel: ADDRESS,
        proven: &ProvenVoucher { key: cut.voucher.key, voucher: cut.voucher.voucher },
        statement: &cut.statement.to_bytes(),
        receipts: None,
        settler: &account.channel.operator,
        by_operator: true,
        now: Moment::running(now),
    };
    let settlement = channel.settle(&mut licenses, &request);
    let settlement = settlement.expect("accepted generations settle");
    assert_eq!(settlement.prices, cut.prices);
    ChannelAccount { channel, licenses }
}

#[test]
fn earmarked_deposit_pays_only_its_quota() {
    let quota = License { holds_quota: 1, units_left: 1_000, quota_price: 100, ..license(100) };
    let mut account = account(vec![license(100), quota]);
    account.channel.operator_fee_bps = 0;
    account.channel.quotas_held = 1;
    (account.channel.deposited, account.channel.earmarked) = (100_100, 100_000);
    let mut ledger = Ledger::new(ADDRESS, account.clone(), MARGINS);
    assert_eq!(ledger.available(), 100);
    pay(&mut ledger, &request(0, 1, voucher(0, 100, &[(0, 1)])), NOW).unwrap();
    let refused = pay(&mut ledger, &request(0, 1, voucher(0, 200, &[(0, 2)])), NOW);
    let underfunded = LedgerError::Underfunded { needed: 100_200, spendable: 100_100 };
    assert_eq!(refused, Err(underfunded));
    let whole = voucher(0, 100_100, &[(0, 1), (1, 1_000)]);
    pay(&mut ledger, &request(1, 1_000, whole), NOW).unwrap();
    assert_eq!(ledger.available(), 0);
    let cut = ledger.cut().unwrap().clone();
    let settled = settle(&account, &cut, NOW);
    assert_eq!((settled.channel.earmarked, settled.channel.free()), (0, Ok(0)));
}

#[test]
fn only_exact_total_is_accepted() {
    let mut ledger = ledger(vec![license(100)]);
    // 100 and a fee of 3.33 %, rounded down.
    for (given, expected) in [(102, 103), (104, 103)] {
        let payment = request(0, 1, voucher(0, given, &[(0, 1)]));
        let error = pay(&mut ledger, &payment, NOW);
        assert_eq!(error, Err(LedgerError::WrongPrice { given, expected }));
    }
    let payment = request(0, 1, voucher(0, 103, &[(0, 1)]));
    let reservation = pay(&mut ledger, &payment, NOW).unwrap();
    assert_eq!((reservation.position, reservation.price, reservation.cumulative), (0, 100, 103));
    assert_eq!((ledger.cumulative(), ledger.available()), (Ok(103), 1_000_000 - 103));
}

#[test]
fn replayed_voucher_is_rejected() {
    let mut ledger = ledger(vec![license(100)]);
    let first = request(0, 1, voucher(0, 103, &[(0, 1)]));
    let second = request(0, 1, voucher(0, 206, &[(0, 2)]));
    pay(&mut ledger, &first, NOW).unwrap();
    pay(&mut ledger, &second, NOW).unwrap();
    for (replayed, given) in [(first, 103), (second, 206)] {
        let error = pay(&mut ledger, &replayed, NOW);
        assert_eq!(error, Err(LedgerError::NotNewer { given, current: 206 }));
    }
}

#[test]
fn replayed_free_voucher_is_rejected() {
    let mut ledger = ledger(vec![License { free_units_left: 3, ..license(100) }]);
    let free = request(0, 1, voucher(0, 0, &[(0, 1)]));
    assert_eq!(pay(&mut ledger, &free, NOW).unwrap().price, 0);
    let error = pay(&mut ledger, &free, NOW);
    assert_eq!(error, Err(LedgerError::NotNewer { given: 0, current: 0 }));
}

#[test]
fn total_for_other_units_is_rejected() {
    let mut ledger = ledger(vec![license(100), license(100)]);
    let payment = request(0, 1, voucher(0, 103, &[(1, 1)]));
    assert_eq!(pay(&mut ledger, &payment, NOW), Err(LedgerError::StatementMismatch));
}

#[test]
fn rejection_leaves_ledger_unchanged() {
    let licenses = vec![
        license(100),
        License { units_left: 0, ..license(1) },
        License { daily_units: 0, ..license(1) },
        License { revenue_left: 0, ..license(1) },
        License { expires_at: NOW - 1, ..license(1) },
        License { expires_at: NOW + 599, ..license(1) },
        license(u64::MAX),
        license(999_999),
    ];
    let ledger = ledger(licenses);
    let limit = |license, limit| LedgerError::LicenseLimit { license, limit };
    let expected = [
        (0, 0, LedgerError::NoUnits),
        (9, 1, LedgerError::LicenseNotFound(9)),
        (1, 1, limit(1, LicenseLimit::Units)),
        (2, 1, limit(2, LicenseLimit::Daily)),
        (3, 1, limit(3, LicenseLimit::Revenue)),
        (4, 1, limit(4, LicenseLimit::Expired)),
        (5, 1, LedgerError::LicenseEnding { expires_at: NOW + 599 }),
        (6, 2, LedgerError::AmountTooLarge),
        (7, 1, LedgerError::Underfunded { needed: 1_033_298, spendable: 1_000_000 }),
    ];
    for (license, units, error) in expected {
        let mut copy = ledger.clone();
        let total = if license == 5 { 1 } else { 1_033_298 };
        let payment = request(license, units, voucher(0, total, &[(license, units)]));
        assert_eq!(pay(&mut copy, &payment, NOW), Err(error));
        assert_eq!(copy.open_statement(), ledger.open_statement());
    }
}

#[test]
fn short_lived_voucher_is_rejected() {
    let mut ledger = ledger(vec![license(100)]);
    let mut short = voucher(0, 103, &[(0, 1)]).voucher;
    short.expires_at = NOW + 599;
    let payment = request(0, 1, SignedVoucher::sign(short, &key()));
    let error = LedgerError::ExpiresTooSoon { given: NOW + 599, earliest: NOW + 600 };
    assert_eq!(pay(&mut ledger, &payment, NOW), Err(error));
    assert_eq!(ledger.settle_before(), None);
    short.expires_at = NOW + 600;
    pay(&mut ledger, &request(0, 1, SignedVoucher::sign(short, &key())), NOW).unwrap();
    assert_eq!(ledger.settle_before(), Some(NOW + 600));
}

#[test]
fn rotating_voucher_key_blocks_generations() {
    let mut rotating = account(vec![license(100)]);
    rotating.channel.rotates_at = NOW + 3_600;
    let mut ledger = ledger(vec![license(100)]);
    ledger.refresh(rotating);
    let payment = request(0, 1, voucher(0, 103, &[(0, 1)]));
    let refused = LedgerError::VoucherKeyRotating { rotates_at: NOW + 3_600 };
    assert_eq!(pay(&mut ledger, &payment, NOW + 3_599), Err(refused));
    assert!(pay(&mut ledger, &payment, NOW + 3_600).is_ok());
}

#[test]
fn closing_channel_blocks_generations() {
    let mut closing = account(vec![license(100)]);
    closing.channel.closes_at = NOW + 3_600;
    let mut ledger = ledger(vec![license(100)]);
    ledger.refresh(closing);
    let payment = request(0, 1, voucher(0, 103, &[(0, 1)]));
    assert_eq!(pay(&mut ledger, &payment, NOW), Err(LedgerError::ChannelClosing));
}

#[test]
fn cut_closes_statement_and_keeps_total() {
    let mut ledger = ledger(vec![license(100)]);
    pay(&mut ledger, &request(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let old = request(0, 1, voucher(0, 206, &[(0, 2)]));
    assert_eq!(ledger.cut().map(|cut| cut.prices), Some(100));
    assert!(ledger.cut().is_none(), "an empty statement is not cut");
    assert_eq!(pay(&mut ledger, &old, NOW), Err(LedgerError::StatementClosed));
    let ahead = request(0, 1, voucher(2, 206, &[(0, 1)]));
    assert_eq!(pay(&mut ledger, &ahead, NOW), Err(LedgerError::StatementAhead { open: 1 }));
    let next = request(0, 1, voucher(1, 206, &[(0, 1)]));
    let reservation = pay(&mut ledger, &next, NOW).unwrap();
    assert_eq!((reservation.statement, reservation.position, reservation.cumulative), (1, 0, 206));
}

#[test]
fn caps_include_cut_statements() {
    let mut ledger = ledger(vec![License { units_left: 3, ..license(100) }]);
    for units in [2, 1] {
        let payment = honest(&ledger, 0, units, NOW).unwrap();
        pay(&mut ledger, &payment, NOW).unwrap();
        ledger.cut().unwrap();
    }
    let limit = LedgerError::LicenseLimit { license: 0, limit: LicenseLimit::Units };
    assert_eq!(honest(&ledger, 0, 1, NOW).err(), Some(limit));
}

#[test]
fn full_statement_is_rejected() {
    let most = Statement::MAX_LICENSES as u16;
    let mut ledger = ledger(vec![license(1); usize::from(most) + 1]);
    for index in 0..most {
        let payment = honest(&ledger, index, 1, NOW).unwrap();
        pay(&mut ledger, &payment, NOW).unwrap();
    }
    assert_eq!(honest(&ledger, most, 1, NOW).err(), Some(LedgerError::StatementFull));
    assert!(honest(&ledger, most - 1, 1, NOW).is_ok(), "licenses it names already go on");
    assert_eq!(honest(&ledger, 0, u32::MAX, NOW).err(), Some(LedgerError::StatementFull));
}

#[test]
fn older_account_is_ignored() {
    let mut ledger = ledger(vec![license(100)]);
    let before = ledger.account().clone();
    pay(&mut ledger, &request(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let cut = ledger.cut().unwrap().clone();
    let after = settle(&before, &cut, NOW);
    assert_eq!(ledger.refresh(after.clone()), vec![cut]);
    assert_eq!(ledger.refresh(before), vec![]);
    assert_eq!(ledger.channel().statements.length, 1);
    assert_eq!(ledger.refresh(after), vec![]);
    assert_eq!(ledger.cumulative(), Ok(103));
}

#[test]
fn batch_is_accepted_whole_or_not() {
    let mut ledger = ledger(vec![
        License { free_units_left: 1, ..license(100) },
        License { units_left: 2, ..license(7) },
    ]);
    let items = |list: &[(u16, u32)]| -> Vec<Item> {
        list.iter().map(|&(license, units)| Item { license, units }).collect()
    };
    // One of the first three is free; 200 + 14, and a fee of 3.33 %, rounded down.
    let paid = voucher(0, 221, &[(0, 3), (1, 2)]);
    let all = PaymentRequest {
        items: items(&[(0, 2), (1, 1), (0, 1), (1, 1)]),
        voucher: paid,
        hold: None,
    };
    let too_many = PaymentRequest { items: items(&[(0, 3), (1, 3)]), voucher: paid, hold: None };
    let limit = LedgerError::LicenseLimit { license: 1, limit: LicenseLimit::Units };
    assert_eq!(pay(&mut ledger, &too_many, NOW), Err(limit));
    assert_eq!(ledger.open_statement(), &OpenStatement::new(0));
    assert_eq!(reserve(&ledger, &all, NOW).unwrap().charged, 221);
    let reservation = pay(&mut ledger, &all, NOW).unwrap();
    let prices: Vec<_> = reservation.items.iter().map(|item| item.price).collect();
    assert_eq!((prices, reservation.price), (vec![100, 7, 100, 7], 214));
    assert_eq!((reservation.position, ledger.open_statement().receipts), (0, 4));
    let nothing = PaymentRequest { items: vec![], voucher: paid, hold: None };
    assert_eq!(pay(&mut ledger, &nothing, NOW), Err(LedgerError::NoUnits));
}

#[test]
fn overdue_statement_blocks_generations() {
    let ending = License { expires_at: NOW + 1_000, ..license(100) };
    let mut ledger = ledger(vec![ending, license(100)]);
    pay(&mut ledger, &request(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    assert_eq!(ledger.settle_before(), Some(NOW + 1_000));
    let other = request(1, 1, voucher(0, 206, &[(0, 1), (1, 1)]));
    assert!(reserve(&ledger, &other, NOW + 700).is_ok());
    let due = LedgerError::SettlementDue { by: NOW + 1_000 };
    assert_eq!(reserve(&ledger, &other, NOW + 701).err(), Some(due));
    ledger.cut();
    let next = request(1, 1, voucher(1, 206, &[(1, 1)]));
    assert_eq!(reserve(&ledger, &next, NOW + 701).err(), Some(due));
    assert_eq!(ledger.settle_before(), Some(NOW + 1_000));
    let before = ledger.account().clone();
    let cut = ledger.cut_statements()[0].clone();
    ledger.refresh(settle(&before, &cut, NOW + 702));
    assert!(reserve(&ledger, &next, NOW + 702).is_ok(), "it has settled");
}

#[test]
fn exposure_above_maximum_is_rejected() {
    let margins = Margins { max_exposure: Some(206), ..MARGINS };
    let mut ledger = Ledger::new(ADDRESS, account(vec![license(100)]), margins);
    let before = ledger.account().clone();
    pay(&mut ledger, &request(0, 2, voucher(0, 206, &[(0, 2)])), NOW).unwrap();
    let third = request(0, 1, voucher(0, 309, &[(0, 3)]));
    assert_eq!(pay(&mut ledger, &third, NOW), Err(LedgerError::Exposed { most: 206 }));
    let cut = ledger.cut().unwrap().clone();
    let third = request(0, 1, voucher(1, 309, &[(0, 1)]));
    assert_eq!(pay(&mut ledger, &third, NOW), Err(LedgerError::Exposed { most: 206 }));
    ledger.refresh(settle(&before, &cut, NOW));
    assert_eq!(ledger.exposed(), 0);
    pay(&mut ledger, &third, NOW).unwrap();
}

#[test]
fn budget_limits_total() {
    let mut ledger = ledger(vec![license(100)]);
    ledger.set_budget(Some(103));
    pay(&mut ledger, &request(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let payment = request(0, 1, voucher(0, 206, &[(0, 2)]));
    let error = LedgerError::OverBudget { needed: 206, budget: 103 };
    assert_eq!(pay(&mut ledger, &payment, NOW), Err(error));
    ledger.set_budget(None);
    pay(&mut ledger, &payment, NOW).unwrap();
}

#[derive(Clone, Debug)]
enum Move {
    Generate { license: u16, units: u32 },
    Cut,
    Settle,
    Wait { seconds: i64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        8 => (0..4_u16, 1..20_u32).prop_map(|(license, units)| Move::Generate { license, units }),
        2 => Just(Move::Cut),
        2 => Just(Move::Settle),
        2 => (0..2 * DAY).prop_map(|seconds| Move::Wait { seconds }),
    ];
    proptest::collection::vec(one, 1..60)
}

proptest! {
    /// The chain settles every accepted generation, at any later time.
    #[test]
    fn accepted_generations_settle_later(moves in moves(), late in 0..3 * DAY) {
        let licenses = vec![
            license(7),
            License { daily_units: 10, ..license(3) },
            License { free_units_left: 25, units_left: 60, ..license(11) },
            License { daily_units: 4, revenue_left: 200, ..license(5) },
        ];
        let mut ledger = ledger(licenses);
        let mut chain = ledger.account().clone();
        let (mut now, mut paid) = (NOW, 0_u64);
        for step in moves {
            match step {
                Move::Generate { license, units } => {
                    if let Ok(payment) = honest(&ledger, license, units, now) {
                        let taken = pay(&mut ledger, &payment, now);
                        if let Ok(reservation) = taken {
                            paid += reservation.price;
                            prop_assert_eq!(ledger.prices(), Ok(paid));
                            prop_assert_eq!(ledger.cumulative(), Ok(reservation.cumulative));
                        }
                    }
                }
                Move::Cut => drop(ledger.cut()),
                Move::Settle => {
                    if let Some(cut) = ledger.cut_statements().front().cloned() {
                        chain = settle(&chain, &cut, now);
                        prop_assert_eq!(ledger.refresh(chain.clone()), vec![cut]);
                    }
                }
                Move::Wait { seconds } => now += seconds,
            }
        }
        ledger.cut();
        for cut in ledger.cut_statements().clone() {
            chain = settle(&chain, &cut, now + late);
        }
        prop_assert_eq!(chain.channel.prices, paid);
        prop_assert_eq!(chain.channel.cumulative().ok(), ledger.cumulative().ok());
    }
}

/// Returns a ledger with one cut statement of one unit of license 0, beside license 1.
fn with_cut_statement() -> Ledger {
    let mut ledger = ledger(vec![License { units_left: 10, ..license(100) }, license(100)]);
    let first = honest(&ledger, 0, 1, NOW).unwrap();
    pay(&mut ledger, &first, NOW).unwrap();
    ledger.cut().unwrap();
    ledger
}

#[test]
fn closed_license_stops_its_statements() {
    let mut ledger = with_cut_statement();
    assert!(honest(&ledger, 1, 1, NOW).is_ok());
    // The operator has closed the license, which returns its units to the terms' cap.
    let before = ledger.account().clone();
    let mut after = before.clone();
    after.licenses[0].units_left = 0;
    ledger.refresh(after.clone());
    assert_eq!(ledger.stopped_at(), Some(0));
    let stopped = LedgerError::ChannelStopped { statement: 0 };
    assert_eq!(honest(&ledger, 1, 1, NOW).map(drop), Err(stopped));
    assert_eq!(ledger.add_hold([1; 32], holds::hold(1, 1), NOW), Err(stopped));
    // A restart finds the same.
    let (cut, open) = (ledger.cut_statements().clone(), ledger.open_statement().clone());
    let restored = Ledger::restore(ADDRESS, after, MARGINS, cut, open);
    assert_eq!(restored.stopped_at(), Some(0));
    ledger.refresh(before);
    assert_eq!(ledger.stopped_at(), None);
}

#[test]
fn final_rejection_stops_until_settled() {
    let mut ledger = with_cut_statement();
    ledger.stop_at(0);
    let stopped = LedgerError::ChannelStopped { statement: 0 };
    assert_eq!(honest(&ledger, 1, 1, NOW).map(drop), Err(stopped));
    let settled = settle(ledger.account(), &ledger.cut_statements()[0], NOW);
    ledger.refresh(settled);
    assert!(honest(&ledger, 1, 1, NOW).is_ok());
    ledger.stop_at(0);
    assert_eq!(ledger.stopped_at(), None, "it has settled");
}

#[test]
fn replaced_key_blocks_generations() {
    let mut ledger = with_cut_statement();
    let mut account = ledger.account().clone();
    account.channel.next_voucher_key = Pubkey::new_from_array([8; 32]);
    account.channel.rotates_at = NOW - 1;
    ledger.refresh(account);
    let due = LedgerError::SettlementDue { by: NOW - 1 };
    assert_eq!(honest(&ledger, 1, 1, NOW).map(drop), Err(due));
}
