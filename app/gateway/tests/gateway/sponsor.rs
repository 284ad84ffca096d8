//! Transactions of creators without SOL, which the operator's sponsor pays for.

use std::{slice, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_gateway::config::SponsorConfig;
use motif_sdk::{
    Pubkey,
    channel::Currency,
    earnings,
    gateway::wire::ClusterFacts,
    keypair::signing_key,
    licensing::{self, Offer, Registration, Unit, Use, UsePrice, WorkKind},
    pda,
};
use motif_signer::LocalSigner;
use reqwest::Method;
use serde_json::{Value, json};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{Hash, Message};
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::world::{Answer, Network, World, with_admin};

const SYSTEM: Pubkey = Pubkey::new_from_array([0; 32]);
const RENT: Pubkey = Pubkey::from_str_const("SysvarRent111111111111111111111111111111111");
const MINT: Pubkey = Pubkey::new_from_array([31; 32]);
const DAILY: u64 = 50_000_000;
const OF_WALLET: u64 = 20_000_000;
const SIGNATURE_FEE: u64 = 5_000;

fn sponsor() -> Keypair {
    Keypair::new_from_array([77; 32])
}

fn creator() -> Keypair {
    Keypair::new_from_array([78; 32])
}

async fn sponsored_world() -> World {
    let world = World::with(|config| {
        with_admin(config);
        let key = Arc::new(LocalSigner::from(signing_key(&sponsor())));
        config.sponsor =
            Some(SponsorConfig { key, daily_lamports: DAILY, wallet_lamports: OF_WALLET });
    })
    .await;
    {
        let mut state = world.chain.state();
        state.is_taking_all = true;
        // 3,480 lamports a byte-year, exempt after two years, half is burned.
        let data = [&3_480_u64.to_le_bytes()[..], &2_f64.to_le_bytes(), &[50]].concat();
        let account = Account { lamports: 1, data, ..Account::default() };
        state.accounts.insert(RENT, account);
    }
    world
}

/// Returns the registration of a work and its terms, and the bytes of both accounts.
fn registration(owner: &Pubkey, number: u8) -> (Vec<Instruction>, u64) {
    let registration = Registration::new(WorkKind::Image, [number; 32], owner);
    let registered = licensing::register_work(owner, None, &registration, &[]);
    let work = pda::work(owner, &[number; 32]);
    let offer = Offer::new(vec![UsePrice {
        licensed_use: Use::Generate,
        unit: Unit::Generation,
        price: 1_000,
    }]);
    let space = licensing::Terms::space(1, 0, 0) + licensing::Work::space(0, 1, 0, 0, None);
    let published = licensing::publish_terms(owner, &work, 0, &MINT, offer);
    (vec![registered, published], ((space + 2 * 128) * 6_960) as u64)
}

fn transfer(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    let data = [&2_u32.to_le_bytes()[..], &lamports.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)];
    Instruction { program_id: SYSTEM, accounts, data }
}

fn wire(transaction: &Transaction) -> String {
    let mut bytes = vec![transaction.signatures.len() as u8];
    let signatures = transaction.signatures.iter();
    signatures.for_each(|signature| bytes.extend_from_slice(signature.as_ref()));
    bytes.extend(transaction.message.serialize());
    BASE64_STANDARD.encode(bytes)
}

/// Returns a transaction of a fee payer, signed by `signers` only.
fn signed(payer: &Pubkey, instructions: &[Instruction], signers: &[&Keypair]) -> String {
    let message = Message::new(instructions, Some(payer));
    let mut transaction = Transaction::new_unsigned(message);
    let named = |signer: &&&Keypair| transaction.message.signer_keys().contains(&&signer.pubkey());
    let signers: Vec<_> = signers.iter().filter(named).copied().collect();
    transaction.partial_sign(&signers, Hash::new_from_array([4; 32]));
    wire(&transaction)
}

async fn post(world: &World, path: &str, transaction: &str) -> Answer {
    let body = json!({ "transaction": transaction }).to_string();
    world.send(Method::POST, path, None, Some(body.into())).await
}

async fn quote(world: &World, wallet: &Pubkey, instructions: &[Instruction]) -> Answer {
    post(world, "/v1/chain/sponsorships", &signed(wallet, instructions, &[])).await
}

