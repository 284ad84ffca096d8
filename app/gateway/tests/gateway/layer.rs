use axum::{Router, body::to_bytes, extract::Request, routing::post};
use motif_gateway::paywall;
use motif_paywall::{PaidRoutes, PaywallLayer};
use motif_sdk::gateway::wire::{Payment, PaymentRequired, ReceiptParts};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::{Layer, ServiceExt};

use crate::sold::Sold;

#[tokio::test]
async fn layer_sells_inner_service() {
    let sold = Sold::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = sold.world.config.paywall.clone().unwrap().paywall;
    let text = format!(
        "[[route]]\nmethod = \"POST\"\npath = \"/words/{{about}}\"\nwork = \"{}\"\n\
         use = \"generate\"\nunits = {{ count = \"bytes\" }}\nper = 4\nmost_units = 9",
        crate::world::license(1).work
    );
    config.routes = PaidRoutes::read(&text, "in the server").unwrap();
    config.spool = folder.path().to_owned();
    let app = sold.world.gateway.app();
    let paywall = paywall::open(app, config, CancellationToken::new()).unwrap();
    let server = Router::new().route("/words/{about}", post(async || "nine bytes"));
    let server = PaywallLayer::new(paywall).layer(server);

    let mut wanted = sold.request("/images", json!({}));
    wanted.url = "http://any.invalid/words/cats".to_owned();
    wanted.units = motif_sdk::gateway::PaidUnits::AtMost(9);
    let ask = |payment: &Payment, body: Vec<u8>| {
        Request::post("/words/cats")
            .header(Payment::HEADER, payment.to_header())
            .header("idempotency-key", wanted.key.as_str())
            .body(body.into())
            .unwrap()
    };
    let asked = ask(&Payment::Ask(sold.ask(&wanted)), wanted.body.clone());
    let asked = server.clone().oneshot(asked).await.unwrap();
    assert_eq!(asked.status().as_u16(), 402);
    let required = asked.headers()[PaymentRequired::HEADER].to_str().unwrap();
    let PaymentRequired::Due(due) = PaymentRequired::from_header(required).unwrap() else {
        panic!()
    };
    assert_eq!(due.units, 3, "ten bytes are three fours that were begun");

    let held = motif_sdk::gateway::HeldGeneration {
        hold: due.answer.0,
        license: 0,
        units: 9,
        request_digest: due.request_digest.0,
        expires_at: due.expires_at,
    };
    // After payment at the gateway, the layer sends it.
    let receipt = sold.session.capture(&held, 3, due.output_digest.0).await.unwrap();
    let paid = ask(&Payment::Ask(sold.ask(&wanted)), wanted.body.clone());
    let paid = server.oneshot(paid).await.unwrap();
    assert_eq!(paid.status().as_u16(), 200);
    let parts = paid.headers()[ReceiptParts::HEADER].to_str().unwrap();
    assert_eq!(ReceiptParts::from_header(parts).unwrap(), ReceiptParts::from(&receipt));
    assert_eq!(to_bytes(paid.into_body(), 100).await.unwrap(), "nine bytes");
}
