use crate::game::{Run, configurations};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_served_without_paying_however_requests_and_gateways_fail() {
    assert!(configurations().len() >= 48);
    let run = Run { seed: 1, requests: 10_000, only: None };
    let report = run.play().await;
    assert!(report.is_clean(), "{:#?}", report.breaks);
    assert!(report.units_served > 0 && report.forged > 0 && report.dropped > 0, "{report:?}");
    assert_eq!(report.units_served, report.units_settled);
}