async fn send(world: &World, transaction: &str) -> Answer {
    post(world, "/v1/chain/transactions", transaction).await
}

async fn spent(world: &World) -> u64 {
    let books = world.admin().reconcile().await.unwrap();
    let expenses = books.expenses.into_iter().find(|spent| spent.kind == "sponsorship");
    expenses.map_or(0, |spent| spent.fee_lamports)
}

#[tokio::test]
async fn creator_without_sol_registers() {
    let world = sponsored_world().await;
    let facts = world.send(Method::GET, "/v1/chain", None, None).await;
    let facts: ClusterFacts = serde_json::from_slice(&facts.body).unwrap();
    assert_eq!(facts.sponsor.map(|address| address.0), Some(sponsor().pubkey()));
    let creator = creator();
    let (own, rent) = registration(&creator.pubkey(), 1);
    let quoted = quote(&world, &creator.pubkey(), &own).await;
    quoted.assert_ok();
    let quoted: Value = serde_json::from_slice(&quoted.body).unwrap();
    let expected =
        json!({ "sponsor": sponsor().pubkey().to_string(), "lamports": rent.to_string() });
    assert_eq!(quoted, expected);
    let paid = [&[transfer(&sponsor().pubkey(), &creator.pubkey(), rent)], &own[..]].concat();
    let sent = send(&world, &signed(&sponsor().pubkey(), &paid, &[&creator])).await;
    sent.assert_ok();
    let last = world.chain.state().submitted.last().cloned().unwrap();
    let message = &last[1 + 2 * 64..];
    let signature = solana_signature::Signature::try_from(&last[1..65]).unwrap();
    assert!(signature.verify(sponsor().pubkey().as_ref(), message));
    assert_eq!(spent(&world).await, rent + 2 * SIGNATURE_FEE);
}

#[tokio::test]
async fn sponsor_pays_for_nothing_else() {
    let world = sponsored_world().await;
    let (creator, thief) = (creator(), Keypair::new_from_array([79; 32]));
    let (payer, wallet) = (sponsor().pubkey(), creator.pubkey());
    let (own, rent) = registration(&wallet, 1);
    let paid = |first: &[Instruction], more: &[Instruction]| [first, &own[..], more].concat();
    let right = transfer(&payer, &wallet, rent);
    let price = |price: u64| Instruction {
        program_id: Pubkey::from_str_const("ComputeBudget111111111111111111111111111111"),
        accounts: Vec::new(),
        data: [&[3][..], &price.to_le_bytes()].concat(),
    };
    let drained = Instruction {
        accounts: vec![AccountMeta::new(payer, true), AccountMeta::new(thief.pubkey(), false)],
        ..transfer(&payer, &thief.pubkey(), 1)
    };
    let mut by_sponsor = own.clone();
    by_sponsor[0].accounts[0] = AccountMeta::new(payer, true);
    let currency = Currency::spl(MINT);
    let tokens = |funder: &Pubkey, owner: &Pubkey| currency.create_tokens(funder, owner);
    let work = pda::work(&wallet, &[1; 32]);
    let opening = transfer(&payer, &wallet, (165 + 128) * 6_960);
    let of_thief = earnings::claim(&work, &thief.pubkey(), &currency);
    let memo = Instruction {
        program_id: Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
        accounts: vec![AccountMeta::new_readonly(thief.pubkey(), true)],
        data: b"for another fee".to_vec(),
    };
    for instructions in [
        // More or less than the rent, to another wallet, twice, last, or not at all.
        paid(&[transfer(&payer, &wallet, rent + 1)], &[]),
        paid(&[transfer(&payer, &wallet, rent - 1)], &[]),
        paid(&[transfer(&payer, &thief.pubkey(), rent)], &[]),
        paid(&[right.clone(), right.clone()], &[]),
        paid(&[], slice::from_ref(&right)),
        paid(&[], &[]),
        // The sponsor's account in another instruction.
        paid(slice::from_ref(&right), &[drained]),
        paid(slice::from_ref(&right), &[tokens(&payer, &wallet)]),
        [slice::from_ref(&right), &by_sponsor[..]].concat(),
        // Tokens without a claim, tokens of another person, and other instructions of Motif.
        paid(slice::from_ref(&right), &[tokens(&wallet, &wallet)]),
        vec![tokens(&wallet, &thief.pubkey()), earnings::claim(&work, &wallet, &currency)],
        [vec![opening.clone(), tokens(&wallet, &wallet)], vec![of_thief.clone()]].concat(),
        // A memo that another person signs for another fee.
        paid(slice::from_ref(&right), slice::from_ref(&memo)),
        paid(slice::from_ref(&right), &[licensing::withdraw_work(&wallet, &work)]),
        // A dear priority fee.
        paid(&[price(1_000_000_000), right.clone()], &[]),
        // A transfer alone.
        vec![right.clone()],
    ] {
        let sent = send(&world, &signed(&payer, &instructions, &[&creator, &thief])).await;
        sent.assert_problem(403, "sponsorship-refused");
    }
    let unsigned = signed(&payer, &paid(slice::from_ref(&right), &[]), &[]);
    send(&world, &unsigned).await.assert_problem(400, "malformed-transaction");
    let foreign = Instruction { program_id: Pubkey::new_from_array([5; 32]), ..right };
    let sent = send(&world, &signed(&payer, &paid(&[foreign], &[]), &[&creator])).await;
    sent.assert_problem(403, "sponsorship-refused");
    assert!(world.chain.state().submitted.is_empty(), "nothing reached the cluster");
    assert_eq!(spent(&world).await, 0);
}

