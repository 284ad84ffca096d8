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

const ADDRESS: Pubkey = Pubkey::new_from_array([5; 32]);
const NOW: i64 = 1_000_000;
const MARGINS: Margins = Margins { min_voucher_seconds: 600, max_exposure: None };
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

fn wanted(license: u16, units: u32, voucher: SignedVoucher) -> Wanted {
    Wanted { items: vec![Item { license, units }], voucher, hold: None }
}

/// What an honest payer would ask for next.
fn honest(ledger: &Ledger, license: u16, units: u32, now: i64) -> Result<Wanted, Refusal> {
    let open = ledger.open_statement();
    let mut statement = open.statement.clone();
    statement.add(license, units).map_err(|_| Refusal::StatementFull)?;
    let entries: Vec<_> = statement.entries().map(|e| (e.license, e.units)).collect();
    let probe = voucher(open.number, u64::MAX, &entries);
    match ledger.clone().reserve(&wanted(license, units, probe), now) {
        Err(Refusal::WrongPrice { expected, .. }) => {
            Ok(wanted(license, units, voucher(open.number, expected, &entries)))
        }
        Err(refusal) => Err(refusal),
        Ok(_) => unreachable!("the probe's total is never right"),
    }
}

/// Settles as the chain does, by the program's own code.
fn settle(account: &ChannelAccount, cut: &CutStatement, now: i64) -> ChannelAccount {
    let ChannelAccount { mut channel, mut licenses } = account.clone();
    let request = SettleRequest {
        channel: ADDRESS,
        proven: &ProvenVoucher { key: cut.voucher.key, voucher: cut.voucher.voucher },
        statement: &cut.statement.to_bytes(),
        receipts: None,
        settler: &account.channel.operator,
        now,
    };
    let settlement = channel.settle(&mut licenses, &request);
    let settlement = settlement.expect("the chain settles every statement of the ledger");
    assert_eq!(settlement.prices, cut.prices);
    ChannelAccount { channel, licenses }
}

#[test]
fn a_generation_is_taken_at_its_exact_total_and_at_no_other() {
    let mut ledger = ledger(vec![license(100)]);
    // 100 and a fee of 3.33 %, rounded down.
    for (given, expected) in [(102, 103), (104, 103)] {
        let asked = wanted(0, 1, voucher(0, given, &[(0, 1)]));
        let refusal = ledger.reserve(&asked, NOW);
        assert_eq!(refusal, Err(Refusal::WrongPrice { given, expected }));
    }
    let asked = wanted(0, 1, voucher(0, 103, &[(0, 1)]));
    let reserved = ledger.reserve(&asked, NOW).unwrap();
    assert_eq!((reserved.position, reserved.price, reserved.cumulative), (0, 100, 103));
    assert_eq!((ledger.cumulative(), ledger.available()), (Ok(103), 1_000_000 - 103));
}

#[test]
fn a_replayed_voucher_is_not_newer() {
    let mut ledger = ledger(vec![license(100)]);
    let first = wanted(0, 1, voucher(0, 103, &[(0, 1)]));
    let second = wanted(0, 1, voucher(0, 206, &[(0, 2)]));
    ledger.reserve(&first, NOW).unwrap();
    ledger.reserve(&second, NOW).unwrap();
    for (replayed, given) in [(first, 103), (second, 206)] {
        let refusal = ledger.reserve(&replayed, NOW);
        assert_eq!(refusal, Err(Refusal::NotNewer { given, current: 206 }));
    }
}

#[test]
fn a_replayed_voucher_of_a_free_generation_is_not_newer_either() {
    let mut ledger = ledger(vec![License { free_units_left: 3, ..license(100) }]);
    let free = wanted(0, 1, voucher(0, 0, &[(0, 1)]));
    assert_eq!(ledger.reserve(&free, NOW).unwrap().price, 0);
    let refusal = ledger.reserve(&free, NOW);
    assert_eq!(refusal, Err(Refusal::NotNewer { given: 0, current: 0 }));
}

#[test]
fn the_right_total_for_other_units_is_refused() {
    let mut ledger = ledger(vec![license(100), license(100)]);
    let asked = wanted(0, 1, voucher(0, 103, &[(1, 1)]));
    assert_eq!(ledger.reserve(&asked, NOW), Err(Refusal::StatementMismatch));
}

