//! What `anchor test` runs, against the validator it started: the two programs as they were just
//! built. Without `ANCHOR_PROVIDER_URL` it starts an embedded localnet of its own.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use motif_localnet::{Faucet, Localnet, LocalnetConfig};
use motif_sdk::{
    Error,
    channel::{Channel, Currency, OpenChannelArgs, PaymentsError},
    client::Client,
    fingerprint,
    licensing::{Derivatives, InitializeArgs, Offer, Registration, Unit, Use, UsePrice, WorkKind},
    operator::RegisterOperatorArgs,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

const PRICE: u64 = 1_000;

fn offer() -> Offer {
    Offer {
        attribution: true,
        derivatives: Derivatives::Allowed,
        derivative_share_bps: 2_000,
        ..Offer::new(vec![UsePrice {
            licensed_use: Use::Generate,
            unit: Unit::Generation,
            price: PRICE,
        }])
    }
}

#[tokio::test]
async fn work_is_licensed_on_validator() {
    let (own, url) = match std::env::var("ANCHOR_PROVIDER_URL") {
        Ok(url) => (None, url),
        Err(_) => {
            let config = LocalnetConfig::new().with_motif_programs();
            let localnet = Localnet::start(config).await.unwrap();
            let url = localnet.rpc_url();
            (Some(localnet), url)
        }
    };
    let client = Client::new(&url);
    let faucet = Faucet::new(&url);
    faucet.create_test_dollar().await.unwrap();
    let (creator, payer, operator) = (Keypair::new(), Keypair::new(), Keypair::new());
    for person in [&creator, &payer, &operator] {
        faucet.airdrop_sol(&person.pubkey(), 1_000_000_000).await.unwrap();
    }
    faucet.mint_dollars(&payer.pubkey(), 5_000_000).await.unwrap();
    let currency = Currency::spl(faucet.dollar().mint);
    let deployment = InitializeArgs {
        cluster: [7; 32],
        arbiter: creator.pubkey(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    client.initialize(&creator, deployment).await.unwrap();
    client.create_vault(&creator, &currency).await.unwrap();

    // Its own on every run: `anchor test` may find a validator that lives on.
    let digest = fingerprint::content_digest(creator.pubkey().as_ref());
    let work = Registration::new(WorkKind::Text, digest, &creator.pubkey());
    let (work, _) = client.register_work(work).send(&creator).await.unwrap();
    client.publish_terms(&work, &currency.mint, offer()).send(&creator).await.unwrap();

    let register = RegisterOperatorArgs::single(operator.pubkey());
    client.register_operator(&operator, register).await.unwrap();
    let args = OpenChannelArgs {
        salt: 0,
        voucher_key: Keypair::new().pubkey(),
        operator_fee_bps: 200,
        grace_seconds: Channel::MIN_GRACE_SECONDS,
        deposit: 2_000_000,
    };
    let opened = client.open_channel(&operator.pubkey(), &currency, args).send(&payer).await;
    let (channel, _) = opened.unwrap();
    let accept =
        |max_price| client.accept_terms(&channel, &work, Use::Generate).max_price(max_price);
    let refused = accept(PRICE - 1).send(&payer).await.unwrap_err();
    let Error::Rejected(refusal) = refused else { panic!("{refused}") };
    assert!(refusal.is(PaymentsError::PriceAboveMaximum), "{refusal}");
    let (index, _) = accept(PRICE).send(&payer).await.unwrap();

    let account = client.channel(&channel).await.unwrap();
    assert_eq!((index, account.licenses.len()), (0, 1));
    assert_eq!((account.licenses[0].work, account.licenses[0].price), (work, PRICE));
    assert_eq!(account.channel.deposited, 2_000_000);
    assert_eq!(client.token_balance(&payer.pubkey(), &currency).await.unwrap(), 3_000_000);
    if let Some(own) = own {
        own.stop().await.unwrap();
    }
}