#[tokio::test]
async fn account_is_paid_for_once() {
    let world = sponsored_world().await;
    let creator = creator();
    let (payer, wallet) = (sponsor().pubkey(), creator.pubkey());
    let currency = Currency::spl(MINT);
    let work = pda::work(&wallet, &[1; 32]);
    let tokens = vec![currency.create_tokens(&wallet, &wallet); 9];
    let claims = [tokens, vec![earnings::claim(&work, &wallet, &currency)]].concat();
    let quoted = quote(&world, &wallet, &claims).await;
    quoted.assert_ok();
    let rent = (165 + 128) * 6_960_u64;
    let quoted: Value = serde_json::from_slice(&quoted.body).unwrap();
    assert_eq!(quoted["lamports"], rent.to_string());
    let nine = [vec![transfer(&payer, &wallet, 9 * rent)], claims.clone()].concat();
    let sent = send(&world, &signed(&payer, &nine, &[&creator])).await;
    sent.assert_problem(403, "sponsorship-refused");
    // An account that exists needs no rent, whatever creates it again.
    let (own, _) = registration(&wallet, 1);
    let account = Account { lamports: 1, ..Account::default() };
    let exists = [own[0].accounts[1].pubkey, own[1].accounts[2].pubkey];
    for address in exists {
        world.chain.state().accounts.insert(address, account.clone());
    }
    let quoted = quote(&world, &wallet, &own).await;
    let quoted: Value = serde_json::from_slice(&quoted.body).unwrap();
    assert_eq!(quoted["lamports"], "0");
}

#[tokio::test]
async fn repeated_transaction_is_counted_once() {
    let world = sponsored_world().await;
    let creator = creator();
    let (own, rent) = registration(&creator.pubkey(), 1);
    let first = transfer(&sponsor().pubkey(), &creator.pubkey(), rent);
    let all = signed(&sponsor().pubkey(), &[&[first], &own[..]].concat(), &[&creator]);
    for _ in 0..20 {
        send(&world, &all).await.assert_ok();
    }
    assert_eq!(spent(&world).await, rent + 2 * SIGNATURE_FEE);
    let (other, _) = registration(&creator.pubkey(), 2);
    quote(&world, &creator.pubkey(), &other).await.assert_ok();
}

#[tokio::test]
async fn wallet_with_sol_pays_itself() {
    let world = sponsored_world().await;
    let wallet = creator().pubkey();
    let rich = Account { lamports: 1_000_000_000, ..Account::default() };
    world.chain.state().accounts.insert(wallet, rich);
    let (own, _) = registration(&wallet, 1);
    quote(&world, &wallet, &own).await.assert_problem(403, "sponsorship-refused");
}

