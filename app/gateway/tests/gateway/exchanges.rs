//! Exchanges at the paywall, as the operator's page shows them.

use motif_sdk::gateway::wire::{Exchange, ExchangeList, PaymentForm};
use reqwest::{Client, header::COOKIE};
use serde_json::json;

use crate::{
    sold::Sold,
    world::{Answer, SECRET, with_admin},
};

async fn list(url: &str, secret: &str) -> Answer {
    Answer::to(Client::new().get(format!("{url}/v1/exchanges")).bearer_auth(secret)).await
}

/// Returns the exchanges as the operator reads them, newest first.
async fn shown(sold: &Sold) -> (Vec<Exchange>, String) {
    let answer = list(&sold.world.gateway.admin_url().unwrap(), SECRET).await;
    answer.assert_ok();
    let list: ExchangeList = serde_json::from_slice(&answer.body).unwrap();
    (list.exchanges, answer.text())
}

#[tokio::test]
async fn purchase_is_shown_step_by_step() {
    let sold = Sold::with_gateway(with_admin).await;
    sold.publish();
    let request = sold.request("/images?tag=canary-query", json!({ "prompt": "canary-prompt" }));
    sold.send(&request, None).await.assert_problem(402, "payment-required");
    let due = sold.due(&request).await;
    sold.pay(&request, &due, sold.voucher().await).await.assert_ok();
    let health = Client::new().get(sold.url("/health")).header(COOKIE, "canary-cookie");
    Answer::to(health).await.assert_ok();

    let (exchanges, text) = shown(&sold).await;
    let steps: Vec<_> = exchanges
        .iter()
        .map(|one| {
            let is_answered = one.answered_after.is_some();
            let problem = one.problem.as_deref().unwrap_or_default();
            (one.number, one.payment, is_answered, one.status, problem, one.has_receipt)
        })
        .collect();
    let expected = [
        (4, PaymentForm::None, true, 200, "", false),
        (3, PaymentForm::Voucher, false, 200, "", true),
        (2, PaymentForm::Hold, true, 402, "payment-due", false),
        (1, PaymentForm::None, false, 402, "payment-required", false),
    ];
    assert_eq!(steps, expected, "{text}");
    let names: Vec<_> = exchanges.iter().map(|one| (&one.method[..], &one.path[..])).collect();
    let paid = ("POST", "/images");
    assert_eq!(names, [("GET", "/health"), paid, paid, paid]);
    let hold = &exchanges[2];
    assert!(hold.answered_after.unwrap() <= hold.after, "{hold:?}");
    assert!(!text.contains("canary"), "no header, query or body is shown: {text}");
}

#[tokio::test]
async fn exchanges_are_shown_to_operator_only() {
    let sold = Sold::with_gateway(with_admin).await;
    sold.send(&sold.request("/images", json!({ "prompt": "New York" })), None).await;
    let admin = sold.world.gateway.admin_url().unwrap();
    for secret in ["", "canary", &SECRET[1..]] {
        list(&admin, secret).await.assert_problem(401, "unauthorized");
    }
    list(&sold.world.gateway.url(), SECRET).await.assert_problem(404, "not-found");
    let paywall = sold.url("");
    assert_eq!(list(&paywall, SECRET).await.status, 404);
    assert_eq!(shown(&sold).await.0.len(), 2, "the last one is of this test");
}
