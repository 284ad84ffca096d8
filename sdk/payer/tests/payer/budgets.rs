use motif_payer::{PayerError, PayerPolicy, day_of};

use crate::gateway::{End, Gateway, NOW, Payer};

fn is_over(error: &PayerError) -> bool {
    matches!(error, PayerError::OverBudget { .. })
}

#[test]
fn budget_holds_over_restart() {
    let policy = PayerPolicy { budget: Some(306), ..PayerPolicy::default() };
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(policy.clone()));
    for _ in 0..2 {
        payer.add(&[(0, 1)], None);
    }
    payer.run(&mut gateway, End::BeforeAnswer);
    let mut payer = payer.restarted(policy.clone());
    // What is unanswered counts.
    assert!(payer.machine.check(0, 2, None, NOW).is_err_and(|error| is_over(&error)));
    payer.machine.check(0, 1, None, NOW).unwrap();
    payer.run(&mut gateway, End::Never);
    let (fits, beyond) = (payer.add(&[(0, 1)], None), payer.add(&[(0, 1)], None));
    payer.run(&mut gateway, End::Never);
    assert!(payer.paid.contains_key(&fits) && is_over(&payer.failed[&beyond]));
    let mut payer = payer.restarted(policy);
    let beyond = payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    assert!(is_over(&payer.failed[&beyond]));
    assert_eq!((payer.machine.spent(), gateway.total()), (306, 306));
}

#[test]
fn tag_budget_is_per_day() {
    let policy = PayerPolicy {
        tag_budgets_per_day: [("ann".to_owned(), 204)].into_iter().collect(),
        budget_per_day: Some(408),
        ..PayerPolicy::default()
    };
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(policy.clone()));
    let own: Vec<_> = (0..3).map(|_| payer.add(&[(0, 1)], Some("ann"))).collect();
    let other: Vec<_> = (0..3).map(|_| payer.add(&[(0, 1)], Some("bob"))).collect();
    payer.run(&mut gateway, End::Never);
    let over: Vec<_> = payer.failed.keys().copied().collect();
    assert_eq!(over, [own[2], other[2]], "of ann, and of the day");
    let payer = payer.restarted(policy.clone());
    let day = day_of(NOW);
    let spent = |tag| payer.machine.spent_on(day, tag);
    assert_eq!((spent(Some("ann")), spent(Some("bob")), spent(None)), (204, 204, 408));
    assert_eq!(payer.machine.spent_on(day - 1, None), 0);
    let check = |tag, now| payer.machine.check(0, 1, tag, now);
    assert!(check(Some("ann"), NOW).is_err_and(|error| is_over(&error)));
    check(Some("ann"), NOW + 86_400).unwrap();
    assert!(payer.machine.receipts().iter().all(|kept| kept.tag.is_some()));
}

#[test]
fn high_unit_price_is_refused() {
    let policy = PayerPolicy { max_unit_price: Some(50), ..PayerPolicy::default() };
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(policy));
    let (dear, cheap) = (payer.add(&[(0, 1)], None), payer.add(&[(3, 1)], None));
    payer.run(&mut gateway, End::Never);
    let expected = PayerError::PriceTooHigh { license: 0, price: 100, max: 50 };
    assert_eq!(payer.failed[&dear].to_string(), expected.to_string());
    assert!(payer.paid.contains_key(&cheap));
}