#[test]
fn a_refusal_changes_nothing() {
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
    let limit = |license, limit| Refusal::LicenseLimit { license, limit };
    let expected = [
        (0, 0, Refusal::NoUnits),
        (9, 1, Refusal::LicenseNotFound(9)),
        (1, 1, limit(1, LicenseLimit::Units)),
        (2, 1, limit(2, LicenseLimit::Daily)),
        (3, 1, limit(3, LicenseLimit::Revenue)),
        (4, 1, limit(4, LicenseLimit::Expired)),
        (5, 1, Refusal::LicenseEnding { expires_at: NOW + 599 }),
        (6, 2, Refusal::AmountTooLarge),
        (7, 1, Refusal::Underfunded { needed: 1_033_298, spendable: 1_000_000 }),
    ];
    for (license, units, refusal) in expected {
        let mut copy = ledger.clone();
        let total = if license == 5 { 1 } else { 1_033_298 };
        let asked = wanted(license, units, voucher(0, total, &[(license, units)]));
        assert_eq!(copy.reserve(&asked, NOW), Err(refusal));
        assert_eq!(copy.open_statement(), ledger.open_statement());
    }
}

#[test]
fn a_voucher_must_last_until_it_is_sure_to_settle() {
    let mut ledger = ledger(vec![license(100)]);
    let mut short = voucher(0, 103, &[(0, 1)]).voucher;
    short.expires_at = NOW + 599;
    let asked = wanted(0, 1, SignedVoucher::sign(short, &key()));
    let refusal = Refusal::ExpiresTooSoon { given: NOW + 599, earliest: NOW + 600 };
    assert_eq!(ledger.reserve(&asked, NOW), Err(refusal));
    assert_eq!(ledger.settle_before(), None);
    short.expires_at = NOW + 600;
    ledger.reserve(&wanted(0, 1, SignedVoucher::sign(short, &key())), NOW).unwrap();
    assert_eq!(ledger.settle_before(), Some(NOW + 600));
}

#[test]
fn a_channel_whose_voucher_key_changes_takes_nothing_until_it_has() {
    let mut rotating = account(vec![license(100)]);
    rotating.channel.rotates_at = NOW + 3_600;
    let mut ledger = ledger(vec![license(100)]);
    ledger.refresh(rotating);
    let asked = wanted(0, 1, voucher(0, 103, &[(0, 1)]));
    let refused = Refusal::VoucherKeyRotating { rotates_at: NOW + 3_600 };
    assert_eq!(ledger.reserve(&asked, NOW + 3_599), Err(refused));
    assert!(ledger.reserve(&asked, NOW + 3_600).is_ok());
}

#[test]
fn a_closing_channel_takes_nothing() {
    let mut closing = account(vec![license(100)]);
    closing.channel.closes_at = NOW + 3_600;
    let mut ledger = ledger(vec![license(100)]);
    ledger.refresh(closing);
    let asked = wanted(0, 1, voucher(0, 103, &[(0, 1)]));
    assert_eq!(ledger.reserve(&asked, NOW), Err(Refusal::ChannelClosing));
}

