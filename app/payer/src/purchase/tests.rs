use axum::{Router, http::HeaderName, routing::get};
use motif_sdk::{
    Pubkey,
    channel::Currency,
    client::Client,
    gateway::wire::{Digest, Quote},
};
use solana_keypair::Keypair;

use super::*;
use crate::{channels::ChannelParts, settings::Settings};

fn price_tag(currency: Pubkey, most_units: u32) -> PriceTag {
    let address = |byte| Address(Pubkey::new_from_array([byte; 32]));
    let quote = Quote {
        work: address(1),
        licensed_use: Use::Generate,
        unit: Unit::Generation,
        price: Amount(100),
        operator_fee_bps: 0,
        price_with_fee: Amount(100),
        currency: Address(currency),
        terms_number: 1,
        terms_digest: Digest([0; 32]),
        upfront_fee: Amount(0),
        free_units: 0,
    };
    let (operator, cluster) = (address(2), Digest([0; 32]));
    let (fixed_units, streams, hold_seconds) = (None, false, 60);
    PriceTag { operator, cluster, quote, fixed_units, most_units, streams, hold_seconds }
}

/// Buys from a target that answers with status 402 and this header; returns the error.
async fn refused(header: &str, mint: Pubkey) -> PayerError {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("{}", listener.local_addr().unwrap());
    let header = (HeaderName::from_static(PaymentRequired::HEADER), header.to_owned());
    let answer = get(async move || (StatusCode::PAYMENT_REQUIRED, [header.clone()]));
    let selling =
        tokio::spawn(async { axum::serve(listener, Router::new().route("/", answer)).await });
    let mut settings = Settings::default();
    settings.proxy.private_targets.push(target.parse().unwrap());
    let target = Target::parse(&format!("http://{target}/"), &settings.proxy.private_targets);
    // A node that does not exist: nothing is read from the chain.
    let parts = ChannelParts {
        client: Client::new("http://127.0.0.1:1"),
        wallet: Keypair::new(),
        voucher_key: Keypair::new().into(),
        gateways: Vec::new(),
        currency: Currency::spl(mint),
    };
    let state = tempfile::tempdir().unwrap();
    let service = PayerService::open(settings, parts, state.path()).await.unwrap();
    let purchase = Purchase {
        method: Method::GET,
        target: target.unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        caller: Caller::from("local"),
        max_cost: None,
        is_dry_run: false,
        gone: CancellationToken::new(),
    };
    let refused = service.buy(purchase).await.err().unwrap();
    selling.abort();
    refused
}

#[tokio::test]
async fn other_currency_is_refused() {
    let (mint, other) = (Pubkey::new_from_array([7; 32]), Pubkey::new_from_array([8; 32]));
    let tag = PaymentRequired::PriceTag(Box::new(price_tag(other, 1)));
    let error = refused(&tag.to_header(), mint).await;
    assert!(
        matches!(error, PayerError::OtherCurrency(given, own) if (given, own) == (other, mint))
    );
    assert_eq!((error.slug(), error.problem().status), ("other-currency", 402));
}

#[tokio::test]
async fn invalid_price_tag_is_refused() {
    let mint = Pubkey::new_from_array([7; 32]);
    let nothing = PaymentRequired::PriceTag(Box::new(price_tag(mint, 0)));
    // A key that names a request with such a hold would be refused by every gateway.
    let long = PriceTag { hold_seconds: u32::MAX, ..price_tag(mint, 1) };
    let long = PaymentRequired::PriceTag(Box::new(long));
    for (header, reason) in [
        ("no base64!", None),
        (&nothing.to_header(), Some("it sells no units")),
        (&long.to_header(), Some("its hold is longer than `proxy.max_answer_seconds`")),
    ] {
        let error = refused(header, mint).await;
        let PayerError::InvalidPriceTag(given) = &error else { panic!("{error}") };
        assert!(reason.is_none_or(|reason| reason == given), "{given}");
        assert_eq!((error.slug(), error.problem().status), ("invalid-price-tag", 502));
    }
}
