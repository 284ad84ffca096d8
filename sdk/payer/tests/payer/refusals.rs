use motif_payer::{Effect, PayerError, PayerPolicy, day_of};
use motif_wire::ProblemType;

use crate::gateway::{End, Gateway, NOW, Payer};

fn slug(error: &PayerError) -> Option<ProblemType> {
    error.problem_type()
}

#[test]
fn payments_share_one_voucher() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    for license in 0..3 {
        payer.add(&[(license, 1)], None);
    }
    payer.add(&[(0, 1), (1, 2)], None);
    payer.run(&mut gateway, End::Never);
    assert_eq!((gateway.accepted, gateway.total()), (1, 612));
    assert_eq!((payer.paid.len(), payer.machine.spent()), (4, 612));
    assert_eq!(payer.paid[&3].len(), 2);
    assert_eq!(payer.machine.receipts().len(), 5);
}

#[test]
fn exhausted_license_fails_alone() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    let good = [payer.add(&[(0, 1)], None), payer.add(&[(3, 2)], None)];
    let blended = payer.add(&[(0, 5), (3, 1)], None);
    let unknown = payer.add(&[(9, 1)], None);
    let last = payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    assert_eq!(payer.paid.keys().copied().collect::<Vec<_>>(), [good[0], good[1], last]);
    assert!(matches!(payer.failed[&blended], PayerError::LicenseRefuses { license: 3, .. }));
    assert!(matches!(payer.failed[&unknown], PayerError::LicenseNotFound(9)));
    assert_eq!(gateway.total(), 218);
}

#[test]
fn refused_item_fails_its_payment() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    let blended = payer.add(&[(0, 1), (1, 1)], None);
    payer.add(&[(0, 1)], None);
    gateway.refusals.push((ProblemType::BatchItems, vec![2]));
    payer.run(&mut gateway, End::Never);
    assert_eq!((payer.paid.len(), payer.failed.len(), gateway.accepted), (2, 1, 1));
    assert_eq!(slug(&payer.failed[&blended]), Some(ProblemType::UnitCap));
    assert_eq!(gateway.total(), 204);
}

#[test]
fn batch_above_deposit_is_halved() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    for _ in 0..8 {
        payer.add(&[(0, 1)], None);
    }
    // Eight, then four; the first four are paid for, and of the rest one does not fit.
    gateway.refusals = vec![(ProblemType::Underfunded, Vec::new())];
    payer.run(&mut gateway, End::Never);
    assert_eq!((payer.paid.len(), gateway.accepted), (8, 2));
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    let alone = payer.add(&[(0, 1)], None);
    gateway.refusals = vec![(ProblemType::Underfunded, Vec::new())];
    payer.run(&mut gateway, End::Never);
    assert_eq!(slug(&payer.failed[&alone]), Some(ProblemType::Underfunded));
}

#[test]
fn closed_statement_is_followed() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    gateway.cut();
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    assert_eq!((payer.paid.len(), payer.machine.statement()), (2, 1));
    let mut restarted = payer.restarted(PayerPolicy::default());
    assert_eq!(restarted.machine.cumulative().unwrap(), 204);
    restarted.add(&[(0, 1)], None);
    restarted.run(&mut gateway, End::Never);
    assert_eq!((restarted.machine.statement(), gateway.total()), (1, 306));
}

#[test]
fn empty_statement_is_not_followed() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    gateway.cut();
    let ticket = payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    assert!(matches!(payer.failed[&ticket], PayerError::Untrusted(_)));
    assert_eq!((gateway.accepted, payer.machine.statement()), (0, 0));
    // The file is not spoiled by it.
    assert_eq!(payer.restarted(PayerPolicy::default()).machine.statement(), 0);
}

#[test]
fn definite_refusal_fails_all() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    payer.add(&[(0, 1)], None);
    gateway.refusals.push((ProblemType::ChannelClosing, Vec::new()));
    payer.run(&mut gateway, End::Never);
    assert_eq!((payer.paid.len(), payer.failed.len()), (0, 2));
    assert!(!payer.machine.is_unanswered());
    let restarted = payer.restarted(PayerPolicy::default());
    assert!(!restarted.machine.is_unanswered());
}

/// Has the gateway refuse the unanswered batch; returns the machine's error.
fn refuse(payer: &mut Payer, gateway: &mut Gateway, problem_type: ProblemType) -> PayerError {
    let (status, body) = gateway.refuse(problem_type);
    payer.machine.answered(status, &body, NOW).unwrap_err()
}

#[test]
fn limited_repeats_keep_lost_batch() {
    for problem_type in
        [ProblemType::RateLimited, ProblemType::Unauthorized, ProblemType::BodyTooLarge]
    {
        let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
        let ticket = payer.add(&[(0, 1)], Some("ann"));
        // Charged; its answer is lost, and its repeats are refused before the look-up.
        assert!(payer.run(&mut gateway, End::BeforeAnswer));
        payer.machine.lose_answer();
        let error = refuse(&mut payer, &mut gateway, problem_type);
        assert!(matches!(error, PayerError::OutcomeUnknown(_)), "{error}");
        let effects = payer.machine.give_up(&error);
        let [Effect::Failed { ticket: failed, error }] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!((*failed, slug(error)), (ticket, Some(problem_type)));
        assert!(matches!(error, PayerError::OutcomeUnknown(_)), "{error}");
        // It counts as spent while nothing awaits it, also in the next process.
        let restarted = payer.restarted(PayerPolicy::default());
        for mut payer in [payer, restarted] {
            let mut gateway = gateway.clone();
            assert!(payer.machine.is_unanswered());
            let day = day_of(NOW);
            let committed = |tag| payer.machine.committed_on(day, tag);
            assert_eq!(
                (committed(None), committed(Some("ann")), committed(Some("bob"))),
                (102, 102, 0)
            );
            assert_eq!(payer.machine.spent_on(day, None), 0);
            payer.run(&mut gateway, End::Never);
            assert_eq!((gateway.accepted, gateway.total(), payer.machine.spent()), (1, 102, 102));
            assert_eq!(payer.machine.committed_on(day, None), 102);
            assert_eq!(payer.machine.receipts().len(), 1);
        }
    }
}

#[test]
fn limited_first_attempt_ends_batch() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    assert!(payer.run(&mut gateway, End::BeforeSending));
    // Awaited by a caller, whose own reservation counts it.
    assert_eq!(payer.machine.committed_on(day_of(NOW), None), 0);
    let error = refuse(&mut payer, &mut gateway, ProblemType::RateLimited);
    assert!(matches!(error, PayerError::Refused(_)), "{error}");
    payer.machine.give_up(&error);
    assert!(!payer.machine.is_unanswered());
    assert_eq!(gateway.accepted, 0);
}

#[test]
fn refusal_after_look_up_ends_lost_batch() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    let ticket = payer.add(&[(0, 1)], None);
    assert!(payer.run(&mut gateway, End::BeforeSending));
    payer.machine.lose_answer();
    gateway.refusals.push((ProblemType::ChannelClosing, Vec::new()));
    payer.run(&mut gateway, End::Never);
    assert_eq!(slug(&payer.failed[&ticket]), Some(ProblemType::ChannelClosing));
    assert!(!payer.machine.is_unanswered());
}
