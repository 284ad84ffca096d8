//! Proofs of sales: what a payment proves about works that change, and about its buyer.

use std::time::Duration;

use motif_localnet::Localnet;
use motif_sdk::{
    Error, Pubkey,
    acceptance::SaleAcceptance,
    client::{DynSigner, Sale, SaleError},
    licensing::{Dispute, OpenDisputeArgs, Registration, Use, Verdict, WorkKind},
    till::{self, TillShare, TillShares},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use super::tour::{PRICE, Tour, image};

const LOOKUP_TABLES: Pubkey = Pubkey::from_str_const("AddressLookupTab1e1111111111111111111111111");

/// A till with its buyer, and terms that the buyer accepts.
struct Shop {
    tour: Tour,
    buyer: Keypair,
    shares: TillShares,
    acceptance: SaleAcceptance,
    terms_numbers: Vec<u32>,
}

impl Shop {
    /// Opens the till of a work; the acceptance of its latest terms does not end.
    async fn open(tour: Tour, work: Pubkey) -> Self {
        let buyer = tour.platform(100 * PRICE).await;
        let shares = TillShares::sole(work);
        tour.client.open_till(&buyer, &shares, &tour.currency).await.unwrap();
        let bought = (Use::Generate, 1);
        let prepare = tour.client.prepare_sale(&shares, &tour.currency.mint, bought, [9; 32], 1);
        let (acceptance, terms_numbers) = prepare.await.unwrap();
        let acceptance = SaleAcceptance { not_after: i64::MAX, ..acceptance };
        Self { tour, buyer, shares, acceptance, terms_numbers }
    }

    fn sale(&self, signature: solana_signature::Signature) -> Sale {
        let (shares, terms_numbers) = (self.shares.clone(), self.terms_numbers.clone());
        Sale { shares, terms_numbers, acceptance: self.acceptance, signature }
    }

    async fn buy(&self) -> Sale {
        let Self { tour, acceptance, .. } = self;
        let pay = tour.client.pay_till(&self.shares, &tour.currency, acceptance.amount);
        let landed = pay.acceptance(*acceptance).send(&self.buyer).await.unwrap();
        self.sale(landed.signature)
    }

    /// Prepares a sale by the latest terms.
    async fn prepare(&self) -> Result<(SaleAcceptance, Vec<u32>), SaleError> {
        let (client, mint) = (&self.tour.client, &self.tour.currency.mint);
        client.prepare_sale(&self.shares, mint, (Use::Generate, 1), [9; 32], 2).await
    }

    async fn assert_proved(&self, sale: &Sale) {
        let verified = self.tour.client.verify_sale(sale).await.unwrap();
        assert_eq!((verified.paid, verified.buyer), (PRICE, self.buyer.pubkey()));
    }

    /// Asserts that the work is not sold, neither by this sale nor by the next.
    async fn assert_unsold(&self, sale: &Sale, expected: &str) {
        let refusals = [
            self.tour.client.verify_sale(sale).await.map(|_| ()),
            self.prepare().await.map(|_| ()),
        ];
        for refused in refusals {
            let Err(SaleError::NotSold { reason, .. }) = refused else {
                panic!("{refused:?}, not {expected}");
            };
            assert_eq!(reason, expected);
        }
    }
}

fn claim() -> OpenDisputeArgs {
    OpenDisputeArgs {
        evidence_uri: "https://example.org/sketchbook".to_owned(),
        evidence_digest: [7; 32],
        max_bond: u64::MAX,
    }
}

async fn shop_with_clock() -> Option<(Shop, Keypair, Localnet)> {
    let (tour, localnet) = Tour::with_clock().await?;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    Some((Shop::open(tour, work).await, creator, localnet))
}

#[tokio::test]
async fn voided_terms_sell_nothing() {
    let Some((shop, _, localnet)) = shop_with_clock().await else { return };
    let (client, work) = (&shop.tour.client, shop.shares.works[0].work);
    let claimant = shop.tour.person().await;
    client.open_dispute(&claimant, &work, claim()).await.unwrap();
    localnet.advance_seconds(u64::from(Dispute::HEARING_SECONDS)).await.unwrap();
    client.decide_dispute(&shop.tour.authority, &work, Verdict::UPHELD).await.unwrap();
    assert_eq!(client.work(&work).await.unwrap().latest_terms, 2);
    let sale = shop.buy().await;
    let refused = client.verify_sale(&sale).await;
    assert!(matches!(refused, Err(SaleError::VoidedTerms(of)) if of == work), "{refused:?}");
    let unsold = shop.prepare().await;
    let absent = matches!(unsold, Err(SaleError::Client(Error::NotFound { kind: "terms", .. })));
    assert!(absent, "{unsold:?}");

    // The new owner's terms sell, and do not revive the old ones.
    assert_eq!(shop.tour.publish(&claimant, &work, |_| ()).await, 3);
    let refused = client.verify_sale(&sale).await;
    assert!(matches!(refused, Err(SaleError::VoidedTerms(_))), "{refused:?}");
    let (acceptance, terms_numbers) = shop.prepare().await.unwrap();
    assert_eq!(terms_numbers, [3]);
    let shop = Shop { acceptance, terms_numbers, ..shop };
    shop.assert_proved(&shop.buy().await).await;
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn replaced_terms_sell_for_two_minutes() {
    let Some((shop, creator, localnet)) = shop_with_clock().await else { return };
    let work = shop.shares.works[0].work;
    let before = shop.buy().await;
    shop.tour.publish(&creator, &work, |offer| offer.uses[0].price *= 2).await;
    let soon = shop.buy().await;
    localnet.advance_seconds(121).await.unwrap();
    let pay = shop.tour.client.pay_till(&shop.shares, &shop.tour.currency, PRICE + 1);
    let acceptance = SaleAcceptance { amount: PRICE + 1, ..shop.acceptance };
    let late = pay.acceptance(acceptance).send(&shop.buyer).await.unwrap();
    let late = Sale { acceptance, ..shop.sale(late.signature) };
    for proved in [&before, &soon] {
        shop.assert_proved(proved).await;
    }
    let refused = shop.tour.client.verify_sale(&late).await;
    assert!(matches!(refused, Err(SaleError::TermsMismatch(of)) if of == work), "{refused:?}");
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn withdrawn_work_sells_nothing() {
    let Some((shop, creator, localnet)) = shop_with_clock().await else { return };
    let before = shop.buy().await;
    localnet.advance_seconds(2).await.unwrap();
    let work = shop.shares.works[0].work;
    shop.tour.client.withdraw_work(&creator, &work).await.unwrap();
    localnet.advance_seconds(2).await.unwrap();
    shop.assert_unsold(&shop.buy().await, "it is withdrawn").await;
    shop.assert_proved(&before).await;
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn disputed_work_sells_nothing() {
    let Some((shop, _, localnet)) = shop_with_clock().await else { return };
    let before = shop.buy().await;
    localnet.advance_seconds(2).await.unwrap();
    let (work, claimant) = (shop.shares.works[0].work, shop.tour.person().await);
    shop.tour.client.open_dispute(&claimant, &work, claim()).await.unwrap();
    localnet.advance_seconds(2).await.unwrap();
    shop.assert_unsold(&shop.buy().await, "it is disputed").await;
    shop.assert_proved(&before).await;
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn ended_consent_sells_nothing() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let (creator, singer) = (tour.person().await, tour.person().await);
    let end = tour.client.now().await.unwrap() + 600;
    let voice = image(&creator);
    let voice = Registration { kind: WorkKind::Voice, consent_expires_at: Some(end), ..voice };
    let register = tour.client.register_work(voice).consent(&singer as &DynSigner);
    let (work, _) = register.send(&creator).await.unwrap();
    tour.publish(&creator, &work, |_| ()).await;
    let shop = Shop::open(tour, work).await;
    let before = shop.buy().await;
    localnet.advance_seconds(601).await.unwrap();
    shop.assert_unsold(&shop.buy().await, "its consent has ended").await;
    shop.assert_proved(&before).await;
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn unregistered_operator_sells_nothing() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let shop = Shop::open(tour, work).await;
    let Shop { tour, buyer, .. } = &shop;
    let (operator, mint) = (tour.person().await, tour.currency.mint);
    let works = vec![TillShare { work, parts: 1 }];
    let shares = TillShares::new(works, Some((operator.pubkey(), 1)));
    let refused = tour.client.prepare_sale(&shares, &mint, (Use::Generate, 1), [9; 32], 1).await;
    let authority = operator.pubkey();
    let is_refused =
        |error| matches!(error, SaleError::UnregisteredOperator(key) if key == authority);
    assert!(is_refused(refused.unwrap_err()));
    let paid = tour.client.pay_till(&shares, &tour.currency, PRICE).send(buyer).await;
    assert!(matches!(paid, Err(Error::NotFound { kind: "operator", .. })), "{paid:?}");

    // The till's token account takes the payment all the same.
    let acceptance = SaleAcceptance {
        till: motif_sdk::pda::till(&shares, &mint),
        subject: shares.subject(),
        operator: operator.pubkey(),
        amount: 2 * PRICE,
        ..shop.acceptance
    };
    let payment = [
        tour.currency.create_tokens(&buyer.pubkey(), &acceptance.till),
        till::pay(&buyer.pubkey(), &shares, &tour.currency, 6, acceptance.amount),
        acceptance.memo_instruction(),
    ];
    let signature = tour.client.send(&payment, buyer, &[]).await.unwrap().signature;
    let terms_numbers = shop.terms_numbers.clone();
    let sale = Sale { shares, terms_numbers, acceptance, signature };
    assert!(is_refused(tour.client.verify_sale(&sale).await.unwrap_err()));
    let args = motif_sdk::operator::RegisterOperatorArgs::single(operator.pubkey());
    tour.client.register_operator(&operator, args).await.unwrap();
    assert_eq!(tour.client.verify_sale(&sale).await.unwrap().paid, 2 * PRICE);
}

#[tokio::test]
async fn unsent_sale_is_unpaid() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let shop = Shop::open(tour, work).await;
    let pay = shop.tour.client.pay_till(&shop.shares, &shop.tour.currency, PRICE);
    let payment = pay.acceptance(shop.acceptance).sign(&shop.buyer).await.unwrap();
    let sale = shop.sale(payment.signature());
    let refused = shop.tour.client.verify_sale(&sale).await;
    assert!(matches!(refused, Err(SaleError::NotConfirmed { .. })), "{refused:?}");
    assert_eq!(payment.send().await.unwrap().signature, sale.signature);
    shop.assert_proved(&sale).await;
}

#[tokio::test]
async fn lookup_table_payment_is_proved() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let shop = Shop::open(tour, work).await;
    let Shop { tour, buyer, shares, acceptance, .. } = &shop;
    let rpc = tour.client.rpc();
    let slot = rpc.get_slot().await.unwrap() - 1;
    let seeds: [&[u8]; 2] = [&buyer.pubkey().to_bytes(), &slot.to_le_bytes()];
    let (key, bump) = Pubkey::find_program_address(&seeds, &LOOKUP_TABLES);
    let addresses = vec![till::tokens(shares, &tour.currency), tour.currency.mint];
    let accounts = vec![
        AccountMeta::new(key, false),
        AccountMeta::new_readonly(buyer.pubkey(), true),
        AccountMeta::new(buyer.pubkey(), true),
        AccountMeta::new_readonly(Pubkey::default(), false),
    ];
    let create = [&0_u32.to_le_bytes()[..], &slot.to_le_bytes(), &[bump]].concat();
    let mut extend = [&2_u32.to_le_bytes()[..], &2_u64.to_le_bytes()].concat();
    extend.extend(addresses.iter().flat_map(|address| address.to_bytes()));
    let call = |data| Instruction { program_id: LOOKUP_TABLES, accounts: accounts.clone(), data };
    tour.client.send(&[call(create), call(extend)], buyer, &[]).await.unwrap();
    // The addresses are usable from the next slot on.
    let extended = rpc.get_slot().await.unwrap();
    while rpc.get_slot().await.unwrap() <= extended + 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        tour.person().await;
    }

    let pay = till::pay(&buyer.pubkey(), shares, &tour.currency, 6, acceptance.amount);
    let instructions = [pay, acceptance.memo_instruction()];
    let tables = [AddressLookupTableAccount { key, addresses }];
    let blockhash = rpc.get_latest_blockhash().await.unwrap();
    let message =
        v0::Message::try_compile(&buyer.pubkey(), &instructions, &tables, blockhash).unwrap();
    assert_eq!(message.address_table_lookups.len(), 1);
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[buyer]);
    let signature = rpc.send_and_confirm_transaction(&transaction.unwrap()).await.unwrap();
    shop.assert_proved(&shop.sale(signature)).await;
}
