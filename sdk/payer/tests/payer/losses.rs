//! A gateway whose store is an older backup.

use motif_payer::{PayerError, PayerPolicy};

use crate::gateway::{End, Gateway, Payer};

/// Pays for some generations in two statements; returns the gateway after each.
fn history(payer: &mut Payer) -> Vec<Gateway> {
    let mut gateway = Gateway::new();
    let mut backups = vec![gateway.clone()];
    for round in 0..6 {
        payer.add(&[(0, 1)], None);
        payer.add(&[(1, 1), (2, round + 1)], Some("ann"));
        payer.run(&mut gateway, End::Never);
        backups.push(gateway.clone());
        if round == 2 {
            gateway.cut();
            backups.push(gateway.clone());
        }
    }
    backups
}

#[test]
fn lost_vouchers_are_offered_again() {
    let mut payer = Payer::new(PayerPolicy::default());
    let backups = history(&mut payer);
    let newest = backups.last().unwrap();
    for (number, backup) in backups.iter().enumerate() {
        // A running payer, and one that starts with its file.
        for is_new in [false, true] {
            let mut gateway = backup.clone();
            let mut payer = payer.restarted(PayerPolicy::default());
            if is_new {
                payer.machine.compare(&gateway.state()).unwrap();
            } else {
                payer.add(&[(0, 1)], None);
            }
            payer.run(&mut gateway, End::Never);
            let paid = if is_new { newest.total() } else { newest.total() + 102 };
            assert_eq!(gateway.total(), paid, "backup {number}, new {is_new}");
            assert_eq!(payer.machine.cumulative().unwrap(), paid);
            assert!(payer.failed.is_empty(), "{:?}", payer.failed);
            assert!(!payer.machine.has_doubts());
            let spent = newest.total() + if is_new { 0 } else { 102 };
            assert_eq!(payer.machine.spent(), spent, "nothing is charged twice");
            // It goes on.
            payer.add(&[(0, 1)], None);
            payer.run(&mut gateway, End::Never);
            assert_eq!(gateway.total(), paid + 102);
        }
    }
}

#[test]
fn lost_cut_keeps_generations() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    let empty = gateway.clone();
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    let before = gateway.clone();
    gateway.cut();
    // The gateway is restored twice: to the open statement, and to nothing.
    for mut gateway in [gateway, before, empty] {
        for effect in payer.machine.compare(&gateway.state()).unwrap() {
            let motif_payer::Effect::Save { frame, .. } = effect else { panic!() };
            payer.file.extend(frame);
        }
        payer = payer.restarted(PayerPolicy::default());
        payer.run(&mut gateway, End::Never);
        assert_eq!((gateway.total(), payer.machine.cumulative().unwrap()), (102, 102));
    }
}

#[test]
fn offer_survives_kill() {
    let mut payer = Payer::new(PayerPolicy::default());
    let backups = history(&mut payer);
    let total = backups.last().unwrap().total();
    for end in [End::BeforeSending, End::BeforeAnswer, End::BeforeSaving] {
        let mut gateway = backups[1].clone();
        let mut payer = payer.restarted(PayerPolicy::default());
        for effect in payer.machine.compare(&gateway.state()).unwrap() {
            let motif_payer::Effect::Save { frame, .. } = effect else { panic!() };
            payer.file.extend(frame);
        }
        assert!(payer.run(&mut gateway, end));
        let mut payer = payer.restarted(PayerPolicy::default());
        payer.machine.compare(&gateway.state()).unwrap();
        payer.run(&mut gateway, End::Never);
        assert_eq!((gateway.total(), payer.machine.spent()), (total, total), "{end:?}");
        assert!(!payer.machine.has_doubts());
    }
}

