//! Holds of a ledger.

use super::*;

pub fn hold(license: u16, units: u32) -> Hold {
    Hold { item: Item { license, units }, request_digest: [0; 32], expires_at: NOW + 60 }
}

#[test]
fn held_units_are_reserved_until_end() {
    let mut ledger = ledger(vec![License { units_left: 3, ..license(100) }]);
    ledger.add_hold([1; 32], hold(0, 2), NOW).unwrap();
    let limit = LedgerError::LicenseLimit { license: 0, limit: LicenseLimit::Units };
    assert_eq!(ledger.add_hold([2; 32], hold(0, 2), NOW), Err(limit));
    let two = request(0, 2, voucher(0, 206, &[(0, 2)]));
    assert_eq!(pay(&mut ledger, &two, NOW), Err(limit));
    assert!(reserve(&ledger, &two, NOW + 61).is_ok(), "it has expired");
    ledger.release_hold(&[1; 32]).unwrap();
    ledger.add_hold([2; 32], hold(0, 2), NOW).unwrap();
    let captured = PaymentRequest { hold: Some([2; 32]), ..two };
    pay(&mut ledger, &captured, NOW).unwrap();
    let again = request(0, 1, voucher(0, 309, &[(0, 3)]));
    let again = PaymentRequest { hold: Some([2; 32]), ..again };
    assert_eq!(pay(&mut ledger, &again, NOW), Err(LedgerError::UnknownHold));
}

#[test]
fn capture_beyond_hold_is_rejected() {
    let mut ledger = ledger(vec![license(100), license(100)]);
    ledger.add_hold([1; 32], hold(0, 2), NOW).unwrap();
    for (license, units, error) in
        [(0, 3, LedgerError::HoldExceeded { held: 2 }), (1, 1, LedgerError::UnknownHold)]
    {
        let other = request(license, units, voucher(0, 103, &[(license, units)]));
        let other = PaymentRequest { hold: Some([1; 32]), ..other };
        assert_eq!(pay(&mut ledger, &other, NOW), Err(error));
    }
    let late = request(0, 1, voucher(0, 103, &[(0, 1)]));
    let late = PaymentRequest { hold: Some([1; 32]), ..late };
    assert_eq!(reserve(&ledger, &late, NOW + 61).err(), Some(LedgerError::UnknownHold));
    assert_eq!(pay(&mut ledger, &late, NOW + 60).unwrap().price, 100);
    assert_eq!(ledger.hold(&[1; 32]), None);
}

#[test]
fn several_holds_are_captured_together() {
    let mut ledger = ledger(vec![license(100)]);
    for id in 1..4 {
        ledger.add_hold([id; 32], hold(0, 2), NOW).unwrap();
    }
    let one = |id: Option<u8>, units: u32, byte: u8| Requested {
        item: Item { license: 0, units },
        hold: id.map(|id| [id; 32]),
        request_digest: [byte; 32],
    };
    let good = [one(Some(1), 1, 0), one(None, 1, 7), one(Some(2), 2, 0)];
    let bad = [
        (one(Some(1), 1, 0), LedgerError::UnknownHold), // the second time
        (one(Some(9), 1, 0), LedgerError::UnknownHold),
        (one(Some(3), 3, 0), LedgerError::HoldExceeded { held: 2 }),
        (one(Some(3), 1, 1), LedgerError::HoldMismatch),
        (one(None, 0, 0), LedgerError::NoUnits),
        (
            Requested { item: Item { license: 7, units: 1 }, ..good[1] },
            LedgerError::LicenseNotFound(7),
        ),
    ];
    let mut mixed = good.to_vec();
    mixed.extend(bad.iter().map(|(requested, _)| *requested));
    let refused: Vec<_> = (3..).zip(bad.iter().map(|(_, error)| *error)).collect();
    assert_eq!(ledger.refusals(&mixed, NOW), refused);
    let paid = voucher(0, 413, &[(0, 4)]); // 400 and 3.33 %
    assert_eq!(ledger.reserve(&paid, &mixed, NOW).map(drop), Err(LedgerError::UnknownHold));
    let reservation = ledger.reserve(&paid, &good, NOW).unwrap();
    assert_eq!(reservation.holds().collect::<Vec<_>>(), [[1; 32], [2; 32]]);
    ledger.commit(&reservation, NOW);
    assert_eq!((ledger.hold(&[1; 32]), ledger.hold(&[3; 32]).is_some()), (None, true));
}

#[test]
fn held_units_refuse_one_of_a_batch() {
    let mut ledger = ledger(vec![License { units_left: 3, ..license(100) }, license(1)]);
    ledger.add_hold([1; 32], hold(0, 2), NOW).unwrap();
    let one = |license, hold| Requested {
        item: Item { license, units: 1 },
        hold,
        request_digest: [0; 32],
    };
    let limit = LedgerError::LicenseLimit { license: 0, limit: LicenseLimit::Units };
    let batch = [one(0, None), one(1, None), one(0, None), one(1, None)];
    assert_eq!(ledger.refusals(&batch, NOW), [(2, limit)]);
    let capturing = [one(0, None), one(0, Some([1; 32])), one(0, None)];
    assert_eq!(ledger.refusals(&capturing, NOW), []);
}

#[test]
fn holds_reserve_balance_only() {
    let mut poor = account(vec![license(100)]);
    poor.channel.deposited = 206;
    let mut ledger = Ledger::new(ADDRESS, poor, MARGINS);
    let two_more = LedgerError::Underfunded { needed: 309, spendable: 206 };
    assert_eq!(ledger.add_hold([1; 32], hold(0, 3), NOW), Err(two_more));
    ledger.add_hold([1; 32], hold(0, 1), NOW).unwrap();
    pay(&mut ledger, &request(0, 1, voucher(0, 103, &[(0, 1)])), NOW).unwrap();
    let third = request(0, 1, voucher(0, 206, &[(0, 2)]));
    assert_eq!(pay(&mut ledger, &third, NOW), Err(two_more));
    pay(&mut ledger, &PaymentRequest { hold: Some([1; 32]), ..third }, NOW).unwrap();
}

#[test]
fn hold_above_maximum_is_rejected() {
    let mut ledger = ledger(vec![license(1)]);
    for number in 0..Ledger::MAX_HOLDS {
        let id = std::array::from_fn(|place| (number >> (8 * place.min(3))) as u8);
        ledger.add_hold(id, hold(0, 1), NOW).unwrap();
    }
    assert_eq!(ledger.add_hold([9; 32], hold(0, 1), NOW), Err(LedgerError::HoldsFull));
    let later = Hold { expires_at: NOW + 120, ..hold(0, 1) };
    assert_eq!(ledger.add_hold([9; 32], later, NOW + 61), Ok(()), "the others have expired");
}