#[test]
fn after_a_cut_the_total_goes_on_and_the_old_statement_is_closed() {
    let mut ledger = ledger(vec![license(100)]);
    ledger.reserve(&wanted(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let old = wanted(0, 1, voucher(0, 206, &[(0, 2)]));
    assert_eq!(ledger.cut().map(|cut| cut.prices), Some(100));
    assert!(ledger.cut().is_none(), "an empty statement is not cut");
    assert_eq!(ledger.reserve(&old, NOW), Err(Refusal::StatementClosed));
    let ahead = wanted(0, 1, voucher(2, 206, &[(0, 1)]));
    assert_eq!(ledger.reserve(&ahead, NOW), Err(Refusal::StatementAhead { open: 1 }));
    let next = wanted(0, 1, voucher(1, 206, &[(0, 1)]));
    let reserved = ledger.reserve(&next, NOW).unwrap();
    assert_eq!((reserved.statement, reserved.position, reserved.cumulative), (1, 0, 206));
}

#[test]
fn caps_count_what_is_cut_and_not_settled() {
    let mut ledger = ledger(vec![License { units_left: 3, ..license(100) }]);
    for units in [2, 1] {
        let asked = honest(&ledger, 0, units, NOW).unwrap();
        ledger.reserve(&asked, NOW).unwrap();
        ledger.cut().unwrap();
    }
    let limit = Refusal::LicenseLimit { license: 0, limit: LicenseLimit::Units };
    assert_eq!(honest(&ledger, 0, 1, NOW).err(), Some(limit));
}

#[test]
fn a_full_statement_says_so() {
    let mut ledger = ledger(vec![license(1); 101]);
    for index in 0..100 {
        let asked = honest(&ledger, index, 1, NOW).unwrap();
        ledger.reserve(&asked, NOW).unwrap();
    }
    assert_eq!(honest(&ledger, 100, 1, NOW).err(), Some(Refusal::StatementFull));
    assert!(honest(&ledger, 99, 1, NOW).is_ok(), "licenses it names already go on");
    assert_eq!(honest(&ledger, 0, u32::MAX, NOW).err(), Some(Refusal::StatementFull));
}

#[test]
fn an_older_picture_of_the_chain_is_ignored() {
    let mut ledger = ledger(vec![license(100)]);
    let before = ledger.account().clone();
    ledger.reserve(&wanted(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let cut = ledger.cut().unwrap().clone();
    let after = settle(&before, &cut, NOW);
    assert_eq!(ledger.refresh(after.clone()), vec![cut]);
    assert_eq!(ledger.refresh(before), vec![]);
    assert_eq!(ledger.channel().statements.length, 1);
    assert_eq!(ledger.refresh(after), vec![]);
    assert_eq!(ledger.cumulative(), Ok(103));
}

#[test]
fn several_generations_are_taken_at_their_exact_total_or_not_at_all() {
    let mut ledger = ledger(vec![
        License { free_units_left: 1, ..license(100) },
        License { units_left: 2, ..license(7) },
    ]);
    let items = |list: &[(u16, u32)]| -> Vec<Item> {
        list.iter().map(|&(license, units)| Item { license, units }).collect()
    };
    // One of the first three is free; 200 + 14, and a fee of 3.33 %, rounded down.
    let paid = voucher(0, 221, &[(0, 3), (1, 2)]);
    let all = Wanted { items: items(&[(0, 2), (1, 1), (0, 1), (1, 1)]), voucher: paid, hold: None };
    let too_many = Wanted { items: items(&[(0, 3), (1, 3)]), voucher: paid, hold: None };
    let limit = Refusal::LicenseLimit { license: 1, limit: LicenseLimit::Units };
    assert_eq!(ledger.reserve(&too_many, NOW), Err(limit));
    assert_eq!(ledger.open_statement(), &OpenStatement::new(0));
    assert_eq!(ledger.weigh(&all, NOW).unwrap().charged, 221);
    let reserved = ledger.reserve(&all, NOW).unwrap();
    let prices: Vec<_> = reserved.parts.iter().map(|part| part.price).collect();
    assert_eq!((prices, reserved.price), (vec![100, 7, 100, 7], 214));
    assert_eq!((reserved.position, ledger.open_statement().receipts), (0, 4));
    let nothing = Wanted { items: vec![], voucher: paid, hold: None };
    assert_eq!(ledger.reserve(&nothing, NOW), Err(Refusal::NoUnits));
}

fn hold(license: u16, units: u32) -> Hold {
    Hold { item: Item { license, units }, request_digest: [0; 32], expires_at: NOW + 60 }
}

#[test]
fn what_is_held_is_nobody_elses_until_it_is_captured_released_or_expired() {
    let mut ledger = ledger(vec![License { units_left: 3, ..license(100) }]);
    ledger.place([1; 32], hold(0, 2), NOW).unwrap();
    let limit = Refusal::LicenseLimit { license: 0, limit: LicenseLimit::Units };
    assert_eq!(ledger.place([2; 32], hold(0, 2), NOW), Err(limit));
    let two = wanted(0, 2, voucher(0, 206, &[(0, 2)]));
    assert_eq!(ledger.reserve(&two, NOW), Err(limit));
    assert!(ledger.weigh(&two, NOW + 61).is_ok(), "it has expired");
    ledger.release(&[1; 32]).unwrap();
    ledger.place([2; 32], hold(0, 2), NOW).unwrap();
    let captured = Wanted { hold: Some([2; 32]), ..two };
    ledger.reserve(&captured, NOW).unwrap();
    let again = wanted(0, 1, voucher(0, 309, &[(0, 3)]));
    let again = Wanted { hold: Some([2; 32]), ..again };
    assert_eq!(ledger.reserve(&again, NOW), Err(Refusal::UnknownHold));
}

#[test]
fn a_hold_is_captured_in_part_and_never_beyond_it() {
    let mut ledger = ledger(vec![license(100), license(100)]);
    ledger.place([1; 32], hold(0, 2), NOW).unwrap();
    for (license, units, refusal) in
        [(0, 3, Refusal::HoldExceeded { held: 2 }), (1, 1, Refusal::UnknownHold)]
    {
        let other = wanted(license, units, voucher(0, 103, &[(license, units)]));
        let other = Wanted { hold: Some([1; 32]), ..other };
        assert_eq!(ledger.reserve(&other, NOW), Err(refusal));
    }
    let late = wanted(0, 1, voucher(0, 103, &[(0, 1)]));
    let late = Wanted { hold: Some([1; 32]), ..late };
    assert_eq!(ledger.weigh(&late, NOW + 61).err(), Some(Refusal::UnknownHold));
    assert_eq!(ledger.reserve(&late, NOW + 60).unwrap().price, 100);
    assert_eq!(ledger.hold(&[1; 32]), None);
}

#[test]
fn holds_keep_balance_and_do_not_block_beyond_it() {
    let mut poor = account(vec![license(100)]);
    poor.channel.deposited = 206;
    let mut ledger = Ledger::new(ADDRESS, poor, MARGINS);
    let two_more = Refusal::Underfunded { needed: 309, spendable: 206 };
    assert_eq!(ledger.place([1; 32], hold(0, 3), NOW), Err(two_more));
    ledger.place([1; 32], hold(0, 1), NOW).unwrap();
    ledger.reserve(&wanted(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let third = wanted(0, 1, voucher(0, 206, &[(0, 2)]));
    assert_eq!(ledger.reserve(&third, NOW), Err(two_more));
    ledger.reserve(&Wanted { hold: Some([1; 32]), ..third }, NOW).unwrap();
}

#[test]
fn more_holds_than_can_be_weighed_are_refused() {
    let mut ledger = ledger(vec![license(1)]);
    for number in 0..Ledger::MOST_HOLDS {
        let id = std::array::from_fn(|place| (number >> (8 * place.min(3))) as u8);
        ledger.place(id, hold(0, 1), NOW).unwrap();
    }
    assert_eq!(ledger.place([9; 32], hold(0, 1), NOW), Err(Refusal::HoldsFull));
    let later = Hold { expires_at: NOW + 120, ..hold(0, 1) };
    assert_eq!(ledger.place([9; 32], later, NOW + 61), Ok(()), "the others have expired");
}

#[test]
fn nothing_is_taken_while_an_earlier_statement_is_about_to_be_blocked() {
    let ending = License { expires_at: NOW + 1_000, ..license(100) };
    let mut ledger = ledger(vec![ending, license(100)]);
    ledger.reserve(&wanted(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    assert_eq!(ledger.settle_before(), Some(NOW + 1_000));
    let other = wanted(1, 1, voucher(0, 206, &[(0, 1), (1, 1)]));
    assert!(ledger.weigh(&other, NOW + 700).is_ok());
    let due = Refusal::SettlementDue { by: NOW + 1_000 };
    assert_eq!(ledger.weigh(&other, NOW + 701).err(), Some(due));
    ledger.cut();
    let next = wanted(1, 1, voucher(1, 206, &[(1, 1)]));
    assert_eq!(ledger.weigh(&next, NOW + 701).err(), Some(due));
    assert_eq!(ledger.settle_before(), Some(NOW + 1_000));
    let before = ledger.account().clone();
    let cut = ledger.cut_statements()[0].clone();
    ledger.refresh(settle(&before, &cut, NOW + 702));
    assert!(ledger.weigh(&next, NOW + 702).is_ok(), "it has settled");
}

#[test]
fn no_more_waits_for_settlement_than_may() {
    let margins = Margins { max_exposure: Some(206), ..MARGINS };
    let mut ledger = Ledger::new(ADDRESS, account(vec![license(100)]), margins);
    let before = ledger.account().clone();
    ledger.reserve(&wanted(0, 2, voucher(0, 206, &[(0, 2)])), NOW).unwrap();
    let third = wanted(0, 1, voucher(0, 309, &[(0, 3)]));
    assert_eq!(ledger.reserve(&third, NOW), Err(Refusal::Exposed { most: 206 }));
    let cut = ledger.cut().unwrap().clone();
    let third = wanted(0, 1, voucher(1, 309, &[(0, 1)]));
    assert_eq!(ledger.reserve(&third, NOW), Err(Refusal::Exposed { most: 206 }));
    ledger.refresh(settle(&before, &cut, NOW));
    assert_eq!(ledger.exposed(), 0);
    ledger.reserve(&third, NOW).unwrap();
}

#[test]
fn a_budget_holds_whatever_the_deposit() {
    let mut ledger = ledger(vec![license(100)]);
    ledger.set_budget(Some(103));
    ledger.reserve(&wanted(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let asked = wanted(0, 1, voucher(0, 206, &[(0, 2)]));
    let refusal = Refusal::OverBudget { needed: 206, budget: 103 };
    assert_eq!(ledger.reserve(&asked, NOW), Err(refusal));
    ledger.set_budget(None);
    ledger.reserve(&asked, NOW).unwrap();
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
    /// The ledger's one promise: the chain settles everything it took, whenever it comes to it.
    #[test]
    fn whatever_was_taken_settles_at_any_later_time(moves in moves(), late in 0..3 * DAY) {
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
                    if let Ok(asked) = honest(&ledger, license, units, now) {
                        let taken = ledger.reserve(&asked, now);
                        if let Ok(reserved) = taken {
                            paid += reserved.price;
                            prop_assert_eq!(ledger.prices(), Ok(paid));
                            prop_assert_eq!(ledger.cumulative(), Ok(reserved.cumulative));
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