#[test]
fn unanswered_batch_follows_lost_ones() {
    let mut payer = Payer::new(PayerPolicy::default());
    let backups = history(&mut payer);
    payer.add(&[(0, 1)], None);
    let mut gateway = backups.last().unwrap().clone();
    payer.run(&mut gateway, End::BeforeAnswer);
    let total = gateway.total();
    let mut gateway = backups[2].clone();
    let mut payer = payer.restarted(PayerPolicy::default());
    payer.machine.compare(&gateway.state()).unwrap();
    payer.run(&mut gateway, End::Never);
    assert_eq!(gateway.total(), total);
    assert_eq!(payer.machine.cumulative().unwrap(), total);
}

/// Compares with a gateway, and saves what follows.
fn compare(payer: &mut Payer, gateway: &Gateway) {
    for effect in payer.machine.compare(&gateway.state()).unwrap() {
        let motif_payer::Effect::Save { frame, .. } = effect else { panic!() };
        payer.file.extend(frame);
    }
}

#[test]
fn older_account_pays_nothing_twice() {
    let mut payer = Payer::new(PayerPolicy::default());
    let backups = history(&mut payer);
    let newest = backups.last().unwrap();
    for older in &backups {
        // The gateway shows an older account for a moment: to a payer that restarts afterwards, and to a
        // running one that pays before or after it has offered the rest again.
        for (is_restarted, is_offered) in [(true, false), (false, true), (false, false)] {
            let (mut gateway, mut payer) =
                (newest.clone(), payer.restarted(PayerPolicy::default()));
            compare(&mut payer, older);
            if is_restarted {
                payer = payer.restarted(PayerPolicy::default());
                compare(&mut payer, &gateway);
            }
            if is_offered {
                payer.run(&mut gateway, End::Never);
            }
            payer.add(&[(0, 1)], None);
            payer.run(&mut gateway, End::Never);
            let expected = newest.total() + 102;
            assert_eq!(gateway.total(), expected, "{is_restarted} {is_offered}");
            assert!(payer.failed.is_empty(), "{:?}", payer.failed);
            let mut payer = payer.restarted(PayerPolicy::default());
            compare(&mut payer, &gateway);
            payer.run(&mut gateway, End::Never);
            assert_eq!((gateway.total(), payer.machine.spent()), (expected, expected));
            assert!(!payer.machine.has_doubts());
        }
    }
}

#[test]
fn adopted_batch_is_not_paid_again() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::BeforeAnswer);
    // Another process of the same key pays on top.
    let mut other = Payer::new(PayerPolicy::default());
    compare(&mut other, &gateway);
    other.add(&[(1, 1)], None);
    other.run(&mut gateway, End::Never);
    let total = gateway.total();
    let mut payer = payer.restarted(PayerPolicy::default());
    compare(&mut payer, &gateway);
    payer.run(&mut gateway, End::Never);
    for _ in 0..2 {
        payer = payer.restarted(PayerPolicy::default());
        compare(&mut payer, &gateway);
        payer.run(&mut gateway, End::Never);
        assert_eq!((gateway.total(), payer.machine.cumulative().unwrap()), (total, total));
    }
}

#[test]
fn vouchers_of_another_process_are_adopted() {
    let mut payer = Payer::new(PayerPolicy::default());
    let mut gateway = history(&mut payer).pop().unwrap();
    let mut older = Payer::new(PayerPolicy::default());
    older.machine.compare(&gateway.state()).unwrap();
    let total = gateway.total();
    assert_eq!((older.machine.cumulative().unwrap(), older.machine.spent()), (total, 0));
    older.add(&[(0, 1)], None);
    older.run(&mut gateway, End::Never);
    assert_eq!((gateway.total(), older.machine.spent()), (total + 102, 102));
}

#[test]
fn unknown_history_is_not_trusted() {
    let mut payer = Payer::new(PayerPolicy::default());
    history(&mut payer);
    // A total that the payer never had: of another key's payments, or invented.
    let mut other = Payer::new(PayerPolicy::default());
    other.add(&[(3, 1)], None);
    let mut gateway = Gateway::new();
    other.run(&mut gateway, End::Never);
    let refused = payer.machine.compare(&gateway.state()).unwrap_err();
    assert!(matches!(refused, PayerError::Untrusted(_)), "{refused}");
}
