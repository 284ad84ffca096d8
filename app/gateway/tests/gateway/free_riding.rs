use motif_testkit::free_riding::{Configuration, Run, configurations};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_riders_gain_nothing() {
    let most_payers = Configuration::MOST_PAYERS;
    assert!(configurations(most_payers).len() >= 48);
    let run = Run { seed: 1, requests: 10_000, only: None, most_payers };
    let report = run.play(|_| ()).await;
    assert!(report.is_clean(), "{:#?}", report.breaks);
    let counts = report.counts;
    assert!(counts.units_served > 0 && counts.forged > 0 && counts.dropped > 0, "{report:?}");
    assert!(counts.withdrawals > 0 && counts.races > 0, "{report:?}");
    assert!(counts.short > 0 && counts.anonymous > 0 && counts.unread > 0, "{report:?}");
    assert!(counts.settled_for_payers > 0 && counts.retried > 0, "{report:?}");
    assert_eq!(counts.units_served, counts.units_settled);
}