#[tokio::test]
async fn budgets_bound_what_is_sponsored() {
    let world = sponsored_world().await;
    let mut paid = 0;
    let mut refused_wallets = 0;
    for number in 0..8 {
        let wallet = Keypair::new_from_array([100 + number; 32]);
        for work in 1..=8 {
            let (own, rent) = registration(&wallet.pubkey(), work);
            let first = transfer(&sponsor().pubkey(), &wallet.pubkey(), rent);
            let all = [&[first], &own[..]].concat();
            let sent = send(&world, &signed(&sponsor().pubkey(), &all, &[&wallet])).await;
            if sent.status.is_success() {
                paid += rent + 2 * SIGNATURE_FEE;
                continue;
            }
            sent.assert_problem(403, "sponsorship-refused");
            refused_wallets += u64::from(sent.text().contains("of this wallet"));
            break;
        }
    }
    assert!(refused_wallets > 0 && paid <= DAILY && paid > DAILY - OF_WALLET, "{paid}");
    assert_eq!(spent(&world).await, paid);
    let (own, _) = registration(&creator().pubkey(), 1);
    let quoted = quote(&world, &creator().pubkey(), &own).await;
    assert!(quoted.text().contains("today's budget is spent"), "{}", quoted.text());
    // A restart continues the day; the next day has a budget of its own.
    let world = world.restarted(true).await;
    let quoted = quote(&world, &creator().pubkey(), &own).await;
    quoted.assert_problem(403, "sponsorship-refused");
    let tomorrow = world.gateway.app().cluster.now() + 86_400;
    world.chain.state().now = tomorrow;
    world.gateway.app().cluster.observe_clock().await;
    quote(&world, &creator().pubkey(), &own).await.assert_ok();
}

#[tokio::test]
async fn refused_transaction_costs_no_budget() {
    let world = sponsored_world().await;
    world.chain.network(Network::Refusing);
    let creator = creator();
    let (own, rent) = registration(&creator.pubkey(), 1);
    let first = transfer(&sponsor().pubkey(), &creator.pubkey(), rent);
    let all = signed(&sponsor().pubkey(), &[&[first], &own[..]].concat(), &[&creator]);
    for _ in 0..20 {
        send(&world, &all).await.assert_problem(422, "transaction-refused");
    }
    world.chain.network(Network::Up);
    send(&world, &all).await.assert_ok();
    assert_eq!(spent(&world).await, rent + 2 * SIGNATURE_FEE);
}

#[tokio::test]
async fn refused_copy_returns_no_budget() {
    let world = sponsored_world().await;
    let creator = creator();
    let (own, rent) = registration(&creator.pubkey(), 1);
    let first = transfer(&sponsor().pubkey(), &creator.pubkey(), rent);
    let all = signed(&sponsor().pubkey(), &[&[first], &own[..]].concat(), &[&creator]);
    send(&world, &all).await.assert_ok();
    // Nodes refuse copies of what they have taken.
    world.chain.network(Network::Refusing);
    for _ in 0..20 {
        send(&world, &all).await.assert_problem(422, "transaction-refused");
    }
    world.chain.network(Network::Up);
    assert_eq!(spent(&world).await, rent + 2 * SIGNATURE_FEE);
    let mut paid = rent + 2 * SIGNATURE_FEE;
    for number in 2.. {
        let (own, rent) = registration(&creator.pubkey(), number);
        let first = transfer(&sponsor().pubkey(), &creator.pubkey(), rent);
        let all = signed(&sponsor().pubkey(), &[&[first], &own[..]].concat(), &[&creator]);
        let sent = send(&world, &all).await;
        if !sent.status.is_success() {
            sent.assert_problem(403, "sponsorship-refused");
            break;
        }
        paid += rent + 2 * SIGNATURE_FEE;
    }
    assert!(paid <= OF_WALLET, "{paid}");
    assert_eq!(spent(&world).await, paid);
}

#[tokio::test]
async fn gateway_without_sponsor_has_no_quotes() {
    let world = World::new().await;
    let (own, _) = registration(&creator().pubkey(), 1);
    quote(&world, &creator().pubkey(), &own).await.assert_problem(404, "not-found");
}
